package merge_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/merge"
)

// joinsAlike deals the parts out to two records and holds that both orders join to one
// state, which can be shown.
func joinsAlike(t *testing.T, f *form.Form, parts []syncproto.Part) {
	t.Helper()
	for i := range parts {
		parts[i].Of = []syncproto.RecordID{recordA, recordB}[i%2]
	}
	live := join(f, parts, recordA, recordB)
	backwards := slices.Clone(parts)
	slices.Reverse(backwards)
	if got := join(f, backwards, recordA, recordB); !reflect.DeepEqual(got, live) {
		t.Fatalf("joined %+v\nbackwards %+v", live, got)
	}
	if merge.Show(f, live).Area != merge.Glance(f, live).Area {
		t.Fatalf("a glance shows another area of %+v", live)
	}
}

// FuzzFold gives Fold parts that no server would have made: versions that
// contradict, bases that boast, values of every type.
func FuzzFold(f *testing.F) {
	rules := thing(f)
	for _, parts := range [][]syncproto.Part{
		{write(1, 0, 1, 1, "review", `"x"`), write(2, 0, 2, 1, "review", `"y"`), decision(write(3, 2, 3, 1, "review", `"x"`))},
		{write(1, 0, 1, 1, "union", `["a","b"]`), write(2, 1, 2, 1, "union", `{"add":["c"],"remove":["a"]}`), write(3, 0, 3, 1, "union", "7")},
		{write(1, 0, 1, 1, "severest", "38.9"), amid(write(2, 1, 2, 1, "severest", `"?"`)), write(3, 9, 1, 2, "severest", "1e30")},
		{write(1, 0, 1, 1, "once", `"x"`), write(2, 1, 1, 2, "once", `"y"`), write(merge.Pending, 2, 1, 3, "once", "null")},
		{write(1, 0, 1, 1, "review", `"x"`), decision(write(2, 1, 2, 1, "review", `"y"`)), undo(3, 2, 3, 1, decision(write(2, 1, 2, 1, "", ""))), undo(4, 4, 4, 1, undo(5, 0, 5, 1)), undo(5, 5, 5, 1, undo(4, 0, 4, 1))},
		{with(recordB, 1, write(2, 0, 2, 1, "review", `"x"`)), write(3, 2, 3, 1, "review", `"y"`), with(recordA, 9, write(4, 3, 4, 1, "union", `["a"]`))},
		{write(1, 0, 1, 1, syncproto.FieldExit, moved), write(2, 0, 2, 1, syncproto.FieldArea, `"330702"`), write(2, 0, 3, 1, "mood", `{"a":1}`)},
	} {
		text, err := json.Marshal(parts)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var parts []syncproto.Part
		if json.Unmarshal(text, &parts) != nil || len(parts) > 30 {
			return
		}
		// One change has one content: what a store promises by its unique key.
		seen := map[[2]any]bool{}
		parts = slices.DeleteFunc(parts, func(p syncproto.Part) bool {
			key := [2]any{p.Device, p.N}
			twice := seen[key]
			seen[key] = true
			return twice
		})
		live := merge.Fold(rules, parts)
		backwards := slices.Concat(parts, parts)
		slices.Reverse(backwards)
		if got := merge.Fold(rules, backwards); !reflect.DeepEqual(got, live) {
			t.Fatalf("forwards %+v\nbackwards and twice %+v", live, got)
		}
		view := merge.Show(rules, live)
		if again := merge.Show(rules, live); !reflect.DeepEqual(view, again) {
			t.Fatalf("shown twice: %+v and %+v", view, again)
		}
		for i := range parts {
			if o := merge.Outcome(live, view, &parts[i]); o != syncproto.Applied && o != syncproto.Merged && o != syncproto.Disputed {
				t.Fatalf("outcome %q", o)
			}
		}
		merge.Show(nil, merge.Fold(nil, parts))
		joinsAlike(t, rules, parts)
	})
}
