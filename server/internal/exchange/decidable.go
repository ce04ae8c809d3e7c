package exchange

import (
	"gridsync/server/internal/area"
	"gridsync/server/internal/plausible"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// decidable says why a change that decides, or that only a decision may make, can't be
// taken from its author; nil if it can.
func (g *group) decidable(l *Logged, d *decoded, w *working) *syncproto.Error {
	c := &l.Change
	_, merges := d.fields[syncproto.FieldSameAs]
	f := g.snap.Forms.Newest(c.Kind)
	if !c.Decides {
		if merges || f != nil && f.Decided || len(c.Extra) > 0 && c.Extra["undoes"] != nil {
			return &syncproto.Error{Code: syncproto.CodeNotEntitled, Field: "decides"}
		}
		return nil
	}
	if why := g.mergeable(l, d, w, merges); why != nil {
		return why
	}
	if why := g.entitledToRule(l, d, w); why != nil {
		return why
	}
	if back, says := d.fields[fieldReturned]; says && c.Kind == review.DayCloseKind && back.IsNull() && d.fields[fieldFigures].IsNull() {
		// A day that was sent back is signed again with its figures, not by leaving the reason out.
		return &syncproto.Error{Code: syncproto.CodeNotEntitled, Field: fieldReturned}
	}
	for _, author := range g.parties(d, w, c, merges) {
		if author == c.Author {
			return &syncproto.Error{Code: syncproto.CodeOwnWork, Field: "author"}
		}
	}
	return nil
}

// entitledToRule holds whoever rules on a question against the desk that it lies on,
// whatever desk the ruling names. It is asked once, when the ruling is taken in: who may
// decide where changes, and what was decided does not.
func (g *group) entitledToRule(l *Logged, d *decoded, w *working) *syncproto.Error {
	if _, rules := d.fields[review.FieldVerdict]; !rules || l.Change.Kind != review.RecordKind {
		return nil
	}
	desk, ok := g.snap.Areas.ByKey(g.deskOf(g.askedBy(d, w)))
	if !ok {
		return nil
	}
	return g.snap.People.Entitled(g.snap.Areas, l.Change.Author, desk.ID, l.Time, true)
}

// deskOf is the desk of a question; 0 if nothing is known of what it is about.
func (g *group) deskOf(key review.Key) area.Key {
	after := g.after()
	at := func(id syncproto.RecordID) syncproto.AreaID {
		if s := after.find(id); s != nil {
			return s.record.Area
		}
		return ""
	}
	switch key.Kind {
	case review.Parked:
		if l := g.rulesOn(key); l != nil {
			return deskOf(g.snap, 0, l)
		}
		return 0
	case review.Duplicate, review.DoubleVisit:
		if a, b := at(key.Record), at(key.Other()); a != "" && b != "" {
			return after.desks(a, b)
		}
		return 0
	case review.Implausible:
		if bucket, ok := plausible.ParseBucket(key.Field); ok && key.Record.IsZero() {
			return bucket.Area
		}
	case review.Conflict, review.Exit, review.Restated: // at the record's
	}
	return after.keyOf(at(key.Record))
}

// mergeable holds a merge against the record that is to survive.
func (g *group) mergeable(l *Logged, d *decoded, w *working, merges bool) *syncproto.Error {
	v := d.fields[syncproto.FieldSameAs]
	if !merges || v.IsNull() {
		return nil
	}
	text, _ := v.Text()
	id, err := syncproto.ParseID[syncproto.RecordID](text)
	if err != nil || id == w.id {
		return &syncproto.Error{Code: syncproto.CodeFailsForm, Field: syncproto.FieldSameAs}
	}
	other := g.known(id).now
	switch {
	case other == nil:
		return &syncproto.Error{Code: syncproto.CodeUnknownRecord, Field: syncproto.FieldSameAs}
	case other.Kind != l.Change.Kind:
		return &syncproto.Error{Code: syncproto.CodeKindDiffers, Field: syncproto.FieldSameAs}
	}
	return nil
}

// parties are those whose statements a decision is about: nobody decides on what they
// wrote. A decision that somebody took before is no statement of theirs.
func (g *group) parties(d *decoded, w *working, c *syncproto.Change, merges bool) []syncproto.AuthorID {
	if c.Kind == review.RecordKind {
		if _, rules := d.fields[review.FieldVerdict]; !rules {
			return nil // to assign or to route a question settles nothing
		}
		return g.partiesTo(g.askedBy(d, w))
	}
	if w.now == nil {
		return nil
	}
	if merges {
		parties := authorsOf(w.now.Live)
		if text, _ := d.fields[syncproto.FieldSameAs].Text(); text != "" {
			if id, err := syncproto.ParseID[syncproto.RecordID](text); err == nil && g.known(id).now != nil {
				parties = append(parties, authorsOf(g.known(id).now.Live)...)
			}
		}
		return parties
	}
	var parties []syncproto.AuthorID
	after := g.after()
	members := after.members(after.links.same(w.id))
	for _, name := range after.join(members).Disputed {
		if _, decides := d.fields[name]; !decides {
			continue
		}
		for _, m := range members {
			parties = append(parties, authorsOn(m.record.Live, name)...)
		}
	}
	return parties
}

// authorsOn lists who says something about a field; for an exit also those whose work it
// met.
func authorsOn(live []syncproto.Part, name string) []syncproto.AuthorID {
	var authors []syncproto.AuthorID
	for i := range live {
		p := &live[i]
		_, writes := p.Fields[name]
		if (writes || name == syncproto.FieldExit && meetsAny(live, p)) && !p.Decides {
			authors = append(authors, p.Author)
		}
	}
	return authors
}

// askedBy is the key of the question that a change to a review record is about.
func (g *group) askedBy(d *decoded, w *working) review.Key {
	if w.now != nil {
		return keyOfReview(w.present(g.snap).shown.Values)
	}
	return keyOfReview(d.fields)
}

// partiesTo are those whose statements a question is about.
func (g *group) partiesTo(key review.Key) []syncproto.AuthorID {
	switch key.Kind {
	case review.Parked:
		if l := g.rulesOn(key); l != nil {
			return []syncproto.AuthorID{l.Change.Author}
		}
	case review.Duplicate, review.DoubleVisit:
		return append(g.wroteIn(key.Record), g.wroteIn(key.Other())...)
	case review.Implausible:
		if bucket, ok := plausible.ParseBucket(key.Field); ok && key.Record.IsZero() {
			if id, err := syncproto.ParseID[syncproto.AuthorID](bucket.Who); err == nil {
				return []syncproto.AuthorID{id}
			}
			return nil
		}
		return g.wroteIn(key.Record)
	case review.Conflict, review.Exit:
		if now := g.known(key.Record).now; now != nil {
			return authorsOn(now.Live, key.Field)
		}
	case review.Restated: // whoever signed may sign again
	}
	return nil
}

func (g *group) wroteIn(id syncproto.RecordID) []syncproto.AuthorID {
	if now := g.known(id).now; now != nil {
		return authorsOf(now.Live)
	}
	return nil
}
