package roster

import (
	"context"
	"fmt"

	"gridsync/syncproto"
)

// Shown returns the records that exist, in order of the ids, each together with those that
// turned out to be it.
func (s *Service) Shown(ctx context.Context, ids []syncproto.RecordID) ([]Row, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	records, err := s.store.RecordsByID(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	byID := make(map[syncproto.RecordID]syncproto.Record, len(records))
	for i := range records {
		byID[records[i].ID] = records[i]
	}
	ordered := make([]syncproto.Record, 0, len(records))
	for _, id := range ids {
		if r, there := byID[id]; there {
			ordered = append(ordered, r)
			delete(byID, id)
		}
	}
	rows, err := s.rows(ctx, s.registry.Current(), ordered)
	if err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	return rows, nil
}
