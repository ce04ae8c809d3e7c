package clientsdk

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"gridsync/syncproto"
)

// stage is where a change of the outbox stands, as stored.
type stage int

const (
	unsent     stage = 0 // not sent, or to be offered again
	sent       stage = 1 // the server said that it holds it
	parked     stage = 2 // the same, and it waits there
	refused    stage = 3 // the server could not read it
	superseded stage = 4 // recorded again under another number
	resolved   stage = 5 // was refused, and a person has seen to it
)

// own is one of this device's changes as kept in the outbox.
type own struct {
	syncproto.Change
	body    string
	hash    syncproto.Hash
	stage   stage
	outcome syncproto.Outcome
	version syncproto.Version
	reason  string // a *syncproto.Error as JSON; empty for none
	overlay bool
	covered bool
}

const ownColumns = "body, hash, state, outcome, version, reason, overlay, covered"

// queryOwn reads changes; where starts with the condition.
func (c *Client) queryOwn(tx *sql.Tx, where string, args ...any) ([]own, error) {
	rows, err := tx.Query("SELECT "+ownColumns+" FROM outbox WHERE "+where, args...) // #nosec G202 -- where is a constant of this package
	if err != nil {
		return nil, fmt.Errorf("reading own changes: %w", err)
	}
	defer rows.Close()
	var found []own
	for rows.Next() {
		o, err := c.scanOwn(rows)
		if err != nil {
			return nil, fmt.Errorf("reading own changes: %w", err)
		}
		found = append(found, o)
	}
	return found, rows.Err()
}

func (c *Client) scanOwn(rows *sql.Rows) (own, error) {
	var o own
	var hash []byte
	err := rows.Scan(&o.body, &hash, &o.stage, &o.outcome, &o.version, &o.reason, &o.overlay, &o.covered)
	if err != nil {
		return o, err
	}
	copy(o.hash[:], hash)
	o.Change, err = syncproto.DecodeChange([]byte(o.body), c.device)
	return o, err
}

// encodeChange writes a change as it is kept and sent, and reads it back, so that
// what can't be read never gets a number, and so that the hash is of the very
// bytes that are sent.
func encodeChange(change *syncproto.Change) (body []byte, hash syncproto.Hash, err error) {
	body, err = change.MarshalJSON()
	if err != nil {
		return nil, hash, &syncproto.Error{Code: syncproto.CodeBadChange, Field: "fields", Detail: "not JSON"}
	}
	body = bytes.TrimRight(body, "\n")
	read, err := syncproto.DecodeChange(body, change.Device)
	if err != nil {
		return nil, hash, err
	}
	return body, read.Hash(), nil
}

// appendOwn puts a change into the outbox under its number.
func appendOwn(s *statements, change *syncproto.Change) error {
	body, hash, err := encodeChange(change)
	if err != nil {
		return err
	}
	err = s.exec(`INSERT INTO outbox (n, id, author, kind, record, area, at, body, hash, state) VALUES (?,?,?,?,?,?,?,?,?,0)`,
		change.N, change.ID[:], change.Author[:], string(change.Kind), change.Record[:], string(change.Area),
		int64(change.At), string(body), hash[:])
	if err != nil {
		return fmt.Errorf("keeping change %d: %w", change.N, err)
	}
	return nil
}

// State is where a change stands, as its author is told.
type State string

// The states of a change.
const (
	// Unsent (待上传): it is on this device only.
	Unsent State = "unsent"
	// Sent (已上传，待确认): the server said that it holds it; no receipt confirms it yet.
	Sent State = "sent"
	// Delivered (已送达): a receipt whose digest this device has confirmed covers it.
	Delivered State = "delivered"
	// NeedsAttention (需要处理): the server could not read it; it stays here.
	NeedsAttention State = "needs_attention"
	// Superseded: its number was taken, and it was recorded again under another one.
	Superseded State = "superseded"
	// Resolved: it needed attention, and a person has seen to it.
	Resolved State = "resolved"
)

// Entry is one change of this device's own log.
type Entry struct {
	syncproto.Change
	State State
	// Outcome is what the server said of it; empty while it said nothing.
	Outcome syncproto.Outcome
	// Parked says that it is held by the server and waits at a desk.
	Parked bool
	// Version is the number under which it became visible; 0 if that isn't known.
	Version syncproto.Version
	// Reason says why it is parked or refused, or remarks on it.
	Reason *syncproto.Error
}

func (o *own) entry(agreed bool) (Entry, error) {
	e := Entry{Change: o.Change, State: Unsent, Outcome: o.outcome, Parked: o.stage == parked, Version: o.version}
	switch {
	case o.stage == refused:
		e.State = NeedsAttention
	case o.stage == superseded:
		e.State = Superseded
	case o.stage == resolved:
		e.State = Resolved
	case o.covered && agreed && o.stage != unsent:
		e.State = Delivered
	case o.stage != unsent:
		e.State = Sent
	}
	if o.reason == "" {
		return e, nil
	}
	e.Reason = &syncproto.Error{}
	if err := json.Unmarshal([]byte(o.reason), e.Reason); err != nil {
		return e, fmt.Errorf("reading why change %d: %w", o.N, err)
	}
	return e, nil
}

// Log returns this device's own changes in order of n: all but those that were
// delivered more than Options.Keep ago.
func (c *Client) Log(ctx context.Context) ([]Entry, error) {
	return c.entries(ctx, "true ORDER BY n")
}

func (c *Client) entries(ctx context.Context, where string) ([]Entry, error) {
	var entries []Entry
	err := c.view(ctx, func(tx *sql.Tx) error {
		m, err := readMeta(tx)
		if err != nil {
			return err
		}
		kept, err := c.queryOwn(tx, where)
		if err != nil {
			return err
		}
		entries = make([]Entry, len(kept))
		for i := range kept {
			if entries[i], err = kept[i].entry(m.Agreed); err != nil {
				return err
			}
		}
		return nil
	})
	return entries, err
}
