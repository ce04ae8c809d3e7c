package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"gridsync/server/internal/intake"
	"gridsync/server/internal/match"
	"gridsync/syncproto"
)

var _ intake.Store = (*Store)(nil)

// standing finds who stands in ranges of one width, of which the lower ends are asked. An
// end may be asked twice in one statement, to fill it.
func standing(high string) search {
	return search{
		before: "WITH asked (low) AS (VALUES ", item: "(CAST(? AS BIGINT))",
		after: `) SELECT DISTINCT asked.low, r.id FROM asked JOIN match_key m ON m.key BETWEEN asked.low AND ` + high + `
			JOIN record r ON r.key = m.record ORDER BY asked.low, r.id`,
	}
}

var (
	standingAt = standing("asked.low")
	standingIn = standing(fmt.Sprintf("asked.low + %d", wideRange))
)

// Alike implements intake.Store.
func (s *Store) Alike(ctx context.Context, ranges []match.Range, limit int) ([][]syncproto.RecordID, error) {
	at := make(map[match.Range][]syncproto.RecordID, len(ranges))
	var exact, wide []int64
	for _, r := range ranges {
		switch r.To - r.From {
		case 0:
			exact = append(exact, keyNumber(r.From))
		case wideRange:
			wide = append(wide, keyNumber(r.From))
		default:
			return nil, fmt.Errorf("store: alike: a range of another width: %x to %x", r.From, r.To)
		}
	}
	for _, part := range []struct {
		lows   []int64
		width  match.Key
		search search
	}{{exact, 0, standingAt}, {wide, wideRange, standingIn}} {
		err := find(ctx, s.read, s.dialect, part.search, part.lows, func(low *int64) any { return *low }, nil, func(rows *sql.Rows) error {
			var low int64
			var id syncproto.RecordID
			if err := rows.Scan(&low, intoID(&id)); err != nil {
				return err
			}
			r := match.Range{From: keyOf(low), To: keyOf(low) + part.width}
			if len(at[r]) < limit {
				at[r] = append(at[r], id)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("store: alike: %w", err)
		}
	}
	blocks := make([][]syncproto.RecordID, len(ranges))
	for i, r := range ranges {
		blocks[i] = at[r]
	}
	return blocks, nil
}
