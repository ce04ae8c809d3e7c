package proof

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// town has two grids below it.
type town struct{}

func (town) Revision(context.Context) (int64, error) { return 1, nil }

func (town) Areas(context.Context) ([]area.Node, error) {
	return []area.Node{
		{Key: 1, ID: "town", Name: "镇"}, {Key: 2, ID: "g1", Name: "一网格", Parent: "town"}, {Key: 3, ID: "g2", Name: "二网格", Parent: "town"},
	}, nil
}
func (town) Published(context.Context) ([]registry.Published, error) { return nil, nil }
func (town) Settings(context.Context) ([]registry.Setting, error)    { return nil, nil }
func (town) PutAreas(context.Context, []area.Node) error             { return nil }
func (town) Identities(context.Context) (identity.Everyone, error) {
	return identity.Everyone{}, nil
}
func (town) AddIdentities(context.Context, identity.Everyone) error { return nil }

// store holds people in the town's areas, and counts them as groups do.
type store struct {
	t       *rapid.T
	snap    *registry.Snapshot
	records []syncproto.Record
	ones    []exchange.Link
	counts  []rollup.Count
	carried []rollup.Count
	pivot   syncproto.Version
	// pivots is how often that was asked for.
	pivots int
}

func (s *store) within(key area.Key, root area.Key) bool {
	n, _ := s.snap.Areas.ByKey(key)
	r, _ := s.snap.Areas.ByKey(root)
	return s.snap.Areas.Within(n.ID, r.ID)
}

func (s *store) Sums(_ context.Context, areas []area.Key, days rollup.Days, standing map[string]bool) (rollup.Summed, error) {
	var summed rollup.Summed
	for _, key := range areas {
		for _, c := range append(slices.Clone(s.counts), s.carried...) {
			stands, asked := standing[c.Measure]
			if asked && s.within(c.Area, key) && c.Day <= days.To && (stands || c.Day >= days.From) {
				summed.Counts = append(summed.Counts, rollup.Count{Area: key, Measure: c.Measure, Day: days.To, N: c.N})
			}
		}
	}
	return summed, nil
}

func (s *store) Own(context.Context, []area.Key, string, rollup.Days) ([]rollup.Count, error) {
	s.t.Fatal("only amounts are asked about so")
	return nil, nil
}

func (s *store) Carried(_ context.Context, areas []area.Key, measure string, days rollup.Days) ([]rollup.Count, error) {
	var sums []rollup.Count
	for _, key := range areas {
		sum := rollup.Count{Area: key, Measure: measure}
		for _, c := range s.carried {
			if c.Area == key && c.Measure == measure && days.From <= c.Day && c.Day <= days.To {
				sum.N += c.N
			}
		}
		sums = append(sums, sum)
	}
	return sums, nil
}

func (s *store) Roster(_ context.Context, areas []area.Key, kind syncproto.Kind, after roster.Place, limit int) ([]syncproto.Record, roster.Place, error) {
	n, _ := s.snap.Areas.ByKey(areas[0])
	var page []syncproto.Record
	for _, r := range s.records {
		if r.Area == n.ID && r.Kind == kind && r.Version > after.Version && len(page) < limit {
			page = append(page, r)
		}
	}
	return page, after, nil
}

func (s *store) RecordsByID(_ context.Context, ids []syncproto.RecordID) ([]syncproto.Record, error) {
	return slices.DeleteFunc(slices.Clone(s.records), func(r syncproto.Record) bool { return !slices.Contains(ids, r.ID) }), nil
}

func (s *store) Lodgers(_ context.Context, key area.Key, after syncproto.RecordID, limit int) ([]syncproto.RecordID, error) {
	var ids []syncproto.RecordID
	for _, r := range s.records {
		for _, past := range form.ResidencesOf(r.Live[0].Fields) {
			if n, _ := s.snap.Areas.Find(past.Area); n.Key == key && bytes.Compare(r.ID[:], after[:]) > 0 && !slices.Contains(ids, r.ID) {
				ids = append(ids, r.ID)
			}
		}
	}
	slices.SortFunc(ids, func(a, b syncproto.RecordID) int { return bytes.Compare(a[:], b[:]) })
	return ids[:min(limit, len(ids))], nil
}

func (s *store) Ones(context.Context) (ones, twins []exchange.Link, err error) {
	return s.ones, nil, nil
}

func (s *store) LastBefore(context.Context, syncproto.Instant) (syncproto.Version, error) {
	s.pivots++
	return s.pivot, nil
}

var (
	someArea = rapid.SampledFrom([]syncproto.AreaID{"town", "g1", "g2"})
	someDay  = rapid.SampledFrom([]form.Day{20200130, 20200131, 20200201, 20200202, 20200203})
)

// person draws somebody, who may have lived elsewhere before, or where they live now.
func person(t *rapid.T, n int) syncproto.Record {
	fields := syncproto.Fields{"found_on": syncproto.TextValue(someDay.Draw(t, "found").String()), "area": ""}
	at := someArea.Draw(t, "area")
	fields["area"] = syncproto.TextValue(string(at))
	var past []string
	for range rapid.IntRange(0, 2).Draw(t, "homes before") {
		past = append(past, form.Residence{Left: someDay.Draw(t, "left"), Area: someArea.Draw(t, "home")}.String())
	}
	if len(past) > 0 {
		fields[syncproto.FieldResidences] = syncproto.ValueOf(past)
	}
	return syncproto.Record{
		ID: syncproto.RecordID{byte(200 - n)}, Kind: "person", Area: at, Version: syncproto.Version(n + 1),
		Live: []syncproto.Part{{Version: syncproto.Version(n + 1), Device: syncproto.DeviceID{1}, N: uint64(n + 1), Fields: fields}},
	}
}

// temperature draws a temperature that was taken on some day, and received on any.
func temperature(t *rapid.T, n int) syncproto.Record {
	at, _ := startOf(someDay.Draw(t, "taken"))
	r := person(t, n)
	r.Kind = "temperature"
	r.Live[0].Fields = syncproto.Fields{"area": syncproto.TextValue(string(r.Area)), "value": "36.5", "taken_at": syncproto.ValueOf(at)}
	return r
}

func drawn(t *rapid.T, snap *registry.Snapshot) *store {
	s := &store{t: t, snap: snap}
	n := rapid.IntRange(0, 12).Draw(t, "people")
	for i := range n {
		s.records = append(s.records, person(t, i))
	}
	for i := range rapid.IntRange(0, 8).Draw(t, "temperatures") {
		s.records = append(s.records, temperature(t, n+i))
	}
	s.pivot = syncproto.Version(rapid.IntRange(0, n+8).Draw(t, "pivot"))
	for i := range rapid.IntRange(0, min(n, 3)).Draw(t, "absorbed") { // each into one that comes later
		if i+1 < n {
			into := rapid.IntRange(i+1, n-1).Draw(t, "into")
			s.ones = append(s.ones, exchange.Link{Record: s.records[i].ID, Into: s.records[into].ID})
			s.records[i].Live[0].Fields[syncproto.FieldSameAs] = syncproto.TextValue(s.records[into].ID.String())
		}
	}
	counting := exchange.NewCounting(snap, s.ones, nil)
	counting.Know(s.records)
	for _, r := range s.records {
		if one, there := counting.Of(r.ID); there && one.Record.ID == r.ID {
			s.counts = append(s.counts, one.Counts...)
		}
	}
	s.carried = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) rollup.Count {
		return rollup.Count{Area: area.Key(rapid.IntRange(1, 3).Draw(t, "at")), Measure: rapid.SampledFrom([]string{"persons", "temperatures"}).Draw(t, "of"), Day: someDay.Draw(t, "day"), N: 1}
	}), 0, 3).Draw(t, "purged")
	slices.SortFunc(s.records, func(a, b syncproto.Record) int { return cmp.Compare(a.Version, b.Version) })
	return s
}

func TestTheRowsOfAllPagesComeToTheNumber(t *testing.T) {
	forms, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	reg, err := registry.Open(t.Context(), town{}, forms)
	if err != nil {
		t.Fatal(err)
	}
	for _, measure := range []string{"persons", "temperatures"} {
		t.Run(measure, func(t *testing.T) { comesToTheNumber(t, reg, measure) })
	}
}

func comesToTheNumber(t *testing.T, reg *registry.Registry, measure string) {
	rapid.Check(t, func(rt *rapid.T) {
		s := drawn(rt, reg.Current())
		service := NewService(s, reg)
		root, day, limit := someArea.Draw(rt, "root"), someDay.Draw(rt, "day"), rapid.IntRange(1, 5).Draw(rt, "limit")
		rows := make(map[syncproto.RecordID]int64)
		var sum, value, purged int64
		for after, pages := "", 0; ; pages++ {
			s.pivots = 0
			page, err := service.Rows(t.Context(), root, measure, rollup.On(day), after, limit)
			if err != nil {
				rt.Fatal(err)
			}
			if s.pivots > 1 {
				rt.Fatalf("one page asked %d times when its days began", s.pivots)
			}
			if len(page.Rows) > limit || pages > 100 {
				rt.Fatalf("page %d has %d rows", pages, len(page.Rows))
			}
			for _, row := range page.Rows {
				if rows[row.ID] != 0 || row.N == 0 || row.SameAs != nil || !reg.Current().Areas.Within(row.CountedIn, root) {
					rt.Fatalf("%s counts as %d in %s, and did as %d", row.ID, row.N, row.CountedIn, rows[row.ID])
				}
				rows[row.ID] = row.N
				sum += row.N
			}
			value, purged = page.Value, page.Purged
			if after = page.Next; after == "" {
				break
			}
		}
		if sum+purged != value {
			rt.Fatalf("the rows come to %d, what was purged to %d, the number is %d", sum, purged, value)
		}
	})
}

func TestAPlaceThatNobodyGaveOutIsRefused(t *testing.T) {
	good := place{area: 3, phase: lodged, version: 9, pivot: 7, found: 2, record: syncproto.RecordID{5}}
	if back, err := parsePlace(good.String()); err != nil || back != good {
		t.Errorf("%v became %v: %v", good, back, err)
	}
	for _, text := range []string{"x", "1", "1.2.3.4.5", good.String() + " ", "-1" + good.String()[1:], fmt.Sprintf("3.9.0.0.0.%s", good.record)} {
		if _, err := parsePlace(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
