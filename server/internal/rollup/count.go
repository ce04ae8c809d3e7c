// Package rollup turns records into totals that open to their rows.
//
// What a record adds is a pure function of what it shows; the counters move in
// the same transaction as the record. The package refuses to keep a number that
// it can't recompute from the log.
package rollup

import (
	"cmp"
	"context"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/merge"
)

// Count is one counter: a measure in an area on a day. As a move, N is what to
// add to it. Measure is the measure's name, which is unique among all forms.
type Count struct {
	Area    area.Key
	Day     form.Day
	Measure string
	N       int64
}

// Compare puts counts in order of (area, measure, day).
func Compare(a, b Count) int {
	return cmp.Or(cmp.Compare(a.Area, b.Area), cmp.Compare(a.Measure, b.Measure), cmp.Compare(a.Day, b.Day))
}

// Sighting says that a person was met in a round, by a visit.
type Sighting struct {
	Round  syncproto.RecordID
	Person syncproto.RecordID
	// Visit is the record that says so, Area where it belongs.
	Visit  syncproto.RecordID
	Area   area.Key
	Author syncproto.AuthorID
	At     syncproto.Instant
}

// In puts what a record adds to the measures of its form where it belongs: what counts in
// a former residence there, if there is such an area, the rest in the record's own.
func In(key area.Key, tree *area.Tree, counts []form.Count) []Count {
	out := make([]Count, len(counts))
	for i, c := range counts {
		out[i] = Count{Area: key, Day: c.Day, Measure: c.Measure, N: c.N}
		if c.Area == "" {
			continue
		}
		if former, ok := tree.Find(c.Area); ok {
			out[i].Area = former.Key
		}
	}
	return out
}

// SightingsOf returns whom a record as it stands gives evidence of having met, by the
// settings of its area.
func SightingsOf(f *form.Form, env form.Env, key area.Key, record *syncproto.Record, shown merge.Brief) []Sighting {
	round, subjects := f.Seen(shown.Values, env)
	if len(subjects) == 0 {
		return nil
	}
	author, at := witness(record, f.Sightings.Subjects)
	sightings := make([]Sighting, 0, len(subjects))
	for _, person := range subjects {
		sightings = append(sightings, Sighting{Round: round, Person: person, Visit: record.ID, Area: key, Author: author, At: at})
	}
	return sightings
}

// witness returns who made the earliest live statement about whom the record met,
// in the field named, and when.
func witness(record *syncproto.Record, field string) (syncproto.AuthorID, syncproto.Instant) {
	var first *syncproto.Part
	for i := range record.Live {
		p := &record.Live[i]
		if _, says := p.Fields[field]; says && (first == nil || p.Time < first.Time) {
			first = p
		}
	}
	if first == nil {
		return syncproto.AuthorID{}, 0
	}
	return first.Author, first.Time
}

// Store reads totals.
type Store interface {
	// Totals returns, for each of the areas given, the sum of each measure: over the
	// days up to day for the measures named standing, on day for the others.
	Totals(ctx context.Context, areas []area.Key, day form.Day, standing map[string]bool) ([]Count, error)
	// Sums returns, for each of the areas given together with all below it, the sum of each
	// measure over days: for the measures named standing over all days up to the last of
	// them. It reads one moment, and costs the same however many areas lie below and
	// however many days there are.
	Sums(ctx context.Context, areas []area.Key, days Days, standing map[string]bool) (Summed, error)
	// Daily returns, for each of the areas given together with all below it, what moved
	// each measure on each of days; for the measures named standing also, as of day 0, all
	// that moved them before. It reads one moment.
	Daily(ctx context.Context, areas []area.Key, days Days, standing map[string]bool) (Summed, error)
	// CountParked counts the parked changes by the area that they name, which needn't
	// be there, and by device, in order of both.
	CountParked(ctx context.Context) ([]Parked, error)
	// AsOf returns the version up to which everything is counted, and its instant.
	AsOf(ctx context.Context) (syncproto.Version, syncproto.Instant, error)
}

// Summed is what areas come to at one moment, by the tree with a shape.
type Summed struct {
	Shape   int64
	Version syncproto.Version
	At      syncproto.Instant
	Counts  []Count
}

// Parked says how many changes of a device that name an area are parked.
type Parked struct {
	Area   syncproto.AreaID
	Device syncproto.DeviceID
	N      int
}

// Contact is when a device was last heard of and what it then held unsent.
type Contact struct {
	Device syncproto.DeviceID
	At     syncproto.Instant
	Unsent int
	Offset syncproto.Instant
}
