package clientsdk

import (
	"bytes"
	"database/sql"
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

// desk says that a change is work for a person again, or was.
type desk string

const (
	nowhere desk = ""
	// returned: it waits at the server for its author, who is to submit it anew. It is
	// not in the record.
	returned desk = "returned"
	// lookAgain: it is in the record, and its author is to look at it again.
	lookAgain desk = "look_again"
	// resubmitted: it was returned and submitted anew. It stays out of the record.
	resubmitted desk = "resubmitted"
)

// deskOf says where a parked change lies by the reason why it is parked.
func deskOf(code syncproto.Code) desk {
	switch code {
	case syncproto.CodeReturned:
		return returned
	case syncproto.CodeResubmitted:
		return resubmitted
	}
	return nowhere
}

// aside reports whether a change is kept out of its record.
func (d desk) aside() bool { return d == returned || d == resubmitted }

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
	desk    desk
}

const (
	standColumns   = "n, hash, state, outcome, version, reason, overlay, covered, desk"
	ownColumns     = standColumns + ", body"
	outlineColumns = standColumns + ", id, author, kind, record, area, at"
)

// queryOwn reads changes; where starts with the condition. It gives ErrLocked while the
// file is.
func (c *Client) queryOwn(tx *sql.Tx, where string, args ...any) ([]own, error) {
	return c.readOwn(tx, c.scanOwn, ownColumns, where, args)
}

// queryOutlines is queryOwn without what the changes say and how: it can be read while
// the file is locked.
func (c *Client) queryOutlines(tx *sql.Tx, where string, args ...any) ([]own, error) {
	return c.readOwn(tx, c.scanOutline, outlineColumns, where, args)
}

func (c *Client) readOwn(tx *sql.Tx, scan func(vault, *sql.Rows) (own, error), columns, where string, args []any) ([]own, error) {
	rows, err := tx.Query("SELECT "+columns+" FROM outbox WHERE "+where, args...) // #nosec G202 -- both are constants of this package
	if err != nil {
		return nil, fmt.Errorf("reading own changes: %w", err)
	}
	defer rows.Close()
	var found []own
	v := c.box()
	for rows.Next() {
		o, err := scan(v, rows)
		if err != nil {
			return nil, fmt.Errorf("reading own changes: %w", err)
		}
		found = append(found, o)
	}
	return found, rows.Err()
}

func (c *Client) scanOwn(v vault, rows *sql.Rows) (own, error) {
	var stored sql.RawBytes
	o, err := scanStand(v, rows, &stored)
	if err != nil {
		return o, err
	}
	body, err := v.open(outboxRow(o.N), stored)
	if err != nil {
		return o, err
	}
	o.body = string(body)
	o.Change, err = syncproto.DecodeChange([]byte(o.body), c.device)
	return o, err
}

func (c *Client) scanOutline(v vault, rows *sql.Rows) (own, error) {
	var id, author, record []byte
	var about syncproto.Change
	o, err := scanStand(v, rows, &id, &author, &about.Kind, &record, &about.Area, &about.At)
	if err != nil {
		return o, err
	}
	about.N, about.Device = o.N, c.device
	copy(about.ID[:], id)
	copy(about.Author[:], author)
	copy(about.Record[:], record)
	o.Change = about
	return o, nil
}

// scanStand reads standColumns, and what comes after them into more.
func scanStand(v vault, rows *sql.Rows, more ...any) (own, error) {
	var o own
	var hash sql.RawBytes
	into := []any{&o.N, &hash, &o.stage, &o.outcome, &o.version, &o.reason, &o.overlay, &o.covered, &o.desk}
	if err := rows.Scan(append(into, more...)...); err != nil {
		return o, err
	}
	var err error
	o.hash, err = v.openHash(o.N, hash)
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
func (c *Client) appendOwn(s *statements, change *syncproto.Change) error {
	body, hash, err := encodeChange(change)
	if err != nil {
		return err
	}
	answers, err := answeredBy(change)
	if err != nil {
		return err
	}
	v := c.box()
	stored, err := v.shut(outboxRow(change.N), body)
	if err != nil {
		return err
	}
	err = s.exec(`INSERT INTO outbox (n, id, author, kind, record, area, at, body, hash, state, answers, joins, boxed)
		VALUES (?,?,?,?,?,?,?,?,?,0,?,?,?)`,
		change.N, change.ID[:], change.Author[:], string(change.Kind), change.Record[:], string(change.Area),
		int64(change.At), stored, v.shutHash(change.N, hash), answers, mayJoin(body), c.boxed(change.N, body))
	if err != nil {
		return fmt.Errorf("keeping change %d: %w", change.N, err)
	}
	return nil
}

// mayJoin reports whether a text may hold a write of same_as.
func mayJoin(text []byte) bool { return bytes.Contains(text, []byte(`"`+syncproto.FieldSameAs+`"`)) }

// answeredBy is the id of the change that change answers, nil for none.
func answeredBy(change *syncproto.Change) ([]byte, error) {
	answers, err := change.Answers()
	if err != nil || answers.IsZero() {
		return nil, err
	}
	return answers[:], nil
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
