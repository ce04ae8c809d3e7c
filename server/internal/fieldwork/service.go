package fieldwork

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"gridsync/server/internal/area"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// The built-in kinds that field work consists of.
const (
	KindNotice      syncproto.Kind = "notice"
	KindNoticeRead                 = syncproto.KindNoticeRead
	KindObservation syncproto.Kind = "observation"
	KindBreach      syncproto.Kind = "breach"
	KindTemperature syncproto.Kind = "temperature"
	KindTask        syncproto.Kind = "task"
	KindLead        syncproto.Kind = "lead"
	KindSupply      syncproto.Kind = "supply"
)

// Service tells how field work stands.
type Service struct {
	store    Store
	registry *registry.Registry
}

// NewService wires the service.
func NewService(store Store, r *registry.Registry) *Service {
	return &Service{store: store, registry: r}
}

// entry is a record as it stands, with who began it and when.
type entry struct {
	roster.Row
	author syncproto.AuthorID
	said   syncproto.Instant
}

func (e *entry) text(name string) string {
	s, _ := e.Fields[name].Text()
	return s
}

// day reads a date; 0 if there is none.
func (e *entry) day(name string) form.Day {
	day, _ := form.ParseDay(e.text(name))
	return day
}

func (e *entry) instant(name string) (syncproto.Instant, bool) {
	n, ok := e.whole(name)
	return syncproto.Instant(n), ok
}

func (e *entry) whole(name string) (int64, bool) {
	n, err := strconv.ParseInt(string(e.Fields[name]), 10, 64)
	return n, err == nil
}

// ref reads the record that a field names; the zero id if it names none.
func (e *entry) ref(name string) syncproto.RecordID {
	id, err := syncproto.ParseID[syncproto.RecordID](e.text(name))
	if err != nil {
		return syncproto.RecordID{}
	}
	return id
}

// left is the first day on which a record is there no more; Stays if nobody says that it
// left, or people disagree.
func (e *entry) left() form.Day {
	if e.Exit == nil {
		return never
	}
	day, _ := form.ParseDay(e.Exit.Date)
	return day
}

// never is later than every day.
const never form.Day = 9999_99_99

// chunk is how many records are read at once.
const chunk = 500

// list reads all records of a kind in areas, each together with those that turned out to
// be it, in the order of the areas and of versions, from a version on.
func (s *Service) list(ctx context.Context, snap *registry.Snapshot, keys []area.Key, kind syncproto.Kind) ([]entry, error) {
	var all []entry
	for place := (roster.Place{}); ; {
		records, end, err := s.store.Roster(ctx, keys, kind, place, chunk)
		if err != nil {
			return nil, fmt.Errorf("%s records: %w", kind, err)
		}
		if all, err = s.show(ctx, snap, all, records); err != nil {
			return nil, fmt.Errorf("%s records: %w", kind, err)
		}
		if len(records) < chunk {
			return all, nil
		}
		place = end
	}
}

// find reads records that exist, as list does, in no order.
func (s *Service) find(ctx context.Context, snap *registry.Snapshot, ids []syncproto.RecordID) (map[syncproto.RecordID]entry, error) {
	found := make(map[syncproto.RecordID]entry, len(ids))
	for some := range slices.Chunk(ids, chunk) {
		records, err := s.store.RecordsByID(ctx, some)
		if err != nil {
			return nil, fmt.Errorf("records by id: %w", err)
		}
		entries, err := s.show(ctx, snap, nil, records)
		if err != nil {
			return nil, fmt.Errorf("records by id: %w", err)
		}
		for _, e := range entries {
			found[e.ID] = e
		}
	}
	return found, nil
}

// show adds records as they stand. Those of which everything was taken back are left out,
// and so are those that turned out to be others, which show there.
func (s *Service) show(ctx context.Context, snap *registry.Snapshot, all []entry, records []syncproto.Record) ([]entry, error) {
	ids := make([]syncproto.RecordID, len(records))
	for i := range records {
		ids[i] = records[i].ID
	}
	absorbed, err := s.absorbed(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i := range records {
		r := &records[i]
		if len(r.Live) == 0 {
			continue
		}
		e := entry{Row: roster.NewRow(snap, r, absorbed[r.ID]...)}
		if e.SameAs != nil {
			continue
		}
		for j := range r.Live {
			if p := &r.Live[j]; len(p.Fields) > 0 && (e.said == 0 || p.Time < e.said) {
				e.author, e.said = p.Author, p.Time
			}
		}
		all = append(all, e)
	}
	return all, nil
}

// absorbed reads the records that turned out to be some of these.
func (s *Service) absorbed(ctx context.Context, ids []syncproto.RecordID) (map[syncproto.RecordID][]*syncproto.Record, error) {
	if len(ids) == 0 {
		return nil, nil //nolint:nilnil // nothing was absorbed
	}
	links, err := s.store.Absorbed(ctx, ids)
	if err != nil || len(links) == 0 {
		return nil, err
	}
	others := make([]syncproto.RecordID, len(links))
	for i, l := range links {
		others[i] = l.Record
	}
	records, err := s.store.RecordsByID(ctx, others)
	if err != nil {
		return nil, err
	}
	byID := make(map[syncproto.RecordID]*syncproto.Record, len(records))
	for i := range records {
		byID[records[i].ID] = &records[i]
	}
	absorbed := make(map[syncproto.RecordID][]*syncproto.Record)
	for _, l := range links {
		if r := byID[l.Record]; r != nil {
			absorbed[l.Into] = append(absorbed[l.Into], r)
		}
	}
	return absorbed, nil
}

// referring lists the records of a kind that name a target.
func (s *Service) referring(ctx context.Context, target syncproto.RecordID, kind syncproto.Kind) ([]syncproto.RecordID, error) {
	var ids []syncproto.RecordID
	for after := (syncproto.RecordID{}); ; {
		page, err := s.store.Referring(ctx, target, kind, after, chunk)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			if len(ids) == 0 || ids[len(ids)-1] != r.Record {
				ids = append(ids, r.Record)
			}
		}
		if len(page) < chunk {
			return ids, nil
		}
		after = page[len(page)-1].Record
	}
}

// within are the areas that lie in both: all below the lower one of the two. None if
// neither lies in the other.
func within(tree *area.Tree, a, b syncproto.AreaID) []area.Node {
	switch {
	case tree.Within(a, b):
		return tree.Subtree(a)
	case tree.Within(b, a):
		return tree.Subtree(b)
	}
	return nil
}

func keysOf(nodes []area.Node) []area.Key {
	keys := make([]area.Key, len(nodes))
	for i, n := range nodes {
		keys[i] = n.Key
	}
	return keys
}

// childOf says below which of an area's children each of its areas lies; those that lie in
// none belong to the area itself.
func childOf(tree *area.Tree, id syncproto.AreaID) (children []area.Node, of map[syncproto.AreaID]int) {
	children = tree.Children(id)
	of = make(map[syncproto.AreaID]int)
	for i, child := range children {
		for _, n := range tree.Subtree(child.ID) {
			of[n.ID] = i
		}
	}
	return children, of
}

func notFound(field string) error {
	return &syncproto.Error{Code: syncproto.CodeNotFound, Field: field}
}

func badRequest(field, detail string) error {
	return &syncproto.Error{Code: syncproto.CodeBadRequest, Field: field, Detail: detail}
}

// clamp bounds the rows of a page.
func clamp(limit int) int {
	if limit <= 0 {
		return roster.DefaultRows
	}
	return min(limit, roster.MaxRows)
}
