package api

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
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

// A browser that has a file asks whether it is still the same, and is sent no second copy.
func TestThePagesFilesAreSentOnceAndAskedForEachTime(t *testing.T) {
	w := newWorld(t)
	script := strings.Repeat("export const a = 1;\n", 200)
	w.Page = fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}, "app.js": {Data: []byte(script)}}
	get := func(path, known string) reply {
		req := httptest.NewRequest(http.MethodGet, path, nil)
		req.Header.Set("Accept-Encoding", "gzip")
		if known != "" {
			req.Header.Set("If-None-Match", known)
		}
		return w.do(t, req)
	}
	for _, path := range []string{"/", "/page/app.js"} {
		first := get(path, "")
		tag := first.header.Get("ETag")
		if first.status != http.StatusOK || len(first.body) == 0 || tag == "" || first.header.Get("Cache-Control") != "no-cache" {
			t.Fatalf("%s: %d, tag %q, %q", path, first.status, tag, first.header.Get("Cache-Control"))
		}
		for _, known := range []string{tag, strings.TrimPrefix(tag, "W/"), `"other", ` + tag, "*"} {
			again := get(path, known)
			if again.status != http.StatusNotModified || len(again.body) != 0 || again.header.Get("Content-Encoding") != "" {
				t.Errorf("%s, %s: %d with %d bytes, encoded %q", path, known, again.status, len(again.body), again.header.Get("Content-Encoding"))
			}
			for _, name := range []string{"ETag", "Cache-Control", "Content-Security-Policy", "X-Content-Type-Options"} {
				if again.header.Get(name) != first.header.Get(name) {
					t.Errorf("%s, %s: %s is %q, was %q", path, known, name, again.header.Get(name), first.header.Get(name))
				}
			}
		}
		for _, known := range []string{`"other"`, tag + "x", "W/", `""`} {
			if r := get(path, known); r.status != http.StatusOK || !bytes.Equal(r.body, first.body) {
				t.Errorf("%s, %s: %d", path, known, r.status)
			}
		}
	}
	before := get("/page/app.js", "").header.Get("ETag")
	w.Page = fstest.MapFS{"app.js": {Data: []byte(script + "export const b = 2;\n")}}
	if r := get("/page/app.js", before); r.status != http.StatusOK || r.header.Get("ETag") == before {
		t.Errorf("a changed script: %d, tag %s", r.status, r.header.Get("ETag"))
	}
}

// What speaks of people, and what says that there is nothing, is kept nowhere.
func TestNothingButThePagesFilesIsKept(t *testing.T) {
	w := newWorld(t)
	w.Page = fstest.MapFS{"app.js": {Data: []byte("1")}}
	tag := w.do(t, httptest.NewRequest(http.MethodGet, "/page/app.js", nil)).header.Get("ETag")
	for _, req := range []*http.Request{
		w.request(t, http.MethodGet, "/v1/areas", nil), w.request(t, http.MethodGet, "/v1/areas/999001/summary", nil),
		httptest.NewRequest(http.MethodGet, "/v1/session", nil), httptest.NewRequest(http.MethodGet, "/v1/openapi.json", nil),
		httptest.NewRequest(http.MethodGet, "/page/missing.js", nil), httptest.NewRequest(http.MethodGet, "/page/embed.go", nil),
		httptest.NewRequest(http.MethodGet, "/", nil),
	} {
		req.Header.Set("If-None-Match", tag+", *")
		r := w.do(t, req)
		if r.status == http.StatusNotModified || r.header.Get("Cache-Control") != "no-store" || r.header.Get("ETag") != "" {
			t.Errorf("%s: %d, %q, tag %q", req.URL.Path, r.status, r.header.Get("Cache-Control"), r.header.Get("ETag"))
		}
	}
}
