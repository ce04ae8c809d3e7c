package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

var addCounts = insertion{
	head: "INSERT INTO counter (area, measure, day, n) VALUES ", columns: 4, types: "ntnn",
	tail: " ON CONFLICT (area, measure, day) DO UPDATE SET n = counter.n + excluded.n",
}

func (t *tx) saveCounts(b *exchange.Batch) error {
	var args []any
	for _, c := range summed(b.Counts) {
		args = append(args, int64(c.Area), c.Measure, int64(c.Day), c.N)
	}
	return t.put(&addCounts, args)
}

// summed adds up the moves of each counter, in order of first mention: a statement
// may meet a row only once.
func summed(moves []rollup.Count) []rollup.Count {
	at := make(map[rollup.Count]int, len(moves))
	var sums []rollup.Count
	for _, m := range moves {
		counter := m
		counter.N = 0
		i, ok := at[counter]
		if !ok {
			i = len(sums)
			at[counter] = i
			sums = append(sums, counter)
		}
		sums[i].N += m.N
	}
	return slices.DeleteFunc(sums, func(c rollup.Count) bool { return c.N == 0 })
}

var (
	dropSightings = insertion{
		head: "DELETE FROM sighting WHERE (round, person, visit) IN (VALUES ", columns: 3, types: "bbb", tail: ")",
	}
	putSightings = insertion{
		head: "INSERT INTO sighting (round, person, visit, area, author, at) VALUES ", columns: 6, types: "bbbnnn",
		tail: ` ON CONFLICT (round, person, visit) DO UPDATE SET area = excluded.area,
			author = excluded.author, at = excluded.at`,
	}
)

// saveSightings takes away before it adds: a visit that moved or was corrected is in
// both lists.
func (t *tx) saveSightings(b *exchange.Batch) error {
	var args []any
	for i := range b.Unseen {
		s := &b.Unseen[i]
		args = append(args, s.Round[:], s.Person[:], s.Visit[:])
	}
	if err := t.put(&dropSightings, args); err != nil {
		return err
	}
	args = args[:0]
	for _, s := range lastOf(b.Seen, sightingKey) {
		args = append(args, s.Round[:], s.Person[:], s.Visit[:], int64(s.Area), t.author(s.Author), int64(s.At))
	}
	return t.put(&putSightings, args)
}

// sightingKey is what makes a sighting one with another: the same visit says that it
// met the same person.
func sightingKey(s *rollup.Sighting) [3]syncproto.RecordID {
	return [3]syncproto.RecordID{s.Round, s.Person, s.Visit}
}

// Totals implements rollup.Store: in order of (area, measure), without measures
// that come to 0.
func (s *Store) Totals(ctx context.Context, areas []area.Key, day form.Day, standing map[string]bool) ([]rollup.Count, error) {
	counts, err := totalsFrom(ctx, s.read, s.dialect, areas, day, standing)
	if err != nil {
		return nil, fmt.Errorf("store: totals: %w", err)
	}
	return counts, nil
}

// Totals implements exchange.Tx, as the group itself has moved them.
func (t *tx) Totals(areas []area.Key, day form.Day, standing map[string]bool) ([]rollup.Count, error) {
	counts, err := totalsFrom(t.ctx, t.w, t.s.dialect, areas, day, standing)
	if err != nil {
		return nil, fmt.Errorf("totals: %w", err)
	}
	return counts, nil
}

func totalsFrom(ctx context.Context, q querier, d Dialect, areas []area.Key, day form.Day, standing map[string]bool) ([]rollup.Count, error) {
	if len(areas) == 0 {
		return nil, nil
	}
	var names []string
	for name, stands := range standing {
		if stands {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	text := "SELECT area, measure, CAST(SUM(n) AS BIGINT) FROM counter WHERE " + d.AmongNumbers("area", 1) +
		" AND (day = $2 OR day < $2 AND " + d.AmongTexts("measure", 3) + ") GROUP BY area, measure HAVING SUM(n) <> 0 ORDER BY area, measure"
	rows, err := q.query(ctx, text, list(areas), int64(day), listOrEmpty(names))
	return collect(rows, err, func(rows *sql.Rows, c *rollup.Count) error {
		c.Day = day
		return rows.Scan(&c.Area, &c.Measure, &c.N)
	})
}

// listOrEmpty is a list as JSON text.
func listOrEmpty(names []string) string {
	if len(names) == 0 {
		return "[]"
	}
	return list(names)
}

func countsFrom(ctx context.Context, q querier) ([]rollup.Count, error) {
	rows, err := q.query(ctx, "SELECT area, measure, day, n FROM counter WHERE n <> 0 ORDER BY area, measure, day")
	return collect(rows, err, func(rows *sql.Rows, c *rollup.Count) error {
		return rows.Scan(&c.Area, &c.Measure, &c.Day, &c.N)
	})
}

const sightingSelect = `SELECT s.round, s.person, s.visit, s.area, a.id, s.at
	FROM sighting s JOIN author a ON a.key = s.author `

func scanSighting(rows *sql.Rows, s *rollup.Sighting) error {
	return rows.Scan(intoID(&s.Round), intoID(&s.Person), intoID(&s.Visit), &s.Area, intoID(&s.Author), &s.At)
}

func sightingsFrom(ctx context.Context, q querier) ([]rollup.Sighting, error) {
	rows, err := q.query(ctx, sightingSelect+"ORDER BY s.round, s.person, s.visit")
	return collect(rows, err, scanSighting)
}
