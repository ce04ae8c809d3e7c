package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/seal"
	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgtest"
	"gridsync/server/internal/store/sqlstore"
	"gridsync/server/internal/store/storetest"
)

// contended is an engine before which others get in the way some times: of whoever begins, of
// a statement, or of whoever commits.
type contended struct {
	sqlstore.Dialect
	begins, commits int
	code            string
}

func (c *contended) fail(ctx context.Context, conn *sql.Conn, left *int) error {
	if *left == 0 {
		return nil
	}
	*left--
	_, err := conn.ExecContext(ctx, "DO $$ BEGIN RAISE EXCEPTION 'in the way' USING ERRCODE = '"+c.code+"'; END $$")
	return err
}

func (c *contended) Begin(ctx context.Context, conn *sql.Conn) (int64, error) {
	timeline, err := c.Dialect.Begin(ctx, conn)
	if err == nil {
		err = c.fail(ctx, conn, &c.begins)
	}
	return timeline, err
}

func (c *contended) Commit(ctx context.Context, conn *sql.Conn) error {
	if err := c.fail(ctx, conn, &c.commits); err != nil {
		return err
	}
	return c.Dialect.Commit(ctx, conn)
}

// over makes a store over an engine.
func over(t *testing.T, url string, engine sqlstore.Dialect, keys ...seal.KeyID) *sqlstore.Store {
	t.Helper()
	if err := open(t, url).Close(); err != nil {
		t.Fatal(err)
	}
	db := handle(t, "pgx", url)
	db.SetMaxOpenConns(4)
	store, err := sqlstore.New(t.Context(), db, db, engine, storetest.Keys(t, keys...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// Who was broken off for somebody else's sake tries again, and does everything once.
func TestATransactionIsTriedAgainAndDoneOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]contended{
		"whoever begins": {begins: 2, code: "40001"}, "whoever commits": {commits: 3, code: "40P01"}, "both": {begins: 1, commits: 2, code: "40001"},
	} {
		t.Run(name, func(t *testing.T) {
			url := pgtest.Database(t)
			engine := &contended{Dialect: postgres.Dialect}
			store := over(t, url, engine)
			storetest.Push(t, store, storetest.Load(t, 0, 2, 3))
			engine.begins, engine.commits, engine.code = c.begins, c.commits, c.code
			storetest.Push(t, store, storetest.Load(t, 1, 2, 3))
			if engine.begins+engine.commits != 0 {
				t.Error("nobody was in the way")
			}
			storetest.Push(t, store, storetest.Load(t, 2, 2, 3))
			n := 0
			if err := store.EachLogged(t.Context(), func(*exchange.Logged) error { n++; return nil }); err != nil || n != 18 {
				t.Errorf("%d rows, %v", n, err)
			}
			sound(t, url)
		})
	}
}

// In the end it is given up, with nothing kept, and whoever asked is told to ask again.
func TestATransactionIsNotTriedForEver(t *testing.T) {
	t.Parallel()
	engine := &contended{Dialect: postgres.Dialect, code: "40001"}
	store := over(t, pgtest.Database(t), engine)
	engine.commits = 1 << 20
	runs := 0
	err := store.Commit(t.Context(), func(tx exchange.Tx) error {
		runs++
		return tx.Save(storetest.Load(t, 0, 1, 1))
	})
	is(t, "a transaction that is always broken off", err, sqlstore.ErrContended)
	if runs != 5 || !(*postgres.Store)(nil).Away(err) {
		t.Errorf("it ran %d times; away: %t", runs, (*postgres.Store)(nil).Away(err))
	}
	engine.commits = 0
	if err := store.EachLogged(t.Context(), func(l *exchange.Logged) error {
		t.Errorf("row %d of it is there", l.Seq)
		return nil
	}); err != nil {
		t.Error(err)
	}
	// Who has no more time doesn't wait for another try.
	ctx, leave := context.WithCancel(t.Context())
	runs, engine.commits = 0, 1<<20
	err = store.Commit(ctx, func(exchange.Tx) error { runs++; leave(); return nil })
	is(t, "who went away", err, context.Canceled)
	if runs != 1 {
		t.Errorf("it ran %d times", runs)
	}
}

// What failed for another reason is not tried again, and neither is what may have been kept.
func TestOnlyWhatWasInTheWayIsTriedAgain(t *testing.T) {
	t.Parallel()
	store := over(t, pgtest.Database(t), postgres.Dialect)
	for _, failure := range []error{errors.New("a bug"), sqlstore.ErrUnknownOutcome} {
		runs := 0
		err := store.Commit(t.Context(), func(exchange.Tx) error { runs++; return failure })
		is(t, "a group that fails", err, failure)
		if runs != 1 {
			t.Errorf("%v: it ran %d times", failure, runs)
		}
	}
}

// What counts what it has done counts it once.
func TestWhatIsTriedAgainIsCountedOnce(t *testing.T) {
	t.Parallel()
	counted := make(map[int]int)
	for _, commits := range []int{0, 1} {
		url := pgtest.Database(t)
		engine := &contended{Dialect: postgres.Dialect, code: "40001"}
		storetest.Push(t, over(t, url, engine), storetest.Load(t, 0, 2, 3))
		store := over(t, url, engine, 1, 2)
		if err := store.KnowKeys(t.Context()); err != nil {
			t.Fatal(err)
		}
		engine.commits = commits
		n, err := store.Reseal(t.Context())
		if err != nil || n == 0 || engine.commits != 0 {
			t.Errorf("%d sealed anew, %v", n, err)
		}
		counted[commits] = n
	}
	if counted[0] != counted[1] {
		t.Errorf("%d sealed anew, and %d where somebody was in the way", counted[0], counted[1])
	}
}
