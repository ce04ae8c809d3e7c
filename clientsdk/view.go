package clientsdk

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/merge"
)

// lens shows records as they stand for this device.
type lens struct {
	device syncproto.DeviceID
	forms  form.Set
	// offset is what to add to this device's clock.
	offset syncproto.Instant
}

func (c *Client) lens(m *meta) lens {
	return lens{device: c.device, forms: c.Forms(), offset: m.Offset}
}

// part is a change of this device as merge reads it. Until the server has said
// under which version it shows, nobody else can have seen it.
func (l lens) part(o *own) (syncproto.Part, error) {
	version := merge.Pending
	if o.version > 0 {
		version = o.version
	}
	at := o.At + l.offset
	p, err := o.Part(version, merge.Pending, syncproto.Stamp{Time: at, Earliest: at, Latest: at})
	if err != nil {
		return p, fmt.Errorf("reading change %d: %w", o.N, err)
	}
	return p, nil
}

// show lays the device's own changes of one record over the synced copy, either
// of which may be missing. ok is false if there is nothing to show.
//
// An own change is dead where a later own change of the record wrote, even one
// whose writes have been replaced on the server since; so all that are kept are
// folded first, and of those only the ones that are on their way go on top.
func (l lens) show(synced *syncproto.Record, mine []own) (Record, bool, error) {
	r := Record{}
	var parts []syncproto.Part
	if synced != nil {
		r.ID, r.Kind, r.Area, r.Version = synced.ID, synced.Kind, synced.Area, synced.Version
		parts = synced.Live
		mine = slices.DeleteFunc(slices.Clone(mine), func(o own) bool { return o.Kind != synced.Kind })
	}
	onTop := slices.ContainsFunc(mine, func(o own) bool { return o.overlay })
	if synced == nil && !onTop {
		return r, false, nil
	}
	f := l.forms.Newest(r.Kind)
	if onTop {
		last := &mine[len(mine)-1]
		if synced == nil {
			r.ID, r.Kind, r.Area = last.Record, last.Kind, last.Area
			f = l.forms.Newest(r.Kind)
		}
		top, err := l.onTop(f, parts, mine)
		if err != nil {
			return r, false, err
		}
		r.Pending = true
		parts = merge.Fold(f, slices.Concat(parts, top))
	}
	r.live = parts
	r.view = merge.Show(f, parts)
	r.Exit = r.view.Exit
	if r.view.Area != "" {
		r.Area = r.view.Area
	}
	return r, true, nil
}

// onTop returns what is alive of the own changes that the synced parts lack.
func (l lens) onTop(f *form.Form, synced []syncproto.Part, mine []own) ([]syncproto.Part, error) {
	laid := make(map[uint64]bool, len(mine))
	parts := make([]syncproto.Part, len(mine))
	for i := range mine {
		var err error
		if parts[i], err = l.part(&mine[i]); err != nil {
			return nil, err
		}
		laid[mine[i].N] = mine[i].overlay
	}
	for i := range synced {
		if synced[i].Device == l.device {
			laid[synced[i].N] = false
		}
	}
	return slices.DeleteFunc(merge.Fold(f, parts), func(p syncproto.Part) bool { return !laid[p.N] }), nil
}

// alive is the condition on changes that belong in the view.
const alive = "state <= 2"

// record shows one record within tx.
func (c *Client) record(tx *sql.Tx, l lens, id syncproto.RecordID) (Record, []own, bool, error) {
	synced, err := readSynced(tx, id)
	if err != nil {
		return Record{}, nil, false, err
	}
	mine, err := c.queryOwn(tx, "record = ? AND "+alive+" ORDER BY n", id[:])
	if err != nil {
		return Record{}, nil, false, err
	}
	r, ok, err := l.show(synced, mine)
	return r, mine, ok, err
}

// readSynced reads the server's copy of a record, nil if there is none.
func readSynced(tx *sql.Tx, id syncproto.RecordID) (*syncproto.Record, error) {
	r := syncproto.Record{ID: id}
	var live string
	err := tx.QueryRow("SELECT kind, area, version, live FROM records WHERE id = ?", id[:]).Scan(&r.Kind, &r.Area, &r.Version, &live)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(live), &r.Live)
	}
	if err != nil {
		return nil, fmt.Errorf("reading record %s: %w", id, err)
	}
	return &r, nil
}

// Get returns a record as this device shows it, or ErrNotFound.
func (c *Client) Get(ctx context.Context, id syncproto.RecordID) (Record, error) {
	var r Record
	err := c.view(ctx, func(tx *sql.Tx) error {
		m, err := readMeta(tx)
		if err != nil {
			return err
		}
		var ok bool
		r, _, ok, err = c.record(tx, c.lens(&m), id)
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

// each calls fn for every record of a kind, in any order. The device's own
// changes are read once, so that the cost is that of the records.
func (c *Client) each(tx *sql.Tx, kind syncproto.Kind, fn func(Record)) error {
	m, err := readMeta(tx)
	if err != nil {
		return err
	}
	l := c.lens(&m)
	mine, err := c.overlays(tx, kind)
	if err != nil {
		return err
	}
	rows, err := tx.Query("SELECT id, area, version, live FROM records WHERE kind = ?", string(kind))
	if err != nil {
		return fmt.Errorf("listing %s: %w", kind, err)
	}
	defer rows.Close()
	for rows.Next() {
		synced, err := scanSynced(rows, kind)
		if err != nil {
			return fmt.Errorf("listing %s: %w", kind, err)
		}
		r, _, err := l.show(&synced, mine[synced.ID])
		if err != nil {
			return err
		}
		delete(mine, synced.ID)
		fn(r)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("listing %s: %w", kind, err)
	}
	for _, changes := range mine { // what is on this device only
		r, ok, err := l.show(nil, changes)
		if err != nil {
			return err
		}
		if ok {
			fn(r)
		}
	}
	return nil
}

func scanSynced(rows *sql.Rows, kind syncproto.Kind) (syncproto.Record, error) {
	r := syncproto.Record{Kind: kind}
	var id []byte
	var live sql.RawBytes
	if err := rows.Scan(&id, &r.Area, &r.Version, &live); err != nil {
		return r, err
	}
	copy(r.ID[:], id)
	return r, json.Unmarshal(live, &r.Live)
}

// overlays returns the own changes of the records of a kind over which something
// is laid.
func (c *Client) overlays(tx *sql.Tx, kind syncproto.Kind) (map[syncproto.RecordID][]own, error) {
	changes, err := c.queryOwn(tx, alive+" AND kind = ?1 AND record IN (SELECT record FROM outbox WHERE overlay = 1 AND kind = ?1) ORDER BY n", string(kind))
	if err != nil {
		return nil, err
	}
	mine := make(map[syncproto.RecordID][]own)
	for _, o := range changes {
		mine[o.Record] = append(mine[o.Record], o)
	}
	return mine, nil
}
