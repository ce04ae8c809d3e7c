package form_test

import (
	"fmt"
	"strings"
	"testing"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// define returns a form with these fields and what else its definition says.
func define(t *testing.T, fields, more string) *form.Form {
	t.Helper()
	f, err := form.Parse([]byte(definition(fields, more)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func definition(fields, more string) string {
	return `{"kind":"thing","version":1,"label":{"zh":"物","en":"Thing"},"stream":"roster","fields":[` + fields + `]` + more + `}`
}

func field(name, typ, rule, more string) string {
	return fmt.Sprintf(`{"name":%q,"type":%q,"rule":%q,"label":{"zh":"栏","en":"Field"}%s}`, name, typ, rule, more)
}

const redGreen = `,"choices":[{"code":"green","label":{"zh":"绿","en":"green"}},{"code":"red","label":{"zh":"红","en":"red"}}]`

const burst = `{"name":"c","label":{},"rule":"burst","window":10,"max":5}`

func TestAFormThatMakesNoSenseIsTurnedAway(t *testing.T) {
	day := field("day", "date", "once", "")
	cases := map[string]string{
		"no JSON":                         `{`,
		"null":                            `null`,
		"text behind it":                  definition(day, "") + `x`,
		"an unknown member":               definition(day, `,"colour":"red"`),
		"no kind":                         strings.Replace(definition(day, ""), "thing", "", 1),
		"version 0":                       strings.Replace(definition(day, ""), `"version":1`, `"version":0`, 1),
		"an unknown stream":               strings.Replace(definition(day, ""), "roster", "river", 1),
		"a field twice":                   definition(day+","+day, ""),
		"a field named area":              definition(field("area", "text", "latest", ""), ""),
		"a field named exit":              definition(field("exit", "text", "latest", ""), ""),
		"a field named same_as":           definition(field("same_as", "text", "latest", ""), ""),
		"a field named residences":        definition(field("residences", "text", "latest", ""), ""),
		"residences of its own":           definition(field("a", "residences", "union", ""), ""),
		"a field that no change may name": definition(field("住址", "text", "latest", ""), ""),
		"an unknown type":                 definition(field("a", "float", "latest", ""), ""),
		"an exit of its own":              definition(field("a", "exit", "review", ""), ""),
		"an unknown rule":                 definition(field("a", "text", "newest", ""), ""),
		"an unknown class":                definition(field("a", "text", "latest", `,"class":"public"`), ""),
		"a choice without choices":        definition(field("a", "choice", "latest", ""), ""),
		"choices without choices":         definition(field("a", "choices", "union", ""), ""),
		"a choice twice":                  definition(field("a", "choice", "latest", `,"choices":[{"code":"x","label":{}},{"code":"x","label":{}}]`), ""),
		"a ref of nothing":                definition(field("a", "ref", "latest", ""), ""),
		"refs of nothing":                 definition(field("a", "refs", "union", ""), ""),
		"a list by latest":                definition(field("a", "refs", "latest", `,"of":"person"`), ""),
		"a list by review":                definition(field("a", "choices", "review", redGreen), ""),
		"a list by once":                  definition(field("a", "choices", "once", redGreen), ""),
		"a list by severest":              definition(field("a", "choices", "severest", redGreen), ""),
		"a text by union":                 definition(field("a", "text", "union", ""), ""),
		"a text by severest":              definition(field("a", "text", "severest", ""), ""),
		"a date by severest":              definition(field("a", "date", "severest", ""), ""),
		"a time by severest":              definition(field("a", "time", "severest", ""), ""),
		"a ref by severest":               definition(field("a", "ref", "severest", `,"of":"person"`), ""),
		"least above most":                definition(field("a", "integer", "latest", `,"min":2,"max":1`), ""),
		"a flag on no field":              definition(day, `,"flags":[{"name":"x","label":{},"when":[{"field":"a","set":true}]}]`),
		"a flag with two tests":           definition(day, `,"flags":[{"name":"x","label":{},"when":[{"field":"day","set":true,"has":"y"}]}]`),
		"a flag with no test":             definition(day, `,"flags":[{"name":"x","label":{},"when":[{"field":"day"}]}]`),
		"a flag twice":                    definition(day, `,"flags":[{"name":"x","label":{},"when":[]},{"name":"x","label":{},"when":[]}]`),
		"a measure without a day":         definition(day, `,"measures":[{"name":"m","label":{},"unit":"person","day":"a"}]`),
		"a measure of no unit":            definition(day, `,"measures":[{"name":"m","label":{},"unit":"apples","day":"day"}]`),
		"a measure without a name":        definition(day, `,"measures":[{"name":"","label":{},"unit":"person","day":"day"}]`),
		"a measure twice":                 definition(day, `,"measures":[{"name":"m","label":{},"unit":"person","day":"day"},{"name":"m","label":{},"unit":"person","day":"day"}]`),
		"until of a passing thing":        definition(day, `,"measures":[{"name":"m","label":{},"unit":"person","day":"day","until":"day"}]`),
		"until that is no date":           definition(day+","+field("at", "time", "latest", ""), `,"measures":[{"name":"m","label":{},"unit":"person","day":"day","standing":true,"until":"at"}]`),
		"members of no list":              definition(day, `,"measures":[{"name":"m","label":{},"unit":"person","day":"day","per_member":"day"}]`),
		"a measure on no field":           definition(day, `,"measures":[{"name":"m","label":{},"unit":"person","day":"day","when":[{"field":"a","set":true}]}]`),
		"a match of nothing":              definition(day, `,"match":{}`),
		"a match by a field it has not":   definition(day, `,"match":{"name":"a"}`),
		"a check of no rule":              definition(day, `,"checks":[{"name":"c","label":{},"rule":"luck"}]`),
		"a check twice":                   definition(day, `,"checks":[`+burst+`,`+burst+`]`),
		"a text that is indexed":          definition(field("a", "text", "latest", `,"indexed":true`), ""),
		"sightings in no household":       definition(field("r", "ref", "latest", `,"of":"round"`)+","+field("p", "refs", "union", `,"of":"person"`), `,"sightings":{"round":"r","subjects":"p","household":"p","outcome":"p"}`),
		"sightings in no round":           definition(day, `,"sightings":{"round":"day","subjects":"day"}`),
	}
	for name, source := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := form.Parse([]byte(source)); err == nil {
				t.Errorf("taken: %s", source)
			}
		})
	}
}

func TestEveryTypeGoesWithTheRulesThatFitIt(t *testing.T) {
	more := map[form.Type]string{form.Choice: redGreen, form.Choices: redGreen, form.Ref: `,"of":"person"`, form.Refs: `,"of":"person"`}
	ordered := map[form.Type]bool{form.Integer: true, form.Decimal: true, form.Boolean: true, form.Choice: true}
	many := map[form.Type]bool{form.Choices: true, form.Refs: true}
	for _, typ := range []form.Type{
		form.Text, form.Integer, form.Decimal, form.Boolean, form.Date, form.Time, form.Choice,
		form.Choices, form.Ref, form.Refs, form.IDNumber, form.Mobile, form.AreaCode,
	} {
		for _, rule := range []form.Rule{form.Latest, form.Review, form.Severest, form.Union, form.Once} {
			fits := many[typ] == (rule == form.Union) && (rule != form.Severest || ordered[typ])
			_, err := form.Parse([]byte(definition(field("a", string(typ), string(rule), more[typ]), "")))
			if (err == nil) != fits {
				t.Errorf("%s by %s: %v", typ, rule, err)
			}
		}
	}
}

func TestABuiltInFormSpeaksBothLanguages(t *testing.T) {
	set, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	measures := map[string]syncproto.Kind{}
	for _, f := range set.All() {
		said := func(what string, label syncproto.Text) {
			if strings.TrimSpace(label.ZH) == "" || strings.TrimSpace(label.EN) == "" {
				t.Errorf("%s: %s: label %+v", f.Kind, what, label)
			}
		}
		said("the form", f.Label)
		for _, x := range f.Fields {
			said(x.Name, x.Label)
			for _, o := range x.Choices {
				said(x.Name+" "+o.Code, o.Label)
			}
		}
		for _, x := range f.Flags {
			said("flag "+x.Name, x.Label)
		}
		for _, m := range f.Measures {
			said("measure "+m.Name, m.Label)
			if other, twice := measures[m.Name]; twice && other != f.Kind || m.Unit == "" {
				t.Errorf("measure %s: another kind has it already, or it has no unit", m.Name)
			}
			measures[m.Name] = f.Kind
		}
		for name, rule := range map[string]form.Rule{
			syncproto.FieldArea: form.Review, syncproto.FieldExit: form.Review,
			syncproto.FieldSameAs: form.Review, syncproto.FieldResidences: form.Union,
		} {
			own, ok := f.Field(name)
			if !ok || own.Rule != rule || own.Name != name {
				t.Errorf("%s: %s is not a standing field by %s", f.Kind, name, rule)
			}
			said(name, own.Label)
		}
	}
}

func TestARecordWithoutAFormIsStillARecord(t *testing.T) {
	var f *form.Form
	fields := syncproto.Fields{"mood": `"good"`, "area": `"330702"`}
	if e := f.Check(fields, true, form.Occasion{}); e != nil {
		t.Error(e)
	}
	if e := f.Check(syncproto.Fields{"area": `"a b"`}, true, form.Occasion{}); e == nil {
		t.Error("no area's code, and taken")
	}
	if got := f.UnknownFields(fields); len(got) != 1 || got[0] != "mood" {
		t.Errorf("unknown: %v", got)
	}
	if f.Counts(fields, nil, nil) != nil || f.FlagsOf(fields, nil) != nil || f.Source() != nil {
		t.Error("something counts or alarms without a form")
	}
	if _, subjects := f.Seen(fields, nil); subjects != nil {
		t.Error("somebody was seen without a form")
	}
}

func TestNoRecordIsEverNowhere(t *testing.T) {
	f := define(t, field("a", "text", "latest", ""), "")
	if e := f.Check(syncproto.Fields{syncproto.FieldArea: syncproto.Null}, false, form.Occasion{}); e == nil || e.Field != syncproto.FieldArea {
		t.Errorf("an area was cleared: %v", e)
	}
	if e := f.Check(syncproto.Fields{syncproto.FieldExit: syncproto.Null}, false, form.Occasion{}); e != nil {
		t.Errorf("an exit can't be taken back: %v", e)
	}
}

func TestAFormSaysWhatIsDecidedWhatMatchesAndWhatIsHardToBelieve(t *testing.T) {
	f := define(t, field("name", "text", "review", ""), `,"decided":true,"match":{"name":"name"},"checks":[`+burst+`]`)
	if !f.Decided || f.Match == nil || f.Match.Name != "name" || len(f.Checks) != 1 || f.Checks[0].Window != 10 {
		t.Errorf("read %+v, %+v and %+v", f.Decided, f.Match, f.Checks)
	}
}

func TestTheSetShowsByItsNewestForm(t *testing.T) {
	var set form.Set
	one := define(t, field("a", "text", "latest", ""), "")
	two, err := form.Parse([]byte(strings.Replace(string(one.Source()), `"version":1`, `"version":2`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if set.Has("thing") || set.Newest("thing") != nil || set.Version("thing", 1) != nil {
		t.Error("an empty set has something")
	}
	both := set.With(two).With(one)
	if both.Newest("thing") != two || both.Version("thing", 1) != one || both.Version("thing", 3) != nil || !both.Has("thing") {
		t.Errorf("versions are mixed up: %v", both.All())
	}
	if again := both.With(one); len(again.All()) != 2 || len(set.All()) != 0 {
		t.Error("a form added twice is there twice, or a set was altered")
	}
}
