package form_test

import (
	"encoding/json"
	"testing"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// perDay adds up what is there at the end of each day on which anything changes.
func perDay(counts []form.Count) map[form.Day]int64 {
	sums := map[form.Day]int64{}
	for _, at := range counts {
		sums[at.Day] = 0
		for _, c := range counts {
			if c.Day <= at.Day {
				sums[at.Day] += c.N
			}
		}
	}
	return sums
}

// FuzzFormParse holds that a definition that is taken can be used: no value
// makes it panic, and its source is a definition again.
func FuzzFormParse(f *testing.F) {
	// The seeds are small: the fuzzer cuts down each find, and the larger the seed the longer it cuts.
	f.Add([]byte(definition(field("day", "date", "once", "")+","+field("l", "refs", "union", `,"of":"person"`)+","+field("r", "ref", "review", `,"of":"round"`),
		`,"decided":true,"match":{"event":["day","r"]},"checks":[{"name":"c","label":{},"rule":"burst","window":10,"max":5}],"measures":[{"name":"m","label":{},"unit":"person","day":"day","standing":true,"until":"day","per_member":"l"}],"sightings":{"round":"r","subjects":"l"}`)), `"2020-01-31"`)
	f.Add([]byte(definition(field("a", "text", "latest", `,"max":1e300`), "")), `"x"`)
	f.Add([]byte(definition(field("a", "integer", "severest", `,"min":-1e300`), `,"flags":[{"name":"x","label":{},"when":[{"field":"a","at_least":1e-300}]}]`)), "1e30")
	f.Add([]byte(definition(field("found", "date", "once", "")+","+field("until", "date", "latest", ""), standingMeasure)), `["2020-02-27 a","2020-02-27 ?","x"]`)
	f.Add([]byte(definition(field("a", "decimal", "latest", `,"constraint":". > setting('fever_threshold')","relevant":"${at} < now()"`)+","+field("at", "time", "once", ""),
		`,"moment":"at","flags":[{"name":"x","label":{},"when":"${a} = 1"}],"measures":[{"name":"m","label":{},"unit":"item","day":"at","sum":"-${a}"}]`)), "1e3")
	f.Add([]byte(definition(field("a", "choices", "union", redGreen), "")), `{"add":["red"],"remove":[null]}`)
	f.Fuzz(func(t *testing.T, source []byte, text string) {
		parsed, err := form.Parse(source)
		if err != nil {
			return
		}
		if again, err := form.Parse(parsed.Source()); err != nil || again.Kind != parsed.Kind || !json.Valid(parsed.Source()) {
			t.Fatalf("%s is no definition again: %v", parsed.Source(), err)
		}
		if !json.Valid([]byte(text)) {
			return
		}
		var v syncproto.Value
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		fields := syncproto.Fields{"mood": v, syncproto.FieldArea: v, syncproto.FieldExit: v, syncproto.FieldSameAs: v, syncproto.FieldResidences: v}
		for i := range parsed.Fields {
			own := &parsed.Fields[i]
			fields[own.Name] = v
			if own.Rule == form.Severest && own.Severity(v, v) != 0 {
				t.Fatalf("%s is severer than itself", v)
			}
			if folded := own.Fold(v); folded == "" {
				t.Fatalf("%s folds to nothing", v)
			}
		}
		_ = parsed.Check(fields, true, form.Occasion{})
		parsed.Counts(fields, &syncproto.Exit{}, nil)
		for i := range parsed.Fields {
			if own := &parsed.Fields[i]; own.Type == form.Date {
				fields[own.Name] = `"2020-01-31"`
			}
		}
		o := form.Occasion{At: 1580400000000}
		parsed.Remarks(fields, nil, o)
		parsed.Unasked(fields, o)
		for _, m := range parsed.Measures {
			if m.Sum != "" {
				return // what is added up may be below nothing
			}
		}
		for day, n := range perDay(parsed.Counts(fields, nil, nil)) {
			if n < 0 {
				t.Fatalf("counts %d on %s with residences %s", n, day, v)
			}
		}
		parsed.FlagsOf(fields, nil)
		parsed.Seen(fields, nil)
	})
}
