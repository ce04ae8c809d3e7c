package match

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// testDigester has a key of 32 bytes 1, as no installation has.
type testDigester struct{ mac hash.Hash }

func (d testDigester) Digest(value []byte) uint64 {
	d.mac.Reset()
	d.mac.Write(value)
	return binary.BigEndian.Uint64(d.mac.Sum(nil))
}

func (testDigester) Fingerprint() uint64 { return 1 }

var digester = testDigester{hmac.New(sha256.New, bytes.Repeat([]byte{1}, 32))}

// profile is that of a person who shows these values.
func profile(t testing.TB, pairs ...string) Profile {
	t.Helper()
	return ProfileOf(built(t, "person"), show(pairs...), nil)
}

func TestWhoMayBeOnePersonIsAPairAndWhoIsNotIsNone(t *testing.T) {
	const (
		mobile, otherMobile = "99900000001", "99900000002"
		birth, otherBirth   = "1950-01-01", "1952-03-04"
	)
	id, otherID := number("19500101", "001"), number("19500101", "003")
	late := number("19520304", "001") // somebody else's, born on another day
	for _, c := range []struct {
		why  string
		a, b []string
		pair bool
	}{
		{"one number, and nothing else is alike", []string{"name", "王伟", "id_number", id, "birth", birth}, []string{"name", "李芳", "id_number", id, "birth", otherBirth}, true},
		{"one number written twice", []string{"name", "王伟", "id_number", id}, []string{"name", "王伟", "id_number", id}, true},
		{"name and birth", []string{"name", "王伟", "birth", birth}, []string{"name", "王伟", "birth", birth}, true},
		{"name, and the birth in the number", []string{"name", "王伟", "id_number", id}, []string{"name", "王偉", "birth", birth}, true},
		{"name and birth in two households", []string{"name", "王伟", "birth", birth, "household", home1}, []string{"name", "王伟", "birth", birth, "household", home2}, true},
		{"name and household", []string{"name", "王伟", "household", home1}, []string{"name", "王伟", "household", home1, "birth", birth}, true},
		{"a namesake in one household", []string{"name", "王伟", "household", home1, "birth", otherBirth}, []string{"name", "王伟", "household", home1, "birth", birth}, false},
		{"name, household and mobile: a date is wrong", []string{"name", "王伟", "household", home1, "birth", otherBirth, "mobile", mobile}, []string{"name", "王伟", "household", home1, "birth", birth, "mobile", mobile}, true},
		{"name and mobile", []string{"name", "王伟", "mobile", mobile}, []string{"name", "王伟", "mobile", "+86 " + mobile}, true},
		{"name alone", []string{"name", "王伟"}, []string{"name", "王伟"}, false},
		{"name, and different mobiles", []string{"name", "王伟", "mobile", mobile}, []string{"name", "王伟", "mobile", otherMobile}, false},
		{"name and birth, and two mobiles", []string{"name", "王伟", "birth", birth, "mobile", mobile}, []string{"name", "王伟", "birth", birth, "mobile", otherMobile}, true},

		{"sound, birth and household", []string{"name", "王伟", "birth", birth, "household", home1}, []string{"name", "王玮", "birth", birth, "household", home1}, true},
		{"sound, birth and mobile", []string{"name", "王伟", "birth", birth, "mobile", mobile}, []string{"name", "王玮", "birth", birth, "mobile", mobile}, true},
		{"sound and birth", []string{"name", "王伟", "birth", birth}, []string{"name", "王玮", "birth", birth}, false},
		{"sound and household", []string{"name", "王伟", "household", home1}, []string{"name", "王玮", "household", home1}, false},
		{"sound, household and mobile, and two births", []string{"name", "王伟", "household", home1, "mobile", mobile, "birth", birth}, []string{"name", "王玮", "household", home1, "mobile", mobile, "birth", otherBirth}, false},

		{"a name that is half read, birth and household", []string{"name", "王□", "birth", birth, "household", home1}, []string{"name", "王伟", "birth", birth, "household", home1}, true},
		{"two halves of a name, birth and mobile", []string{"name", "王□", "birth", birth, "mobile", mobile}, []string{"name", "王＊", "birth", birth, "mobile", mobile}, true},
		{"half a name and birth", []string{"name", "王□", "birth", birth}, []string{"name", "王伟", "birth", birth}, false},
		{"half another name, birth and household", []string{"name", "李□", "birth", birth, "household", home1}, []string{"name", "王伟", "birth", birth, "household", home1}, false},
		{"half a longer name, birth and household", []string{"name", "王□□", "birth", birth, "household", home1}, []string{"name", "王伟", "birth", birth, "household", home1}, false},
		{"a name nobody could read, birth and household", []string{"name", "□□", "birth", birth, "household", home1}, []string{"name", "王伟", "birth", birth, "household", home1}, true},

		{"a family's mobile", []string{"name", "王伟", "mobile", mobile, "household", home1}, []string{"name", "李芳", "mobile", mobile, "household", home1}, false},
		{"a dormitory's mobile", []string{"name", "王伟", "mobile", mobile}, []string{"name", "李芳", "mobile", mobile}, false},
		{"a birthday", []string{"name", "王伟", "birth", birth}, []string{"name", "李芳", "birth", birth}, false},
		{"twins", []string{"name", "王大", "birth", birth, "household", home1, "mobile", mobile}, []string{"name", "王小", "birth", birth, "household", home1, "mobile", mobile}, false},

		{"two numbers, name and birth", []string{"name", "王伟", "id_number", id}, []string{"name", "王伟", "id_number", otherID}, false},
		{"two numbers, name, birth and household", []string{"name", "王伟", "id_number", id, "household", home1}, []string{"name", "王伟", "id_number", otherID, "household", home1}, false},
		{"two numbers, name, mobile and household", []string{"name", "王伟", "id_number", id, "household", home1, "mobile", mobile}, []string{"name", "王伟", "id_number", late, "household", home1, "mobile", mobile}, false},
		{"two numbers, sound, birth, mobile and household", []string{"name", "王伟", "id_number", id, "household", home1, "mobile", mobile}, []string{"name", "王玮", "id_number", otherID, "household", home1, "mobile", mobile}, false},
		{"two numbers, half a name, birth, mobile and household", []string{"name", "王□", "id_number", id, "household", home1, "mobile", mobile}, []string{"name", "王□", "id_number", otherID, "household", home1, "mobile", mobile}, false},
		{"a slip in one number: name, birth and mobile", []string{"name", "王伟", "id_number", id, "mobile", mobile}, []string{"name", "王伟", "id_number", otherID, "mobile", mobile}, true},
		{"a number that is none: name and birth", []string{"name", "王伟", "id_number", id, "birth", birth}, []string{"name", "王伟", "id_number", id[:17], "birth", birth}, true},
	} {
		a, b := profile(t, c.a...), profile(t, c.b...)
		there, evidence := Score(a, b)
		back, _ := Score(b, a)
		if there >= Threshold != c.pair || there != back {
			t.Errorf("%s: %d, and back %d: %v", c.why, there, back, evidence)
		}
		if c.pair && !found(a, b) {
			t.Errorf("%s: are not found", c.why)
		}
	}
}

func TestTwoHouseholdsBehindOneDoorAreAPair(t *testing.T) {
	f := built(t, "household")
	a := ProfileOf(f, show("address", "文昌路１號２幢301室"), nil)
	b := ProfileOf(f, show("address", "文昌路1号2栋301", "head", "李芳"), nil)
	next := ProfileOf(f, show("address", "文昌路1号2栋302"), nil)
	village := ProfileOf(f, show("address", "渡架桥村"), nil)
	if score, evidence := Score(a, b); score != 60 || !slices.Equal(evidence, []Evidence{{"address", 60}}) || !found(a, b) {
		t.Errorf("one door is %d: %v", score, evidence)
	}
	if score, _ := Score(a, next); score != 0 || found(a, next) {
		t.Error("the door beside it is", score)
	}
	if score, _ := Score(village, village); score != 0 || len(village.Keys(digester)) > 0 {
		t.Error("a village is one household by", score)
	}
}

func TestWhatTwoPeopleSawOnOneDayIsOneEvent(t *testing.T) {
	x, y := syncproto.AuthorID{1}, syncproto.AuthorID{2}
	visit := func(at syncproto.Instant, outcome string, authors ...syncproto.AuthorID) Profile {
		shown := show("round", home1, "household", home2, "outcome", outcome)
		shown["visited_at"] = syncproto.ValueOf(at)
		return ProfileOf(built(t, "visit"), shown, authors)
	}
	const noon, hour = 1_580_184_000_000, 3_600_000
	first := visit(noon, "met", x)
	for why, c := range map[string]struct {
		other Profile
		want  int
	}{
		"another's, at two":               {visit(noon+2*hour, "met", y), 100},
		"another's, and a third's":        {visit(noon, "met", y, x, y), 100},
		"the same author's":               {visit(noon+2*hour, "met", x), 0},
		"another's, on another day":       {visit(noon+24*hour, "met", y), 0},
		"another's, who met nobody":       {visit(noon, "not_home", y), 0},
		"another's, who did not say what": {visit(noon, "", y), 0},
	} {
		score, evidence := Score(first, c.other)
		back, _ := Score(c.other, first)
		if score != c.want || back != c.want || score > 0 && (evidence[0].Part != "event" || !found(first, c.other)) {
			t.Errorf("%s: %d, and back %d: %v", why, score, back, evidence)
		}
	}
	if a, b := visit(noon, "met", x, y), visit(noon, "met", y, x, x); a != b {
		t.Error("the order of witnesses counts")
	}
}

func TestRecordsOfTwoKindsAreNeverOne(t *testing.T) {
	a := profile(t, "name", "王伟", "id_number", number("19500101", "001"))
	b := a
	b.Kind = "passage"
	if score, evidence := Score(a, b); score != 0 || evidence != nil || found(a, b) {
		t.Errorf("%d: %v", score, evidence)
	}
}

// The weights as they are: whoever changes one sees here what it does.
func TestEvidenceSaysWhatWasAlikeAndWhatWasNot(t *testing.T) {
	a := profile(t, "name", "王伟", "birth", "1950-01-01", "household", home1, "mobile", "99900000001")
	b := profile(t, "name", "王玮", "birth", "1950-01-10", "household", home1, "mobile", "99900000001")
	score, evidence := Score(a, b)
	want := []Evidence{{"mobile", 30}, {"sound", 20}, {"birth", -30}, {"household", 30}}
	if score != 50 || !slices.Equal(evidence, want) {
		t.Errorf("%d: %v, want %v", score, evidence, want)
	}
}

// found reports whether one of two stands where the other is looked for.
func found(a, b Profile) bool { return sees(a, b) || sees(b, a) }

func sees(a, b Profile) bool {
	return slices.ContainsFunc(a.Ranges(digester), func(r Range) bool {
		return slices.ContainsFunc(b.Keys(digester), func(k Key) bool { return r.From <= k && k <= r.To })
	})
}

// drawn draws a profile out of so few parts that many pairs share some.
func drawn(t *rapid.T, label string) Profile {
	pick := func(of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
	a, b := number("19500101", "001"), number("19500101", "003")
	return ProfileOf(people, show(
		"name", pick("", "王伟", "王玮", "王□", "□伟", "□□", "李芳", "王大伟", "王□伟"),
		"birth", pick("", "1950-01-01", "1952-03-04"),
		"household", pick("", home1, home2),
		"mobile", pick("", "99900000001", "99900000002"),
		"id_number", pick("", "", a, b),
	), nil)
}

var people = func() *form.Form {
	set, err := form.BuiltIn()
	if err != nil {
		panic(err)
	}
	return set.Newest("person")
}()

func TestEveryPairIsFoundAndScoresTheSameBothWays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawn(t, "a"), drawn(t, "b")
		there, evidence := Score(a, b)
		back, same := Score(b, a)
		if there != back || !slices.Equal(evidence, same) {
			t.Fatalf("%d %v, and back %d %v", there, evidence, back, same)
		}
		if there >= Threshold && !(sees(a, b) && sees(b, a)) {
			t.Fatalf("%+v and %+v are a pair by %v and are not found", a, b, evidence)
		}
		sum := 0
		for _, e := range evidence {
			sum += e.Points
		}
		if sum != there || len(a.Keys(digester)) > 4 || len(b.Keys(digester)) > 4 {
			t.Fatalf("%v is not %d, or %d keys are too many", evidence, there, len(a.Keys(digester)))
		}
		if a.IDNumber != "" && a.IDNumber == b.IDNumber && there < Threshold {
			t.Fatalf("one number is %d: %v", there, evidence)
		}
	})
}

// Keys are stored: a database written by one release is read by the next.
func TestKeysStayWhatTheyWere(t *testing.T) {
	visit := show("round", home1, "household", home2, "outcome", "met")
	visit["visited_at"] = "1580184000000"
	for _, c := range []struct {
		profile Profile
		want    []Key
	}{
		{
			profile(t, "name", "王伟", "birth", "1950-01-01", "household", home1, "mobile", "99900000001", "id_number", number("19500101", "001")),
			[]Key{15001029181579779191, 9220465780693623700, 2439768743552635893, 4924871988210455541},
		},
		{profile(t, "name", "王□", "birth", "1950-01-01", "household", home1), []Key{3329621619054422123, 14190443636792174699}},
		{ProfileOf(built(t, "household"), show("address", "文昌路1号2栋301"), nil), []Key{14385493313581715867}},
		{ProfileOf(built(t, "visit"), visit, []syncproto.AuthorID{{1}}), []Key{7585610671899740296}},
	} {
		if got := c.profile.Keys(digester); !slices.Equal(got, c.want) {
			t.Errorf("%+v: keys %d, want %d", c.profile, got, c.want)
		}
	}
}

func TestKeysOfDifferentPeopleDiffer(t *testing.T) {
	taken := map[Key]string{}
	for _, surname := range strings.Split("王李张刘陈杨赵黄周吴", "") {
		for _, given := range strings.Split("伟芳娜敏静丽强磊军洋", "") {
			for _, birth := range []string{"1950-01-01", "1950-01-02", "1950-02-01"} {
				p := profile(t, "name", surname+given, "birth", birth)
				for _, k := range p.Keys(digester) {
					if before := taken[k]; before != "" && before != p.Sound+p.Birth {
						t.Errorf("%s and %s share a key", before, p.Sound+p.Birth)
					}
					taken[k] = p.Sound + p.Birth
				}
			}
		}
	}
}

// Names and addresses are whatever people type.
func TestAnyTextHasAProfile(t *testing.T) {
	household := built(t, "household")
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.OneOf(rapid.Rune(), rapid.SampledFrom([]rune("王□*一十百〇号栋单元#- 12aA（）"))))
		person := func() Profile {
			return ProfileOf(people, show("name", text.Draw(t, "name"), "birth", "1950-01-01", "mobile", text.Draw(t, "mobile")), nil)
		}
		a, b := person(), person()
		there, _ := Score(a, b)
		back, _ := Score(b, a)
		if there != back || there >= Threshold && !(sees(a, b) && sees(b, a)) {
			t.Fatalf("%+v and %+v: %d, and back %d", a, b, there, back)
		}
		if again := foldName(a.Name); again != a.Name {
			t.Fatalf("%q folds again to %q", a.Name, again)
		}
		door := ProfileOf(household, show("address", text.Draw(t, "address")), nil).Address
		if strings.ContainsAny(door, " #()") || strings.Contains(door, "--") || strings.Trim(door, "-") != door {
			t.Fatalf("%q is left of an address", door)
		}
	})
}
