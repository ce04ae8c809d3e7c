package sqlite_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/hook"
	"gridsync/server/internal/match"
	"gridsync/server/internal/review"
	"gridsync/server/internal/seal"
	"gridsync/server/internal/store/sqlite"
	"gridsync/server/internal/store/sqlstore"
	"gridsync/server/internal/store/storetest"
	"gridsync/syncproto"
)

// openWith opens a folder with these keys.
func openWith(t *testing.T, dir string, keys *seal.Ring) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), dir, sqlite.Options{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func closed(t *testing.T, store *sqlite.Store) {
	t.Helper()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

// filled is a folder with a row of everything that is sealed, and some thousand of what
// there are most of.
func filled(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	store := open(t, dir)
	b := storetest.Load(t, 0, storetest.LoadDevices, storetest.LoadBatch)
	b.Log, b.Records = b.Log[:2500], b.Records[:2500]
	for i := range 200 {
		b.Records[i].Sole = false
	}
	device := b.Log[0].Change.Device
	for i := range 2 {
		question := review.Item{
			Key:      review.Pair(review.Duplicate, b.Records[i].Record.ID, b.Records[i+2].Record.ID),
			Evidence: []match.Evidence{{Part: "mobile", Points: 60}},
		}
		b.Items = append(b.Items, question)
		b.Events = append(b.Events, review.Event{Item: question.ID(), What: review.WasRouted, Detail: "330702001"})
		b.Told = append(b.Told, exchange.Telling{Device: device, Told: syncproto.Told{Version: syncproto.Version(i + 1), Reason: "请重新核实"}})
		b.Devices[i].Pulse = []byte("beats")
	}
	storetest.Push(t, store, b)
	listener := hook.Hook{ID: uuid.UUID{1}, Area: "330702001", Events: []string{"fever"}, Target: hook.Target{URL: "https://example.org", Secret: "whsec_"}}
	if err := store.AddHook(t.Context(), &listener); err != nil {
		t.Fatal(err)
	}
	closed(t, store)
	return dir
}

// reads reads whatever is sealed, and returns how much there was.
func reads(ctx context.Context, store *sqlite.Store) (texts int, err error) {
	err = store.Histories(ctx, func(log []exchange.Logged, _ *syncproto.Record) error {
		texts += len(log)
		return nil
	})
	if err != nil {
		return texts, err
	}
	derived, err := store.Derived(ctx)
	if err != nil {
		return texts, err
	}
	for i := range derived.Items {
		texts += len(derived.Items[i].Evidence)
		events, err := store.Events(ctx, derived.Items[i].ID())
		if err != nil {
			return texts, err
		}
		texts += len(events)
	}
	for i := range derived.Devices {
		if derived.Devices[i].Pulse != nil {
			texts++
		}
		told, err := store.Told(ctx, derived.Devices[i].Device, 0, 100)
		if err != nil {
			return texts, err
		}
		texts += len(told)
	}
	hooks, err := store.Hooks(ctx, nil)
	return texts + len(hooks), err
}

// everything is what reads counts in a filled folder.
const everything = 2500 + 2 + 2 + 2 + 2 + 1

func readsEverything(t *testing.T, store *sqlite.Store) {
	t.Helper()
	if texts, err := reads(t.Context(), store); texts != everything || err != nil {
		t.Errorf("%d texts, not %d: %v", texts, everything, err)
	}
}

// behind alters a database behind the store's back.
func behind(t *testing.T, dir, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	result, err := db.Exec(statement)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := result.RowsAffected(); n == 0 || err != nil {
		t.Fatalf("%s: %d rows, %v", statement, n, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestWhatWasSaidInOneRowOpensInNoOther(t *testing.T) {
	whole := filled(t)
	store := open(t, whole)
	readsEverything(t, store)
	closed(t, store)
	for _, c := range []struct{ table, column, another string }{
		{"change_log", "said", "x.seq = change_log.seq + 1"},
		{"record", "parts", "x.key = record.key + 1"},
		{"review_item", "proof", "x.id <> review_item.id"},
		{"review_event", "said", "x.item <> review_event.item"},
		{"told", "said", "x.version <> told.version"},
		{"device_state", "beats", "x.device <> device_state.device"},
	} {
		dir := copied(t, whole)
		behind(t, dir, fmt.Sprintf("UPDATE %[1]s SET %[2]s = (SELECT x.%[2]s FROM %[1]s x WHERE %[3]s AND x.%[2]s IS NOT NULL LIMIT 1) WHERE %[2]s IS NOT NULL",
			c.table, c.column, c.another))
		store := open(t, dir)
		if _, err := reads(t.Context(), store); !errors.Is(err, seal.ErrAltered) || !strings.Contains(err.Error(), c.table+"."+c.column) {
			t.Errorf("%s.%s of another row: %v", c.table, c.column, err)
		}
		closed(t, store)
	}
}

// A record's parts can't be put back to what they were under an older version either.
func TestAnOldStateOfARecordDoesNotOpen(t *testing.T) {
	dir := filled(t)
	behind(t, dir, "UPDATE record SET version = version + 10000 WHERE key = 3")
	store := open(t, dir)
	defer closed(t, store)
	if _, err := reads(t.Context(), store); !errors.Is(err, seal.ErrAltered) {
		t.Error(err)
	}
}

func TestAMissingKeyAndAnotherKeyAreToldApart(t *testing.T) {
	dir := filled(t)
	other, err := seal.NewKey(1, bytes.Repeat([]byte{9}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	impostor, err := seal.NewRing(rand.Reader, other)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		keys *seal.Ring
		want error
	}{{storetest.Keys(t, 2), &seal.MissingKeyError{ID: 1}}, {impostor, &sqlstore.WrongKeyError{ID: 1}}} {
		store, err := sqlite.Open(t.Context(), dir, sqlite.Options{Keys: c.keys})
		if !errors.Is(err, c.want) || store != nil {
			t.Errorf("%v, not %v", err, c.want)
		}
	}
	if _, err := sqlite.Open(t.Context(), dir, sqlite.Options{}); err == nil {
		t.Error("opened without keys")
	}
	store := openWith(t, dir, storetest.Keys(t, 1, 2))
	readsEverything(t, store)
	closed(t, store)
	// From now on something may be sealed with the second one.
	if _, err := sqlite.Open(t.Context(), dir, sqlite.Options{Keys: storetest.Keys(t, 1)}); !errors.Is(err, &seal.MissingKeyError{ID: 2}) {
		t.Error(err)
	}
}

// patience is a context that ends after it was asked so many times.
type patience struct {
	context.Context
	left int
}

func (p *patience) Err() error {
	if p.left--; p.left < 0 {
		return context.Canceled
	}
	return p.Context.Err()
}

func TestAChangeOfKeysThatWasBrokenOffGoesOn(t *testing.T) {
	for _, spans := range []int{0, 1, 2, 3, 5, 7} {
		dir := filled(t)
		store := openWith(t, dir, storetest.Keys(t, 1, 2))
		first, err := store.Reseal(&patience{t.Context(), spans})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("broken off after %d spans: %v", spans, err)
		}
		readsEverything(t, store)
		closed(t, store)
		store = openWith(t, dir, storetest.Keys(t, 1, 2))
		if ids, err := store.SealedWith(t.Context()); len(ids) != 2 || err != nil {
			t.Errorf("sealed with %v, %v", ids, err)
		}
		second, err := store.Reseal(t.Context())
		if want := everything + 200; err != nil || first+second != want {
			t.Errorf("%d and %d texts, not %d: %v", first, second, want, err)
		}
		if again, err := store.Reseal(t.Context()); again != 0 || err != nil {
			t.Errorf("%d texts once more, %v", again, err)
		}
		closed(t, store)
		store = openWith(t, dir, storetest.Keys(t, 2))
		readsEverything(t, store)
		closed(t, store)
		sound(t, dir)
	}
}

// copied is a copy of a folder's database.
func copied(t *testing.T, dir string) string {
	t.Helper()
	whole, err := os.ReadFile(filepath.Join(dir, sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	again := t.TempDir()
	if err := os.WriteFile(filepath.Join(again, sqlite.FileName), whole, 0o600); err != nil {
		t.Fatal(err)
	}
	return again
}

// written are pieces of what people wrote into the databases of testdata/upgrade. Each is
// long enough not to turn up by chance in what is sealed: five bytes in a file of 200 kB
// do once in five million runs.
var written = []string{
	"999000000", "99900119500101001", "文昌路", `"王"`, "赵四", "门锁坏了", "家里换号了", "邻居代收", "请补上测量时间", ":36.6", "2020-01-27", "found_on",
}

// tells lists which pieces stand in any file of a folder.
func tells(t *testing.T, dir string, pieces []string) (found []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, sqlite.FileName+"*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, piece := range pieces {
			if bytes.Contains(content, []byte(piece)) {
				found = append(found, filepath.Base(name)+": "+piece)
			}
		}
	}
	return found
}

func TestNothingStaysInTheClearInAnOldDatabase(t *testing.T) {
	for _, name := range []string{"schema-1.db.gz", "schema-2.db.gz"} {
		dir := oldDatabase(t, name)
		// What takes pages of its own leaves them when it goes.
		behind(t, dir, `UPDATE change_log SET extra = '{"long":"' || replace(hex(zeroblob(9000)), '00', '本人电话99900000001 ') || '"}' WHERE seq < 4`)
		if found := tells(t, dir, written); len(found) < 3 {
			t.Fatalf("%s tells only %v: these are the wrong pieces", name, found)
		}
		store := open(t, dir)
		if found := tells(t, dir, written); len(found) > 0 {
			t.Errorf("%s, open: %v", name, found)
		}
		closed(t, store)
		if found := tells(t, dir, written); len(found) > 0 {
			t.Errorf("%s: %v", name, found)
		}
		sound(t, dir)
	}
}

// TestAnUpgradeThatWasBrokenOffGoesOn breaks off for want of randomness, in the middle of
// each table in turn.
func TestAnUpgradeThatWasBrokenOffGoesOn(t *testing.T) {
	key, err := seal.NewKey(1, bytes.Repeat([]byte{1}, seal.KeySize)) // that of storetest.Keys
	if err != nil {
		t.Fatal(err)
	}
	for nonces := 0; ; nonces += 3 {
		dir := oldDatabase(t, "schema-2.db.gz")
		short, err := seal.NewRing(io.LimitReader(rand.Reader, int64(12*nonces)), key)
		if err != nil {
			t.Fatal(err)
		}
		store, err := sqlite.Open(t.Context(), dir, sqlite.Options{Keys: short})
		if err == nil {
			if closed(t, store); nonces < 14 {
				t.Errorf("%d nonces were enough", nonces)
			}
			return
		}
		if sealed, err := sqlite.Sealed(t.Context(), dir); !sealed || err != nil {
			t.Errorf("after %d texts: sealed %v, %v", nonces, sealed, err)
		}
		if _, err := sqlite.Open(t.Context(), dir, sqlite.Options{Keys: storetest.Keys(t, 2)}); !errors.Is(err, &seal.MissingKeyError{ID: 1}) {
			t.Errorf("with another key: %v", err)
		}
		store = open(t, dir)
		if log := wholeLog(t, store); len(log) != 14 {
			t.Errorf("after %d texts: %d rows", nonces, len(log))
		}
		if _, err := reads(t.Context(), store); err != nil {
			t.Errorf("after %d texts: %v", nonces, err)
		}
		closed(t, store)
	}
}

// A log is sealed a span of rows at a time, and no row falls between two spans.
func TestALongLogIsSealedWhole(t *testing.T) {
	dir := oldDatabase(t, "schema-2.db.gz")
	behind(t, dir, `INSERT INTO change_log (seq, id, device, n, author, kind, record, area, base, fields, at, form, time, earliest, latest, received, verdict)
		WITH RECURSIVE more (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM more WHERE i < 3000)
		SELECT 100 + more.i, randomblob(16), c.device, 100 + more.i, c.author, c.kind, c.record, c.area, c.base, '{"note":"' || more.i || '"}',
			c.at, c.form, c.time, c.earliest, c.latest, c.received, c.verdict FROM more JOIN change_log c ON c.seq = 1`)
	store := open(t, dir)
	defer closed(t, store)
	log := wholeLog(t, store)
	if len(log) != 3014 {
		t.Fatalf("%d rows", len(log))
	}
	for i, l := range log[14:] {
		if want := fmt.Sprintf(`{"note":"%d"}`, i+1); string(l.Change.Fields) != want {
			t.Fatalf("row %d says %s, not %s", l.Seq, l.Change.Fields, want)
		}
	}
}
