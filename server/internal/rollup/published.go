package rollup

import (
	"context"
	"fmt"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Published is the totals of an area and of the areas directly below it as anybody may
// know them. A value is null that counts fewer than Small people, and so are as many
// others as it takes that it can't be computed from what is shown, here or of any other
// area on that day. Which of the two a null is isn't said: that alone would give some away.
type Published struct {
	Area     syncproto.AreaID   `json:"area"`
	Name     string             `json:"name"`
	Day      string             `json:"day"`
	Small    int64              `json:"small"`
	Measures []PublishedMeasure `json:"measures"`
	// Children have the same measures in the same order.
	Children []PublishedChild  `json:"children,omitempty"`
	Version  syncproto.Version `json:"version"`
	At       syncproto.Instant `json:"at"`
}

// PublishedMeasure is one total.
type PublishedMeasure struct {
	Name  string         `json:"name"`
	Label syncproto.Text `json:"label"`
	Unit  form.Unit      `json:"unit"`
	Value *int64         `json:"value"`
}

// PublishedChild is as Child.
type PublishedChild struct {
	Area   syncproto.AreaID `json:"area"`
	Name   string           `json:"name"`
	Direct bool             `json:"direct,omitempty"`
	Values []*int64         `json:"values"`
}

// DefaultSmall is how many people are enough to be counted out.
const DefaultSmall = 5

// Published returns what of an area's totals on a day may be published. What is held back
// is worked out for the whole tree that the area is in: what one answer holds back no
// other gives away. It fails with code not_found for an area that isn't there.
func (s *Service) Published(ctx context.Context, id syncproto.AreaID, day form.Day, small int64) (*Published, error) {
	var path, nodes []area.Node
	var summed Summed
	snap, err := s.read(ctx, func(snap *registry.Snapshot) (_ Summed, err error) {
		if path = snap.Areas.Path(id); len(path) == 0 {
			return Summed{}, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "area"}
		}
		nodes = snap.Areas.Subtree(path[0].ID)
		_, standing := declared(snap.Forms)
		summed, err = s.store.Sums(ctx, keysOf(nodes), On(day), standing)
		return summed, err
	})
	if err != nil {
		return nil, fmt.Errorf("published totals: %w", err)
	}
	measures, _ := declared(snap.Forms)
	here := path[len(path)-1]
	p := &Published{Area: id, Name: here.Name, Day: day.String(), Small: small, Version: summed.Version, At: summed.At}
	lines, counts := linesOf(nodes), own(nodes, summed.Counts)
	at0 := lines.of[here.Key]
	below := lines.all[at0].below
	for _, i := range below {
		p.Children = append(p.Children, PublishedChild{Area: lines.all[i].node.ID, Name: lines.all[i].node.Name, Direct: lines.all[i].direct})
	}
	for _, m := range measures {
		values := lines.total(m.Name, counts)
		hidden := make([]bool, len(values))
		if m.Unit == form.People || m.Unit == form.Times {
			hidden = lines.hide(values, small)
		}
		shown := func(i int) *int64 {
			if hidden[i] {
				return nil
			}
			return &values[i]
		}
		p.Measures = append(p.Measures, PublishedMeasure{Name: m.Name, Label: m.Label, Unit: m.Unit, Value: shown(at0)})
		for n, i := range below {
			p.Children[n].Values = append(p.Children[n].Values, shown(i))
		}
	}
	return p, nil
}

// own leaves of what areas come to with all below them what is each one's alone.
func own(nodes []area.Node, counts []Count) []Count {
	byID := make(map[syncproto.AreaID]area.Key, len(nodes))
	parents := make(map[area.Key]area.Key, len(nodes))
	for _, n := range nodes {
		byID[n.ID] = n.Key
		parents[n.Key] = byID[n.Parent] // which stands before it
	}
	all := slices.Clone(counts)
	for _, c := range counts {
		if c.Area, c.N = parents[c.Area], -c.N; c.Area != 0 {
			all = append(all, c)
		}
	}
	return all
}

// line is a place of the tree that has a value: an area, or what belongs to an area that
// has others below it and to none of those.
type line struct {
	node   area.Node
	direct bool
	below  []int
}

// lines are all of a tree, each before those below it.
type lines struct {
	all []line
	of  map[area.Key]int
	// own is where what belongs to an area itself is counted.
	own map[area.Key]int
}

// linesOf lays out the areas of a tree, each parent before its children.
func linesOf(nodes []area.Node) *lines {
	l := &lines{of: make(map[area.Key]int, len(nodes)), own: make(map[area.Key]int, len(nodes))}
	byID := make(map[syncproto.AreaID]int, len(nodes))
	for _, n := range nodes {
		i := len(l.all)
		l.all = append(l.all, line{node: n})
		l.of[n.Key], l.own[n.Key], byID[n.ID] = i, i, i
		if parent, ok := byID[n.Parent]; ok {
			l.all[parent].below = append(l.all[parent].below, i)
		}
	}
	for i := range nodes {
		if len(l.all[i].below) == 0 {
			continue
		}
		l.own[nodes[i].Key] = len(l.all)
		l.all[i].below = append(l.all[i].below, len(l.all))
		l.all = append(l.all, line{node: nodes[i], direct: true})
	}
	return l
}

// total adds up a measure for every line.
func (l *lines) total(measure string, counts []Count) []int64 {
	values := make([]int64, len(l.all))
	for _, c := range counts {
		if i, ok := l.own[c.Area]; ok && c.Measure == measure {
			values[i] += c.N
		}
	}
	l.upward(func(i int) {
		for _, below := range l.all[i].below {
			values[i] += values[below]
		}
	})
	return values
}

// upward calls fn for every line that has others below it, after those.
func (l *lines) upward(fn func(int)) {
	for i := len(l.all) - 1; i >= 0; i-- {
		if len(l.all[i].below) > 0 {
			fn(i)
		}
	}
}

// hide says which values are held back. Those from 1 to below small are; then, until
// nothing can be computed any more, the smallest of those that give something away.
func (l *lines) hide(values []int64, small int64) []bool {
	hidden := make([]bool, len(values))
	for i, v := range values {
		hidden[i] = v != 0 && v < small
	}
	for again := true; again; {
		again = false
		least := l.least(values, hidden)
		l.upward(func(i int) {
			if next := l.giveaway(i, values, hidden, least); next >= 0 {
				hidden[next], again = true, true
			}
		})
	}
	return hidden
}

// least is what everybody knows of each value: it itself where it is shown; where it isn't,
// that it is 1 at least, and no less than what is known of those below it.
func (l *lines) least(values []int64, hidden []bool) []int64 {
	least := make([]int64, len(values))
	for i, v := range values {
		if least[i] = v; hidden[i] {
			least[i] = 1
		}
	}
	l.upward(func(i int) {
		if !hidden[i] {
			return
		}
		known := int64(0)
		for _, below := range l.all[i].below {
			known += least[below]
		}
		least[i] = max(known, 1)
	})
	return least
}

// giveaway returns a value that must be held back because of the values below a line; -1
// if there is none. Where the line is shown, what is held back below it must be two values
// or more that can share their sum in more than one way. Where it is held back, the sum of
// what is below it must not tell.
func (l *lines) giveaway(i int, values []int64, hidden []bool, least []int64) int {
	smallest, held := -1, 0
	known := int64(0)
	for _, below := range l.all[i].below {
		known += least[below]
		switch {
		case hidden[below]:
			held++
		case values[below] != 0 && (smallest < 0 || values[below] < values[smallest]):
			smallest = below
		}
	}
	switch {
	case hidden[i] && held > 0, !hidden[i] && (held == 0 || held > 1 && known < values[i]):
		return -1
	case smallest >= 0:
		return smallest
	case !hidden[i]:
		return i
	}
	return -1
}
