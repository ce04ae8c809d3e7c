package exchange

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// signatures holds in memory the days that were signed, by the area they were signed
// for. There is one for each community and day.
type signatures struct {
	byRecord map[syncproto.RecordID]Signature
	byArea   map[area.Key]map[syncproto.RecordID]Signature
	// byDay has the days signed for an area in order, so that what moves one costs the same
	// however many have been signed.
	byDay map[area.Key][]dated
}

// dated is a day that was signed, and the record with which it was.
type dated struct {
	day    form.Day
	record syncproto.RecordID
}

func (d dated) compare(other dated) int {
	return cmp.Or(cmp.Compare(d.day, other.day), bytes.Compare(d.record[:], other.record[:]))
}

func newSignatures(boot Boot) *signatures {
	s := &signatures{
		byRecord: make(map[syncproto.RecordID]Signature),
		byArea:   make(map[area.Key]map[syncproto.RecordID]Signature),
		byDay:    make(map[area.Key][]dated),
	}
	s.publish(boot.Signatures)
	return s
}

func (s *signatures) publish(signed []Signature) {
	for _, one := range signed {
		if old, ok := s.byRecord[one.Record]; ok {
			delete(s.byArea[old.Area], one.Record)
			delete(s.byRecord, one.Record)
			if at, there := slices.BinarySearchFunc(s.byDay[old.Area], dated{old.Day, old.Record}, dated.compare); there {
				s.byDay[old.Area] = slices.Delete(s.byDay[old.Area], at, at+1)
			}
		}
		if one.Day == 0 {
			continue
		}
		if s.byArea[one.Area] == nil {
			s.byArea[one.Area] = make(map[syncproto.RecordID]Signature)
		}
		s.byRecord[one.Record], s.byArea[one.Area][one.Record] = one, one
		at, _ := slices.BinarySearchFunc(s.byDay[one.Area], dated{one.Day, one.Record}, dated.compare)
		s.byDay[one.Area] = slices.Insert(s.byDay[one.Area], at, dated{one.Day, one.Record})
	}
}

// moved goes over the days signed for an area whose figures move with what happens on a day:
// that day, and for what stands each one after it.
func (s *signatures) moved(key area.Key, day form.Day, stands bool) iter.Seq2[syncproto.RecordID, Signature] {
	return func(yield func(syncproto.RecordID, Signature) bool) {
		days := s.byDay[key]
		at, _ := slices.BinarySearchFunc(days, dated{day: day}, dated.compare)
		for _, d := range days[at:] {
			if d.day != day && !stands || !yield(d.record, s.byRecord[d.record]) {
				return
			}
		}
	}
}

// signatureOf reads a record with which a day is signed.
func signatureOf(w *world, s *seen) (Signature, bool) {
	day, ok := form.ParseDay(textOf(s.shown.Values, "day"))
	if !ok || s.record.Kind != review.DayCloseKind || s.shown.Exit != nil {
		return Signature{}, false
	}
	signed := Signature{Record: s.record.ID, Area: w.keyOf(s.record.Area), Day: day}
	if isReturned(s) { // nothing is signed until it is signed again
		return signed, signed.Area != 0
	}
	if json.Unmarshal([]byte(textOf(s.shown.Values, "figures")), &signed.Figures) != nil {
		return Signature{}, false
	}
	return signed, signed.Area != 0
}

// standingMeasures are the names of all measures, and which are standing.
func standingMeasures(forms form.Set) map[string]bool {
	standing := make(map[string]bool)
	for _, kind := range forms.Kinds() {
		for _, m := range forms.Newest(kind).Measures {
			standing[m.Name] = m.Standing
		}
	}
	return standing
}

// drifts follows the days signed: what the counters' moves do to their figures, and the
// days that this group signs. A day whose figures no longer hold is a question.
func (g *group) drifts(q *inquiry, moves []rollup.Count) error {
	moved := make(map[syncproto.RecordID]Signature)
	g.drift(moved, moves)
	g.restate()
	if err := g.reshape(moved, moves); err != nil {
		return err
	}
	for _, w := range g.order {
		if w.applied == 0 || w.now.Kind != review.DayCloseKind {
			continue
		}
		g.closed(q, w)
		signed, ok := signatureOf(g.after(), w.present(g.snap))
		if !ok {
			signed = Signature{Record: w.id}
		} else if err := g.compareFigures(&signed, moves); err != nil {
			return err
		}
		moved[w.id] = signed
	}
	for _, id := range g.ruledDays {
		if signed, known := g.w.signed.byRecord[id]; known {
			if _, already := moved[id]; !already {
				moved[id] = signed
			}
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(moved), func(a, b syncproto.RecordID) int { return cmp.Compare(a.String(), b.String()) }) {
		signed := moved[id]
		g.batch.Signatures = append(g.batch.Signatures, signed)
		key := review.Key{Kind: review.Restated, Record: id}
		if len(signed.Drift) == 0 {
			q.ask(key)
			continue
		}
		q.raise(raised{Key: key, desk: signed.Area, version: g.next})
	}
	return nil
}

// reshape works out anew what has come of the days signed for areas to which others belong
// now than when that was last done.
func (g *group) reshape(moved map[syncproto.RecordID]Signature, moves []rollup.Count) error {
	if !g.reshaped {
		return nil
	}
	for key, days := range g.w.signed.byArea {
		scope := scopeOf(g.snap, key)
		for id, signed := range days {
			if signed.Scope == scope {
				continue
			}
			if err := g.compareFigures(&signed, moves); err != nil {
				return err
			}
			moved[id] = signed
		}
	}
	return nil
}

// scopeOf is a fingerprint of the areas that count into an area's figures.
func scopeOf(snap *registry.Snapshot, key area.Key) int64 {
	n, _ := snap.Areas.ByKey(key)
	var sum uint64
	for _, below := range snap.Areas.Subtree(n.ID) {
		sum += hash(fnvOffset, string(below.ID)) // in whatever order
	}
	return int64(sum)
}

// drift adds the moves of counters to the days signed for their areas and all above.
func (g *group) drift(moved map[syncproto.RecordID]Signature, moves []rollup.Count) {
	if len(g.w.signed.byRecord) == 0 {
		return
	}
	standing := standingMeasures(g.snap.Forms)
	for _, c := range moves {
		n, _ := g.snap.Areas.ByKey(c.Area)
		for _, above := range g.snap.Areas.Path(n.ID) {
			for id, signed := range g.w.signed.moved(above.Key, c.Day, standing[c.Measure]) {
				if again, ok := moved[id]; ok {
					signed = again
				} else {
					signed.Drift = maps.Clone(signed.Drift)
				}
				signed.move(c.Measure, c.N)
				moved[id] = signed
			}
		}
	}
}

// move moves one figure. Only what was signed can be restated.
func (s *Signature) move(measure string, n int64) {
	if _, signed := s.Figures[measure]; !signed {
		return
	}
	if s.Drift == nil {
		s.Drift = make(map[string]int64)
	}
	if s.Drift[measure] += n; s.Drift[measure] == 0 {
		delete(s.Drift, measure)
	}
}

// figures are what an area came to on the day signed, with all below it, before the group.
func (g *group) figures(signed *Signature, below map[area.Key]bool, standing map[string]bool) ([]rollup.Count, error) {
	if g.batch.Tree == nil {
		return g.tx.Sums([]area.Key{signed.Area}, rollup.On(signed.Day), standing)
	}
	// The sums that are stored are those of the tree before: the counters know of no tree.
	return g.tx.Totals(slices.Collect(maps.Keys(below)), signed.Day, standing)
}

// compareFigures holds figures that are signed now against the counters as the group
// leaves them.
func (g *group) compareFigures(signed *Signature, moves []rollup.Count) error {
	n, _ := g.snap.Areas.ByKey(signed.Area)
	below := make(map[area.Key]bool)
	for _, node := range g.snap.Areas.Subtree(n.ID) {
		below[node.Key] = true
	}
	standing := standingMeasures(g.snap.Forms)
	counts, err := g.figures(signed, below, standing)
	if err != nil {
		return fmt.Errorf("group: figures of %s: %w", signed.Day, err)
	}
	for _, c := range moves {
		if below[c.Area] && (c.Day == signed.Day || standing[c.Measure] && c.Day < signed.Day) {
			counts = append(counts, c)
		}
	}
	signed.Drift, signed.Scope = nil, scopeOf(g.snap, signed.Area)
	for measure, figure := range signed.Figures {
		signed.move(measure, -figure)
	}
	for _, c := range counts {
		signed.move(c.Measure, c.N)
	}
	return nil
}
