//go:build !race

package postgres_test

import (
	"fmt"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/store/postgres/pgtest"
	"gridsync/server/internal/store/storetest"
)

// The race detector watches TestStore. What follows are the same promises over other ground:
// it is our code that would race, and it is the same.

// TestStoreBehindPgbouncer holds it against the contract where no two transactions of a
// connection need be on one session.
func TestStoreBehindPgbouncer(t *testing.T) {
	t.Parallel()
	behind := pgtest.Pgbouncer(t)
	storetest.Run(t, func(t *testing.T) storetest.Place {
		url := pgtest.Database(t)
		t.Cleanup(func() { sound(t, url) })
		return func(t *testing.T) storetest.Engine { return open(t, behind(url)) }
	})
}

// TestStoreOnPartitions holds the engine against the contract where the first areas of every
// world are counties with tables of their own.
func TestStoreOnPartitions(t *testing.T) {
	t.Parallel()
	cluster := pgtest.New(t, pgtest.Options{})
	storetest.Run(t, func(t *testing.T) storetest.Place {
		url := cluster.Database(t)
		conn := observer(t, url)
		for key := 1; key <= 3; key++ { // a database is used again, with its tables, but no row
			text := fmt.Sprintf(`INSERT INTO county VALUES (%[1]d);
				CREATE TABLE IF NOT EXISTS change_log_of_%[1]d (LIKE change_log_rest INCLUDING ALL);
				DO $$ BEGIN
					IF NOT (SELECT relispartition FROM pg_class WHERE oid = 'change_log_of_%[1]d'::regclass) THEN
						ALTER TABLE change_log ATTACH PARTITION change_log_of_%[1]d FOR VALUES IN (%[1]d);
					END IF;
				END $$`, key)
			if _, err := conn.Exec(t.Context(), text); err != nil {
				t.Fatal(err)
			}
		}
		t.Cleanup(func() { sound(t, url) })
		return func(t *testing.T) storetest.Engine { return open(t, url) }
	})
}

// TestStoreOnAnotherServer holds the engine against the contract where the first area of every
// world is a county whose rows lie in another cluster. Nothing stands guard over them here,
// so that it shows that every statement works there.
func TestStoreOnAnotherServer(t *testing.T) {
	t.Parallel()
	near, far := pgtest.New(t, pgtest.Options{}), pgtest.New(t, pgtest.Options{})
	planner := opened(t, pgtest.Empty(t))
	must(t, planner.PutAreas(t.Context(), []area.Node{{ID: "33", Name: "省"}}))
	shape, err := planner.FarShape(t.Context(), "33")
	must(t, err)
	storetest.Run(t, func(sub *testing.T) storetest.Place {
		url := near.Database(sub)
		conn := observer(sub, url)
		if number(sub, conn, "SELECT COUNT(*) FROM pg_foreign_table") == 0 { // one is used again with what it reaches
			there := far.Empty(t)
			reach(sub, conn, there)
			_, err := observer(sub, there).Exec(sub.Context(), shape)
			must(sub, err)
			_, err = conn.Exec(sub.Context(), "CREATE FOREIGN TABLE change_log_of_1 PARTITION OF change_log FOR VALUES IN (1) SERVER far OPTIONS (batch_size '1000')")
			must(sub, err)
		}
		_, err := conn.Exec(sub.Context(), "INSERT INTO county VALUES (1)")
		must(sub, err)
		sub.Cleanup(func() { sound(sub, url) })
		return func(t *testing.T) storetest.Engine { return open(t, url) }
	})
}
