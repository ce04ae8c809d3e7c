package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

// historySpan is how many records' histories are held in memory at a time.
const historySpan = 500

const (
	historyNames  = "SELECT r.key, r.id FROM record r WHERE r.key > $1 ORDER BY r.key LIMIT $2"
	historyStored = "WHERE r.key > $1 AND r.key <= $2 AND r.version > 0"
	historyLogs   = logSelect + logFrom + "WHERE c.record > $1 AND c.record <= $2 ORDER BY c.record, c.seq"
)

// Histories implements exchange.Store: in order of the records' keys, a span of them
// at a time, all in one read transaction. The log can't be truncated meanwhile, so
// fn should not wait for anybody.
func (s *Store) Histories(ctx context.Context, fn func(log []exchange.Logged, stored *syncproto.Record) error) error {
	err := s.read.moment(ctx, func(q querier) error {
		for after := int64(0); ; {
			span, last, err := historiesAfter(ctx, q, after)
			if err != nil || len(span) == 0 {
				return err
			}
			for i := range span {
				if err := fn(span[i].log, span[i].stored); err != nil {
					return err
				}
			}
			after = last
		}
	})
	if err != nil {
		return fmt.Errorf("store: histories: %w", err)
	}
	return nil
}

// history is a record as the log tells it and as it is stored.
type history struct {
	id     syncproto.RecordID
	log    []exchange.Logged
	stored *syncproto.Record
}

func historiesAfter(ctx context.Context, q querier, after int64) (span []history, last int64, err error) {
	at := make(map[syncproto.RecordID]int)
	rows, err := q.query(ctx, historyNames, after, historySpan)
	err = each(rows, err, func(rows *sql.Rows) error {
		var h history
		err := rows.Scan(&last, intoID(&h.id))
		at[h.id] = len(span)
		span = append(span, h)
		return err
	})
	if err != nil || len(span) == 0 {
		return nil, 0, err
	}
	rows, err = q.query(ctx, recordsWhere(q.engine(), historyStored), after, last)
	err = each(rows, err, func(rows *sql.Rows) error {
		var r syncproto.Record
		err := readRecord(q.ring(), rows, &r)
		span[at[r.ID]].stored = &r
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	rows, err = q.query(ctx, historyLogs, after, last)
	err = each(rows, err, func(rows *sql.Rows) error {
		var l exchange.Logged
		if err := readLogged(q.ring(), rows, &l); err != nil {
			return err
		}
		h := &span[at[l.Change.Record]]
		h.log = append(h.log, l)
		return nil
	})
	return span, last, err
}
