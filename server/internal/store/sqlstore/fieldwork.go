package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/fieldwork"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// wayOf is fieldwork.Way of a row of visited.
const wayOf = "CASE v.outcome WHEN 'met' THEN 1 WHEN 'refused' THEN 2 WHEN 'not_home' THEN 3 ELSE 4 END"

// roots is survivors, with the least of those in a circle for all of them.
const roots = `WITH RECURSIVE up (record, top) AS (
		SELECT record, became FROM link
		UNION SELECT up.record, link.became FROM up JOIN link ON link.record = up.top),
	circling (record, top) AS (SELECT record, top FROM up
		WHERE EXISTS (SELECT 1 FROM up c WHERE c.record = up.top AND c.top = up.top)),
	survivor (record, top) AS (SELECT record, top FROM up WHERE top NOT IN (SELECT record FROM link)
		UNION ALL SELECT c.record, c.top FROM circling c WHERE c.top <> c.record
			AND NOT EXISTS (SELECT 1 FROM circling o WHERE o.record = c.record AND o.top < c.top)) `

// reachedBy is the best way in which round $1 reached each household, and how often.
const reachedBy = roots + `, reached (household, way, visits) AS (
		SELECT COALESCE(t.top, v.household), MIN(` + wayOf + `), COUNT(*) FROM visited v
		LEFT JOIN survivor t ON t.record = v.household WHERE v.round = $1 GROUP BY 1) `

// stands holds for a dwelling that is there on day $3, in areas $2, of tenures $4 (all if
// that is empty).
func (s *Store) stands(tenures []string) string {
	text := s.dialect.AmongNumbers("d.area", 2) + " AND d.found <= $3 AND d.left_day > $3 AND "
	if len(tenures) == 0 {
		return text + "$4 = '[]'"
	}
	return text + s.dialect.AmongTexts("d.tenure", 4)
}

// Reached implements fieldwork.RoundStore: in order of (area, way).
func (s *Store) Reached(ctx context.Context, round syncproto.RecordID, areas []area.Key, day form.Day, tenures []string) ([]fieldwork.Reach, error) {
	if len(areas) == 0 {
		return nil, nil
	}
	text := reachedBy + `SELECT d.area, COALESCE(r.way, 0), COUNT(*) FROM dwelling d
		LEFT JOIN reached r ON r.household = d.household WHERE ` + s.stands(tenures) + " GROUP BY 1, 2 ORDER BY 1, 2"
	rows, err := s.read.query(ctx, text, round[:], list(areas), int64(day), listOrEmpty(tenures))
	all, err := collect(rows, err, func(rows *sql.Rows, r *fieldwork.Reach) error { return rows.Scan(&r.Area, &r.Way, &r.N) })
	if err != nil {
		return nil, fmt.Errorf("store: how a round reached households: %w", err)
	}
	return all, nil
}

// Turned implements fieldwork.RoundStore: in order of (from, to).
func (s *Store) Turned(ctx context.Context, a, b syncproto.RecordID, areas []area.Key, day form.Day) ([]fieldwork.Turn, error) {
	if len(areas) == 0 {
		return nil, nil
	}
	text := reachedBy + `, again (household, way) AS (
		SELECT COALESCE(t.top, v.household), MIN(` + wayOf + `) FROM visited v
		LEFT JOIN survivor t ON t.record = v.household WHERE v.round = $5 GROUP BY 1)
		SELECT COALESCE(r.way, 0), COALESCE(n.way, 0), COUNT(*) FROM dwelling d
		LEFT JOIN reached r ON r.household = d.household LEFT JOIN again n ON n.household = d.household
		WHERE ` + s.stands(nil) + " GROUP BY 1, 2 ORDER BY 1, 2"
	rows, err := s.read.query(ctx, text, a[:], list(areas), int64(day), listOrEmpty(nil), b[:])
	all, err := collect(rows, err, func(rows *sql.Rows, t *fieldwork.Turn) error { return rows.Scan(&t.From, &t.To, &t.N) })
	if err != nil {
		return nil, fmt.Errorf("store: how two rounds reached households: %w", err)
	}
	return all, nil
}

// visitsTo are the visits of round $1 to the household of d, under whatever id. The two
// halves are apart so that each finds its few by key: with an OR between them, all of the
// round's visits are gone through for every household.
const visitsTo = `FROM (SELECT own.outcome FROM visited own WHERE own.round = $1 AND own.household = d.household
	UNION ALL SELECT theirs.outcome FROM survivor t JOIN visited theirs ON theirs.round = $1 AND theirs.household = t.record
	WHERE t.top = d.household) v`

// Households implements fieldwork.RoundStore. Visits are looked up household by household
// out of the index, so that a page costs what it takes to fill it.
func (s *Store) Households(ctx context.Context, want fieldwork.HouseholdsWanted) ([]fieldwork.Household, error) {
	if len(want.Areas) == 0 || want.Limit <= 0 {
		return nil, nil
	}
	text := roots + `SELECT area, household, way, visits FROM (SELECT d.area, d.household,
		COALESCE((SELECT MIN(` + wayOf + `) ` + visitsTo + `), 0) AS way, (SELECT COUNT(*) ` + visitsTo + `) AS visits
		FROM dwelling d WHERE ` + s.stands(want.Tenures) + ` AND (d.area, d.household) > ($5, $6)) found
		WHERE ` + s.dialect.AmongNumbers("way", 7) + " ORDER BY area, household LIMIT $8"
	rows, err := s.read.query(ctx, text, want.Round[:], list(want.Areas), int64(want.Day), listOrEmpty(want.Tenures),
		int64(want.After.Area), want.After.Household[:], list(want.Ways), want.Limit)
	all, err := collect(rows, err, func(rows *sql.Rows, h *fieldwork.Household) error {
		return rows.Scan(&h.Area, intoID(&h.Household), &h.Way, &h.Visits)
	})
	if err != nil {
		return nil, fmt.Errorf("store: households of a round: %w", err)
	}
	return all, nil
}

// Elsewhere implements fieldwork.RoundStore.
func (s *Store) Elsewhere(ctx context.Context, round syncproto.RecordID, areas []area.Key, day form.Day) (int, error) {
	if len(areas) == 0 {
		return 0, nil
	}
	var n int
	text := roots + `, went (household) AS (SELECT DISTINCT COALESCE(t.top, v.household) FROM visited v
		LEFT JOIN survivor t ON t.record = v.household WHERE v.round = $1 AND ` + s.dialect.AmongNumbers("v.area", 2) + `)
		SELECT COUNT(*) FROM went WHERE NOT EXISTS (SELECT 1 FROM dwelling d WHERE d.household = went.household AND ` + s.stands(nil) + ")"
	rows, err := s.read.query(ctx, text, round[:], list(areas), int64(day), listOrEmpty(nil))
	if err := one(rows, err, &n); err != nil {
		return 0, fmt.Errorf("store: households visited that are not there: %w", err)
	}
	return n, nil
}

// Referring implements fieldwork.Store.
func (s *Store) Referring(ctx context.Context, target syncproto.RecordID, kind syncproto.Kind, after syncproto.RecordID, limit int) ([]exchange.Reference, error) {
	text := referenceSelect + "WHERE r.target = $1 AND k.name = $2 AND r.record > $3 ORDER BY r.record, r.field LIMIT $4"
	rows, err := s.read.query(ctx, text, target[:], string(kind), after[:], limit)
	all, err := collect(rows, err, scanReference)
	if err != nil {
		return nil, fmt.Errorf("store: what names %s: %w", target, err)
	}
	return all, nil
}

// Before implements fieldwork.Store. Rows of the log were received in its order, so that
// halving finds the place in a few looks by key.
func (s *Store) Before(ctx context.Context, t syncproto.Instant) (syncproto.Version, error) {
	var found syncproto.Version
	err := s.read.moment(ctx, func(q querier) error {
		var low, high syncproto.Version // what is at low was received before t, what is above high was not
		rows, err := q.query(ctx, "SELECT COALESCE(MAX(seq), 0) FROM change_log")
		if err := one(rows, err, &high); err != nil {
			return err
		}
		for low < high {
			middle := low + (high-low+1)/2
			var seq syncproto.Version
			var received syncproto.Instant
			rows, err := q.query(ctx, "SELECT seq, received FROM change_log WHERE seq >= $1 ORDER BY seq LIMIT 1", int64(middle))
			err = one(rows, err, &seq, &received)
			switch {
			case errors.Is(err, sql.ErrNoRows):
				high = middle - 1
			case err != nil:
				return err
			case received < t:
				low = min(seq, high)
			default:
				high = middle - 1
			}
		}
		found = low
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("store: the log before an instant: %w", err)
	}
	return found, nil
}
