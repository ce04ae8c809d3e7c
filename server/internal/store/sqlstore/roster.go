package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
)

// Roster implements roster.Store. An area that is no longer in the list sends the
// reader back to the list's start: a record is then seen twice and never missed.
func (s *Store) Roster(ctx context.Context, areas []area.Key, kind syncproto.Kind, after roster.Place, limit int) ([]syncproto.Record, roster.Place, error) {
	if at := slices.Index(areas, after.Area); at >= 0 {
		areas = areas[at:]
	}
	var page []syncproto.Record
	end := after
	err := s.read.moment(ctx, func(q querier) error {
		peopled, err := peopledAreas(ctx, q, s.dialect, areas)
		if err != nil {
			return err
		}
		for _, key := range areas {
			if !peopled[key] || len(page) >= limit {
				continue
			}
			from := syncproto.Version(0)
			if key == after.Area {
				from = after.Version
			}
			found, err := rosterOf(ctx, q, key, kind, from, limit-len(page))
			if err != nil {
				return err
			}
			if page = append(page, found...); len(found) > 0 {
				end = roster.Place{Area: key, Version: found[len(found)-1].Version}
			}
		}
		return nil
	})
	if err != nil {
		return nil, after, fmt.Errorf("store: roster: %w", err)
	}
	return page, end, nil
}

// peopledAreas finds the areas with any records at all, so that a county's thousands
// of empty stairwells cost one question.
func peopledAreas(ctx context.Context, q querier, d Dialect, areas []area.Key) (map[area.Key]bool, error) {
	peopled := make(map[area.Key]bool)
	if len(areas) == 0 {
		return peopled, nil
	}
	text := "SELECT a.key FROM area a WHERE " + d.AmongNumbers("a.key", 1) +
		" AND EXISTS (SELECT 1 FROM record r WHERE r.feed IN (a.key * 2, a.key * 2 + 1))"
	rows, err := q.query(ctx, text, list(areas))
	err = each(rows, err, func(rows *sql.Rows) error {
		var key area.Key
		err := rows.Scan(&key)
		peopled[key] = true
		return err
	})
	return peopled, err
}

const feedOfKind = recordSelect + recordFrom + `WHERE r.feed = $1 AND r.version > $2
	AND r.kind = (SELECT k.key FROM kind k WHERE k.name = $4) ORDER BY r.version LIMIT $3`

// rosterOf reads both streams of an area. Each comes in order out of its feed; asked
// for at once they would all have to be read and sorted.
func rosterOf(ctx context.Context, q querier, key area.Key, kind syncproto.Kind, after syncproto.Version, limit int) ([]syncproto.Record, error) {
	var both []syncproto.Record
	for _, feed := range []int64{int64(key) * 2, int64(key)*2 + 1} {
		text, args := feedRecords, []any{feed, int64(after), limit}
		if kind != "" {
			text, args = feedOfKind, append(args, string(kind))
		}
		rows, err := q.query(ctx, text, args...)
		found, err := collect(rows, err, scanRecord)
		if err != nil {
			return nil, err
		}
		both = append(both, found...)
	}
	slices.SortFunc(both, func(a, b syncproto.Record) int { return cmp.Compare(a.Version, b.Version) })
	return both[:min(limit, len(both))], nil
}

// OnlyIn implements roster.Store.
func (s *Store) OnlyIn(ctx context.Context, a, b syncproto.RecordID, areas []area.Key, after syncproto.RecordID, limit int) ([]rollup.Sighting, error) {
	if len(areas) == 0 || limit <= 0 {
		return nil, nil
	}
	var found []rollup.Sighting
	text := sightingSelect + "WHERE s.round = $1 AND s.person > $2 AND " + s.dialect.AmongNumbers("s.area", 3) +
		` AND NOT EXISTS (SELECT 1 FROM sighting o WHERE o.round = $4 AND o.person = s.person)
		ORDER BY s.person, s.at, s.visit`
	rows, err := s.read.query(ctx, text, a[:], after[:], list(areas), b[:])
	err = each(rows, err, func(rows *sql.Rows) error {
		var one rollup.Sighting
		if err := scanSighting(rows, &one); err != nil {
			return err
		}
		if n := len(found); n > 0 && found[n-1].Person == one.Person {
			return nil // a later sighting of the same person
		}
		if len(found) == limit {
			return errStop
		}
		found = append(found, one)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store: only in one round: %w", err)
	}
	return found, nil
}

// CountMet implements roster.Store.
func (s *Store) CountMet(ctx context.Context, round syncproto.RecordID, areas []area.Key) (int, error) {
	if len(areas) == 0 {
		return 0, nil
	}
	var n int
	text := "SELECT COUNT(DISTINCT person) FROM sighting WHERE round = $1 AND " + s.dialect.AmongNumbers("area", 2)
	rows, err := s.read.query(ctx, text, round[:], list(areas))
	if err := one(rows, err, &n); err != nil {
		return 0, fmt.Errorf("store: count people met: %w", err)
	}
	return n, nil
}
