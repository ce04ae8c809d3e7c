package roster

import (
	"context"
	"fmt"

	"gridsync/server/internal/area"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/merge"
)

// Diff compares two rounds: who was met in one and not in the other.
type Diff struct {
	A RoundTotal `json:"a"`
	B RoundTotal `json:"b"`
	// OnlyB are the people met in b and not in a: late finds, one page of them.
	OnlyB []Found `json:"only_b"`
	Next  string  `json:"next,omitempty"`
}

// RoundTotal says how many people were met in a round, as far as that is still known.
type RoundTotal struct {
	ID   syncproto.RecordID `json:"id"`
	Name string             `json:"name"`
	Met  int                `json:"met"`
	// Purged counts visits that are gone: whom they alone met is not among Met any more.
	Purged int `json:"purged,omitempty"`
}

// Found is one person and how the round met them first.
type Found struct {
	Person syncproto.RecordID `json:"person"`
	Name   string             `json:"name"`
	Area   syncproto.AreaID   `json:"area"`
	Flags  []string           `json:"flags,omitempty"`
	// Visit is the record that says so, Finder its author, At its corrected time.
	Visit      syncproto.RecordID `json:"visit"`
	Finder     syncproto.AuthorID `json:"finder"`
	FinderName string             `json:"finder_name,omitempty"`
	At         syncproto.Instant  `json:"at"`
}

// KindRound and KindPerson are the built-in kinds that rounds are compared by.
const (
	KindRound  syncproto.Kind = "round"
	KindPerson syncproto.Kind = "person"
)

// Diff compares rounds a and b within an area, and returns a page of the people
// met only in b, in order of their ids. It fails with code not_found when a
// round or the area isn't there.
func (s *Service) Diff(ctx context.Context, a, b syncproto.RecordID, id syncproto.AreaID, after string, limit int) (*Diff, error) {
	snap := s.registry.Current()
	var keys []area.Key
	for _, n := range snap.Areas.Subtree(id) {
		keys = append(keys, n.Key)
	}
	if len(keys) == 0 {
		return nil, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "area"}
	}
	var from syncproto.RecordID
	if after != "" {
		var err error
		if from, err = syncproto.ParseID[syncproto.RecordID](after); err != nil {
			return nil, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "after"}
		}
	}
	diff := &Diff{A: RoundTotal{ID: a}, B: RoundTotal{ID: b}}
	for _, total := range []*RoundTotal{&diff.A, &diff.B} {
		if err := s.total(ctx, snap, total, keys); err != nil {
			return nil, err
		}
	}
	limit = clampRows(limit)
	sightings, err := s.store.OnlyIn(ctx, b, a, keys, from, limit)
	if err != nil {
		return nil, fmt.Errorf("rounds %s and %s: %w", a, b, err)
	}
	if len(sightings) == limit {
		diff.Next = sightings[limit-1].Person.String()
	}
	diff.OnlyB, err = s.found(ctx, snap, sightings)
	return diff, err
}

// total fills in a round's name and how many people it met.
func (s *Service) total(ctx context.Context, snap *registry.Snapshot, total *RoundTotal, keys []area.Key) error {
	records, err := s.store.RecordsByID(ctx, []syncproto.RecordID{total.ID})
	if err != nil {
		return fmt.Errorf("round %s: %w", total.ID, err)
	}
	if len(records) == 0 || records[0].Kind != KindRound {
		return &syncproto.Error{Code: syncproto.CodeNotFound, Field: "round"}
	}
	total.Name = text(snap, &records[0], "name")
	total.Met, err = s.store.CountMet(ctx, total.ID, keys)
	if err != nil {
		return fmt.Errorf("round %s: people met: %w", total.ID, err)
	}
	if total.Purged, err = s.store.CountPurged(ctx, total.ID, keys); err != nil {
		return fmt.Errorf("round %s: %w", total.ID, err)
	}
	return nil
}

// found names the people and the finders of sightings.
func (s *Service) found(ctx context.Context, snap *registry.Snapshot, sightings []rollup.Sighting) ([]Found, error) {
	ids := make([]syncproto.RecordID, len(sightings))
	for i, seen := range sightings {
		ids[i] = seen.Person
	}
	records, err := s.store.RecordsByID(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("people of a round: %w", err)
	}
	people := make(map[syncproto.RecordID]*syncproto.Record, len(records))
	for i := range records {
		people[records[i].ID] = &records[i]
	}
	found := make([]Found, 0, len(sightings))
	for _, seen := range sightings {
		f := Found{Person: seen.Person, Visit: seen.Visit, Finder: seen.Author, At: seen.At}
		if author, ok := snap.People.Author(seen.Author); ok {
			f.FinderName = author.Name
		}
		if n, ok := snap.Areas.ByKey(seen.Area); ok {
			f.Area = n.ID
		}
		if person := people[seen.Person]; person != nil {
			f.Name = text(snap, person, "name")
			f.Flags = NewRow(snap, person).Flags
		}
		found = append(found, f)
	}
	return found, nil
}

// text returns the text that a field of a record shows.
func text(snap *registry.Snapshot, record *syncproto.Record, name string) string {
	view := merge.Show(snap.Forms.Newest(record.Kind), record.Live)
	s, _ := view.Fields[name].Value.Text()
	return s
}
