package sqlstore

import (
	"database/sql"
	"fmt"

	"gridsync/syncproto"
)

// counties are the areas whose rows of the log lie apart, and in which of them places are.
// Both are as of a revision.
type counties struct {
	revision int64
	read     bool
	some     bool
	of       map[syncproto.AreaID]int64
}

func (c *counties) forget() { *c = counties{} }

// asOf forgets what may have changed since.
func (c *counties) asOf(revision int64) {
	if c.revision != revision {
		*c = counties{revision: revision}
	}
}

// countyOf is the county of a row, which must have been learnt; 0 for none. What waits has
// none: rows that may still change are all in one place.
func (t *tx) countyOf(place syncproto.AreaID, waits bool) int64 {
	if waits {
		return 0
	}
	return t.s.keys.counties.of[place]
}

// areasAbove walks up the tree, from the top down as it tells it. A tree that bites its own
// tail is left in the end.
var areasAbove = search{
	before: `WITH RECURSIVE up (code, key, parent, steps) AS (
		SELECT a.code, a.key, a.parent, CAST(0 AS BIGINT) FROM area a WHERE a.code IN (`,
	item: "?",
	after: `) UNION ALL SELECT up.code, a.key, a.parent, up.steps + 1 FROM up JOIN area a ON a.code = up.parent WHERE up.steps < 50)
		SELECT up.code, c.area FROM up JOIN county c ON c.area = up.key ORDER BY up.steps DESC`,
}

// learnCounties finds out in which counties places are.
func (t *tx) learnCounties(places []string) error {
	c := &t.s.keys.counties
	if !c.read {
		var n int64
		rows, err := t.w.query(t.ctx, "SELECT COUNT(*) FROM county")
		if err := one(rows, err, &n); err != nil {
			return fmt.Errorf("counties: %w", err)
		}
		c.read, c.some, c.of = true, n > 0, make(map[syncproto.AreaID]int64)
	}
	if !c.some {
		return nil
	}
	var missing []string
	for _, place := range places {
		if _, ok := c.of[syncproto.AreaID(place)]; !ok {
			c.of[syncproto.AreaID(place)] = 0
			missing = append(missing, place)
		}
	}
	arg := func(code *string) any { return *code }
	err := find(t.ctx, t.w, t.s.dialect, areasAbove, missing, arg, nil, func(rows *sql.Rows) error {
		var code string
		var county int64
		err := rows.Scan(&code, &county)
		c.of[syncproto.AreaID(code)] = county
		return err
	})
	if err != nil {
		return fmt.Errorf("counties of places: %w", err)
	}
	return nil
}
