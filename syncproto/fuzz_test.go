package syncproto_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"testing"

	"gridsync/syncproto"
)

func FuzzDecodeChange(f *testing.F) {
	for _, seed := range []map[string]string{
		nil,
		{"fields": `{ "note" : "a<b>&c\u2028😀\ud800", "big":9007199254740993, "t":36.60 }`, "mood": `{"b": 1}`, "😀": "null"},
		{"amid": `["name","mobile"]`, "decides": "true", "base": "7", "device": `"` + device1 + `"`},
		{"n": "9007199254740992", "at": "-9007199254740992"},
		{"kind": `"per/son"`, "fields": "[]"},
		{"with": `[{"record":"` + record1 + `","version":9}, {"version":1,"record":"` + record1 + `"}]`, "undoes": `[{"device":"` + device1 + `","n":1}]`, "answers": `"` + change1 + `"`},
		{"with": `[{"record":null,"version":"9"}]`, "undoes": "[[", "answers": "{}"},
	} {
		f.Add(raw(seed))
	}
	f.Add([]byte(sampleChange))
	f.Add([]byte(`{"n":1`))
	f.Add([]byte("{\"n\":1,\"x\":\"\xff\"}"))
	device, err := syncproto.ParseID[syncproto.DeviceID](device1)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := syncproto.DecodeChange(text, device)
		if err != nil {
			var e *syncproto.Error
			if !errors.As(err, &e) || e.Message().ZH == "" {
				t.Fatalf("refused without a code of the table: %v", err)
			}
			return
		}
		sameAsTheStandardLibrary(t, text, c)
		part, err := c.Part(9, 8, syncproto.Stamp{})
		boasts := slices.ContainsFunc(part.With, func(b syncproto.Beside) bool { return b.Version > 8 || b.Record.IsZero() })
		if err != nil || boasts || len(part.Undoes) > syncproto.MaxNamed || part.Base > 8 || c.Base == 0 && part.Fields[syncproto.FieldArea] == "" {
			t.Fatalf("part %+v (%v)", part, err)
		}
		again, err := c.MarshalJSON()
		if err != nil || !json.Valid(again) {
			t.Fatalf("written as %s (%v)", again, err)
		}
		if len(again) > syncproto.MaxChangeBytes {
			return // names that were escaped short, or defaults that were left out
		}
		back, err := syncproto.DecodeChange(again, device)
		if err != nil {
			t.Fatalf("%s was written as %s, which is refused: %v", text, again, err)
		}
		if back.Hash() != c.Hash() {
			t.Fatalf("%s was written as %s, which has another hash", text, again)
		}
	})
}

// sameAsTheStandardLibrary holds what was decoded against encoding/json's reading.
func sameAsTheStandardLibrary(t *testing.T, text []byte, c syncproto.Change) {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatalf("%s was taken: %v", text, err)
	}
	if !bytes.Equal(members["fields"], c.Fields) {
		t.Fatalf("fields %s of %s", c.Fields, text)
	}
	for name, raw := range c.Extra {
		if !bytes.Equal(members[name], raw) {
			t.Fatalf("%q is %s of %s", name, raw, text)
		}
	}
	var fields syncproto.Fields
	if err := json.Unmarshal(c.Fields, &fields); err != nil {
		t.Fatal(err)
	}
	got, err := c.Values()
	if err != nil || !reflect.DeepEqual(got, fields) {
		t.Fatalf("values %v, want %v (%v)", got, fields, err)
	}
	for name, v := range got {
		var want string
		text, ok := v.Text()
		if err := json.Unmarshal([]byte(v), &want); ok != (err == nil && v != "null") || ok && text != want {
			t.Fatalf("%s is the text %q of %s", name, text, v)
		}
	}
}

func FuzzRequest(f *testing.F) {
	f.Add([]byte(sampleRequest))
	f.Add([]byte(`{"protocol":1,"device":"` + device1 + `","clock":-1,"high":0,"unsent":0,"changes":[null,5,{}," "]}`))
	f.Add([]byte(`{"restart":["a","\ud800"],"cursor":"\u0000"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var request syncproto.Request
		if json.Unmarshal(text, &request) != nil {
			return
		}
		for _, change := range request.Changes {
			// Refused or not: it must not panic, and must not touch the others.
			_, _ = syncproto.DecodeChange(change, request.Device)
		}
		once, err := syncproto.Encode(request)
		if err != nil {
			t.Fatalf("%s can't be written: %v", text, err)
		}
		var again syncproto.Request
		if err := json.Unmarshal(once, &again); err != nil {
			t.Fatalf("%s was written as %s: %v", text, once, err)
		}
		twice, err := syncproto.Encode(again)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("written %s, and then %s (%v)", once, twice, err)
		}
	})
}
