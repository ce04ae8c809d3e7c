package exchange

import (
	"cmp"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
)

// Reference says that a record names another one in an indexed field: a read receipt its
// notice, a task its list. Targets are kept as they were named, whatever they turned out
// to be.
type Reference struct {
	Target syncproto.RecordID
	Kind   syncproto.Kind
	Field  string
	// Record names the target; Area is where it belongs.
	Record syncproto.RecordID
	Area   area.Key
}

// Traces are what records leave to be found by: which households a round reached, which
// households there are to reach, and which records name which.
type Traces struct {
	Visited    []rollup.Visited
	Dwellings  []rollup.Dwelling
	References []Reference
}

// traces returns what a record leaves by itself.
func (d *delta) traces(s *seen) Traces {
	var t Traces
	f := d.snap.Forms.Newest(s.record.Kind)
	if f == nil {
		return t
	}
	n, _ := d.snap.Areas.Find(s.record.Area)
	if visited, ok := rollup.VisitedBy(f, n.Key, s.record, s.shown.Brief); ok {
		t.Visited = append(t.Visited, visited)
	}
	for i := range f.Fields {
		field := &f.Fields[i]
		if !field.Indexed {
			continue
		}
		for _, target := range targetsOf(s.shown.Values[field.Name]) {
			t.References = append(t.References, Reference{Target: target, Kind: s.record.Kind, Field: field.Name, Record: s.record.ID, Area: n.Key})
		}
	}
	return t
}

// targetsOf returns the records that a ref or refs field names, each once.
func targetsOf(v syncproto.Value) []syncproto.RecordID {
	names, many := v.Texts()
	if one, ok := v.Text(); ok && !many {
		names = []string{one}
	}
	var ids []syncproto.RecordID
	for _, name := range names {
		if id, err := syncproto.ParseID[syncproto.RecordID](name); err == nil && !id.IsZero() && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// trace notes what a record leaves now in place of what it left; was is nil for a new one.
func (d *delta) trace(was, now *seen) {
	var before Traces
	if was != nil {
		before = d.traces(was)
	}
	after := d.traces(now)
	b := &d.batch
	b.Untraced.Visited = append(b.Untraced.Visited, minus(before.Visited, after.Visited)...)
	b.Traced.Visited = append(b.Traced.Visited, minus(after.Visited, before.Visited)...)
	b.Untraced.References = append(b.Untraced.References, minus(before.References, after.References)...)
	b.Traced.References = append(b.Traced.References, minus(after.References, before.References)...)
}

// untrace takes away everything that a record left, whether or not others stand with it.
func (d *delta) untrace(was *seen) {
	gone := d.traces(was)
	b := &d.batch
	b.Untraced.Visited = append(b.Untraced.Visited, gone.Visited...)
	b.Untraced.References = append(b.Untraced.References, gone.References...)
	if was.record.Kind == rollup.KindHousehold {
		b.Untraced.Dwellings = append(b.Untraced.Dwellings, rollup.Dwelling{Household: was.record.ID})
	}
}

// dwell adds a household or takes it away, as counters are added to: households that are
// one stand once.
func (d *delta) dwell(dwelling rollup.Dwelling, ok bool) func(sign int) {
	return func(sign int) {
		if ok {
			d.dwellings[dwelling] += sign
		}
	}
}

// dwell adds the households as the group leaves them, and takes away those before it.
func (g *group) dwell(d *delta) {
	before, after := g.before(), g.after()
	together := g.together()
	for _, w := range g.order {
		if w.applied == 0 || w.now.Kind != rollup.KindHousehold || slices.Contains(together, w.id) {
			continue
		}
		if was := w.past(g.snap); was != nil {
			d.dwell(before.dwellingOf(was))(-1)
		}
		d.dwell(after.dwellingOf(w.present(g.snap)))(1)
	}
	d.dwellTogether(before, together, -1)
	d.dwellTogether(after, together, 1)
}

// dwellTogether adds the households among records that count together, each group once.
func (d *delta) dwellTogether(w *world, ids []syncproto.RecordID, sign int) {
	done := make(map[syncproto.RecordID]bool)
	for _, id := range ids {
		if all := w.links.counted(id); !done[all[0]] {
			done[all[0]] = true
			d.dwell(w.dwelling(id))(sign)
		}
	}
}

// dwellingOf returns a household that stands for itself.
func (w *world) dwellingOf(s *seen) (rollup.Dwelling, bool) {
	return rollup.DwellingOf(w.snap.Forms.Newest(s.record.Kind), w.keyOf(s.record.Area), s.record, s.shown.Brief)
}

// dwelling returns the household that stands for those that count with id.
func (w *world) dwelling(id syncproto.RecordID) (rollup.Dwelling, bool) {
	members := standing(w.members(w.links.counted(id)))
	if len(members) == 0 || members[0].record.Kind != rollup.KindHousehold {
		return rollup.Dwelling{}, false
	}
	return w.dwellingOf(&seen{record: members[0].record, shown: w.join(members)})
}

// traced writes the traces into a group's batch.
func (d *delta) traced(b *Batch) {
	b.Traced, b.Untraced = d.batch.Traced, d.batch.Untraced
	for dwelling, n := range d.dwellings {
		switch {
		case n > 0:
			b.Traced.Dwellings = append(b.Traced.Dwellings, dwelling)
		case n < 0:
			b.Untraced.Dwellings = append(b.Untraced.Dwellings, dwelling)
		}
	}
	for _, all := range [][]rollup.Dwelling{b.Traced.Dwellings, b.Untraced.Dwellings} {
		slices.SortFunc(all, func(x, y rollup.Dwelling) int { return cmp.Compare(x.Household.String(), y.Household.String()) })
	}
}

// compareTraces holds what records leave against what is stored.
func (r *rebuilder) compareTraces(want, stored Traces) {
	compareSets(r.diff, "visit of a household", want.Visited, stored.Visited, func(v rollup.Visited) string {
		return v.Household.String() + " in round " + v.Round.String() + " by visit " + v.Visit.String()
	})
	compareSets(r.diff, "household to reach", want.Dwellings, stored.Dwellings, func(d rollup.Dwelling) string {
		return d.Household.String()
	})
	compareSets(r.diff, "reference", want.References, stored.References, func(x Reference) string {
		return "of " + string(x.Kind) + " " + x.Record.String() + " to " + x.Target.String() + " as its " + x.Field
	})
}
