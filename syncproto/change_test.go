package syncproto_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"gridsync/syncproto"
)

// The identities that the tests of this package use.
const (
	device1 = "0193b7a2-0000-7000-8000-00000000d001"
	device2 = "0193b7a2-0000-7000-8000-00000000d002"
	change1 = "0193b7a2-0000-7000-8000-00000000c001"
	author1 = "0193b7a2-0000-7000-8000-00000000a001"
	record1 = "0193b7a2-0000-7000-8000-00000000e001"
)

// raw returns a good change with some members replaced; "" takes one away.
func raw(replace map[string]string) []byte {
	members := map[string]string{
		"id": `"` + change1 + `"`, "n": "1", "author": `"` + author1 + `"`, "kind": `"person"`,
		"record": `"` + record1 + `"`, "area": `"330702001003"`, "base": "0",
		"fields": `{"name":"王桂兰"}`, "at": "1583020800000", "form": "1",
	}
	for name, text := range replace {
		members[name] = text
	}
	var parts []string
	for name, text := range members {
		if text != "" {
			parts = append(parts, `"`+name+`":`+text)
		}
	}
	return []byte("{" + strings.Join(parts, ",") + "}")
}

func id[T ~[16]byte](t *testing.T, s string) T {
	t.Helper()
	v, err := syncproto.ParseID[T](s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestABadChangeIsRefusedWithACodeAndAField(t *testing.T) {
	many := func(n int) string {
		fields := syncproto.Fields{}
		for i := range n {
			fields["f"+strings.Repeat("x", i%50)+string(rune('a'+i%26))+strings.Repeat("y", i/50)] = "1"
		}
		return string(fields.Encode())
	}
	cases := []struct {
		name    string
		raw     []byte
		code    syncproto.Code
		field   string
		refuses uint64 // the n that the refusal names
	}{
		{"good", raw(nil), "", "", 1},
		{"its own device named", raw(map[string]string{"device": `"` + device1 + `"`}), "", "", 1},
		{"no base, no amid, no decides", raw(map[string]string{"base": ""}), "", "", 1},
		{"greatest n", raw(map[string]string{"n": "9007199254740991"}), "", "", syncproto.MaxN},
		{"no fields touched", raw(map[string]string{"fields": "{}"}), "", "", 1},
		{"two hundred fields", raw(map[string]string{"fields": many(200)}), "", "", 1},
		{"a member that nobody knows", raw(map[string]string{"mood": `"good"`}), "", "", 1},
		{"a clock in 1970", raw(map[string]string{"at": "0"}), "", "", 1},

		{"empty", nil, syncproto.CodeMalformed, "", 0},
		{"cut", []byte(`{"n":7`), syncproto.CodeMalformed, "", 0},
		{"null", []byte(`null`), syncproto.CodeMalformed, "", 0},
		{"a list", []byte(`[1]`), syncproto.CodeMalformed, "", 0},
		{"not UTF-8", raw(map[string]string{"fields": "{\"name\":\"\xff\"}"}), syncproto.CodeMalformed, "", 1},
		{"too large", raw(map[string]string{"fields": `{"name":"` + strings.Repeat("x", syncproto.MaxChangeBytes) + `"}`}), syncproto.CodeChangeTooLarge, "", 1},
		{"another device's", raw(map[string]string{"device": `"` + device2 + `"`}), syncproto.CodeWrongDevice, "device", 1},
		{"n missing", raw(map[string]string{"n": ""}), syncproto.CodeBadChange, "n", 0},
		{"n zero", raw(map[string]string{"n": "0"}), syncproto.CodeBadChange, "n", 0},
		{"n over 2^53-1", raw(map[string]string{"n": "9007199254740992"}), syncproto.CodeBadChange, "n", 9007199254740992},
		{"n with a fraction", raw(map[string]string{"n": "1.5"}), syncproto.CodeBadChange, "n", 0},
		{"n a text", raw(map[string]string{"n": `"1"`}), syncproto.CodeBadChange, "n", 0},
		{"id missing", raw(map[string]string{"id": ""}), syncproto.CodeBadChange, "id", 1},
		{"id no id", raw(map[string]string{"id": `"7"`}), syncproto.CodeBadChange, "id", 1},
		{"id null", raw(map[string]string{"id": "null"}), syncproto.CodeBadChange, "id", 1},
		{"author missing", raw(map[string]string{"author": ""}), syncproto.CodeBadChange, "author", 1},
		{"author zero", raw(map[string]string{"author": `"00000000-0000-0000-0000-000000000000"`}), syncproto.CodeBadChange, "author", 1},
		{"record a number", raw(map[string]string{"record": "5"}), syncproto.CodeBadChange, "record", 1},
		{"kind with a slash", raw(map[string]string{"kind": `"per/son"`}), syncproto.CodeBadChange, "kind", 1},
		{"area of 33 letters", raw(map[string]string{"area": `"` + strings.Repeat("a", 33) + `"`}), syncproto.CodeBadChange, "area", 1},
		{"base below zero", raw(map[string]string{"base": "-1"}), syncproto.CodeBadChange, "base", 1},
		{"base over 2^53-1", raw(map[string]string{"base": "9007199254740992"}), syncproto.CodeBadChange, "base", 1},
		{"at missing", raw(map[string]string{"at": ""}), syncproto.CodeBadChange, "at", 1},
		{"at out of every calendar", raw(map[string]string{"at": "9007199254740992"}), syncproto.CodeBadChange, "at", 1},
		{"form zero", raw(map[string]string{"form": "0"}), syncproto.CodeBadChange, "form", 1},
		{"form over 2^53-1", raw(map[string]string{"form": "9007199254740992"}), syncproto.CodeBadChange, "form", 1},
		{"fields missing", raw(map[string]string{"fields": ""}), syncproto.CodeBadChange, "fields", 1},
		{"fields null", raw(map[string]string{"fields": "null"}), syncproto.CodeBadChange, "fields", 1},
		{"fields a list", raw(map[string]string{"fields": "[]"}), syncproto.CodeBadChange, "fields", 1},
		{"201 fields", raw(map[string]string{"fields": many(201)}), syncproto.CodeBadChange, "fields", 1},
		{"a field with a space", raw(map[string]string{"fields": `{"a b":1}`}), syncproto.CodeBadChange, "fields", 1},
		{"a field without a name", raw(map[string]string{"fields": `{"":1}`}), syncproto.CodeBadChange, "fields", 1},
		{"amid a text", raw(map[string]string{"amid": `"name"`}), syncproto.CodeBadChange, "amid", 1},
		{"amid what is no name", raw(map[string]string{"amid": `["\ud800"]`}), syncproto.CodeBadChange, "amid", 1},
		{"decides a number", raw(map[string]string{"decides": "1"}), syncproto.CodeBadChange, "decides", 1},
	}
	device := id[syncproto.DeviceID](t, device1)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := syncproto.DecodeChange(c.raw, device)
			if got.N != c.refuses || got.Device != device {
				t.Errorf("n %d of device %s, want %d of %s", got.N, got.Device, c.refuses, device)
			}
			if c.code == "" {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			var e *syncproto.Error
			if !errors.As(err, &e) || e.Code != c.code || e.Field != c.field {
				t.Errorf("got %v, want %s (%s)", err, c.code, c.field)
			}
		})
	}
}

// Whatever a device wrote inside its fields comes back byte for byte: another
// spelling of the same JSON would have another hash, and no receipt would fit.
func TestAChangeKeepsItsBytesAndItsHash(t *testing.T) {
	device := id[syncproto.DeviceID](t, device1)
	for _, fields := range []string{
		`{"note":"a<b>&c\u2028"}`, `{ "note" : "spaced" }`, `{"big":9007199254740993,"t":36.60}`, `{"note":"\u003c"}`, `{"note":"😀\ud800"}`,
	} {
		c, err := syncproto.DecodeChange(raw(map[string]string{"fields": fields, "mood": `{"b": 1,"a":"<"}`, "amid": `["note"]`}), device)
		if err != nil {
			t.Fatal(err)
		}
		if string(c.Fields) != fields {
			t.Errorf("kept %s, want %s", c.Fields, fields)
		}
		text, err := c.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := syncproto.DecodeChange(text, device)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if again.Hash() != c.Hash() {
			t.Errorf("the hash of %s changed on its way", fields)
		}
	}
}

func TestEncodeKeepsTheHashesOfAWholeRequest(t *testing.T) {
	device := id[syncproto.DeviceID](t, device1)
	c, err := syncproto.DecodeChange(raw(map[string]string{"fields": `{"note":"a<b>&c \u2028 ` + "\u2028" + `"}`}), device)
	if err != nil {
		t.Fatal(err)
	}
	text, err := c.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	body, err := syncproto.Encode(syncproto.Request{Protocol: 1, Device: device, Changes: []json.RawMessage{text}})
	if err != nil {
		t.Fatal(err)
	}
	var request syncproto.Request
	if err := json.Unmarshal(body, &request); err != nil {
		t.Fatal(err)
	}
	again, err := syncproto.DecodeChange(request.Changes[0], device)
	if err != nil {
		t.Fatal(err)
	}
	if again.Hash() != c.Hash() {
		t.Error("the request's encoder altered a change")
	}
	escaped, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(escaped), `\u003c`) {
		t.Error("json.Marshal no longer escapes: Encode has lost its reason")
	}
}

func TestTheHashCoversEveryMember(t *testing.T) {
	device := id[syncproto.DeviceID](t, device1)
	plain, err := syncproto.DecodeChange(raw(nil), device)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[syncproto.Hash]string{plain.Hash(): "nothing"}
	for name, text := range map[string]string{
		"id": `"` + change1[:35] + `2"`, "n": "2", "author": `"` + author1[:35] + `2"`, "kind": `"visit"`,
		"record": `"` + record1[:35] + `2"`, "area": `"330702001004"`, "base": "1", "fields": `{"name":"王桂蘭"}`,
		"amid": `["name"]`, "decides": "true", "at": "1583020800001", "form": "2", "mood": "1",
	} {
		c, err := syncproto.DecodeChange(raw(map[string]string{name: text}), device)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if other, twice := seen[c.Hash()]; twice {
			t.Errorf("changing %s gives the hash of changing %s", name, other)
		}
		seen[c.Hash()] = name
	}
	other := plain
	other.Device = id[syncproto.DeviceID](t, device2)
	if other.Hash() == plain.Hash() {
		t.Error("the hash doesn't cover the device")
	}
}

func TestANewRecordsAreaIsAWriteAndAnExistingOnesIsNot(t *testing.T) {
	device := id[syncproto.DeviceID](t, device1)
	stamp := syncproto.Stamp{Time: 2, Earliest: 1, Latest: 3}
	cases := []struct {
		name, base, fields string
		want               syncproto.Value
	}{
		{"new", "0", `{"name":"a"}`, `"330702001003"`},
		{"existing", "7", `{"name":"a"}`, ""},
		{"new and moved at once", "0", `{"area":"330702001009"}`, `"330702001009"`},
		{"existing, moved", "7", `{"area":"330702001009"}`, `"330702001009"`},
	}
	for _, c := range cases {
		change, err := syncproto.DecodeChange(raw(map[string]string{"base": c.base, "fields": c.fields, "amid": `["name"]`}), device)
		if err != nil {
			t.Fatal(err)
		}
		part, err := change.Part(9, 5, stamp)
		if err != nil {
			t.Fatal(err)
		}
		if got := part.Fields[syncproto.FieldArea]; got != c.want {
			t.Errorf("%s: area %s, want %s", c.name, got, c.want)
		}
		if part.Version != 9 || part.Stamp != stamp || part.N != 1 || part.Device != device || part.Author != change.Author || part.Amid[0] != "name" || part.Base != min(change.Base, 5) {
			t.Errorf("%s: %+v", c.name, part)
		}
	}
}
