package exchange

import (
	"fmt"

	"gridsync/server/internal/area"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto/form"
)

// SumTx keeps what areas come to together with all below them.
type SumTx interface {
	// SumTree returns the tree that the sums follow.
	SumTree() (rollup.Tree, error)
	// Whole returns everything that areas come to with all below them: of days, too.
	Whole(areas []area.Key) (map[area.Key][]rollup.Sum, error)
	// Sums adds up, for each of the areas and all below it, measures over days, as
	// rollup.Store does.
	Sums(areas []area.Key, days rollup.Days, standing map[string]bool) ([]rollup.Count, error)
}

// replant carries the sums over to the tree of areas as it is now, if it is another one
// than that of the group before. It comes before anything that is counted.
func (g *group) replant() error {
	if g.snap.Areas.Shape() == g.w.planted {
		return nil
	}
	was, err := g.tx.SumTree()
	if err != nil {
		return fmt.Errorf("group: the tree of sums: %w", err)
	}
	now := g.w.trees.of(g.snap)
	g.planted = now.Shape
	if was.Shape == now.Shape { // somebody else's work, or that of an earlier process
		return nil
	}
	displaced := was.Displaced(now)
	whole, err := g.tx.Whole(displaced)
	if err != nil {
		return fmt.Errorf("group: what areas take along: %w", err)
	}
	g.batch.Sums = was.Carry(now, displaced, whole)
	g.batch.Tree = now.Since(was)
	return nil
}

// sum moves the sums as the counters move.
func (g *group) sum() {
	b := &g.batch
	if len(b.Counts) > 0 {
		b.Sums = rollup.Added(b.Sums, g.w.trees.of(g.snap).Sums(b.Counts))
	}
}

// trees remembers the tree that was asked for last.
type trees struct{ last rollup.Tree }

func (t *trees) of(snap *registry.Snapshot) rollup.Tree {
	if t.last.Parents == nil || t.last.Shape != snap.Areas.Shape() {
		t.last = rollup.TreeOf(snap.Areas)
	}
	return t.last
}

// lodge notes in which former areas a record counts for its days. was is nil for one that is
// new.
func (d *delta) lodge(was, now *seen) {
	var before []rollup.Lodging
	if was != nil {
		before = d.lodgings(was)
	}
	after := d.lodgings(now)
	d.batch.Unlodged = append(d.batch.Unlodged, minus(before, after)...)
	d.batch.Lodged = append(d.batch.Lodged, minus(after, before)...)
}

// lodgings are the former areas of a record in which it counts for its days.
func (d *delta) lodgings(s *seen) []rollup.Lodging {
	var all []rollup.Lodging
	for _, past := range form.ResidencesOf(s.shown.Values) {
		n, known := d.snap.Areas.Find(past.Area)
		if l := (rollup.Lodging{Area: n.Key, Record: s.record.ID}); known {
			all = append(all, l)
		}
	}
	return unique(all)
}
