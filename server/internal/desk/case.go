package desk

import (
	"context"
	"fmt"

	"gridsync/server/internal/match"
	"gridsync/server/internal/review"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Case is everything that a decider needs to know of a question, in one answer.
type Case struct {
	Line
	// Records are the records asked about: the one, or both of a pair.
	Records []Asked `json:"records,omitempty"`
	// Waiting is the parked change of a question of that kind.
	Waiting *Statement `json:"waiting,omitempty"`
	// Evidence are the parts of a duplicate's score.
	Evidence []match.Evidence `json:"evidence,omitempty"`
	// Window is what an implausible bucket is about: its check, its author or device, and
	// what was entered in it.
	Window *Window `json:"window,omitempty"`
	// Drift are the figures of a signed day that have moved since.
	Drift []Drift `json:"drift,omitempty"`
	// Neighbours are records that help to decide: the household and who lives in it, or
	// the person that a temperature is of; at most 50.
	Neighbours []roster.Row `json:"neighbours,omitempty"`
	// History is what happened to the question, oldest first; Earlier is what was said
	// about its records by earlier decisions.
	History []Happened  `json:"history"`
	Earlier []Statement `json:"earlier,omitempty"`
	// Seen is what a decision must name, so that it is refused if something has moved on.
	Seen Seen `json:"seen"`
	// Acts are what this caller may do, by author of the caller's device.
	Acts map[string][]Act `json:"acts,omitempty"`
}

// Seen says which state of a case somebody was looking at.
type Seen struct {
	Records []syncproto.Beside `json:"records"`
	Waits   []syncproto.Origin `json:"waits,omitempty"`
}

// Asked is a record asked about: as it stands, with every live value of every field.
type Asked struct {
	roster.Row
	// Fields in doubt come first, then those of the form in its order.
	Values []Field `json:"values"`
	// Absorbed are the records that turned out to be this one.
	Absorbed []syncproto.RecordID `json:"absorbed,omitempty"`
}

// Field is one field with all its live values.
type Field struct {
	Name     string         `json:"name"`
	Label    syncproto.Text `json:"label"`
	Rule     form.Rule      `json:"rule"`
	Disputed bool           `json:"disputed,omitempty"`
	// Values stand side by side, the one that shows first.
	Values []Value `json:"values"`
}

// Value is one live value with everybody who says so.
type Value struct {
	Value     syncproto.Value `json:"value"`
	Witnesses []Witness       `json:"witnesses"`
}

// Window is one window of one author or device.
type Window struct {
	Check string         `json:"check"`
	Label syncproto.Text `json:"label"`
	Kind  syncproto.Kind `json:"kind"`
	// Who is the author, or the device, by name.
	Who   string            `json:"who"`
	Start syncproto.Instant `json:"start"`
	End   syncproto.Instant `json:"end"`
	Count int               `json:"count"`
	// Entered is what was entered in the window up to when the question was raised, the
	// newest first, at most 100; Count is how much there is.
	Entered []Statement `json:"entered,omitempty"`
}

// Drift is a figure of a signed day and what has come of it.
type Drift struct {
	Measure string         `json:"measure"`
	Label   syncproto.Text `json:"label"`
	Signed  int64          `json:"signed"`
	Now     int64          `json:"now"`
}

// Happened is one line of a question's history.
type Happened struct {
	What    review.What       `json:"what"`
	Version syncproto.Version `json:"version"`
	At      syncproto.Instant `json:"at"`
	By      *Person           `json:"by,omitempty"`
	Detail  string            `json:"detail,omitempty"`
	// Undo says that this was a decision that can be withdrawn.
	Undo bool `json:"undo,omitempty"`
}

// Case returns a question with everything that a decider needs. It fails with code
// not_found for one that isn't there, or that the caller may not see.
func (s *Service) Case(ctx context.Context, id syncproto.RecordID, caller Caller) (*Case, error) {
	m, err := s.matter(ctx, id, caller)
	if err != nil {
		return nil, err
	}
	c := &Case{
		Line: m.line(s), Evidence: m.item.Evidence,
		History: m.history(), Earlier: m.earlier(), Seen: m.seen(), Acts: m.acts(caller),
	}
	for _, g := range m.asked {
		c.Records = append(c.Records, m.askedOf(g))
	}
	if m.waiting != nil {
		waiting := statementOf(m.snap, m.waiting)
		c.Waiting = &waiting
	}
	if c.Window, err = s.window(ctx, m); err != nil {
		return nil, fmt.Errorf("question %s: %w", id, err)
	}
	all, err := s.drift(ctx, m)
	if err != nil {
		return nil, fmt.Errorf("question %s: %w", id, err)
	}
	c.Drift = moved(all)
	if c.Neighbours, err = s.neighbours(ctx, m); err != nil {
		return nil, fmt.Errorf("question %s: %w", id, err)
	}
	return c, nil
}

// line is the question as it stands in the queue.
func (m *matter) line(s *Service) Line {
	groups := make(map[syncproto.RecordID]*group, len(m.asked))
	for _, g := range m.asked {
		groups[g.record.ID] = g
	}
	return s.line(m.snap, &m.item, groups)
}
