package syncproto

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// validTexts are where readers of JSON differ.
var validTexts = []string{
	"", " ", "null", "nul", "nulll", " true\n", "\ufefftrue", "True", `"`, `""`, `"\"`, `"\\"`, `"\u12aF"`, `"\u12g0"`, `"\u12`, `"\x"`,
	"\"\x1f\"", "\"\x7f\xff\"", "\"\u2028\"", `"\ud800"`, "0", "-0", "-", "00", "01", "1.", ".5", "1.5", "+1", "1e", "1e+", "1E-07", "1e5.",
	"0e1", "-0.0e-0", "0x1", "NaN", "1 2", "[]", "[ ]", "[,]", "[1,]", "[1 2]", "[1,2", "[1]]", "{}", "{ }", `{"a"}`, `{"a":}`, `{"a":1,}`,
	`{"a" : 1 , "a":[{}]}`, `{a:1}`, `{1:1}`, `{"a":1`, `{"a":1]`, `{"a":1}}`, "'a'", "[true,false,null,-1.5e+9]", "\v1", "1\x00",
}

func sameAsJSON(t *testing.T, b []byte) {
	t.Helper()
	if got, want := Valid(b), json.Valid(b); got != want {
		t.Errorf("%.200q: %v, json.Valid says %v", b, got, want)
	}
}

func TestValidIsWhatEncodingJSONTakes(t *testing.T) {
	for _, text := range validTexts {
		sameAsJSON(t, []byte(text))
	}
	for _, depth := range []int{maxNesting - 1, maxNesting, maxNesting + 1} {
		sameAsJSON(t, []byte(strings.Repeat("[", depth)+strings.Repeat("]", depth)))
		sameAsJSON(t, []byte(strings.Repeat(`{"a":`, depth)+"1"+strings.Repeat("}", depth)))
		sameAsJSON(t, []byte(strings.Repeat("[", depth)))
	}
}

func FuzzValid(f *testing.F) {
	for _, text := range validTexts {
		f.Add([]byte(text))
	}
	f.Add([]byte(`{"id":"0193b7a2-7c1e-7d3a-9b3f-1c2d3e4f5a6b","n":1,"fields":{"name":"张\u4e09","value":36.5,"tags":["a","b"]}}`))
	f.Fuzz(func(t *testing.T, b []byte) { sameAsJSON(t, b) })
}

// FuzzTexts holds the short ways of reading and writing texts against encoding/json's.
func FuzzTexts(f *testing.F) {
	for _, seed := range []string{
		"a", "", "张三", `\`, `"`, "\x7f", "\x1f", "<&>", "\u2028", "\xff", `["a"]`, `["a","b"]`, `[]`, `["a",]`, `["a" ]`, `["a"`, `["a"]]`, `["`, `["]`,
		`["a","]`, `["a\"b"]`, `["a",null]`, `["",""]`, "[\"\xff\"]", "[\"a\n\"]", `["张三"]`, `["a"] `, `["a""b"]`, `["a";"b"]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := TextValue(s), ValueOf(s); got != want {
			t.Errorf("%q is written as %s, not %s", s, got, want)
		}
		var list []*string
		isList := len(s) > 1 && s[0] == '[' && json.Unmarshal([]byte(s), &list) == nil && !slices.Contains(list, nil)
		texts, ok := Value(s).Texts()
		if ok != isList || len(texts) != len(list) && ok {
			t.Fatalf("%q: %q, %v, not %v", s, texts, ok, isList)
		}
		for i := range texts {
			if texts[i] != *list[i] {
				t.Errorf("%q: %q, not %q", s, texts[i], *list[i])
			}
		}
	})
}
