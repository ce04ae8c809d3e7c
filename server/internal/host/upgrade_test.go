package host

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"gridsync/server/internal/desk"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// unpack puts a database of an earlier schema into a folder.
func unpack(t *testing.T, name string) string {
	t.Helper()
	packed, err := os.Open(filepath.Join("..", "..", "..", "testdata", "upgrade", name))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	r, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "gridsync.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(file, r); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestADatabaseOfTheFirstSchemaIsDerivedAnew(t *testing.T) {
	dir := unpack(t, "schema-1.db.gz")
	data, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	before, err := data.Rebuild(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if before.None() {
		t.Error("a log without a chain was found to be in order")
	}
	if err := data.Close(); err != nil {
		t.Fatal(err)
	}
	server, err := Start(t.Context(), Config{Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	counts, err := desk.NewService(server.store, server.exchange, server.registry, desk.Config{}).
		Open(t.Context(), "999001", desk.Want{}, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	// Its two people, of one mobile, birth and household, with names that sound alike, are
	// found to be one; two numbers are in dispute, and an entry for another grid waits.
	for kind, want := range map[review.Kind]int{review.Conflict: 1, review.Duplicate: 1, review.Parked: 1, review.Exit: 0} {
		if got := counts.Counts[kind]; got != want {
			t.Errorf("%s: %d open, not %d", kind, got, want)
		}
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	verify(t, dir, 7)
}

// verify holds a folder against its log.
func verify(t *testing.T, dir string, changes int) {
	t.Helper()
	data, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	diff, err := data.RebuildAlone(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !diff.None() || diff.Changes != changes {
		t.Errorf("%d changes: %v", diff.Changes, diff.Found)
	}
	var rows int
	err = data.Histories(t.Context(), func(log []exchange.Logged, _ *syncproto.Record) error {
		rows += len(log)
		return nil
	})
	if err != nil || rows != changes {
		t.Errorf("%d rows in the log, %v", rows, err)
	}
}
