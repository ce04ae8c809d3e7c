package web

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The server's policy for content lets the page run its own files and nothing
// else; data must never become markup.
func TestThePageKeepsToItsPolicy(t *testing.T) {
	script := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|new Function|\.style\b|https?://|import\(`)
	forbidden := map[string]*regexp.Regexp{
		"html": regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|https?://|<script(\s[^>]*)?>[^<]`),
		"css":  regexp.MustCompile(`@import|url\(`),
		"js":   script,
	}
	for name, text := range files(t) {
		_, kind, _ := strings.Cut(name, ".")
		if found := forbidden[kind].FindString(text); found != "" {
			t.Errorf("%s has %q", name, found)
		}
	}
}

// A module that isn't named in the page is fetched late, after whichever imports it; one that
// nobody imports is dead.
func TestEveryModuleIsImportedAndFetchedAtOnce(t *testing.T) {
	all := files(t)
	imported := map[string]bool{"app.js": true}
	for name, text := range all {
		for _, m := range regexp.MustCompile(`(?m)^import .+ from "\./([a-z-]+\.js)";$`).FindAllStringSubmatch(text, -1) {
			imported[m[1]] = true
			if _, there := all[m[1]]; !there {
				t.Errorf("%s imports %s, which isn't there", name, m[1])
			}
		}
	}
	for name := range all {
		if !strings.HasSuffix(name, ".js") {
			continue
		}
		if !imported[name] {
			t.Errorf("nobody imports %s", name)
		}
		if !strings.Contains(all["index.html"], `"/page/`+name+`"`) {
			t.Errorf("the page doesn't name %s", name)
		}
	}
}

// Modules stay short enough to be read at once.
func TestModulesAreShort(t *testing.T) {
	for name, text := range files(t) {
		if n := strings.Count(text, "\n"); strings.HasSuffix(name, ".js") && n >= 400 {
			t.Errorf("%s has %d lines", name, n)
		}
	}
}

// Every text that the script asks for is in its catalogue, in both languages, once; and every
// text of the catalogue is asked for.
func TestEveryTextIsInTheCatalogueAndUsed(t *testing.T) {
	known, code := catalogue(t)
	for _, use := range regexp.MustCompile(`\bt\("([\w.]+)"`).FindAllStringSubmatch(code, -1) {
		if !known[use[1]] {
			t.Errorf("%q is asked for and not in the catalogue", use[1])
		}
	}
	families := map[string]bool{}
	for _, use := range regexp.MustCompile("`(\\w+\\.)\\$\\{").FindAllStringSubmatch(code, -1) {
		families[use[1]] = true
	}
	for key := range known {
		family, _, dotted := strings.Cut(key, ".")
		if !strings.Contains(code, `"`+key+`"`) && !(dotted && families[family+"."]) {
			t.Errorf("nobody asks for %q", key)
		}
	}
}

// What is listed by name has a name in the catalogue.
func TestWhateverIsListedHasWords(t *testing.T) {
	known, code := catalogue(t)
	list := func(opening, prefix string) {
		_, after, found := strings.Cut(code, opening)
		inside, _, _ := strings.Cut(after, "]")
		names := regexp.MustCompile(`"(\w+)"`).FindAllStringSubmatch(inside, -1)
		if !found || len(names) == 0 {
			t.Errorf("no list %q", opening)
		}
		for _, name := range names {
			if !known[prefix+name[1]] {
				t.Errorf("%s%s has no words", prefix, name[1])
			}
		}
	}
	list("const TABS = [", "tab.")
	list("const KINDS = [", "ask.")
	list("const ACTS = [", "did.")
	list("const REASONS = [", "refusal.")
	columns := regexp.MustCompile(`(?m)^  (\w+): \["(.+)"\],$`).FindAllStringSubmatch(code, -1)
	if len(columns) == 0 {
		t.Fatal("no columns of rosters found")
	}
	for _, kind := range columns {
		if !known["kind."+kind[1]] {
			t.Errorf("kind %s has no name", kind[1])
		}
		for _, column := range strings.Split(kind[2], `", "`) {
			if !known["f."+column] {
				t.Errorf("column %s of %s has no name", column, kind[1])
			}
		}
	}
}

// catalogue returns the keys of all texts, and the script without its catalogue.
func catalogue(t *testing.T) (known map[string]bool, code string) {
	t.Helper()
	known = map[string]bool{}
	for name, text := range files(t) {
		if !strings.HasSuffix(name, ".js") {
			continue
		}
		if !strings.HasPrefix(name, "texts") {
			code += text
			continue
		}
		entries := regexp.MustCompile(`"?([\w.]+)"?: \["([^"]+)", "([^"]+)"\]`).FindAllStringSubmatch(text, -1)
		if n := strings.Count(text, ": ["); n != len(entries) {
			t.Errorf("%s: %d entries, %d of them with two texts", name, n, len(entries))
		}
		for _, entry := range entries {
			if known[entry[1]] {
				t.Errorf("%s: %q is there twice", name, entry[1])
			}
			known[entry[1]] = true
		}
	}
	return known, code
}

// files are the page's files by name.
func files(t *testing.T) map[string]string {
	t.Helper()
	entries, err := fs.ReadDir(Files, ".")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, e := range entries {
		text, err := fs.ReadFile(Files, e.Name())
		if err != nil {
			t.Fatal(err)
		}
		names[e.Name()] = string(text)
	}
	if !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == "app.js" }) {
		t.Fatal("no app.js")
	}
	return names
}
