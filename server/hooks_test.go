package main

import (
	"encoding/json"
	"strings"
	"testing"

	"gridsync/server/internal/hook"
)

// Hooks are made, shown and ended by commands. The secret and the address are shown when a
// hook is made, as far as at all, and never again.
func TestHooksAreKeptByCommands(t *testing.T) {
	dir := t.TempDir()
	run := func(want int, args string) (out, told string) {
		t.Helper()
		code, out, told := command(t, county, append(strings.Fields(args), "-data", dir)...)
		if code != want {
			t.Fatalf("%s: %d, not %d: %s%s", args, code, want, out, told)
		}
		if strings.Contains(out+told, "%!") {
			t.Errorf("%s: %s%s", args, out, told)
		}
		return out, told
	}
	run(0, "areas import -")
	out, _ := run(0, "hooks add -area 33 -url https://example.org/in?key=topsecret -events fever,closed")
	var made hook.New
	if err := json.Unmarshal([]byte(out), &made); err != nil || strings.Count(out, "\n") != 1 {
		t.Fatal(err, out)
	}
	if !strings.HasPrefix(made.Secret, "whsec_") || made.Host != "example.org" || strings.Contains(out, "topsecret") {
		t.Errorf("made %s", out)
	}
	for _, c := range []struct{ args, has string }{
		{"hooks list -area 33", made.ID.String()},
		{"hooks -area 33", `"events":["closed","fever"]`},
		{"hooks sent -area 33 -hook " + made.ID.String(), ""},
		{"hooks sent -area 33 -state given_up -hook " + made.ID.String(), ""},
		{"hooks retry -area 33 -hook " + made.ID.String(), "0\n"},
		{"hooks retry -area 33 -seq 7 -hook " + made.ID.String(), "0\n"},
	} {
		out, _ := run(0, c.args)
		if !strings.Contains(out, c.has) || c.has == "" && out != "" {
			t.Errorf("%s: %s", c.args, out)
		}
		for _, hidden := range []string{"whsec", made.Secret, "topsecret", "/in"} {
			if strings.Contains(out, hidden) {
				t.Errorf("%s shows %q: %s", c.args, hidden, out)
			}
		}
	}
	if out, _ := run(0, "hooks list -area 3307"); out != "" {
		t.Errorf("below it there is none: %s", out)
	}
	for _, c := range []struct{ args, has string }{
		{"hooks add -area 9 -url https://example.org -events fever", "not_found (area)"},
		{"hooks add -area 33 -url https://example.org -events rain", "bad_request (events)"},
		{"hooks add -area 33 -url http://example.org -events fever", "bad_request (url)"},
		{"hooks add -area 33 -url https://127.0.0.1/in -events fever", "bad_request (url)"},
		{"hooks list -area 9", "not_found (area)"},
		{"hooks sent -area 3307 -hook " + made.ID.String(), "not_found (hook)"},
		{"hooks retry -area 3307 -hook " + made.ID.String(), "not_found (hook)"},
		{"hooks end -area 3307 -hook " + made.ID.String(), "not_found (hook)"},
	} {
		if _, told := run(1, c.args); !strings.Contains(told, c.has) || !strings.Contains(told, " / ") {
			t.Errorf("%s: %s", c.args, told)
		}
	}
	run(0, "hooks add -area 33 -private -url http://127.0.0.1:9/in -events settled")
	for range 2 { // the second changes nothing
		out, _ = run(0, "hooks end -area 33 -hook "+made.ID.String())
		var ended hook.Hook
		if err := json.Unmarshal([]byte(out), &ended); err != nil || ended.Ending != hook.Removed || ended.Ended == 0 {
			t.Errorf("%v: %s", err, out)
		}
	}
	if out, _ = run(0, "hooks list -area 33"); strings.Count(out, "\n") != 2 || strings.Count(out, `"ended":`) != 1 {
		t.Errorf("in the end: %s", out)
	}
}
