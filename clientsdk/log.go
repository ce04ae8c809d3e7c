package clientsdk

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"gridsync/syncproto"
)

// Entry is one change of this device's own log: who said what when, and what became
// of it.
type Entry struct {
	syncproto.Change
	State State
	// Outcome is what the server said of it; empty while it said nothing.
	Outcome syncproto.Outcome
	// Parked says that it is held by the server and waits at a desk.
	Parked bool
	// Returned says that it is its author's work again: see Author.Returned.
	Returned bool
	// Answer is the number of the change that answers it; 0 while none does. What it
	// answers itself is told by Change.Answers.
	Answer uint64
	// Version is the number under which it became visible; 0 if that isn't known.
	Version syncproto.Version
	// Reason says why it is parked or refused, or remarks on it.
	Reason *syncproto.Error
	// Told is what its author was told of it, the newest first.
	Told []Told
}

func (o *own) entry(agreed bool) (Entry, error) {
	e := Entry{
		Change: o.Change, State: o.state(agreed), Outcome: o.outcome, Version: o.version,
		Parked: o.stage == parked && o.desk == nowhere, Returned: o.desk == returned || o.desk == lookAgain,
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

func (o *own) state(agreed bool) State {
	switch {
	case o.stage == refused:
		return NeedsAttention
	case o.stage == superseded:
		return Superseded
	case o.stage == resolved:
		return Resolved
	case o.stage == unsent:
		return Unsent
	case o.covered && agreed:
		return Delivered
	}
	return Sent
}

// Log returns this device's own changes in order of n, with what the server said of
// each, what its author was told and which change answers it: all but those that
// were delivered more than Options.Keep ago.
func (c *Client) Log(ctx context.Context) ([]Entry, error) {
	return c.entries(ctx, "true ORDER BY n")
}

// Log is Client.Log of what this author wrote.
func (a *Author) Log(ctx context.Context) ([]Entry, error) {
	return a.client.entries(ctx, "author = ? ORDER BY n", a.id[:])
}

func (c *Client) entries(ctx context.Context, where string, args ...any) ([]Entry, error) {
	if c.Locked() {
		return nil, ErrLocked
	}
	var entries []Entry
	err := c.view(ctx, func(tx *sql.Tx) error {
		m, err := readMeta(tx)
		if err != nil {
			return err
		}
		kept, err := c.queryOwn(tx, where, args...)
		if err != nil || len(kept) == 0 {
			return err
		}
		entries = make([]Entry, len(kept))
		for i := range kept {
			if entries[i], err = kept[i].entry(m.Agreed); err != nil {
				return err
			}
		}
		return c.complete(tx, entries)
	})
	return entries, err
}

// complete adds to entries what their authors were told and which change answers them.
func (c *Client) complete(tx *sql.Tx, entries []Entry) error {
	heard, err := c.box().queryTold(tx, "n >= ?", int64(entries[0].N))
	if err != nil {
		return err
	}
	byChange := make(map[uint64][]Told)
	for _, t := range heard {
		byChange[t.N] = append(byChange[t.N], t)
	}
	answers, err := readAnswers(tx)
	if err != nil {
		return err
	}
	for i := range entries {
		e := &entries[i]
		e.Told, e.Answer = byChange[e.N], answers[e.ID]
	}
	return nil
}

// readAnswers returns the number of the change that answers each returned one. An
// answer that the server could not read is none.
func readAnswers(tx *sql.Tx) (map[syncproto.ChangeID]uint64, error) {
	rows, err := tx.Query("SELECT answers, n FROM outbox WHERE answers IS NOT NULL AND " + alive + " ORDER BY n")
	if err != nil {
		return nil, fmt.Errorf("reading answers: %w", err)
	}
	defer rows.Close()
	answers := make(map[syncproto.ChangeID]uint64)
	for rows.Next() {
		var to []byte
		var n uint64
		if err := rows.Scan(&to, &n); err != nil {
			return nil, fmt.Errorf("reading answers: %w", err)
		}
		answers[syncproto.ChangeID(to)] = n
	}
	return answers, rows.Err()
}
