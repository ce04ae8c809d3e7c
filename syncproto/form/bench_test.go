package form_test

import (
	"testing"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// pair returns a form whose flag is a list of tests, and one whose flag is a formula that
// says the same.
func pair(b *testing.B, tests, formula string) (list, text *form.Form) {
	b.Helper()
	fields := field("value", "decimal", "severest", "") + "," + field("code", "choice", "severest", redGreen) + "," + field("at", "time", "once", "")
	parse := func(when string) *form.Form {
		f, err := form.Parse([]byte(definition(fields, `,"moment":"at","flags":[{"name":"x","label":{},"when":`+when+`}]`)))
		if err != nil {
			b.Fatal(err)
		}
		return f
	}
	return parse(tests), parse(formula)
}

// thresholds is an area in which somebody has set a threshold.
type thresholds syncproto.Value

func (t thresholds) Setting(string, form.Day) syncproto.Value { return syncproto.Value(t) }

// BenchmarkConditions sets what a formula costs beside the list of tests that it replaces.
func BenchmarkConditions(b *testing.B) {
	shown := syncproto.Fields{"value": "36.6", "code": `"green"`, "at": "1580000000000"}
	for _, c := range []struct {
		name, tests, formula string
		env                  form.Env
	}{
		{"threshold", `[{"field":"value","at_least":37.3}]`, `"${value} >= 37.3"`, nil},
		{"setting by default", `[{"field":"value","at_least":37.3}]`, `"${value} >= setting('fever_threshold')"`, nil},
		{"setting", `[{"field":"value","at_least":37.3}]`, `"${value} >= setting('fever_threshold')"`, thresholds("37.5")},
		{"choice", `[{"field":"code","is":["red"]}]`, `"${code} = 'red'"`, nil},
		{"set", `[{"field":"value","set":true}]`, `"${value} != ''"`, nil},
	} {
		list, text := pair(b, c.tests, c.formula)
		for _, one := range []struct {
			name string
			f    *form.Form
		}{{"list", list}, {"formula", text}} {
			b.Run(c.name+"/"+one.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					one.f.FlagsOf(shown, c.env)
				}
			})
		}
	}
}
