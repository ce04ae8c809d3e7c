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

// absorbedBy follows links backwards from the survivors, round in a circle at most
// once.
var absorbedBy = search{
	before: "WITH RECURSIVE absorbed (record, survivor) AS (SELECT l.record, l.became FROM link l WHERE l.became IN (",
	item:   "?",
	after: `) UNION SELECT l.record, absorbed.survivor FROM absorbed JOIN link l ON l.became = absorbed.record)
		SELECT record, survivor FROM absorbed WHERE record <> survivor ORDER BY survivor, record`,
}

// Absorbed implements desk.Store: Into is the survivor asked about, whatever lies
// between; in the order asked for, and then of ids.
func (s *Store) Absorbed(ctx context.Context, survivors []syncproto.RecordID) ([]exchange.Link, error) {
	var links []exchange.Link
	err := find(ctx, s.read, s.dialect, absorbedBy, survivors, idArg, nil, func(rows *sql.Rows) error {
		var l exchange.Link
		err := rows.Scan(intoID(&l.Record), intoID(&l.Into))
		links = append(links, l)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: absorbed records: %w", err)
	}
	at := make(map[syncproto.RecordID]int, len(survivors))
	for i, id := range once(survivors) {
		at[id] = i
	}
	slices.SortStableFunc(links, func(a, b exchange.Link) int { return cmp.Compare(at[a.Into], at[b.Into]) })
	return links, nil
}

var (
	putLink = insertion{
		head: "INSERT INTO link (record, became) VALUES ", columns: 2, types: "bb",
		tail: " ON CONFLICT (record) DO UPDATE SET became = excluded.became",
	}
	dropLink = insertion{head: "DELETE FROM link WHERE (record) IN (VALUES ", columns: 1, types: "b", tail: ")"}
)

func (t *tx) saveLinks(b *exchange.Batch) error {
	var made, undone []any
	for _, l := range lastOf(b.Links, func(l *exchange.Link) syncproto.RecordID { return l.Record }) {
		if l.Into.IsZero() {
			undone = append(undone, l.Record[:])
			continue
		}
		made = append(made, l.Record[:], l.Into[:])
	}
	if err := t.put(&dropLink, undone); err != nil {
		return err
	}
	return t.put(&putLink, made)
}

func linksFrom(ctx context.Context, q querier) ([]exchange.Link, error) {
	rows, err := q.query(ctx, "SELECT record, became FROM link ORDER BY record")
	links, err := collect(rows, err, func(rows *sql.Rows, l *exchange.Link) error {
		return rows.Scan(intoID(&l.Record), intoID(&l.Into))
	})
	if err != nil {
		return nil, fmt.Errorf("links: %w", err)
	}
	return links, nil
}
