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

func TestADatabaseOfTheSecondSchemaIsSealedAndLosesNothing(t *testing.T) {
	dir := unpack(t, "schema-2.db.gz")
	server, err := Start(t.Context(), Config{Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	desks := desk.NewService(server.store, server.exchange, server.registry, desk.Config{})
	counts, err := desks.Open(t.Context(), "999001", desk.Want{}, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[review.Kind]int{review.Conflict: 1, review.Duplicate: 1, review.Parked: 2, review.DoubleVisit: 0} {
		if got := counts.Counts[kind]; got != want {
			t.Errorf("%s: %d open, not %d", kind, got, want)
		}
	}
	var told, lines int
	for _, line := range counts.Items {
		events, err := server.store.Events(t.Context(), line.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			lines++
			if e.What == review.WasReturned && len(e.Changes) == 1 {
				told++
			}
		}
	}
	if lines != 5 || told != 1 {
		t.Errorf("%d lines about questions, %d of them tell of a decision", lines, told)
	}
	derived, err := server.store.Derived(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pulses := 0
	for i := range derived.Devices {
		heard, err := server.store.Told(t.Context(), derived.Devices[i].Device, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range heard {
			if h.Reason != "请补上测量时间，电话99900000008联系" {
				t.Errorf("told %+v", h)
			}
			told++
		}
		if len(derived.Devices[i].Pulse) > 0 {
			pulses++
		}
	}
	if told != 2 || pulses != 1 || len(derived.Links) != 1 || len(derived.Index) != 10 {
		t.Errorf("told %d, %d pulses, %d links, %d places", told, pulses, len(derived.Links), len(derived.Index))
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	verify(t, dir, 14)
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
