package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

// goneSize is how long a gone record is as JSON, nearly.
const goneSize = 120

const feedRecords = "WHERE r.feed = $1 AND r.version > $2 ORDER BY r.version LIMIT $3"

var feedGone = fmt.Sprintf(`SELECT g.version, r.id, k.name, COALESCE(a.code, '') FROM gone g
		JOIN record r ON r.key = g.record
		JOIN kind k ON k.key = r.kind
		LEFT JOIN area a ON a.key = `+areaOfFeed+`
		WHERE g.feed = $1 AND g.version > $2 ORDER BY g.version LIMIT $3`, "g.feed")

// Page implements exchange.Store. A page ends before the row that would carry it
// over maxBytes.
func (s *Store) Page(ctx context.Context, feed exchange.Feed, after syncproto.Version, maxRows, maxBytes int) ([]exchange.FeedRow, error) {
	number, err := feedNumber(feed)
	if err != nil {
		return nil, fmt.Errorf("store: page: %w", err)
	}
	if maxRows <= 0 {
		return nil, nil
	}
	var events []exchange.FeedRow
	// Both kinds of rows are read at one moment: what is committed in between would
	// lift one of them over numbers that the other hasn't shown yet.
	err = s.read.moment(ctx, func(q querier) error {
		gone, err := goneFrom(ctx, q, number, after, maxRows)
		if err != nil {
			return err
		}
		there, next, err := recordsFrom(ctx, q, number, after, maxRows, maxBytes)
		// Nothing may come before the first record that didn't fit.
		gone = slices.DeleteFunc(gone, func(row exchange.FeedRow) bool { return next != 0 && row.Version > next })
		events = slices.Concat(gone, there)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: page of feed %d: %w", number, err)
	}
	slices.SortStableFunc(events, func(a, b exchange.FeedRow) int { return cmp.Compare(a.Version, b.Version) })
	return bounded(events, maxRows, maxBytes), nil
}

// bounded cuts a page to its bounds; the first row always stays.
func bounded(events []exchange.FeedRow, maxRows, maxBytes int) []exchange.FeedRow {
	size := 0
	for i := range events {
		size += events[i].Size
		if i == maxRows || i > 0 && size > maxBytes {
			return events[:i]
		}
	}
	return events
}

func goneFrom(ctx context.Context, q querier, feed int64, after syncproto.Version, limit int) ([]exchange.FeedRow, error) {
	rows, err := q.query(ctx, feedGone, feed, int64(after), limit)
	return collect(rows, err, func(rows *sql.Rows, row *exchange.FeedRow) error {
		var g syncproto.Gone
		err := rows.Scan(&g.Version, intoID(&g.Record), &g.Kind, &g.Area)
		*row = exchange.FeedRow{Version: g.Version, Size: goneSize, Gone: &g}
		return err
	})
}

// recordsFrom stops reading once the records alone fill the page, and returns the
// version of the first that didn't fit, 0 if none was left out for its size.
func recordsFrom(ctx context.Context, q querier, feed int64, after syncproto.Version, limit, maxBytes int) (
	found []exchange.FeedRow, next syncproto.Version, err error,
) {
	size := 0
	rows, err := q.query(ctx, recordsWhere(q.engine(), feedRecords), feed, int64(after), limit)
	err = each(rows, err, func(rows *sql.Rows) error {
		var stored storedRecord
		if err := rows.Scan(stored.scanArgs()...); err != nil {
			return err
		}
		size += stored.size()
		if len(found) > 0 && size > maxBytes {
			next = stored.Version
			return errStop
		}
		r, err := stored.record(q.ring())
		if err != nil {
			return err
		}
		found = append(found, exchange.FeedRow{Version: r.Version, Size: stored.size(), Record: &r})
		return nil
	})
	return found, next, err
}
