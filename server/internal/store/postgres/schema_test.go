package postgres_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"gridsync/server/internal/store/postgres/pgtest"
	"gridsync/server/internal/store/sqlite"
	"gridsync/server/internal/store/storetest"
)

// sound fails unless every reference in the database that a test left behind has its row, and
// every row of the log is in one run, of its author.
func sound(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(context.WithoutCancel(t.Context()), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := conn.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	for _, r := range references {
		table, column, _ := strings.Cut(r.from, ".")
		other, key, _ := strings.Cut(r.to, ".")
		none(t, conn, "SELECT COUNT(*) FROM "+table+" f WHERE f."+column+" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "+
			other+" t WHERE t."+key+" = f."+column+")", r.from+" leads nowhere")
	}
	none(t, conn, `SELECT COUNT(*) FROM change_log c WHERE c.author::text IS DISTINCT FROM
		(SELECT string_agg(u.author::text, ',') FROM author_run u WHERE c.seq BETWEEN u.first AND u.last)`,
		"of the log's rows are in no run, in two, or in another author's")
}

func none(t *testing.T, conn *pgx.Conn, text, what string) {
	t.Helper()
	var n int
	if err := conn.QueryRow(context.WithoutCancel(t.Context()), text).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d %s: %v", n, what, err)
	}
}

// references are the columns that name a row of another table.
var references = []struct{ from, to string }{
	{"device_author.device", "device.key"},
	{"device_author.author", "author.key"},
	{"entitlement.author", "author.key"},
	{"record.kind", "kind.key"},
	{"record.area", "place.key"},
	{"gone.record", "record.key"},
	{"change_log.device", "device.key"},
	{"change_log.author", "author.key"},
	{"change_log.kind", "kind.key"},
	{"change_log.record", "record.key"},
	{"change_log.area", "place.key"},
	{"author_run.author", "author.key"},
	{"device_state.device", "device.key"},
	{"sighting.author", "author.key"},
	{"visited.author", "author.key"},
	{"reference.kind", "kind.key"},
	{"review_event.item", "review_item.id"},
	{"match_key.record", "record.key"},
	{"told.device", "device.key"},
	{"delivery.hook", "hook.id"},
	{"delivery.seq", "alert.seq"},
	{"enrolment.invite", "invite.id"},
	{"enrolment.device", "device.key"},
	{"enrolment.author", "author.key"},
	{"undertaking.author", "author.key"},
	{"refresh.device", "device.key"},
	{"account.author", "author.key"},
	{"session.author", "author.key"},
	{"link_once.author", "author.key"},
	{"audit.who", "author.key"},
	{"audit.device", "device.key"},
	{"audit.area", "place.key"},
	{"audit_record.line", "audit.key"},
	{"form.by", "author.key"},
	{"form_draft.by", "author.key"},
	{"setting.by", "author.key"},
}

// all reads one column.
func all(t *testing.T, db *sql.DB, text string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		found = append(found, one)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	return found
}

// TestBothEnginesHaveTheSameTables compares every column, its type, and whether it may be
// NULL, and every reference, but for the tables by which servers know of each other.
func TestBothEnginesHaveTheSameTables(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, err := sqlite.Open(t.Context(), dir, sqlite.Options{Keys: storetest.Keys(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	lite := handle(t, "sqlite", filepath.Join(dir, sqlite.FileName))
	post := handle(t, "pgx", pgtest.Database(t))
	want := all(t, lite, `SELECT m.name || '.' || c.name || CASE c.type WHEN 'BLOB' THEN ' bytea' WHEN 'TEXT' THEN ' text' ELSE ' bigint' END ||
			CASE WHEN c."notnull" <> 0 OR c.pk <> 0 THEN '' ELSE ' or null' END
		FROM sqlite_schema m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'goose_%'`)
	got := all(t, post, `SELECT table_name || '.' || column_name || ' ' || data_type || CASE is_nullable WHEN 'YES' THEN ' or null' ELSE '' END
		FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'goose_%'
			AND table_name NOT IN ('server_lease', 'duty')`) // of which SQLite has a locked file
	differ(t, want, got)
	want = all(t, lite, `SELECT m.name || '.' || f."from" || ' ' || f."table" || '.' || f."to"
		FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'`)
	got = nil
	for _, r := range references {
		got = append(got, r.from+" "+r.to)
	}
	slices.Sort(got)
	differ(t, want, got)
	differ(t, all(t, lite, "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"),
		all(t, post, `SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
			WHERE c.relnamespace = 'public'::regnamespace AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = c.oid)`))
}

func handle(t *testing.T, driver, source string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func differ(t *testing.T, lite, post []string) {
	t.Helper()
	for _, one := range lite {
		if !slices.Contains(post, one) {
			t.Errorf("SQLite has %s", one)
		}
	}
	for _, one := range post {
		if !slices.Contains(lite, one) {
			t.Errorf("PostgreSQL has %s", one)
		}
	}
}

// TestTextsThatAreComparedAreInTheOrderOfBytes looks at every text of every index.
func TestTextsThatAreComparedAreInTheOrderOfBytes(t *testing.T) {
	t.Parallel()
	post := handle(t, "pgx", pgtest.Database(t))
	for _, one := range all(t, post, `SELECT c.relname || ' ' || a.attname FROM pg_index i
		JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'goose_%' AND a.atttypid = 'text'::regtype AND a.attcollation <> 'pg_catalog."C"'::regcollation`) {
		t.Errorf("%s is in the order of a language", one)
	}
}

// TestWhatIsOnlyAddedToStays tries to alter it.
func TestWhatIsOnlyAddedToStays(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	conn := observer(t, url)
	if _, err := conn.Exec(t.Context(), `INSERT INTO audit (key, at, act, detail) VALUES (1, 1, 'read', '');
		INSERT INTO audit_record (record, line) VALUES (decode(repeat('01', 16), 'hex'), 1);
		INSERT INTO form (key, sort, name, version, source, at) VALUES (1, 'form', 'visit', 1, '{}', 1);
		INSERT INTO setting (key, area, name, from_day, value, at) VALUES (1, '33', 'a', 20200101, '1', 1)`); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"UPDATE audit SET at = 2", "DELETE FROM audit", "TRUNCATE audit",
		"UPDATE audit_record SET line = 2", "DELETE FROM audit_record", "TRUNCATE audit_record",
		"UPDATE form SET source = ''", "DELETE FROM form", "TRUNCATE form",
		"UPDATE setting SET value = '2'", "DELETE FROM setting", "TRUNCATE setting",
		"INSERT INTO setting (key, area, name, from_day, value, at) VALUES (1, '33', 'a', 20200101, '2', 1) ON CONFLICT (key) DO UPDATE SET value = '2'",
	} {
		if _, err := conn.Exec(t.Context(), text); err == nil {
			t.Errorf("%s: nobody minded", text)
		}
	}
}
