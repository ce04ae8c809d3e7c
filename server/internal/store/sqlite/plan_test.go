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
		readsNoWholeTable(t, planner(t), slices.Sorted(maps.Keys(texts)))
	})
	t.Run("EachQuestionHasItsIndex", func(t *testing.T) {
		usesItsIndex(t, planner(t), slices.Sorted(maps.Keys(texts)))
	})
}

// planner opens an empty database to ask for plans.
func planner(t *testing.T) *sql.DB {
	t.Helper()
	dir := t.TempDir()
	store := open(t, dir)
	db, err := sql.Open("sqlite", filepath.Join(dir, sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(db.Close(), store.Close()); err != nil {
			t.Error(err)
		}
	})
	return db
}

func readsNoWholeTable(t *testing.T, db *sql.DB, texts []string) {
	t.Helper()
	for _, text := range texts {
		if text == "COMMIT" || text == "ROLLBACK" || strings.HasPrefix(text, "BEGIN") {
			continue
		}
		for _, step := range plan(t, db, text) {
			if wholeTable.MatchString(step) && strings.Contains(text, " WHERE ") && !readsAll.MatchString(text) {
				t.Errorf("%s\n  reads a whole table: %s", text, step)
			}
			if step == "USE TEMP B-TREE FOR ORDER BY" && strings.Contains(text, "LIMIT") && !sortsFew.MatchString(text) {
				t.Errorf("%s\n  sorts more than the page that it asks for", text)
			}
		}
	}
}

var (
	// wholeTable is a step that walks through one of the tables that grow with the
	// work done. What is parked is few, and so are records that turned out to be others.
	wholeTable = regexp.MustCompile(`^SCAN (c|r|s|i|o|g|m|change_log|record|sighting|counter|gone|review_item|review_event|match_key|told)` +
		`( USING (COVERING )?INDEX (record|sqlite)_.*)?$`)
	// sortsFew are pages of what is open or new in some areas: few, and looked at seldom.
	sortsFew = regexp.MustCompile(`FROM (review_item|invite|enrolment)\b`)
	// readsAll is the statement that compares every counter.
	readsAll = regexp.MustCompile(`FROM counter WHERE n <> 0`)
)

// indexes say, for a piece of a statement's text, which step its plan must have.
var indexes = []struct{ text, step string }{
	{"FROM review_item i WHERE i.closed = 0 AND i.area IN", "INDEX review_item_open (area=?"},
	{"SELECT i.kind, COUNT(*)", "SEARCH i USING COVERING INDEX review_item_open (area=?)"},
	{"i.other IS NOT NULL AND i.record IN", "SEARCH i USING INDEX review_item_record (record=?)"},
	{"i.other IS NOT NULL AND i.other IN", "SEARCH i USING INDEX review_item_other (other=?)"},
	{"FROM review_event WHERE item = ", "SEARCH review_event USING PRIMARY KEY (item=?)"},
	{"MAX(ordinal) FROM review_event", "SEARCH review_event USING PRIMARY KEY (item=?)"},
	{"m.key BETWEEN asked.low AND asked.low)", "USING PRIMARY KEY (key>? AND key<?)"},
	{"m.key BETWEEN asked.low AND asked.low +", "USING PRIMARY KEY (key>? AND key<?)"},
	{"FROM match_key m JOIN record r ON r.key = m.record\n\tWHERE", "SEARCH m USING PRIMARY KEY (key>? AND key<?)"},
	{"DELETE FROM match_key WHERE (key", "SEARCH match_key USING PRIMARY KEY (key=? AND record=?)"},
	{"WITH RECURSIVE absorbed", "SEARCH l USING COVERING INDEX link_became (became=?)"},
	{"FROM review_item i WHERE i.record IN", "SEARCH i USING INDEX review_item_about (record=?)"},
	{"i.closed <> 0 AND i.other", "SEARCH i USING INDEX review_item_closed_other (other=?)"},
	{"DELETE FROM told", "SEARCH told USING INDEX told_record (record=?)"},
	{"r.version <= $3", "SEARCH r USING INDEX record_feed (feed=? AND version>? AND version<?)"},
	{"UPDATE change_log SET said = NULL", "SEARCH change_log USING INTEGER PRIMARY KEY (rowid=?)"},
	{"FROM audit_record i", "SEARCH i USING PRIMARY KEY (record=? AND line<?)"},
	{"l.shown FROM audit l", "SEARCH l USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
	{"FROM told WHERE device = ", "SEARCH told USING PRIMARY KEY (device=? AND version"},
	{"FROM author_run u", "SEARCH u USING PRIMARY KEY (author=? AND first<?)"},
	{"FROM author_run u", "SEARCH c USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
	{"AND c.n BETWEEN", "SEARCH c USING INDEX change_log_retry (device=? AND n>? AND n<?)"},
	{"WHERE c.seq > $1 ORDER BY c.seq LIMIT", "SEARCH c USING INTEGER PRIMARY KEY (rowid>?)"},
	{"e.state = 'waiting'", "SEARCH e USING INDEX enrolment_waiting (area=?"},
	{"FROM invite WHERE area", "SEARCH invite USING INDEX invite_area (area=?)"},
	{"UPDATE change_log SET chain", "SEARCH change_log USING INTEGER PRIMARY KEY (rowid=?)"},
	{"SELECT chain FROM change_log", "SCAN change_log"}, // from the end, one row
}

func usesItsIndex(t *testing.T, db *sql.DB, texts []string) {
	t.Helper()
	for _, index := range indexes {
		met := false
		for _, text := range texts {
			if !strings.Contains(text, index.text) {
				continue
			}
			met = true
			steps := strings.Join(plan(t, db, text), "\n")
			if !strings.Contains(steps, index.step) {
				t.Errorf("%.2000s\n  has no step %q, but\n%s", text, index.step, steps)
			}
		}
		if !met {
			t.Errorf("no statement has %q", index.text)
		}
	}
}

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
