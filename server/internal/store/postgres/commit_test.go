package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgtest"
	"gridsync/server/internal/store/sqlstore"
)

// A commit that waits for another machine's disk and is broken off is answered by PostgreSQL
// as if it had succeeded. It may be on this machine's disk alone, and isn't acknowledged.
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
	// Until the order has got around, commits are as quick as before.
	var outcome error
	for broken := 0; broken == 0; {
		done := make(chan error, 1)
		go func() { done <- write(t, s) }()
		for waiting := true; waiting; {
			select {
			case outcome = <-done:
				waiting = false
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
	is(t, "a commit that was broken off", outcome, sqlstore.ErrUnknownOutcome)
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
