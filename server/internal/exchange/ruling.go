package exchange

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gridsync/server/internal/review"
	"gridsync/syncproto"
	"gridsync/syncproto/merge"
)

// rulesOn returns the row of the log that a question about a parked change is about, as
// this group leaves it; nil if there is none.
func (g *group) rulesOn(key review.Key) *Logged {
	at, ok := originOf(key)
	if !ok {
		return nil
	}
	if l := g.prior[at]; l != nil {
		return l
	}
	rows, err := g.tx.Prior(at.device, []uint64{at.n})
	if err != nil {
		g.failure = fmt.Errorf("group: a parked change: %w", err)
	}
	if len(rows) == 0 || rows[0].Change.Record != key.Record {
		return nil
	}
	return g.settled(&rows[0])
}

func originOf(key review.Key) (origin, bool) {
	device, number, ok := strings.Cut(key.Field, "/")
	id, err := syncproto.ParseID[syncproto.DeviceID](device)
	n, err2 := strconv.ParseUint(number, 10, 64)
	return origin{id, n}, ok && err == nil && err2 == nil && key.Kind == review.Parked
}

// ruledBy returns the question that a review record is about, and false for one that is
// about none. One of which everything was withdrawn is about what it was about before.
func (g *group) ruledBy(w *working) (review.Key, bool) {
	for _, s := range []*seen{w.present(g.snap), w.past(g.snap)} {
		if s == nil {
			continue
		}
		if key := keyOfReview(s.shown.Values); key.ID() == w.id {
			return key, true
		}
	}
	return review.Key{}, false
}

// rulingOn returns what people have said about a parked row.
func (g *group) rulingOn(l *Logged) ruling {
	r := g.after().ruling(parkedKey(l), deskOf(g.snap, 0, l))
	if r.by == l.Change.Author { // nobody lets in what they wrote
		r.verdict = ""
	}
	// A change that names no area belongs where it was accepted.
	if _, ok := g.snap.Areas.Find(l.Change.Area); !ok && r.area == "" && r.verdict == review.VerdictAccept {
		r.area = g.known(parkedKey(l).ID()).now.Area
	}
	return r
}

// follow does what this group's rulings say about parked changes.
func (g *group) follow() error {
	for ; g.followed < len(g.order); g.followed++ {
		w := g.order[g.followed]
		if w.applied == 0 || w.now.Kind != review.RecordKind {
			continue
		}
		key, ok := g.ruledBy(w)
		if !ok || key.Kind != review.Parked {
			continue
		}
		l := g.rulesOn(key)
		if l == nil {
			continue
		}
		if err := g.loadRecords([]syncproto.RecordID{l.Change.Record}); err != nil {
			return err
		}
		if err := g.rerule(l); err != nil {
			return err
		}
	}
	return g.answer()
}

// rerule routes a row again about which people have said something new. One that was let
// in by a person is taken out first, if it may not be in as it is.
func (g *group) rerule(l *Logged) error {
	if l.Version != 0 {
		if l.Admitted == nil || !l.Admitted.In {
			return nil // it has come in by itself: there is nothing to rule
		}
		if r := g.rulingOn(l); r.verdict == review.VerdictAccept && slices.Equal(r.without, l.Admitted.Without) && r.area == l.Admitted.Area {
			return nil
		}
		if err := g.takeOut(l); err != nil {
			return err
		}
	}
	return g.retry([]Logged{*l})
}

// takeOut withdraws a change that a person had let in: the record is then as if it had
// never been, under a version of its own.
func (g *group) takeOut(l *Logged) error {
	state, err := g.device(l.Change.Device)
	if err != nil {
		return err
	}
	g.next++
	l.Version, l.Verdict, l.Reason, l.Field = 0, syncproto.Parked, syncproto.CodeNotEntitled, ""
	l.Admitted = &Admission{Out: g.next}
	state.park(l.Change.N, l.Reason)
	g.parked++
	g.nowWaiting[l.Change.Record] = struct{}{}
	g.note(l)
	w := g.touch(l.Change.Record)
	history, err := g.history(w)
	if err != nil {
		return err
	}
	f := g.snap.Forms.Newest(l.Change.Kind)
	live := merge.Fold(f, history)
	w.shown = look(g.snap.Settings, f, live)
	w.now = &syncproto.Record{ID: w.id, Kind: w.now.Kind, Area: w.now.Area, Version: g.next, Live: live}
	if _, ok := g.snap.Areas.Find(w.shown.Area); ok {
		w.now.Area = w.shown.Area
	}
	l.Admitted.Left = w.now.Area
	w.applied++
	w.sole = nil
	g.relink(w)
	return nil
}

// answer notes which returned changes were answered by this group's.
func (g *group) answer() error {
	for _, l := range g.answers {
		id, err := l.Change.Answers()
		if err != nil || id.IsZero() {
			continue
		}
		rows, err := g.tx.Logs([]syncproto.RecordID{l.Change.Record})
		if err != nil {
			return fmt.Errorf("group: a returned change: %w", err)
		}
		for i := range rows {
			old := &rows[i]
			if old.Change.ID != id {
				continue
			}
			if old = g.settled(old); old.Reason != syncproto.CodeReturned || old.Change.Author != l.Change.Author {
				continue
			}
			state, err := g.device(old.Change.Device)
			if err != nil {
				return err
			}
			old.Reason, old.Field = syncproto.CodeResubmitted, ""
			state.park(old.Change.N, old.Reason)
			g.parked--
			g.note(old)
		}
	}
	g.answers = nil
	return nil
}

// admit decides about a parked row that a person has let in, or sent elsewhere: nil to
// apply it, or why it waits still. Somebody entitled answers for area and form; what can't
// be told apart (no such record, another kind) he can't help.
func (g *group) admit(l *Logged, d *decoded, w *working, state *DeviceState, said ruling) *syncproto.Error {
	before := l.Admitted
	why := g.admitAs(l, d, w, state, said)
	if before != nil && before.Out > 0 { // that it was in and out again stays with it
		if l.Admitted == nil {
			l.Admitted = &Admission{}
		}
		l.Admitted.Out, l.Admitted.Left = before.Out, before.Left
	}
	return why
}

func (g *group) admitAs(l *Logged, d *decoded, w *working, state *DeviceState, said ruling) *syncproto.Error {
	switch {
	case said.verdict == review.VerdictReturn:
		return &syncproto.Error{Code: syncproto.CodeReturned}
	case said.verdict != review.VerdictAccept && l.Reason == syncproto.CodeOwnWork:
		// That the question was settled by others meanwhile makes it no better.
		return &syncproto.Error{Code: l.Reason, Field: l.Field}
	case said.verdict != review.VerdictAccept && said.area == "":
		l.Admitted = nil
		return g.route(l, d, w, state)
	}
	l.Admitted = &Admission{In: true, Area: said.area, Without: said.without}
	var why *syncproto.Error
	if said.verdict == review.VerdictAccept {
		why = g.acceptable(l, d, w, said)
	} else {
		why = g.route(l, d, w, state)
	}
	if why != nil {
		l.Admitted = nil
	}
	return why
}

// acceptable says what stands in the way of a change that a person accepts.
func (g *group) acceptable(l *Logged, d *decoded, w *working, said ruling) *syncproto.Error {
	c, to := &l.Change, l.area()
	if w.purged {
		return &syncproto.Error{Code: syncproto.CodePurged, Field: "record"}
	}
	if v, moves := d.fields[syncproto.FieldArea]; moves {
		text, _ := v.Text()
		to = syncproto.AreaID(text)
	}
	for _, id := range []syncproto.AreaID{l.area(), to} {
		if _, ok := g.snap.Areas.Find(id); !ok {
			return &syncproto.Error{Code: syncproto.CodeUnknownArea, Field: "area"}
		}
	}
	if why := g.snap.People.Entitled(g.snap.Areas, said.by, l.area(), g.now, true); why != nil {
		return why
	}
	if !g.snap.Forms.Has(c.Kind) {
		return &syncproto.Error{Code: syncproto.CodeUnknownKind, Field: "kind"}
	}
	switch {
	case w.now != nil && w.now.Kind != c.Kind:
		return &syncproto.Error{Code: syncproto.CodeKindDiffers, Field: "kind"}
	case !w.there() && c.Base > 0:
		return &syncproto.Error{Code: syncproto.CodeUnknownRecord, Field: "record"}
	}
	return nil
}

// area is the area that a row belongs to, as its author says or as people say since.
func (l *Logged) area() syncproto.AreaID {
	if l.Admitted != nil && l.Admitted.Area != "" {
		return l.Admitted.Area
	}
	return l.Change.Area
}
