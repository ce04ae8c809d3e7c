package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

const (
	itemSelect = "SELECT i.kind, r.id, i.field, i.area, i.opened, i.closed, i.at FROM review_item i JOIN record r ON r.key = i.record "
	itemOrder  = " ORDER BY i.opened, r.id, i.field, i.kind"
)

func scanItem(rows *sql.Rows, i *review.Item) error {
	return rows.Scan(&i.Kind, intoID(&i.Record), &i.Field, &i.Area, &i.Opened, &i.Closed, &i.At)
}

var putItem = insertion{
	head: "INSERT INTO review_item (record, field, kind, area, opened, closed, at) VALUES ", columns: 7,
	tail: ` ON CONFLICT (record, field, kind) DO UPDATE SET area = excluded.area, opened = excluded.opened,
		closed = excluded.closed, at = excluded.at`,
}

func (t *tx) saveItems(b *exchange.Batch) error {
	items := lastItems(b.Closed, b.Opened)
	ids := make([]syncproto.RecordID, len(items))
	for i := range items {
		ids[i] = items[i].Record
	}
	if err := t.knowRecords(ids); err != nil {
		return err
	}
	args := make([]any, 0, len(items)*putItem.columns)
	for i := range items {
		it := &items[i]
		if t.records[it.Record] == 0 {
			return fmt.Errorf("an item about record %s, which isn't there", it.Record)
		}
		args = append(args, t.records[it.Record], it.Field, string(it.Kind), int64(it.Area),
			int64(it.Opened), int64(it.Closed), int64(it.At))
	}
	return t.put(&putItem, args)
}

// lastItems keeps what happened last to each question: one that a group closes and
// opens again ends up open, one that it opens and closes ends up closed.
func lastItems(closed, opened []review.Item) []review.Item {
	type question struct {
		kind   review.Kind
		record syncproto.RecordID
		field  string
	}
	at := make(map[question]int, len(closed)+len(opened))
	var last []review.Item
	for _, items := range [][]review.Item{closed, opened} {
		for _, it := range items {
			q := question{it.Kind, it.Record, it.Field}
			i, ok := at[q]
			switch {
			case !ok:
				at[q] = len(last)
				last = append(last, it)
			case max(it.Opened, it.Closed) > max(last[i].Opened, last[i].Closed):
				last[i] = it
			}
		}
	}
	return last
}

// OpenItems implements review.Store. The records come in order of first mention.
func (s *Store) OpenItems(ctx context.Context, areas []area.Key, after syncproto.Version, limit int) ([]review.Item, []syncproto.Record, error) {
	if len(areas) == 0 || limit <= 0 {
		return nil, nil, nil
	}
	var items []review.Item
	var records []syncproto.Record
	err := s.read.moment(ctx, func(q querier) (err error) {
		if items, err = openItems(ctx, q, s.dialect, areas, after, limit); err != nil {
			return err
		}
		ids := make([]syncproto.RecordID, len(items))
		for i := range items {
			ids[i] = items[i].Record
		}
		found, err := findRecords(ctx, q, s.dialect, ids)
		records = inOrder(found, ids)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("store: open items: %w", err)
	}
	return items, records, nil
}

// openItems reads a page, and with it the rest of the version at which it ends.
func openItems(ctx context.Context, q querier, d Dialect, areas []area.Key, after syncproto.Version, limit int) ([]review.Item, error) {
	open := itemSelect + "WHERE i.closed = 0 AND " + d.AmongNumbers("i.area", 1)
	rows, err := q.query(ctx, open+" AND i.opened > $2"+itemOrder+" LIMIT $3", list(areas), int64(after), limit)
	items, err := collect(rows, err, scanItem)
	if err != nil || len(items) < limit {
		return items, err
	}
	last := items[len(items)-1].Opened
	for len(items) > 0 && items[len(items)-1].Opened == last {
		items = items[:len(items)-1]
	}
	rows, err = q.query(ctx, open+" AND i.opened = $2"+itemOrder, list(areas), int64(last))
	rest, err := collect(rows, err, scanItem)
	return append(items, rest...), err
}

// inOrder puts records in the order of ids, each once.
func inOrder(records []syncproto.Record, ids []syncproto.RecordID) []syncproto.Record {
	byID := make(map[syncproto.RecordID]syncproto.Record, len(records))
	for _, r := range records {
		byID[r.ID] = r
	}
	ordered := make([]syncproto.Record, 0, len(records))
	for _, id := range once(ids) {
		if r, ok := byID[id]; ok {
			ordered = append(ordered, r)
		}
	}
	return ordered
}

// CountOpen implements review.Store.
func (s *Store) CountOpen(ctx context.Context, areas []area.Key) (int, error) {
	if len(areas) == 0 {
		return 0, nil
	}
	var n int
	rows, err := s.read.query(ctx, "SELECT COUNT(*) FROM review_item WHERE closed = 0 AND "+s.dialect.AmongNumbers("area", 1), list(areas))
	if err := one(rows, err, &n); err != nil {
		return 0, fmt.Errorf("store: count open items: %w", err)
	}
	return n, nil
}

func itemsFrom(ctx context.Context, q querier) ([]review.Item, error) {
	rows, err := q.query(ctx, itemSelect+itemOrder)
	return collect(rows, err, scanItem)
}
