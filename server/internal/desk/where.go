package desk

import (
	"context"
	"fmt"
	"slices"

	"gridsync/syncproto"
)

// Whereabouts is where a record stands, and ever was said to be, and since when it is
// known.
type Whereabouts struct {
	// Stands is empty for a record that isn't there: of which all waits, or that was purged.
	Stands syncproto.AreaID
	// Areas are all of them, the one where it stands first.
	Areas []syncproto.AreaID
	Since syncproto.Instant
}

// Where finds a record. It fails with code not_found where nothing was ever said.
func (s *Service) Where(ctx context.Context, record syncproto.RecordID) (Whereabouts, error) {
	ids := []syncproto.RecordID{record}
	standing, err := s.records(ctx, ids)
	if err != nil {
		return Whereabouts{}, fmt.Errorf("whereabouts of %s: %w", record, err)
	}
	log, err := s.store.LogOf(ctx, ids)
	if err != nil {
		return Whereabouts{}, fmt.Errorf("whereabouts of %s: %w", record, err)
	}
	if len(log) == 0 {
		return Whereabouts{}, notFound("record")
	}
	w := Whereabouts{Since: log[0].Received}
	add := func(id syncproto.AreaID) {
		if id != "" && !slices.Contains(w.Areas, id) {
			w.Areas = append(w.Areas, id)
		}
	}
	if r := standing[record]; r != nil {
		w.Stands = r.Area
		add(r.Area)
	}
	for i := range log {
		if a := log[i].Admitted; a != nil {
			add(a.Area)
		}
		if log[i].Version != 0 {
			add(log[i].Change.Area)
		}
	}
	if len(w.Areas) == 0 {
		add(log[0].Change.Area) // all of it waits
	}
	return w, nil
}
