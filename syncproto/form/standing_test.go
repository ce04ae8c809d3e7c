package form_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

func TestARecordTurnsOutToBeARecord(t *testing.T) {
	var f *form.Form
	for v, want := range map[syncproto.Value]bool{
		`"0193b7a2-0000-7000-8000-00000000e001"`: true,
		"null":                                   true,
		`"00000000-0000-0000-0000-000000000000"`: false,
		`"0193b7a2"`:                             false,
		`""`:                                     false,
		"7":                                      false,
	} {
		e := f.Check(syncproto.Fields{syncproto.FieldSameAs: v}, false, form.Occasion{})
		if (e == nil) != want || e != nil && e.Field != syncproto.FieldSameAs {
			t.Errorf("%s: %v", v, e)
		}
	}
}

func TestAResidenceIsADayAndAnArea(t *testing.T) {
	var f *form.Form
	for v, want := range map[syncproto.Value]bool{
		`["2020-01-27 330702001003"]`: true,
		`[]`:                          true,
		`{"add":["2020-01-27 a.b"],"remove":["0001-01-01 A-1"]}`: true,
		`["2020-01-27 330702","x"]`:                              false,
		`["2020-02-30 330702"]`:                                  false,
		`["2020-01-27"]`:                                         false,
		`["2020-01-27 "]`:                                        false,
		`["2020-01-27  330702"]`:                                 false,
		`["2020-01-27 330702 "]`:                                 false,
		`["2020-01-27 123456789012345678901234567890123"]`:       false,
		`"2020-01-27 330702"`:                                    false,
		"null":                                                   false,
		`{"remove":["yesterday"]}`:                               false,
	} {
		if e := f.Check(syncproto.Fields{syncproto.FieldResidences: v}, false, form.Occasion{}); (e == nil) != want {
			t.Errorf("%s: %v", v, e)
		}
	}
}

const standingMeasure = `,"measures":[{"name":"there","label":{},"unit":"person","day":"found","standing":true,"until":"until"},{"name":"found","label":{},"unit":"person","day":"found"}]`

func resident(t *testing.T) *form.Form {
	return define(t, field("found", "date", "once", "")+","+field("until", "date", "latest", ""), standingMeasure)
}

func TestWhoMovedCountsInEachPlaceUntilTheDayOfLeavingIt(t *testing.T) {
	f := resident(t)
	type c = form.Count
	cases := []struct {
		name       string
		residences syncproto.Value
		until      string
		exit       string
		want       []c
	}{
		{"never moved", "[]", "", "", []c{{"there", 20200110, 1, ""}}},
		{"moved", `["2020-01-20 a"]`, "", "", []c{{"there", 20200110, 1, "a"}, {"there", 20200120, -1, "a"}, {"there", 20200120, 1, ""}}},
		{"moved on the day it was found", `["2020-01-10 a"]`, "", "", []c{{"there", 20200110, 1, ""}}},
		{"moved before it was found", `["2020-01-09 a"]`, "", "", []c{{"there", 20200110, 1, ""}}},
		{"moved twice", `["2020-01-25 b","2020-01-20 a"]`, "", "", []c{
			{"there", 20200110, 1, "a"}, {"there", 20200120, -1, "a"}, {"there", 20200120, 1, "b"}, {"there", 20200125, -1, "b"}, {"there", 20200125, 1, ""},
		}},
		{"two say that it left on one day", `["2020-01-20 b","2020-01-20 a"]`, "", "", []c{
			{"there", 20200110, 1, "a"}, {"there", 20200120, -1, "a"}, {"there", 20200120, 1, ""},
		}},
		{"what can't be read", `["2020-01-20 a","yesterday b","2020-01-15"]`, "", "", []c{
			{"there", 20200110, 1, "a"}, {"there", 20200120, -1, "a"}, {"there", 20200120, 1, ""},
		}},
		{"no list", `"2020-01-20 a"`, "", "", []c{{"there", 20200110, 1, ""}}},
		{"left after it moved", `["2020-01-20 a"]`, "", "2020-01-30", []c{
			{"there", 20200110, 1, "a"}, {"there", 20200120, -1, "a"}, {"there", 20200120, 1, ""}, {"there", 20200130, -1, ""},
		}},
		{"left as it moved", `["2020-01-20 a"]`, "", "2020-01-20", []c{{"there", 20200110, 1, "a"}, {"there", 20200120, -1, "a"}}},
		{"left before it moved", `["2020-01-20 a","2020-01-25 b"]`, "2020-01-15", "2020-01-22", []c{
			{"there", 20200110, 1, "a"}, {"there", 20200115, -1, "a"},
		}},
		{"left before it was found", `["2020-01-20 a"]`, "", "2020-01-09", []c{{"there", 20200110, 1, ""}, {"there", 20200110, -1, ""}}},
	}
	for _, tc := range cases {
		shown := syncproto.Fields{"found": `"2020-01-10"`, syncproto.FieldResidences: tc.residences}
		if tc.until != "" {
			shown["until"] = syncproto.TextValue(tc.until)
		}
		var exit *syncproto.Exit
		if tc.exit != "" {
			exit = &syncproto.Exit{Reason: "left", Date: tc.exit}
		}
		want := slices.Concat(tc.want, []c{{"found", 20200110, 1, ""}})
		if got := f.Counts(shown, exit, nil); !slices.Equal(got, want) {
			t.Errorf("%s: counts %v, want %v", tc.name, got, want)
		}
	}
}

// Whatever people say about moving and leaving: on each day from its first until it has
// left, a record counts in one place, and in none before or after.
func TestAStandingRecordCountsInOnePlaceOnEveryDay(t *testing.T) {
	f := resident(t)
	rapid.Check(t, func(t *rapid.T) {
		day := func(what string) string { return form.Day(20200100 + rapid.IntRange(1, 20).Draw(t, what)).String() }
		found := day("found")
		var members []string
		for range rapid.IntRange(0, 5).Draw(t, "moves") {
			members = append(members, day("left")+" "+rapid.SampledFrom([]string{"a", "b", "c", "?"}).Draw(t, "area"))
		}
		shown := syncproto.Fields{"found": syncproto.TextValue(found), syncproto.FieldResidences: syncproto.ValueOf(members)}
		end := "2020-02-01"
		var exit *syncproto.Exit
		if rapid.Bool().Draw(t, "left") {
			exit = &syncproto.Exit{Reason: "left", Date: day("exit")}
			end = exit.Date
		}
		if rapid.Bool().Draw(t, "until") {
			until := day("until")
			shown["until"] = syncproto.TextValue(until)
			end = min(end, until)
		}
		counts := f.Counts(shown, exit, nil)
		for d := form.Day(20200101); d <= 20200125; d++ {
			places := map[syncproto.AreaID]int64{}
			total := int64(0)
			for _, c := range counts {
				if c.Measure == "there" && c.Day <= d {
					places[c.Area] += c.N
					total += c.N
				}
			}
			there := int64(0)
			if d.String() >= found && d.String() < end {
				there = 1
			}
			for area, n := range places {
				if n < 0 || n > 1 {
					t.Fatalf("on %s it counts %d in %q: %v", d, n, area, counts)
				}
			}
			if total != there {
				t.Fatalf("on %s it counts %d, want %d: %v", d, total, there, counts)
			}
		}
	})
}
