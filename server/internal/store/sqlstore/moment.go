package sqlstore

import (
	"cmp"
	"database/sql"
	"fmt"
	"slices"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

var insertMoments = insertion{head: "INSERT INTO moment (first, received) VALUES ", columns: 2, types: "nn"}

// saveMoments says when the new rows of the log were received: one row for a group, as a
// rule.
func (t *tx) saveMoments(b *exchange.Batch) error {
	order := func(a, b exchange.Logged) int { return cmp.Compare(a.Seq, b.Seq) }
	log := b.Log
	if !slices.IsSortedFunc(log, order) {
		log = slices.SortedFunc(slices.Values(log), order)
	}
	var args []any
	for i := range log {
		if i == 0 || log[i].Received != log[i-1].Received {
			args = append(args, int64(log[i].Seq), int64(log[i].Received))
		}
	}
	return t.put(&insertMoments, args)
}

var receivedBy = search{
	before: "WITH asked (version) AS (VALUES ",
	item:   "(CAST(? AS BIGINT))",
	after: `) SELECT version, COALESCE((SELECT m.received FROM moment m
		WHERE m.first <= asked.version ORDER BY m.first DESC LIMIT 1), 0) FROM asked`,
}

// CommittedAt implements exchange.Tx; 0 for a version before all rows.
func (t *tx) CommittedAt(versions []syncproto.Version) ([]syncproto.Instant, error) {
	at := make(map[syncproto.Version]syncproto.Instant, len(versions))
	arg := func(v *syncproto.Version) any { return int64(*v) }
	err := find(t.ctx, t.w, t.s.dialect, receivedBy, versions, arg, nil, func(rows *sql.Rows) error {
		var v syncproto.Version
		var received syncproto.Instant
		err := rows.Scan(&v, &received)
		at[v] = received
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("when versions were committed: %w", err)
	}
	instants := make([]syncproto.Instant, len(versions))
	for i, v := range versions {
		instants[i] = at[v]
	}
	return instants, nil
}
