package clientsdk

import (
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
	// roots names the survivor of every record that is one with others, survivors
	// included.
	roots map[syncproto.RecordID]syncproto.RecordID
}

func (c *Client) lens(tx *sql.Tx, m *meta) (lens, error) {
	if c.Locked() {
		return lens{}, ErrLocked
	}
	links, err := readLinks(tx)
	return lens{device: c.device, forms: c.Forms(), offset: m.Offset, roots: links.roots()}, err
}

// single is one record as it stands for the device, without those that are one with it.
type single struct {
	// Record is the server's copy, with what is alive of the device's own changes too.
	syncproto.Record
	// there says that there is something to show.
	there bool
	// pending says that the copy lacks some of the device's own changes.
	pending bool
	// base is the version that an author who looks at it has seen.
	base syncproto.Version
}

// single lays the device's own changes of one record over the synced copy, either
// of which may be missing.
//
// An own change is dead where a later own change of the record wrote, even one
// whose writes have been replaced on the server since; so all that are kept are
// folded first, and of those only the ones that are on their way go on top. What was
// returned to its author is in the record neither here nor there.
func (l lens) single(synced *syncproto.Record, all []own) (*single, error) {
	s := &single{}
	if synced != nil {
		s.Record, s.there = *synced, true
	}
	s.base = seen(s.Version, all)
	mine := slices.DeleteFunc(slices.Clone(all), func(o own) bool {
		return o.desk.aside() || synced != nil && o.Kind != synced.Kind
	})
	s.pending = slices.ContainsFunc(mine, func(o own) bool { return o.overlay })
	if !s.pending {
		if s.there && len(s.Live) == 0 { // all that was ever said of it has been taken back
			s.there, s.base = false, 0
		}
		return s, nil
	}
	if synced == nil {
		last := &mine[len(mine)-1]
		s.ID, s.Kind, s.Area, s.there = last.Record, last.Kind, last.Area, true
	}
	f := l.forms.Newest(s.Kind)
	top, err := l.onTop(f, s.Live, mine)
	if err != nil {
		return nil, err
	}
	s.Live = merge.Fold(f, slices.Concat(s.Live, top))
	return s, nil
}

// seen returns the version that an author who looks at a record has seen: that of
// the synced copy, or of one that was there when the author's device last edited
// the record and has left since.
func seen(synced syncproto.Version, mine []own) syncproto.Version {
	for i := range mine {
		synced = max(synced, mine[i].Base)
	}
	return synced
}

// onTop returns what is alive of the own changes that the synced parts lack. A decision
// that is withdrawn goes from among them. From the synced parts it goes when the server
// has answered: what it had replaced there is in the record's history, which is not on
// this device.
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

// shown is a record by itself as a person sees it.
func (l lens) shown(s *single) Record { return l.seenAs(s, s.Live) }

// seenAs is what a person sees of a record's parts.
func (l lens) seenAs(s *single, live []syncproto.Part) Record {
	r := Record{
		ID: s.ID, Kind: s.Kind, Area: s.Area, Version: s.Version, Pending: s.pending,
		base: s.base, live: live, view: merge.Show(l.forms.Newest(s.Kind), live),
	}
	r.Exit = r.view.Exit
	if r.view.Area != "" {
		r.Area = r.view.Area
	}
	return r
}

// alive is the condition on changes that the server holds or is to get.
const alive = "state <= 2"

// readSingle reads one record by itself.
func (c *Client) readSingle(tx *sql.Tx, l lens, id syncproto.RecordID) (*single, error) {
	synced, err := c.readSynced(tx, id)
	if err != nil {
		return nil, err
	}
	mine, err := c.queryOwn(tx, "record = ? AND "+alive+" ORDER BY n", id[:])
	if err != nil {
		return nil, err
	}
	return l.single(synced, mine)
}

// readSynced reads the server's copy of a record, nil if there is none.
func (c *Client) readSynced(tx *sql.Tx, id syncproto.RecordID) (*syncproto.Record, error) {
	r := syncproto.Record{ID: id}
	var stored []byte
	err := tx.QueryRow("SELECT kind, area, version, live FROM records WHERE id = ?", id[:]).Scan(&r.Kind, &r.Area, &r.Version, &stored)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		err = c.box().readLive(&r, stored)
	}
	if err != nil {
		return nil, fmt.Errorf("reading record %s: %w", id, err)
	}
	return &r, nil
}

func scanSynced(v vault, rows *sql.Rows, kind syncproto.Kind) (syncproto.Record, error) {
	r := syncproto.Record{Kind: kind}
	var id []byte
	var stored sql.RawBytes
	if err := rows.Scan(&id, &r.Area, &r.Version, &stored); err != nil {
		return r, err
	}
	copy(r.ID[:], id)
	err := v.readLive(&r, stored)
	return r, err
}

// readLive reads a record's parts as they are stored.
func (v vault) readLive(r *syncproto.Record, stored []byte) error {
	live, err := v.open(recordRow(r.ID), stored)
	if err != nil {
		return err
	}
	return json.Unmarshal(live, &r.Live)
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
