package exchange

import (
	"fmt"

	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// inquiry is everything that a group may have raised, ended or altered: the questions
// that it must ask anew, and those of them that are raised now.
type inquiry struct {
	g     *group
	keys  []review.Key
	known map[review.Key]bool
	open  map[review.Key]raised
}

func newInquiry(g *group) *inquiry {
	return &inquiry{g: g, known: make(map[review.Key]bool), open: make(map[review.Key]raised)}
}

// ask says that a question must be looked at.
func (q *inquiry) ask(key review.Key) {
	if !q.known[key] {
		q.known[key] = true
		q.keys = append(q.keys, key)
	}
}

// raise says that it is raised now.
func (q *inquiry) raise(r raised) {
	q.ask(r.Key)
	q.open[r.Key] = r
}

// touched asks about the records that the group touched: what was in doubt before, and
// what is now.
func (q *inquiry) touched() {
	before, after := q.g.before(), q.g.after()
	for _, w := range q.g.order {
		if w.applied > 0 {
			q.record(before, after, w.id)
		}
	}
	for _, id := range q.g.relinked {
		if id.IsZero() {
			continue
		}
		for _, one := range append(before.links.same(id), after.links.same(id)...) {
			q.record(before, after, one)
		}
	}
}

func (q *inquiry) record(before, after *world, id syncproto.RecordID) {
	for _, r := range before.fieldQuestions(id) {
		q.ask(r.Key)
	}
	for _, r := range before.flagQuestions(id) {
		q.ask(r.Key)
	}
	for _, r := range after.fieldQuestions(id) {
		q.raise(r)
	}
	for _, r := range after.flagQuestions(id) {
		q.raise(r)
	}
}

// waiting asks about the changes that this group parked or released.
func (q *inquiry) waiting() {
	for _, l := range q.g.log {
		if l.Version == 0 || l.Admitted != nil {
			q.parked(l)
		}
	}
	for _, l := range q.g.released {
		q.parked(l)
	}
	for _, l := range q.g.reasked {
		q.parked(l)
	}
}

func (q *inquiry) parked(l *Logged) {
	if r, waits := parkedQuestion(q.g.after(), l); waits {
		q.raise(r)
		return
	}
	q.ask(parkedKey(l))
}

// parkedKey is the key of the question about a parked change.
func parkedKey(l *Logged) review.Key {
	return review.AboutParked(l.Change.Record, syncproto.Origin{Device: l.Change.Device, N: l.Change.N})
}

// parkedQuestion returns the question about a row of the log, and false for one that
// does not wait.
func parkedQuestion(w *world, l *Logged) (raised, bool) {
	if l.Version != 0 || l.Reason == syncproto.CodeResubmitted {
		return raised{}, false
	}
	return raised{
		Key: parkedKey(l), desk: deskOf(w.snap, 0, l), version: l.Seq, returned: l.Reason == syncproto.CodeReturned,
	}, true
}

// ruled asks about the questions on which this group says something.
func (q *inquiry) ruled() error {
	g := q.g
	for _, w := range g.order {
		if w.applied == 0 || w.now.Kind != review.RecordKind {
			continue
		}
		key, ok := g.ruledBy(w)
		if !ok {
			continue
		}
		switch key.Kind {
		case review.Duplicate, review.DoubleVisit:
			g.ruledPairs = append(g.ruledPairs, key)
		case review.Parked:
			if l := g.rulesOn(key); l != nil {
				q.parked(l)
			}
		case review.Restated:
			g.ruledDays = append(g.ruledDays, key.Record)
		case review.Implausible:
			q.ask(key)
			if err := q.implausible(key); err != nil {
				return err
			}
		default:
			q.record(g.before(), g.after(), key.Record)
		}
	}
	return nil
}

// implausible asks anew what the checks say. A window that was hard to believe stays so.
func (q *inquiry) implausible(key review.Key) error {
	if !key.Record.IsZero() {
		q.record(q.g.before(), q.g.after(), key.Record)
		return nil
	}
	items, err := q.g.tx.Items([]syncproto.RecordID{key.ID()})
	if err != nil {
		return fmt.Errorf("group: a question about a window: %w", err)
	}
	for _, it := range items {
		q.raise(raised{Key: key, desk: it.Area, version: it.Opened, sample: it.Sample})
	}
	return nil
}

// pulses raises the windows that have become hard to believe.
func (q *inquiry) pulses() {
	for _, r := range q.g.pulsed {
		if _, twice := q.open[r.Key]; !twice {
			q.raise(r)
		}
	}
}
