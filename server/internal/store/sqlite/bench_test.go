package sqlite_test

import (
	"testing"

	"gridsync/server/internal/store/sqlite"
	"gridsync/server/internal/store/storetest"
)

// BenchmarkCommit commits groups of 6,400 temperatures as the service does: look up
// what is known of the records, save, commit durably. An operation is one row.
func BenchmarkCommit(b *testing.B) {
	store, err := sqlite.Open(b.Context(), b.TempDir(), sqlite.Options{Keys: storetest.Keys(b)})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	}()
	rows := storetest.BenchmarkCommit(b, store)
	if err := store.Checkpoint(b.Context()); err != nil {
		b.Fatal(err)
	}
	size, err := store.Size()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(size)/float64(rows), "bytes/row")
}

// TestARecordTakesAtMost800Bytes counts everything on disk: the log, the records, the
// feeds, every index.
func TestARecordTakesAtMost800Bytes(t *testing.T) {
	store := open(t, t.TempDir())
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	for group := range 2 {
		storetest.Push(t, store, storetest.Load(t, group, storetest.LoadDevices, storetest.LoadBatch))
	}
	if err := store.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	size, err := store.Size()
	if err != nil {
		t.Fatal(err)
	}
	if each := size / (2 * storetest.LoadDevices * storetest.LoadBatch); each > 800 {
		t.Errorf("a record takes %d bytes", each)
	}
}
