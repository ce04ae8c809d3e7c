package sqlite_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/store/sqlite"
	"gridsync/server/internal/store/sqlstore"
	"gridsync/server/internal/store/storetest"
	"gridsync/syncproto"
)

// oldDatabase unpacks a database of testdata/upgrade into a folder of its own.
func oldDatabase(t *testing.T, name string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	packed, err := os.Open(filepath.Join("..", "..", "..", "..", "testdata", "upgrade", name))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(dir, sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(file, plain)
	if err := errors.Join(err, file.Close(), plain.Close(), packed.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestADatabaseThatIsNewerIsRefused has a release to come bring it up to date.
func TestADatabaseThatIsNewerIsRefused(t *testing.T) {
	dir := t.TempDir()
	closed(t, open(t, dir))
	behind(t, dir, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, TRUE)")
	before, err := os.ReadFile(filepath.Join(dir, sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	_, err = sqlite.Open(t.Context(), dir, sqlite.Options{Keys: storetest.Keys(t, 1, 2)})
	if newer := (*sqlstore.NewerError)(nil); !errors.As(err, &newer) || newer.Database != 99 || newer.Program < 50 || newer.Program >= 99 {
		t.Errorf("%v", err)
	}
	if after, err := os.ReadFile(filepath.Join(dir, sqlite.FileName)); err != nil || !bytes.Equal(before, after) {
		t.Errorf("it was altered, %v", err)
	}
}

// TestNoTableChangesBelowAServer has a server run over tables that lack a step.
func TestNoTableChangesBelowAServer(t *testing.T) {
	dir := t.TempDir()
	store := open(t, dir)
	lock, err := store.LockServe()
	if err != nil {
		t.Fatal(err)
	}
	behind(t, dir, "DELETE FROM goose_db_version WHERE version_id = 52; ALTER TABLE meta DROP COLUMN timeline")
	if _, err := sqlite.Open(t.Context(), dir, sqlite.Options{Keys: storetest.Keys(t)}); !errors.Is(err, sqlstore.ErrServed) {
		t.Errorf("beside a server: %v", err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	closed(t, store)
	closed(t, open(t, dir))
}

// TestOldDatabaseOpens opens what the first schema wrote: four records out of seven
// changes, one field in dispute, one change parked.
func TestOldDatabaseOpens(t *testing.T) {
	dir := oldDatabase(t, "schema-1.db.gz")
	t.Cleanup(func() { sound(t, dir) })
	store := open(t, dir)
	boot, err := store.Boot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if boot.Last != 7 || boot.Parked != 1 || len(boot.Heads) != 2 || boot.Epoch.IsZero() {
		t.Errorf("boot: %+v", boot)
	}
	if boot.Derivation != 0 || boot.Chain != (syncproto.Hash{}) || len(boot.Links)+len(boot.Signatures)+len(boot.Twins) != 0 {
		t.Errorf("boot tells what the first schema had no place for: %+v", boot)
	}
	if records := oldRecords(t, store); records != 4 {
		t.Errorf("%d records, not 4", records)
	}
	log := wholeLog(t, store)
	if len(log) != 7 || log[5].Version != 0 || log[5].Reason != syncproto.CodeOutOfArea || string(log[3].Change.Fields) != `{"mobile":"99900000003"}` {
		t.Errorf("the log: %+v", log)
	}
	derived, err := store.Derived(t.Context())
	if err != nil || len(derived.Counts) != 4 || len(derived.Devices) != 2 || len(derived.Items) != 0 {
		t.Errorf("derived: %+v, %v", derived, err)
	}
	bringUpToDate(t, store, log)
	store = open(t, dir)
	boot, err = store.Boot(t.Context())
	if err != nil || boot.Derivation != exchange.Derivation || boot.Chain != (syncproto.Hash{7}) {
		t.Errorf("once it was brought up to date: %+v, %v", boot, err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

// TestADatabaseOfTheSecondSchemaOpens opens what the second schema wrote: fourteen changes,
// of which two wait, four questions, a merge and a telling.
func TestADatabaseOfTheSecondSchemaOpens(t *testing.T) {
	dir := oldDatabase(t, "schema-2.db.gz")
	t.Cleanup(func() { sound(t, dir) })
	store := open(t, dir)
	boot, err := store.Boot(t.Context())
	if err != nil || boot.Last != 14 || boot.Derivation != 0 || boot.Digest != 0 || boot.Chain == (syncproto.Hash{}) || len(boot.Links) != 1 {
		t.Errorf("boot: %+v, %v", boot, err)
	}
	log := wholeLog(t, store)
	if len(log) != 14 || string(log[5].Change.Fields) != `{"note":"白天没人晚上八点后再来"}` || log[5].Change.ID == (syncproto.ChangeID{}) {
		t.Fatalf("the log: %+v", log)
	}
	for i, link := 0, (syncproto.Hash{}); i < len(log); i++ { // it covers every byte that was written
		if link = exchange.ChainOf(link, &log[i], log[i].Change.Hash()); link != log[i].Chain {
			t.Errorf("row %d does not follow from the row before it", log[i].Seq)
		}
	}
	derived, err := store.Derived(t.Context())
	if err != nil || len(derived.Items) != 4 || len(derived.Index) != 0 {
		t.Errorf("derived: %+v, %v", derived, err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

// bringUpToDate does what the service does to an old database, and closes it.
func bringUpToDate(t *testing.T, store *sqlite.Store, log []exchange.Logged) {
	t.Helper()
	var links []exchange.Chained
	for i := range log {
		if log[i].Chain != (syncproto.Hash{}) || log[i].Admitted != nil {
			t.Errorf("row %d has what the first schema had no place for", log[i].Seq)
		}
		links = append(links, exchange.Chained{Seq: log[i].Seq, Chain: syncproto.Hash{byte(log[i].Seq)}})
	}
	err := store.Commit(t.Context(), func(tx exchange.Tx) error {
		counts := []rollup.Count{{Area: 11, Day: 20200127, Measure: "persons", N: 2}}
		return errors.Join(tx.Rederive(&exchange.Derived{Counts: counts}), tx.SetChain(links))
	})
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
}

func oldRecords(t *testing.T, store *sqlite.Store) (records int) {
	t.Helper()
	err := store.Histories(t.Context(), func(log []exchange.Logged, stored *syncproto.Record) error {
		if stored != nil {
			records++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func wholeLog(t *testing.T, store *sqlite.Store) (log []exchange.Logged) {
	t.Helper()
	err := store.EachLogged(t.Context(), func(l *exchange.Logged) error {
		log = append(log, *l)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return log
}
