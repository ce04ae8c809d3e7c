package clientsdk

import (
	"bytes"
	"database/sql"
	"fmt"
	"slices"

	"gridsync/syncproto"
	"gridsync/syncproto/merge"
)

// links says of records which others they turned out to be, as shown on this device.
type links map[syncproto.RecordID]syncproto.RecordID

// roots names the survivor of every record that is one with others, survivors included.
func (l links) roots() map[syncproto.RecordID]syncproto.RecordID {
	roots := make(map[syncproto.RecordID]syncproto.RecordID, 2*len(l))
	for id := range l {
		root := merge.Root(id, func(id syncproto.RecordID) (syncproto.RecordID, bool) {
			next, ok := l[id]
			return next, ok
		})
		roots[id], roots[root] = root, root
	}
	return roots
}

func readLinks(tx *sql.Tx) (links, error) {
	rows, err := tx.Query("SELECT record, survivor FROM links")
	if err != nil {
		return nil, fmt.Errorf("reading which records are one: %w", err)
	}
	defer rows.Close()
	found := make(links)
	for rows.Next() {
		var id, survivor []byte
		if err := rows.Scan(&id, &survivor); err != nil {
			return nil, fmt.Errorf("reading which records are one: %w", err)
		}
		found[syncproto.RecordID(id)] = syncproto.RecordID(survivor)
	}
	return found, rows.Err()
}

// relink brings the table of links in line with what the records say, and returns the
// records whose view that changes. Few records ever say something, and an index knows
// them, so all of it is computed anew each time.
func (c *Client) relink(s *statements, l lens) ([]syncproto.RecordID, error) {
	old, err := readLinks(s.tx)
	if err != nil {
		return nil, err
	}
	now, err := c.computeLinks(s.tx, l)
	if err != nil {
		return nil, err
	}
	var moved []syncproto.RecordID
	for id, survivor := range old {
		if now[id] == survivor {
			continue
		}
		moved = append(moved, id, survivor)
		if err := s.exec("DELETE FROM links WHERE record = ?", id[:]); err != nil {
			return nil, err
		}
	}
	for id, survivor := range now {
		if old[id] == survivor {
			continue
		}
		moved = append(moved, id, survivor)
		if err := s.exec("INSERT INTO links (record, survivor) VALUES (?,?)", id[:], survivor[:]); err != nil {
			return nil, err
		}
	}
	return moved, nil
}

func (c *Client) computeLinks(tx *sql.Tx, l lens) (links, error) {
	rows, err := tx.Query(`SELECT id FROM records WHERE joins = 1 UNION SELECT record FROM outbox WHERE joins = 1`)
	if err != nil {
		return nil, fmt.Errorf("asking which records are one: %w", err)
	}
	defer rows.Close()
	var ids []syncproto.RecordID
	for rows.Next() {
		var id []byte
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("asking which records are one: %w", err)
		}
		ids = append(ids, syncproto.RecordID(id))
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	found := make(links)
	for _, id := range ids {
		r, err := c.readSingle(tx, l, id)
		if err != nil {
			return nil, err
		}
		if survivor := l.shown(r).view.SameAs; r.there && !survivor.IsZero() && survivor != id {
			found[id] = survivor
		}
	}
	return found, nil
}

// record shows a record, or the one that it turned out to be.
func (c *Client) record(tx *sql.Tx, l lens, id syncproto.RecordID) (Record, bool, error) {
	alone, err := c.readSingle(tx, l, id)
	if err != nil {
		return Record{}, false, err
	}
	root, joined := l.roots[id]
	if !joined {
		return l.shown(alone), alone.there, nil
	}
	group, err := c.readGroup(tx, l, root)
	if err != nil {
		return Record{}, false, err
	}
	for _, r := range l.together(root, group) {
		if r.ID == id || slices.Contains(r.Absorbed, id) {
			return r, true, nil
		}
	}
	return l.shown(alone), false, nil
}

// readGroup reads the records that are one with root, as far as they are held.
func (c *Client) readGroup(tx *sql.Tx, l lens, root syncproto.RecordID) ([]*single, error) {
	var group []*single
	for member, to := range l.roots {
		if to != root {
			continue
		}
		s, err := c.readSingle(tx, l, member)
		if err != nil {
			return nil, err
		}
		if s.there {
			group = append(group, s)
		}
	}
	return group, nil
}

// together shows records that are one: as one if the survivor is among them, else
// each by itself with the name of the survivor.
func (l lens) together(root syncproto.RecordID, group []*single) []Record {
	slices.SortFunc(group, func(a, b *single) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	at := slices.IndexFunc(group, func(s *single) bool { return s.ID == root })
	var shown []Record
	var absorbed []*single
	for i, s := range group {
		switch {
		case i == at:
		case at >= 0 && s.Kind == group[at].Kind:
			absorbed = append(absorbed, s)
		default:
			r := l.shown(s)
			r.MergedInto = root
			shown = append(shown, r)
		}
	}
	if at < 0 {
		return shown
	}
	return append(shown, l.joined(group[at], absorbed))
}

// joined shows the survivor with what the absorbed ones say.
func (l lens) joined(survivor *single, absorbed []*single) Record {
	others := make([]*syncproto.Record, len(absorbed))
	for i, s := range absorbed {
		others[i] = &s.Record
	}
	r := l.seenAs(survivor, merge.Join(l.forms.Newest(survivor.Kind), &survivor.Record, others))
	for _, s := range absorbed {
		r.Absorbed = append(r.Absorbed, s.ID)
		r.with = append(r.with, syncproto.Beside{Record: s.ID, Version: s.base})
		r.Pending = r.Pending || s.pending
	}
	return r
}
