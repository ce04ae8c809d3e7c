package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// installed is a data folder with areas.
func installed(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if code, _, told := command(t, county, "areas", "import", "-", "-data", dir); code != 0 {
		t.Fatal(code, told)
	}
	return dir
}

func TestTheFirstAdministratorGetsALinkThatIsPrintedAlone(t *testing.T) {
	dir := installed(t)
	code, out, told := command(t, "", "init", "-name", "管理员", "-login", "Boss", "-data", dir, "-base", "https://grid.example/")
	if code != 0 || !strings.HasPrefix(out, "https://grid.example/#welcome=") || strings.Count(out, "\n") != 1 {
		t.Fatalf("%d %q %s", code, out, told)
	}
	token := strings.TrimSpace(out[strings.Index(out, "=")+1:])
	if len(token) < 40 || strings.Contains(told, token) || !strings.Contains(told, "管理员") || !strings.Contains(told, "boss") {
		t.Errorf("token %q, told %s", token, told)
	}
	code, again, told := command(t, "", "link", "-login", "boss", "-data", dir)
	if code != 0 || !strings.HasPrefix(again, "http://127.0.0.1:8080/#welcome=") || strings.Contains(again, token) {
		t.Errorf("another link: %d %q %s", code, again, told)
	}
	if code, out, told := command(t, "", "init", "-name", "乙", "-login", "other", "-again", "-area", "3307", "-data", dir); code != 0 || out == "" {
		t.Errorf("another administrator: %d %s", code, told)
	}
}

func TestAMistakeOnTheFirstDayIsExplained(t *testing.T) {
	empty, dir := filepath.Join(t.TempDir(), "empty"), installed(t)
	if code, _, told := command(t, "", "init", "-name", "管", "-login", "boss", "-data", dir); code != 0 {
		t.Fatal(told)
	}
	for name, c := range map[string]struct {
		args string
		code int
		says string
	}{
		"no areas yet":       {"init -name 管 -login boss -data " + empty, 1, "areas import"},
		"a second one":       {"init -name 乙 -login other -data " + dir, 1, "-again"},
		"no name":            {"init -login other -again -data " + dir, 1, "-name"},
		"no login":           {"init -name 乙 -again -data " + dir, 2, "--login"},
		"a login that isn't": {"init -name 乙 -login 王 -again -data " + dir, 1, "a-z"},
		"a login of another": {"init -name 乙 -login BOSS -again -data " + dir, 1, "nobody else's"},
		"no such area":       {"init -name 乙 -login other -again -area 99 -data " + dir, 1, "99"},
		"a link for nobody":  {"link -login other -data " + dir, 1, "nobody has that login"},
	} {
		code, out, told := command(t, "", strings.Fields(c.args)...)
		if code != c.code || out != "" || !strings.Contains(told, c.says) || !strings.Contains(told, " / ") || strings.Contains(told, "%!") {
			t.Errorf("%s: %d %q %s", name, code, out, told)
		}
	}
}
