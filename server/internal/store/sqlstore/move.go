package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gridsync/syncproto"
)

// Whereabouts say whether a database is where its history goes on.
type Whereabouts int64

// The states of a database that is copied into another one. What isn't Here takes no
// writes: two databases that went on with one epoch would lose whatever the one acknowledged
// and the other doesn't know.
const (
	// Here is where the history goes on.
	Here Whereabouts = iota
	// Arriving is a copy that isn't whole yet.
	Arriving
	// Leaving is a database that is being copied, Left one that was: its history goes on
	// elsewhere.
	Leaving
	Left
)

// MovedError says that a database takes no writes, as it is being or was copied.
type MovedError struct {
	State Whereabouts
	// Other is the other database's name.
	Other string
}

func (e *MovedError) Error() string {
	switch e.State {
	case Arriving:
		return "a copy of " + e.Other + " that isn't whole yet"
	case Leaving:
		return "it is being copied to " + e.Other
	}
	return "its history goes on in " + e.Other
}

// Errors of Move.
var (
	// ErrNotEmpty says that a database to which another is to be copied holds something else.
	ErrNotEmpty = errors.New("the database to copy to isn't empty")
	// ErrUnlike says that two databases have schemas that differ.
	ErrUnlike = errors.New("the databases have different tables")
	// ErrCopied says that a copy is whole already.
	ErrCopied = errors.New("the copy is whole already")
	// ErrCopyDiffers says that a copy doesn't hold what it was made of, and will be no other:
	// the history goes on where it was.
	ErrCopyDiffers = errors.New("the copy doesn't hold what it was made of")
)

// Moved returns where a database's history goes on.
func (s *Store) Moved(ctx context.Context) (state Whereabouts, other string, err error) {
	rows, err := s.read.query(ctx, "SELECT moved, moved_with FROM meta")
	if err = noMeta(one(rows, err, &state, &other)); err != nil {
		return state, other, fmt.Errorf("store: whereabouts: %w", err)
	}
	return state, other, nil
}

// Here fails with *MovedError where a database's history doesn't go on.
func (s *Store) Here(ctx context.Context) error {
	state, other, err := s.Moved(ctx)
	if err == nil && state != Here {
		err = &MovedError{State: state, Other: other}
	}
	return err
}

// here fails with *MovedError where nothing may be written. A database that has no epoch yet
// is new. It also hears whether counties may be others than are remembered.
func (t *tx) here() error {
	var moved MovedError
	var revision int64
	rows, err := t.w.query(t.ctx, "SELECT moved, moved_with, revision FROM meta")
	err = one(rows, err, &moved.State, &moved.Other, &revision)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("whereabouts: %w", err)
	case moved.State != Here:
		return &moved
	}
	t.s.keys.counties.asOf(revision)
	return nil
}

// Journey is a move: what the two databases are called, and who looks on.
type Journey struct {
	// From and To are the databases' names, in each other and before people.
	From, To string
	// Told hears of each table that is carried, and of how many rows of it are there.
	Told func(table string, rows int64)
	// Sound looks at what is to be copied before anything is altered or, where a move goes on,
	// before any more is. Its error ends the move.
	Sound func(context.Context) error
	// Proved looks at the copy once all rows are there, and before the history goes on in it.
	// It fails with ErrCopyDiffers if the copy is good for nothing; any other error leaves the
	// move broken off.
	Proved func(context.Context) error
}

// Move copies everything into another database, of whichever engine, so that its history
// goes on there under the same epoch, and here no more. Nobody else may work on either. A
// move that was broken off, by whatever it was, goes on where it ended when it is called
// again, and both looks are taken again: neither database takes writes until then.
//
// It fails with ErrCopied, ErrNotEmpty or ErrUnlike before anything was altered, and with
// ErrCopyDiffers when the history goes on here after all.
func (s *Store) Move(ctx context.Context, to *Store, j *Journey) error {
	if err := s.move(ctx, to, j); err != nil {
		return fmt.Errorf("store: move: %w", err)
	}
	return nil
}

func (s *Store) move(ctx context.Context, to *Store, j *Journey) error {
	tables, err := alike(ctx, s, to)
	if err != nil {
		return err
	}
	underWay, err := s.mayDepart(ctx, to, tables, j)
	if err == nil {
		err = j.Sound(ctx)
	}
	if err == nil && !underWay {
		err = s.depart(ctx, to, j)
	}
	if err != nil {
		return err
	}
	err = s.carry(ctx, to, tables, j.Told)
	if err == nil {
		err = j.Proved(ctx)
	}
	if errors.Is(err, ErrCopyDiffers) {
		return errors.Join(err, s.mark(ctx, Here, ""))
	}
	if err == nil {
		err = s.mark(ctx, Left, j.To) // first here: it may go on nowhere, and nowhere twice
	}
	if err == nil {
		err = to.mark(ctx, Here, "")
	}
	return err
}

// table is one table of a database.
type table struct {
	name    string
	columns []column
	key     []string
}

type column struct {
	name string
	kind string // as in insertion.types
}

func (t *table) names() []string {
	names := make([]string, len(t.columns))
	for i := range t.columns {
		names[i] = t.columns[i].name
	}
	return names
}

func (t *table) kinds() string {
	var b strings.Builder
	for i := range t.columns {
		b.WriteString(t.columns[i].kind)
	}
	return b.String()
}

// tables are those of a database, by name.
func (s *Store) tables(ctx context.Context) (map[string]*table, error) {
	all := make(map[string]*table)
	rows, err := s.read.query(ctx, s.dialect.Schema())
	err = each(rows, err, func(rows *sql.Rows) error {
		var name string
		var c column
		var place int
		if err := rows.Scan(&name, &c.name, &c.kind, &place); err != nil {
			return err
		}
		t := all[name]
		if t == nil {
			t = &table{name: name}
			all[name] = t
		}
		t.columns = append(t.columns, c)
		if place > 0 {
			for len(t.key) < place {
				t.key = append(t.key, "")
			}
			t.key[place-1] = c.name
		}
		return nil
	})
	for _, t := range all {
		slices.SortFunc(t.columns, func(a, b column) int { return strings.Compare(a.name, b.name) })
	}
	return all, err
}

// alike returns the tables of which two databases have to hold the same.
func alike(ctx context.Context, a, b *Store) ([]*table, error) {
	here, err := a.tables(ctx)
	if err != nil {
		return nil, err
	}
	there, err := b.tables(ctx)
	if err != nil {
		return nil, err
	}
	var tables []*table
	for _, name := range slices.Sorted(maps.Keys(here)) {
		t, other := here[name], there[name]
		if other == nil || !slices.Equal(t.columns, other.columns) || !slices.Equal(t.key, other.key) || len(t.key) == 0 {
			return nil, fmt.Errorf("%w: %s", ErrUnlike, name)
		}
		delete(there, name)
		if name != "meta" && name != "seal_key" { // they come first, and at once
			tables = append(tables, t)
		}
	}
	for name := range there {
		return nil, fmt.Errorf("%w: %s", ErrUnlike, name)
	}
	return tables, nil
}

// mayDepart makes sure that there is nothing at the other database that could be lost, or
// that it is this very move that goes on.
func (s *Store) mayDepart(ctx context.Context, to *Store, tables []*table, j *Journey) (underWay bool, err error) {
	state, other, err := s.Moved(ctx)
	if err != nil {
		return false, err
	}
	if state == Arriving || state != Here && other != j.To {
		return false, &MovedError{State: state, Other: other}
	}
	here, err := s.Boot(ctx)
	if err != nil {
		return false, err
	}
	there, from, err := to.Moved(ctx)
	if err != nil {
		return false, err
	}
	epoch, err := to.epoch(ctx)
	switch {
	case err != nil:
		return false, err
	case state != Here && there == Arriving && from == j.From && epoch == here.Epoch:
		return true, nil // it was broken off
	case state == Left && there != Arriving && epoch == here.Epoch:
		goesOn := j.To
		if there != Here { // it was copied on
			goesOn = from
		}
		return false, fmt.Errorf("%w: its history goes on in %s", ErrCopied, goesOn)
	case state == Left && there == Here: // that one was thrown away, or begins a history of its own
		return false, &MovedError{State: state, Other: other}
	case there != Here: // a copy that was given up, too: here it went on meanwhile
		return false, fmt.Errorf("%w: %w", ErrNotEmpty, &MovedError{State: there, Other: from})
	}
	for _, t := range tables {
		n, err := to.count(ctx, t)
		if err != nil {
			return false, err
		}
		if n > 0 {
			return false, fmt.Errorf("%w: %s", ErrNotEmpty, t.name)
		}
	}
	return false, nil
}

// depart sees to it that nothing is written here or there but by the move.
func (s *Store) depart(ctx context.Context, to *Store, j *Journey) error {
	if err := s.mark(ctx, Leaving, j.To); err != nil {
		return err
	}
	return s.announce(ctx, to, j.From)
}

// announce makes the other database one that is arriving from a name: with this one's numbers
// and keys, and none of its own. On which timeline it is, it finds out itself.
func (s *Store) announce(ctx context.Context, to *Store, from string) error {
	all, err := s.tables(ctx)
	if err != nil {
		return err
	}
	first := []*table{all["meta"], all["seal_key"]}
	held := make([][]any, len(first))
	for i, t := range first {
		rows, err := s.read.query(ctx, "SELECT "+strings.Join(t.names(), ", ")+" FROM "+t.name)
		all, err := collect(rows, err, scanAny(len(t.columns)))
		if err != nil {
			return err
		}
		held[i] = slices.Concat(all...)
	}
	return to.unchecked(ctx, func(tx *tx) error {
		for i, t := range first {
			if err := tx.w.exec(ctx, "DELETE FROM "+t.name); err != nil {
				return err
			}
			if err := tx.put(t.insertion(), held[i]); err != nil {
				return err
			}
		}
		return tx.w.exec(ctx, "UPDATE meta SET moved = $1, moved_with = $2, timeline = 0", int64(Arriving), from)
	})
}

func (t *table) insertion() *insertion {
	return &insertion{
		head: "INSERT INTO " + t.name + " (" + strings.Join(t.names(), ", ") + ") VALUES ", columns: len(t.columns), types: t.kinds(),
	}
}

// mark notes where a database's history goes on.
func (s *Store) mark(ctx context.Context, state Whereabouts, other string) error {
	return s.unchecked(ctx, func(t *tx) error {
		return t.w.exec(t.ctx, "UPDATE meta SET moved = $1, moved_with = $2", int64(state), other)
	})
}

func (s *Store) epoch(ctx context.Context) (epoch syncproto.Epoch, err error) {
	rows, err := s.read.query(ctx, "SELECT epoch FROM meta")
	err = noMeta(one(rows, err, intoID(&epoch)))
	return epoch, err
}

func (s *Store) count(ctx context.Context, t *table) (n int64, err error) {
	rows, err := s.read.query(ctx, "SELECT COUNT(*) FROM "+t.name)
	err = one(rows, err, &n)
	return n, err
}

// What goes into one transaction of a copy.
const (
	movedRows  = 4096
	movedBytes = 8 << 20
)

// carry copies all rows that aren't there yet, in the order of each table's key, and counts
// them.
func (s *Store) carry(ctx context.Context, to *Store, tables []*table, told func(string, int64)) error {
	return s.read.moment(ctx, func(q querier) error {
		for _, t := range tables {
			if err := s.carryTable(ctx, q, to, t); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			rows, err := q.query(ctx, "SELECT COUNT(*) FROM "+t.name)
			var here int64
			if err := one(rows, err, &here); err != nil {
				return err
			}
			there, err := to.count(ctx, t)
			if err != nil {
				return err
			}
			if here != there {
				return fmt.Errorf("%w: %s has %d rows, and the copy %d", ErrCopyDiffers, t.name, here, there)
			}
			told(t.name, there)
		}
		return nil
	})
}

func (s *Store) carryTable(ctx context.Context, q querier, to *Store, t *table) error {
	key := strings.Join(t.key, ", ")
	rows, err := to.read.query(ctx, "SELECT "+key+" FROM "+t.name+" ORDER BY "+strings.Join(t.key, " DESC, ")+" DESC LIMIT 1")
	last, err := collect(rows, err, scanAny(len(t.key)))
	if err != nil {
		return err
	}
	columns := strings.Join(t.names(), ", ")
	text, args := "SELECT "+columns+" FROM "+t.name, []any(nil)
	if len(last) > 0 {
		places := make([]string, len(t.key))
		for i := range places {
			places[i] = fmt.Sprintf("$%d", i+1)
		}
		text, args = text+" WHERE ("+key+") > ("+strings.Join(places, ", ")+")", last[0]
	}
	into, scan := t.insertion(), scanAny(len(t.columns))
	var held []any
	size := 0
	flush := func() error {
		if len(held) == 0 {
			return nil
		}
		err := to.unchecked(ctx, func(t *tx) error { return t.put(into, held) })
		held, size = held[:0], 0
		return err
	}
	rows, err = q.query(ctx, text+" ORDER BY "+key, args...)
	err = each(rows, err, func(rows *sql.Rows) error {
		var row []any
		if err := scan(rows, &row); err != nil {
			return err
		}
		held = append(held, row...)
		for _, v := range row {
			size += sizeOf(v)
		}
		if len(held) < movedRows*len(t.columns) && size < movedBytes {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

func sizeOf(v any) int {
	switch v := v.(type) {
	case []byte:
		return len(v)
	case string:
		return len(v)
	}
	return 8
}

// scanAny reads rows of so many columns as the driver has them: int64, string, []byte, nil.
func scanAny(columns int) func(*sql.Rows, *[]any) error {
	return func(rows *sql.Rows, row *[]any) error {
		*row = make([]any, columns)
		into := make([]any, columns)
		for i := range into {
			into[i] = &(*row)[i]
		}
		return rows.Scan(into...)
	}
}
