package archtest

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestTheTreeKeepsItsLayout is the check itself.
func TestTheTreeKeepsItsLayout(t *testing.T) {
	packages, err := Load(os.DirFS("../../.."))
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) < 10 {
		t.Fatalf("only %d packages found: this isn't the module's root", len(packages))
	}
	for _, b := range Check(packages) {
		t.Error(b)
	}
}

// TestEveryLayerHasItsReason keeps the rules from becoming mere habit.
func TestEveryLayerHasItsReason(t *testing.T) {
	for _, l := range Layout {
		if l.Why == "" || len(l.Packages) == 0 {
			t.Errorf("layer %q: says %q of %v", l.Name, l.Why, l.Packages)
		}
	}
}

// TestEveryExceptionIsUsed keeps the list from outliving what it was for.
func TestEveryExceptionIsUsed(t *testing.T) {
	packages, err := Load(os.DirFS("../../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range exceptions {
		if e.Why == "" {
			t.Errorf("%s may use %v, and nobody says why", e.Where, e.What)
		}
		for _, what := range e.What {
			if !used(packages, e.Where, what) {
				t.Errorf("%s doesn't use %s any more: take the exception away", e.Where, what)
			}
		}
	}
}

func used(packages []Package, where, what string) bool {
	for _, p := range packages {
		for _, f := range p.Files {
			if matches(where, f.Path) && (slices.Contains(f.Imports, what) ||
				slices.ContainsFunc(f.Uses, func(u Use) bool { return u.Name == what })) {
				return true
			}
		}
	}
	return false
}

func TestABreachIsSeen(t *testing.T) {
	const doc = "// Package x is here.\n"
	for _, c := range []struct {
		name, path, source string
		// want is a part of the only breach, or "" for none.
		want string
	}{
		{"merge reaches SQL", "syncproto/merge/a.go", doc + `package merge; import _ "database/sql"`, "imports database/sql, which language may not"},
		{"the language opens a file", "syncproto/a.go", doc + `package syncproto; import _ "os"`, "imports os"},
		{"the language speaks HTTP", "syncproto/clock/a.go", doc + `package clock; import _ "net/http"`, "imports net/http"},
		{"the language draws lots", "syncproto/a.go", doc + `package syncproto; import _ "math/rand/v2"`, "imports math/rand/v2"},
		{"the language uses a library", "syncproto/a.go", doc + `package syncproto; import _ "github.com/gofiber/fiber/v2"`, "imports github.com/gofiber"},
		{"the language knows the server", "syncproto/a.go", doc + `package syncproto; import _ "gridsync/server/internal/area"`, "imports gridsync/server"},
		{"the language reads the clock", "syncproto/a.go", doc + "package syncproto\nimport \"time\"\nvar now = time.Now", "a.go:4: uses time.Now"},
		{"the language waits", "syncproto/a.go", doc + `package syncproto; import "time"; func f() { time.Sleep(1) }`, "uses time.Sleep"},
		{"the language makes ids", "syncproto/a.go", doc + `package syncproto; import "github.com/google/uuid"; var id, _ = uuid.NewV7()`, "uuid.NewV7"},
		{"the clock under another name", "syncproto/a.go", doc + `package syncproto; import t "time"; var now = t.Now()`, "uses time.Now"},
		{"the language parses a date", "syncproto/a.go", doc + `package syncproto; import "time"; var d, _ = time.Parse("2006", "2020")`, ""},
		{"the language embeds its forms", "syncproto/form/a.go", doc + `package form; import _ "embed"; import _ "golang.org/x/text/unicode/norm"`, ""},
		{"a value called time", "syncproto/a.go", doc + `package syncproto; import "time"; var d time.Duration; type T struct{ Now int }; func f(time T) int { return time.Now }`, ""},

		{"a service speaks SQL", "server/internal/exchange/a.go", doc + `package exchange; import _ "database/sql"`, "imports database/sql, which services may not"},
		{"a service knows the driver", "server/internal/roster/a.go", doc + `package roster; import _ "modernc.org/sqlite"`, "imports modernc.org/sqlite"},
		{"a service speaks HTTP", "server/internal/review/a.go", doc + `package review; import _ "net/http"`, "imports net/http"},
		{"a service knows Fiber", "server/internal/area/a.go", doc + `package area; import _ "github.com/gofiber/fiber/v2"`, "imports github.com/gofiber"},
		{"a service knows fasthttp", "server/internal/area/a.go", doc + `package area; import _ "github.com/valyala/fasthttp"`, "imports github.com/valyala"},
		{"a service knows the store", "server/internal/rollup/a.go", doc + `package rollup; import _ "gridsync/server/internal/store/sqlite"`, "imports gridsync/server/internal/store"},
		{"a service knows the API", "server/internal/identity/a.go", doc + `package identity; import _ "gridsync/server/internal/api"`, "imports gridsync/server/internal/api"},
		{"a service knows the client", "server/internal/registry/a.go", doc + `package registry; import _ "gridsync/clientsdk"`, "imports gridsync/clientsdk"},
		{"a service reads the clock", "server/internal/exchange/a.go", doc + `package exchange; import "time"; var now = time.Now()`, "uses time.Now"},
		{"an exception is for its file only", "server/internal/exchange/service.go", doc + `package exchange; import "time"; var now = time.Now; func f() { time.Sleep(1) }`, "uses time.Sleep"},
		{"a service writes to the log", "server/internal/exchange/a.go", doc + `package exchange; import _ "log/slog"`, ""},
		{"a service knows a service", "server/internal/exchange/a.go", doc + `package exchange; import _ "gridsync/server/internal/area"`, ""},

		{"the store knows the API", "server/internal/store/sqlite/a.go", doc + `package sqlite; import _ "gridsync/server/internal/api"`, "imports gridsync/server/internal/api, which store may not"},
		{"the store speaks HTTP", "server/internal/store/sqlite/a.go", doc + `package sqlite; import _ "net/http"`, "imports net/http"},
		{"the API knows the store", "server/internal/api/a.go", doc + `package api; import _ "gridsync/server/internal/store/sqlite"`, "imports gridsync/server/internal/store/sqlite, which api may not"},
		{"the API speaks SQL", "server/internal/api/a.go", doc + `package api; import _ "database/sql"`, "imports database/sql"},
		{"the API reads the clock", "server/internal/api/a.go", doc + `package api; import "time"; var now = time.Now()`, "reads the clock"},
		{"the client knows the server", "clientsdk/a.go", doc + `package clientsdk; import _ "gridsync/server/internal/exchange"`, "imports gridsync/server/internal/exchange, which clientsdk may not"},
		{"the bench knows an edge", "server/internal/bench/a.go", doc + `package bench; import _ "gridsync/server/internal/api"`, "which bench may not"},
		{"main knows both edges", "server/main.go", doc + `package main; import _ "gridsync/server/internal/api"; import _ "gridsync/server/internal/store/sqlite"`, ""},
		{"main reads the clock", "server/main.go", doc + `package main; import "time"; var now = time.Now`, ""},

		{"nobody decided about a package", "server/internal/novelty/a.go", doc + `package novelty`, "stands in 0 layers"},
		{"nothing is said of a package", "syncproto/a.go", `package syncproto`, "has no package comment"},
		{"a package of odds and ends", "syncproto/utils/a.go", doc + `package utils`, "is called utils"},
		{"a folder of odds and ends", "clientsdk/helpers/a.go", doc + `package things`, "is called helpers"},
		{"a test imports what it likes", "syncproto/a_test.go", `package syncproto; import _ "database/sql"`, ""},
		{"another module lies within", "node_modules/x/a.go", `package x; import _ "database/sql"`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			packages, err := Load(fstest.MapFS{c.path: {Data: []byte(c.source)}})
			if err != nil {
				t.Fatal(err)
			}
			breaches := Check(packages)
			if c.want == "" {
				if len(breaches) > 0 {
					t.Fatalf("a breach where there is none: %v", breaches)
				}
				return
			}
			if len(breaches) != 1 || !strings.Contains(breaches[0].String(), c.want) {
				t.Fatalf("got %v, want one breach with %q", breaches, c.want)
			}
			if breaches[0].Why == "" {
				t.Fatal("the breach doesn't say why")
			}
		})
	}
}

func TestNestedModulesAreNotOurs(t *testing.T) {
	packages, err := Load(fstest.MapFS{
		"tools/go.mod": {Data: []byte("module tools")},
		"tools/a.go":   {Data: []byte("package tools")},
		"sub/a.go":     {Data: []byte("package sub")},
	})
	if err != nil || len(packages) != 1 || packages[0].Dir != "sub" {
		t.Fatalf("got %v, %v; want only sub", packages, err)
	}
}
