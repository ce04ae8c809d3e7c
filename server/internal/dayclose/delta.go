package dayclose

import (
	"context"
	"fmt"

	"gridsync/syncproto"
)

// delta tells what has moved since the day was signed, and what moved it. What the records
// did and what came otherwise add up to the difference, measure by measure.
func (s *Service) delta(ctx context.Context, l *looked) error {
	if l.State != Restated || l.Signed == nil {
		return nil
	}
	left := make(map[string]int64, len(l.own.drift))
	for i := range l.Figures {
		f := &l.Figures[i]
		if by := l.own.drift[f.Name]; by != 0 {
			was := l.Signed.Figures[f.Name]
			l.Delta = append(l.Delta, Moved{Name: f.Name, Label: f.Label, Signed: was, Now: was + by})
			left[f.Name] = by
		}
	}
	part := l.own.signing()
	found, err := s.store.Restatings(ctx, l.own.id, part.Version, maxRestatings)
	if err != nil {
		return fmt.Errorf("what restated it: %w", err)
	}
	l.More = len(found) == maxRestatings
	for i := range found {
		r := &found[i]
		left[r.Measure] -= r.N
		last := len(l.Changes) - 1
		if last < 0 || l.Changes[last].Record != r.Record || l.Changes[last].Version != r.Version {
			if len(l.Changes) == maxChanges {
				l.More = true
				continue
			}
			l.Changes = append(l.Changes, Change{Record: r.Record, Version: r.Version})
			last++
		}
		l.Changes[last].Moves = append(l.Changes[last].Moves, Measure{r.Measure, r.N})
	}
	if len(found) < maxRestatings {
		for i := range l.Figures {
			if n := left[l.Figures[i].Name]; n != 0 {
				l.Otherwise = append(l.Otherwise, Measure{l.Figures[i].Name, n})
			}
		}
	}
	return s.nameChanges(ctx, l)
}

// maxRestatings bounds what is read of what restated a day.
const maxRestatings = 20_000

// nameChanges says of which kind and where the records are that moved figures. What one
// moved that was purged since came otherwise.
func (s *Service) nameChanges(ctx context.Context, l *looked) error {
	if len(l.Changes) == 0 {
		return nil
	}
	ids := make([]syncproto.RecordID, len(l.Changes))
	for i := range l.Changes {
		ids[i] = l.Changes[i].Record
	}
	records, err := s.store.RecordsByID(ctx, ids)
	if err != nil {
		return fmt.Errorf("records that restated it: %w", err)
	}
	byID := make(map[syncproto.RecordID]*syncproto.Record, len(records))
	for i := range records {
		byID[records[i].ID] = &records[i]
	}
	for i := range l.Changes {
		if r := byID[l.Changes[i].Record]; r != nil {
			l.Changes[i].Kind, l.Changes[i].Area = r.Kind, r.Area
		}
	}
	return nil
}
