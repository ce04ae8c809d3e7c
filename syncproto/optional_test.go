package syncproto_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"gridsync/syncproto"
)

func TestAnOptionalMemberThatCannotBeReadRefusesTheChange(t *testing.T) {
	const zero = "00000000-0000-0000-0000-000000000000"
	beside, origin := `{"record":"`+record1+`","version":3}`, `{"device":"`+device1+`","n":1}`
	many := func(one string, times int) string { return "[" + strings.Repeat(one+",", times-1) + one + "]" }
	cases := []struct {
		member, text string
		good         bool
	}{
		{"with", "[]", true},
		{"with", "[" + beside + "]", true},
		{"with", many(beside, 200), true},
		{"with", `[{"version":0,"record":"` + record1 + `","mood":"good","version":3}]`, true},
		{"with", many(beside, 201), false},
		{"with", "null", false},
		{"with", beside, false},
		{"with", "[null]", false},
		{"with", `["` + record1 + `"]`, false},
		{"with", "[" + beside + `,{"record":"` + zero + `","version":3}]`, false},
		{"with", `[{"record":"` + record1 + `"}]`, false},
		{"with", `[{"version":3}]`, false},
		{"with", `[{"Record":"` + record1 + `","version":3}]`, false},
		{"with", `[{"record":"` + record1 + `","version":null}]`, false},
		{"with", `[{"record":"` + record1 + `","version":"3"}]`, false},
		{"with", `[{"record":"` + record1 + `","version":-1}]`, false},
		{"with", `[{"record":"` + record1 + `","version":9007199254740991}]`, true},
		{"with", `[{"record":"` + record1 + `","version":9007199254740992}]`, false},
		{"undoes", "[]", true},
		{"undoes", many(origin, 200), true},
		{"undoes", many(origin, 201), false},
		{"undoes", "{}", false},
		{"undoes", `[{"device":"` + zero + `","n":1}]`, false},
		{"undoes", `[{"device":null,"n":1}]`, false},
		{"undoes", `[{"device":"` + device1 + `"}]`, false},
		{"undoes", `[{"device":"` + device1 + `","n":0}]`, false},
		{"undoes", `[{"device":"` + device1 + `","n":1.5}]`, false},
		{"undoes", `[{"device":"` + device1 + `","n":9007199254740991}]`, true},
		{"undoes", `[{"device":"` + device1 + `","n":9007199254740992}]`, false},
		{"answers", `"` + change1 + `"`, true},
		{"answers", `"` + strings.ToUpper(change1) + `"`, true},
		{"answers", "null", false},
		{"answers", `""`, false},
		{"answers", "7", false},
		{"answers", `["` + change1 + `"]`, false},
		{"answers", `"` + zero + `"`, false},
	}
	device := id[syncproto.DeviceID](t, device1)
	for _, c := range cases {
		_, err := syncproto.DecodeChange(raw(map[string]string{c.member: c.text}), device)
		var e *syncproto.Error
		if (err == nil) != c.good || err != nil && (!errors.As(err, &e) || e.Code != syncproto.CodeBadChange || e.Field != c.member) {
			t.Errorf("%s %.80s: %v", c.member, c.text, err)
		}
	}
}

// What was set is read back after the change has travelled, and empty values leave a
// change as it would be without.
func TestOptionalMembersTravelWithTheirChange(t *testing.T) {
	device := id[syncproto.DeviceID](t, device1)
	plain, err := syncproto.DecodeChange(raw(nil), device)
	if err != nil {
		t.Fatal(err)
	}
	c := plain
	with := []syncproto.Beside{{Record: id[syncproto.RecordID](t, record1), Version: 7}, {Record: syncproto.RecordID{2}, Version: 3}}
	undoes := []syncproto.Origin{{Device: id[syncproto.DeviceID](t, device2), N: 5}}
	answers := id[syncproto.ChangeID](t, change1)
	c.SetWith(with)
	c.SetUndoes(undoes)
	c.SetAnswers(answers)
	text, err := c.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	back, err := syncproto.DecodeChange(text, device)
	if err != nil || back.Hash() != c.Hash() || back.Hash() == plain.Hash() {
		t.Fatalf("read back %+v (%v)", back, err)
	}
	gotWith, err1 := back.With()
	gotUndoes, err2 := back.Undoes()
	gotAnswers, err3 := back.Answers()
	if err := errors.Join(err1, err2, err3); err != nil || !reflect.DeepEqual(gotWith, with) || !reflect.DeepEqual(gotUndoes, undoes) || gotAnswers != answers {
		t.Errorf("with %v, undoes %v, answers %v (%v)", gotWith, gotUndoes, gotAnswers, err)
	}
	back.SetWith(nil)
	back.SetUndoes(nil)
	back.SetAnswers(syncproto.ChangeID{})
	if back.Hash() != plain.Hash() {
		t.Errorf("emptied, it has still %v", back.Extra)
	}
}

func TestNobodyWasShownMoreOfAnotherRecordThanWasThere(t *testing.T) {
	c, err := syncproto.DecodeChange(raw(map[string]string{"with": `[{"record":"` + record1 + `","version":9},{"record":"` + record1 + `","version":3}]`}), id[syncproto.DeviceID](t, device1))
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Part(10, 5, syncproto.Stamp{})
	if err != nil || len(p.With) != 2 || p.With[0].Version != 5 || p.With[1].Version != 3 || !p.Of.IsZero() {
		t.Errorf("%+v (%v)", p, err)
	}
}

// A store may hold what no decoder let in: it is read as nothing, and harms nobody.
func TestWhatIsNoOptionalMemberIsReadAsNone(t *testing.T) {
	c := syncproto.Change{Fields: json.RawMessage("{}"), Extra: map[string]json.RawMessage{"with": json.RawMessage("["), "undoes": json.RawMessage("{"), "answers": nil}}
	if _, err := c.With(); err == nil {
		t.Error("read with")
	}
	if _, err := c.Answers(); err == nil {
		t.Error("read answers")
	}
	if p, err := c.Part(1, 1, syncproto.Stamp{}); err != nil || p.With != nil || p.Undoes != nil {
		t.Errorf("%+v (%v)", p, err)
	}
}
