package privacy

import (
	"slices"
	"strings"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

var (
	volunteer = syncproto.AuthorID{1}
	secretary = syncproto.AuthorID{2}
	county    = syncproto.AuthorID{3}
	auditor   = syncproto.AuthorID{4}
	left      = syncproto.AuthorID{5} // a volunteer until 50
)

const (
	name   = syncproto.Value(`"王小芳"`)
	idNo   = syncproto.Value(`"999702199901011234"`)
	mobile = syncproto.Value(`"10012345678"`)
	full   = syncproto.Value(`"１００ 1234 5678"`) // the same
)

// snapshot is a town with two grids, and somebody of each role.
func snapshot(t *testing.T) *registry.Snapshot {
	t.Helper()
	tree, err := area.NewTree([]area.Node{{Key: 1, ID: "town"}, {Key: 2, ID: "g1", Parent: "town"}, {Key: 3, ID: "g2", Parent: "town"}})
	if err != nil {
		t.Fatal(err)
	}
	forms, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	return &registry.Snapshot{Areas: tree, Forms: forms, People: identity.NewDirectory(identity.Everyone{Grants: []identity.Grant{
		{Author: volunteer, Area: "g1", Role: identity.Volunteer},
		{Author: secretary, Area: "g1", Role: identity.Secretary},
		{Author: county, Area: "town", Role: identity.County},
		{Author: auditor, Area: "town", Role: identity.Auditor},
		{Author: left, Area: "g1", Role: identity.Volunteer, To: 50},
	}})}
}

func lens(t *testing.T, authors ...syncproto.AuthorID) *Lens {
	t.Helper()
	tags, err := NewTagger(slices.Repeat([]byte{7}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return NewMaker(tags)(snapshot(t), authors, 100)
}

// person is what somebody said of a person.
func person() syncproto.Fields {
	return syncproto.Fields{
		"name": name, "id_number": idNo, "mobile": mobile, "birth": `"1999-01-01"`, "sex": `"female"`, "arrived_on": `"2020-01-20"`,
		"classes": `["wuhan_return"]`, "employer": syncproto.Null, "nickname": `"小芳"`, "weight": `51.5`,
	}
}

// see writes what is seen of fields, without tags.
func see(fields syncproto.Fields) string {
	var parts []string
	for _, n := range fields.Names() {
		v := string(fields[n])
		if m, ok := fields[n].Masked(); ok {
			v = "~" + m.Masked
		}
		parts = append(parts, n+"="+v)
	}
	return strings.Join(parts, " ")
}

func TestEachRoleSeesWhatTheTableGives(t *testing.T) {
	all := `arrived_on="2020-01-20" birth="1999-01-01" classes=["wuhan_return"] employer=null id_number="999702199901011234" mobile="10012345678" name="王小芳" nickname="小芳" sex="female" weight=51.5`
	for _, c := range []struct {
		who  []syncproto.AuthorID
		area syncproto.AreaID
		want string
	}{
		{[]syncproto.AuthorID{secretary}, "g1", all},
		{[]syncproto.AuthorID{volunteer, secretary}, "g1", all},
		{[]syncproto.AuthorID{volunteer}, "g1", `arrived_on="2020-01-20" birth="1999-01-01" classes=["wuhan_return"] employer=null id_number=~9997**********1234 mobile=~100****5678 name="王小芳" nickname=~小*** sex="female"`},
		{[]syncproto.AuthorID{county}, "g1", `arrived_on="2020-01-20" birth=~1999 employer=null id_number=~9997**********1234 mobile=~100****5678 name=~王*芳 nickname=~小***`},
		{[]syncproto.AuthorID{secretary}, "g2", ""},
		{[]syncproto.AuthorID{secretary}, "town", ""},
		{[]syncproto.AuthorID{auditor}, "g1", ""},
		{[]syncproto.AuthorID{left}, "g1", ""},
		{nil, "g1", ""},
	} {
		l := lens(t, c.who...)
		if got := see(l.Fields(l.Eyes(c.area), "person", person(), "")); got != c.want {
			t.Errorf("%v in %s:\n got %s\nwant %s", c.who, c.area, got, c.want)
		}
	}
}

func TestAKindThatNoFormKnowsIsSecret(t *testing.T) {
	l := lens(t, volunteer)
	if got := see(l.Fields(l.Eyes("g1"), "rumour", syncproto.Fields{"name": name, "note": `1`}, "")); got != "name=~王***" {
		t.Error(got)
	}
	if got := see(l.Fields(l.Eyes("g1"), "rumour", syncproto.Fields{"area": `"g1"`}, "")); got != `area="g1"` {
		t.Errorf("what every record has: %s", got)
	}
}

func TestMaskingAltersNothingThatWasGiven(t *testing.T) {
	l, given := lens(t, county), person()
	l.Fields(l.Eyes("g1"), "person", given, "")
	record := syncproto.Record{Kind: "person", Area: "g1", Live: []syncproto.Part{{Author: secretary, Fields: given}}}
	l.Record(&record)
	if see(given) != see(person()) || given["name"] != name {
		t.Errorf("now it is %s", see(given))
	}
}

func TestEqualValuesHaveEqualTags(t *testing.T) {
	l := lens(t, volunteer)
	tag := func(kind syncproto.Kind, field string, v syncproto.Value) string {
		masked, _ := l.Value(l.Eyes("g1"), kind, field, v)
		m, ok := masked.Masked()
		if !ok || len(m.Tag) != 8 {
			t.Fatalf("%s %s: %s", field, v, masked)
		}
		return m.Tag
	}
	if tag("person", "mobile", mobile) != tag("passage", "mobile", full) {
		t.Error("one mobile, written in two ways, has two tags")
	}
	if tag("person", "mobile", mobile) == tag("person", "mobile", `"10012340000"`) || tag("person", "mobile", mobile) == tag("person", "id_number", mobile) {
		t.Error("different values have one tag")
	}
	ours := tag("person", "mobile", mobile)
	other, err := NewTagger(slices.Repeat([]byte{8}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	l.tags = other
	if tag("person", "mobile", mobile) == ours {
		t.Error("another installation gives the same tag")
	}
	if _, err := NewTagger([]byte("short")); err == nil {
		t.Error("a short key is taken")
	}
}

func TestAFieldAskedAboutIsShownAsItIs(t *testing.T) {
	l := lens(t, county)
	seen := l.Fields(l.Eyes("g1"), "person", person(), "mobile")
	if seen["mobile"] != mobile || seen["name"] == name {
		t.Error(see(seen))
	}
	if seen := l.Fields(l.Eyes("g1"), "person", syncproto.Fields{"": mobile}, ""); seen[""] == mobile {
		t.Error("no field is asked about, and one without a name is shown")
	}
}

func TestFlagsThatTellOfAPersonAreForThoseWhoSeeThePerson(t *testing.T) {
	for who, want := range map[syncproto.AuthorID][]string{volunteer: {"returnee"}, county: nil, auditor: nil} {
		l := lens(t, who)
		if got := l.Flags(l.Eyes("g1"), "person", []string{"returnee"}); !slices.Equal(got, want) {
			t.Errorf("%v: %v", who[0], got)
		}
	}
	l := lens(t, county)
	if got := l.Flags(l.Eyes("g1"), "rumour", []string{"fever"}); got != nil {
		t.Errorf("a kind without a form: %v", got)
	}
}

func TestADeviceHasItsAuthorsWordsAsTheyAre(t *testing.T) {
	l := lens(t, volunteer)
	record := syncproto.Record{Kind: "person", Area: "g1", Live: []syncproto.Part{
		{Version: 1, Author: volunteer, Fields: syncproto.Fields{"mobile": mobile}},
		{Version: 2, Author: secretary, Fields: syncproto.Fields{"mobile": full, "id_number": idNo}},
		{Version: 3, Author: county, Fields: syncproto.Fields{"mobile": `"10099999999"`}, Spent: syncproto.Fields{"id_number": idNo}},
		{Version: 4, Author: secretary, Fields: syncproto.Fields{"nickname": mobile}},
	}}
	seen := l.Record(&record)
	got := make([]string, len(seen.Live))
	for i := range seen.Live {
		got[i] = see(seen.Live[i].Fields) + see(seen.Live[i].Spent)
	}
	want := []string{
		`mobile="10012345678"`,
		`id_number=~9997**********1234 mobile="１００ 1234 5678"`, // who says the same says nothing new
		`mobile=~100****9999id_number=~9997**********1234`,
		`nickname=~1***`, // equal, but of another field
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestWhoeverSeesAllGetsTheRecordItself(t *testing.T) {
	l := lens(t, secretary)
	record := syncproto.Record{Kind: "person", Area: "g1", Live: []syncproto.Part{{Author: county, Fields: person()}}}
	l.Eyes("g1")
	if n := testing.AllocsPerRun(100, func() { l.Record(&record) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if seen := l.Record(&record); see(seen.Live[0].Fields) != see(person()) {
		t.Error(see(seen.Live[0].Fields))
	}
}

func TestBesideAQuestionTheOtherSideIsMasked(t *testing.T) {
	l := lens(t, secretary)
	if e := l.Beside("g2"); !e.Open || e.Personal != identity.Masked || e.Secret != identity.Masked {
		t.Errorf("%+v", e)
	}
	if e := l.Beside("g1"); e.Secret != identity.Clear {
		t.Errorf("one's own area: %+v", e)
	}
	if e := l.Eyes("g2"); e.Open {
		t.Error("looking at a question opens the area")
	}
}

func TestARecordIsSeenOnce(t *testing.T) {
	l := lens(t, secretary)
	for _, id := range []syncproto.RecordID{{1}, {2}, {1}, {}} {
		l.Saw(id, "g1")
	}
	if ids, where := l.Shown(); !slices.Equal(ids, []syncproto.RecordID{{1}, {2}}) || where != "g1" {
		t.Error(ids, where)
	}
}
