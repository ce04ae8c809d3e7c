package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"gridsync/server/internal/store/postgres/pgtest"
)

// demonstrated is what a demo prints, without the seconds that it took.
func demonstrated(t *testing.T, args ...string) map[string]any {
	t.Helper()
	var out, notes bytes.Buffer
	if err := realMain(t.Context(), append([]string{"demo", "-once", "-json", "-scale", "200"}, args...), strings.NewReader(""), &out, &notes); err != nil {
		t.Fatalf("%q: %v\n%s", args, err, &notes)
	}
	var printed map[string]any
	if err := json.Unmarshal(out.Bytes(), &printed); err != nil {
		t.Fatal(err)
	}
	delete(printed, "seconds")
	return printed
}

func TestTheDemoEndsAlikeOnBothEngines(t *testing.T) {
	here, there := demonstrated(t), demonstrated(t, "-db", pgtest.Database(t))
	if len(here) < 5 {
		t.Fatalf("the demo prints %v", here)
	}
	if mine, theirs := encoded(t, here), encoded(t, there); mine != theirs {
		for field := range maps.Keys(here) {
			if a, b := encoded(t, here[field]), encoded(t, there[field]); a != b {
				t.Errorf("%s: %s in SQLite, %s in PostgreSQL", field, a, b)
			}
		}
		if len(here) != len(there) {
			t.Errorf("%d fields in SQLite, %d in PostgreSQL", len(here), len(there))
		}
	}
}

func encoded(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestMain lets the test's own program be the bench's children, and takes away what tests
// share.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "bench-child" {
		os.Exit(exitCode(realMain(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr), os.Stderr))
	}
	code := m.Run()
	if err := os.RemoveAll(playedIn); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func TestTheBenchMeasuresPostgreSQLAndLeavesNothingThere(t *testing.T) {
	database := pgtest.Database(t)
	code, out, told := command(t, "", "bench", "-json", "-changes", "200", "-people", "1000", "-idle", "20", "-rounds", "1", "-clients", "1", "-db", database)
	if code != 0 || !strings.Contains(told, "server  push from  1 clients") {
		t.Fatalf("%d %s %s", code, out, told)
	}
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := conn.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	var left int
	if err := conn.QueryRow(t.Context(), "SELECT COUNT(*) FROM pg_database WHERE datname LIKE 'gridsync\\_bench\\_%'").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d databases are left, %v", left, err)
	}
}

func TestAnInstallationOnPostgreSQLIsMadeByCommands(t *testing.T) {
	t.Setenv("GRIDSYNC_DB", pgtest.Database(t))
	t.Setenv("GRIDSYNC_DATA", t.TempDir())
	for _, step := range []struct {
		stdin, args, says string
	}{
		{county, "areas import -", "there are 2 now"},
		{"", "areas list", "金华市"},
		{"", "init -login admin -name 管理员", "#welcome="},
		{"", "link -login admin", "#welcome="},
		{"", "invite -area 3307 -role volunteer", "an invitation into 3307"},
		{"", "people -area 3307", ""},
		{"", "devices -area 3307", ""},
		{"", "hooks -area 3307", ""},
		{"", "forms list", "household"},
		{"", "settings 33", ""},
		{"", "keys list", "data key 1"},
		{"", "keys rotate -drop", "data key 2 seals now"},
		{"", "keys token", "token-0002.pem"},
		{"", "epoch new", "new epoch"},
		{"", "purge -kind passage -older 90d", "purged 0 records"},
		{"", "rebuild -check", "agree"},
		{"", "verify", "chain holds"},
		{"", "audit", ""},
		{"", "servers", "no server is running"},
	} {
		code, out, told := command(t, step.stdin, strings.Fields(step.args)...)
		if code != 0 || !strings.Contains(out+told, step.says) {
			t.Errorf("%s: %d\n%s%s", step.args, code, out, told)
		}
	}
}

func TestNoCommandShowsAPassword(t *testing.T) {
	t.Setenv("GRIDSYNC_DATA", t.TempDir())
	for _, address := range []string{
		"postgres://me:hunter2@127.0.0.1:1/db", "postgres://me:hunter2@127.0.0.1:port/db", "postgres://me:%zzhunter2@h/db",
		"postgres://127.0.0.1:1/db?password=hunter2", "mysql://me:hunter2@127.0.0.1/db", "hunter2",
	} {
		t.Setenv("GRIDSYNC_DB", address)
		for _, args := range []string{"areas list", "serve -listen 127.0.0.1:0", "keys list", "keys token", "keys rotate", "rebuild -check", "rebuild -help"} {
			code, out, told := command(t, "", strings.Fields(args)...)
			if needs := args != "keys token" && args != "rebuild -help"; needs && code == 0 {
				t.Errorf("%s with %s works", args, address)
			}
			if strings.Contains(out+told, "hunter2") {
				t.Errorf("%s says %s%s", args, out, told)
			}
		}
	}
}

func TestADemoIsNotToldIntoSomebodysDatabase(t *testing.T) {
	database := pgtest.Database(t)
	t.Setenv("GRIDSYNC_DATA", t.TempDir())
	if code, _, told := command(t, county, "areas", "import", "-", "-db", database); code != 0 {
		t.Fatal(told)
	}
	code, _, told := command(t, "", "demo", "-once", "-json", "-scale", "200", "-db", database)
	if code != 1 || !strings.Contains(told, "该数据库已有内容") {
		t.Errorf("%d %s", code, told)
	}
}

// A demo that finds somebody's data leaves what was derived from it as it is.
func TestADemoLooksBeforeItServes(t *testing.T) {
	database, story := pgtest.Database(t), t.TempDir()
	keys := filepath.Join(story, "server", "keys")
	if code, _, told := command(t, county, "areas", "import", "-", "-db", database, "-data", t.TempDir(), "-keys", keys); code != 0 {
		t.Fatal(told)
	}
	alterThere(t, database, "UPDATE meta SET derivation = 0")
	code, _, told := command(t, "", "demo", "-once", "-json", "-scale", "200", "-db", database, "-data", story)
	if code != 1 || !strings.Contains(told, "该数据库已有内容") {
		t.Errorf("%d %s", code, told)
	}
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	var derivation int
	err = errors.Join(conn.QueryRow(t.Context(), "SELECT derivation FROM meta").Scan(&derivation), conn.Close(context.WithoutCancel(t.Context())))
	if err != nil || derivation != 0 {
		t.Errorf("derived by %d, %v", derivation, err)
	}
}

func TestADatabaseThatCannotBeHadIsToldInWords(t *testing.T) {
	t.Setenv("GRIDSYNC_DATA", t.TempDir())
	there, err := url.Parse(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(*url.URL, url.Values)) string {
		other, query := *there, there.Query()
		change(&other, query)
		other.RawQuery = query.Encode()
		return other.String()
	}
	for address, says := range map[string]string{
		with(func(u *url.URL, _ url.Values) { u.Path = "/nothing_of_that_name" }): "请先建库",
		with(func(_ *url.URL, q url.Values) { q.Set("user", "a_stranger") }):      "拒绝登录",
		with(func(_ *url.URL, q url.Values) { q.Set("host", t.TempDir()) }):       "连不上数据库",
	} {
		for _, args := range []string{"serve -listen 127.0.0.1:0", "areas list", "bench -people 1000 -changes 200", "bench -scale -people 1000 -changes 200", "bench -growth -engine postgres"} {
			if code, out, told := command(t, "", append(strings.Fields(args), "-db", address)...); code != 1 || out != "" || !strings.Contains(told, says) {
				t.Errorf("%s with %s: %d %s", args, address, code, told)
			}
		}
	}
}
