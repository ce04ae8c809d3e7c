package form_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gridsync/syncproto"
	"gridsync/syncproto/expr"
	"gridsync/syncproto/form"
)

// Where nobody has set another threshold, the newest forms count what the first counted.
func TestANewVersionWithoutSettingsCountsWhatTheFirstDid(t *testing.T) {
	set, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	for kind, value := range map[syncproto.Kind]string{"temperature": "value", "passage": "temperature"} {
		first, second := set.Version(kind, 1), set.Version(kind, 2)
		moment := second.Moment
		rapid.Check(t, func(t *rapid.T) {
			shown := syncproto.Fields{
				value:  syncproto.Value(rapid.SampledFrom([]string{"null", "37.2", "37.29999999999", "37.3", "37.30", "3.73e1", "38", `"38"`}).Draw(t, "value")),
				moment: syncproto.Value(rapid.SampledFrom([]string{"null", "1580400000000"}).Draw(t, "moment")),
			}
			if got, want := second.FlagsOf(shown, nil), first.FlagsOf(shown, nil); !slices.Equal(got, want) && string(shown[value]) != `"38"` {
				t.Fatalf("%v raises %v, and raised %v", shown, got, want)
			}
			if got, want := second.Counts(shown, nil, nil), first.Counts(shown, nil, nil); !slices.Equal(got, want) && string(shown[value]) != `"38"` {
				t.Fatalf("%v counts %v, and counted %v", shown, got, want)
			}
		})
		if err := form.Compatible(first, second); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if !slices.Equal(second.Settings(), []string{"fever_threshold"}) || first.Settings() != nil {
			t.Errorf("%s asks for %v", kind, second.Settings())
		}
	}
}

func TestTheThresholdOfTheAreaCounts(t *testing.T) {
	set, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	f := set.Newest("temperature")
	shown := syncproto.Fields{"value": "37.4", "taken_at": "1580400000000"}
	if got := f.FlagsOf(shown, thresholds("37.5")); got != nil {
		t.Errorf("under a threshold of 37.5 it raises %v", got)
	}
	if got := f.FlagsOf(shown, thresholds("37.3")); !slices.Equal(got, []string{"fever"}) {
		t.Errorf("under a threshold of 37.3 it raises %v", got)
	}
	if got := f.Counts(shown, nil, thresholds("37.5")); len(got) != 1 {
		t.Errorf("under a threshold of 37.5 it counts %v", got)
	}
}

// Every version that comes with the program follows the one before it.
func TestEveryVersionThatComesWithTheProgramFollowsTheOneBefore(t *testing.T) {
	set, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, f := range set.All() {
		if f.Version == 1 {
			continue
		}
		seen++
		before := set.Version(f.Kind, f.Version-1)
		if f.Kind == "round" && f.Version == 2 && before.Stream == form.Roster && f.Stream == form.Broadcast {
			continue // the program that brought it put its records into the other feed
		}
		if err := form.Compatible(before, f); err != nil {
			t.Errorf("%s/%d: %v", f.Kind, f.Version, err)
		}
	}
	if seen < 2 {
		t.Errorf("only %d later versions", seen)
	}
}

// Ratios are of measures that there are.
func TestARatioIsOfMeasuresThatThereAre(t *testing.T) {
	set, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	measures := map[string]bool{}
	for _, kind := range set.Kinds() {
		for _, m := range set.Newest(kind).Measures {
			measures[m.Name] = true
		}
	}
	ratios := 0
	for _, kind := range set.Kinds() {
		for _, r := range set.Newest(kind).Ratios {
			ratios++
			if !measures[r.Of] || !measures[r.Per] || r.Label.ZH == "" || r.Label.EN == "" {
				t.Errorf("%s: %+v", kind, r)
			}
		}
	}
	if ratios < 2 {
		t.Errorf("only %d ratios", ratios)
	}
}

func TestAFaultyFormulaSaysWhereAndWhyInBothLanguages(t *testing.T) {
	_, err := form.Parse([]byte(definition(field("a", "text", "latest", `,"relevant":"${b} = 1"`), "")))
	var problem *expr.Problem
	if !errors.As(err, &problem) || problem.At != 1 || problem.Near != "b" {
		t.Fatalf("%v", err)
	}
	if said := problem.Message(); !strings.Contains(said.ZH, "没有这个栏目") || !strings.Contains(said.EN, "no such field") {
		t.Errorf("it says %+v", said)
	}
}

func TestWhatIsAskedFollowsTheAnswers(t *testing.T) {
	f := define(t, field("ill", "boolean", "latest", "")+","+field("since", "date", "latest", `,"relevant":"${ill}"`)+","+
		field("sum", "integer", "latest", `,"calculate":"today() - ${since}"`)+","+field("old", "text", "latest", `,"retired":true`), "")
	since, _ := f.Field("since")
	old, _ := f.Field("old")
	sum, _ := f.Field("sum")
	o := form.Occasion{At: 1580400000000}
	ill := syncproto.Fields{"ill": "true", "since": `"2020-01-30"`}
	if !f.Relevant(since, ill, o) || f.Relevant(since, syncproto.Fields{"ill": "false"}, o) || f.Relevant(old, ill, o) {
		t.Error("the wrong fields are asked")
	}
	if got := f.Computed(sum, ill, o); got != "1" {
		t.Errorf("computed %s", got)
	}
	if got := f.Computed(since, ill, o); got != syncproto.Null {
		t.Errorf("computed %s of no calculation", got)
	}
	if got := f.Unasked(syncproto.Fields{"ill": "false", "since": `"2020-01-30"`}, o); !slices.Equal(got, []string{"since"}) {
		t.Errorf("unasked %v", got)
	}
	for _, asked := range []syncproto.Fields{ill, {"since": `"2020-01-30"`}, {"ill": "false", "since": "null"}} {
		if got := f.Unasked(asked, o); len(got) > 0 {
			t.Errorf("%v: unasked %v", asked, got)
		}
	}
}

// Who isn't shown a value is told nothing that would follow from it.
func TestNothingIsRemarkedByWhatIsMasked(t *testing.T) {
	f := define(t, field("n", "integer", "latest", `,"constraint":". > 3"`)+","+field("m", "integer", "latest", `,"relevant":"${n} > 3","constraint":". > ${n}"`), "")
	clear := syncproto.Fields{"n": "2", "m": "1"}
	if got := f.Remarks(clear, nil, form.Occasion{}); len(got) != 3 {
		t.Fatalf("%v", got)
	}
	for _, veiled := range []syncproto.Fields{{"n": `{"masked":"*"}`, "m": "1"}, {"n": `{"masked":"*"}`, "m": `{"masked":"*"}`}} {
		if got := f.Remarks(veiled, nil, form.Occasion{}); len(got) > 0 {
			t.Errorf("%v: %v", veiled, got)
		}
	}
}

func TestOnlyWhatIsCheckedByTheTimeAsksForIt(t *testing.T) {
	for more, want := range map[string]bool{
		`,"constraint":". <= today()"`:                        true,
		`,"relevant":"setting('slots_per_day') > 2"`:          true,
		`,"calculate":"today()"`:                              false,
		`,"constraint":". != '2020-01-01'"`:                   false,
		`,"relevant":"true()","hint":{"zh":"提示","en":"hint"}`: false,
	} {
		if got := define(t, field("a", "date", "latest", more), "").Asks(); got != want {
			t.Errorf("%s: %v", more, got)
		}
	}
	var none *form.Form
	if none.Asks() || none.Remarks(nil, nil, form.Occasion{}) != nil || none.Unasked(nil, form.Occasion{}) != nil {
		t.Error("no form asks for something")
	}
}

func TestAConditionIsWrittenAsItWasRead(t *testing.T) {
	for _, when := range []string{`"${a} = 'x' and ${a} != '<&>'"`, `[{"field":"a","set":true}]`, `[]`} {
		f := define(t, field("a", "text", "latest", ""), `,"flags":[{"name":"x","label":{},"when":`+when+`}]`)
		text, err := f.Flags[0].When.MarshalJSON()
		if err != nil || string(text) != when {
			t.Errorf("%s is written %s: %v", when, text, err)
		}
		if f.Flags[0].When.IsZero() != (when == "[]") {
			t.Errorf("%s is nothing", when)
		}
		if got := f.Flags[0].When.Fields(); when != "[]" && !slices.Equal(got, []string{"a"}) {
			t.Errorf("%s looks at %v", when, got)
		}
	}
}

func TestWhyAVersionCannotFollowIsSaidInBothLanguages(t *testing.T) {
	old := define(t, field("a", "text", "latest", ""), "")
	next, err := form.Parse([]byte(strings.Replace(definition(field("b", "text", "latest", ""), ""), `"version":1`, `"version":2`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	var why *form.Incompatible
	if !errors.As(form.Compatible(old, next), &why) || why.Field != "a" {
		t.Fatalf("%v", form.Compatible(old, next))
	}
	if said := why.Message(); !strings.Contains(said.ZH, "retired") || !strings.Contains(said.EN, "retire") {
		t.Errorf("it says %+v", said)
	}
}
