package desk

import (
	"context"
	"fmt"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/merge"
)

// Bounds on what is shown around a question.
const (
	maxNeighbours = 50
	// maxLooked bounds the records of an area that are looked at for those who live in
	// a household: nothing says who does but their own records.
	maxLooked = 2000
)

// kindHousehold is the built-in kind in which people live.
const kindHousehold syncproto.Kind = "household"

// neighbours returns records that help to decide: whatever the records asked about name,
// and who else lives in the same households.
func (s *Service) neighbours(ctx context.Context, m *matter) ([]roster.Row, error) {
	var named []syncproto.RecordID
	for _, g := range m.asked {
		named = append(named, refsOf(g.form, g.view.Values())...)
	}
	if m.waiting != nil {
		fields, _ := m.waiting.Change.Values()
		named = append(named, refsOf(m.snap.Forms.Newest(m.waiting.Change.Kind), fields)...)
	}
	named = unique(named)
	named = named[:min(len(named), maxNeighbours)]
	found, err := s.groups(ctx, m.snap, named)
	if err != nil {
		return nil, fmt.Errorf("neighbours: %w", err)
	}
	near := slices.Clone(m.asked)
	var rows []roster.Row
	for _, id := range named {
		if g := found[id]; g != nil {
			near = append(near, g)
			rows = append(rows, *g.row(m.snap))
		}
	}
	living, err := s.living(ctx, m.snap, near)
	return append(rows, living[:min(len(living), maxNeighbours-len(rows))]...), err
}

// refsOf returns the records that a record names, in the order of the form.
func refsOf(f *form.Form, shown syncproto.Fields) []syncproto.RecordID {
	if f == nil {
		return nil
	}
	var ids []syncproto.RecordID
	for i := range f.Fields {
		var texts []string
		switch f.Fields[i].Type {
		case form.Ref:
			text, _ := shown[f.Fields[i].Name].Text()
			texts = []string{text}
		case form.Refs:
			texts, _ = form.Members(shown[f.Fields[i].Name])
		}
		for _, text := range texts {
			if id, err := syncproto.ParseID[syncproto.RecordID](text); err == nil {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// householdOf returns the household that a record is, or names.
func householdOf(f *form.Form, id syncproto.RecordID, shown syncproto.Fields) syncproto.RecordID {
	if f == nil || f.Kind == kindHousehold {
		return id
	}
	for i := range f.Fields {
		if f.Fields[i].Type == form.Ref && f.Fields[i].Of == kindHousehold {
			text, _ := shown[f.Fields[i].Name].Text()
			household, _ := syncproto.ParseID[syncproto.RecordID](text)
			return household
		}
	}
	return syncproto.RecordID{}
}

// living returns the people of the households among some records who are none of them.
func (s *Service) living(ctx context.Context, snap *registry.Snapshot, near []*group) ([]roster.Row, error) {
	var households, known []syncproto.RecordID
	var keys []area.Key
	for _, g := range near {
		known = append(known, g.record.ID)
		if n, ok := snap.Areas.Find(g.record.Area); ok && g.record.Kind == kindHousehold {
			keys = append(keys, n.Key)
			for _, r := range g.members() {
				households = append(households, r.ID)
			}
		}
	}
	slices.Sort(keys)
	var rows []roster.Row
	for _, key := range slices.Compact(keys) {
		err := s.each(ctx, []area.Key{key}, roster.KindPerson, maxLooked, func(r *syncproto.Record) {
			f := snap.Forms.Newest(r.Kind)
			home := householdOf(f, r.ID, merge.Glance(f, r.Live).Values)
			if slices.Contains(households, home) && !slices.Contains(known, r.ID) {
				rows = append(rows, roster.NewRow(snap, r))
			}
		})
		if err != nil {
			return nil, fmt.Errorf("who lives there: %w", err)
		}
	}
	return slices.DeleteFunc(rows, isAbsorbed), nil
}

// isAbsorbed reports whether a record turned out to be another one, and is shown there.
func isAbsorbed(row roster.Row) bool {
	_, absorbed := row.Fields[syncproto.FieldSameAs].Text()
	return absorbed
}

// each calls fn for the records of a kind in areas, in the order of the areas, for at
// most so many.
func (s *Service) each(ctx context.Context, areas []area.Key, kind syncproto.Kind, most int, fn func(*syncproto.Record)) error {
	after := roster.Place{}
	for looked := 0; looked < most; {
		page, end, err := s.store.Roster(ctx, areas, kind, after, min(roster.MaxRows, most-looked))
		if err != nil {
			return fmt.Errorf("%s records: %w", kind, err)
		}
		for i := range page {
			fn(&page[i])
		}
		if len(page) == 0 || end == after {
			return nil
		}
		looked, after = looked+len(page), end
	}
	return nil
}
