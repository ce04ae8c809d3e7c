package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"gridsync/server/internal/area"
	"gridsync/server/internal/desk"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/review"
	"gridsync/server/internal/seal"
	"gridsync/syncproto"
)

const itemSelect = `SELECT i.kind, i.record, i.field, i.area, i.opened, i.closed, i.at, i.ended, i.state, i.ending,
	i.by, i.assignee, i.score, i.proof, i.sample FROM review_item i `

func scanItem(q querier) func(*sql.Rows, *review.Item) error {
	return func(rows *sql.Rows, it *review.Item) error { return readItem(q.ring(), rows, it) }
}

func readItem(ring *seal.Ring, rows *sql.Rows, it *review.Item) error {
	var proof sealedColumn
	err := rows.Scan(&it.Kind, intoID(&it.Record), &it.Field, &it.Area, &it.Opened, &it.Closed, &it.At, &it.Ended,
		&it.State, &it.Ending, intoID(&it.By), intoID(&it.Assignee), &it.Score, &proof, intoID(&it.Sample))
	if err != nil {
		return fmt.Errorf("a row of a question: %w", err)
	}
	return openProof(ring, proof, it)
}

// itemsOpen is what lies open on the desks of areas; its arguments begin with them.
func itemsOpen(d Dialect) string {
	return "FROM review_item i WHERE i.closed = 0 AND " + d.AmongNumbers("i.area", 1)
}

// Questions implements desk.Store. The ids of the page are found in the index alone,
// so that the many rows that aren't on it are never read.
func (s *Store) Questions(ctx context.Context, areas []area.Key, want desk.Want, after desk.Place, limit int) ([]review.Item, error) {
	if len(areas) == 0 || limit <= 0 {
		return nil, nil
	}
	args := []any{list(areas), int64(after.Opened), after.ID[:]}
	open := itemsOpen(s.dialect) + " AND (i.opened, i.id) > ($2, $3)"
	for _, filter := range []struct {
		column string
		value  any
	}{{"i.kind", orNull(string(want.Kind))}, {"i.assignee", idOrNull(want.Assignee)}} {
		if filter.value != nil {
			args = append(args, filter.value)
			open += fmt.Sprintf(" AND %s = $%d", filter.column, len(args))
		}
	}
	args = append(args, limit)
	text := itemSelect + "WHERE i.id IN (SELECT i.id " + open + fmt.Sprintf(" ORDER BY i.opened, i.id LIMIT $%d)", len(args)) +
		" ORDER BY i.opened, i.id"
	rows, err := s.read.query(ctx, text, args...)
	items, err := collect(rows, err, scanItem(s.read))
	if err != nil {
		return nil, fmt.Errorf("store: open questions: %w", err)
	}
	return items, nil
}

// CountQuestions implements desk.Store: without kinds of which none is open.
func (s *Store) CountQuestions(ctx context.Context, areas []area.Key) (map[review.Kind]int, error) {
	counts := make(map[review.Kind]int)
	if len(areas) == 0 {
		return counts, nil
	}
	rows, err := s.read.query(ctx, "SELECT i.kind, COUNT(*) "+itemsOpen(s.dialect)+" GROUP BY i.kind", list(areas))
	err = each(rows, err, func(rows *sql.Rows) error {
		var kind review.Kind
		var n int
		err := rows.Scan(&kind, &n)
		counts[kind] = n
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: count questions by kind: %w", err)
	}
	return counts, nil
}

// CountOpen implements desk.Store.
func (s *Store) CountOpen(ctx context.Context, areas []area.Key) (int, error) {
	if len(areas) == 0 {
		return 0, nil
	}
	var n int
	if len(areas) > fewDesks {
		n, err := s.countOpenAmong(ctx, areas)
		if err != nil {
			return 0, fmt.Errorf("store: count open questions: %w", err)
		}
		return n, nil
	}
	rows, err := s.read.query(ctx, "SELECT COUNT(*) "+itemsOpen(s.dialect), list(areas))
	if err := one(rows, err, &n); err != nil {
		return 0, fmt.Errorf("store: count open questions: %w", err)
	}
	return n, nil
}

// fewDesks is of how many areas each is looked up. Of more than that most have nothing open,
// and whatever is open anywhere is counted sooner.
const fewDesks = 200

func (s *Store) countOpenAmong(ctx context.Context, areas []area.Key) (int, error) {
	open := make(map[area.Key]int)
	rows, err := s.read.query(ctx, "SELECT i.area, COUNT(*) FROM review_item i WHERE i.closed = 0 GROUP BY i.area")
	err = each(rows, err, func(rows *sql.Rows) error {
		var key area.Key
		var n int
		err := rows.Scan(&key, &n)
		open[key] = n
		return err
	})
	sum := 0
	for _, key := range areas {
		sum += open[key]
		delete(open, key) // an area that is named twice counts once
	}
	return sum, err
}

// Item implements desk.Store.
func (s *Store) Item(ctx context.Context, id syncproto.RecordID) (review.Item, bool, error) {
	found, err := findItems(ctx, s.read, s.dialect, itemsByID, []syncproto.RecordID{id})
	if err != nil {
		return review.Item{}, false, fmt.Errorf("store: question %s: %w", id, err)
	}
	if len(found) == 0 {
		return review.Item{}, false, nil
	}
	return found[0], true, nil
}

var (
	itemsByID   = search{itemSelect + "WHERE i.id IN (", "?", ")"}
	pairsFirst  = search{itemSelect + "WHERE i.closed = 0 AND i.other IS NOT NULL AND i.record IN (", "?", ")"}
	pairsSecond = search{itemSelect + "WHERE i.closed = 0 AND i.other IS NOT NULL AND i.other IN (", "?", ")"}
)

func findItems(ctx context.Context, q querier, d Dialect, s search, ids []syncproto.RecordID) ([]review.Item, error) {
	var found []review.Item
	err := find(ctx, q, d, s, ids, idArg, nil, func(rows *sql.Rows) error {
		var it review.Item
		err := readItem(q.ring(), rows, &it)
		found = append(found, it)
		return err
	})
	return found, err
}

// Items implements exchange.Tx: in any order.
func (t *tx) Items(ids []syncproto.RecordID) ([]review.Item, error) {
	found, err := findItems(t.ctx, t.w, t.s.dialect, itemsByID, ids)
	if err != nil {
		return nil, fmt.Errorf("questions by id: %w", err)
	}
	return found, nil
}

// ItemsAbout implements exchange.Tx: each question once, in any order.
func (t *tx) ItemsAbout(ids []syncproto.RecordID) ([]review.Item, error) {
	var about []review.Item
	seen := make(map[review.Key]bool)
	for _, side := range []search{pairsFirst, pairsSecond} {
		found, err := findItems(t.ctx, t.w, t.s.dialect, side, ids)
		if err != nil {
			return nil, fmt.Errorf("questions about two records: %w", err)
		}
		for i := range found {
			if !seen[found[i].Key] {
				seen[found[i].Key] = true
				about = append(about, found[i])
			}
		}
	}
	return about, nil
}

// OpenPairs implements exchange.Tx.
func (t *tx) OpenPairs() ([]review.Item, error) {
	rows, err := t.w.query(t.ctx, itemSelect+"WHERE i.closed = 0 AND i.other IS NOT NULL")
	items, err := collect(rows, err, scanItem(t.w))
	if err != nil {
		return nil, fmt.Errorf("open questions about two records: %w", err)
	}
	return items, nil
}

// openItems returns all open questions, in order of (area, Opened, id).
func openItems(ctx context.Context, q querier) ([]review.Item, error) {
	rows, err := q.query(ctx, itemSelect+"WHERE i.closed = 0 ORDER BY i.area, i.opened, i.id")
	items, err := collect(rows, err, scanItem(q))
	if err != nil {
		return nil, fmt.Errorf("open questions: %w", err)
	}
	return items, nil
}

// twinsFrom returns the pairs that may be one event, until somebody says.
func twinsFrom(ctx context.Context, q querier) ([]exchange.Link, error) {
	rows, err := q.query(ctx, `SELECT i.record, i.other FROM review_item i
		WHERE i.closed = 0 AND i.other IS NOT NULL AND i.kind = $1 ORDER BY i.record, i.other`, string(review.DoubleVisit))
	twins, err := collect(rows, err, func(rows *sql.Rows, l *exchange.Link) error {
		return rows.Scan(intoID(&l.Record), intoID(&l.Into))
	})
	if err != nil {
		return nil, fmt.Errorf("twins: %w", err)
	}
	return twins, nil
}

var putItem = insertion{
	head: `INSERT INTO review_item (id, kind, record, field, other, area, opened, closed, at, ended, state, ending,
		by, assignee, score, proof, sample) VALUES `,
	columns: 17, types: "btbtbnnnnnttbbnbb",
	tail: ` ON CONFLICT (id) DO UPDATE SET area = excluded.area, opened = excluded.opened, closed = excluded.closed,
		at = excluded.at, ended = excluded.ended, state = excluded.state, ending = excluded.ending, by = excluded.by,
		assignee = excluded.assignee, score = excluded.score, proof = excluded.proof, sample = excluded.sample`,
}

func (t *tx) saveItems(b *exchange.Batch) error {
	var args []any
	s := sealer{ring: t.w.ring()}
	for _, it := range lastOf(b.Items, func(it *review.Item) review.Key { return it.Key }) {
		id := it.ID()
		args = append(args, id[:], string(it.Kind), it.Record[:], it.Field, idOrNull(it.Other()), int64(it.Area),
			int64(it.Opened), int64(it.Closed), int64(it.At), int64(it.Ended), string(it.State), string(it.Ending),
			idOrNull(it.By), idOrNull(it.Assignee), it.Score, s.sealText(proofPlace(id), list(it.Evidence)), idOrNull(it.Sample))
	}
	if s.err != nil {
		return s.err
	}
	return t.put(&putItem, args)
}
