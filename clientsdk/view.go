package clientsdk

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"gridsync/syncproto"
)

// Get returns a record as this device shows it, or ErrNotFound. Of one that turned out
// to be another that the device holds too, that other is returned: its ID then isn't
// the one asked for, which is among its Absorbed.
func (c *Client) Get(ctx context.Context, id syncproto.RecordID) (Record, error) {
	var r Record
	err := c.view(ctx, func(tx *sql.Tx) error {
		m, err := readMeta(tx)
		if err != nil {
			return err
		}
		l, err := c.lens(tx, &m)
		if err != nil {
			return err
		}
		var ok bool
		r, ok, err = c.record(tx, l, id)
		if err == nil && !ok {
			err = fmt.Errorf("record %s: %w", id, ErrNotFound)
		}
		return err
	})
	return r, err
}

// Filter says which records List returns.
type Filter func(*Record) bool

// InArea keeps the records that are shown in one of the areas.
func InArea(areas ...syncproto.AreaID) Filter {
	return func(r *Record) bool { return slices.Contains(areas, r.Area) }
}

// Present keeps the records that have not left their roster.
func Present() Filter { return func(r *Record) bool { return r.Exit == nil } }

// WithText keeps the records of which a field shows a text.
func WithText(field, text string) Filter {
	return func(r *Record) bool { return r.Text(field) == text }
}

// WithDispute keeps the records at which a person must look.
func WithDispute() Filter { return func(r *Record) bool { return len(r.Disputes()) > 0 } }

// OnlyPending keeps the records that show changes that the server's copy lacks.
func OnlyPending() Filter { return func(r *Record) bool { return r.Pending } }

// List returns the records of a kind that pass every filter, in order of their
// ids, which is the order in which they were first recorded.
func (c *Client) List(ctx context.Context, kind syncproto.Kind, filters ...Filter) ([]Record, error) {
	var found []Record
	keep := func(r Record) {
		for _, f := range filters {
			if !f(&r) {
				return
			}
		}
		found = append(found, r)
	}
	err := c.view(ctx, func(tx *sql.Tx) error { return c.each(tx, kind, keep) })
	slices.SortFunc(found, func(a, b Record) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return found, err
}

// each calls fn for every record of a kind, in any order; for those that are one, once.
// The device's own changes are read once, so that the cost is that of the records.
func (c *Client) each(tx *sql.Tx, kind syncproto.Kind, fn func(Record)) error {
	m, err := readMeta(tx)
	if err != nil {
		return err
	}
	l, err := c.lens(tx, &m)
	if err != nil {
		return err
	}
	groups := make(map[syncproto.RecordID][]*single)
	err = c.eachSingle(tx, l, kind, func(s *single) {
		if root, joined := l.roots[s.ID]; joined {
			groups[root] = append(groups[root], s)
			return
		}
		fn(l.shown(s))
	})
	for root, group := range groups {
		for _, r := range l.together(root, group) {
			fn(r)
		}
	}
	return err
}

// eachSingle calls fn for every record of a kind by itself.
func (c *Client) eachSingle(tx *sql.Tx, l lens, kind syncproto.Kind, fn func(*single)) error {
	mine, err := c.overlays(tx, kind)
	if err != nil {
		return err
	}
	rows, err := tx.Query("SELECT id, area, version, live FROM records WHERE kind = ?", string(kind))
	if err != nil {
		return fmt.Errorf("listing %s: %w", kind, err)
	}
	defer rows.Close()
	v := c.box()
	for rows.Next() {
		synced, err := scanSynced(v, rows, kind)
		if err != nil {
			return fmt.Errorf("listing %s: %w", kind, err)
		}
		s, err := l.single(&synced, mine[synced.ID])
		if err != nil {
			return err
		}
		delete(mine, synced.ID)
		if s.there {
			fn(s)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("listing %s: %w", kind, err)
	}
	for _, changes := range mine { // what is on this device only
		s, err := l.single(nil, changes)
		if err != nil {
			return err
		}
		if s.there {
			fn(s)
		}
	}
	return nil
}
