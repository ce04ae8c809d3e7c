package intake_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/intake"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/roster"
	"gridsync/server/internal/seal"
	"gridsync/server/internal/store/sqlite"
	"gridsync/server/internal/store/storetest"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// The people of the tests: two secretaries of the community c1, a volunteer of its grid g1,
// and the county's head office.
var (
	secretary, mate, worker, county = syncproto.AuthorID{1}, syncproto.AuthorID{2}, syncproto.AuthorID{3}, syncproto.AuthorID{4}

	start = syncproto.Instant(time.Date(2020, 1, 31, 4, 0, 0, 0, time.UTC).UnixMilli())
)

const day = syncproto.Instant(24 * 3600 * 1000)

// world is the service over a real store and a real exchange, at a time that the test says.
type world struct {
	*intake.Service
	testing.TB
	store    *sqlite.Store
	registry *registry.Registry
	exchange *exchange.Service
	rosters  *roster.Service
	digester *seal.Digester
	now      syncproto.Instant
	made     byte
}

func newWorld(t testing.TB) *world {
	t.Helper()
	store, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{Keys: storetest.Keys(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	w := &world{TB: t, store: store, now: start}
	w.must(store.PutAreas(t.Context(), []area.Node{
		{ID: "33", Name: "甲县"},
		{ID: "c1", Name: "一社区", Parent: "33"},
		{ID: "g1", Name: "东网格", Parent: "c1"},
		{ID: "g2", Name: "西网格", Parent: "c1"},
		{ID: "c2", Name: "二社区", Parent: "33"},
		{ID: "g3", Name: "南网格", Parent: "c2"},
		{ID: "g4", Name: "重名", Parent: "c1"},
		{ID: "g5", Name: "重名", Parent: "c1"},
	}))
	w.must(store.AddIdentities(t.Context(), identity.Everyone{
		Authors: []identity.Author{{ID: secretary, Name: "书记"}, {ID: mate, Name: "副书记"}, {ID: worker, Name: "网格员"}, {ID: county, Name: "县"}},
		Grants: []identity.Grant{
			{Author: secretary, Area: "c1", Role: identity.Secretary},
			{Author: mate, Area: "c1", Role: identity.Secretary},
			{Author: worker, Area: "g1", Role: identity.Volunteer},
			{Author: county, Area: "33", Role: identity.County},
		},
	}))
	forms, err := form.BuiltIn()
	w.must(err)
	w.registry, err = registry.Open(t.Context(), store, forms)
	w.must(err)
	w.digester, err = seal.NewDigester(bytes.Repeat([]byte{7}, seal.KeySize))
	w.must(err)
	w.exchange, err = exchange.New(t.Context(), exchange.Config{
		Store: store, Registry: w.registry, Digester: w.digester, Now: func() time.Time { return time.UnixMilli(int64(w.now)) },
	})
	w.must(err)
	t.Cleanup(func() { _ = w.exchange.Close(t.Context()) })
	w.rosters = roster.NewService(store, w.registry)
	w.Service = intake.NewService(store, w.exchange, w.rosters, w.registry, w.digester)
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// id is a record's id, a new one each time.
func (w *world) id() syncproto.RecordID {
	w.made++
	return syncproto.RecordID{0: 1, 6: 0x70, 8: 0x80, 15: w.made}
}

// writes enters a record on behalf of somebody, and returns its id.
func (w *world) writes(who syncproto.AuthorID, kind syncproto.Kind, where syncproto.AreaID, pairs ...string) syncproto.RecordID {
	w.Helper()
	id := w.id()
	w.edits(who, kind, where, id, 0, append(pairs, "found_on", "2020-01-20")...)
	return id
}

// edits enters a change of a record.
func (w *world) edits(who syncproto.AuthorID, kind syncproto.Kind, where syncproto.AreaID, id syncproto.RecordID, base syncproto.Version, pairs ...string) {
	w.Helper()
	fields := syncproto.Fields{}
	for i := 0; i+1 < len(pairs); i += 2 {
		fields[pairs[i]] = syncproto.TextValue(pairs[i+1])
	}
	_, err := w.exchange.Enter(w.Context(), exchange.Entry{Author: who, Steps: []exchange.Step{
		{Record: id, Kind: kind, Area: where, Base: base, Fields: fields},
	}})
	w.must(err)
}

// shows returns a record as it shows.
func (w *world) shows(id syncproto.RecordID) *roster.Row {
	w.Helper()
	rows, err := w.rosters.Shown(w.Context(), []syncproto.RecordID{id})
	w.must(err)
	if len(rows) != 1 {
		w.Fatalf("%d rows of %s", len(rows), id)
	}
	return &rows[0]
}

// all returns every record of a kind in an area and below.
func (w *world) all(kind syncproto.Kind, where syncproto.AreaID) []roster.Row {
	w.Helper()
	var rows []roster.Row
	for after := ""; ; {
		page, err := w.rosters.List(w.Context(), where, kind, after, roster.MaxRows)
		w.must(err)
		rows = append(rows, page.Rows...)
		if after = page.Next; after == "" {
			return rows
		}
	}
}

// order is a file that the secretary brings for c1.
func (w *world) order(kind syncproto.Kind, name string, file []byte) intake.Order {
	return intake.Order{
		Author: secretary, Kind: kind, Area: "c1", Name: name, File: file, At: w.now, Today: form.DayOf(w.now),
	}
}

// table writes a CSV; rows are cells with | between them.
func table(rows ...string) []byte {
	var b bytes.Buffer
	c := csv.NewWriter(&b)
	for _, row := range rows {
		_ = c.Write(strings.Split(row, "|"))
	}
	c.Flush()
	return b.Bytes()
}

func (w *world) plan(o intake.Order) *intake.Plan {
	w.Helper()
	p, err := w.Plan(w.Context(), o)
	w.must(err)
	return p
}

// applied plans a file and has it done.
func (w *world) applied(o intake.Order, leaveOut bool) *intake.Plan {
	w.Helper()
	p, err := w.Apply(w.Context(), o, w.plan(o).Token, leaveOut)
	w.must(err)
	return p
}

func (w *world) counts(p *intake.Plan, want intake.Counts) {
	w.Helper()
	want.Rows = want.New + want.Same + want.Differs + want.Bad + want.Unsure
	if p.Counts != want {
		w.Errorf("%+v, not %+v", p.Counts, want)
		for _, l := range p.All() {
			w.Logf("%+v", l)
		}
		w.Logf("%+v %+v", p.Problems, p.Columns)
	}
}

// number is a valid ID number of nobody: the area code is no place's.
func number(birth string, order int) string {
	digits := fmt.Sprintf("999001%s%03d", birth, order)
	check, _ := form.IDCheck(digits)
	return digits + string(check)
}

// quiet reports what a rebuild finds: nothing, whatever was brought in.
func (w *world) quiet() {
	w.Helper()
	found, err := exchange.Rebuild(w.Context(), w.store, w.registry.Current(), w.digester)
	w.must(err)
	if !found.None() {
		w.Errorf("a rebuild finds %+v", found)
	}
}

// enterExit says that a person has left.
func (w *world) enterExit(id syncproto.RecordID) (exchange.Entered, error) {
	return w.exchange.Enter(w.Context(), exchange.Entry{Author: worker, Steps: []exchange.Step{{
		Record: id, Kind: "person", Area: "g1", Base: w.shows(id).Version,
		Fields: syncproto.Fields{syncproto.FieldExit: syncproto.ValueOf(syncproto.Exit{Reason: "left", Date: "2020-01-30"})},
	}}})
}

// clock is the real one, for benchmarks.
func (w *world) clock() time.Time { return time.Now() }
