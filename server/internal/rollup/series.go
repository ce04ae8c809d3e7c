package rollup

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gridsync/server/internal/area"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Series is how measures went day by day: small curves side by side.
type Series struct {
	Area syncproto.AreaID `json:"area"`
	Name string           `json:"name"`
	// Days are the days of all curves, each once, in order.
	Days    []string          `json:"days"`
	Curves  []Curve           `json:"curves"`
	Version syncproto.Version `json:"version"`
	At      syncproto.Instant `json:"at"`
}

// Curve is one measure of one area, with all that lies below it.
type Curve struct {
	Area    syncproto.AreaID `json:"area"`
	Name    string           `json:"name"`
	Measure string           `json:"measure"`
	Label   syncproto.Text   `json:"label"`
	Unit    form.Unit        `json:"unit"`
	// Values has one for each day: what stands when it ends, or what happened on it.
	Values []int64 `json:"values"`
}

// Bounds of what one answer holds.
const (
	MaxDays   = 400
	maxPoints = 100_000
)

// Series returns how measures of an area, and of those directly below it if children is
// set, went over days; all measures that there are if none are named. It fails with code
// not_found for an area that isn't there, and bad_request for a measure that isn't, and for
// more than one answer holds.
func (s *Service) Series(ctx context.Context, id syncproto.AreaID, names []string, days Days, children bool) (*Series, error) {
	listed := days.list()
	if len(listed) == 0 || len(listed) > MaxDays {
		return nil, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "from", Detail: fmt.Sprintf("1 to %d days", MaxDays)}
	}
	var out *Series
	_, err := s.read(ctx, func(snap *registry.Snapshot) (Summed, error) {
		here, there := snap.Areas.Find(id)
		if !there {
			return Summed{}, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "area"}
		}
		measures, standing, err := wanted(snap.Forms, names)
		if err != nil {
			return Summed{}, err
		}
		nodes := []area.Node{here}
		if children {
			nodes = append(nodes, snap.Areas.Children(id)...)
		}
		if len(nodes)*len(measures)*len(listed) > maxPoints {
			return Summed{}, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "measure", Detail: "too many curves for so many days"}
		}
		summed, err := s.store.Daily(ctx, keysOf(nodes), days, standing)
		out = &Series{Area: id, Name: here.Name, Version: summed.Version, At: summed.At}
		out.draw(nodes, measures, listed, summed.Counts)
		return summed, err
	})
	if err != nil {
		return nil, fmt.Errorf("series: %w", err)
	}
	return out, nil
}

// wanted returns the measures named, and which of them are standing.
func wanted(forms form.Set, names []string) ([]Measure, map[string]bool, error) {
	all, standing := declared(forms)
	if len(names) == 0 {
		return all, standing, nil
	}
	for _, name := range names {
		if _, there := standing[name]; !there {
			return nil, nil, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "measure", Detail: "no such measure"}
		}
	}
	all = slices.DeleteFunc(all, func(m Measure) bool { return !slices.Contains(names, m.Name) })
	for name := range standing {
		if !slices.Contains(names, name) {
			delete(standing, name)
		}
	}
	return all, standing, nil
}

// draw makes the curves: what moved on each day, and for what stands all that moved before.
func (s *Series) draw(nodes []area.Node, measures []Measure, days []form.Day, counts []Count) {
	for _, day := range days {
		s.Days = append(s.Days, day.String())
	}
	moves := make(map[Count]int64, len(counts))
	for _, c := range counts {
		n := c.N
		c.N = 0
		moves[c] += n
	}
	for _, m := range measures {
		for _, n := range nodes {
			curve := Curve{Area: n.ID, Name: n.Name, Measure: m.Name, Label: m.Label, Unit: m.Unit, Values: make([]int64, len(days))}
			stands := moves[Count{Area: n.Key, Measure: m.Name}]
			for i, day := range days {
				curve.Values[i] = moves[Count{Area: n.Key, Measure: m.Name, Day: day}]
				if m.Standing {
					stands += curve.Values[i]
					curve.Values[i] = stands
				}
			}
			s.Curves = append(s.Curves, curve)
		}
	}
}

// list names the days, one by one; none if either end is no day, or there are too many to
// be told.
func (d Days) list() []form.Day {
	first, err := time.Parse(time.DateOnly, d.From.String())
	last, err2 := time.Parse(time.DateOnly, d.To.String())
	if err != nil || err2 != nil {
		return nil
	}
	var days []form.Day
	for at := first; !at.After(last) && len(days) <= MaxDays; at = at.AddDate(0, 0, 1) {
		days = append(days, form.Day(at.Year()*10000+int(at.Month())*100+at.Day()))
	}
	return days
}
