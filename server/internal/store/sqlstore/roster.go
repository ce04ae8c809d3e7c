package sqlstore

import (
	"bytes"
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
		" AND EXISTS (SELECT 1 FROM record r WHERE r.feed IN (" + fmt.Sprintf(feedsOfArea, "a.key") + "))"
	rows, err := q.query(ctx, text, list(areas))
	err = each(rows, err, func(rows *sql.Rows) error {
		var key area.Key
		err := rows.Scan(&key)
		peopled[key] = true
		return err
	})
	return peopled, err
}

const feedOfKind = `WHERE r.feed = $1 AND r.version > $2
	AND r.kind = (SELECT k.key FROM kind k WHERE k.name = $4) ORDER BY r.version LIMIT $3`

// rosterOf reads all streams of an area. Each comes in order out of its feed; asked
// for at once they would all have to be read and sorted.
func rosterOf(ctx context.Context, q querier, key area.Key, kind syncproto.Kind, after syncproto.Version, limit int) ([]syncproto.Record, error) {
	var all []syncproto.Record
	for _, feed := range feedNumbers(key) {
		text, args := feedRecords, []any{feed, int64(after), limit}
		if kind != "" {
			text, args = feedOfKind, append(args, string(kind))
		}
		rows, err := q.query(ctx, recordsWhere(q.engine(), text), args...)
		found, err := collect(rows, err, scanRecord(q))
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(a, b syncproto.Record) int { return cmp.Compare(a.Version, b.Version) })
	return all[:min(limit, len(all))], nil
}

// survivors says, of every record that turned out to be another, which one survives.
// Records in a circle are left out: each stands for itself here.
const survivors = `WITH RECURSIVE up (record, top) AS (
		SELECT record, became FROM link
		UNION SELECT up.record, link.became FROM up JOIN link ON link.record = up.top),
	survivor (record, top) AS (SELECT record, top FROM up WHERE top NOT IN (SELECT record FROM link)) `

// OnlyIn implements roster.Store. Sightings of people who stand for themselves come out
// of the index in order; those of people who turned out to be others are few, and are
// put among them.
func (s *Store) OnlyIn(ctx context.Context, a, b syncproto.RecordID, areas []area.Key, after syncproto.RecordID, limit int) ([]rollup.Sighting, error) {
	if len(areas) == 0 || limit <= 0 {
		return nil, nil
	}
	var found []rollup.Sighting
	err := s.read.moment(ctx, func(q querier) error {
		moved, err := s.absorbedSightings(ctx, q, a, b, areas, after)
		if err != nil {
			return err
		}
		found, err = s.onlyIn(ctx, q, a, b, areas, after, limit)
		found = earliest(append(found, moved...))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: only in one round: %w", err)
	}
	return found[:min(limit, len(found))], nil
}

// notMet holds for a person, as $4 names the other round, whom it met under no id.
const notMet = ` AND NOT EXISTS (SELECT 1 FROM sighting o WHERE o.round = $4 AND o.person = %[1]s)
	AND NOT EXISTS (SELECT 1 FROM survivor v JOIN sighting o ON o.round = $4 AND o.person = v.record WHERE v.top = %[1]s) `

// onlyIn returns the first sightings of those who stand for themselves.
func (s *Store) onlyIn(ctx context.Context, q querier, a, b syncproto.RecordID, areas []area.Key, after syncproto.RecordID, limit int) ([]rollup.Sighting, error) {
	var found []rollup.Sighting
	text := survivors + sightingSelect + "WHERE s.round = $1 AND s.person > $2 AND " + s.dialect.AmongNumbers("s.area", 3) +
		" AND s.person NOT IN (SELECT record FROM survivor)" + fmt.Sprintf(notMet, "s.person") + "ORDER BY s.person, s.at, s.visit"
	rows, err := q.query(ctx, text, a[:], after[:], list(areas), b[:])
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
	return found, err
}

// absorbedSightings returns all sightings of those who turned out to be others, as
// sightings of those.
func (s *Store) absorbedSightings(ctx context.Context, q querier, a, b syncproto.RecordID, areas []area.Key, after syncproto.RecordID) ([]rollup.Sighting, error) {
	text := survivors + `SELECT s.round, t.top, s.visit, s.area, a.id, s.at FROM survivor t
		JOIN sighting s ON s.round = $1 AND s.person = t.record JOIN author a ON a.key = s.author
		WHERE t.top > $2 AND ` + s.dialect.AmongNumbers("s.area", 3) + fmt.Sprintf(notMet, "t.top")
	rows, err := q.query(ctx, text, a[:], after[:], list(areas), b[:])
	return collect(rows, err, scanSighting)
}

// earliest puts sightings in order of persons and keeps the first of each.
func earliest(sightings []rollup.Sighting) []rollup.Sighting {
	slices.SortFunc(sightings, func(a, b rollup.Sighting) int {
		return cmp.Or(bytes.Compare(a.Person[:], b.Person[:]), cmp.Compare(a.At, b.At), bytes.Compare(a.Visit[:], b.Visit[:]))
	})
	return slices.CompactFunc(sightings, func(a, b rollup.Sighting) bool { return a.Person == b.Person })
}

// CountMet implements roster.Store.
func (s *Store) CountMet(ctx context.Context, round syncproto.RecordID, areas []area.Key) (int, error) {
	if len(areas) == 0 {
		return 0, nil
	}
	var n int
	text := survivors + `SELECT COUNT(DISTINCT COALESCE(t.top, s.person)) FROM sighting s
		LEFT JOIN survivor t ON t.record = s.person WHERE s.round = $1 AND ` + s.dialect.AmongNumbers("s.area", 2)
	rows, err := s.read.query(ctx, text, round[:], list(areas))
	if err := one(rows, err, &n); err != nil {
		return 0, fmt.Errorf("store: count people met: %w", err)
	}
	return n, nil
}
