package rollup

import (
	"context"
	"errors"
	"fmt"

	"gridsync/server/internal/area"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Summary is the totals of an area and of the areas directly below it.
type Summary struct {
	Area     syncproto.AreaID `json:"area"`
	Name     string           `json:"name"`
	Day      string           `json:"day"`
	Measures []Measure        `json:"measures"`
	// Children have the same measures in the same order.
	Children  []Child   `json:"children,omitempty"`
	Watermark Watermark `json:"watermark"`
}

// Measure is one total.
type Measure struct {
	Name  string         `json:"name"`
	Label syncproto.Text `json:"label"`
	Unit  form.Unit      `json:"unit"`
	Kind  syncproto.Kind `json:"kind"`
	Value int64          `json:"value"`
}

// Child is the totals of an area below, in the order of the summary's measures.
// Direct is true for the line of the area itself: what belongs to it and to none
// below it.
type Child struct {
	Area   syncproto.AreaID `json:"area"`
	Name   string           `json:"name"`
	Direct bool             `json:"direct,omitempty"`
	Values []int64          `json:"values"`
}

// Watermark says how fresh and how complete the totals are.
type Watermark struct {
	// Version is the last change that is counted, At its instant.
	Version syncproto.Version `json:"version"`
	At      syncproto.Instant `json:"at"`
	// Expected counts the volunteers' devices that report for the area, Heard those
	// that made contact on the day.
	Expected int `json:"devices_expected"`
	Heard    int `json:"devices_heard"`
	// Missing names those that did not, at most 100 of them.
	Missing []string `json:"devices_missing,omitempty"`
	// Unsent is how many changes those devices said, at their last contact, they
	// still held.
	Unsent int `json:"unsent"`
	// Disputes and Parked count the open questions and the changes that wait.
	Disputes int `json:"disputes"`
	Parked   int `json:"parked"`
}

// Disputes counts open review items.
type Disputes interface {
	CountOpen(ctx context.Context, areas []area.Key) (int, error)
}

// Service answers with totals.
type Service struct {
	store    Store
	disputes Disputes
	registry *registry.Registry
}

// NewService wires the service.
func NewService(store Store, disputes Disputes, r *registry.Registry) *Service {
	return &Service{store: store, disputes: disputes, registry: r}
}

// maxMissing bounds the list of devices that were not heard of.
const maxMissing = 100

// Summary returns the totals of an area for a day. It fails with code not_found
// for an area that isn't there.
func (s *Service) Summary(ctx context.Context, id syncproto.AreaID, day form.Day, now syncproto.Instant) (*Summary, error) {
	snap := s.registry.Current()
	nodes := snap.Areas.Subtree(id)
	if len(nodes) == 0 {
		return nil, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "area"}
	}
	// The watermark is read first: what commits between the two reads is then in the
	// totals without being claimed.
	version, at, err := s.store.AsOf(ctx)
	if err != nil {
		return nil, fmt.Errorf("summary: as of: %w", err)
	}
	measures, standing := declared(snap.Forms)
	counts, err := s.store.Totals(ctx, keysOf(nodes), day, standing)
	if err != nil {
		return nil, fmt.Errorf("summary: totals: %w", err)
	}
	sum := &Summary{
		Area: id, Name: nodes[0].Name, Day: day.String(), Measures: measures,
		Watermark: Watermark{Version: version, At: at},
	}
	sum.add(snap.Areas, counts)
	return sum, s.watermark(ctx, snap, sum, nodes, day, now)
}

// declared lists the measures of all forms in the order of kinds, and which of
// them are standing.
func declared(forms form.Set) ([]Measure, map[string]bool) {
	var measures []Measure
	standing := make(map[string]bool)
	for _, kind := range forms.Kinds() {
		for _, m := range forms.Newest(kind).Measures {
			measures = append(measures, Measure{Name: m.Name, Label: m.Label, Unit: m.Unit, Kind: kind})
			standing[m.Name] = m.Standing
		}
	}
	return measures, standing
}

// add puts the counters of the subtree into the total and under the child that
// each belongs to.
func (sum *Summary) add(tree *area.Tree, counts []Count) {
	column := make(map[string]int, len(sum.Measures))
	for i, m := range sum.Measures {
		column[m.Name] = i
	}
	children := tree.Children(sum.Area)
	lineOf := make(map[area.Key]int)
	for _, child := range children {
		for _, n := range tree.Subtree(child.ID) {
			lineOf[n.Key] = len(sum.Children)
		}
		sum.Children = append(sum.Children, Child{Area: child.ID, Name: child.Name, Values: make([]int64, len(sum.Measures))})
	}
	direct := Child{Area: sum.Area, Name: sum.Name, Direct: true, Values: make([]int64, len(sum.Measures))}
	used := false
	for _, c := range counts {
		i, known := column[c.Measure]
		if !known || c.N == 0 {
			continue
		}
		sum.Measures[i].Value += c.N
		if line, below := lineOf[c.Area]; below {
			sum.Children[line].Values[i] += c.N
			continue
		}
		direct.Values[i] += c.N
		used = true
	}
	if used && len(children) > 0 {
		sum.Children = append(sum.Children, direct)
	}
}

func (s *Service) watermark(ctx context.Context, snap *registry.Snapshot, sum *Summary, nodes []area.Node, day form.Day, now syncproto.Instant) error {
	devices := snap.People.Devices(snap.Areas, sum.Area, now)
	ids := make([]syncproto.DeviceID, len(devices))
	for i, d := range devices {
		ids[i] = d.ID
	}
	contacts, err := s.store.Contacts(ctx, ids)
	if err != nil {
		return fmt.Errorf("summary: contacts: %w", err)
	}
	w := &sum.Watermark
	heard := make(map[syncproto.DeviceID]bool, len(contacts))
	for _, c := range contacts {
		w.Unsent += c.Unsent
		heard[c.Device] = form.DayOf(c.At) == day
	}
	w.Expected = len(devices)
	for _, d := range devices {
		switch {
		case heard[d.ID]:
			w.Heard++
		case len(w.Missing) < maxMissing:
			w.Missing = append(w.Missing, d.Name)
		}
	}
	disputes, err := s.disputes.CountOpen(ctx, keysOf(nodes))
	parked, err2 := s.store.CountParked(ctx)
	if err := errors.Join(err, err2); err != nil {
		return fmt.Errorf("summary: open questions: %w", err)
	}
	w.Disputes, w.Parked = disputes, waiting(snap, sum.Area, parked)
	return nil
}

// waiting counts the changes that wait in an area and below it. One that names an
// area which nobody has made yet waits where the people of its device have or had
// their posts, as somebody there can say what is meant.
func waiting(snap *registry.Snapshot, root syncproto.AreaID, parked []Parked) int {
	n := 0
	for _, p := range parked {
		here := snap.Areas.Within(p.Area, root)
		if _, known := snap.Areas.Find(p.Area); !known {
			here = snap.People.Posted(snap.Areas, p.Device, root)
		}
		if here {
			n += p.N
		}
	}
	return n
}

func keysOf(nodes []area.Node) []area.Key {
	keys := make([]area.Key, len(nodes))
	for i, n := range nodes {
		keys[i] = n.Key
	}
	return keys
}
