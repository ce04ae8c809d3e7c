package desk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/review"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/merge"
)

// Revisits are households to visit again, so that what was recorded can be compared
// with what is there. Nothing in the list says who is on it for a doubt and who by the
// draw: whoever goes looks at all with the same eyes, and nobody is accused.
type Revisits struct {
	Area       syncproto.AreaID `json:"area"`
	Day        string           `json:"day"`
	Households []roster.Row     `json:"households"`
}

// Bounds on a list of households to visit again.
const (
	MaxRevisits     = 100
	DefaultRevisits = 10
	// maxDrawn bounds the visits out of which is drawn. In an area with more of them
	// whole areas below it are drawn first.
	maxDrawn = 10_000
)

// Revisits draws households of an area and all below it to visit again: half of them
// with something hard to believe, half among those visited on a day. The same area and
// day bring the same list as long as nothing is recorded. It fails with code not_found
// for an area that isn't there.
func (s *Service) Revisits(ctx context.Context, id syncproto.AreaID, day form.Day, size int) (*Revisits, error) {
	snap := s.registry.Current()
	keys := keysBelow(snap.Areas, id)
	if len(keys) == 0 {
		return nil, notFound("area")
	}
	if size <= 0 {
		size = DefaultRevisits
	}
	size = min(size, MaxRevisits)
	lot := lot{seed: string(id) + " " + day.String()}
	doubted, err := s.doubted(ctx, snap, keys)
	if err != nil {
		return nil, fmt.Errorf("revisits of %s: %w", id, err)
	}
	visited, err := s.visited(ctx, snap, lot.areas(snap, id), day)
	if err != nil {
		return nil, fmt.Errorf("revisits of %s: %w", id, err)
	}
	drawn := lot.draw(doubted, visited, size)
	households, err := s.records(ctx, drawn)
	if err != nil {
		return nil, fmt.Errorf("revisits of %s: %w", id, err)
	}
	list := &Revisits{Area: id, Day: day.String(), Households: []roster.Row{}}
	for _, household := range drawn {
		if r := households[household]; r != nil {
			list.Households = append(list.Households, roster.NewRow(snap, r))
		}
	}
	return list, nil
}

// doubted returns the households about which something is hard to believe.
func (s *Service) doubted(ctx context.Context, snap *registry.Snapshot, keys []area.Key) ([]syncproto.RecordID, error) {
	items, err := s.store.Questions(ctx, keys, Want{Kind: review.Implausible}, Place{}, roster.MaxRows)
	if err != nil {
		return nil, fmt.Errorf("questions: %w", err)
	}
	var ids []syncproto.RecordID
	for i := range items {
		ids = append(ids, items[i].Record, items[i].Sample)
	}
	groups, err := s.groups(ctx, snap, unique(ids))
	if err != nil {
		return nil, err
	}
	var households []syncproto.RecordID
	for _, id := range unique(ids) {
		if g := groups[id]; g != nil {
			households = append(households, householdOf(g.form, id, g.view.Values()))
		}
	}
	return unique(households), nil
}

// visited returns the households that somebody says were visited on a day, whether or
// not anybody was at home.
func (s *Service) visited(ctx context.Context, snap *registry.Snapshot, keys []area.Key, day form.Day) ([]syncproto.RecordID, error) {
	var households []syncproto.RecordID
	for _, kind := range snap.Forms.Kinds() {
		f := snap.Forms.Newest(kind)
		if f.Sightings == nil {
			continue
		}
		err := s.each(ctx, keys, kind, maxDrawn, func(r *syncproto.Record) {
			shown := merge.Glance(f, r.Live).Values
			if form.DayOf(observed(f, nil, shown)) == day {
				households = append(households, householdOf(f, r.ID, shown))
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return unique(households), nil
}

// lot draws: whatever has the least hash with the seed comes first, so that the same
// can be drawn again.
type lot struct{ seed string }

// shuffled returns things in an order by lot, which differs from turn to turn.
func shuffled[T fmt.Stringer](l lot, turn string, things []T) []T {
	type ticket struct {
		hash  [sha256.Size]byte
		thing T
	}
	tickets := make([]ticket, len(things))
	for i, thing := range things {
		tickets[i] = ticket{sha256.Sum256([]byte(l.seed + " " + turn + " " + thing.String())), thing}
	}
	slices.SortFunc(tickets, func(a, b ticket) int { return bytes.Compare(a.hash[:], b.hash[:]) })
	out := make([]T, len(things))
	for i := range tickets {
		out[i] = tickets[i].thing
	}
	return out
}

// areas returns an area and those below it in an order by lot.
func (l lot) areas(snap *registry.Snapshot, id syncproto.AreaID) []area.Key {
	var names []areaName
	for _, n := range snap.Areas.Subtree(id) {
		names = append(names, areaName{n.Key, n.ID})
	}
	keys := make([]area.Key, 0, len(names))
	for _, n := range shuffled(l, "area", names) {
		keys = append(keys, n.key)
	}
	return keys
}

// areaName is an area that can be put into a lot.
type areaName struct {
	key area.Key
	id  syncproto.AreaID
}

func (n areaName) String() string { return string(n.id) }

// draw takes half of the list from those doubted and half from those visited, more of
// the one where there are too few of the other.
func (l lot) draw(doubted, visited []syncproto.RecordID, size int) []syncproto.RecordID {
	doubted = shuffled(l, "doubted", doubted)
	sure := min(len(doubted), size/2)
	drawn := unique(slices.Concat(doubted[:sure], shuffled(l, "visited", visited), doubted[sure:]))
	return shuffled(l, "list", drawn[:min(len(drawn), size)])
}
