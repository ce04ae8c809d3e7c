package merge_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/merge"
)

var (
	recordA = syncproto.RecordID{1}
	recordB = syncproto.RecordID{2}
	recordC = syncproto.RecordID{3}
)

// record folds the changes of one record as a store does, which knows nothing of others.
func record(f *form.Form, id syncproto.RecordID, log ...syncproto.Part) *syncproto.Record {
	log = slices.DeleteFunc(slices.Clone(log), func(p syncproto.Part) bool { return p.Of != id && !p.Of.IsZero() })
	for i := range log {
		log[i].Of = syncproto.RecordID{}
	}
	return &syncproto.Record{ID: id, Live: merge.Fold(f, log)}
}

// with says that the author was shown another record as one with this one.
func with(other syncproto.RecordID, version syncproto.Version, p syncproto.Part) syncproto.Part {
	p.With = append(slices.Clone(p.With), syncproto.Beside{Record: other, Version: version})
	return p
}

func TestAWriteReachesAnotherRecordOnlyIfItsAuthorWasShownBothAsOne(t *testing.T) {
	f := thing(t)
	there := write(5, 0, 1, 3, "review", `"x"`)
	cases := []struct {
		name string
		here syncproto.Part
		want []syncproto.Value
	}{
		{"nothing said", write(9, 8, 2, 1, "review", `"y"`), []syncproto.Value{`"x"`, `"y"`}},
		{"another record said", with(recordC, 8, write(9, 8, 2, 1, "review", `"y"`)), []syncproto.Value{`"x"`, `"y"`}},
		{"as it stood before", with(recordB, 4, write(9, 8, 2, 1, "review", `"y"`)), []syncproto.Value{`"x"`, `"y"`}},
		{"as it stood", with(recordB, 5, write(9, 0, 2, 1, "review", `"y"`)), []syncproto.Value{`"y"`}},
		{"said twice", with(recordB, 4, with(recordB, 5, with(recordB, 3, write(9, 0, 2, 1, "review", `"y"`)))), []syncproto.Value{`"y"`}},
		{"a decision that knew of its own record only", decision(write(9, 8, 2, 1, "review", `"y"`)), []syncproto.Value{`"x"`, `"y"`}},
		{"a decision on both", decision(with(recordB, 5, write(9, 8, 2, 1, "review", `"y"`))), []syncproto.Value{`"y"`}},
		{"amid, and another's", amid(with(recordB, 5, write(9, 8, 2, 1, "review", `"y"`))), []syncproto.Value{`"x"`, `"y"`}},
		{"amid, and its author's own", by(1, amid(with(recordB, 5, write(9, 8, 2, 1, "review", `"y"`)))), []syncproto.Value{`"y"`}},
		{"later on the same phone, nothing said", write(9, 8, 1, 4, "review", `"y"`), []syncproto.Value{`"x"`, `"y"`}},
		{"later on the same phone, before the other was sent", with(recordB, 0, write(9, 0, 1, 4, "review", `"y"`)), []syncproto.Value{`"y"`}},
		{"earlier on the same phone", with(recordB, 8, write(9, 8, 1, 2, "review", `"y"`)), []syncproto.Value{`"x"`, `"y"`}},
	}
	for _, c := range cases {
		for _, of := range [][2]*syncproto.Record{
			{record(f, recordA, c.here), record(f, recordB, there)}, {record(f, recordB, there), record(f, recordA, c.here)},
		} {
			var got []syncproto.Value
			for _, p := range merge.Join(f, of[0], of[1:]) {
				got = append(got, p.Fields["review"])
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s, %s surviving: alive %v, want %v", c.name, of[0].ID, got, c.want)
			}
		}
	}
}

// What belongs to a record as such stays with the one that survives.
func TestWhereAnAbsorbedRecordBelongsIsNoMatterOfTheSurvivor(t *testing.T) {
	f := thing(t)
	fields := func(area, latest string) syncproto.Fields {
		return syncproto.Fields{
			syncproto.FieldArea: syncproto.TextValue(area), syncproto.FieldExit: moved, "latest": syncproto.TextValue(latest),
			syncproto.FieldResidences: syncproto.ValueOf([]string{"2020-01-27 " + area}),
		}
	}
	a, b := write(1, 0, 1, 1, "", ""), by(1, write(2, 0, 2, 1, "", ""))
	a.Fields, b.Fields = fields("330702", "x"), fields("330703", "y")
	b.Fields[syncproto.FieldSameAs] = syncproto.TextValue(recordA.String())
	only := write(3, 2, 3, 1, syncproto.FieldSameAs, syncproto.TextValue(recordA.String()))
	survivor, absorbed := record(f, recordA, a), record(f, recordB, b, only)
	live := merge.Join(f, survivor, []*syncproto.Record{absorbed})
	if len(live) != 2 || live[0].Of != recordA || live[1].Of != recordB || len(live[1].Fields) != 1 {
		t.Fatalf("of both lives %+v", live)
	}
	view := merge.Show(f, live)
	if view.Area != "330702" || view.Exit == nil || !view.SameAs.IsZero() || view.Fields["latest"].Value != `"y"` ||
		view.Fields[syncproto.FieldResidences].Value != `["2020-01-27 330702"]` {
		t.Errorf("shows %+v", view)
	}
	if got := merge.Show(f, absorbed.Live); got.Area != "330703" || got.SameAs != recordA {
		t.Errorf("of itself the absorbed one shows %+v", got)
	}
}

// Whose phone has not heard of the merge goes on writing to the record that it knows.
func TestALateChangeFollowsToTheSurvivor(t *testing.T) {
	f := thing(t)
	b := []syncproto.Part{write(2, 0, 2, 1, "latest", `"y"`), decision(write(3, 2, 3, 1, syncproto.FieldSameAs, syncproto.TextValue(recordA.String())))}
	late := write(4, 2, 4, 1, "latest", `"z"`)
	a := record(f, recordA, write(1, 0, 1, 1, "latest", `"x"`))
	for _, c := range []struct {
		log  []syncproto.Part
		want syncproto.Value
	}{{b, `"y"`}, {append(slices.Clone(b), late), `"z"`}} {
		absorbed := record(f, recordB, c.log...)
		view := merge.Show(f, merge.Join(f, a, []*syncproto.Record{absorbed}))
		if got := view.Fields["latest"].Value; got != c.want || merge.Show(f, absorbed.Live).SameAs != recordA {
			t.Errorf("the survivor shows %s, want %s", got, c.want)
		}
	}
	if got := merge.Show(f, a.Live).Fields["latest"].Value; got != `"x"` {
		t.Errorf("alone the survivor shows %s", got)
	}
}

func TestWhereTheSurvivorBelongsIsNoQuestionToWhoMovesTheOther(t *testing.T) {
	f := thing(t)
	moves := write(3, 0, 3, 1, syncproto.FieldArea, `"330704"`)
	a := []syncproto.Part{write(1, 0, 1, 1, syncproto.FieldArea, `"330702"`), write(2, 0, 2, 1, syncproto.FieldArea, `"330703"`)}
	for _, c := range []struct {
		of   syncproto.RecordID
		want syncproto.Outcome
	}{{recordA, syncproto.Disputed}, {recordB, syncproto.Merged}} {
		moves.Of = c.of
		log := append(slices.Clone(a), moves)
		for i := range a {
			log[i].Of = recordA
		}
		live := join(f, log, recordA, recordB)
		if got := merge.Outcome(live, merge.Show(f, live), &moves); got != c.want {
			t.Errorf("of %s: %s, want %s", c.of, got, c.want)
		}
	}
}

// A change that was replaced at once is still about a field at which a person must look.
func TestAChangeToADisputedFieldIsToldSoWhicheverRecordItIsOf(t *testing.T) {
	f := thing(t)
	p := write(3, 0, 3, 1, "review", `"z"`)
	a := record(f, recordA, with(recordB, 3, write(4, 0, 1, 1, "review", `"x"`)), write(5, 0, 2, 1, "review", `"y"`))
	live := merge.Join(f, a, []*syncproto.Record{record(f, recordB, p)})
	p.Of = recordB
	if got := merge.Outcome(live, merge.Show(f, live), &p); got != syncproto.Disputed || len(live) != 2 {
		t.Errorf("%s, and there lives %+v", got, live)
	}
}

func TestAnAbsorbedRecordsOwnDisputesShowAtItsOwnParts(t *testing.T) {
	f := thing(t)
	absorbed := record(f, recordB, write(1, 0, 1, 1, syncproto.FieldArea, `"330702"`), write(2, 0, 2, 1, syncproto.FieldArea, `"330703"`))
	live := merge.Join(f, record(f, recordA, write(3, 0, 3, 1, syncproto.FieldArea, `"330704"`)), []*syncproto.Record{absorbed})
	if got := merge.Show(f, live).Disputed(); got != nil {
		t.Errorf("the survivor is asked about %v", got)
	}
	if got := merge.Show(f, absorbed.Live).Disputed(); !slices.Equal(got, []string{syncproto.FieldArea}) {
		t.Errorf("asked about %v", got)
	}
}

// A decision on both settles a field. Later somebody whose phone has the survivor only
// corrects it: what the decision had settled must not come back from the other record.
func TestWhatWasSettledForBothStaysSettledWhenOneIsCorrected(t *testing.T) {
	f := thing(t)
	b := record(f, recordB, write(1, 0, 1, 1, "review", `"x"`), write(2, 0, 2, 1, "union", `["a","b"]`))
	log := []syncproto.Part{write(3, 0, 3, 1, "review", `"y"`)}
	settles := decision(with(recordB, 3, write(4, 3, 4, 1, "review", `"z"`)))
	settles.Fields["union"] = `{"remove":["a"]}`
	correction := write(5, 4, 5, 1, "review", `"w"`)
	correction.Fields["union"] = `{"add":["c"],"remove":["a"]}`
	log = append(log, settles, correction)
	a := record(f, recordA, log...)
	view := merge.Show(f, merge.Join(f, a, []*syncproto.Record{b}))
	if got := view.Fields["review"]; got.Disputed || got.Value != `"w"` || len(got.Candidates) != 1 {
		t.Errorf("shows %+v", got)
	}
	if got := view.Fields["union"].Value; got != `["b","c"]` {
		t.Errorf("shows %s", got)
	}
	if got := merge.Show(f, a.Live).Fields["review"].Value; got != `"w"` || len(a.Live) != 2 {
		t.Errorf("alone it shows %s of %+v", got, a.Live)
	}
	log[2] = with(recordB, 3, correction) // by the decider's phone, which then says as much as the decision did
	log[2].Device, log[2].N, log[2].Author = settles.Device, 2, settles.Author
	if a := record(f, recordA, log...); len(a.Live[0].Spent) != 1 || a.Live[0].Spent["union"] == "" {
		t.Errorf("kept besides what lives: %+v", a.Live)
	}
}

func TestARecordThatAbsorbedNothingIsItself(t *testing.T) {
	f := thing(t)
	a := record(f, recordA, write(1, 0, 1, 1, "review", `"x"`))
	if got := merge.Join(f, a, nil); !reflect.DeepEqual(got, a.Live) {
		t.Errorf("lives %+v", got)
	}
}

func TestJoiningLeavesTheRecordsAlone(t *testing.T) {
	f := thing(t)
	log := func() []syncproto.Part {
		return []syncproto.Part{by(1, write(1, 0, 1, 1, syncproto.FieldArea, `"330702"`)), with(recordA, 1, write(2, 1, 1, 2, "review", `"x"`)), write(3, 2, 1, 3, "review", `"y"`)}
	}
	a, b := record(f, recordA, log()...), record(f, recordB, log()...)
	for _, p := range merge.Join(f, a, []*syncproto.Record{b}) {
		clear(p.Fields)
	}
	if !reflect.DeepEqual(b, record(f, recordB, log()...)) || a.Live[0].Of != (syncproto.RecordID{}) {
		t.Errorf("altered: %+v and %+v", a, b)
	}
}

// An edit of the absorbed record, which the exit's author had not seen, is a question
// about the survivor's exit; and it is none when the exit's author was shown both.
func TestAnExitMeetsAnEditOfTheOtherRecord(t *testing.T) {
	f := thing(t)
	b := record(f, recordB, write(1, 0, 1, 1, "latest", `"x"`))
	exit := write(3, 2, 2, 1, syncproto.FieldExit, moved)
	for _, c := range []struct {
		exit     syncproto.Part
		disputed bool
		outcome  syncproto.Outcome
	}{{exit, true, syncproto.Disputed}, {with(recordB, 2, exit), false, syncproto.Applied}} {
		live := merge.Join(f, record(f, recordA, c.exit), []*syncproto.Record{b})
		view := merge.Show(f, live)
		c.exit.Of = recordA
		if got := view.Fields[syncproto.FieldExit].Disputed; got != c.disputed || merge.Outcome(live, view, &c.exit) != c.outcome {
			t.Errorf("disputed %v, and the exit %s", got, merge.Outcome(live, view, &c.exit))
		}
	}
}

// join folds each record of the histories by itself and joins them under the first.
func join(f *form.Form, log []syncproto.Part, ids ...syncproto.RecordID) []syncproto.Part {
	var absorbed []*syncproto.Record
	for _, id := range ids[1:] {
		absorbed = append(absorbed, record(f, id, log...))
	}
	return merge.Join(f, record(f, ids[0], log...), absorbed)
}

// contributed takes away what absorbed records say about themselves.
func contributed(log []syncproto.Part, survivor syncproto.RecordID) []syncproto.Part {
	var parts []syncproto.Part
	for _, p := range log {
		if p.Fields = maps.Clone(p.Fields); p.Of != survivor {
			for _, name := range []string{syncproto.FieldArea, syncproto.FieldExit, syncproto.FieldSameAs, syncproto.FieldResidences} {
				delete(p.Fields, name)
			}
		}
		parts = append(parts, p)
	}
	return parts
}

// Join sees what Fold left of each record. The slow model sees every change of all.
func TestWhatLivesOfJoinedRecordsIsWhatTheSlowModelSaysOfTheirHistories(t *testing.T) {
	f := thing(t)
	rapid.Check(t, func(t *rapid.T) {
		log := drawHistories(t, 3)
		ids := rapid.Permutation([]syncproto.RecordID{recordA, recordB, recordC}).Draw(t, "survivor first")
		live := join(f, log, ids...)
		if got, want := livingIn(live), modelOf(contributed(log, ids[0])).living(); !maps.Equal(got, want) {
			t.Fatalf("of %+v\nlives %v\nthe model says %v", log, got, want)
		}
		again := rapid.Permutation(slices.Concat(log, log)).Draw(t, "order")
		if other := join(f, again, ids[0], ids[2], ids[1]); !reflect.DeepEqual(live, other) {
			t.Fatalf("in one order\n%+v\nin another\n%+v", live, other)
		}
		if slices.ContainsFunc(live, func(p syncproto.Part) bool { return len(p.Fields) == 0 || p.Spent != nil || p.Of.IsZero() }) {
			t.Fatalf("empty, or of no record: %+v", live)
		}
	})
}

func TestAJoinLosesNoLiveValueUnlessSomebodyWhoWasShownBothReplacedIt(t *testing.T) {
	f := thing(t)
	rapid.Check(t, func(t *rapid.T) {
		log := drawHistories(t, 2)
		lives := livingIn(join(f, log, recordA, recordB))
		for _, id := range []syncproto.RecordID{recordA, recordB} {
			own := contributed(record(f, id, log...).Live, recordA)
			for i := range own {
				if own[i].Of = id; id == recordB {
					own[i] = contributed(own[i:i+1], recordA)[0]
				}
				for _, r := range registersOf(i, own[i]) {
					if !lives[name(r, own[i])] && !slices.ContainsFunc(log, func(w syncproto.Part) bool {
						_, writes := w.Fields[r.field]
						shown := slices.ContainsFunc(w.With, func(b syncproto.Beside) bool { return b.Record == id })
						return writes && shown && w.Of != id && merge.Saw(&w, &own[i])
					}) {
						t.Fatalf("%s of %s is gone, and nobody who was shown both replaced it: %+v", name(r, own[i]), id, log)
					}
				}
			}
		}
	})
}

func TestJoinedSeeingIsNeverMutual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := drawHistories(t, 3)
		for i := range log {
			for j := range log {
				if merge.Saw(&log[i], &log[j]) && (i == j || merge.Saw(&log[j], &log[i])) {
					t.Fatalf("%+v\nand\n%+v saw each other", log[i], log[j])
				}
			}
		}
	})
}

// groups is what a replica makes of what it heard: which record survives for each, and
// what is alive of the survivors.
func groups(f *form.Form, log []syncproto.Part) (map[syncproto.RecordID]syncproto.RecordID, map[syncproto.RecordID][]syncproto.Part) {
	ids := []syncproto.RecordID{recordA, recordB, recordC}
	table, roots, live := map[syncproto.RecordID]syncproto.RecordID{}, map[syncproto.RecordID]syncproto.RecordID{}, map[syncproto.RecordID][]syncproto.Part{}
	for _, id := range ids {
		if same := merge.Show(f, record(f, id, log...).Live).SameAs; !same.IsZero() {
			table[id] = same
		}
	}
	for _, id := range ids {
		roots[id] = merge.Root(id, into(table))
	}
	for _, root := range roots {
		members := []syncproto.RecordID{root}
		for _, id := range ids {
			if roots[id] == root && id != root {
				members = append(members, id)
			}
		}
		live[root] = join(f, log, members...)
	}
	return roots, live
}

func TestEveryReplicaEndsWithTheSameSurvivorsAlike(t *testing.T) {
	f := thing(t)
	merged := 0
	rapid.Check(t, func(t *rapid.T) {
		log := drawHistories(t, 3)
		roots, live := groups(f, log)
		again := rapid.Permutation(slices.Concat(log, log)).Draw(t, "order")
		otherRoots, otherLive := groups(f, again)
		if !maps.Equal(roots, otherRoots) || !reflect.DeepEqual(live, otherLive) {
			t.Fatalf("in one order %v\n%+v\nin another %v\n%+v", roots, live, otherRoots, otherLive)
		}
		if len(live) < 3 {
			merged++
		}
	})
	if merged == 0 {
		t.Error("no history merged anything")
	}
}

// into makes of a table what Root asks for.
func into(table map[syncproto.RecordID]syncproto.RecordID) func(syncproto.RecordID) (syncproto.RecordID, bool) {
	return func(id syncproto.RecordID) (syncproto.RecordID, bool) {
		next, ok := table[id]
		return next, ok
	}
}

func TestARecordIsFollowedToTheOneThatSurvives(t *testing.T) {
	a, b, c, d := recordA, recordB, recordC, syncproto.RecordID{4}
	cases := []struct {
		name  string
		table map[syncproto.RecordID]syncproto.RecordID
		want  map[syncproto.RecordID]syncproto.RecordID
	}{
		{"each for itself", nil, map[syncproto.RecordID]syncproto.RecordID{a: a, b: b}},
		{"a chain", map[syncproto.RecordID]syncproto.RecordID{a: b, b: c}, map[syncproto.RecordID]syncproto.RecordID{a: c, b: c, c: c}},
		{"two into one", map[syncproto.RecordID]syncproto.RecordID{a: c, b: c}, map[syncproto.RecordID]syncproto.RecordID{a: c, b: c, c: c}},
		{"two into each other", map[syncproto.RecordID]syncproto.RecordID{b: c, c: b}, map[syncproto.RecordID]syncproto.RecordID{b: b, c: b, a: a}},
		{"a circle of three, and one that leads into it", map[syncproto.RecordID]syncproto.RecordID{d: c, a: b, b: c, c: a}, map[syncproto.RecordID]syncproto.RecordID{d: a, a: a, b: a, c: a}},
		{"a circle that its least member leads into", map[syncproto.RecordID]syncproto.RecordID{a: d, d: c, c: d}, map[syncproto.RecordID]syncproto.RecordID{a: c, c: c, d: c}},
		{"into itself", map[syncproto.RecordID]syncproto.RecordID{b: b}, map[syncproto.RecordID]syncproto.RecordID{b: b}},
	}
	for _, tc := range cases {
		for id, want := range tc.want {
			if got := merge.Root(id, into(tc.table)); got != want {
				t.Errorf("%s: %s ends in %s, want %s", tc.name, id, got, want)
			}
		}
	}
}

// Wherever one starts, all records that lead to each other end in one of them, chains
// and circles alike; and what survives is followed no further.
func TestAllThatAreOneEndInOneSurvivor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := make([]syncproto.RecordID, rapid.IntRange(1, 8).Draw(t, "records"))
		table := map[syncproto.RecordID]syncproto.RecordID{}
		for i := range ids {
			ids[i] = syncproto.RecordID{byte(i + 1)}
		}
		for _, id := range ids {
			if rapid.IntRange(0, 4).Draw(t, "turned out to be another") > 0 {
				table[id] = rapid.SampledFrom(ids).Draw(t, "into")
			}
		}
		// The groups by hand: whoever leads to another is in its group.
		group := map[syncproto.RecordID]int{}
		for i, id := range ids {
			group[id] = i
		}
		for range ids {
			for id, next := range table {
				low := min(group[id], group[next])
				group[id], group[next] = low, low
			}
		}
		for _, a := range ids {
			for _, b := range ids {
				if one := merge.Root(a, into(table)) == merge.Root(b, into(table)); one != (group[a] == group[b]) {
					t.Fatalf("%s and %s end in one: %v, by %v", a, b, one, table)
				}
			}
			if root := merge.Root(a, into(table)); merge.Root(root, into(table)) != root || group[root] != group[a] {
				t.Fatalf("%s ends in %s, which is none of its own, by %v", a, root, table)
			}
		}
	})
}
