package desk

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// Caller is the people who ask, on a phone or at a desk, and when.
type Caller struct {
	Authors []syncproto.AuthorID
	Now     syncproto.Instant
}

// matter is a question with everything that hangs on it, read once: a case is a
// picture of it, and a decision is made out of it.
type matter struct {
	snap *registry.Snapshot
	item review.Item
	// asked are the records asked about that exist, in the key's order.
	asked []*group
	// involved are all records that a decision may touch, and the one that holds what
	// was said of the question, those that don't exist with version 0.
	involved []syncproto.Beside
	stands   map[syncproto.RecordID]*syncproto.Record
	events   []review.Event
	log      []exchange.Logged
	rows     map[syncproto.Origin]*exchange.Logged
	// undone are the decisions that were withdrawn.
	undone map[syncproto.Origin]bool
	// waiting is the parked change of a question of that kind.
	waiting *exchange.Logged
}

// ruling is the record that holds what was said of the question; nil if nothing was.
func (m *matter) ruling() *syncproto.Record { return m.stands[m.item.ID()] }

// desk is the area that the question lies on.
func (m *matter) desk() syncproto.AreaID {
	n, _ := m.snap.Areas.ByKey(m.item.Area)
	return n.ID
}

// areas are the desk and where the records asked about belong.
func (m *matter) areas() []syncproto.AreaID {
	areas := []syncproto.AreaID{m.desk()}
	for _, g := range m.asked {
		areas = append(areas, g.record.Area)
	}
	return areas
}

// matter reads a question for somebody. What lies outside the caller's scope fails with
// code not_found, like what isn't there: an id tells nobody anything.
func (s *Service) matter(ctx context.Context, id syncproto.RecordID, caller Caller) (*matter, error) {
	item, ok, err := s.store.Item(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("question %s: %w", id, err)
	}
	if !ok {
		return nil, notFound("item")
	}
	m := &matter{snap: s.registry.Current(), item: item}
	if err := s.load(ctx, m); err != nil {
		return nil, fmt.Errorf("question %s: %w", id, err)
	}
	if !sees(m.snap, caller, m.areas()) {
		return nil, notFound("item")
	}
	return m, nil
}

// sees reports whether the caller may read the records of one of the areas.
func sees(snap *registry.Snapshot, caller Caller, areas []syncproto.AreaID) bool {
	for _, root := range snap.People.Reach(snap.Areas, caller.Authors, identity.Read, caller.Now) {
		if slices.ContainsFunc(areas, func(id syncproto.AreaID) bool { return snap.Areas.Within(id, root) }) {
			return true
		}
	}
	return false
}

func notFound(field string) error {
	return &syncproto.Error{Code: syncproto.CodeNotFound, Field: field}
}

func (s *Service) load(ctx context.Context, m *matter) error {
	ids := about(m.item.Key)
	groups, err := s.groups(ctx, m.snap, ids)
	if err != nil {
		return err
	}
	if m.events, err = s.store.Events(ctx, m.item.ID()); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	for _, id := range ids {
		if g := groups[id]; g != nil {
			m.asked = append(m.asked, g)
		}
	}
	if err := s.loadInvolved(ctx, m, ids); err != nil {
		return err
	}
	return s.loadLog(ctx, m)
}

// loadInvolved reads every record that a decision may touch, as it stands.
func (s *Service) loadInvolved(ctx context.Context, m *matter, ids []syncproto.RecordID) error {
	for _, g := range m.asked {
		for _, r := range g.absorbed {
			ids = append(ids, r.ID)
		}
	}
	for i := range m.events {
		for _, made := range m.events[i].Changes {
			ids = append(ids, made.Record)
		}
	}
	ids = unique(append(ids, m.item.ID()))
	var err error
	if m.stands, err = s.records(ctx, ids); err != nil {
		return err
	}
	for _, g := range m.asked { // what is shown and what is decided on are one reading
		for _, r := range g.members() {
			m.stands[r.ID] = r
		}
	}
	slices.SortFunc(ids, func(a, b syncproto.RecordID) int { return bytes.Compare(a[:], b[:]) })
	for _, id := range ids {
		beside := syncproto.Beside{Record: id}
		if r := m.stands[id]; r != nil {
			beside.Version = r.Version
		}
		m.involved = append(m.involved, beside)
	}
	return nil
}

// loadLog reads what was said about the records, and the change that waits.
func (s *Service) loadLog(ctx context.Context, m *matter) error {
	ids := make([]syncproto.RecordID, len(m.involved))
	for i, b := range m.involved {
		ids[i] = b.Record
	}
	var err error
	if m.log, err = s.store.LogOf(ctx, ids); err != nil {
		return fmt.Errorf("log: %w", err)
	}
	m.rows = make(map[syncproto.Origin]*exchange.Logged, len(m.log))
	m.undone = undoneBy(m.log)
	for i := range m.log {
		m.rows[originOf(&m.log[i])] = &m.log[i]
	}
	if origin, ok := parkedChange(m.item.Key); ok {
		m.waiting = m.rows[origin]
	}
	return nil
}

func originOf(l *exchange.Logged) syncproto.Origin {
	return syncproto.Origin{Device: l.Change.Device, N: l.Change.N}
}

// parkedChange reads which change a question of kind parked is about.
func parkedChange(key review.Key) (syncproto.Origin, bool) {
	if key.Kind != review.Parked {
		return syncproto.Origin{}, false
	}
	device, number, _ := strings.Cut(key.Field, "/")
	id, err := syncproto.ParseID[syncproto.DeviceID](device)
	n, err2 := strconv.ParseUint(number, 10, 64)
	return syncproto.Origin{Device: id, N: n}, err == nil && err2 == nil
}

// seen says which state of the matter this is.
func (m *matter) seen() Seen {
	seen := Seen{Records: m.involved}
	if m.waiting != nil && m.waiting.Version == 0 {
		seen.Waits = []syncproto.Origin{originOf(m.waiting)}
	}
	return seen
}

// same reports whether somebody was looking at this state.
func (m *matter) same(seen Seen) bool {
	now := m.seen()
	byRecord := func(a, b syncproto.Beside) int { return bytes.Compare(a.Record[:], b.Record[:]) }
	return slices.Equal(slices.SortedFunc(slices.Values(seen.Records), byRecord), now.Records) && slices.Equal(seen.Waits, now.Waits)
}

// purged reports whether records that are gone stand in an act's way. What came late for one
// waits, and can be returned or sent elsewhere.
func (m *matter) purged(act Act) bool {
	if m.item.Kind == review.Parked && act != Accept {
		return false
	}
	return slices.ContainsFunc(m.log, func(l exchange.Logged) bool { return l.Purged != (syncproto.Hash{}) })
}

// latest is the last decision of the question that can be withdrawn; nil if there is
// none. Whom a question is given to is no ruling: it is given to somebody else.
func (m *matter) latest() *review.Event {
	for i := range slices.Backward(m.events) {
		e := &m.events[i]
		if e.What == review.WasUndone || e.What == review.WasAssigned || len(e.Changes) == 0 {
			continue
		}
		if slices.ContainsFunc(e.Changes, func(c review.Made) bool { return !m.undone[c.Origin] }) {
			return e
		}
	}
	return nil
}
