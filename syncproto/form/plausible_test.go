package form

import (
	"encoding/json"
	"strings"
	"testing"

	"gridsync/syncproto"
)

// entry is a form with a field of each sort that matches and checks look at.
func entry(t *testing.T) *Form {
	t.Helper()
	f, err := Parse([]byte(`{"kind":"entry","version":1,"label":{},"stream":"history","fields":[
		{"name":"name","type":"text","rule":"latest","label":{}},
		{"name":"address","type":"text","rule":"latest","label":{}},
		{"name":"id","type":"id_number","rule":"latest","label":{}},
		{"name":"mobile","type":"mobile","rule":"latest","label":{}},
		{"name":"birth","type":"date","rule":"latest","label":{}},
		{"name":"home","type":"ref","of":"household","rule":"latest","label":{}},
		{"name":"found","type":"refs","of":"person","rule":"union","label":{}},
		{"name":"value","type":"decimal","rule":"latest","label":{}},
		{"name":"at","type":"time","rule":"latest","label":{}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAMatchNamesFieldsThatFit(t *testing.T) {
	f := entry(t)
	for source, good := range map[string]bool{
		`{"id_number":"id","mobile":"mobile","name":"name","birth":"birth","household":"home"}`: true,
		`{"name":"name"}`:                      true,
		`{"address":"address"}`:                true,
		`{"event":["home","at","value"]}`:      true,
		`{}`:                                   false,
		`{"name":"nobody"}`:                    false,
		`{"name":"birth"}`:                     false,
		`{"id_number":"name"}`:                 false,
		`{"mobile":"id"}`:                      false,
		`{"birth":"at"}`:                       false,
		`{"household":"found"}`:                false,
		`{"address":"home"}`:                   false,
		`{"event":["found"]}`:                  false,
		`{"event":["at","nothing"]}`:           false,
		`{"name":"name","address":"address"}`:  false,
		`{"name":"name","event":["at"]}`:       false,
		`{"address":"address","event":["at"]}`: false,
	} {
		var m Match
		if err := json.Unmarshal([]byte(source), &m); err != nil {
			t.Fatal(err)
		}
		if err := m.check(f); (err == nil) != good {
			t.Errorf("%s: %v", source, err)
		}
	}
}

func TestACheckNamesFieldsThatFitAndBoundsThatMakeSense(t *testing.T) {
	f := entry(t)
	for source, good := range map[string]bool{
		`"rule":"range","field":"value","min":34,"max":43`:                              true,
		`"rule":"range","field":"value","max":43`:                                       true,
		`"rule":"range","field":"value"`:                                                false,
		`"rule":"range","field":"value","min":43,"max":34`:                              false,
		`"rule":"range","field":"name","min":1`:                                         false,
		`"rule":"range","field":"none","min":1`:                                         false,
		`"rule":"birth","field":"birth","against":"id"`:                                 true,
		`"rule":"birth","field":"birth"`:                                                false,
		`"rule":"birth","field":"birth","against":"name"`:                               false,
		`"rule":"birth","field":"at","against":"id"`:                                    false,
		`"rule":"pace","field":"at","window":10,"max":12`:                               true,
		`"rule":"pace","field":"birth","window":10,"max":12`:                            false,
		`"rule":"pace","field":"at","max":12`:                                           false,
		`"rule":"pace","field":"at","window":-1,"max":12`:                               false,
		`"rule":"pace","field":"at","window":10081,"max":12`:                            false,
		`"rule":"pace","field":"at","window":10`:                                        false,
		`"rule":"pace","field":"at","window":10,"max":0`:                                false,
		`"rule":"burst","window":1,"max":120`:                                           true,
		`"rule":"burst","max":120`:                                                      false,
		`"rule":"burst","window":1`:                                                     false,
		`"rule":"run","field":"value","time":"at","window":60,"least":20,"share":90`:    true,
		`"rule":"run","field":"value","time":"at","window":60,"least":2,"share":100`:    true,
		`"rule":"run","field":"value","time":"at","window":60,"least":1,"share":90`:     false,
		`"rule":"run","field":"value","time":"at","window":60,"least":20,"share":0`:     false,
		`"rule":"run","field":"value","time":"at","window":60,"least":20,"share":101`:   false,
		`"rule":"run","field":"value","time":"at","window":0,"least":20,"share":90`:     false,
		`"rule":"run","field":"value","time":"birth","window":60,"least":20,"share":90`: false,
		`"rule":"run","field":"found","time":"at","window":60,"least":20,"share":90`:    false,
		`"rule":"guess","field":"value"`:                                                false,
		`"rule":"burst","window":1,"max":120,"name":"has a space"`:                      false,
		`"rule":"burst","window":1,"max":120,"name":""`:                                 false,
		`"rule":"burst","window":1,"max":120,"name":"` + strings.Repeat("a", 64) + `"`:  true,
		`"rule":"burst","window":1,"max":120,"name":"` + strings.Repeat("a", 65) + `"`:  false,
	} {
		var c Check
		if err := json.Unmarshal([]byte(`{"name":"c",`+source+`}`), &c); err != nil {
			t.Fatal(err)
		}
		if err := c.check(f); (err == nil) != good {
			t.Errorf("%s: %v", source, err)
		}
	}
}

func TestTheMatchesAndChecksOfTheBuiltInFormsFit(t *testing.T) {
	set, err := BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	matches, checks := 0, 0
	for _, f := range set.All() {
		if f.Match != nil {
			matches++
			if err := f.Match.check(f); err != nil {
				t.Errorf("%s: %v", f.Kind, err)
			}
		}
		taken := names{}
		for i := range f.Checks {
			checks++
			if err := f.Checks[i].check(f); err != nil {
				t.Errorf("%s: %s: %v", f.Kind, f.Checks[i].Name, err)
			}
			if err := taken.take(f.Checks[i].Name); err != nil {
				t.Errorf("%s: %s: %v", f.Kind, f.Checks[i].Name, err)
			}
		}
	}
	if matches < 3 || checks < 6 {
		t.Errorf("%d matches and %d checks", matches, checks)
	}
}

func TestAWindowHoldsEveryMomentUpToTheNext(t *testing.T) {
	c := Check{Window: 10}
	for moment, start := range map[syncproto.Instant]syncproto.Instant{
		0: 0, 1: 0, 599_999: 0, 600_000: 600_000, 1_199_999: 600_000, -1: -600_000, -600_000: -600_000, -600_001: -1_200_000,
	} {
		if got := c.Start(moment); got != start {
			t.Errorf("%d lies in the window from %d, want %d", moment, got, start)
		}
	}
}

func TestReadingsOfOneValueAreOne(t *testing.T) {
	f, c := entry(t), Check{Field: "value"}
	read := func(v syncproto.Value) string { return c.Reading(f, syncproto.Fields{"value": v}) }
	for _, same := range [][2]syncproto.Value{{"36.6", "36.60"}, {"36.6", "3.66e1"}, {"36.6000000001", "36.60000000010"}, {`"high"`, `" high "`}} {
		if read(same[0]) != read(same[1]) || read(same[0]) == "" {
			t.Errorf("%s reads %q, %s %q", same[0], read(same[0]), same[1], read(same[1]))
		}
	}
	for _, other := range [][2]syncproto.Value{{"36.6", "36.7"}, {"36.6", "36.6000000001"}, {"36.6", `"36.6"`}, {"36.6", "-36.6"}} {
		if read(other[0]) == read(other[1]) {
			t.Errorf("%s and %s both read %q", other[0], other[1], read(other[0]))
		}
	}
	if read("") != "" || read("null") != "" {
		t.Error("nothing has a reading")
	}
}

func TestAnEventIsOneByEverythingItsFormNames(t *testing.T) {
	f, m := entry(t), &Match{Event: []string{"home", "at", "name"}}
	first := syncproto.Fields{"home": `"0193b7a2-7c1e-7d3a-9b3f-1c2d3e4f5a6b"`, "at": "1580000000000", "name": `"務"`}
	with := func(name string, v syncproto.Value) syncproto.Fields {
		other := syncproto.Fields{name: v}
		for n, was := range first {
			if n != name {
				other[n] = was
			}
		}
		return other
	}
	for _, same := range []syncproto.Fields{
		with("at", "1580000000001"), with("name", `" 务 "`), with("home", `"0193B7A2-7C1E-7D3A-9B3F-1C2D3E4F5A6B"`), with("value", "1"),
	} {
		if m.EventOf(f, same) != m.EventOf(f, first) {
			t.Errorf("%v is another event", same)
		}
	}
	for _, other := range []syncproto.Fields{
		with("at", "1580100000000"), with("name", `"王"`), with("home", `"0193b7a2-7c1e-7d3a-9b3f-1c2d3e4f5a6c"`),
	} {
		if e := m.EventOf(f, other); e == m.EventOf(f, first) || e == "" {
			t.Errorf("%v is event %q", other, e)
		}
	}
	for _, none := range []syncproto.Fields{with("at", ""), with("name", "null"), {}} {
		if e := m.EventOf(f, none); e != "" {
			t.Errorf("%v is event %q", none, e)
		}
	}
}

func TestABirthIsReadFromAValidNumberOnly(t *testing.T) {
	check, _ := IDCheck("99900119500101001")
	number := "99900119500101001" + string(check)
	if day, ok := BirthIn(number); !ok || day != 19500101 {
		t.Errorf("%s: %v %v", number, day, ok)
	}
	for _, bad := range []string{"", number[:17], number[:16] + "9" + number[17:], "999001195013010010"} {
		if day, ok := BirthIn(bad); ok {
			t.Errorf("%s holds %v", bad, day)
		}
	}
}
