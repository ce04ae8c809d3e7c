package host

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gridsync/server/internal/desk"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/review"
	"gridsync/server/internal/seal"
	"gridsync/server/internal/store/sqlite"
	"gridsync/server/internal/store/sqlstore"
	"gridsync/syncproto"
)

// secretTexts are what people write below: each in another place of another change. The
// names of fields are no secret.
var secretTexts = []string{
	"999001195001010013", "99900000001", "99900000002", "10000000003", "王小明", "1950-01-01", // in fields
	"本人电话10000000004", "白天没人", // in notes, of which one loses
	"10000000005",       // in what this program doesn't know
	"10000000006",       // in a change that waits
	"10000000007", "火星", // in a kind that there is no form for
	"请核实10000000008", // in what a secretary wrote
}

// said is a change with these members besides the usual ones.
func said(e *Enrolled, n uint64, kind syncproto.Kind, record byte, base uint64, area syncproto.AreaID, members string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(
		`{"id":%q,"n":%d,"author":%q,"kind":%q,"record":%q,"area":%q,"base":%d,"at":%d,"form":1,%s}`,
		changeID(e, n), n, e.Authors[0].ID, kind, syncproto.RecordID{record, 9}, area, base, time.Now().UnixMilli(), members))
}

func changeID(e *Enrolled, n uint64) syncproto.ChangeID {
	return syncproto.ChangeID{0xee, e.ID[15], byte(n), 3: 0x3c, 6: 0x70, 8: 0x80, 9: 0xa5, 10: 0x5a, 11: 0x99, 15: 1}
}

// writeSecrets lets two volunteers and a secretary write every text, and returns the ids of
// their changes.
func writeSecrets(t *testing.T, s *Server) (ids []syncproto.ChangeID) {
	t.Helper()
	a, b := add(t, s.Data, "g1"), add(t, s.Data, "g1")
	pushes := []struct {
		e       *Enrolled
		changes []json.RawMessage
	}{
		{&a, []json.RawMessage{
			said(&a, 1, "person", 1, 0, "g1", `"fields":{"name":"王小明","birth":"1950-01-01","id_number":"999001195001010013","mobile":"99900000001","found_on":"2020-01-27"}`),
			said(&a, 2, "household", 2, 0, "g1", `"fields":{"address":"文昌路1号","found_on":"2020-01-27","note":"本人电话10000000004"}`),
			said(&a, 3, "person", 3, 0, "g1", `"fields":{"name":"某","found_on":"2020-01-27","newer_field":"10000000005"},"newer":"10000000003"`),
			said(&a, 4, "person", 4, 0, "3307", `"fields":{"name":"某","mobile":"10000000006","found_on":"2020-01-27"}`),
			said(&a, 5, "rover", 5, 0, "g1", `"fields":{"place":"火星","phone":"10000000007"}`),
		}},
		{&b, []json.RawMessage{
			said(&b, 1, "person", 1, 0, "g1", `"fields":{"mobile":"99900000002"}`),
			said(&b, 2, "household", 2, 0, "g1", `"fields":{"note":"白天没人"}`),
		}},
	}
	for _, p := range pushes {
		_, answer := exchangeWith(t, s, p.e, p.changes...)
		for _, v := range answer.Verdicts {
			if v.Verdict == syncproto.Refused {
				t.Fatalf("%+v", v)
			}
			ids = append(ids, changeID(p.e, v.N))
		}
	}
	if len(ids) != 7 {
		t.Fatalf("%d changes were taken", len(ids))
	}
	returnWaiting(t, s)
	return ids
}

// returnWaiting lets a secretary return what waits, and say why.
func returnWaiting(t *testing.T, s *Server) {
	t.Helper()
	secretary, err := s.AddDevice(t.Context(), Device{Name: "乙电脑", Areas: []syncproto.AreaID{"33"}, Role: identity.Secretary})
	if err != nil {
		t.Fatal(err)
	}
	by := secretary.Authors[0].ID
	desks := desk.NewService(s.store, s.exchange, s.registry, desk.Config{})
	caller := desk.Caller{Authors: []syncproto.AuthorID{by}, Now: syncproto.Instant(time.Now().UnixMilli())}
	page, err := desks.Open(t.Context(), "33", desk.Want{Kind: review.Parked}, "", 10)
	if err != nil || len(page.Items) == 0 {
		t.Fatalf("what waits: %+v, %v", page, err)
	}
	seen, err := desks.Case(t.Context(), page.Items[0].ID, caller)
	if err != nil {
		t.Fatal(err)
	}
	results, err := desks.Order(t.Context(), by, []desk.Order{{Item: page.Items[0].ID, Act: desk.Return, Seen: &seen.Seen, Reason: "请核实10000000008"}}, caller)
	if err != nil || results[0].Error != nil {
		t.Fatalf("%+v, %v", results, err)
	}
}

// inFiles lists which pieces stand in the files of a data folder, keys left out.
func inFiles(t *testing.T, dir string, pieces [][]byte) (found []string) {
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
			if bytes.Contains(content, piece) {
				found = append(found, fmt.Sprintf("%s: %q", filepath.Base(name), piece))
			}
		}
	}
	return found
}

// inColumns lists which pieces stand in any column of any row, as a person with a copy of
// the database reads it.
func inColumns(t *testing.T, dir string, pieces [][]byte) (found []string, columns int) {
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
	for _, column := range texts(t, db, `SELECT m.name || '.' || c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'`) {
		table, name, _ := strings.Cut(column, ".")
		columns++
		for _, value := range texts(t, db, fmt.Sprintf("SELECT CAST(%q AS BLOB) FROM %q WHERE %q IS NOT NULL", name, table, name)) {
			for _, piece := range pieces {
				if strings.Contains(value, string(piece)) {
					found = append(found, fmt.Sprintf("%s: %q", column, piece))
				}
			}
		}
	}
	return found, columns
}

func texts(t *testing.T, db *sql.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		t.Fatal(query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var one []byte
		if err := rows.Scan(&one); err != nil {
			t.Fatal(query, err)
		}
		all = append(all, string(one))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestNothingThatPeopleWroteIsInTheDatabase(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	var pieces [][]byte
	for _, id := range writeSecrets(t, s) {
		// Whoever knows a change's id could find what it says by trying, from the chain.
		pieces = append(pieces, id[:], []byte(id.String()))
	}
	for _, text := range secretTexts {
		pieces = append(pieces, []byte(text), []byte(strings.ReplaceAll(fmt.Sprintf("%+q", text), `"`, "")))
	}
	known := logged(t, s.Data)
	for _, text := range secretTexts[:len(secretTexts)-1] { // the last one is no part of the log's fields
		if !strings.Contains(known, text) {
			t.Errorf("nobody wrote %s", text)
		}
	}
	if found := inFiles(t, dir, pieces); len(found) > 0 {
		t.Errorf("while the server runs: %v", found)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if found := inFiles(t, dir, pieces); len(found) > 0 {
		t.Errorf("when it has ended: %v", found)
	}
	if found, columns := inColumns(t, dir, pieces); len(found) > 0 || columns < 80 {
		t.Errorf("%d columns: %v", columns, found)
	}
	// Were it there, it would be found.
	if found, _ := inColumns(t, dir, [][]byte{[]byte("一网格")}); !slices.Contains(found, `area.name: "一网格"`) {
		t.Errorf("the name of an area: %v", found)
	}
}

// logged is everything that the log says.
func logged(t *testing.T, d *Data) string {
	t.Helper()
	var all strings.Builder
	for _, record := range []byte{1, 2, 3, 4, 5} {
		log, err := d.History(t.Context(), syncproto.RecordID{record, 9})
		if err != nil {
			t.Fatal(err)
		}
		for i := range log {
			all.Write(log[i].Change.Fields)
			for name, value := range log[i].Change.Extra {
				all.WriteString(name + string(value))
			}
		}
	}
	return all.String()
}

func TestASealedDatabaseWithoutItsKeysSaysSo(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	writeSecrets(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	name := dataKeyName(filepath.Join(dir, "keys"), 1)
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	kept, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, Options{}); !errors.Is(err, ErrNoDataKey) {
		t.Errorf("without a key: %v", err)
	}
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a key was made in its place: %v", err)
	}
	if err := makeSecret(dataKeyName(filepath.Dir(name), 2)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, Options{}); !errors.Is(err, &seal.MissingKeyError{ID: 1}) {
		t.Errorf("with the next key alone: %v", err)
	}
	if err := makeSecret(name); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, Options{}); !errors.Is(err, &sqlstore.WrongKeyError{ID: 1}) {
		t.Errorf("with another key of its number: %v", err)
	}
	t.Setenv(dataKeysEnv, "1:"+strings.TrimSpace(string(kept)))
	verifies(t, dir, Options{}, 8)
}

// verifies opens a folder and holds it against its log.
func verifies(t *testing.T, dir string, opts Options, changes int) {
	t.Helper()
	d, err := Open(t.Context(), dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	diff, err := d.RebuildAlone(t.Context())
	if err != nil || !diff.None() || diff.Changes != changes {
		t.Errorf("%+v, %v", diff, err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestKeysMayLieInAnotherFolder(t *testing.T) {
	dir, keys := t.TempDir(), filepath.Join(t.TempDir(), "elsewhere")
	d, err := Open(t.Context(), dir, Options{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Start(t.Context(), Config{Dir: dir, Keys: keys, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "keys")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("keys beside the data: %v", err)
	}
	verifies(t, dir, Options{Keys: keys}, 0)
	if _, err := Open(t.Context(), dir, Options{}); !errors.Is(err, ErrNoDataKey) {
		t.Errorf("without them: %v", err)
	}
}

// TestAFolderOfKeysThatIsTheWrongOneStaysAsItWas starts where the keys aren't: whoever looks for
// the right ones must not find some that were made by mistake.
func TestAFolderOfKeysThatIsTheWrongOneStaysAsItWas(t *testing.T) {
	dir := t.TempDir()
	if err := start(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other")
	if _, err := Open(t.Context(), dir, Options{Keys: other}); !errors.Is(err, ErrNoDataKey) {
		t.Errorf("in no folder at all: %v", err)
	}
	if _, err := os.Stat(other); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it came about: %v", err)
	}
	for id, want := range map[seal.KeyID]error{2: &seal.MissingKeyError{ID: 1}, 1: &sqlstore.WrongKeyError{ID: 1}} {
		folder := t.TempDir()
		if err := makeSecret(dataKeyName(folder, id)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), dir, Options{Keys: folder}); !errors.Is(err, want) {
			t.Errorf("with key %d of something else: %v", id, err)
		}
		if names, err := os.ReadDir(folder); err != nil || len(names) != 1 {
			t.Errorf("with key %d of something else there are %v, %v", id, names, err)
		}
	}
}

func TestAfterAChangeOfKeysTheOldOneIsNeededNoMore(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	writeSecrets(t, s)
	if _, err := RotateKeys(t.Context(), dir, Options{}, true); !errors.Is(err, ErrServing) {
		t.Errorf("beside a server: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := RotateKeys(t.Context(), dir, Options{}, false)
	old := []string{dataKeyName(filepath.Join(dir, "keys"), 1)}
	if err != nil || r.Key != 2 || r.Resealed < 8 || !slices.Equal(r.Old, old) {
		t.Errorf("%+v, %v", r, err)
	}
	r, err = RotateKeys(t.Context(), dir, Options{}, true)
	if err != nil || r.Key != 3 || len(r.Old) != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "keys", dataKeyPattern))
	if err != nil || len(names) != 1 || filepath.Base(names[0]) != "data-0003.key" {
		t.Errorf("there are %v, %v", names, err)
	}
	verifies(t, dir, Options{}, 8)
	d, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	keys, digest, err := d.Keys(t.Context())
	if err := errors.Join(err, d.Close()); err != nil || len(keys) != 1 || !keys[0].Seals || !keys[0].Needed || digest == 0 {
		t.Errorf("%+v, %x, %v", keys, digest, err)
	}
}

// What was begun is ended, and not begun again: the key that was made seals.
func TestAChangeOfKeysThatDidNotEndTakesNoThirdKey(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	writeSecrets(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := makeSecret(dataKeyName(filepath.Join(dir, "keys"), 2)); err != nil {
		t.Fatal(err)
	}
	r, err := RotateKeys(t.Context(), dir, Options{}, true)
	if err != nil || r.Key != 2 || r.Resealed < 8 || len(r.Old) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	verifies(t, dir, Options{}, 8)
}

func TestKeysOfTheEnvironmentAreNotAddedTo(t *testing.T) {
	one, two := "1:"+strings.Repeat("A", 43)+"=", "2:"+strings.Repeat("B", 42)+"A="
	t.Setenv(dataKeysEnv, one)
	dir := t.TempDir()
	if err := start(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := RotateKeys(t.Context(), dir, Options{}, false); !errors.Is(err, ErrKeysFromEnvironment) {
		t.Errorf("one key: %v", err)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "keys", dataKeyPattern)); len(names) > 0 {
		t.Errorf("files %v", names)
	}
	t.Setenv(dataKeysEnv, one+", "+two)
	if r, err := RotateKeys(t.Context(), dir, Options{}, false); err != nil || r.Key != 2 || len(r.Old) > 0 {
		t.Errorf("two keys: %+v, %v", r, err)
	}
	t.Setenv(dataKeysEnv, two)
	verifies(t, dir, Options{}, 0)
	for _, bad := range []string{"x", "1", "1:short", "0:" + one[2:], one + "," + one, "70000:" + one[2:]} {
		t.Setenv(dataKeysEnv, bad)
		if _, err := Open(t.Context(), t.TempDir(), Options{}); err == nil || strings.Contains(err.Error(), "AAAA") || strings.Contains(err.Error(), "short") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// Under another digest key nobody would be found any more: the index is made anew.
func TestAnotherDigestKeyDerivesTheIndexAnew(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	writeSecrets(t, s)
	before := index(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "keys", digestKeyFile)); err != nil {
		t.Fatal(err)
	}
	s = start(t, dir)
	after := index(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if len(before) == 0 || len(before) != len(after) || slices.Equal(before, after) {
		t.Errorf("places %v, then %v", before, after)
	}
	verifies(t, dir, Options{}, 8)
}

// index is the places of the blocked index.
func index(t *testing.T, s *Server) (places []uint64) {
	t.Helper()
	derived, err := s.store.Derived(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range derived.Index {
		places = append(places, uint64(e.Key))
	}
	slices.Sort(places)
	return places
}
