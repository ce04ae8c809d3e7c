package postgres_test

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgtest"
	"gridsync/server/internal/store/sqlstore"
	"gridsync/server/internal/store/storetest"
	"gridsync/syncproto/form"
)

// reach lets a database of one cluster use one of another.
func reach(t *testing.T, near *pgx.Conn, farURL string) {
	t.Helper()
	at, err := url.Parse(farURL)
	must(t, err)
	_, err = near.Exec(t.Context(), fmt.Sprintf(`CREATE EXTENSION IF NOT EXISTS postgres_fdw;
		DROP SERVER IF EXISTS far CASCADE;
		CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '%s', dbname '%s');
		CREATE USER MAPPING FOR postgres SERVER far OPTIONS (user 'postgres', password_required 'false')`,
		at.Query().Get("host"), filepath.Base(at.Path)))
	must(t, err)
}

// pair is a store of which a county's rows lie in another cluster.
func pair(t *testing.T) (store *postgres.Store, near, far *pgx.Conn) {
	t.Helper()
	nearURL, farURL := pgtest.Empty(t), pgtest.New(t, pgtest.Options{}).Empty(t)
	store = opened(t, nearURL)
	near, far = observer(t, nearURL), observer(t, farURL)
	county(t, store)
	reach(t, near, farURL)
	shape, err := store.FarShape(t.Context(), "330702")
	must(t, err)
	_, err = far.Exec(t.Context(), shape)
	must(t, err)
	must(t, store.AddPartition(t.Context(), "330702", postgres.Spot{Server: "far"}))
	return store, near, far
}

func number(t *testing.T, conn *pgx.Conn, text string) (n int) {
	t.Helper()
	must(t, conn.QueryRow(t.Context(), text).Scan(&n))
	return n
}

// TestACountyMayLieOnAnotherServer writes there and reads, one by one and added up.
func TestACountyMayLieOnAnotherServer(t *testing.T) {
	t.Parallel()
	store, near, far := pair(t)
	for group := range 3 {
		storetest.Push(t, store, storetest.Load(t, group, 2, 50))
	}
	if here, there := number(t, near, "SELECT COUNT(*) FROM change_log_rest"), number(t, far, "SELECT COUNT(*) FROM change_log_of_2"); here != 150 || there != 150 {
		t.Errorf("%d rows here, %d there", here, there)
	}
	if n := rows(t, store); n != 300 {
		t.Errorf("%d rows in all", n)
	}
	page, err := store.Page(t.Context(), exchange.Feed{Area: 1, Stream: form.History}, 0, 1000, 1<<24)
	if err != nil || len(page) != 150 {
		t.Errorf("a page: %d rows, %v", len(page), err)
	}
	list, err := store.Partitions(t.Context())
	if err != nil || len(list) != 2 || list[1].Server != "far" {
		t.Errorf("%+v, %v", list, err)
	}
	// Counting is done there, and only the number comes back.
	_, err = near.Exec(t.Context(), "SET enable_partitionwise_aggregate = on")
	must(t, err)
	rows, err := near.Query(t.Context(), "EXPLAIN (COSTS OFF) SELECT county, COUNT(*) FROM change_log GROUP BY county")
	must(t, err)
	steps, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if plan := strings.Join(steps, "\n"); err != nil || !strings.Contains(plan, "Relations: Aggregate on") {
		t.Errorf("%v\n%s", err, plan)
	}
}

// TestWhatOnlyTheOtherServerCommittedIsTakenBack ends this side's part of a commit when the
// other server is in the middle of its own. What that one still commits was never acknowledged,
// and its numbers are given out again.
func TestWhatOnlyTheOtherServerCommittedIsTakenBack(t *testing.T) {
	t.Parallel()
	store, near, far := pair(t)
	storetest.Push(t, store, storetest.Load(t, 0, 2, 5))
	_, err := far.Exec(t.Context(), `CREATE FUNCTION hold() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
			PERFORM pg_advisory_xact_lock(42); RETURN NULL; END $$;
		CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON change_log_of_2 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold();
		CREATE TABLE taken_back (seq BIGINT);
		CREATE FUNCTION note() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.taken_back VALUES (OLD.seq); RETURN OLD; END $$;
		CREATE TRIGGER note AFTER DELETE ON change_log_of_2 FOR EACH ROW EXECUTE FUNCTION note();
		SELECT pg_advisory_lock(42)`)
	must(t, err)
	commit := func(batch *exchange.Batch) <-chan error {
		ended := make(chan error, 1)
		go func() { ended <- store.Commit(t.Context(), func(tx exchange.Tx) error { return tx.Save(batch) }) }()
		return ended
	}

	first := commit(storetest.Load(t, 1, 2, 5))
	until(t, far, "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
	if n := number(t, near, "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%COMMIT' AND state = 'active'"); n != 1 {
		t.Fatalf("%d commits to end", n)
	}
	if err := <-first; !errors.Is(err, sqlstore.ErrUnknownOutcome) {
		t.Errorf("the commit that lost its other half: %v", err)
	}

	// Nobody steps over it while it may still come to be. Another group, which has nothing for
	// the other server, gives their numbers out again.
	batch := storetest.Load(t, 1, 2, 5)
	batch.Log, batch.Records = batch.Log[5:], batch.Records[5:]
	second := commit(batch)
	until(t, far, "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted)")
	_, err = far.Exec(t.Context(), "SELECT pg_advisory_unlock(42)")
	must(t, err)
	if err := <-second; err != nil {
		t.Errorf("who came while it was on its way, and began again: %v", err)
	}
	if n := number(t, far, "SELECT COUNT(*) FROM taken_back WHERE seq > 10"); n != 5 {
		t.Errorf("%d rows were taken back", n)
	}
	if n := number(t, far, "SELECT COUNT(*) FROM change_log_of_2 WHERE seq > 10"); n != 0 {
		t.Errorf("%d rows of which nobody knows", n)
	}
	storetest.Push(t, store, storetest.Load(t, 2, 2, 5))
	if n := rows(t, store); n != 25 {
		t.Errorf("%d rows", n)
	}
}

// until asks until the answer is yes.
func until(t *testing.T, conn *pgx.Conn, text string) {
	t.Helper()
	for yes := false; !yes; {
		must(t, conn.QueryRow(t.Context(), text).Scan(&yes))
	}
}

// TestARowOnAnotherServerIsNotAltered: that could not be undone there and here together.
func TestARowOnAnotherServerIsNotAltered(t *testing.T) {
	t.Parallel()
	store, near, _ := pair(t)
	batch := storetest.Load(t, 0, 2, 5)
	storetest.Push(t, store, batch)
	purge := func(row *exchange.Logged) error {
		return store.Commit(t.Context(), func(tx exchange.Tx) error {
			return tx.Purge(&exchange.Purging{Log: []exchange.PurgedRow{{Seq: row.Seq, Hash: row.Change.Hash()}}})
		})
	}
	said := (*pgconn.PgError)(nil)
	if err := purge(&batch.Log[0]); !errors.As(err, &said) || said.Code != "GS001" || !strings.Contains(said.Message, "第 1 行") {
		t.Errorf("a row there: %v", err)
	}
	must(t, purge(&batch.Log[5]))
	if n := number(t, near, "SELECT COUNT(*) FROM change_log WHERE said IS NULL"); n != 1 {
		t.Errorf("%d rows were purged", n)
	}
	for _, text := range []string{"UPDATE change_log SET said = said", "UPDATE change_log SET chain = chain"} {
		if _, err := near.Exec(t.Context(), text); err != nil {
			t.Errorf("%s, which may be done again: %v", text, err)
		}
	}
}
