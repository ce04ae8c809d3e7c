package postgres_test

import (
	"testing"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/store/postgres/pgtest"
	"gridsync/server/internal/store/storetest"
	"gridsync/syncproto"
)

// devicesOf are the devices of a batch.
func devicesOf(batch *exchange.Batch) (ids []syncproto.DeviceID) {
	for i := range batch.Devices {
		ids = append(ids, batch.Devices[i].Device)
	}
	return ids
}

// TestNoGroupReadsAWholeTable asks the database how often it read one from end to end.
func TestNoGroupReadsAWholeTable(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	watch := observer(t, url)
	if _, err := watch.Exec(t.Context(), "SELECT pg_stat_reset()"); err != nil {
		t.Fatal(err)
	}
	store := open(t, url)
	for group := range 3 {
		batch := storetest.Load(t, group, 16, 100)
		storetest.Push(t, store, batch)
		first := batch.Log[0].Change
		err := store.Commit(t.Context(), func(tx exchange.Tx) error {
			if prior, err := tx.Prior(first.Device, []uint64{1, first.N}); err != nil || len(prior) == 0 {
				t.Errorf("%v, %v", prior, err)
			}
			if states, err := tx.Devices(devicesOf(batch)); err != nil || len(states) != len(batch.Devices) {
				t.Errorf("%d devices, %v", len(states), err)
			}
			if logs, err := tx.Logs([]syncproto.RecordID{first.Record}); err != nil || len(logs) != 1 {
				t.Errorf("%v, %v", logs, err)
			}
			_, err := tx.CommittedAt([]syncproto.Version{1, batch.Last})
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if err := store.Close(); err != nil { // a connection that ends tells what it counted
		t.Fatal(err)
	}
	for told := false; !told; {
		rows, err := watch.Query(t.Context(), `SELECT relname, seq_scan, COALESCE(idx_scan, 0) FROM pg_stat_user_tables
			WHERE relname IN ('change_log', 'record', 'device', 'author', 'place', 'kind', 'counter', 'head', 'device_state')`)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var table string
			var whole, index int
			if err := rows.Scan(&table, &whole, &index); err != nil {
				t.Fatal(err)
			}
			told = told || index > 0
			if whole > 0 {
				t.Errorf("%s was read from end to end %d times", table, whole)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
}
