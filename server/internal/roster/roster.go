package roster

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/merge"
)

// Row is a record as a reader of a roster sees it.
type Row struct {
	ID      syncproto.RecordID `json:"id"`
	Kind    syncproto.Kind     `json:"kind"`
	Area    syncproto.AreaID   `json:"area"`
	Version syncproto.Version  `json:"version"`
	Fields  syncproto.Fields   `json:"fields"`
	// Disputed gives, for each field at which a person must look, every live value.
	Disputed map[string][]Claim `json:"disputed,omitempty"`
	Exit     *syncproto.Exit    `json:"exit,omitempty"`
	Flags    []string           `json:"flags,omitempty"`
	// SameAs is the record that this one turned out to be: it shows there, and counts
	// nothing here. Absorbed are the records that turned out to be this one, and are shown
	// in it.
	SameAs   *syncproto.RecordID  `json:"same_as,omitempty"`
	Absorbed []syncproto.RecordID `json:"absorbed,omitempty"`
}

// Claim is one live value of a disputed field and one who wrote it.
type Claim struct {
	Value  syncproto.Value    `json:"value"`
	Author syncproto.AuthorID `json:"author"`
	Name   string             `json:"author_name,omitempty"`
	Device syncproto.DeviceID `json:"device"`
	At     syncproto.Stamp    `json:"at"`
}

// Page is one page of a roster.
type Page struct {
	Rows []Row `json:"rows"`
	// Next is what to give as after for the next page; empty at the end.
	Next string `json:"next,omitempty"`
}

// Service lists records and compares rounds.
type Service struct {
	store    Store
	registry *registry.Registry
}

// NewService wires the service.
func NewService(store Store, r *registry.Registry) *Service {
	return &Service{store: store, registry: r}
}

// Limits on the rows of one page.
const (
	MaxRows     = 500
	DefaultRows = 100
)

// List returns a page of the records of an area and all below it: of one kind, or
// of every kind for "". after is the Next of the page before, or "". It fails
// with code not_found for an area that isn't there, and bad_request for a place
// that it didn't give out.
func (s *Service) List(ctx context.Context, id syncproto.AreaID, kind syncproto.Kind, after string, limit int) (*Page, error) {
	snap := s.registry.Current()
	nodes := snap.Areas.Subtree(id)
	if len(nodes) == 0 {
		return nil, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "area"}
	}
	place, err := parsePlace(after)
	if err != nil {
		return nil, err
	}
	limit = clampRows(limit)
	records, end, err := s.store.Roster(ctx, from(nodes, place.Area), kind, place, limit)
	if err != nil {
		return nil, fmt.Errorf("roster of %s: %w", id, err)
	}
	page := &Page{}
	if page.Rows, err = s.rows(ctx, snap, records); err != nil {
		return nil, fmt.Errorf("roster of %s: %w", id, err)
	}
	if len(records) == limit {
		page.Next = fmt.Sprintf("%d.%d", end.Area, end.Version)
	}
	return page, nil
}

// rows shows records, each together with those that turned out to be it.
func (s *Service) rows(ctx context.Context, snap *registry.Snapshot, records []syncproto.Record) ([]Row, error) {
	ids := make([]syncproto.RecordID, len(records))
	for i := range records {
		ids[i] = records[i].ID
	}
	links, err := s.store.Absorbed(ctx, ids)
	if err != nil {
		return nil, err
	}
	absorbed, err := s.absorbed(ctx, links)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, 0, len(records))
	for i := range records {
		if len(records[i].Live) > 0 { // of others everything that was said has been taken back
			rows = append(rows, NewRow(snap, &records[i], absorbed[records[i].ID]...))
		}
	}
	return rows, nil
}

// absorbed reads the records of links, by the record that each turned out to be.
func (s *Service) absorbed(ctx context.Context, links []exchange.Link) (map[syncproto.RecordID][]*syncproto.Record, error) {
	if len(links) == 0 {
		return nil, nil //nolint:nilnil // nothing was absorbed
	}
	ids := make([]syncproto.RecordID, len(links))
	for i, link := range links {
		ids[i] = link.Record
	}
	records, err := s.store.RecordsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[syncproto.RecordID]*syncproto.Record, len(records))
	for i := range records {
		byID[records[i].ID] = &records[i]
	}
	absorbed := make(map[syncproto.RecordID][]*syncproto.Record)
	for _, link := range links {
		if r := byID[link.Record]; r != nil {
			absorbed[link.Into] = append(absorbed[link.Into], r)
		}
	}
	return absorbed, nil
}

func clampRows(limit int) int {
	if limit <= 0 {
		return DefaultRows
	}
	return min(limit, MaxRows)
}

// from returns the keys of the areas from one on; of all when it isn't there.
func from(nodes []area.Node, key area.Key) []area.Key {
	keys := make([]area.Key, 0, len(nodes))
	for _, n := range nodes {
		if n.Key == key {
			keys = keys[:0]
		}
		keys = append(keys, n.Key)
	}
	return keys
}

func parsePlace(s string) (Place, error) {
	if s == "" {
		return Place{}, nil
	}
	key, version, ok := strings.Cut(s, ".")
	k, err := strconv.ParseUint(key, 10, 32)
	v, err2 := strconv.ParseInt(version, 10, 64)
	if !ok || err != nil || err2 != nil || v < 0 {
		return Place{}, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "after"}
	}
	return Place{Area: area.Key(k), Version: syncproto.Version(v)}, nil
}

// NewRow shows a record, together with those that turned out to be it. One that turned
// out to be another itself shows alone, as what it says of itself.
func NewRow(snap *registry.Snapshot, record *syncproto.Record, absorbed ...*syncproto.Record) Row {
	f := snap.Forms.Newest(record.Kind)
	view := merge.Show(f, record.Live)
	row := Row{ID: record.ID, Kind: record.Kind, Area: record.Area, Version: record.Version}
	switch {
	case !view.SameAs.IsZero() && !survives(record.ID, view.SameAs, absorbed):
		row.SameAs = &view.SameAs
	case len(absorbed) > 0:
		joined := *record
		joined.Live = merge.Join(f, record, absorbed)
		record, view = &joined, merge.Show(f, joined.Live)
		for _, other := range absorbed {
			row.Absorbed = append(row.Absorbed, other.ID)
		}
	}
	row.Fields, row.Exit, row.Flags = view.Values(), view.Exit, f.FlagsOf(view.Values(), snap.Settings.Of(view.Area))
	for _, name := range view.Disputed() {
		if row.Disputed == nil {
			row.Disputed = make(map[string][]Claim)
		}
		row.Disputed[name] = claims(snap, record, name)
	}
	return row
}

// survives reports whether a record that says it is another one survives all the same:
// the two name each other in a circle, and this is the least of them (merge.Root).
func survives(id, into syncproto.RecordID, absorbed []*syncproto.Record) bool {
	circle := false
	for _, other := range absorbed {
		if other.ID == into {
			circle = true
		}
		if other.ID.String() < id.String() {
			return false
		}
	}
	return circle
}

// claims lists every live write of a field. A disputed exit also lists, as null,
// the writes of those whom it met unseen: they say that the record is there.
func claims(snap *registry.Snapshot, record *syncproto.Record, name string) []Claim {
	var out []Claim
	for i := range record.Live {
		p := &record.Live[i]
		v, writes := p.Fields[name]
		if !writes && name == syncproto.FieldExit && meetsExit(record.Live, p) {
			v, writes = syncproto.Null, true
		}
		if !writes {
			continue
		}
		author, _ := snap.People.Author(p.Author)
		out = append(out, Claim{Value: v, Author: p.Author, Name: author.Name, Device: p.Device, At: p.Stamp})
	}
	return out
}

// meetsExit reports whether one of the live parts is an exit whose author and w's
// didn't know of each other.
func meetsExit(live []syncproto.Part, w *syncproto.Part) bool {
	return slices.ContainsFunc(live, func(e syncproto.Part) bool { return merge.ExitMeets(&e, w) })
}
