package rollup

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Summary is the totals of an area and of the areas directly below it.
type Summary struct {
	Area syncproto.AreaID `json:"area"`
	Name string           `json:"name"`
	// Day is the day that is summed up, or the last of several of which From is the first.
	Day      string    `json:"day"`
	From     string    `json:"from,omitempty"`
	Measures []Measure `json:"measures"`
	Ratios   []Ratio   `json:"ratios,omitempty"`
	// Children have the same measures and ratios in the same order.
	Children  []Child   `json:"children,omitempty"`
	Watermark Watermark `json:"watermark"`
}

// Measure is one total. Measures of different units are never added up.
type Measure struct {
	Name  string         `json:"name"`
	Label syncproto.Text `json:"label"`
	Unit  form.Unit      `json:"unit"`
	Kind  syncproto.Kind `json:"kind"`
	// Standing measures say what is there when the last day ends, the others what happened
	// on the days asked for.
	Standing bool  `json:"standing,omitempty"`
	Value    int64 `json:"value"`
}

// Ratio is a share of one measure in another.
type Ratio struct {
	Name  string         `json:"name"`
	Label syncproto.Text `json:"label"`
	Kind  syncproto.Kind `json:"kind"`
	Of    string         `json:"of"`
	Per   string         `json:"per"`
	// Share is in percent, to the nearest tenth; null where there is nothing to have a share
	// of.
	Share *float64 `json:"share"`
}

// ShareOf computes a share, as Ratio has it: nobody types a percentage.
func ShareOf(of, per int64) *float64 {
	if per == 0 {
		return nil
	}
	share := math.Round(float64(of)/float64(per)*1000) / 10
	return &share
}

// Child is the totals of an area below, in the order of the summary's measures.
// Direct is true for the line of the area itself: what belongs to it and to none
// below it.
type Child struct {
	Area   syncproto.AreaID `json:"area"`
	Name   string           `json:"name"`
	Direct bool             `json:"direct,omitempty"`
	Values []int64          `json:"values"`
	Shares []*float64       `json:"shares,omitempty"`
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

// Exchange moves the sums, and knows of phones what nobody need look up.
type Exchange interface {
	// RegistryChanged returns when the sums follow the registry's newest tree of areas, or
	// a newer one.
	RegistryChanged(ctx context.Context) error
	// Contacts returns the last contacts of devices in the order asked for, without devices
	// that were never heard of.
	Contacts(ctx context.Context, devices []syncproto.DeviceID) ([]Contact, error)
	// Waiting counts the parked changes.
	Waiting() int
}

// Service answers with totals.
type Service struct {
	store    Store
	disputes Disputes
	registry *registry.Registry
	exchange Exchange
	vicinity vicinity
}

// NewService wires the service.
func NewService(store Store, disputes Disputes, r *registry.Registry, x Exchange) *Service {
	return &Service{store: store, disputes: disputes, registry: r, exchange: x}
}

// maxMissing bounds the list of devices that were not heard of.
const maxMissing = 100

// Summary returns the totals of an area over days. It fails with code not_found
// for an area that isn't there.
func (s *Service) Summary(ctx context.Context, id syncproto.AreaID, days Days, now syncproto.Instant) (*Summary, error) {
	var sum *Summary
	snap, err := s.read(ctx, func(snap *registry.Snapshot) (Summed, error) {
		here, there := snap.Areas.Find(id)
		if !there {
			return Summed{}, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "area"}
		}
		measures, standing := declared(snap.Forms)
		summed, err := s.store.Sums(ctx, append(keysOf(snap.Areas.Children(id)), here.Key), days, standing)
		sum = &Summary{
			Area: id, Name: here.Name, Day: days.To.String(), Measures: measures,
			Watermark: Watermark{Version: summed.Version, At: summed.At},
		}
		sum.add(snap.Areas, summed.Counts)
		return summed, err
	})
	if err != nil {
		return nil, fmt.Errorf("summary: %w", err)
	}
	if days.From != days.To {
		sum.From = days.From.String()
	}
	sum.share(snap.Forms)
	return sum, s.watermark(ctx, snap, sum, days.To, now)
}

// replants bounds how often a reader waits for the sums to follow the areas: they change
// once in a while, not all the time.
const replants = 5

// read calls ask, which reads sums by a snapshot, until they follow the very areas that the
// snapshot has: right after areas were moved there are a few moments in which they don't.
func (s *Service) read(ctx context.Context, ask func(*registry.Snapshot) (Summed, error)) (*registry.Snapshot, error) {
	for range replants {
		snap := s.registry.Current()
		summed, err := ask(snap)
		if err != nil || summed.Shape == snap.Areas.Shape() {
			return snap, err
		}
		if err := s.exchange.RegistryChanged(ctx); err != nil {
			return nil, fmt.Errorf("wait for the sums: %w", err)
		}
	}
	return nil, &syncproto.Error{Code: syncproto.CodeBusy}
}

// declared lists the measures of all forms in the order of kinds, and which of
// them are standing.
func declared(forms form.Set) ([]Measure, map[string]bool) {
	var measures []Measure
	standing := make(map[string]bool)
	for _, kind := range forms.Kinds() {
		for _, m := range forms.Newest(kind).Measures {
			measures = append(measures, Measure{Name: m.Name, Label: m.Label, Unit: m.Unit, Kind: kind, Standing: m.Standing})
			standing[m.Name] = m.Standing
		}
	}
	return measures, standing
}

// add puts sums into the total and into the line of the area below that each is of. What
// no line has is the area's own.
func (sum *Summary) add(tree *area.Tree, counts []Count) {
	column := make(map[string]int, len(sum.Measures))
	for i, m := range sum.Measures {
		column[m.Name] = i
	}
	lineOf := make(map[area.Key]int)
	for _, child := range tree.Children(sum.Area) {
		lineOf[child.Key] = len(sum.Children)
		sum.Children = append(sum.Children, Child{Area: child.ID, Name: child.Name, Values: make([]int64, len(sum.Measures))})
	}
	direct := Child{Area: sum.Area, Name: sum.Name, Direct: true, Values: make([]int64, len(sum.Measures))}
	for _, c := range counts {
		i, known := column[c.Measure]
		if !known {
			continue
		}
		if line, below := lineOf[c.Area]; below {
			sum.Children[line].Values[i] += c.N
			direct.Values[i] -= c.N
			continue
		}
		sum.Measures[i].Value += c.N
		direct.Values[i] += c.N
	}
	own := slices.ContainsFunc(direct.Values, func(n int64) bool { return n != 0 })
	if own && len(sum.Children) > 0 {
		sum.Children = append(sum.Children, direct)
	}
}

// share computes the ratios of all forms, of which both measures are there.
func (sum *Summary) share(forms form.Set) {
	column := make(map[string]int, len(sum.Measures))
	for i, m := range sum.Measures {
		column[m.Name] = i
	}
	for _, kind := range forms.Kinds() {
		for _, r := range forms.Newest(kind).Ratios {
			of, known := column[r.Of]
			per, known2 := column[r.Per]
			if !known || !known2 {
				continue
			}
			sum.Ratios = append(sum.Ratios, Ratio{
				Name: r.Name, Label: r.Label, Kind: kind, Of: r.Of, Per: r.Per,
				Share: ShareOf(sum.Measures[of].Value, sum.Measures[per].Value),
			})
			for i := range sum.Children {
				child := &sum.Children[i]
				child.Shares = append(child.Shares, ShareOf(child.Values[of], child.Values[per]))
			}
		}
	}
}

func keysOf(nodes []area.Node) []area.Key {
	keys := make([]area.Key, len(nodes))
	for i, n := range nodes {
		keys[i] = n.Key
	}
	return keys
}
