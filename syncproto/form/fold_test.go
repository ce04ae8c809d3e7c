package form_test

import (
	"testing"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

func TestSeverityGoesBothWays(t *testing.T) {
	f := define(t, field("t", "decimal", "severest", "")+","+field("code", "choice", "severest", redGreen)+","+field("pill", "boolean", "severest", ""), "")
	cases := []struct {
		field           string
		severer, milder syncproto.Value
	}{
		{"t", "37.3", "37.29"},
		{"t", "38.90", "38.89999999999999999"},
		{"t", "-1", syncproto.Null},
		{"t", "-1e30", syncproto.Null},
		{"t", `"high"`, "1e30"},
		{"t", `"high"`, "42"},
		{"code", `"red"`, `"green"`},
		{"code", `"green"`, syncproto.Null},
		{"code", `"purple"`, `"red"`},
		{"code", `" red "`, `"green"`},
		{"pill", "true", "false"},
		{"pill", "false", syncproto.Null},
		{"pill", `"maybe"`, "true"},
		{"pill", "0", "true"},
	}
	for _, c := range cases {
		field, _ := f.Field(c.field)
		if field.Severity(c.severer, c.milder) <= 0 {
			t.Errorf("%s: %s is not severer than %s", c.field, c.severer, c.milder)
		}
		if field.Severity(c.milder, c.severer) >= 0 {
			t.Errorf("%s: %s is not milder than %s", c.field, c.milder, c.severer)
		}
		if field.Severity(c.milder, c.milder) != 0 || field.Severity(c.severer, c.severer) != 0 {
			t.Errorf("%s: a value differs from itself", c.field)
		}
	}
	code, _ := f.Field("code")
	if code.Severity(`" red "`, `"red"`) != 0 {
		t.Error("one value with two ranks")
	}
}

// A bound written as 37.6 means 37.6, and not the binary fraction just above it.
func TestABoundIsTheDecimalThatTheFormWrites(t *testing.T) {
	for _, bound := range []string{"37.6", "0.1", "38.9", "37.3", "1.1", "9007199254740992"} {
		f := define(t, field("t", "decimal", "latest", `,"max":`+bound), `,"flags":[{"name":"over","label":{},"when":[{"field":"t","at_least":`+bound+`}]}]`)
		if got := f.FlagsOf(syncproto.Fields{"t": syncproto.Value(bound)}, nil); len(got) != 1 {
			t.Errorf("%s is not at least %s", bound, bound)
		}
		if e := f.Check(syncproto.Fields{"t": syncproto.Value(bound)}, false, form.Occasion{}); e != nil {
			t.Errorf("%s is over %s: %v", bound, bound, e)
		}
	}
	f := define(t, field("n", "integer", "latest", `,"max":9007199254740992`), "")
	if e := f.Check(syncproto.Fields{"n": "9007199254740993"}, false, form.Occasion{}); e == nil {
		t.Error("9007199254740993 passes for 9007199254740992")
	}
}

func TestUpperCaseIsOfLatinLettersOnly(t *testing.T) {
	f := define(t, field("id", "id_number", "latest", ""), "")
	idNumber, _ := f.Field("id")
	if idNumber.Fold(`"ı"`) == idNumber.Fold(`"I"`) {
		t.Error("a letter that isn't of ASCII was raised, which other languages do otherwise")
	}
	if idNumber.Fold(`"x"`) != idNumber.Fold(`"Ｘ"`) {
		t.Error("x is not X")
	}
}

func TestADateCountsHoweverItIsEscaped(t *testing.T) {
	f := define(t, field("day", "date", "once", ""), `,"measures":[{"name":"m","label":{},"unit":"person","day":"day"}]`)
	fields := syncproto.Fields{"day": `"2020\u002d01-31"`}
	if e := f.Check(fields, true, form.Occasion{}); e != nil {
		t.Fatal(e)
	}
	if got := f.Counts(fields, nil, nil); len(got) != 1 || got[0] != (form.Count{Measure: "m", Day: 20200131, N: 1}) {
		t.Errorf("counts %v", got)
	}
}

// A list is cleared by removing what is on it: a null would have to remove what
// its author never saw, or nothing at all.
func TestAListIsNotClearedByNull(t *testing.T) {
	f := define(t, field("a", "choices", "union", redGreen), "")
	if e := f.Check(syncproto.Fields{"a": syncproto.Null}, false, form.Occasion{}); e == nil {
		t.Error("null was taken for a list")
	}
	if e := f.Check(syncproto.Fields{"a": `{"remove":["red","green"]}`}, false, form.Occasion{}); e != nil {
		t.Error(e)
	}
}
