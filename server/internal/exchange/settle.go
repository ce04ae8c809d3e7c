package exchange

import (
	"fmt"
	"slices"

	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// settle holds what the group asked against the questions as they were, and writes down
// which opened, closed or changed hands, and who is to hear of it.
func (q *inquiry) settle() error {
	if len(q.keys) == 0 {
		return nil
	}
	g := q.g
	if err := g.loadRulings(q.keys); err != nil {
		return err
	}
	ids := make([]syncproto.RecordID, len(q.keys))
	for i, key := range q.keys {
		ids[i] = key.ID()
	}
	stored, err := g.tx.Items(ids)
	if err != nil {
		return fmt.Errorf("group: questions: %w", err)
	}
	was := make(map[review.Key]review.Item, len(stored))
	for _, it := range stored {
		was[it.Key] = it
	}
	after := g.after()
	for _, key := range q.keys {
		r, open := q.open[key]
		had, known := was[key]
		q.settleOne(after, key, r, open, had, known)
	}
	return nil
}

// loadRulings loads what people have said about questions, together.
func (g *group) loadRulings(keys []review.Key) error {
	ids := make([]syncproto.RecordID, len(keys))
	for i, key := range keys {
		ids[i] = key.ID()
	}
	return g.loadRecords(unique(ids))
}

// settleOne works out where one question stands.
func (q *inquiry) settleOne(after *world, key review.Key, r raised, open bool, had review.Item, known bool) {
	desk := r.desk
	if !open {
		desk = had.Area
	}
	said := after.ruling(key, desk)
	if open && q.accepted(r, said) {
		open = false
	}
	wasOpen := known && had.Closed == 0
	if !open && !wasOpen {
		return
	}
	it := had
	it.Key = key
	if !open {
		q.close(it, said)
		return
	}
	q.describe(&it, r, said)
	if wasOpen {
		q.update(had, it)
		return
	}
	it.Opened, it.Closed, it.At, it.Ended, it.Ending, it.By = r.version, 0, q.g.now, 0, "", syncproto.AuthorID{}
	// What is raised by something old, such as by the withdrawal of a decision, is raised now.
	if it.Opened <= had.Closed || it.Opened <= had.Opened {
		it.Opened = q.g.next
	}
	q.note(it, review.WasOpened, syncproto.AuthorID{}, "", nil)
	if known {
		q.reopened(it)
	}
	q.g.batch.Items = append(q.g.batch.Items, it)
}

// accepted reports whether people have taken what is in doubt as it is, in full view of
// what raises it now.
func (q *inquiry) accepted(r raised, said ruling) bool {
	if r.Kind != review.Implausible || said.verdict != review.VerdictAccept {
		return false
	}
	return r.Record.IsZero() || r.version < said.version
}

// describe says how a question that is open stands.
func (q *inquiry) describe(it *review.Item, r raised, said ruling) {
	it.Area, it.Score, it.Evidence, it.Assignee = r.desk, r.score, r.evidence, said.assignee
	if said.desk != 0 {
		it.Area = said.desk
	}
	if it.Sample.IsZero() {
		it.Sample = r.sample
	}
	if it.State = review.Open; r.returned || said.verdict == review.VerdictReturn {
		it.State = review.Returned
	}
}

// update notes what has changed of a question that stays open.
func (q *inquiry) update(had, it review.Item) {
	by, made := q.deciders(it.Key)
	changed := had.Score != it.Score || !slices.Equal(had.Evidence, it.Evidence)
	if had.Assignee != it.Assignee {
		changed = true
		detail := ""
		if !it.Assignee.IsZero() {
			detail = it.Assignee.String()
		}
		q.note(it, review.WasAssigned, by, detail, made)
	}
	if had.Area != it.Area {
		changed = true
		n, _ := q.g.snap.Areas.ByKey(it.Area)
		q.note(it, review.WasRouted, by, string(n.ID), made)
	}
	if had.State != it.State {
		changed = true
		if it.State == review.Returned {
			q.note(it, review.WasReturned, by, "", made)
			q.tellReturned(it, by)
		} else {
			q.note(it, review.WasUndone, by, "", nil)
			q.tellUndone(it, by)
		}
	}
	if changed {
		q.g.batch.Items = append(q.g.batch.Items, it)
	}
}

// close ends a question.
func (q *inquiry) close(it review.Item, said ruling) {
	by, made := q.deciders(it.Key)
	it.Ending = q.ending(it, said, &by)
	it.State, it.Closed, it.Ended, it.By = review.Closed, q.g.next, q.g.now, by
	if by.IsZero() {
		made = nil
	}
	q.note(it, review.WasClosed, by, string(it.Ending), made)
	q.g.batch.Items = append(q.g.batch.Items, it)
	q.g.alertSettled(it)
	q.tellClosed(it)
}

// ending says why a question ended. by is who decided something about it in this group;
// it is cleared where the question has ended by itself all the same.
func (q *inquiry) ending(it review.Item, said ruling, by *syncproto.AuthorID) review.Ending {
	g := q.g
	switch it.Kind {
	case review.Duplicate, review.DoubleVisit:
		a, b := it.Record, it.Other()
		switch {
		case g.links.root(a) == g.links.root(b):
			return review.Merged
		case said.verdict == review.VerdictDifferent:
			return review.Different
		}
		// Else one of them became a third, about which the question is now.
	case review.Parked:
		l := g.rulesOn(it.Key)
		switch {
		case l != nil && l.Version != 0 && l.Admitted != nil && l.Admitted.In:
			return review.Accepted
		case l != nil && l.Version != 0:
			*by = syncproto.AuthorID{}
			return review.TakenUp
		case l != nil && l.Reason == syncproto.CodeResubmitted:
			*by = syncproto.AuthorID{}
			return review.Answered
		}
	case review.Implausible:
		if said.verdict == review.VerdictAccept {
			return review.Accepted
		}
	case review.Restated:
		if !by.IsZero() {
			return review.Signed
		}
	case review.Conflict, review.Exit:
		switch {
		case g.links.root(it.Record) != it.Record && !isStanding(it.Field):
			return review.Merged
		case !by.IsZero():
			return review.Decided
		case q.agreed(it.Key):
			return review.Agreed
		}
	}
	*by = syncproto.AuthorID{}
	return review.Corrected
}

// agreed reports whether more than one author says what shows.
func (q *inquiry) agreed(key review.Key) bool {
	s := q.g.after().find(key.Record)
	if s == nil {
		return false
	}
	authors := make(map[syncproto.AuthorID]bool)
	for i := range s.record.Live {
		if _, writes := s.record.Live[i].Fields[key.Field]; writes {
			authors[s.record.Live[i].Author] = true
		}
	}
	return len(authors) > 1
}

// deciders returns who decided something about a question in this group, and by which
// changes.
func (q *inquiry) deciders(key review.Key) (syncproto.AuthorID, []review.Made) {
	var by syncproto.AuthorID
	var made []review.Made
	for _, l := range slices.Concat(q.g.log, q.g.released) {
		c := &l.Change
		if !c.Decides || l.Version == 0 || !q.concerns(l, key) {
			continue
		}
		by = c.Author
		made = append(made, review.Made{Record: c.Record, Origin: syncproto.Origin{Device: c.Device, N: c.N}})
	}
	return by, made
}

// concerns reports whether a decision is about a question: said of the question itself,
// or, for those about values and about pairs, written to what is asked about.
func (q *inquiry) concerns(l *Logged, key review.Key) bool {
	c := &l.Change
	if c.Record == key.ID() {
		return true
	}
	fields, err := c.Values()
	if err != nil {
		return false
	}
	undoes, _ := c.Undoes()
	switch key.Kind {
	case review.Conflict, review.Exit:
		_, writes := fields[key.Field]
		return (writes || len(undoes) > 0) && slices.Contains(q.g.links.same(key.Record), c.Record)
	case review.Duplicate, review.DoubleVisit:
		_, merges := fields[syncproto.FieldSameAs]
		_, moves := fields[syncproto.FieldResidences]
		// A desk's decision is a group by itself: what it says about the values belongs to it.
		said := merges || moves || len(undoes) > 0 || c.Device == q.g.w.service.desk
		return said && slices.Contains(q.pairOf(key), c.Record)
	case review.Restated:
		return c.Record == key.Record
	}
	return false
}

// pairOf lists all records that a question about two is about, before and after the
// group.
func (q *inquiry) pairOf(key review.Key) []syncproto.RecordID {
	var all []syncproto.RecordID
	for _, id := range []syncproto.RecordID{key.Record, key.Other()} {
		all = append(all, q.g.w.links.same(id)...)
		all = append(all, q.g.links.same(id)...)
	}
	return unique(all)
}

// note adds a line to a question's history.
func (q *inquiry) note(it review.Item, what review.What, by syncproto.AuthorID, detail string, made []review.Made) {
	q.g.batch.Events = append(q.g.batch.Events, review.Event{
		Item: it.ID(), Version: q.g.next, At: q.g.now, What: what, By: by, Detail: detail, Changes: made,
	})
}

// reopened notes the withdrawal of a decision, if that is why a question is open again.
func (q *inquiry) reopened(it review.Item) {
	by, _ := q.deciders(it.Key)
	if by.IsZero() {
		return
	}
	q.note(it, review.WasUndone, by, "", nil)
	q.tellUndone(it, by)
}
