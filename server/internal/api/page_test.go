package api

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"

	"gridsync/syncproto"
)

// Whatever lies beside the page's files, or above them, stays where it is.
func TestNothingButThePagesFilesIsFetched(t *testing.T) {
	w := newWorld(t)
	w.Page = fstest.MapFS{
		"index.html": {Data: []byte("<!doctype html>")}, "texts-forms.js": {Data: []byte("1")}, "embed.go": {Data: []byte("SECRET")},
		"keys/token.js": {Data: []byte("SECRET")}, ".hidden.js": {Data: []byte("SECRET")}, "app.js.map": {Data: []byte("SECRET")},
	}
	if r := w.do(t, httptest.NewRequest(http.MethodGet, "/page/texts-forms.js", nil)); r.status != http.StatusOK || string(r.body) != "1" {
		t.Fatalf("a script: %d %s", r.status, r.body)
	}
	for _, path := range []string{
		"/page/embed.go", "/page/.hidden.js", "/page/app.js.map", "/page/index.html", "/page/missing.js", "/page/", "/page",
		"/page/keys/token.js", "/page/keys%2ftoken.js", "/page/keys%2Ftoken.js", "/page/../embed.go", "/page/..%2fembed.go",
		"/page/%2e%2e/embed.go", "/page/app.js%00", "/page/.", "/page/..", "/embed.go", "/texts-forms.js",
	} {
		r := w.do(t, httptest.NewRequest(http.MethodGet, path, nil))
		if p := r.problem(t); r.status != http.StatusNotFound || p.Code != syncproto.CodeNotFound {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
}
