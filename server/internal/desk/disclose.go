package desk

import (
	"slices"

	"gridsync/server/internal/identity"
	"gridsync/server/internal/privacy"
	"gridsync/server/internal/review"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
)

// Disclose implements privacy.Disclosed.
func (p *Page) Disclose(l *privacy.Lens) {
	for i := range p.Items {
		p.Items[i].Disclose(l)
	}
}

// Disclose implements privacy.Disclosed.
func (q *Line) Disclose(l *privacy.Lens) { q.disclose(l, "") }

// disclose leaves of a question's records what is seen of them beside it.
func (q *Line) disclose(l *privacy.Lens, except string) {
	for _, row := range []*roster.Row{q.Record, q.Other} {
		if row != nil {
			row.Disclose(l, l.Beside(row.Area), except)
		}
	}
}

// Disclose implements privacy.Disclosed. Nobody can decide between values that they don't
// see: whoever may decide the question sees those of the field in question.
func (c *Case) Disclose(l *privacy.Lens) {
	except := ""
	if c.Kind == review.Conflict || c.Kind == review.Exit {
		if l.May(identity.Decide, c.Area) {
			except = c.Field
		}
	}
	c.disclose(l, except)
	for i := range c.Records {
		c.Records[i].disclose(l, except)
	}
	if c.Waiting != nil {
		// It waits at this desk, whichever area it names.
		c.Waiting.disclose(l, l.Widest(c.Area, c.Waiting.Area), "")
	}
	for i := range c.Earlier {
		c.Earlier[i].disclose(l, c.eyesOn(l, &c.Earlier[i]), except)
	}
	if c.Window != nil {
		for i := range c.Window.Entered {
			st := &c.Window.Entered[i]
			st.disclose(l, l.Eyes(st.Area), "")
		}
	}
	c.Neighbours = slices.DeleteFunc(c.Neighbours, func(row roster.Row) bool { return !l.Eyes(row.Area).Open })
	for i := range c.Neighbours {
		row := &c.Neighbours[i]
		row.Disclose(l, l.Eyes(row.Area), "")
	}
}

// eyesOn is what is seen of a statement about one of the records asked about: as much as of
// the record.
func (c *Case) eyesOn(l *privacy.Lens, st *Statement) identity.Eyes {
	for i := range c.Records {
		if row := &c.Records[i].Row; row.ID == st.Record || slices.Contains(c.Records[i].Absorbed, st.Record) {
			return l.Beside(row.Area)
		}
	}
	return l.Eyes(st.Area)
}

func (a *Asked) disclose(l *privacy.Lens, except string) {
	e := l.Beside(a.Area)
	a.Row.Disclose(l, e, except)
	fields := make([]Field, 0, len(a.Values))
	for _, f := range a.Values {
		if f.Name != except {
			f.Values = seenOf(l, e, a.Kind, &f)
		}
		if len(f.Values) > 0 {
			fields = append(fields, f)
		}
	}
	a.Values = fields
}

func seenOf(l *privacy.Lens, e identity.Eyes, kind syncproto.Kind, f *Field) []Value {
	seen := make([]Value, 0, len(f.Values))
	for _, v := range f.Values {
		var ok bool
		if v.Value, ok = l.Value(e, kind, f.Name, v.Value); ok {
			seen = append(seen, v)
		}
	}
	return seen
}

// Disclose implements privacy.Disclosed. What was said of a record is seen as far as the
// record is, where it stands now; everybody sees their own words.
func (s *Statements) Disclose(l *privacy.Lens) {
	for i := range s.Statements {
		st := &s.Statements[i]
		e := l.Eyes(st.Area)
		if stands, ok := s.stands[st.Record]; ok {
			e = l.Beside(stands) // it is shown together with one that the reader may see
		}
		st.disclose(l, e, "")
	}
}

func (st *Statement) disclose(l *privacy.Lens, e identity.Eyes, except string) {
	if !l.Own(st.Author.ID) {
		st.Fields = l.Fields(e, st.Kind, st.Fields, except)
	}
	l.Saw(st.Record, st.Area)
}

// Disclose implements privacy.Disclosed.
func (r *Revisits) Disclose(l *privacy.Lens) {
	for i := range r.Households {
		row := &r.Households[i]
		row.Disclose(l, l.Eyes(row.Area), "")
	}
}
