package desk

import (
	"context"
	"fmt"

	"gridsync/server/internal/registry"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/merge"
)

// group is a record together with those that turned out to be it: what people see as one.
type group struct {
	form     *form.Form
	record   *syncproto.Record
	absorbed []*syncproto.Record
	// joined is the record with the live parts of all, view what it shows.
	joined syncproto.Record
	view   merge.View
}

func newGroup(snap *registry.Snapshot, record *syncproto.Record, absorbed []*syncproto.Record) *group {
	g := &group{form: snap.Forms.Newest(record.Kind), record: record, absorbed: absorbed, joined: *record}
	if len(absorbed) > 0 {
		g.joined.Live = merge.Join(g.form, record, absorbed)
	}
	g.view = merge.Show(g.form, g.joined.Live)
	return g
}

func (g *group) row(snap *registry.Snapshot) *roster.Row {
	row := roster.NewRow(snap, &g.joined)
	return &row
}

// members are the survivor and those absorbed into it.
func (g *group) members() []*syncproto.Record {
	return append([]*syncproto.Record{g.record}, g.absorbed...)
}

// with names the absorbed records as they were shown.
func (g *group) with() []syncproto.Beside {
	var with []syncproto.Beside
	for _, r := range g.absorbed {
		with = append(with, syncproto.Beside{Record: r.ID, Version: r.Version})
	}
	return with
}

// groups reads records with what was absorbed into them. Those that don't exist are
// left out.
func (s *Service) groups(ctx context.Context, snap *registry.Snapshot, ids []syncproto.RecordID) (map[syncproto.RecordID]*group, error) {
	groups := make(map[syncproto.RecordID]*group, len(ids))
	if len(ids) == 0 {
		return groups, nil
	}
	links, err := s.store.Absorbed(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("absorbed records: %w", err)
	}
	all := append([]syncproto.RecordID{}, ids...)
	for _, l := range links {
		all = append(all, l.Record)
	}
	found, err := s.records(ctx, all)
	if err != nil {
		return nil, err
	}
	absorbed := make(map[syncproto.RecordID][]*syncproto.Record)
	for _, l := range links {
		if r := found[l.Record]; r != nil {
			absorbed[l.Into] = append(absorbed[l.Into], r)
		}
	}
	for _, id := range ids {
		if r := found[id]; r != nil {
			groups[id] = newGroup(snap, r, absorbed[id])
		}
	}
	return groups, nil
}

// records reads records by their ids, each once.
func (s *Service) records(ctx context.Context, ids []syncproto.RecordID) (map[syncproto.RecordID]*syncproto.Record, error) {
	found := make(map[syncproto.RecordID]*syncproto.Record, len(ids))
	ids = unique(ids)
	if len(ids) == 0 {
		return found, nil
	}
	records, err := s.store.RecordsByID(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	for i := range records {
		found[records[i].ID] = &records[i]
	}
	return found, nil
}

// unique returns the ids, each once, in the order in which they first come.
func unique(ids []syncproto.RecordID) []syncproto.RecordID {
	seen := make(map[syncproto.RecordID]bool, len(ids))
	out := make([]syncproto.RecordID, 0, len(ids))
	for _, id := range ids {
		if !seen[id] && !id.IsZero() {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}
