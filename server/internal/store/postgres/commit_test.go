package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgtest"
	"gridsync/server/internal/store/sqlstore"
)

// A commit that waits for another machine's disk and is broken off is answered by PostgreSQL
// as if it had succeeded. It may be on this machine's disk alone, and isn't acknowledged. And
// whoever has only read what it left, and would say that it is there, waits as if it had
// written that.
func TestACommitThatWasNotWaitedForIsNotKnownToBeKept(t *testing.T) {
	cluster := pgtest.New(t, pgtest.Options{})
	url := cluster.Database(t)
	s := opened(t, url)
	admin, err := pgx.Connect(t.Context(), cluster.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(t.Context())
	order := func(text string) {
		t.Helper()
		if _, err := admin.Exec(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	if err := write(t, s); err != nil {
		t.Fatal(err)
	}
	order("SET synchronous_commit = local")
	order("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
	order("SELECT pg_reload_conf()")
	// brokenOff breaks off commits for as long as something is done, and says how many.
	brokenOff := func(work func() error) (broken int, outcome error) {
		t.Helper()
		done := make(chan error, 1)
		go func() { done <- work() }()
		for {
			select {
			case outcome = <-done:
				return broken, outcome
			default:
				var n int
				err := admin.QueryRow(t.Context(), "SELECT count(*) FILTER (WHERE pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'").Scan(&n)
				if err != nil {
					t.Fatal(err)
				}
				broken += n
			}
		}
	}
	// Until the order has got around, commits are as quick as before.
	var outcome error
	for broken := 0; broken == 0; {
		broken, outcome = brokenOff(func() error { return write(t, s) })
	}
	is(t, "a commit that was broken off", outcome, sqlstore.ErrUnknownOutcome)
	waited, outcome := brokenOff(func() error {
		return s.Commit(t.Context(), func(tx exchange.Tx) error {
			_, err := tx.Turns(t.Context(), exchange.Mark{})
			return err
		})
	})
	if waited == 0 {
		t.Error("a group that only read didn't wait for the disk that its answer hangs on")
	}
	is(t, "a group that only read, broken off", outcome, sqlstore.ErrUnknownOutcome)
	order("ALTER SYSTEM RESET synchronous_standby_names")
	order("SELECT pg_reload_conf()")
	// The next one, which nobody breaks off. Where the order hasn't got around yet, it waits
	// until it has.
	if err := write(t, s); err != nil {
		t.Error(err)
	}
}

// write commits something.
func write(t *testing.T, s *postgres.Store) error {
	t.Helper()
	return s.Transact(t.Context(), func(own sqlstore.Own) error { return own.Exec("UPDATE meta SET revision = revision") })
}
