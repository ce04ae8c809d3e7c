package merge_test

import (
	"reflect"
	"slices"
	"testing"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/merge"
)

const everyRule = `{"kind":"thing","version":1,"label":{"zh":"物","en":"Thing"},"stream":"roster","fields":[
 {"name":"latest","type":"text","rule":"latest","label":{}},
 {"name":"review","type":"text","rule":"review","label":{}},
 {"name":"severest","type":"integer","rule":"severest","label":{}},
 {"name":"union","type":"choices","rule":"union","label":{},"choices":[{"code":"a","label":{}},{"code":"b","label":{}},{"code":"c","label":{}}]},
 {"name":"once","type":"text","rule":"once","label":{}}]}`

func thing(t interface{ Fatal(...any) }) *form.Form {
	f, err := form.Parse([]byte(everyRule))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// write is a part that writes one field; its author is the device's only one.
func write(version, base syncproto.Version, device byte, n uint64, name string, v syncproto.Value) syncproto.Part {
	return syncproto.Part{
		Version: version, Base: base, Device: syncproto.DeviceID{device}, N: n, Author: syncproto.AuthorID{device},
		Stamp: syncproto.Stamp{Time: syncproto.Instant(version)}, Fields: syncproto.Fields{name: v},
	}
}

func by(author byte, p syncproto.Part) syncproto.Part {
	p.Author = syncproto.AuthorID{author}
	return p
}

func amid(p syncproto.Part) syncproto.Part {
	for name := range p.Fields {
		p.Amid = append(p.Amid, name)
	}
	return p
}

func decision(p syncproto.Part) syncproto.Part {
	p.Decides = true
	return p
}

func TestSeeingGoesOneWay(t *testing.T) {
	cases := []struct {
		name      string
		w, s      syncproto.Part
		sees      bool
		seenByToo bool
	}{
		{"the server had shown it", write(2, 1, 2, 1, "review", `"b"`), write(1, 0, 1, 1, "review", `"a"`), true, false},
		{"made at the same time", write(2, 0, 2, 1, "review", `"b"`), write(1, 0, 1, 1, "review", `"a"`), false, false},
		{"the version before", write(3, 1, 2, 1, "review", `"b"`), write(2, 0, 1, 1, "review", `"a"`), false, false},
		{"earlier on the same phone", write(2, 0, 1, 2, "review", `"b"`), write(1, 0, 1, 1, "review", `"a"`), true, false},
		{"earlier on the same phone, arrived later", write(1, 0, 1, 2, "review", `"b"`), write(2, 0, 1, 1, "review", `"a"`), true, false},
		{"earlier on the same phone, with a base that boasts", write(5, 4, 1, 2, "review", `"b"`), write(9, 8, 1, 1, "review", `"a"`), true, false},
		{"not sent yet", write(merge.Pending, 7, 1, 3, "review", `"b"`), write(7, 0, 2, 1, "review", `"a"`), true, false},
		{"neither sent yet", write(merge.Pending, 7, 1, 3, "review", `"b"`), write(merge.Pending, 7, 2, 1, "review", `"a"`), false, false},
	}
	for _, c := range cases {
		if got := merge.Saw(&c.w, &c.s); got != c.sees {
			t.Errorf("%s: saw %v", c.name, got)
		}
		if got := merge.Saw(&c.s, &c.w); got != c.seenByToo {
			t.Errorf("%s: seen by the other %v", c.name, got)
		}
	}
}

// live returns what survives of a field, in order of versions.
func live(t *testing.T, name string, parts ...syncproto.Part) []syncproto.Value {
	t.Helper()
	var values []syncproto.Value
	for _, p := range merge.Fold(thing(t), parts) {
		if v, ok := p.Fields[name]; ok {
			values = append(values, v)
		}
	}
	return values
}

func TestAWriteReplacesWhatItsAuthorSawAndIsNotReplacedByIt(t *testing.T) {
	for _, name := range []string{"latest", "review", "severest", "once"} {
		first, seen, unseen := write(1, 0, 1, 1, name, `1`), write(2, 1, 2, 1, name, `2`), write(2, 0, 2, 1, name, `2`)
		want := []syncproto.Value{"2"}
		if name == "once" {
			want = []syncproto.Value{"1", "2"}
		}
		if got := live(t, name, first, seen); !slices.Equal(got, want) {
			t.Errorf("%s: seen and written over: alive %v, want %v", name, got, want)
		}
		if got := live(t, name, first, unseen); !slices.Equal(got, []syncproto.Value{"1", "2"}) {
			t.Errorf("%s: not seen: alive %v", name, got)
		}
		if got := live(t, name, first, decision(seen)); !slices.Equal(got, []syncproto.Value{"2"}) {
			t.Errorf("%s: decided: alive %v", name, got)
		}
		if got := live(t, name, first, decision(unseen)); !slices.Equal(got, []syncproto.Value{"1", "2"}) {
			t.Errorf("%s: decided without having seen: alive %v", name, got)
		}
	}
}

func TestAPartyToADisputeCannotEndItByTypingAgain(t *testing.T) {
	one, two := write(1, 0, 1, 1, "review", `"x"`), write(2, 0, 2, 1, "review", `"y"`)
	f := thing(t)
	cases := []struct {
		name     string
		then     []syncproto.Part
		disputed bool
		shows    syncproto.Value
	}{
		{"nothing more", nil, true, `"y"`},
		{"typed again amid", []syncproto.Part{amid(write(3, 2, 1, 2, "review", `"z"`))}, true, `"z"`},
		{"typed again, the dispute not shown", []syncproto.Part{write(3, 2, 1, 2, "review", `"z"`)}, false, `"z"`},
		{"typed the other's value", []syncproto.Part{amid(write(3, 2, 1, 2, "review", `"y"`))}, false, `"y"`},
		{"typed the other's value in full width", []syncproto.Part{amid(write(3, 2, 1, 2, "review", `"ｙ"`))}, false, `"ｙ"`},
		{"a third types amid", []syncproto.Part{amid(write(3, 2, 3, 1, "review", `"z"`))}, true, `"z"`},
		{"a third decides", []syncproto.Part{decision(amid(write(3, 2, 3, 1, "review", `"z"`)))}, false, `"z"`},
		{"a third decides on one of them only", []syncproto.Part{decision(write(3, 1, 3, 1, "review", `"z"`))}, true, `"z"`},
		{"two decide unaware of each other", []syncproto.Part{
			decision(write(3, 2, 3, 1, "review", `"x"`)), decision(write(4, 2, 4, 1, "review", `"y"`)),
		}, true, `"y"`},
		{"two decide alike", []syncproto.Part{
			decision(write(3, 2, 3, 1, "review", `"x"`)), decision(write(4, 2, 4, 1, "review", `"x"`)),
		}, false, `"x"`},
	}
	for _, c := range cases {
		view := merge.Show(f, merge.Fold(f, append([]syncproto.Part{one, two}, c.then...)))
		got := view.Fields["review"]
		if got.Disputed != c.disputed || got.Value != c.shows {
			t.Errorf("%s: shows %s, disputed %v", c.name, got.Value, got.Disputed)
		}
	}
}

func TestTheSevererShowsWhateverTheClocksSay(t *testing.T) {
	f := thing(t)
	fever, normal := write(1, 0, 1, 1, "severest", "39"), write(2, 0, 2, 1, "severest", "37")
	for _, parts := range [][]syncproto.Part{{fever, normal}, {write(2, 0, 1, 1, "severest", "39"), write(1, 0, 2, 1, "severest", "37")}} {
		view := merge.Show(f, merge.Fold(f, parts))
		if got := view.Fields["severest"]; got.Value != "39" || !got.Disputed {
			t.Errorf("shows %+v", got)
		}
	}
	lowered := write(2, 1, 2, 1, "severest", "37")
	view := merge.Show(f, merge.Fold(f, []syncproto.Part{fever, lowered}))
	if got := view.Fields["severest"]; got.Value != "37" || got.Disputed {
		t.Errorf("lowered by one who saw it: %+v", got)
	}
}

func TestMembersComeAndGoOneByOne(t *testing.T) {
	f := thing(t)
	start := write(1, 0, 1, 1, "union", `["a","b"]`)
	cases := []struct {
		name  string
		then  []syncproto.Part
		shows syncproto.Value
	}{
		{"added", []syncproto.Part{write(2, 1, 2, 1, "union", `["c"]`)}, `["a","b","c"]`},
		{"removed by one who saw it", []syncproto.Part{write(2, 1, 2, 1, "union", `{"remove":["a"]}`)}, `["b"]`},
		{"removed by one who did not", []syncproto.Part{write(2, 0, 2, 1, "union", `{"remove":["a"]}`)}, `["a","b"]`},
		{"removed and added again unseen", []syncproto.Part{
			write(2, 1, 2, 1, "union", `{"remove":["a"]}`), write(3, 1, 3, 1, "union", `["a"]`),
		}, `["a","b"]`},
		{"removed, and added again by one who saw it", []syncproto.Part{
			write(2, 1, 2, 1, "union", `{"remove":["a"]}`), write(3, 2, 3, 1, "union", `["a"]`),
		}, `["a","b"]`},
		{"all removed", []syncproto.Part{write(2, 1, 2, 1, "union", `{"remove":["a","b"]}`)}, `[]`},
		{"added and removed in one breath", []syncproto.Part{write(2, 1, 2, 1, "union", `{"add":["c"],"remove":["c"]}`)}, `["a","b","c"]`},
		{"added twice", []syncproto.Part{write(2, 0, 2, 1, "union", `["a","a"]`)}, `["a","b"]`},
		{"a text from an older form", []syncproto.Part{write(2, 0, 2, 1, "union", `"c"`)}, `["a","b","c"]`},
	}
	for _, c := range cases {
		view := merge.Show(f, merge.Fold(f, append([]syncproto.Part{start}, c.then...)))
		if got := view.Fields["union"]; got.Value != c.shows || got.Disputed {
			t.Errorf("%s: shows %+v, want %s", c.name, got, c.shows)
		}
	}
}

// A form may turn a text field into a list. What was written before is no list,
// and yet stays with the record until somebody who saw it writes the field.
func TestWhatIsNoListIsKept(t *testing.T) {
	for _, v := range []syncproto.Value{"5", "null", `{"add":5}`, `[1]`, "true", "[]"} {
		if got := live(t, "union", write(1, 0, 1, 1, "union", v), write(2, 0, 2, 1, "union", `["a"]`)); len(got) != 2 || got[0] != v {
			t.Errorf("of %s there is %v", v, got)
		}
		if got := live(t, "union", write(1, 0, 1, 1, "union", v), write(2, 1, 2, 1, "union", `["a"]`)); len(got) != 1 {
			t.Errorf("of %s, seen and written over, there is %v", v, got)
		}
	}
}

const moved = `{"reason":"moved","date":"2020-03-01"}`

func TestAnExitThatMeetsAnEditIsAQuestion(t *testing.T) {
	f := thing(t)
	start := write(1, 0, 1, 1, "review", `"x"`)
	exit := write(2, 1, 2, 1, syncproto.FieldExit, moved)
	cases := []struct {
		name     string
		then     []syncproto.Part
		disputed bool
		left     bool
	}{
		{"nobody was working on it", []syncproto.Part{exit}, false, true},
		{"an edit unseen", []syncproto.Part{exit, write(3, 1, 3, 1, "latest", `"y"`)}, true, false},
		{"an edit before, unseen by the exit", []syncproto.Part{write(2, 1, 3, 1, "latest", `"y"`), write(3, 1, 2, 1, syncproto.FieldExit, moved)}, true, false},
		{"the exit's own author edits elsewhere", []syncproto.Part{exit, by(2, write(3, 1, 3, 1, "latest", `"y"`))}, false, true},
		{"an edit by one who saw the exit", []syncproto.Part{exit, write(3, 2, 3, 1, "latest", `"y"`)}, false, true},
		{"the edit was replaced by one who saw both", []syncproto.Part{exit, write(3, 1, 3, 1, "latest", `"y"`), write(4, 3, 4, 1, "latest", `"z"`)}, false, true},
		{"two say the same", []syncproto.Part{exit, write(3, 1, 3, 1, syncproto.FieldExit, moved)}, false, true},
		{"two say different things", []syncproto.Part{exit, write(3, 1, 3, 1, syncproto.FieldExit, `{"reason":"died","date":"2020-03-01"}`)}, true, false},
		{"taken back by one who saw it", []syncproto.Part{exit, write(3, 2, 3, 1, syncproto.FieldExit, "null")}, false, false},
		{"a decision after both", []syncproto.Part{exit, write(3, 1, 3, 1, "latest", `"y"`), decision(write(4, 3, 4, 1, syncproto.FieldExit, moved))}, false, true},
	}
	for _, c := range cases {
		view := merge.Show(f, merge.Fold(f, append([]syncproto.Part{start}, c.then...)))
		if got := view.Fields[syncproto.FieldExit].Disputed; got != c.disputed || (view.Exit != nil) != c.left {
			t.Errorf("%s: disputed %v, left %v", c.name, got, view.Exit)
		}
	}
}

func TestRepeatedChangesCountOnce(t *testing.T) {
	f := thing(t)
	p := write(3, 0, 1, 1, "review", `"x"`)
	waiting := p
	waiting.Version = merge.Pending
	got := merge.Fold(f, []syncproto.Part{waiting, p, write(4, 0, 2, 1, "review", `"y"`), p})
	if len(got) != 2 || got[0].Version != 3 || got[1].Version != 4 {
		t.Errorf("one change is there %d times: %+v", len(got), got)
	}
}

func TestFoldLeavesItsArgumentsAlone(t *testing.T) {
	parts := []syncproto.Part{write(2, 1, 2, 1, "union", `{"remove":["a"]}`), write(1, 0, 1, 1, "union", `["a","b"]`)}
	before := []syncproto.Part{write(2, 1, 2, 1, "union", `{"remove":["a"]}`), write(1, 0, 1, 1, "union", `["a","b"]`)}
	live := merge.Fold(thing(t), parts)
	live[0].Fields["union"] = "changed"
	if !reflect.DeepEqual(parts, before) {
		t.Errorf("altered: %+v", parts)
	}
}

func TestAnOutcomeIsWhatAPersonWouldSay(t *testing.T) {
	f := thing(t)
	start := write(1, 0, 1, 1, "review", `"x"`)
	exit := write(2, 1, 2, 1, syncproto.FieldExit, moved)
	cases := []struct {
		name   string
		before []syncproto.Part
		change syncproto.Part
		want   syncproto.Outcome
	}{
		{"the first", nil, start, syncproto.Applied},
		{"seen and written over", []syncproto.Part{start}, write(2, 1, 2, 1, "review", `"y"`), syncproto.Applied},
		{"beside another", []syncproto.Part{start}, write(2, 0, 2, 1, "latest", `"y"`), syncproto.Merged},
		{"against another", []syncproto.Part{start}, write(2, 0, 2, 1, "review", `"y"`), syncproto.Disputed},
		{"the same as another", []syncproto.Part{start}, write(2, 0, 2, 1, "review", `"x"`), syncproto.Merged},
		{"an edit that meets an exit", []syncproto.Part{start, exit}, write(3, 1, 3, 1, "latest", `"y"`), syncproto.Disputed},
		{"an exit that meets an edit", []syncproto.Part{start, write(2, 1, 3, 1, "latest", `"y"`)}, write(3, 1, 2, 1, syncproto.FieldExit, moved), syncproto.Disputed},
		{"an exit that meets nothing", []syncproto.Part{start}, exit, syncproto.Applied},
		{"late, and replaced already by its own device", []syncproto.Part{start, exit, write(3, 2, 3, 2, "latest", `"z"`)}, write(4, 1, 3, 1, "latest", `"y"`), syncproto.Merged},
	}
	for _, c := range cases {
		live := merge.Fold(f, append(slices.Clone(c.before), c.change))
		if got := merge.Outcome(live, merge.Show(f, live), &c.change); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestWithoutAFormEveryFieldIsReviewed(t *testing.T) {
	parts := []syncproto.Part{write(1, 0, 1, 1, "mood", `"x"`), write(2, 0, 2, 1, "mood", `"y"`)}
	view := merge.Show(nil, merge.Fold(nil, parts))
	if got := view.Fields["mood"]; !got.Disputed || got.Value != `"y"` {
		t.Errorf("shows %+v", got)
	}
}
