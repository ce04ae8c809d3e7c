package desk

import (
	"slices"

	"gridsync/server/internal/plausible"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// Act is what can be done about a question.
type Act string

// The acts.
const (
	// Choose: take one of the live values, or type another, for each field in doubt.
	Choose Act = "choose"
	// Merge: the two records are one; Survivor says which keeps its id.
	Merge Act = "merge"
	// Different: they are not; remembered for this pair.
	Different Act = "different"
	// Route: the question, or the change that waits, belongs to Area.
	Route Act = "route"
	// Accept: as it is; a parked change also as belonging to Area, in other words, by
	// Fields, or without some of its own, by Without.
	Accept Act = "accept"
	// Return: back to its author, with a Reason.
	Return Act = "return"
	// Assign: to Assignee; to nobody if there is none.
	Assign Act = "assign"
	// Undo: withdraw what was decided last.
	Undo Act = "undo"
)

// fitting are the acts that end or move a question of each kind; all of them can be
// assigned, and what was decided can be undone.
var fitting = map[review.Kind][]Act{
	review.Conflict:    {Choose, Route, Assign},
	review.Exit:        {Choose, Route, Assign},
	review.Duplicate:   {Merge, Different, Route, Assign},
	review.DoubleVisit: {Merge, Different, Route, Assign},
	review.Parked:      {Accept, Return, Route, Assign},
	review.Implausible: {Accept, Return, Route, Assign},
	review.Restated:    {Accept, Route, Assign},
}

// possible are the acts that the question as it stands allows.
func (m *matter) possible() []Act {
	var acts []Act
	if m.item.State != review.Closed {
		acts = append(acts, fitting[m.item.Kind]...)
	}
	if m.latest() != nil {
		acts = append(acts, Undo)
	}
	return acts
}

// acts are what each of those who ask may do, by their ids. Whoever wrote
// what is in doubt may only hand it to somebody else.
func (m *matter) acts(caller Caller) map[string][]Act {
	wrote := m.writers()
	acts := make(map[string][]Act)
	for _, author := range caller.Authors {
		own := slices.Contains(wrote, author)
		for _, act := range m.possible() {
			if m.entitled(author, act, caller.Now) && (!own || act == Route || act == Assign) {
				acts[author.String()] = append(acts[author.String()], act)
			}
		}
	}
	return acts
}

// entitled reports whether an author's grants let them do something wherever it writes:
// to the records asked about, to what is said of the question, or to both.
func (m *matter) entitled(author syncproto.AuthorID, act Act, now syncproto.Instant) bool {
	areas := m.areas()
	switch {
	case act == Undo:
	case act == Choose, act == Merge, act == Accept && m.item.Kind == review.Restated:
		areas = areas[1:]
	default:
		areas = areas[:1]
	}
	return !slices.ContainsFunc(areas, func(id syncproto.AreaID) bool {
		return m.snap.People.Entitled(m.snap.Areas, author, id, now, true) != nil
	})
}

// writers are the authors of what is in doubt. What was decided is nobody's own.
func (m *matter) writers() []syncproto.AuthorID {
	var wrote []syncproto.AuthorID
	if m.waiting != nil {
		wrote = append(wrote, m.waiting.Change.Author)
	}
	if m.item.Kind == review.Restated || m.item.Kind == review.Parked {
		return wrote
	}
	if bucket, ok := plausible.ParseBucket(m.item.Field); ok && m.item.Record.IsZero() {
		author, _ := syncproto.ParseID[syncproto.AuthorID](bucket.Who)
		return append(wrote, author)
	}
	for _, g := range m.asked {
		for i := range g.joined.Live {
			p := &g.joined.Live[i]
			if !p.Decides && m.doubts(g, p) {
				wrote = append(wrote, p.Author)
			}
		}
	}
	return wrote
}

// doubts reports whether a live part is among what the question is about.
func (m *matter) doubts(g *group, p *syncproto.Part) bool {
	if m.item.Kind != review.Conflict && m.item.Kind != review.Exit {
		return true
	}
	for name := range p.Fields {
		if name == m.item.Field || g.view.Fields[name].Disputed {
			return true
		}
	}
	return false
}
