package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"gridsync/server/internal/host"
	"gridsync/server/internal/store/postgres/pgtest"
)

// TestADatabaseMovesThereAndBack plays a small world on SQLite, copies it to PostgreSQL and
// from there to SQLite again: all three say the same of every row.
func TestADatabaseMovesThereAndBack(t *testing.T) {
	first, keys := played(t)
	url := pgtest.Empty(t)
	code, out, told := command(t, "", "copy", "-from", "sqlite:"+first, "-to", url, "-keys", keys)
	if code != 0 || !strings.Contains(out, "已全部复制并核对") || !strings.Contains(told, "change_log") {
		t.Fatalf("%d %s %s", code, out, told)
	}
	second := filepath.Join(t.TempDir(), "second")
	if code, out, told = command(t, "", "copy", "-from", url, "-to", "sqlite:"+second, "-keys", keys); code != 0 {
		t.Fatalf("%d %s %s", code, out, told)
	}
	was, is := rowsOf(t, first), rowsOf(t, second)
	if len(was) < 1000 {
		t.Fatalf("only %d rows", len(was))
	}
	for i := range was {
		if i >= len(is) || was[i] != is[i] {
			t.Fatalf("row %d of %d and %d: %s", i, len(was), len(is), was[i])
		}
	}
	if len(is) != len(was) {
		t.Errorf("%d rows became %d", len(was), len(is))
	}
	if code, _, told = command(t, "", "verify", "-data", second, "-keys", keys); code != 0 {
		t.Error(told)
	}

	for _, args := range []string{"list", "add 3307", "shape 3307"} {
		code, _, told = command(t, "", append(append([]string{"partitions"}, strings.Fields(args)...), "-db", url, "-keys", keys)...)
		if code != 1 || !strings.Contains(told, "不再接受写入") || !strings.Contains(told, second) {
			t.Errorf("partitions %s where the log was: %d %s", args, code, told)
		}
	}
	if code, _, told = command(t, "", "copy", "-from", "sqlite:"+first, "-to", url, "-keys", keys); code != 1 || !strings.Contains(told, "已经完整") || !strings.Contains(told, second) {
		t.Errorf("what was copied on is copied again: %d %s", code, told)
	}
	for _, gone := range []string{"sqlite:" + first, url} {
		code, out, told = command(t, "", "areas", "list", "-db", gone, "-keys", keys)
		if code != 0 || out == "" {
			t.Errorf("%s can't be read: %s", gone, told)
		}
		code, _, told = command(t, "code,name,parent\nx,某区,\n", "areas", "import", "-", "-db", gone, "-keys", keys)
		if code != 1 || !strings.Contains(told, "不再接受写入") || strings.Contains(told, "password") {
			t.Errorf("%s takes writes: %d %s", gone, code, told)
		}
		if code, _, told = command(t, "", "serve", "-db", gone, "-keys", keys, "-listen", "127.0.0.1:0"); code != 1 || !strings.Contains(told, "不再接受写入") {
			t.Errorf("%s is served: %d %s", gone, code, told)
		}
	}
	if code, _, told = command(t, "", "copy", "-from", "sqlite:"+second, "-to", url, "-keys", keys); code != 1 || !strings.Contains(told, "不是空的") {
		t.Errorf("onto what is there: %d %s", code, told)
	}
	if code, _, told = command(t, "code,name,parent\nx,某区,\n", "areas", "import", "-", "-data", second, "-keys", keys); code != 0 {
		t.Errorf("where it went on it can't: %s", told)
	}
}

// TestACopyThatWasBrokenOffGoesOn ends a copy within a table: neither database takes writes
// until it is whole.
func TestACopyThatWasBrokenOffGoesOn(t *testing.T) {
	first, keys := played(t)
	second := filepath.Join(t.TempDir(), "second")
	from, to := "sqlite:"+first, "sqlite:"+second
	ctx, end := context.WithCancel(t.Context())
	_, err := host.Move(ctx, "", host.Options{Keys: keys}, host.Moving{From: from, To: to, Proving: func(string) {}, Told: func(table string, _ int64) {
		if table == "change_log" {
			end()
		}
	}})
	if err == nil {
		t.Fatal("it wasn't broken off")
	}
	alter(t, second, "DELETE FROM change_log WHERE seq > (SELECT MAX(seq) / 2 FROM change_log)")
	for at, want := range map[string]string{from: "不再接受写入", to: "尚未复制完"} {
		if code, _, told := command(t, "", "serve", "-db", at, "-keys", keys, "-listen", "127.0.0.1:0"); code != 1 || !strings.Contains(told, want) {
			t.Errorf("%s is served: %d %s", at, code, told)
		}
	}
	if code, _, told := command(t, "", "epoch", "new", "-db", to, "-keys", keys); code != 1 || !strings.Contains(told, "尚未复制完") {
		t.Errorf("half a copy begins a history: %d %s", code, told)
	}
	third := "sqlite:" + filepath.Join(t.TempDir(), "third")
	if code, _, told := command(t, "", "copy", "-from", from, "-to", third, "-keys", keys); code != 1 || !strings.Contains(told, second) {
		t.Errorf("it goes to two places: %d %s", code, told)
	}
	if code, _, told := command(t, "", "copy", "-from", from, "-to", to, "-keys", keys); code != 0 {
		t.Fatal(told)
	}
	if was, is := rowsOf(t, first), rowsOf(t, second); !slices.Equal(was, is) {
		t.Errorf("%d rows became %d, or others", len(was), len(is))
	}
	if code, _, told := command(t, "", "copy", "-from", from, "-to", to, "-keys", keys); code != 1 || !strings.Contains(told, "已经完整") || !strings.Contains(told, second) {
		t.Errorf("once more: %d %s", code, told)
	}
	if err := os.RemoveAll(second); err != nil {
		t.Fatal(err)
	}
	if code, _, told := command(t, "", "copy", "-from", from, "-to", to, "-keys", keys); code != 1 || !strings.Contains(told, "不再接受写入") {
		t.Errorf("once more, onto what came in its place: %d %s", code, told)
	}
	if code, _, told := command(t, "", "epoch", "new", "-db", from, "-keys", keys); code != 0 {
		t.Errorf("another history can't begin where the old one was: %s", told)
	}
}

// TestACopyIsProvedBeforeItIsLived breaks a copy off in its proof: the same command proves it,
// and finds that it isn't what it was made of, which leaves the history where it was.
func TestACopyIsProvedBeforeItIsLived(t *testing.T) {
	first, keys := played(t)
	second := filepath.Join(t.TempDir(), "second")
	from, to := "sqlite:"+first, "sqlite:"+second
	ctx, end := context.WithCancel(t.Context())
	_, err := host.Move(ctx, "", host.Options{Keys: keys}, host.Moving{From: from, To: to, Told: func(string, int64) {}, Proving: func(place string) {
		if place == second {
			end()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	again := func() (int, string) {
		code, out, told := command(t, "", "copy", "-from", from, "-to", to, "-keys", keys)
		return code, out + told
	}
	served := func(at string) (int, string) {
		code, _, told := command(t, "code,name,parent\nx,某区,\n", "areas", "import", "-", "-db", at, "-keys", keys)
		return code, told
	}
	for at, says := range map[string]string{from: "正在复制", to: "尚未复制完"} {
		if code, told := served(at); code != 1 || !strings.Contains(told, says) {
			t.Errorf("%s takes writes: %d %s", at, code, told)
		}
	}
	alter(t, second, "UPDATE head SET sum = sum + 1")
	if code, told := again(); code != 1 || !strings.Contains(told, "副本与原数据库不符") || strings.Contains(told, "已全部复制") {
		t.Fatalf("%d %s", code, told)
	}
	if code, told := served(to); code != 1 {
		t.Errorf("what was given up takes writes: %s", told)
	}
	if code, told := served(from); code != 0 {
		t.Errorf("it doesn't go on where it was: %s", told)
	}
	if code, told := again(); code != 1 || !strings.Contains(told, "不是空的") {
		t.Errorf("what was given up is gone on with: %d %s", code, told)
	}
	if err := os.RemoveAll(second); err != nil {
		t.Fatal(err)
	}
	if code, told := again(); code != 0 || !strings.Contains(told, "已全部复制并核对") {
		t.Errorf("%d %s", code, told)
	}
}

// TestWhatIsNotSoundIsMovedKnowingly copies what isn't what its log says, or whose log was
// altered: not without a word, and never as proved.
func TestWhatIsNotSoundIsMovedKnowingly(t *testing.T) {
	for name, text := range map[string]string{
		"what follows from the log": "UPDATE head SET sum = sum + 1",
		"the log":                   "UPDATE change_log SET received = received + 1 WHERE seq = (SELECT MAX(seq) / 2 FROM change_log)",
	} {
		t.Run(name, func(t *testing.T) {
			first, keys := played(t)
			alter(t, first, text)
			from, to := "sqlite:"+first, pgtest.Empty(t)
			copies := []string{"copy", "-from", from, "-to", to, "-keys", keys}
			code, out, told := command(t, "", copies...)
			if code != 1 || out != "" || !strings.Contains(told, "原数据库与它自己的日志不一致") || strings.Contains(told, "change_log") {
				t.Errorf("%d %s %s", code, out, told)
			}
			if code, _, told = command(t, "code,name,parent\nx,某区,\n", "areas", "import", "-", "-db", from, "-keys", keys); code != 0 {
				t.Errorf("it doesn't go on where it was: %s", told)
			}
			if code, out, told = command(t, "", append(copies, "-faulty")...); code != 0 || !strings.Contains(out, "不算核对通过") || strings.Contains(out, "已全部复制并核对") {
				t.Errorf("%d %s %s", code, out, told)
			}
			if code, _, told = command(t, "", "verify", "-db", to, "-keys", keys); code != 1 || !strings.Contains(told, "核验未通过") {
				t.Errorf("%d %s", code, told)
			}
		})
	}
}

func TestADatabaseIsNotCopiedIntoItself(t *testing.T) {
	t.Setenv("GRIDSYNC_DATA", t.TempDir())
	first, keys := played(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(first, link); err != nil {
		t.Fatal(err)
	}
	url := pgtest.Empty(t)
	if code, _, told := command(t, county, "areas", "import", "-", "-db", url, "-keys", keys); code != 0 {
		t.Fatal(told)
	}
	for from, to := range map[string]string{"sqlite:" + first: "sqlite:" + link, url: url} {
		code, _, told := command(t, "", "copy", "-from", from, "-to", to, "-keys", keys)
		if code != 1 || !strings.Contains(told, "是同一个数据库") || !strings.Contains(told, "are one database") {
			t.Errorf("%s: %d %s", from, code, told)
		}
	}
}

// Each command has flags and variables of its own for its addresses.
func TestABadAddressIsNotLaidToAnotherCommandsFlags(t *testing.T) {
	t.Setenv("GRIDSYNC_DATA", t.TempDir())
	for args, says := range map[string]string{
		"copy -from frob -to sqlite:x": "copy from: a database is",
		"copy -from sqlite:x -to frob": "copy to: a database is",
		"bench -db frob":               "-db 应为 postgres://",
	} {
		code, _, told := command(t, "", strings.Fields(args)...)
		if code != 1 || !strings.Contains(told, says) || strings.Contains(told, "GRIDSYNC_DB") || strings.Contains(told, "出错了") {
			t.Errorf("%s: %d %s", args, code, told)
		}
	}
}

func alter(t *testing.T, dir, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "gridsync.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNotThereIsNotCopied(t *testing.T) {
	nowhere, to := filepath.Join(t.TempDir(), "nowhere"), filepath.Join(t.TempDir(), "to")
	code, _, told := command(t, "", "copy", "-from", "sqlite:"+nowhere, "-to", "sqlite:"+to, "-keys", t.TempDir())
	if code != 1 || !strings.Contains(told, "这里没有网格通的数据") {
		t.Errorf("%d %s", code, told)
	}
	if _, err := os.Stat(nowhere); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder came about: %v", err)
	}
	if code, _, told = command(t, "", "copy", "-from", pgtest.Empty(t), "-to", "sqlite:"+to, "-keys", t.TempDir()); code != 1 || !strings.Contains(told, "这里没有网格通的数据") {
		t.Errorf("%d %s", code, told)
	}
}

// rowsOf is every row of a folder's database, but for where it goes on.
func rowsOf(t *testing.T, dir string) []string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "gridsync.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	var all []string
	for _, table := range texts(t, db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%'") {
		columns := texts(t, db, "SELECT name FROM pragma_table_info('"+table+"') WHERE name NOT IN ('moved', 'moved_with')")
		quoted := make([]string, len(columns))
		for i, c := range columns {
			quoted[i] = "quote(" + c + ")"
		}
		for _, row := range texts(t, db, "SELECT "+strings.Join(quoted, " || ',' || ")+" FROM "+table) {
			all = append(all, table+": "+row)
		}
	}
	slices.Sort(all)
	return all
}

func texts(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", query, err))
	}
	var all []string
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// played tells where a small world on SQLite is, and its keys: a copy of one that was played once.
func played(t *testing.T) (dir, keys string) {
	t.Helper()
	data, err := playedOnce()
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(t.TempDir(), "first")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(data, "server"))); err != nil {
		t.Fatal(err)
	}
	return dir, filepath.Join(dir, "keys")
}

var playedOnce = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "played")
	if err != nil {
		return "", err
	}
	playedIn = dir
	data := filepath.Join(dir, "data")
	var out, notes bytes.Buffer
	if err := realMain(context.Background(), []string{"demo", "-once", "-json", "-scale", "200", "-data", data}, strings.NewReader(""), &out, &notes); err != nil {
		return "", fmt.Errorf("%w\n%s", err, &notes)
	}
	return data, nil
})

// playedIn is what TestMain takes away in the end.
var playedIn string
