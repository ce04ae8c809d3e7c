package desk

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/merge"
)

// The people of the tests: two volunteers of grid-1, the secretaries of two
// communities, and the township's.
var (
	jia, yi, shu, wai, zhen = author(1), author(2), author(3), author(4), author(5)

	office   = Caller{Authors: []syncproto.AuthorID{shu, jia}, Now: now}   // of shu, and of jia
	outside  = Caller{Authors: []syncproto.AuthorID{wai}, Now: now}        // of wai
	township = Caller{Authors: []syncproto.AuthorID{zhen}, Now: now}       // of zhen
	later    = Caller{Authors: []syncproto.AuthorID{shu, jia}, Now: ended} // of shu, whose grant has ended
)

const (
	now   syncproto.Instant = 1_580_443_200_000 // 2020-01-31, noon in China
	ended syncproto.Instant = now + 1_000_000
	day                     = form.Day(20200131)
)

func author(n byte) syncproto.AuthorID { return syncproto.AuthorID{15: n} }
func device(n byte) syncproto.DeviceID { return syncproto.DeviceID{15: n} }

// record is the id of a record; the greater n was recorded later.
func record(n byte) syncproto.RecordID { return syncproto.RecordID{0: 1, 15: n} }

// places and people are the registry's store, and what was set there.
type places struct{ said []registry.Setting }

func (places) Revision(context.Context) (int64, error) { return 1, nil }

func (places) Areas(context.Context) ([]area.Node, error) {
	return []area.Node{
		{Key: 1, ID: "town", Name: "镇"},
		{Key: 2, ID: "c1", Name: "一社区", Parent: "town"},
		{Key: 3, ID: "grid-1", Name: "一网格", Parent: "c1"},
		{Key: 4, ID: "grid-2", Name: "二网格", Parent: "c1"},
		{Key: 5, ID: "c2", Name: "二社区", Parent: "town"},
	}, nil
}

func (places) Identities(context.Context) (identity.Everyone, error) {
	return identity.Everyone{
		Devices: []identity.Device{
			{ID: device(1), Name: "甲的手机", Authors: []syncproto.AuthorID{jia}},
			{ID: device(2), Name: "乙的手机", Authors: []syncproto.AuthorID{yi}},
			{ID: device(3), Name: "社区电脑", Authors: []syncproto.AuthorID{shu, jia}},
			{ID: device(4), Name: "二社区电脑", Authors: []syncproto.AuthorID{wai}},
			{ID: device(5), Name: "镇电脑", Authors: []syncproto.AuthorID{zhen}},
		},
		Authors: []identity.Author{
			{ID: jia, Name: "甲"}, {ID: yi, Name: "乙"}, {ID: shu, Name: "书"}, {ID: wai, Name: "外"}, {ID: zhen, Name: "镇"},
		},
		Grants: []identity.Grant{
			{Author: jia, Area: "grid-1", Role: identity.Volunteer},
			{Author: yi, Area: "grid-1", Role: identity.Volunteer},
			{Author: shu, Area: "c1", Role: identity.Secretary, To: ended},
			{Author: wai, Area: "c2", Role: identity.Secretary},
			{Author: zhen, Area: "town", Role: identity.Township},
		},
	}, nil
}

func (places) PutAreas(context.Context, []area.Node) error { return errors.ErrUnsupported }

func (places) Published(context.Context) ([]registry.Published, error) { return nil, nil }

func (p places) Settings(context.Context) ([]registry.Setting, error) { return p.said, nil }

func (places) AddIdentities(context.Context, identity.Everyone) error { return errors.ErrUnsupported }

// world is a desk over a store in memory, whose records are folded from what the test
// lets people say, and an exchange that notes what it was given to decide.
type world struct {
	*Service
	t       *testing.T
	snap    *registry.Snapshot
	items   []review.Item
	events  map[syncproto.RecordID][]review.Event
	records map[syncproto.RecordID]syncproto.Record
	links   []exchange.Link
	log     []exchange.Logged
	totals  []rollup.Count

	decided []exchange.Decision
	refuse  error
	fail    error
}

func newWorld(t *testing.T, said ...registry.Setting) *world {
	t.Helper()
	forms, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	r, err := registry.Open(t.Context(), places{said}, forms)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, snap: r.Current(),
		events: make(map[syncproto.RecordID][]review.Event), records: make(map[syncproto.RecordID]syncproto.Record),
	}
	w.Service = NewService(w, w, r, Config{})
	return w
}

// say lets somebody say something; what they left out is made up.
func (w *world) say(c syncproto.Change, fields syncproto.Fields) *exchange.Logged {
	w.t.Helper()
	seq := syncproto.Version(len(w.log) + 1)
	if c.Device.IsZero() {
		c.Device = syncproto.DeviceID(c.Author)
	}
	if c.Area == "" {
		c.Area = "grid-1"
	}
	c.N, c.ID, c.Form, c.Fields = uint64(seq), syncproto.ChangeID{15: byte(seq)}, 1, fields.Encode()
	at := now - 60_000 + syncproto.Instant(seq)*1000
	c.At = at + 500
	w.log = append(w.log, exchange.Logged{
		Seq: seq, Version: seq, Change: c, Received: at + 700, Verdict: syncproto.Applied,
		Stamp: syncproto.Stamp{Time: at, Earliest: at - 5, Latest: at + 5},
	})
	w.fold(c.Record)
	return &w.log[seq-1]
}

// park lets somebody say something that waits.
func (w *world) park(c syncproto.Change, why syncproto.Code, fields syncproto.Fields) review.Key {
	w.t.Helper()
	l := w.say(c, fields)
	l.Version, l.Verdict, l.Reason = 0, syncproto.Parked, why
	w.fold(c.Record)
	return review.Key{Kind: review.Parked, Record: c.Record, Field: l.Change.Device.String() + "/" + itoa(l.Change.N)}
}

func itoa(n uint64) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// fold makes the record out of the log.
func (w *world) fold(id syncproto.RecordID) {
	w.t.Helper()
	var r syncproto.Record
	var parts []syncproto.Part
	for i := range w.log {
		l := &w.log[i]
		if l.Change.Record != id || l.Version == 0 {
			continue
		}
		p, err := l.Part()
		if err != nil {
			w.t.Fatal(err)
		}
		parts = append(parts, p)
		r.ID, r.Kind, r.Version = id, l.Change.Kind, l.Version
	}
	if delete(w.records, id); len(parts) == 0 {
		return
	}
	f := w.snap.Forms.Newest(r.Kind)
	r.Live = merge.Fold(f, parts)
	r.Area = merge.Show(f, r.Live).Area
	w.records[id] = r
}

// ask raises a question on a community's desk.
func (w *world) ask(key review.Key) *review.Item {
	w.items = append(w.items, review.Item{
		Key: key, Area: 2, Opened: syncproto.Version(len(w.log)), At: now - 3_600_000, State: review.Open,
	})
	return &w.items[len(w.items)-1]
}

// happened notes an event of a question, with the changes of the log that made it.
func (w *world) happened(key review.Key, what review.What, rows ...*exchange.Logged) {
	e := review.Event{Item: key.ID(), What: what, Version: syncproto.Version(len(w.log)), At: now}
	for _, l := range rows {
		e.By = l.Change.Author
		e.Changes = append(e.Changes, review.Made{Record: l.Change.Record, Origin: originOf(l)})
	}
	w.events[key.ID()] = append(w.events[key.ID()], e)
}

// household makes a household in grid-1 by jia.
func (w *world) household(n byte, address string) *exchange.Logged {
	w.t.Helper()
	return w.say(syncproto.Change{Author: jia, Kind: "household", Record: record(n)}, syncproto.Fields{
		"address": syncproto.TextValue(address), "found_on": `"2020-01-27"`,
	})
}

// person makes a person in an area by somebody.
func (w *world) person(n byte, by syncproto.AuthorID, at syncproto.AreaID, name string) *exchange.Logged {
	w.t.Helper()
	return w.say(syncproto.Change{Author: by, Kind: "person", Record: record(n), Area: at}, syncproto.Fields{
		"name": syncproto.TextValue(name), "found_on": `"2020-01-27"`, "household": syncproto.TextValue(record(100).String()),
	})
}

func (w *world) Questions(_ context.Context, areas []area.Key, want Want, after Place, limit int) ([]review.Item, error) {
	var found []review.Item
	for _, it := range w.items {
		id := it.ID()
		past := it.Opened > after.Opened || it.Opened == after.Opened && id.String() > after.ID.String()
		if it.State != review.Closed && slices.Contains(areas, it.Area) && past &&
			(want.Kind == "" || want.Kind == it.Kind) && (want.Assignee.IsZero() || want.Assignee == it.Assignee) {
			found = append(found, it)
		}
	}
	slices.SortFunc(found, func(a, b review.Item) int {
		return cmp.Or(cmp.Compare(a.Opened, b.Opened), cmp.Compare(a.ID().String(), b.ID().String()))
	})
	return found[:min(limit, len(found))], w.fail
}

func (w *world) CountQuestions(_ context.Context, areas []area.Key) (map[review.Kind]int, error) {
	counts := make(map[review.Kind]int)
	for _, it := range w.items {
		if it.State != review.Closed && slices.Contains(areas, it.Area) {
			counts[it.Kind]++
		}
	}
	return counts, nil
}

func (w *world) Item(_ context.Context, id syncproto.RecordID) (review.Item, bool, error) {
	for _, it := range w.items {
		if it.ID() == id {
			return it, true, w.fail
		}
	}
	return review.Item{}, false, w.fail
}

func (w *world) Events(_ context.Context, id syncproto.RecordID) ([]review.Event, error) {
	return w.events[id], nil
}

func (w *world) RecordsByID(_ context.Context, ids []syncproto.RecordID) ([]syncproto.Record, error) {
	var found []syncproto.Record
	for _, id := range ids {
		if r, ok := w.records[id]; ok {
			found = append(found, r)
		}
	}
	return found, nil
}

func (w *world) Absorbed(_ context.Context, survivors []syncproto.RecordID) ([]exchange.Link, error) {
	var found []exchange.Link
	for _, l := range w.links {
		if slices.Contains(survivors, l.Into) {
			found = append(found, l)
		}
	}
	return found, nil
}

func (w *world) Roster(_ context.Context, areas []area.Key, kind syncproto.Kind, after roster.Place, limit int) ([]syncproto.Record, roster.Place, error) {
	var found []syncproto.Record
	end := after
	started := after == roster.Place{}
	for _, key := range areas {
		n, _ := w.snap.Areas.ByKey(key)
		from := syncproto.Version(0)
		if key == after.Area {
			started, from = true, after.Version
		}
		var here []syncproto.Record
		for _, r := range w.records {
			if started && r.Area == n.ID && r.Kind == kind && r.Version > from {
				here = append(here, r)
			}
		}
		slices.SortFunc(here, func(a, b syncproto.Record) int { return cmp.Compare(a.Version, b.Version) })
		for _, r := range here {
			if len(found) < limit {
				found, end = append(found, r), roster.Place{Area: key, Version: r.Version}
			}
		}
	}
	return found, end, nil
}

func (w *world) LogOf(_ context.Context, ids []syncproto.RecordID) ([]exchange.Logged, error) {
	var found []exchange.Logged
	for _, l := range w.log {
		if slices.Contains(ids, l.Change.Record) {
			found = append(found, l)
		}
	}
	return found, nil
}

func (w *world) ChangesOf(_ context.Context, id syncproto.DeviceID, first, last uint64) ([]exchange.Logged, error) {
	var found []exchange.Logged
	for _, l := range w.log {
		if l.Change.Device == id && l.Change.N >= first && l.Change.N <= last {
			found = append(found, l)
		}
	}
	return found, nil
}

func (w *world) LogBy(_ context.Context, by syncproto.AuthorID, before syncproto.Version, limit int) ([]exchange.Logged, error) {
	var found []exchange.Logged
	for _, l := range slices.Backward(w.log) {
		if l.Change.Author == by && (before == 0 || l.Seq < before) && len(found) < limit {
			found = append(found, l)
		}
	}
	return found, nil
}

func (w *world) CountOpen(context.Context, []area.Key) (int, error) { return len(w.items), nil }

func (w *world) Totals(_ context.Context, areas []area.Key, on form.Day, _ map[string]bool) ([]rollup.Count, error) {
	var found []rollup.Count
	for _, c := range w.totals {
		if slices.Contains(areas, c.Area) && c.Day == on {
			found = append(found, c)
		}
	}
	return found, nil
}

func (w *world) Decide(_ context.Context, d exchange.Decision) (exchange.Decided, error) {
	w.decided = append(w.decided, d)
	return exchange.Decided{Version: 99}, w.refuse
}
