package syncproto

import (
	"bytes"
	"encoding/json"
	"maps"
	"testing"
)

// FuzzEachMember holds our reading of an object against encoding/json's.
func FuzzEachMember(f *testing.F) {
	for _, seed := range []string{
		`{}`, ` { "a" : 1 , "b":[1,{"c":"]}"}] } `, `{"a":"\"\\"}`, `{"\u0061":true,"a":null}`, `{"x":-1.5e+3,"":""}`,
		`[1]`, `"a"`, `7`, `null`, `{"a":{"b":{"c":[[],{}]}},"d":"}"}`, `{"𠮷":"<>&\u2028"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if !json.Valid(b) {
			return
		}
		got := make(map[string]string)
		isObject := eachMember(string(b), func(name, raw string, at int) {
			if got[name] = raw; string(b[at:at+len(raw)]) != raw {
				t.Fatalf("%q does not stand at %d of %q", raw, at, b)
			}
		})
		var want map[string]json.RawMessage
		if err := json.Unmarshal(b, &want); err != nil || want == nil {
			if isObject {
				t.Fatalf("%q was read as an object", b)
			}
			return
		}
		texts := make(map[string]string, len(want))
		for name, raw := range want {
			texts[name] = string(bytes.TrimSpace(raw))
		}
		// encoding/json mends names that aren't UTF-8; ours come from texts that are.
		if !isObject || !maps.Equal(got, texts) && bytes.Equal(b, bytes.ToValidUTF8(b, nil)) {
			t.Fatalf("%q: got %q, want %q", b, got, texts)
		}
	})
}
