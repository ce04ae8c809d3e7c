package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gridsync/server/internal/dayclose"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// drift compares the figures of a signed day with what is counted now, in the order of
// the measures' names; nil for any other question.
func (s *Service) drift(ctx context.Context, m *matter) ([]Drift, error) {
	if m.item.Kind != review.Restated || len(m.asked) == 0 {
		return nil, nil
	}
	shown := m.asked[0].view.Values()
	text, _ := shown[dayclose.FieldDay].Text()
	day, _ := form.ParseDay(text)
	figures, _ := shown[dayclose.FieldFigures].Text()
	signed := make(map[string]int64)
	if err := json.Unmarshal([]byte(figures), &signed); err != nil {
		return nil, nil //nolint:nilerr // figures that were taken back, or are none, sign nothing
	}
	now, labels, err := s.totals(ctx, m.snap, m.asked[0].record.Area, day)
	if err != nil {
		return nil, fmt.Errorf("figures of %s: %w", m.item.Record, err)
	}
	drift := make([]Drift, 0, len(signed))
	for measure, n := range signed {
		drift = append(drift, Drift{Measure: measure, Label: labels[measure], Signed: n, Now: now[measure]})
	}
	slices.SortFunc(drift, func(a, b Drift) int { return strings.Compare(a.Measure, b.Measure) })
	return drift, nil
}

// totals counts every measure in an area and all below it on a day.
func (s *Service) totals(ctx context.Context, snap *registry.Snapshot, id syncproto.AreaID, day form.Day) (map[string]int64, map[string]syncproto.Text, error) {
	standing, labels := measures(snap)
	counts, err := s.store.Totals(ctx, keysBelow(snap.Areas, id), day, standing)
	if err != nil {
		return nil, nil, fmt.Errorf("totals: %w", err)
	}
	now := make(map[string]int64)
	for _, c := range counts {
		now[c.Measure] += c.N
	}
	return now, labels, nil
}

// measures are the names of all measures: which are standing, and what they are called.
func measures(snap *registry.Snapshot) (standing map[string]bool, labels map[string]syncproto.Text) {
	standing, labels = make(map[string]bool), make(map[string]syncproto.Text)
	for _, kind := range snap.Forms.Kinds() {
		for _, m := range snap.Forms.Newest(kind).Measures {
			standing[m.Name], labels[m.Name] = m.Standing, m.Label
		}
	}
	return standing, labels
}

// moved leaves out the figures that hold.
func moved(all []Drift) []Drift {
	return slices.DeleteFunc(slices.Clone(all), func(d Drift) bool { return d.Signed == d.Now })
}

// signedNow writes the figures as they are now, for the day to be signed again, with a hash
// of its own. Those who sign at the day itself also see how the areas below stand. That
// nothing happened is no longer said where something did; here nobody says it anew.
func (m *matter) signedNow(all []Drift) syncproto.Fields {
	paper, _, _ := dayclose.PaperOf(m.asked[0].record.Area, m.asked[0].view.Values())
	paper.AsOf, paper.Figures = 0, make(map[string]int64, len(all))
	for _, d := range all {
		paper.Figures[d.Measure] = d.Now
	}
	fields := paper.Fields()
	delete(fields, dayclose.FieldDay)
	if standing, _ := measures(m.snap); !paper.Nothing(standing) {
		fields[dayclose.FieldZero] = syncproto.ValueOf(false)
	}
	return fields
}
