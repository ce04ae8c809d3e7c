package merge_test

import (
	"testing"

	"gridsync/syncproto"
	"gridsync/syncproto/merge"
)

func TestAReplacedWriteHoldsBesideUntilAnotherStandsForIt(t *testing.T) {
	f := thing(t)
	settles := with(recordB, 3, write(4, 3, 4, 1, "review", `"y"`))
	later := func(version syncproto.Version) syncproto.Part {
		return with(recordB, version, write(5, 4, 4, 2, "review", `"z"`))
	}
	cases := []struct {
		name string
		then syncproto.Part
		kept bool
	}{
		{"by one who knew of its own record only", write(5, 4, 5, 1, "review", `"z"`), true},
		{"by the same phone, the records apart", write(5, 4, 4, 2, "review", `"z"`), true},
		{"by the same phone, the records together", later(3), false},
		{"by the same phone, the other as it stood before", later(2), true},
		{"by the same phone, amid a dispute", amid(later(3)), true},
		{"by the same phone, a decision amid a dispute", decision(amid(later(3))), false},
		{"by the same phone, to another field", with(recordB, 3, write(5, 4, 4, 2, "latest", `"z"`)), true},
		{"by another phone, which knew nothing of what the first had not sent", with(recordB, 3, write(5, 4, 5, 1, "review", `"z"`)), true},
		{"by nobody", write(5, 3, 5, 1, "review", `"z"`), false},
	}
	for _, c := range cases {
		log := []syncproto.Part{settles, c.then}
		if c.then.Fields["latest"] != "" {
			log = append(log, write(6, 5, 6, 1, "review", `"w"`))
		}
		if got := merge.Fold(f, log)[0].Spent["review"]; (got == syncproto.Null) != c.kept {
			t.Errorf("%s: kept %q", c.name, got)
		}
	}
}

// Where a record belongs is nothing that could be told of another.
func TestWhereARecordBelongsHoldsAgainstNoOther(t *testing.T) {
	live := merge.Fold(thing(t), []syncproto.Part{with(recordB, 3, write(4, 3, 4, 1, syncproto.FieldArea, `"a"`)), write(5, 4, 5, 1, syncproto.FieldArea, `"b"`)})
	if len(live) != 1 || live[0].Spent != nil {
		t.Errorf("lives %+v", live)
	}
}

func TestWhatOnlyHoldsBesideIsNothingToMergeWith(t *testing.T) {
	f := thing(t)
	settles, then := with(recordB, 3, write(4, 3, 4, 1, "review", `"y"`)), write(5, 4, 5, 1, "review", `"z"`)
	late := write(6, 5, 5, 2, "review", `"w"`)
	late.Base = 3 // its author's phone had its own write, and not what that had replaced
	live := merge.Fold(f, []syncproto.Part{settles, then, late})
	if got := merge.Outcome(live, merge.Show(f, live), &late); got != syncproto.Applied || len(live) != 2 {
		t.Errorf("%s beside %+v", got, live)
	}
}
