package main

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"gridsync/server/internal/store/postgres/pgtest"
)

// TestAnOlderProgramLeavesANewerDatabaseAlone has a release to come bring a database of each
// engine up to date.
func TestAnOlderProgramLeavesANewerDatabaseAlone(t *testing.T) {
	t.Setenv("GRIDSYNC_DATA", t.TempDir())
	dir, url := t.TempDir(), pgtest.Empty(t)
	const later = "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, TRUE)"
	for at, bringUp := range map[string]func(){
		"sqlite:" + dir: func() { alter(t, dir, later) },
		url:             func() { alterThere(t, url, later) },
	} {
		if code, _, told := command(t, county, "areas", "import", "-", "-db", at); code != 0 {
			t.Fatal(told)
		}
		bringUp()
		for _, args := range []string{"areas list", "servers", "verify", "epoch new", "keys list"} {
			code, out, told := command(t, "", append(strings.Fields(args), "-db", at)...)
			if code != 1 || out != "" || !strings.Contains(told, "本程序比数据库旧") || !strings.Contains(told, "this program is older than the database") {
				t.Errorf("%s on %s: %d %s%s", args, at, code, out, told)
			}
		}
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "gridsync.db"))
	if err != nil {
		t.Fatal(err)
	}
	if got := texts(t, db, "SELECT MAX(version_id) FROM goose_db_version"); got[0] != "99" {
		t.Errorf("it is of version %v", got)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func alterThere(t *testing.T, url, text string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), text); err != nil {
		t.Error(err)
	}
	if err := conn.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}
