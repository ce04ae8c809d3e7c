package web

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// The server's policy for content lets the page run its own files and nothing
// else; data must never become markup.
func TestThePageKeepsToItsPolicy(t *testing.T) {
	for name, forbidden := range map[string]*regexp.Regexp{
		"index.html": regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|https?://|<script(\s[^>]*)?>[^<]`),
		"app.js":     regexp.MustCompile(`innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|\.style\b|https?://`),
		"app.css":    regexp.MustCompile(`@import|url\(`),
	} {
		text, err := fs.ReadFile(Files, name)
		if err != nil {
			t.Fatal(err)
		}
		if found := forbidden.Find(text); found != nil {
			t.Errorf("%s has %q", name, found)
		}
	}
}

// Every text that the script asks for is in its catalogue, in both languages.
func TestEveryTextIsInTheCatalogue(t *testing.T) {
	text, err := fs.ReadFile(Files, "app.js")
	if err != nil {
		t.Fatal(err)
	}
	script := string(text)
	_, after, _ := strings.Cut(script, "const TEXTS = {")
	catalogue, code, _ := strings.Cut(after, "\n};")
	known := map[string]bool{}
	for _, entry := range regexp.MustCompile(`"?([\w.]+)"?: \["([^"]+)", "([^"]+)"\]`).FindAllStringSubmatch(catalogue, -1) {
		known[entry[1]] = true
	}
	if n := strings.Count(catalogue, ": ["); n != len(known) {
		t.Errorf("%d entries, %d of them with two texts and a key of their own", n, len(known))
	}
	for _, use := range regexp.MustCompile(`\bt\("([\w.]+)"`).FindAllStringSubmatch(code, -1) {
		if !known[use[1]] {
			t.Errorf("%q is asked for and not in the catalogue", use[1])
		}
	}
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
