package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"gridsync/server/internal/exchange"
)

// KeptTurns is how many turns are kept at least: whoever is further behind boots anew.
const KeptTurns = 1000

// trimTurns is how many turns pass between two clearings away.
const trimTurns = 64

// Turns implements exchange.TurnReader: one row where nothing was committed.
func (s *Store) Turns(ctx context.Context, after exchange.Mark) (exchange.Turns, error) {
	turns, err := turnsFrom(ctx, s.read, after)
	if err != nil {
		return exchange.Turns{}, fmt.Errorf("store: %w", err)
	}
	return turns, nil
}

// Turns implements exchange.TurnReader within a transaction.
func (t *tx) Turns(ctx context.Context, after exchange.Mark) (exchange.Turns, error) {
	return turnsFrom(ctx, t.w, after)
}

// turnsFrom asks in two statements. What is committed between them is left for the next
// time; what is cleared away between them is lost, as it would be later, and so is what the
// second finds in another history than the first.
func turnsFrom(ctx context.Context, q querier, after exchange.Mark) (exchange.Turns, error) {
	var turns exchange.Turns
	rows, err := q.query(ctx, "SELECT last_turn, turn_name, revision FROM meta")
	if err := noMeta(one(rows, err, &turns.Last.Number, &turns.Last.Name, &turns.Revision)); err != nil {
		return turns, fmt.Errorf("the last turn: %w", err)
	}
	if turns.Last == after {
		return turns, nil
	}
	rows, err = q.query(ctx, "SELECT number, name, follows, said, alerts FROM turn WHERE number > $1 AND number <= $2 ORDER BY number",
		after.Number, turns.Last.Number)
	if turns.Kept, err = collect(rows, err, scanTurn); err != nil {
		return turns, fmt.Errorf("turns after %d: %w", after.Number, err)
	}
	if !lead(turns.Kept, after, turns.Last) {
		turns.Kept, turns.Lost = nil, true
	}
	return turns, nil
}

// lead reports whether turns lead from one to another, each right after the one before.
func lead(turns []exchange.Turn, from, to exchange.Mark) bool {
	for i := range turns {
		t := &turns[i]
		if t.Number != from.Number+1 || t.After != from.Name {
			return false
		}
		from = t.Mark
	}
	return from == to
}

func scanTurn(rows *sql.Rows, t *exchange.Turn) error {
	var said string
	var alerts sql.NullString
	if err := rows.Scan(&t.Number, &t.Name, &t.After, &said, &alerts); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(said), t); err != nil {
		return fmt.Errorf("turn %d: %w", t.Number, err)
	}
	if t.Unalarmed = !alerts.Valid; t.Unalarmed {
		return nil
	}
	if err := json.Unmarshal([]byte(alerts.String), &t.Alerts); err != nil {
		return fmt.Errorf("alerts of turn %d: %w", t.Number, err)
	}
	return nil
}

// saveTurn writes down what a batch's turn says. Where its number is not the one that the
// batch took, or it follows another than the last, nobody finds it, and whoever looks for it
// boots.
func (t *tx) saveTurn(b *exchange.Batch) error {
	if b.Turn == nil || b.Turn.Unsaid {
		return nil
	}
	said, err := json.Marshal(b.Turn)
	if err != nil {
		return err
	}
	alerts := []byte("[]")
	if len(b.Turn.Alerts) > 0 {
		if alerts, err = json.Marshal(b.Turn.Alerts); err != nil {
			return err
		}
	}
	err = t.w.exec(t.ctx, "INSERT INTO turn (number, name, follows, said, alerts) VALUES ($1, $2, $3, $4, $5)",
		b.Turn.Number, b.Turn.Name, b.Turn.After, string(said), string(alerts))
	if err != nil || b.Turn.Number%trimTurns != 0 {
		return err
	}
	return t.w.exec(t.ctx, "DELETE FROM turn WHERE number <= $1", b.Turn.Number-KeptTurns)
}

// newName draws the name of a turn.
func newName() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	return int64(binary.BigEndian.Uint64(b[:]))
}

// purgeTurns takes out of the turns that are kept what they say of records: that they
// raised something. Whoever has not taken one up by now knows that there was more to hear.
func (t *tx) purgeTurns(*exchange.Purging) error {
	return t.w.exec(t.ctx, "UPDATE turn SET alerts = NULL WHERE alerts <> '[]'")
}
