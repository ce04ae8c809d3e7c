package merge_test

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gridsync/syncproto"
	"gridsync/syncproto/merge"
)

// undo is a decision that withdraws others and writes nothing.
func undo(version, base syncproto.Version, device byte, n uint64, undone ...syncproto.Part) syncproto.Part {
	p := decision(write(version, base, device, n, "", ""))
	p.Fields = syncproto.Fields{}
	for _, u := range undone {
		p.Undoes = append(p.Undoes, syncproto.Origin{Device: u.Device, N: u.N})
	}
	return p
}

func TestADecisionIsWithdrawnByOneWhoSawIt(t *testing.T) {
	f := thing(t)
	one, two := write(1, 0, 1, 1, "review", `"x"`), write(2, 0, 2, 1, "review", `"y"`)
	typed := write(3, 2, 3, 1, "review", `"z"`)
	decided := decision(typed)
	both := []syncproto.Value{`"x"`, `"y"`}
	late := undo(4, 2, 4, 1, decided)
	ordinary := undo(4, 3, 4, 1, decided)
	ordinary.Decides = false
	cases := []struct {
		name string
		log  []syncproto.Part
		want []syncproto.Value
	}{
		{"decided", []syncproto.Part{one, two, decided}, []syncproto.Value{`"z"`}},
		{"and undone", []syncproto.Part{one, two, decided, undo(4, 3, 4, 1, decided)}, both},
		{"by the decider's own phone", []syncproto.Part{one, two, decided, undo(4, 0, 3, 2, decided)}, both},
		{"by one who had not seen it", []syncproto.Part{one, two, decided, late}, []syncproto.Value{`"z"`}},
		{"by one who may say nothing", []syncproto.Part{one, two, decided, ordinary}, []syncproto.Value{`"z"`}},
		{"another one undone", []syncproto.Part{one, two, decided, undo(4, 3, 4, 1, one)}, []syncproto.Value{`"z"`}},
		{"no decision", []syncproto.Part{one, two, typed, undo(4, 3, 4, 1, typed)}, []syncproto.Value{`"z"`}},
		{"the undo undone", []syncproto.Part{one, two, decided, undo(4, 3, 4, 1, decided), undo(5, 4, 5, 1, late)}, []syncproto.Value{`"z"`}},
		{"and that undone", []syncproto.Part{one, two, decided, undo(4, 3, 4, 1, decided), undo(5, 4, 5, 1, late), undo(6, 5, 5, 2, undo(5, 4, 5, 1))}, both},
		{"undone twice", []syncproto.Part{one, two, decided, undo(4, 3, 4, 1, decided), undo(5, 3, 5, 1, decided)}, both},
		{"undone twice, one of them undone", []syncproto.Part{one, two, decided, undo(4, 3, 4, 1, decided), undo(5, 3, 5, 1, decided), undo(6, 4, 6, 1, late)}, both},
		{"undone by one who decides otherwise", []syncproto.Part{one, two, decided, func() syncproto.Part {
			p := undo(4, 3, 4, 1, decided)
			p.Fields["review"] = `"w"`
			return p
		}()}, []syncproto.Value{`"w"`}},
	}
	for _, c := range cases {
		for range 2 {
			if got := live(t, "review", c.log...); !slices.Equal(got, c.want) {
				t.Errorf("%s: alive %v, want %v", c.name, got, c.want)
			}
			slices.Reverse(c.log)
		}
		if len(merge.Fold(f, c.log)) != len(c.want) {
			t.Errorf("%s: %+v", c.name, merge.Fold(f, c.log))
		}
	}
}

func TestAnUndoIsAnsweredLikeAnyOtherChange(t *testing.T) {
	f := thing(t)
	one, two, decided := write(1, 0, 1, 1, "review", `"x"`), write(2, 0, 2, 1, "review", `"y"`), decision(write(3, 2, 3, 1, "review", `"z"`))
	for base, want := range map[syncproto.Version]syncproto.Outcome{4: syncproto.Applied, 3: syncproto.Merged} {
		u := undo(5, base, 5, 1, decided)
		live := merge.Fold(f, []syncproto.Part{one, two, decided, write(4, 3, 4, 1, "latest", `"beside"`), u})
		if got := merge.Outcome(live, merge.Show(f, live), &u); got != want {
			t.Errorf("base %d: %s, want %s", base, got, want)
		}
	}
}

// A record merged into another and taken out again is what it would have been: whatever
// came before, between and after.
func TestUndoingAMergeGivesBackExactlyWhatThereWas(t *testing.T) {
	f := thing(t)
	rapid.Check(t, func(t *rapid.T) {
		log := drawHistory(t)
		at := rapid.IntRange(0, len(log)).Draw(t, "merged after")
		until := rapid.IntRange(at, len(log)).Draw(t, "taken out after")
		// Versions are spread, so that what is added stands between, and nobody saw more of the rest.
		for i := range log {
			log[i].Version, log[i].Base = 10*log[i].Version, 10*log[i].Base
			for j := range log[i].With {
				log[i].With[j].Version *= 10
			}
		}
		merged := decision(write(syncproto.Version(10*at+1), syncproto.Version(10*at), 20, 1, syncproto.FieldSameAs, `"02000000-0000-0000-0000-000000000000"`))
		merged.Fields["review"] = `"z"`
		taken := undo(syncproto.Version(10*until+2), syncproto.Version(10*until+1), 21, 1, merged)
		all := rapid.Permutation(slices.Concat(log, []syncproto.Part{merged, taken})).Draw(t, "order")
		if got, want := merge.Fold(f, all), merge.Fold(f, log); !reflect.DeepEqual(got, want) {
			t.Fatalf("merged and taken out again there is\n%+v\nnever merged\n%+v", got, want)
		}
	})
}
