package exchange

import (
	"fmt"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/merge"
)

// save writes what the group changed, in one batch.
func (g *group) save() error {
	b := &g.batch
	b.Last, b.Now = g.next, g.now
	b.Log = make([]Logged, 0, len(g.log))
	for _, l := range g.log {
		b.Log = append(b.Log, *l)
	}
	for _, l := range g.released {
		b.Released = append(b.Released, *l)
	}
	d := newDelta(g.snap, g.w.service.heads)
	d.batch.Records = make([]RecordChange, 0, len(g.order))
	for _, w := range g.order {
		if w.applied > 0 {
			d.move(w)
		}
	}
	d.into(b)
	for _, state := range g.devices {
		b.Devices = append(b.Devices, *state)
	}
	if err := g.tx.Save(b); err != nil {
		return fmt.Errorf("group: save: %w", err)
	}
	return nil
}

// derived is everything that a record as it stands adds to what is kept beside
// the records.
type derived struct {
	counts    []rollup.Count
	sightings []rollup.Sighting
	items     []review.Key
}

// looked is a record's live parts, looked at: what they show and what they count.
type looked struct {
	merge.Brief
	counts []form.Count
}

func look(f *form.Form, live []syncproto.Part) looked {
	shown := merge.Glance(f, live)
	return looked{Brief: shown, counts: f.Counts(shown.Values, shown.Exit)}
}

// derive computes what a record adds. It is a pure function of the record, the
// forms and the tree: what was kept can be recomputed from the log.
func derive(snap *registry.Snapshot, r *syncproto.Record, shown looked) derived {
	n, _ := snap.Areas.Find(r.Area)
	d := derived{
		counts:    rollup.In(n.Key, shown.counts),
		sightings: rollup.SightingsOf(snap.Forms.Newest(r.Kind), n.Key, r, shown.Brief),
	}
	for _, name := range shown.Disputed {
		kind := review.Conflict
		if name == syncproto.FieldExit {
			kind = review.Exit
		}
		d.items = append(d.items, review.Key{Kind: kind, Record: r.ID, Field: name})
	}
	return d
}

// delta adds up what the records of a group move.
type delta struct {
	snap   *registry.Snapshot
	ends   *heads
	counts map[counter]int64
	heads  map[Feed]Head
	batch  Batch
}

type counter struct {
	area    area.Key
	day     form.Day
	measure string
}

func newDelta(snap *registry.Snapshot, ends *heads) *delta {
	return &delta{snap: snap, ends: ends, counts: make(map[counter]int64), heads: make(map[Feed]Head)}
}

// move takes away what the record added before and adds what it does now.
func (d *delta) move(w *working) {
	change := RecordChange{Record: *w.now, Feed: feedOf(d.snap, w.now), Sole: w.sole != nil, New: w.before == nil}
	after := derive(d.snap, w.now, w.shown)
	var before derived
	if w.before != nil {
		change.Before, change.BeforeVersion = feedOf(d.snap, w.before), w.before.Version
		before = derive(d.snap, w.before, look(d.snap.Forms.Newest(w.before.Kind), w.before.Live))
	}
	d.batch.Records = append(d.batch.Records, change)
	for _, c := range before.counts {
		d.counts[counter{c.Area, c.Day, c.Measure}] -= c.N
	}
	for _, c := range after.counts {
		d.counts[counter{c.Area, c.Day, c.Measure}] += c.N
	}
	d.batch.Unseen = append(d.batch.Unseen, minus(before.sightings, after.sightings)...)
	d.batch.Seen = append(d.batch.Seen, minus(after.sightings, before.sightings)...)
	d.moveFeed(change)
}

// minus returns the elements of a that b has not.
func minus[T comparable](a, b []T) []T {
	var out []T
	for _, x := range a {
		if !slices.Contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}

// moveFeed moves the heads of the feeds that the record leaves and enters.
func (d *delta) moveFeed(c RecordChange) {
	if !c.New {
		head := d.head(c.Before)
		head.Sum -= syncproto.RowSum(c.Record.ID, c.BeforeVersion)
		head.Records--
		head.Last = max(head.Last, c.Record.Version)
		d.heads[c.Before] = head
	}
	head := d.head(c.Feed)
	head.Sum += syncproto.RowSum(c.Record.ID, c.Record.Version)
	head.Records++
	head.Last = max(head.Last, c.Record.Version)
	d.heads[c.Feed] = head
}

func (d *delta) head(f Feed) Head {
	if head, ok := d.heads[f]; ok {
		return head
	}
	head := d.ends.of(f)
	head.Feed = f
	return head
}

// into writes the sums into a group's batch.
func (d *delta) into(b *Batch) {
	b.Records, b.Seen, b.Unseen = d.batch.Records, d.batch.Seen, d.batch.Unseen
	for c, n := range d.counts {
		if n != 0 {
			b.Counts = append(b.Counts, rollup.Count{Area: c.area, Day: c.day, Measure: c.measure, N: n})
		}
	}
	for _, head := range d.heads {
		b.Heads = append(b.Heads, head)
	}
}
