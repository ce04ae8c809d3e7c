package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"gridsync/server/internal/exchange"
)

// KeptTurns is how many turns are kept at least: whoever is further behind boots anew.
const KeptTurns = 1000

// trimTurns is how many turns pass between two clearings away.
const trimTurns = 64

// Turns implements exchange.TurnReader: one row where nothing was committed.
func (s *Store) Turns(ctx context.Context, after int64) (exchange.Turns, error) {
	turns, err := turnsFrom(ctx, s.read, after)
	if err != nil {
		return exchange.Turns{}, fmt.Errorf("store: %w", err)
	}
	return turns, nil
}

// Turns implements exchange.TurnReader within a transaction.
func (t *tx) Turns(ctx context.Context, after int64) (exchange.Turns, error) {
	return turnsFrom(ctx, t.w, after)
}

// turnsFrom asks in two statements. What is committed between them is left for the next
// time; what is cleared away between them is lost, as it would be later.
func turnsFrom(ctx context.Context, q querier, after int64) (exchange.Turns, error) {
	var turns exchange.Turns
	rows, err := q.query(ctx, "SELECT last_turn, revision FROM meta")
	if err := noMeta(one(rows, err, &turns.Last, &turns.Revision)); err != nil {
		return turns, fmt.Errorf("the last turn: %w", err)
	}
	if turns.Last == after {
		return turns, nil
	}
	rows, err = q.query(ctx, "SELECT number, said, alerts FROM turn WHERE number > $1 AND number <= $2 ORDER BY number", after, turns.Last)
	if turns.Kept, err = collect(rows, err, scanTurn); err != nil {
		return turns, fmt.Errorf("turns after %d: %w", after, err)
	}
	if turns.Last < after || int64(len(turns.Kept)) != turns.Last-after {
		turns.Kept, turns.Lost = nil, true
	}
	return turns, nil
}

func scanTurn(rows *sql.Rows, t *exchange.Turn) error {
	var said string
	var alerts sql.NullString
	if err := rows.Scan(&t.Number, &said, &alerts); err != nil {
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
// batch took, nobody finds it, and whoever looks for it boots.
func (t *tx) saveTurn(b *exchange.Batch) error {
	if b.Turn == nil {
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
	err = t.w.exec(t.ctx, "INSERT INTO turn (number, said, alerts) VALUES ($1, $2, $3)", b.Turn.Number, string(said), string(alerts))
	if err != nil || b.Turn.Number%trimTurns != 0 {
		return err
	}
	return t.w.exec(t.ctx, "DELETE FROM turn WHERE number <= $1", b.Turn.Number-KeptTurns)
}

// purgeTurns takes out of the turns that are kept what they say of records: that they
// raised something. Whoever has not taken one up by now knows that there was more to hear.
func (t *tx) purgeTurns(*exchange.Purging) error {
	return t.w.exec(t.ctx, "UPDATE turn SET alerts = NULL WHERE alerts <> '[]'")
}
