package main

import (
	"strings"
	"testing"
)

func TestPurgingByCommandSaysWhatItDid(t *testing.T) {
	dir := t.TempDir()
	if code, _, told := command(t, county, "areas", "import", "-", "-data", dir); code != 0 {
		t.Fatal(told)
	}
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"purge -kind passage -older 90", 0, "purged 0 records"},
		{"purge -kind passage -older 90d -dry-run", 0, "dry run"},
		{"purge -kind passage -older 90 -json", 0, `"kind": "passage"`},
		{"purge -list", 0, ""},
		{"purge -list -json", 0, "[]"},
		{"purge -kind passage", 2, "-older"},
		{"purge -older 90", 2, "-kind"},
		{"purge -kind passage -older 0", 2, "-older"},
		{"purge -kind passage -older many", 2, "-older"},
		{"purge -kind passage -older -5", 2, ""},
		{"purge -kind review -older 90", 1, "清除"},
		{"purge -kind nonsense -older 90", 1, "nonsense"},
		{"purge -kind passage -older 90 -area nowhere", 1, "没有这个区域"},
		{"serve -retain review=90d", 2, "-retain"},
		{"serve -retain nonsense=90d", 2, "-retain"},
		{"serve -retain passage=soon", 2, "soon"},
	} {
		code, out, told := command(t, "", append(strings.Fields(c.args), "-data", dir)...)
		if code != c.code || !strings.Contains(out+told, c.says) {
			t.Errorf("%s: %d %s %s", c.args, code, out, told)
		}
	}
}

func TestARetentionIsReadKindByKind(t *testing.T) {
	for text, want := range map[string]age{"90": 90, "90d": 90, "0d": 0} {
		var a age
		if err := a.UnmarshalText([]byte(text)); err != nil || a != want {
			t.Errorf("%s: %d %v", text, a, err)
		}
	}
	for _, text := range []string{"", "d", "-1", "90h", "1.5", "36501"} {
		var a age
		if err := a.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %d", text, a)
		}
	}
}
