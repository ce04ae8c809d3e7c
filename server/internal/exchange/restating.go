package exchange

import (
	"bytes"
	"cmp"
	"slices"

	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Restating says by how much a record moved a figure of a day after that was signed. It is
// noted as it happens, exactly as the counters move, and stays when the day is signed
// again: what restates a day can be told years later without reading the log. It goes with a
// record that is purged.
type Restating struct {
	// Signature is the record with which the day was signed.
	Signature syncproto.RecordID
	// Record moved the figure under Version. Of records that are one, the survivor did.
	Record  syncproto.RecordID
	Version syncproto.Version
	Measure string
	N       int64
}

// The fields of a day's signature that the exchange reads.
const (
	fieldDay      = "day"
	fieldFigures  = "figures"
	fieldReturned = "returned"
)

// isReturned reports whether a day that was signed was sent back.
func isReturned(s *seen) bool { return textOf(s.shown.Values, fieldReturned) != "" }

// restate notes what each of the group's records does to days that are signed.
func (g *group) restate() {
	if len(g.w.signed.byRecord) == 0 {
		return
	}
	moves := make(map[Restating]int64)
	standing := standingMeasures(g.snap.Forms)
	g.counted(func(id syncproto.RecordID, counts []rollup.Count, sign int64) {
		for _, c := range counts {
			g.restatedBy(moves, id, c, sign, standing)
		}
	})
	first := len(g.batch.Restatings)
	for r, n := range moves {
		if n != 0 {
			r.N = n
			g.batch.Restatings = append(g.batch.Restatings, r)
		}
	}
	slices.SortFunc(g.batch.Restatings[first:], func(a, b Restating) int {
		return cmp.Or(bytes.Compare(a.Signature[:], b.Signature[:]), cmp.Compare(a.Version, b.Version),
			bytes.Compare(a.Record[:], b.Record[:]), cmp.Compare(a.Measure, b.Measure))
	})
}

// restatedBy adds one count of a record to what it does to the days signed for its area and
// all above.
func (g *group) restatedBy(moves map[Restating]int64, id syncproto.RecordID, c rollup.Count, sign int64, standing map[string]bool) {
	n, _ := g.snap.Areas.ByKey(c.Area)
	for _, above := range g.snap.Areas.Path(n.ID) {
		for signature, signed := range g.w.signed.moved(above.Key, c.Day, standing[c.Measure]) {
			if _, of := signed.Figures[c.Measure]; of {
				moves[Restating{Signature: signature, Record: id, Version: g.versionOf(id), Measure: c.Measure}] += sign * c.N
			}
		}
	}
}

// versionOf is the version under which the group moved a record: its own, or that of the
// group for one that moves with others.
func (g *group) versionOf(id syncproto.RecordID) syncproto.Version {
	if w := g.records[id]; w != nil && w.applied > 0 {
		return w.now.Version
	}
	return g.next
}

// closed tells of a day that the group signs or returns, and whoever signed it on a phone
// of its return.
func (g *group) closed(q *inquiry, w *working) {
	now := w.present(g.snap)
	day := textOf(now.shown.Values, fieldDay)
	if _, ok := form.ParseDay(day); !ok || now.shown.Exit != nil {
		return
	}
	a := Alert{Area: g.after().keyOf(now.record.Area), What: AlertClosed, Kind: now.record.Kind, Record: w.id, Detail: day}
	if isReturned(now) {
		if was := w.past(g.snap); was == nil || !isReturned(was) {
			a.What = AlertReturned
			g.alert(a)
			q.tellReturn(w)
		}
		return
	}
	if g.signs(w) {
		g.alert(a)
	}
}

// said are the rows of a record that came to be in this group: its own, and those of earlier
// groups that it took up.
func (g *group) said(w *working) []*Logged {
	rows := slices.Clone(w.rows)
	for _, l := range g.released {
		if l.Change.Record == w.id {
			rows = append(rows, l)
		}
	}
	return rows
}

// signs reports whether the group says figures of the day.
func (g *group) signs(w *working) bool {
	return slices.ContainsFunc(g.said(w), func(l *Logged) bool {
		if l.Version == 0 {
			return false
		}
		fields, err := l.Change.Values()
		return err == nil && !fields[fieldFigures].IsNull()
	})
}

// tellReturn tells whoever signed a day that it was sent back, and why.
func (q *inquiry) tellReturn(w *working) {
	was := w.past(q.g.snap)
	if was == nil {
		return
	}
	told := syncproto.Told{
		Version: q.g.next, At: q.g.now, Item: string(review.Restated), Said: syncproto.SaidReturned,
		Reason: textOf(w.present(q.g.snap).shown.Values, fieldReturned),
	}
	for _, l := range q.g.said(w) {
		if l.Version == 0 {
			continue
		}
		if fields, err := l.Change.Values(); err == nil && !fields[fieldReturned].IsNull() {
			told.By = l.Change.Author
		}
	}
	for i := range was.record.Live {
		if p := &was.record.Live[i]; !p.Fields[fieldFigures].IsNull() {
			q.tell(told, p, was.record)
		}
	}
}
