package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// A list of ids to look for has one of these lengths; the last id is repeated to
// fill it.
var listSizes = []int{1, 8, 64, 512}

// insertion is an INSERT of many rows, or any statement that holds its rows in the
// place of a list: head, which ends in "VALUES ", the rows, tail. types has a letter for
// each column: n for a number, t for a text, b for bytes.
type insertion struct {
	head    string
	columns int
	types   string
	tail    string
}

// text returns the statement for a number of rows.
func (in *insertion) text(d Dialect, rows int) string {
	return strings.TrimSuffix(in.head, "VALUES ") + d.Rows(in.types, rows) + in.tail
}

// put runs an insertion with its arguments, row after row.
func (t *tx) put(in *insertion, args []any) error {
	return t.pieces(in, args, func(text string, args []any) error { return t.w.exec(t.ctx, text, args...) })
}

// ask runs a query that holds its rows in the place of a list, as put runs a statement,
// and calls scan for every row of the answer.
func (t *tx) ask(in *insertion, args []any, scan func(*sql.Rows) error) error {
	return t.pieces(in, args, func(text string, args []any) error {
		rows, err := t.w.query(t.ctx, text, args...)
		return each(rows, err, scan)
	})
}

// pieces cuts the rows of an insertion into as many as go into one statement. A statement
// costs more than the rows it carries.
func (t *tx) pieces(in *insertion, args []any, run func(text string, args []any) error) error {
	d := t.s.dialect
	if len(in.types) != in.columns || len(args)%in.columns != 0 {
		return fmt.Errorf("%s: %d columns of types %q, %d arguments", in.head, in.columns, in.types, len(args))
	}
	for len(args) > 0 {
		rows := d.Piece(len(args) / in.columns)
		n := rows * in.columns
		given, err := d.Arguments(in.types, args[:n])
		if err != nil {
			return fmt.Errorf("%s: %w", in.head, err)
		}
		if err := run(in.text(d, rows), given); err != nil {
			return err
		}
		args = args[n:]
	}
	return nil
}

// search is a SELECT with a list of ids in it: before, "item, item, …", after. An
// item holds one place, written as "?". Arguments of its own stand before the list.
type search struct {
	before, item, after string
}

// find runs a search over ids, each looked for once, in as few statements as it
// takes, and calls scan for every row. Rows come in the statement's order within a
// statement only.
func find[T comparable](ctx context.Context, q querier, d Dialect, s search, ids []T, arg func(*T) any, own []any, scan func(*sql.Rows) error) error {
	ids = once(ids)
	for len(ids) > 0 {
		size := listSizes[len(listSizes)-1]
		for _, fits := range listSizes {
			if len(ids) <= fits {
				size = fits
				break
			}
		}
		args := make([]any, 0, len(own)+size)
		args = append(args, own...)
		for i := range size {
			args = append(args, arg(&ids[min(i, len(ids)-1)]))
		}
		rows, err := q.query(ctx, s.text(d, len(own), size), args...)
		if err := each(rows, err, scan); err != nil {
			return err
		}
		ids = ids[min(size, len(ids)):]
	}
	return nil
}

func (s search) text(d Dialect, own, size int) string {
	items := make([]string, size)
	for i := range items {
		items[i] = strings.Replace(s.item, "?", d.Placeholder(own+i+1), 1)
	}
	return s.before + strings.Join(items, ", ") + s.after
}

// lastOf keeps the last of the items with each key, in order of first mention: a
// statement may meet a row only once.
func lastOf[T any, K comparable](items []T, key func(*T) K) []*T {
	if len(items) == 0 {
		return nil
	}
	at := make(map[K]int, len(items))
	kept := make([]*T, 0, len(items))
	for i := range items {
		k := key(&items[i])
		if j, ok := at[k]; ok {
			kept[j] = &items[i]
			continue
		}
		at[k] = len(kept)
		kept = append(kept, &items[i])
	}
	return kept
}

// once returns the ids without repetitions, in order.
func once[T comparable](ids []T) []T {
	seen := make(map[T]struct{}, len(ids))
	unique := make([]T, 0, len(ids))
	for _, id := range ids {
		if _, ok := seen[id]; !ok {
			seen[id] = struct{}{}
			unique = append(unique, id)
		}
	}
	return unique
}
