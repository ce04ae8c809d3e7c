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

func TestAnyOrderAndAnyRepetitionGiveOneState(t *testing.T) {
	f := thing(t)
	rapid.Check(t, func(t *rapid.T) {
		log := drawHistory(t)
		want := merge.Fold(f, log)
		again := slices.Concat(log, rapid.SliceOf(rapid.SampledFrom(append(log, syncproto.Part{}))).Draw(t, "again"))
		again = slices.DeleteFunc(again, func(p syncproto.Part) bool { return p.N == 0 })
		got := merge.Fold(f, rapid.Permutation(again).Draw(t, "order"))
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("in one order\n%+v\nin another\n%+v", want, got)
		}
		if twice := merge.Fold(f, got); !reflect.DeepEqual(twice, want) {
			t.Fatalf("folded again\n%+v\nonce\n%+v", twice, want)
		}
	})
}

func TestWhatLivesIsWhatTheSlowModelSays(t *testing.T) {
	f := thing(t)
	rapid.Check(t, func(t *rapid.T) {
		log := drawHistory(t)
		live := merge.Fold(f, log)
		if got, want := livingIn(live), modelOf(log).living(); !maps.Equal(got, want) {
			t.Fatalf("of %+v\nlives %v\nthe model says %v", log, got, want)
		}
		inOrder := slices.IsSortedFunc(live, func(a, b syncproto.Part) int { return int(a.Version - b.Version) })
		if !inOrder || slices.ContainsFunc(live, func(p syncproto.Part) bool { return len(p.Fields)+len(p.Spent) == 0 }) {
			t.Fatalf("out of order, or empty: %+v", live)
		}
	})
}

// Changes are folded in as they are committed; a change that comes after one of
// its own device's later ones, or that undoes, makes the record be folded anew, as a
// store does.
func TestFoldingAsChangesComeIsFoldingThemAll(t *testing.T) {
	f := thing(t)
	rapid.Check(t, func(t *rapid.T) {
		log := drawHistory(t)
		var live []syncproto.Part
		for done := 0; done < len(log); {
			count := rapid.IntRange(1, len(log)-done).Draw(t, "batch")
			fresh := log[done : done+count]
			undoes := slices.ContainsFunc(fresh, func(p syncproto.Part) bool { return len(p.Undoes) > 0 })
			if undoes || overtaken(log[:done], fresh) {
				live = merge.Fold(f, log[:done+count])
			} else {
				live = merge.Fold(f, slices.Concat(live, fresh))
			}
			done += count
			if want := merge.Fold(f, log[:done]); !reflect.DeepEqual(live, want) {
				t.Fatalf("as they came\n%+v\nall at once\n%+v", live, want)
			}
		}
	})
}

// overtaken reports whether a change of folded has the device of a fresh one and
// a greater number.
func overtaken(folded, fresh []syncproto.Part) bool {
	return slices.ContainsFunc(fresh, func(p syncproto.Part) bool {
		return slices.ContainsFunc(folded, func(q syncproto.Part) bool { return q.Device == p.Device && q.N > p.N })
	})
}

func TestSeeingIsNeverMutual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := drawHistory(t)
		for i := range log {
			for j := range log {
				if merge.Saw(&log[i], &log[j]) && (i == j || merge.Saw(&log[j], &log[i])) {
					t.Fatalf("%+v\nand\n%+v saw each other", log[i], log[j])
				}
			}
		}
	})
}

// A value that no longer lives was replaced by somebody who had seen it, and who
// wrote to the same field; or it was a decision, and somebody who had seen it undid it.
func TestNoValueIsUnreachableUnlessSomebodyReplacedIt(t *testing.T) {
	f := thing(t)
	rapid.Check(t, func(t *rapid.T) {
		log := drawHistory(t)
		lives := livingIn(merge.Fold(f, log))
		for i := range log {
			for _, r := range registersOf(i, log[i]) {
				if lives[name(r, log[i])] {
					continue
				}
				if !slices.ContainsFunc(log, func(w syncproto.Part) bool {
					_, writes := w.Fields[r.field]
					undoes := w.Decides && log[i].Decides && slices.Contains(w.Undoes, syncproto.Origin{Device: log[i].Device, N: log[i].N})
					return (writes || undoes) && merge.Saw(&w, &log[i])
				}) {
					t.Fatalf("%s is gone, and nobody replaced it: %+v", name(r, log[i]), log)
				}
			}
		}
	})
}

// liveWrite is a live value of a field with who wrote it when.
type liveWrite struct {
	value  syncproto.Value
	folded string
	part   syncproto.Part
}

func writesOf(field *form.Field, name string, live []syncproto.Part) []liveWrite {
	var all []liveWrite
	for _, p := range live {
		if v, ok := p.Fields[name]; ok {
			all = append(all, liveWrite{v, field.Fold(v), p})
		}
	}
	return all
}

func TestAPersonMustLookWhenTheRuleSaysSoAndOnlyThen(t *testing.T) {
	f := thing(t)
	rapid.Check(t, func(t *rapid.T) {
		live := merge.Fold(f, drawHistory(t))
		view := merge.Show(f, live)
		for name, shown := range view.Fields {
			field, _ := f.Field(name)
			all := writesOf(field, name, live)
			differ, authors := false, false
			for _, a := range all {
				for _, b := range all {
					differ = differ || a.folded != b.folded
					authors = authors || a.folded != b.folded && a.part.Author != b.part.Author
				}
			}
			want := map[form.Rule]bool{form.Review: authors, form.Severest: differ, form.Once: differ}[field.Rule]
			if name == syncproto.FieldExit {
				want = want || exitMetEdit(live)
			}
			if shown.Disputed != want {
				t.Fatalf("%s by %s: disputed %v of %+v", name, field.Rule, shown.Disputed, all)
			}
		}
	})
}

func exitMetEdit(live []syncproto.Part) bool {
	for _, e := range live {
		exit, leaves := e.Fields[syncproto.FieldExit]
		for _, w := range live {
			other := slices.ContainsFunc(w.Fields.Names(), func(name string) bool {
				return name != syncproto.FieldExit && name != syncproto.FieldSameAs && name != syncproto.FieldResidences
			})
			if leaves && exit != "null" && other && e.Author != w.Author && !merge.Saw(&e, &w) && !merge.Saw(&w, &e) {
				return true
			}
		}
	}
	return false
}

func TestWhatShowsIsTheWriteThatTheRulePrefers(t *testing.T) {
	f := thing(t)
	later := func(a, b syncproto.Part) bool {
		if a.Time != b.Time {
			return a.Time > b.Time
		}
		if a.Device != b.Device {
			return string(a.Device[:]) > string(b.Device[:])
		}
		return a.N > b.N
	}
	rank := map[syncproto.Value]int{"null": 0, "1": 1, "2": 2, "2.0": 2, `"?"`: 3}
	rapid.Check(t, func(t *rapid.T) {
		live := merge.Fold(f, drawHistory(t))
		view := merge.Show(f, live)
		if again := merge.Show(f, slices.Clone(live)); !reflect.DeepEqual(again, view) {
			t.Fatalf("shown twice, there are two views: %+v and %+v", view, again)
		}
		for name, shown := range view.Fields {
			field, _ := f.Field(name)
			if field.Rule == form.Union {
				continue
			}
			all := writesOf(field, name, live)
			best := all[0]
			for _, w := range all[1:] {
				better := later(w.part, best.part)
				switch field.Rule {
				case form.Once:
					better = !better
				case form.Severest:
					if a, b := rank[w.value], rank[best.value]; a != b {
						better = a > b
					}
				}
				if better {
					best = w
				}
			}
			if shown.Value != best.value {
				t.Fatalf("%s by %s shows %s of %+v", name, field.Rule, shown.Value, all)
			}
		}
	})
}

func TestAListShowsEveryMemberThatALiveWriteAdds(t *testing.T) {
	f := thing(t)
	rapid.Check(t, func(t *rapid.T) {
		log := drawHistory(t)
		model, want := modelOf(log), map[string]bool{}
		writes := false
		for r, alive := range model.alive {
			if r.field != "union" || !alive {
				continue
			}
			writes = true
			if r.member != "" && !r.removes {
				want[r.member[1:]] = true
			}
		}
		shown, ok := merge.Show(f, merge.Fold(f, log)).Fields["union"]
		got, _ := shown.Value.Texts()
		if ok != writes || !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
			t.Fatalf("shows %v, want %v", got, want)
		}
	})
}
