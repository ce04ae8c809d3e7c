package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
)

const agedSelect = `WHERE r.feed = $1 AND r.version > $2 AND r.version <= $3
	AND r.kind = (SELECT k.key FROM kind k WHERE k.name = $4) ORDER BY r.version LIMIT $5`

// Aged implements exchange.Store: feeds in the order given.
func (s *Store) Aged(
	ctx context.Context, feeds []exchange.Feed, kind syncproto.Kind, before syncproto.Instant, after exchange.AgedPlace, limit int,
) ([]syncproto.Record, exchange.AgedPlace, error) {
	if at := slices.Index(feeds, after.Feed); at >= 0 {
		feeds = feeds[at:]
	}
	var page []syncproto.Record
	end := after
	err := s.read.moment(ctx, func(q querier) error {
		last, err := lastBefore(ctx, q, before)
		if err != nil {
			return err
		}
		for _, feed := range feeds {
			from := syncproto.Version(0)
			if feed == after.Feed {
				from = after.Version
			}
			found, err := agedIn(ctx, q, feed, kind, from, last, limit-len(page))
			if err != nil {
				return err
			}
			if page = append(page, found...); len(found) > 0 {
				end = exchange.AgedPlace{Feed: feed, Version: found[len(found)-1].Version}
			}
			if len(page) >= limit {
				break
			}
		}
		return nil
	})
	if err != nil {
		return nil, after, fmt.Errorf("store: what has not changed since: %w", err)
	}
	return page, end, nil
}

func agedIn(ctx context.Context, q querier, feed exchange.Feed, kind syncproto.Kind, from, last syncproto.Version, limit int) ([]syncproto.Record, error) {
	number, err := feedNumber(feed)
	if err != nil || limit <= 0 {
		return nil, err
	}
	rows, err := q.query(ctx, recordsWhere(q.engine(), agedSelect), number, int64(from), int64(last), string(kind), limit)
	return collect(rows, err, scanRecord(q))
}

// lastBefore returns the greatest number that was given out before the first row of the log
// that was received at or after an instant. Rows are received in order, so that a few of
// them say it.
func lastBefore(ctx context.Context, q querier, before syncproto.Instant) (syncproto.Version, error) {
	var last int64
	rows, err := q.query(ctx, "SELECT last_number FROM meta")
	if err := noMeta(one(rows, err, &last)); err != nil {
		return 0, err
	}
	low, high := int64(0), last // low was received before, what comes after high was not
	for low < high {
		middle := low + (high-low+1)/2
		var received int64
		rows, err := q.query(ctx, "SELECT received FROM change_log WHERE seq <= $1 ORDER BY seq DESC LIMIT 1", middle)
		if err := one(rows, err, &received); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return 0, fmt.Errorf("when a row was received: %w", err)
		}
		if received < int64(before) {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return syncproto.Version(low), nil
}

var purgedByID = search{"SELECT r.id FROM record r WHERE r.purged IS NOT NULL AND r.id IN (", "?", ")"}

// Purged implements exchange.Tx: of records that nobody ever spoke of it asks nothing.
func (t *tx) Purged(ids []syncproto.RecordID) ([]syncproto.RecordID, error) {
	if err := t.knowRecords(ids); err != nil {
		return nil, err
	}
	var there, purged []syncproto.RecordID
	for _, id := range ids {
		if t.records[id] != 0 {
			there = append(there, id)
		}
	}
	err := find(t.ctx, t.w, t.s.dialect, purgedByID, there, idArg, nil, func(rows *sql.Rows) error {
		var id syncproto.RecordID
		err := rows.Scan(intoID(&id))
		purged = append(purged, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("purged records: %w", err)
	}
	return purged, nil
}

var (
	itemsFirst  = search{itemSelect + "WHERE i.record IN (", "?", ")"}
	itemsSecond = search{itemSelect + "WHERE i.closed <> 0 AND i.other IN (", "?", ")"}
)

// ItemsOf implements exchange.Tx: in any order.
func (t *tx) ItemsOf(ids []syncproto.RecordID) ([]review.Item, error) {
	var about []review.Item
	known := make(map[review.Key]bool)
	for _, side := range []search{itemsFirst, itemsSecond, pairsSecond} {
		found, err := findItems(t.ctx, t.w, t.s.dialect, side, ids)
		if err != nil {
			return nil, fmt.Errorf("questions about records: %w", err)
		}
		for i := range found {
			if !known[found[i].Key] {
				known[found[i].Key] = true
				about = append(about, found[i])
			}
		}
	}
	return about, nil
}

// OpenWindows implements exchange.Tx.
func (t *tx) OpenWindows() ([]review.Item, error) {
	var none syncproto.RecordID
	rows, err := t.w.query(t.ctx, itemSelect+"WHERE i.closed = 0 AND i.record = $1", none[:])
	items, err := collect(rows, err, scanItem(t.w))
	if err != nil {
		return nil, fmt.Errorf("open questions about no record: %w", err)
	}
	return items, nil
}

// Purge implements exchange.Tx.
func (t *tx) Purge(p *exchange.Purging) error {
	for _, step := range []struct {
		what string
		do   func(*exchange.Purging) error
	}{
		{"records", t.purgeRecords},
		{"rows of the log", t.purgeLog},
		{"evidence", t.purgeEvidence},
		{"tellings", t.purgeTold},
		{"alerts", t.purgeAlerts},
		{"turns", t.purgeTurns},
		{"what is carried", t.carry},
		{"the line", t.purgeLine},
	} {
		if err := step.do(p); err != nil {
			return fmt.Errorf("purge %s: %w", step.what, err)
		}
	}
	return nil
}

var nameRecords = insertion{
	head: "WITH given (key, purged) AS (VALUES ", columns: 2, types: "nn",
	tail: `) UPDATE record SET area = NULL, feed = NULL, version = 0, parts = NULL, purged = given.purged
		FROM given WHERE record.key = given.key`,
}

// purgeRecords leaves of each record its name, and tells its feed that it is gone.
func (t *tx) purgeRecords(p *exchange.Purging) error {
	ids := make([]syncproto.RecordID, len(p.Records))
	for i := range p.Records {
		ids[i] = p.Records[i].ID
	}
	if err := t.knowRecords(ids); err != nil {
		return err
	}
	var names, gone []any
	for _, r := range p.Records {
		feed, err := feedNumber(r.Feed)
		if err != nil {
			return err
		}
		names = append(names, t.records[r.ID], int64(r.Version))
		gone = append(gone, feed, int64(r.Version), t.records[r.ID])
	}
	if err := t.put(&nameRecords, names); err != nil {
		return err
	}
	return t.put(&insertGone, gone)
}

var emptyRows = insertion{
	head: "WITH given (seq, hash) AS (VALUES ", columns: 2, types: "nb",
	tail: `) UPDATE change_log SET said = NULL, amid = NULL, hash = given.hash
		FROM given WHERE change_log.seq = given.seq`,
}

func (t *tx) purgeLog(p *exchange.Purging) error {
	args := make([]any, 0, len(p.Log)*emptyRows.columns)
	for i := range p.Log {
		args = append(args, int64(p.Log[i].Seq), p.Log[i].Hash[:])
	}
	return t.put(&emptyRows, args)
}

var dropEvidence = insertion{
	head: "UPDATE review_item SET proof = NULL WHERE id IN (VALUES ", columns: 1, types: "b", tail: ") AND proof IS NOT NULL",
}

func (t *tx) purgeEvidence(p *exchange.Purging) error {
	args := make([]any, len(p.Items))
	for i := range p.Items {
		args[i] = p.Items[i][:]
	}
	return t.put(&dropEvidence, args)
}

var dropTold = insertion{head: "DELETE FROM told WHERE record IN (VALUES ", columns: 1, types: "b", tail: ")"}

// purgeTold takes back what authors were to hear of the records: whoever has not heard it
// by now hears that the record is gone.
func (t *tx) purgeTold(p *exchange.Purging) error {
	args := make([]any, len(p.Records))
	for i := range p.Records {
		args[i] = p.Records[i].ID[:]
	}
	return t.put(&dropTold, args)
}

var (
	namelessAlerts = insertion{head: "UPDATE alert SET record = NULL WHERE record IN (VALUES ", columns: 1, types: "b", tail: ")"}
	dropRestatings = insertion{head: "DELETE FROM restating WHERE record IN (VALUES ", columns: 1, types: "b", tail: ")"}
)

// purgeAlerts takes the records' names out of what was told at once, and what each of them
// did to signed days: a day's figures and their sum hold without.
func (t *tx) purgeAlerts(p *exchange.Purging) error {
	args := make([]any, len(p.Records))
	for i := range p.Records {
		args[i] = p.Records[i].ID[:]
	}
	if err := t.put(&namelessAlerts, args); err != nil {
		return err
	}
	return t.put(&dropRestatings, args)
}

var (
	addCarried = insertion{
		head: "INSERT INTO carried (area, measure, day, n) VALUES ", columns: 4, types: "ntnn",
		tail: " ON CONFLICT (area, measure, day) DO UPDATE SET n = carried.n + excluded.n",
	}
	addVisits = insertion{
		head: "INSERT INTO purged_visit (round, area, n) VALUES ", columns: 3, types: "bnn",
		tail: " ON CONFLICT (round, area) DO UPDATE SET n = purged_visit.n + excluded.n",
	}
)

func (t *tx) carry(p *exchange.Purging) error {
	var counts, visits []any
	for _, c := range summed(p.Carried) {
		counts = append(counts, int64(c.Area), c.Measure, int64(c.Day), c.N)
	}
	for i := range p.Visits {
		v := &p.Visits[i]
		visits = append(visits, v.Round[:], int64(v.Area), v.N)
	}
	if err := t.put(&addCarried, counts); err != nil {
		return err
	}
	return t.put(&addVisits, visits)
}

const putPurge = `INSERT INTO purge (began, version, at, by, kind, area, older, records, changes)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
	ON CONFLICT (began) DO UPDATE SET version = excluded.version, at = excluded.at,
		records = purge.records + excluded.records, changes = purge.changes + excluded.changes`

func (t *tx) purgeLine(p *exchange.Purging) error {
	l := &p.Line
	return t.w.exec(t.ctx, putPurge, int64(l.Began), int64(l.Version), int64(l.At), idOrNull(l.By), string(l.Kind),
		string(l.Area), int64(l.Older), l.Records, l.Changes)
}

// Purges implements exchange.Store.
func (s *Store) Purges(ctx context.Context) ([]exchange.Purge, error) {
	rows, err := s.read.query(ctx, "SELECT began, version, at, by, kind, area, older, records, changes FROM purge ORDER BY began")
	lines, err := collect(rows, err, func(rows *sql.Rows, l *exchange.Purge) error {
		return rows.Scan(&l.Began, &l.Version, &l.At, intoID(&l.By), &l.Kind, &l.Area, &l.Older, &l.Records, &l.Changes)
	})
	if err != nil {
		return nil, fmt.Errorf("store: purges: %w", err)
	}
	return lines, nil
}

// CountPurged implements roster.Store.
func (s *Store) CountPurged(ctx context.Context, round syncproto.RecordID, areas []area.Key) (int, error) {
	if len(areas) == 0 {
		return 0, nil
	}
	var n int
	text := "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM purged_visit WHERE round = $1 AND " + s.dialect.AmongNumbers("area", 2)
	rows, err := s.read.query(ctx, text, round[:], list(areas))
	if err := one(rows, err, &n); err != nil {
		return 0, fmt.Errorf("store: count purged visits: %w", err)
	}
	return n, nil
}

func carriedFrom(ctx context.Context, q querier) ([]rollup.Count, error) {
	rows, err := q.query(ctx, "SELECT area, measure, day, n FROM carried WHERE n <> 0 ORDER BY area, measure, day")
	counts, err := collect(rows, err, func(rows *sql.Rows, c *rollup.Count) error {
		return rows.Scan(&c.Area, &c.Measure, &c.Day, &c.N)
	})
	if err != nil {
		return nil, fmt.Errorf("what is carried: %w", err)
	}
	return counts, nil
}
