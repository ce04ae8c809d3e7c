// Package proof opens totals to the records behind them: every number is counted from rows,
// and shows them.
//
// It refuses to count by rules of its own: what a record adds is worked out as it was when
// the counters moved.
package proof

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/privacy"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Rows is a page of the records behind a number. The sum of N over all pages, together with
// Purged, is the number, if nothing is recorded meanwhile.
type Rows struct {
	Area    syncproto.AreaID `json:"area"`
	Name    string           `json:"name"`
	Measure string           `json:"measure"`
	Label   syncproto.Text   `json:"label"`
	Unit    form.Unit        `json:"unit"`
	Kind    syncproto.Kind   `json:"kind"`
	// Day is the day, or the last of several of which From is the first.
	Day  string `json:"day"`
	From string `json:"from,omitempty"`
	// Value is the number, and Purged what of it was counted from records whose content is
	// gone: of those there are no rows.
	Value  int64 `json:"value"`
	Purged int64 `json:"purged"`
	Rows   []Row `json:"rows"`
	// Next is what to give as after for the next page, which may be there though this one
	// has few rows or none; empty at the end.
	Next    string            `json:"next,omitempty"`
	Version syncproto.Version `json:"version"`
	At      syncproto.Instant `json:"at"`
}

// Row is a record that counts: as N, in the area CountedIn, which isn't its own if it
// belonged there then.
type Row struct {
	roster.Row
	N         int64            `json:"n"`
	CountedIn syncproto.AreaID `json:"counted_in"`
	// Twins are records of the same visit, which count with this one until somebody says
	// that they are others.
	Twins []syncproto.RecordID `json:"twins,omitempty"`
}

// Store reads numbers and records.
type Store interface {
	// Sums is as rollup.Store has it.
	Sums(ctx context.Context, areas []area.Key, days rollup.Days, standing map[string]bool) (rollup.Summed, error)
	// Own returns what areas themselves come to in one measure over days: an entry for each
	// that has a counter in them, be it 0.
	Own(ctx context.Context, areas []area.Key, measure string, days rollup.Days) ([]rollup.Count, error)
	// Carried returns what of Own was counted from records whose content is gone.
	Carried(ctx context.Context, areas []area.Key, measure string, days rollup.Days) ([]rollup.Count, error)
	// Roster and RecordsByID are as roster.Store has them.
	Roster(ctx context.Context, areas []area.Key, kind syncproto.Kind, after roster.Place, limit int) ([]syncproto.Record, roster.Place, error)
	RecordsByID(ctx context.Context, ids []syncproto.RecordID) ([]syncproto.Record, error)
	// Lodgers returns records that belonged to an area once, in order of ids, after one.
	Lodgers(ctx context.Context, key area.Key, after syncproto.RecordID, limit int) ([]syncproto.RecordID, error)
	// Ones returns which records turned out to be others, and which are twins of an open
	// question.
	Ones(ctx context.Context) (ones, twins []exchange.Link, err error)
	// LastBefore returns the greatest version that was given out before the first change
	// that was received at or after an instant.
	LastBefore(ctx context.Context, at syncproto.Instant) (syncproto.Version, error)
}

// Service opens totals.
type Service struct {
	store    Store
	registry *registry.Registry
}

// NewService wires the service.
func NewService(store Store, r *registry.Registry) *Service {
	return &Service{store: store, registry: r}
}

// Bounds of the work on one page.
const (
	// scanned is how many records are looked at, whether they count or not.
	scanned = 10_000
	// read is how many records, and chunk how many areas, are read at a time.
	read  = 1000
	chunk = 256
)

// Rows returns a page of the records behind the number that a measure comes to in an area
// over days: of a standing measure, what is there when the last of them ends. It fails with
// code not_found for an area or a measure that isn't there, and bad_request for a place that
// it didn't give out.
func (s *Service) Rows(ctx context.Context, id syncproto.AreaID, measure string, days rollup.Days, after string, limit int) (*Rows, error) {
	snap := s.registry.Current()
	nodes := snap.Areas.Subtree(id)
	if len(nodes) == 0 {
		return nil, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "area"}
	}
	m, kind := measureOf(snap.Forms, measure)
	if m == nil {
		return nil, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "measure"}
	}
	at, err := parsePlace(after)
	if err != nil {
		return nil, err
	}
	page := &Rows{
		Area: id, Name: nodes[0].Name, Measure: measure, Label: m.Label, Unit: m.Unit, Kind: kind, Day: days.To.String(), Rows: []Row{},
	}
	if days.From != days.To {
		page.From = days.From.String()
	}
	if m.Standing {
		days = days.Until()
	}
	w := &walk{s: s, snap: snap, measure: m, kind: kind, days: days, nodes: nodes, page: page, at: at, limit: clamp(limit), budget: scanned}
	if err := w.run(ctx); err != nil {
		return nil, fmt.Errorf("rows of %s in %s: %w", measure, id, err)
	}
	return page, nil
}

func clamp(limit int) int {
	if limit <= 0 {
		return roster.DefaultRows
	}
	return min(limit, roster.MaxRows)
}

// measureOf finds a measure by its name, with the kind whose form declares it.
func measureOf(forms form.Set, name string) (*form.Measure, syncproto.Kind) {
	for _, kind := range forms.Kinds() {
		f := forms.Newest(kind)
		if i := slices.IndexFunc(f.Measures, func(m form.Measure) bool { return m.Name == name }); i >= 0 {
			return &f.Measures[i], kind
		}
	}
	return nil, ""
}

// startOf is when a day begins; false for one that is none.
func startOf(d form.Day) (syncproto.Instant, bool) {
	at, err := time.ParseInLocation(time.DateOnly, d.String(), form.Zone)
	return syncproto.Instant(at.UnixMilli()), err == nil
}

// Disclose implements privacy.Disclosed.
func (p *Rows) Disclose(l *privacy.Lens) {
	for i := range p.Rows {
		row := &p.Rows[i]
		row.Row.Disclose(l, l.Eyes(row.Area), "")
		for _, id := range row.Twins {
			l.Saw(id, row.Area)
		}
	}
}
