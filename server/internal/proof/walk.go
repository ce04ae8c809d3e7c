package proof

import (
	"context"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// walk goes over the areas of a number, and in each over the records that may count there.
type walk struct {
	s        *Service
	snap     *registry.Snapshot
	counting *exchange.Counting
	measure  *form.Measure
	kind     syncproto.Kind
	days     rollup.Days
	nodes    []area.Node
	page     *Rows
	at       place
	limit    int
	budget   int
	// pivot is what the store said LastBefore the days is, once it was asked: it is the same
	// in every area.
	pivot *syncproto.Version
}

func (w *walk) standing() map[string]bool {
	return map[string]bool{w.measure.Name: w.measure.Standing}
}

// run fills the page.
func (w *walk) run(ctx context.Context) error {
	if err := w.number(ctx); err != nil {
		return err
	}
	ones, twins, err := w.s.store.Ones(ctx)
	if err != nil {
		return err
	}
	w.counting = exchange.NewCounting(w.snap, ones, twins)
	first := max(0, slices.IndexFunc(w.nodes, func(n area.Node) bool { return n.Key == w.at.area }))
	for nodes := range slices.Chunk(w.nodes[first:], chunk) {
		wanted, err := w.wanted(ctx, nodes)
		if err != nil {
			return err
		}
		for _, n := range nodes {
			want := wanted[n.Key]
			if want == nil {
				continue
			}
			if w.at.area != n.Key {
				w.at = place{area: n.Key}
			}
			whole, err := w.area(ctx, n, *want)
			if err != nil {
				return err
			}
			if !whole {
				w.page.Next = w.at.String()
				return nil
			}
		}
	}
	return nil
}

// number reads what is to be opened.
func (w *walk) number(ctx context.Context) error {
	summed, err := w.s.store.Sums(ctx, []area.Key{w.nodes[0].Key}, w.days, w.standing())
	if err != nil {
		return err
	}
	w.page.Version, w.page.At = summed.Version, summed.At
	for _, c := range summed.Counts {
		w.page.Value += c.N
	}
	carried, err := w.s.store.Carried(ctx, keysOf(w.nodes), w.measure.Name, w.days)
	for _, c := range carried {
		w.page.Purged += c.N
	}
	return err
}

// wanted says in which of some areas anything counts, and how much of it has rows.
//
// What records count is nowhere below 0 but in measures that add up amounts: in an area
// whose own sum is 0 there is nothing to find, and where all of it was found nothing more.
func (w *walk) wanted(ctx context.Context, nodes []area.Node) (map[area.Key]*int64, error) {
	var own []rollup.Count
	var err error
	if w.measure.Sum != "" {
		own, err = w.s.store.Own(ctx, keysOf(nodes), w.measure.Name, w.days)
	} else {
		own, err = w.own(ctx, nodes)
	}
	if err != nil {
		return nil, err
	}
	carried, err := w.s.store.Carried(ctx, keysOf(nodes), w.measure.Name, w.days)
	if err != nil {
		return nil, err
	}
	wanted := make(map[area.Key]*int64)
	for _, c := range own {
		wanted[c.Area] = &c.N
	}
	for _, c := range carried {
		if n := wanted[c.Area]; n != nil {
			*n -= c.N
		}
	}
	for key, n := range wanted {
		if *n == 0 && w.measure.Sum == "" {
			delete(wanted, key)
		}
	}
	return wanted, nil
}

// own works out what areas themselves come to from what they come to with all below them:
// however many days there have been.
func (w *walk) own(ctx context.Context, nodes []area.Node) ([]rollup.Count, error) {
	keys := keysOf(nodes)
	above := make(map[area.Key]area.Key)
	for _, n := range nodes {
		for _, child := range w.snap.Areas.Children(n.ID) {
			above[child.Key] = n.Key
			keys = append(keys, child.Key)
		}
	}
	slices.Sort(keys)
	summed, err := w.s.store.Sums(ctx, slices.Compact(keys), w.days, w.standing())
	if err != nil {
		return nil, err
	}
	mine := make(map[area.Key]int64)
	for _, c := range summed.Counts {
		mine[c.Area] += c.N
		if up, ok := above[c.Area]; ok {
			mine[up] -= c.N
		}
	}
	own := make([]rollup.Count, 0, len(nodes))
	for _, n := range nodes {
		own = append(own, rollup.Count{Area: n.Key, Measure: w.measure.Name, N: mine[n.Key]})
	}
	return own, nil
}

// area goes over the records that may count in an area, and reports whether it came to the
// end. What happened on a day was received from that day on, as a rule: those records are
// looked at first, and the older ones only if they don't come to the number.
func (w *walk) area(ctx context.Context, n area.Node, want int64) (bool, error) {
	for {
		if w.measure.Sum == "" && w.at.found == want {
			return true, nil
		}
		if len(w.page.Rows) >= w.limit || w.budget <= 0 {
			return false, nil
		}
		if w.at.phase == over {
			return true, nil
		}
		records, err := w.look(ctx, n)
		if err != nil {
			return false, err
		}
		w.take(n, records)
	}
}

// looked is a record that may count.
type looked struct {
	id      syncproto.RecordID
	version syncproto.Version
}

// look reads the records that come next.
func (w *walk) look(ctx context.Context, n area.Node) ([]looked, error) {
	switch w.at.phase {
	case begin:
		return nil, w.begin(ctx)
	case lodged:
		return w.lodgers(ctx, n)
	}
	return w.listed(ctx, n)
}

// begin finds out from which version on the records are looked at first.
func (w *walk) begin(ctx context.Context) error {
	w.at.phase = since
	start, ok := startOf(w.days.From)
	if w.measure.Standing || !ok {
		return nil
	}
	if w.pivot == nil {
		pivot, err := w.s.store.LastBefore(ctx, start)
		if err != nil {
			return err
		}
		w.pivot = &pivot
	}
	w.at.version, w.at.pivot = *w.pivot, *w.pivot
	return nil
}

// listed reads records that the area lists, and those that are one with them.
func (w *walk) listed(ctx context.Context, n area.Node) ([]looked, error) {
	records, _, err := w.s.store.Roster(ctx, []area.Key{n.Key}, w.kind, roster.Place{Area: n.Key, Version: w.at.version}, w.rows())
	if err != nil {
		return nil, err
	}
	w.at.ended = len(records) < w.rows()
	if w.at.phase == before {
		if i := slices.IndexFunc(records, func(r syncproto.Record) bool { return r.Version > w.at.pivot }); i >= 0 {
			records, w.at.ended = records[:i], true
		}
	}
	all := make([]looked, len(records))
	for i := range records {
		all[i] = looked{records[i].ID, records[i].Version}
	}
	return all, w.know(ctx, records)
}

// lodgers reads records that belonged to the area once.
func (w *walk) lodgers(ctx context.Context, n area.Node) ([]looked, error) {
	ids, err := w.s.store.Lodgers(ctx, n.Key, w.at.record, w.rows())
	if err != nil {
		return nil, err
	}
	w.at.ended = len(ids) < w.rows()
	records, err := w.s.store.RecordsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	all := make([]looked, len(ids))
	for i := range ids {
		all[i].id = ids[i]
	}
	return all, w.know(ctx, records)
}

// rows is how many records are read at a time: no more than may be looked at.
func (w *walk) rows() int { return min(read, max(w.budget, 1)) }

// know remembers records with all that count as one with any of them.
func (w *walk) know(ctx context.Context, records []syncproto.Record) error {
	w.counting.Forget()
	w.counting.Know(records)
	w.budget -= len(records)
	var others []syncproto.RecordID
	for i := range records {
		if with := w.counting.With(records[i].ID); len(with) > 1 {
			others = append(others, with...)
		}
	}
	found, err := w.s.store.RecordsByID(ctx, others)
	w.counting.Know(found)
	return err
}

// take puts those records on the page that count in an area, and moves the place on: to the
// last record that was looked at, or to the next phase if all were.
func (w *walk) take(n area.Node, records []looked) {
	for _, r := range records {
		if len(w.page.Rows) >= w.limit {
			return
		}
		w.at.version, w.at.record = r.version, r.id
		if one, there := w.counting.Of(r.id); there && one.Record.ID == r.id {
			w.add(n, &one)
		}
	}
	if w.at.ended {
		w.at = w.at.next()
	}
}

// add puts records on the page that count as one, if they count here. One that is listed
// here is not looked at again as one that belonged here once.
func (w *walk) add(n area.Node, one *exchange.Counted) {
	if w.at.phase == lodged && one.Record.Area == n.ID {
		return
	}
	row := Row{CountedIn: n.ID, Twins: one.Twins}
	for _, c := range one.Counts {
		if c.Area == n.Key && c.Measure == w.measure.Name && w.days.From <= c.Day && c.Day <= w.days.To {
			row.N += c.N
		}
	}
	if row.N == 0 {
		return
	}
	row.Row = roster.NewRow(w.snap, one.Record, one.Absorbed...)
	w.at.found += row.N
	w.page.Rows = append(w.page.Rows, row)
}

func keysOf(nodes []area.Node) []area.Key {
	keys := make([]area.Key, len(nodes))
	for i := range nodes {
		keys[i] = nodes[i].Key
	}
	return keys
}
