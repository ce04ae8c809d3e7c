package desk

import (
	"context"
	"fmt"
	"slices"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// Statements is a part of what was said, for people to read.
type Statements struct {
	Statements []Statement `json:"statements"`
	// Next is what to give as before for the page of older ones; 0 if there are none.
	Next syncproto.Version `json:"next,omitempty"`
	// Older counts the statements about a record that are left out for their number.
	Older int `json:"older,omitempty"`

	// stands says where the records spoken of stand, of those that do.
	stands map[syncproto.RecordID]syncproto.AreaID
}

// maxHistory bounds the statements about one record that are shown.
const maxHistory = 500

// History returns what was ever said about a record and about those that turned out to
// be it, oldest first; of a very long one, the newest part. It fails with code not_found
// where nothing was said, or the caller may not see it.
func (s *Service) History(ctx context.Context, record syncproto.RecordID, caller Caller) (*Statements, error) {
	snap := s.registry.Current()
	links, err := s.store.Absorbed(ctx, []syncproto.RecordID{record})
	if err != nil {
		return nil, fmt.Errorf("history of %s: %w", record, err)
	}
	ids := []syncproto.RecordID{record}
	for _, l := range links {
		ids = append(ids, l.Record)
	}
	standing, err := s.records(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("history of %s: %w", record, err)
	}
	log, err := s.store.LogOf(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("history of %s: %w", record, err)
	}
	if len(log) == 0 || !sees(snap, caller, areasOf(standing, log)) {
		return nil, notFound("record")
	}
	older := max(0, len(log)-maxHistory)
	history := &Statements{Statements: statements(snap, log[older:]), Older: older, stands: make(map[syncproto.RecordID]syncproto.AreaID, len(standing))}
	for _, r := range standing {
		history.stands[r.ID] = r.Area
	}
	markUndone(history.Statements, undoneBy(log))
	return history, nil
}

// areasOf are where records stand; where nothing stands yet, what was said would put it.
func areasOf(standing map[syncproto.RecordID]*syncproto.Record, log []exchange.Logged) []syncproto.AreaID {
	var areas []syncproto.AreaID
	for _, r := range standing {
		areas = append(areas, r.Area)
	}
	if len(areas) > 0 {
		return areas
	}
	for i := range log {
		areas = append(areas, log[i].Change.Area)
	}
	return areas
}

// Log returns a page of what an author has said, the newest first, before a place.
func (s *Service) Log(ctx context.Context, author syncproto.AuthorID, before syncproto.Version, limit int) (*Statements, error) {
	limit = clamp(limit)
	log, err := s.store.LogBy(ctx, author, before, limit)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", author, err)
	}
	page := &Statements{Statements: statements(s.registry.Current(), log)}
	if len(log) == limit {
		page.Next = log[limit-1].Seq
	}
	return page, nil
}

func statements(snap *registry.Snapshot, log []exchange.Logged) []Statement {
	out := make([]Statement, 0, len(log))
	for i := range log {
		out = append(out, statementOf(snap, &log[i]))
	}
	return out
}

// undoneBy returns the decisions that the rows of a log withdraw.
func undoneBy(log []exchange.Logged) map[syncproto.Origin]bool {
	undone := make(map[syncproto.Origin]bool)
	for i := range slices.Backward(log) { // a withdrawal may be withdrawn by a later one
		l := &log[i]
		if l.Version == 0 || undone[originOf(l)] {
			continue
		}
		undoes, _ := l.Change.Undoes() // what can't be read was refused when it came
		for _, o := range undoes {
			undone[o] = true
		}
	}
	return undone
}

func markUndone(list []Statement, undone map[syncproto.Origin]bool) {
	for i := range list {
		list[i].Undone = undone[list[i].Origin]
	}
}

// history tells what happened to the question, oldest first.
func (m *matter) history() []Happened {
	history := make([]Happened, 0, len(m.events))
	latest := m.latest()
	for i := range m.events {
		e := &m.events[i]
		h := Happened{What: e.What, Version: e.Version, At: e.At, Detail: e.Detail, Undo: e == latest}
		if !e.By.IsZero() {
			h.By = personOf(m.snap, e.By)
		}
		history = append(history, h)
	}
	return history
}

// earlier are the decisions about the records asked about, oldest first.
func (m *matter) earlier() []Statement {
	var out []Statement
	for i := range m.log {
		l := &m.log[i]
		if l.Change.Decides && l.Version != 0 && l.Change.Kind != review.RecordKind {
			out = append(out, statementOf(m.snap, l))
		}
	}
	markUndone(out, m.undone)
	return out
}
