package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/match"
	"gridsync/syncproto"
)

// keyNumber is a key as a number with a sign, in the order of keys.
func keyNumber(k match.Key) int64 { return int64(k ^ 1<<63) }

// keyOf reads what keyNumber wrote.
func keyOf(number int64) match.Key { return match.Key(number) ^ 1<<63 }

// A range of keys is nearly always one key, or all that share the upper half of their
// bits: asked for by its lower end alone it costs a third of the arguments.
const wideRange = 1<<32 - 1

// someone finds the ranges of one width in which anybody stands.
func someone(high string) *insertion {
	return &insertion{
		head: "WITH asked (low) AS (VALUES ", columns: 1, types: "n",
		tail: ") SELECT low FROM asked WHERE EXISTS (SELECT 1 FROM match_key m WHERE m.key BETWEEN asked.low AND " + high + ")",
	}
}

var (
	someoneAt = someone("asked.low")
	someoneIn = someone(fmt.Sprintf("asked.low + %d", wideRange))
)

const blockSelect = `SELECT r.id FROM match_key m JOIN record r ON r.key = m.record
	WHERE m.key BETWEEN $1 AND $2 ORDER BY m.key, m.record LIMIT $3`

// Blocks implements exchange.Tx. Most ranges are empty: those in which nobody stands
// are passed over by the hundred, and only the others are read.
func (t *tx) Blocks(ranges []match.Range, limit int) ([][]syncproto.RecordID, error) {
	blocks := make([][]syncproto.RecordID, len(ranges))
	if limit <= 0 {
		return blocks, nil
	}
	lows := make(map[*insertion][]any)
	stands := make(map[match.Range]bool)
	for _, r := range ranges {
		switch r.To - r.From {
		case 0:
			lows[someoneAt] = append(lows[someoneAt], keyNumber(r.From))
		case wideRange:
			lows[someoneIn] = append(lows[someoneIn], keyNumber(r.From))
		default:
			stands[r] = true // not known to be empty
		}
	}
	for in, args := range lows {
		width := match.Key(0)
		if in == someoneIn {
			width = wideRange
		}
		err := t.ask(in, args, func(rows *sql.Rows) error {
			var low int64
			err := rows.Scan(&low)
			stands[match.Range{From: keyOf(low), To: keyOf(low) + width}] = true
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("ranges of keys: %w", err)
		}
	}
	for i, r := range ranges {
		if !stands[r] {
			continue
		}
		var err error
		if blocks[i], err = t.block(r, limit); err != nil {
			return nil, fmt.Errorf("a range of keys: %w", err)
		}
	}
	return blocks, nil
}

func (t *tx) block(r match.Range, limit int) ([]syncproto.RecordID, error) {
	rows, err := t.w.query(t.ctx, blockSelect, keyNumber(r.From), keyNumber(r.To), limit)
	return collect(rows, err, func(rows *sql.Rows, id *syncproto.RecordID) error { return rows.Scan(intoID(id)) })
}

var (
	dropKeys = insertion{head: "DELETE FROM match_key WHERE (key, record) IN (VALUES ", columns: 2, types: "nn", tail: ")"}
	putKeys  = insertion{
		head: "INSERT INTO match_key (key, record) VALUES ", columns: 2, types: "nn", tail: " ON CONFLICT (key, record) DO NOTHING",
	}
)

// saveIndex takes away before it adds: what a record keeps may be in both lists.
func (t *tx) saveIndex(b *exchange.Batch) error {
	if err := t.putEntries(&dropKeys, b.Unindexed); err != nil {
		return err
	}
	return t.putEntries(&putKeys, b.Indexed)
}

// entriesAtOnce bounds how many lines of the index are held as arguments.
const entriesAtOnce = 8192

// putEntries runs an insertion over lines of the index, in the index's own order.
func (t *tx) putEntries(in *insertion, entries []match.Entry) error {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b match.Entry) int { return cmp.Compare(a.Key, b.Key) })
	for some := range slices.Chunk(entries, entriesAtOnce) {
		ids := make([]syncproto.RecordID, len(some))
		for i := range some {
			ids[i] = some[i].Record
		}
		if err := t.knowRecords(ids); err != nil {
			return err
		}
		args := make([]any, 0, len(some)*in.columns)
		for i := range some {
			record := t.records[some[i].Record]
			if record == 0 {
				return fmt.Errorf("a key of record %s, which isn't there", some[i].Record)
			}
			args = append(args, keyNumber(some[i].Key), record)
		}
		if err := t.put(in, args); err != nil {
			return err
		}
	}
	return nil
}

func indexFrom(ctx context.Context, q querier) ([]match.Entry, error) {
	rows, err := q.query(ctx, "SELECT m.key, r.id FROM match_key m JOIN record r ON r.key = m.record ORDER BY m.key, m.record")
	entries, err := collect(rows, err, func(rows *sql.Rows, e *match.Entry) error {
		var number int64
		err := rows.Scan(&number, intoID(&e.Record))
		e.Key = keyOf(number)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("blocked index: %w", err)
	}
	return entries, nil
}
