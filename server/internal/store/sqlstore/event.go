package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// Events implements desk.Store.
func (s *Store) Events(ctx context.Context, id syncproto.RecordID) ([]review.Event, error) {
	rows, err := s.read.query(ctx, `SELECT item, version, at, what, by, ordinal, said
		FROM review_event WHERE item = $1 ORDER BY ordinal`, id[:])
	events, err := collect(rows, err, func(rows *sql.Rows, e *review.Event) error {
		var ordinal int64
		var said sealedColumn
		err := rows.Scan(intoID(&e.Item), &e.Version, &e.At, &e.What, intoID(&e.By), &ordinal, &said)
		if err != nil {
			return err
		}
		return openEvent(s.read.ring(), ordinal, said, e)
	})
	if err != nil {
		return nil, fmt.Errorf("store: what happened to question %s: %w", id, err)
	}
	return events, nil
}

var (
	lastEvents = search{"SELECT item, MAX(ordinal) FROM review_event WHERE item IN (", "?", ") GROUP BY item"}
	addEvent   = insertion{
		head: "INSERT INTO review_event (item, ordinal, version, at, what, by, said) VALUES ", columns: 7, types: "bnnntbb",
	}
)

// saveEvents adds each line after the last one of its question.
func (t *tx) saveEvents(b *exchange.Batch) error {
	if len(b.Events) == 0 {
		return nil
	}
	next, err := t.nextEvents(b.Events)
	if err != nil {
		return err
	}
	args := make([]any, 0, len(b.Events)*addEvent.columns)
	s := sealer{ring: t.w.ring()}
	for i := range b.Events {
		e := &b.Events[i]
		args = append(args, e.Item[:], next[e.Item], int64(e.Version), int64(e.At), string(e.What), idOrNull(e.By),
			s.event(e, next[e.Item]))
		next[e.Item]++
	}
	if s.err != nil {
		return s.err
	}
	return t.put(&addEvent, args)
}

// nextEvents returns the ordinal of the next line of each question.
func (t *tx) nextEvents(events []review.Event) (map[syncproto.RecordID]int64, error) {
	ids := make([]syncproto.RecordID, len(events))
	for i := range events {
		ids[i] = events[i].Item
	}
	next := make(map[syncproto.RecordID]int64)
	err := find(t.ctx, t.w, t.s.dialect, lastEvents, ids, idArg, nil, func(rows *sql.Rows) error {
		var id syncproto.RecordID
		var last int64
		err := rows.Scan(intoID(&id), &last)
		next[id] = last + 1
		return err
	})
	return next, err
}
