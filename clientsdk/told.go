package clientsdk

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"gridsync/syncproto"
)

// Told is what became of something that an author of this device wrote.
type Told struct {
	syncproto.Told
	// Read says that somebody has read it: see Client.MarkRead.
	Read bool
}

// Told returns what the authors of this device were told, the newest first.
func (c *Client) Told(ctx context.Context) ([]Told, error) { return c.heard(ctx, "true") }

// Told is Client.Told for this author.
func (a *Author) Told(ctx context.Context) ([]Told, error) {
	return a.client.heard(ctx, "author = ?", a.id[:])
}

func (c *Client) heard(ctx context.Context, where string, args ...any) ([]Told, error) {
	if c.Locked() {
		return nil, ErrLocked
	}
	var found []Told
	err := c.view(ctx, func(tx *sql.Tx) (err error) {
		found, err = c.box().queryTold(tx, where, args...)
		return err
	})
	return found, err
}

// MarkRead notes that somebody has read these: they are no longer counted as unread.
func (c *Client) MarkRead(ctx context.Context, read ...Told) error {
	return c.update(ctx, func(tx *sql.Tx) error {
		s := newStatements(tx)
		for i := range read {
			t := &read[i]
			err := s.exec("UPDATE told SET seen = 1 WHERE version = ? AND n = ? AND record = ? AND item = ? AND field = ?",
				int64(t.Version), int64(t.N), t.Record[:], t.Item, t.Field)
			if err != nil {
				return fmt.Errorf("marking as read: %w", err)
			}
		}
		return nil
	})
}

// queryTold reads what was told, the newest first; where is a condition.
func (v vault) queryTold(tx *sql.Tx, where string, args ...any) ([]Told, error) {
	rows, err := tx.Query("SELECT version, n, record, item, field, body, seen FROM told WHERE "+where+" ORDER BY version DESC, n DESC, item, field", args...) // #nosec G202 -- where is a constant of this package
	if err != nil {
		return nil, fmt.Errorf("reading what was told: %w", err)
	}
	defer rows.Close()
	var found []Told
	for rows.Next() {
		var t Told
		var record, stored sql.RawBytes
		if err := rows.Scan(&t.Version, &t.N, &record, &t.Item, &t.Field, &stored, &t.Read); err != nil {
			return nil, fmt.Errorf("reading what was told: %w", err)
		}
		copy(t.Record[:], record)
		body, err := v.open(toldRow(&t.Told), stored)
		if err == nil {
			err = json.Unmarshal(body, &t.Told)
		}
		if err != nil {
			return nil, fmt.Errorf("reading what was told: %w", err)
		}
		found = append(found, t)
	}
	return found, rows.Err()
}

// told keeps what the answer tells of, each thing once, and takes up what comes back.
func (a *applying) told() error {
	for i := range a.answer.Told {
		t := &a.answer.Told[i]
		fresh, err := a.keepTold(t)
		if err == nil && fresh {
			a.progress = true
			a.report.Told++
			a.touched[t.Record] = struct{}{}
			err = a.follow(t)
		}
		if err != nil {
			return fmt.Errorf("keeping what was told of change %d: %w", t.N, err)
		}
	}
	return nil
}

// keepTold keeps one thing told, unless it was known. After a backup was restored,
// the same version may stand for another ending: that is news.
func (a *applying) keepTold(t *syncproto.Told) (fresh bool, err error) {
	var known syncproto.Said
	err = a.row("SELECT said FROM told WHERE version = ? AND n = ? AND record = ? AND item = ? AND field = ?",
		[]any{int64(t.Version), int64(t.N), t.Record[:], t.Item, t.Field}, &known)
	if err == nil && known == t.Said {
		return false, nil
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	return true, a.c.box().writeTold(a.statements, t, false)
}

func (v vault) writeTold(s *statements, t *syncproto.Told, seen bool) error {
	body, err := syncproto.Encode(t)
	if err != nil {
		return err
	}
	stored, err := v.shut(toldRow(t), body)
	if err != nil {
		return err
	}
	return s.exec(`INSERT OR REPLACE INTO told (version, n, record, item, field, author, said, body, seen) VALUES (?,?,?,?,?,?,?,?,?)`,
		int64(t.Version), int64(t.N), t.Record[:], t.Item, t.Field, t.Author[:], string(t.Said), stored, seen)
}

// follow makes a change its author's work when he is told that it is returned, and
// takes that back when the same question has ended otherwise. Of parked changes the
// receipt says the same, but it lists only the newest.
func (a *applying) follow(t *syncproto.Told) error {
	isParked := t.Item == syncproto.ItemParked
	switch {
	case t.Said == syncproto.SaidReturned && isParked:
		return a.exec("UPDATE outbox SET desk = 'returned' WHERE n = ? AND state = 2 AND desk = ''", int64(t.N))
	case t.Said == syncproto.SaidReturned:
		return a.exec("UPDATE outbox SET desk = 'look_again' WHERE n = ? AND state = 1 AND desk = ''", int64(t.N))
	case isParked:
		return a.exec("UPDATE outbox SET desk = '' WHERE n = ? AND desk = 'returned'", int64(t.N))
	}
	return a.exec(`UPDATE outbox SET desk = '' WHERE n = ?1 AND desk = 'look_again'
		AND EXISTS (SELECT 1 FROM told WHERE n = ?1 AND item = ?2 AND field = ?3 AND said = 'returned')`, int64(t.N), t.Item, t.Field)
}
