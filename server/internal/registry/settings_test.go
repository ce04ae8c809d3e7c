package registry_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gridsync/server/internal/area"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// A Level answers a form's questions.
var _ form.Env = (*registry.Level)(nil)

var province = []area.Node{{Key: 1, ID: "33"}, {Key: 2, ID: "c1", Parent: "33"}, {Key: 3, ID: "g1", Parent: "c1"}, {Key: 4, ID: "g2", Parent: "c1"}}

func treeOf(t interface{ Fatal(...any) }, nodes ...area.Node) *area.Tree {
	tree, err := area.NewTree(nodes)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestWhatIsSetAboveHoldsBelowUntilSomethingNearerIsSet(t *testing.T) {
	settings := registry.NewSettings(treeOf(t, province...), []registry.Setting{
		{Area: "33", Name: "n", From: 20200110, Value: "1"},
		{Area: "33", Name: "n", From: 20200120, Value: "2"},
		{Area: "g1", Name: "n", From: 20200115, Value: "3"},
		{Area: "g1", Name: "n", From: 20200125, Value: syncproto.Null},
		{Area: "g1", Name: "n", From: 20200117, Value: "8"},
		{Area: "g1", Name: "n", From: 20200117, Value: "4"},
		{Area: "nowhere", Name: "n", From: 20200101, Value: "9"},
	})
	for _, c := range []struct {
		at   syncproto.AreaID
		day  form.Day
		want string
		from syncproto.AreaID
	}{
		{"33", 20200109, "null", ""},
		{"33", 20200110, "1", "33"},
		{"g2", 20200119, "1", "33"},
		{"g2", 20200120, "2", "33"},
		{"g1", 20200114, "1", "33"},
		{"g1", 20200115, "3", "g1"},
		{"g1", 20200117, "4", "g1"},
		{"g1", 20200124, "4", "g1"},
		{"g1", 20200125, "2", "33"},
		{"g1", 0, "null", ""},
		{"elsewhere", 20200125, "null", ""},
	} {
		got, from := settings.Of(c.at).Find("n", c.day)
		if string(got) != c.want || from != c.from {
			t.Errorf("%s on %s: %s from %q, want %s from %q", c.at, c.day, got, from, c.want, c.from)
		}
	}
	if got := settings.Of("g1").Setting("m", 20200125); !got.IsNull() {
		t.Errorf("what nobody has set is %s", got)
	}
	want := []registry.Period{{"n", 20200115, "3"}, {"n", 20200117, "4"}, {"n", 20200125, "null"}}
	if got := settings.Own("g1"); !slices.Equal(got, want) {
		t.Errorf("own %v", got)
	}
	if got := settings.Own("g2"); got != nil {
		t.Errorf("of one that has nothing of its own %v", got)
	}
	want = []registry.Period{{"n", 20200110, "1"}, {"n", 20200115, "3"}, {"n", 20200117, "4"}, {"n", 20200125, "2"}}
	if got := settings.Of("g1").Periods(); !slices.Equal(got, want) {
		t.Errorf("periods %v", got)
	}
}

func TestNobodyHasToHaveSetAnything(t *testing.T) {
	var none *registry.Settings
	if got := none.Of("33").Setting("n", 20200101); !got.IsNull() || none.Said() != nil || none.Own("33") != nil || none.Of("33").Periods() != nil {
		t.Errorf("%s", got)
	}
}

func TestAskingWhatHoldsTakesNoMemory(t *testing.T) {
	settings := registry.NewSettings(treeOf(t, province...), []registry.Setting{{Area: "33", Name: "n", From: 1, Value: "1"}})
	var env form.Env
	if n := testing.AllocsPerRun(100, func() {
		env = settings.Of("g1")
		if env.Setting("n", 20200101) != "1" {
			t.Fatal("not set")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A slow reading of what was said: the last word of the nearest area that has one.
func slowly(tree *area.Tree, said []registry.Setting, id syncproto.AreaID, name string, day form.Day) syncproto.Value {
	path := tree.Path(id)
	slices.Reverse(path)
	for _, n := range path {
		value, from := syncproto.Null, form.Day(-1)
		for _, s := range said {
			if s.Area == n.ID && s.Name == name && s.From <= day && s.From >= from {
				value, from = s.Value, s.From
			}
		}
		if !value.IsNull() {
			return value
		}
	}
	return syncproto.Null
}

func TestWhatHoldsIsTheLastWordOfTheNearest(t *testing.T) {
	tree := treeOf(t, province...)
	rapid.Check(t, func(t *rapid.T) {
		var said []registry.Setting
		for range rapid.IntRange(0, 12).Draw(t, "said") {
			value := syncproto.Value(fmt.Sprint(len(said)))
			if rapid.IntRange(0, 3).Draw(t, "null") == 0 {
				value = syncproto.Null
			}
			said = append(said, registry.Setting{
				Area: rapid.SampledFrom([]syncproto.AreaID{"33", "c1", "g1", "g2"}).Draw(t, "area"), Name: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name"),
				From: form.Day(rapid.IntRange(1, 5).Draw(t, "from")), Value: value,
			})
		}
		settings := registry.NewSettings(tree, said)
		for _, n := range province {
			for day := range form.Day(7) {
				if got, want := settings.Of(n.ID).Setting("a", day), slowly(tree, said, n.ID, "a", day); got != want {
					t.Fatalf("%s on day %d: %s, want %s", n.ID, day, got, want)
				}
			}
		}
	})
}
