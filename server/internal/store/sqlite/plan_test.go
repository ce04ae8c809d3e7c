package sqlite_test

import (
	"database/sql"
	"errors"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"gridsync/server/internal/store/sqlite"
	"gridsync/server/internal/store/storetest"
)

// noted is an engine that notes the statements it used when it is closed.
type noted struct {
	*sqlite.Store
	note func([]string)
}

func (n noted) Close() error {
	n.note(n.Statements())
	return n.Store.Close()
}

// TestStore holds the engine against the contract, and then looks at the plan of
// every statement that it took.
func TestStore(t *testing.T) {
	var mu sync.Mutex
	texts := make(map[string]struct{})
	note := func(used []string) {
		mu.Lock()
		defer mu.Unlock()
		for _, text := range used {
			texts[text] = struct{}{}
		}
	}
	storetest.Run(t, func(t *testing.T) storetest.Place {
		dir := t.TempDir()
		t.Cleanup(func() { sound(t, dir) })
		return func(t *testing.T) storetest.Engine { return noted{open(t, dir), note} }
	})
	t.Run("NoStatementReadsAWholeTable", func(t *testing.T) {
		readsNoWholeTable(t, slices.Sorted(maps.Keys(texts)))
	})
}

func readsNoWholeTable(t *testing.T, texts []string) {
	t.Helper()
	dir := t.TempDir()
	store := open(t, dir)
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	db, err := sql.Open("sqlite", filepath.Join(dir, sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, text := range texts {
		if text == "COMMIT" || text == "ROLLBACK" || strings.HasPrefix(text, "BEGIN") {
			continue
		}
		for _, step := range plan(t, db, text) {
			if wholeTable.MatchString(step) && strings.Contains(text, " WHERE ") && !readsAll.MatchString(text) {
				t.Errorf("%s\n  reads a whole table: %s", text, step)
			}
			if step == "USE TEMP B-TREE FOR ORDER BY" && strings.Contains(text, "LIMIT") && !strings.Contains(text, "FROM review_item") {
				t.Errorf("%s\n  sorts more than the page that it asks for", text)
			}
		}
	}
}

var (
	// wholeTable is a step that walks through one of the tables that grow with the
	// work done. What is parked is few.
	wholeTable = regexp.MustCompile(`^SCAN (c|r|s|i|o|g|m|l|change_log|record|sighting|counter|gone|review_item|review_event|match_key|link|told)` +
		`( USING (COVERING )?INDEX (record|sqlite|change_log_author|link)_.*)?$`)
	// readsAll is the statement that compares every counter.
	readsAll = regexp.MustCompile(`FROM counter WHERE n <> 0`)
)

// plan returns the steps by which SQLite would run a statement.
func plan(t *testing.T, db *sql.DB, text string) (steps []string) {
	t.Helper()
	rows, err := db.Query("EXPLAIN QUERY PLAN "+text, make([]any, 8000)...)
	if err != nil {
		t.Fatal(text, err)
	}
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	return steps
}
