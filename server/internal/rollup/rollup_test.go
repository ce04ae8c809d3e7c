package rollup

import (
	"slices"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/merge"
)

const day form.Day = 20200129

// town has two grids, the first with a stairwell.
func town(t *testing.T) *area.Tree {
	t.Helper()
	tree, err := area.NewTree([]area.Node{
		{Key: 1, ID: "town", Name: "街道"},
		{Key: 2, ID: "grid-1", Name: "一网格", Parent: "town"},
		{Key: 3, ID: "grid-2", Name: "二网格", Parent: "town"},
		{Key: 4, ID: "stair", Name: "一单元", Parent: "grid-1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func summed(t *testing.T, id syncproto.AreaID, counts ...Count) *Summary {
	t.Helper()
	sum := &Summary{Area: id, Measures: []Measure{{Name: "people"}, {Name: "visits"}}}
	tree := town(t)
	here, _ := tree.Find(id)
	asked := append(keysOf(tree.Children(id)), here.Key)
	sum.add(tree, slices.DeleteFunc(whole(tree, counts), func(c Count) bool { return !slices.Contains(asked, c.Area) }))
	return sum
}

// whole is what areas come to with all below them.
func whole(tree *area.Tree, counts []Count) []Count {
	var all []Count
	for _, c := range counts {
		n, _ := tree.ByKey(c.Area)
		for _, up := range tree.Path(n.ID) {
			c.Area = up.Key
			all = append(all, c)
		}
	}
	return all
}

func count(key area.Key, measure string, n int64) Count {
	return Count{Area: key, Day: day, Measure: measure, N: n}
}

func TestTheLinesBelowAddUpToTheTotal(t *testing.T) {
	sum := summed(t, "town",
		count(1, "people", 2), count(2, "people", 3), count(4, "people", 4), count(3, "people", 5),
		count(4, "visits", 7), count(2, "visits", -1),
		count(3, "no form has it any more", 99),
	)
	want := []Child{
		{Area: "grid-1", Name: "一网格", Values: []int64{7, 6}},
		{Area: "grid-2", Name: "二网格", Values: []int64{5, 0}},
		{Area: "town", Direct: true, Values: []int64{2, 0}},
	}
	if !slices.EqualFunc(sum.Children, want, func(a, b Child) bool {
		return a.Area == b.Area && a.Name == b.Name && a.Direct == b.Direct && slices.Equal(a.Values, b.Values)
	}) {
		t.Errorf("lines: %+v", sum.Children)
	}
	for i, m := range sum.Measures {
		var lines int64
		for _, child := range sum.Children {
			lines += child.Values[i]
		}
		if lines != m.Value {
			t.Errorf("%s: the lines come to %d, the total is %d", m.Name, lines, m.Value)
		}
	}
	if sum.Measures[0].Value != 14 || sum.Measures[1].Value != 6 {
		t.Errorf("totals: %+v", sum.Measures)
	}
}

func TestAnAreaWithoutRecordsOfItsOwnHasNoLineOfItsOwn(t *testing.T) {
	for _, child := range summed(t, "town", count(2, "people", 3), count(1, "people", 0)).Children {
		if child.Direct {
			t.Errorf("a line of its own: %+v", child)
		}
	}
}

func TestAnAreaWithNothingBelowIsItsTotalAlone(t *testing.T) {
	sum := summed(t, "stair", count(4, "people", 4))
	if len(sum.Children) != 0 || sum.Measures[0].Value != 4 {
		t.Errorf("%+v", sum)
	}
}

// visit is a visit at 12:00 on the day in Zone: noted by one author, and its people
// found by two others, the second of whom by the corrected clock was first.
func visit(outcome string) *syncproto.Record {
	part := func(n byte, at syncproto.Instant, fields syncproto.Fields) syncproto.Part {
		return syncproto.Part{
			Version: syncproto.Version(n), Device: syncproto.DeviceID{n}, N: 1, Author: syncproto.AuthorID{n},
			Stamp: syncproto.Stamp{Time: at}, Fields: fields,
		}
	}
	return &syncproto.Record{ID: syncproto.RecordID{9}, Kind: "visit", Live: []syncproto.Part{
		part(1, 1000, syncproto.Fields{
			"round": syncproto.TextValue(round.String()), "outcome": syncproto.TextValue(outcome), "visited_at": "1580270400000",
		}),
		part(2, 3000, syncproto.Fields{"found": syncproto.ValueOf([]string{alice.String()})}),
		part(3, 2000, syncproto.Fields{"found": syncproto.ValueOf([]string{bob.String()})}),
	}}
}

var round, alice, bob = syncproto.RecordID{1}, syncproto.RecordID{2}, syncproto.RecordID{3}

func of(t *testing.T, record *syncproto.Record) ([]Count, []Sighting) {
	t.Helper()
	forms, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	f := forms.Newest(record.Kind)
	shown := merge.Glance(f, record.Live)
	return In(2, nil, f.Counts(shown.Values, shown.Exit, nil)), SightingsOf(f, nil, 2, record, shown)
}

func TestAVisitCountsWhereItBelongsAndWhomItMet(t *testing.T) {
	counts, sightings := of(t, visit("met"))
	for _, want := range []Count{count(2, "visits", 1), count(2, "visits_met", 1), count(2, "people_met", 2)} {
		if !slices.Contains(counts, want) {
			t.Errorf("%+v is not among %+v", want, counts)
		}
	}
	if len(counts) != 3 {
		t.Errorf("counts: %+v", counts)
	}
	want := Sighting{Round: round, Visit: syncproto.RecordID{9}, Area: 2, Author: syncproto.AuthorID{3}, At: 2000}
	if len(sightings) != 2 {
		t.Fatalf("sightings: %+v", sightings)
	}
	for i, person := range []syncproto.RecordID{alice, bob} {
		want.Person = person
		if sightings[i] != want {
			t.Errorf("%+v, not %+v", sightings[i], want)
		}
	}
}

func TestNobodyIsMetWhereNobodyIsHome(t *testing.T) {
	counts, sightings := of(t, visit("not_home"))
	if len(sightings) != 0 || !slices.Contains(counts, count(2, "visits_not_home", 1)) || slices.Contains(counts, count(2, "visits_met", 1)) {
		t.Errorf("%+v, %+v", counts, sightings)
	}
}
