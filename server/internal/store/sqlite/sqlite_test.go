package sqlite_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/store/sqlite"
	"gridsync/server/internal/store/storetest"
	"gridsync/syncproto"
)

func open(t testing.TB, dir string) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), dir, sqlite.Options{Keys: storetest.Keys(t)})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// sound fails unless the file that a test left behind is whole and every reference
// in it has its row.
func sound(t *testing.T, dir string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	var verdict string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity: %s, %v", verdict, err)
	}
	var table string
	err = db.QueryRow(`SELECT "table" FROM pragma_foreign_key_check LIMIT 1`).Scan(&table)
	if !errors.Is(err, sql.ErrNoRows) {
		t.Errorf("a reference of table %s leads nowhere: %v", table, err)
	}
	var astray int
	err = db.QueryRow(`SELECT COUNT(*) FROM change_log c WHERE CAST(c.author AS TEXT) IS NOT
		(SELECT GROUP_CONCAT(u.author) FROM author_run u WHERE c.seq BETWEEN u.first AND u.last)`).Scan(&astray)
	if err != nil || astray != 0 {
		t.Errorf("%d rows of the log are in no run, in two, or in another author's: %v", astray, err)
	}
}

func TestTwoServersNeverShareAFolder(t *testing.T) {
	dir := t.TempDir()
	first, second := open(t, dir), open(t, dir)
	lock, err := first.LockServe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.LockServe(); !errors.Is(err, sqlite.ErrLocked) {
		t.Errorf("a second server: %v", err)
	}
	// A command may still write.
	if err := second.PutAreas(t.Context(), []area.Node{{ID: "330702", Name: "婺城区"}}); err != nil {
		t.Error(err)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
	again, err := second.LockServe()
	if err != nil {
		t.Fatalf("once the first has gone: %v", err)
	}
	for _, end := range []func() error{again.Release, first.Close, second.Close} {
		if err := end(); err != nil {
			t.Error(err)
		}
	}
}

func TestANewDatabaseTakesItsEpochAndKeepsIt(t *testing.T) {
	dir := t.TempDir()
	for i, given := range []syncproto.Epoch{{1}, {2}} {
		store, err := sqlite.Open(t.Context(), dir, sqlite.Options{NewEpoch: given, Keys: storetest.Keys(t)})
		if err != nil {
			t.Fatal(err)
		}
		boot, err := store.Boot(t.Context())
		if err != nil || boot.Epoch != (syncproto.Epoch{1}) {
			t.Errorf("opened %d times: epoch %s, %v", i+1, boot.Epoch, err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestACheckpointEmptiesTheLogFile(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "网格 100% ?#&"))
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	err := store.Commit(t.Context(), func(tx exchange.Tx) error { return tx.Save(&exchange.Batch{Last: 1, Now: 1}) })
	if err != nil {
		t.Fatal(err)
	}
	before, err := store.WALSize()
	if err != nil || before == 0 {
		t.Fatalf("log file of %d bytes, %v", before, err)
	}
	if err := store.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after, err := store.WALSize(); err != nil || after != 0 {
		t.Errorf("log file of %d bytes after a checkpoint, %v", after, err)
	}
	if version, _, err := store.AsOf(t.Context()); err != nil || version != 1 {
		t.Errorf("version %d, %v", version, err)
	}
}

func TestAFolderThatCannotBeMadeIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if store, err := sqlite.Open(t.Context(), file, sqlite.Options{Keys: storetest.Keys(t)}); err == nil {
		t.Errorf("opened %v", store)
	}
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, sqlite.FileName), []byte("this is no database, and long enough to show it"), 0o600); err != nil {
		t.Fatal(err)
	}
	if store, err := sqlite.Open(t.Context(), broken, sqlite.Options{Keys: storetest.Keys(t)}); err == nil {
		t.Errorf("opened %v", store)
	}
}
