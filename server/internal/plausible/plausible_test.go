package plausible_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gridsync/server/internal/area"
	"gridsync/server/internal/plausible"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// built returns a form that comes with the program.
func built(t testing.TB, kind syncproto.Kind) *form.Form {
	t.Helper()
	set, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	return set.Newest(kind)
}

// made is a part that made a record.
func made(author, device byte, at syncproto.Instant) *syncproto.Part {
	return &syncproto.Part{
		Author: syncproto.AuthorID{author}, Device: syncproto.DeviceID{device},
		Stamp: syncproto.Stamp{Time: at, Earliest: at, Latest: at},
	}
}

func reading(value string, at syncproto.Instant) syncproto.Fields {
	return syncproto.Fields{"value": syncproto.Value(value), "taken_at": syncproto.ValueOf(at)}
}

const (
	minute syncproto.Instant = 60_000
	noon   syncproto.Instant = 1_580_184_000_000 // 2020-01-28 12:00 in Zone
	grid   area.Key          = 7
)

func TestATemperatureNoBodyHasIsFlagged(t *testing.T) {
	f := built(t, "temperature")
	for value, want := range map[string]bool{
		"36.6": false, "34": false, "34.0": false, "43": false, "43.00": false,
		"33.99": true, "43.01": true, "25": true, "3.66e2": true, "null": false, `"hot"`: false, "": false,
	} {
		if got := plausible.Flags(f, reading(value, noon)); slices.Contains(got, "odd_temperature") != want || len(got) > 1 {
			t.Errorf("%s: flags %v", value, got)
		}
	}
}

func TestABirthThatIsNotTheNumbersIsFlagged(t *testing.T) {
	f := built(t, "person")
	check, _ := form.IDCheck("99900119500101001")
	number := syncproto.TextValue("99900119500101001" + string(check))
	for birth, want := range map[syncproto.Value]bool{
		`"1950-01-01"`: false, `"1950-01-02"`: true, `"1905-01-01"`: true, "null": false, "": false, `"unknown"`: false,
	} {
		got := plausible.Flags(f, syncproto.Fields{"birth": birth, "id_number": number})
		if slices.Contains(got, "birth_contradicted") != want {
			t.Errorf("birth %s: flags %v", birth, got)
		}
	}
	for _, other := range []syncproto.Value{"", "null", `"99900119500101001"`, `"999001195001010010"`} {
		if got := plausible.Flags(f, syncproto.Fields{"birth": `"1950-01-02"`, "id_number": other}); len(got) > 0 {
			t.Errorf("number %s, which holds no date: flags %v", other, got)
		}
	}
}

// tally adds beats up as a store does, by bucket.
func tally(beats ...[]plausible.Beat) map[plausible.Bucket]plausible.Full {
	counts := map[plausible.Beat]int64{}
	for _, b := range slices.Concat(beats...) {
		counts[b]++
	}
	tallies := map[plausible.Bucket]plausible.Full{}
	for b, n := range counts {
		tallies[b.Bucket] = tallies[b.Bucket].With(n)
	}
	return tallies
}

// raised lists the rules of the buckets that are hard to believe, in order.
func raised(f *form.Form, tallies map[plausible.Bucket]plausible.Full) []string {
	var rules []string
	for b, all := range tallies {
		if plausible.Raised(f, b, all) {
			rules = append(rules, b.Rule)
		}
	}
	slices.Sort(rules)
	return rules
}

// series makes n records one after the other and says what they raise.
func series(t *testing.T, kind syncproto.Kind, n int, one func(i int) (*syncproto.Part, syncproto.Fields)) []string {
	t.Helper()
	f := built(t, kind)
	var beats [][]plausible.Beat
	for i := range n {
		part, shown := one(i)
		beats = append(beats, plausible.Beats(f, grid, part, shown))
	}
	return raised(f, tally(beats...))
}

func TestVisitsAreHardToBelieveFromTheThirteenthInTenMinutes(t *testing.T) {
	visit := func(i int) (*syncproto.Part, syncproto.Fields) {
		return made(1, 1, noon), syncproto.Fields{"visited_at": syncproto.ValueOf(noon + syncproto.Instant(i)*45_000)}
	}
	if got := series(t, "visit", 12, visit); len(got) > 0 {
		t.Errorf("12 visits raise %v", got)
	}
	if got := series(t, "visit", 13, visit); !slices.Equal(got, []string{"hasty_visits"}) {
		t.Errorf("13 visits raise %v", got)
	}
	two := func(i int) (*syncproto.Part, syncproto.Fields) {
		part, shown := visit(i)
		part.Author = syncproto.AuthorID{byte(i % 2)}
		return part, shown
	}
	if got := series(t, "visit", 13, two); len(got) > 0 {
		t.Errorf("13 visits of two people raise %v", got)
	}
	// Written down in the evening from paper: the time of the visit counts.
	slow := func(i int) (*syncproto.Part, syncproto.Fields) {
		return made(1, 1, noon), syncproto.Fields{"visited_at": syncproto.ValueOf(noon + syncproto.Instant(i)*2*minute)}
	}
	if got := series(t, "visit", 50, slow); len(got) > 0 {
		t.Errorf("one visit in two minutes raises %v", got)
	}
}

func TestReadingsThatAreAllAlikeAreHardToBelieve(t *testing.T) {
	// Every tenth reading differs: nine in ten are alike.
	alike := func(share int) func(i int) (*syncproto.Part, syncproto.Fields) {
		return func(i int) (*syncproto.Part, syncproto.Fields) {
			value := []string{"36.5", "36.50"}[i%2]
			if i%100 >= share {
				value = fmt.Sprintf("36.%d", 6+i%3)
			}
			return made(1, 1, noon+syncproto.Instant(i)*minute), reading(value, noon+syncproto.Instant(i)*minute)
		}
	}
	if got := series(t, "temperature", 20, alike(18)); !slices.Equal(got, []string{"even_temperatures"}) {
		t.Errorf("18 of 20 raise %v", got)
	}
	if got := series(t, "temperature", 20, alike(17)); len(got) > 0 {
		t.Errorf("17 of 20 raise %v", got)
	}
	if got := series(t, "temperature", 19, alike(100)); len(got) > 0 {
		t.Errorf("19 of 19 raise %v", got)
	}
	if got := series(t, "temperature", 60, alike(100)); !slices.Equal(got, []string{"even_temperatures"}) {
		t.Errorf("60 of 60 raise %v", got)
	}
}

func TestWhatIsTakenBackCountsNoMore(t *testing.T) {
	f := built(t, "visit")
	b := plausible.Bucket{Kind: "visit", Rule: "hasty_visits"}
	tallies := plausible.Full{Total: 13, Most: 13}
	if !plausible.Raised(f, b, tallies) {
		t.Error("13 raise nothing")
	}
	tallies = plausible.Full{Total: 12, Most: 12}
	if plausible.Raised(f, b, tallies) || plausible.Raised(f, b, plausible.Full{}) {
		t.Error("12 raise it, or nothing does")
	}
	b.Rule = "a rule that the form no longer has"
	tallies = plausible.Full{Total: 1000, Most: 1000}
	if plausible.Raised(f, b, tallies) || plausible.Raised(nil, b, tallies) {
		t.Error("a rule that is not there was broken")
	}
	even := plausible.Bucket{Kind: "temperature", Rule: "even_temperatures"}
	if plausible.Raised(built(t, "temperature"), even, plausible.Full{}) {
		t.Error("no readings are alike")
	}
}

func TestOneDeviceTypesSoManyEntriesInAMinute(t *testing.T) {
	burst := func(device func(i int) byte) func(i int) (*syncproto.Part, syncproto.Fields) {
		return func(i int) (*syncproto.Part, syncproto.Fields) {
			// Readings of a whole day, by many, entered within one minute.
			return made(byte(i), device(i), noon+syncproto.Instant(i)*400), reading("36.5", noon-syncproto.Instant(i)*5*minute)
		}
	}
	one := burst(func(int) byte { return 1 })
	if got := series(t, "temperature", 120, one); len(got) > 0 {
		t.Errorf("120 raise %v", got)
	}
	if got := series(t, "temperature", 121, one); !slices.Equal(got, []string{"burst_of_temperatures"}) {
		t.Errorf("121 raise %v", got)
	}
	if got := series(t, "temperature", 121, burst(func(i int) byte { return byte(i % 2) })); len(got) > 0 {
		t.Errorf("121 on two devices raise %v", got)
	}
}

func TestWindowsAreCutByAreaAndTime(t *testing.T) {
	f := built(t, "visit")
	at := func(key area.Key, t syncproto.Instant) plausible.Bucket {
		return plausible.Beats(f, key, made(1, 2, 0), syncproto.Fields{"visited_at": syncproto.ValueOf(t)})[0].Bucket
	}
	first := at(grid, noon)
	want := plausible.Bucket{Kind: "visit", Rule: "hasty_visits", Area: grid, Who: syncproto.AuthorID{1}.String(), Start: noon}
	if first != want {
		t.Errorf("%+v, want %+v", first, want)
	}
	if at(grid, noon+10*minute-1) != first {
		t.Error("a window of ten minutes ends early")
	}
	if at(grid, noon+10*minute) == first || at(grid, noon-1) == first || at(grid+1, noon) == first {
		t.Error("two windows are one")
	}
}

func TestWhatHasNoTimeOrNoValueHasNoShare(t *testing.T) {
	f := built(t, "temperature")
	rules := func(part *syncproto.Part, shown syncproto.Fields) string {
		var rules []string
		for _, b := range plausible.Beats(f, grid, part, shown) {
			rules = append(rules, b.Rule)
		}
		return strings.Join(rules, " ")
	}
	part := made(1, 1, noon)
	for _, c := range []struct {
		want  string
		shown syncproto.Fields
	}{
		{"even_temperatures hasty_temperatures burst_of_temperatures", reading("36.6", noon)},
		{"hasty_temperatures burst_of_temperatures", reading("null", noon)},
		{"burst_of_temperatures", syncproto.Fields{"value": "36.6"}},
		{"burst_of_temperatures", syncproto.Fields{"value": "36.6", "taken_at": `"noon"`}},
	} {
		if got := rules(part, c.shown); got != c.want {
			t.Errorf("%v beats in %s", c.shown, got)
		}
	}
	if rules(nil, reading("36.6", noon)) != "" || plausible.Beats(nil, grid, part, nil) != nil || plausible.Flags(nil, nil) != nil {
		t.Error("nothing has a share")
	}
}

func TestABucketIsReadAsItWasNamed(t *testing.T) {
	names := rapid.StringMatching(`[A-Za-z0-9._-]{1,32}`)
	rapid.Check(t, func(t *rapid.T) {
		b := plausible.Bucket{
			Kind: syncproto.Kind(names.Draw(t, "kind")),
			Rule: rapid.StringMatching(`[A-Za-z0-9._-]{1,64}`).Draw(t, "rule"),
			Area: area.Key(rapid.Uint32().Draw(t, "area")),
			Who:  syncproto.AuthorID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "who")).String(),
			// Any moment that an Instant can hold.
			Start: syncproto.Instant(rapid.Int64().Draw(t, "start")),
		}
		name := b.String()
		if got, ok := plausible.ParseBucket(name); len(name) > 200 || strings.ContainsAny(name, " \t\n") || ok != (b.Who != syncproto.AuthorID{}.String()) || ok && got != b {
			t.Errorf("%q is read as %+v, %v", name, got, ok)
		}
	})
}

func TestWhatNamesNoBucketIsNotRead(t *testing.T) {
	good := plausible.Bucket{Kind: "visit", Rule: "hasty_visits", Area: 7, Who: syncproto.AuthorID{1}.String(), Start: noon}.String()
	if _, ok := plausible.ParseBucket(good); !ok {
		t.Fatalf("%q is not read", good)
	}
	for _, bad := range []string{
		"", "visit", good + "/", good + "0x", "/" + good, strings.Replace(good, "visit", "", 1), strings.Replace(good, "/7/", "/07/", 1),
		strings.Replace(good, "/7/", "/-7/", 1), strings.Replace(good, "/7/", "/4294967296/", 1), strings.Replace(good, "0000-", "-", 1),
		strings.Replace(good, "hasty_", "hasty ", 1), "birth_contradicted", strings.Replace(good, "/15", "/+15", 1),
	} {
		if b, ok := plausible.ParseBucket(bad); ok {
			t.Errorf("%q is read as %+v", bad, b)
		}
	}
}

func BenchmarkATemperatureThatRaisesNothing(b *testing.B) {
	f, part, shown := built(b, "temperature"), made(1, 1, noon), reading("36.6", noon)
	b.ReportAllocs()
	for b.Loop() {
		plausible.Flags(f, shown)
		plausible.Beats(f, grid, part, shown)
	}
}

// A form may use a name again for a rule that looks at records one by one.
func TestARuleOfSingleRecordsRaisesNoWindow(t *testing.T) {
	b := plausible.Bucket{Kind: "temperature", Rule: "odd_temperature"}
	if plausible.Raised(built(t, "temperature"), b, plausible.Full{Total: 1000, Most: 1000}) {
		t.Error("a window of a rule that has none is hard to believe")
	}
}
