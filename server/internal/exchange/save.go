package exchange

import (
	"fmt"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/match"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// save works out what follows from what the group did, and writes all of it in one
// batch. Pairs come first, as open double visits count as one; then the counters; then the
// days signed, which the counters move; then the questions.
func (g *group) save() error {
	b := &g.batch
	q := newInquiry(g)
	q.touched()
	if err := q.ruled(); err != nil {
		return err
	}
	if err := g.pairs(q); err != nil {
		return err
	}
	b.Last, b.Now = g.next, g.now
	d := newDelta(g.snap, g.w.service.heads, g.w.service.digester)
	d.batch.Records = make([]RecordChange, 0, len(g.order))
	for _, w := range g.order {
		if w.applied > 0 {
			d.move(w)
		}
	}
	g.count(d)
	g.dwell(d)
	d.into(b)
	g.sum()
	if err := g.drifts(q, b.Counts); err != nil {
		return err
	}
	q.waiting()
	q.pulses()
	if err := q.settle(); err != nil {
		return err
	}
	g.alarm()
	g.saveLinks()
	g.saveLog()
	if err := g.saveDevices(); err != nil {
		return err
	}
	if g.failure != nil {
		return g.failure
	}
	if err := g.write(); err != nil {
		return fmt.Errorf("group: save: %w", err)
	}
	return nil
}

// write saves the batch, and with it the group's turn. Where nobody else is there to read
// it, the store only counts it: whoever comes later has booted, and whoever is there all
// the same boots.
func (g *group) write() error {
	turn := g.turn()
	turn.Unsaid = g.w.service.alone
	g.batch.Turn = turn
	if err := g.tx.Save(&g.batch); err != nil {
		return err
	}
	g.saved = turn
	return nil
}

// saveLog chains the new rows and adds them and the settled ones to the batch.
func (g *group) saveLog() {
	b := &g.batch
	b.Log = make([]Logged, 0, len(g.log))
	for _, l := range g.log {
		if l.hash == (syncproto.Hash{}) {
			l.hash = l.Change.Hash()
		}
		g.chain = ChainOf(g.chain, l, l.hash)
		l.Chain = g.chain
		b.Log = append(b.Log, *l)
	}
	for _, l := range g.released {
		b.Released = append(b.Released, *l)
	}
}

// saveDevices tells devices of the last thing that their authors are to hear, and adds
// them to the batch.
func (g *group) saveDevices() error {
	told := make([]syncproto.DeviceID, len(g.batch.Told))
	for i := range told {
		told[i] = g.batch.Told[i].Device
	}
	if err := g.loadDevices(told); err != nil {
		return err
	}
	for i := range g.batch.Told {
		t := &g.batch.Told[i]
		state, err := g.device(t.Device)
		if err != nil {
			return err
		}
		state.Told = max(state.Told, t.Version)
	}
	for _, state := range g.devices {
		g.batch.Devices = append(g.batch.Devices, *state)
	}
	return nil
}

// saveLinks adds to the batch what has changed of which records are one.
func (g *group) saveLinks() {
	for _, id := range unique(g.relinked) {
		if was, now := g.w.links.into[id], g.links.into[id]; was != now {
			g.batch.Links = append(g.batch.Links, Link{Record: id, Into: now})
		}
	}
}

// count moves the counters.
func (g *group) count(d *delta) {
	g.counted(func(_ syncproto.RecordID, counts []rollup.Count, sign int64) { d.add(counts, sign) })
}

// counted tells what each record counted before the group, with sign -1, and what it counts
// after it. A record that is one with others counts with them, once.
func (g *group) counted(tell func(id syncproto.RecordID, counts []rollup.Count, sign int64)) {
	before, after := g.before(), g.after()
	together := g.together()
	joint := make(map[syncproto.RecordID]bool, len(together))
	for _, id := range together {
		joint[id] = true
	}
	for _, w := range g.order {
		if w.applied == 0 || joint[w.id] {
			continue
		}
		if was := w.past(g.snap); was != nil {
			tell(w.id, before.inAreas(was.record, was.shown.counts), -1)
		}
		now := w.present(g.snap)
		tell(w.id, after.inAreas(now.record, now.shown.counts), 1)
	}
	before.countedGroups(together, -1, tell)
	after.countedGroups(together, 1, tell)
}

// together lists the records whose counts may have moved that count with others, before
// or after the group, and those others.
func (g *group) together() []syncproto.RecordID {
	var ids []syncproto.RecordID
	for _, w := range g.order {
		if w.applied > 0 && (!g.w.links.alone(w.id) || !g.links.alone(w.id)) {
			ids = append(ids, w.id)
		}
	}
	for _, id := range g.relinked {
		if !id.IsZero() {
			ids = append(ids, id)
		}
	}
	ids = unique(ids)
	for i := 0; i < len(ids); i++ {
		for _, l := range []*links{g.w.links, g.links} {
			for _, id := range l.counted(ids[i]) {
				if !slices.Contains(ids, id) {
					ids = append(ids, id)
				}
			}
		}
	}
	return ids
}

// addGroups adds what records count that count together, each group once.
func (d *delta) addGroups(w *world, ids []syncproto.RecordID, sign int64) {
	w.countedGroups(ids, sign, func(_ syncproto.RecordID, counts []rollup.Count, sign int64) { d.add(counts, sign) })
}

// countedGroups tells what records count that count together, each group once.
func (w *world) countedGroups(ids []syncproto.RecordID, sign int64, tell func(syncproto.RecordID, []rollup.Count, int64)) {
	done := make(map[syncproto.RecordID]bool)
	for _, id := range ids {
		all := w.links.counted(id)
		if !done[all[0]] {
			done[all[0]] = true
			tell(all[0], w.counts(id), sign)
		}
	}
}

func (d *delta) add(counts []rollup.Count, sign int64) {
	for _, c := range counts {
		d.counts[counter{c.Area, c.Day, c.Measure}] += sign * c.N
	}
}

// delta adds up what the records of a group move.
type delta struct {
	snap     *registry.Snapshot
	ends     *heads
	digester match.Digester
	counts   map[counter]int64
	heads    map[Feed]Head
	batch    Batch
	// dwellings are the households that come (1) and go (-1).
	dwellings map[rollup.Dwelling]int
}

type counter struct {
	area    area.Key
	day     form.Day
	measure string
}

func newDelta(snap *registry.Snapshot, ends *heads, digester match.Digester) *delta {
	return &delta{snap: snap, ends: ends, digester: digester, counts: make(map[counter]int64), heads: make(map[Feed]Head), dwellings: make(map[rollup.Dwelling]int)}
}

// move notes where a record was and where it is: its feeds, whom it met, and where it
// stands in the index.
func (d *delta) move(w *working) {
	now, was := w.present(d.snap), w.past(d.snap)
	change := RecordChange{Record: *w.now, Feed: feedOf(d.snap, w.now), Sole: w.sole != nil, New: was == nil}
	var before []rollup.Sighting
	profile := &looked{}
	if was != nil {
		change.Before, change.BeforeVersion = feedOf(d.snap, w.before), w.before.Version
		before, profile = d.sightings(was), was.shown
	}
	d.batch.Records = append(d.batch.Records, change)
	after := d.sightings(now)
	d.batch.Unseen = append(d.batch.Unseen, minus(before, after)...)
	d.batch.Seen = append(d.batch.Seen, minus(after, before)...)
	d.lodge(was, now)
	d.trace(was, now)
	d.index(w.id, profile, now.shown)
	d.moveFeed(change)
}

func (d *delta) sightings(s *seen) []rollup.Sighting {
	n, _ := d.snap.Areas.Find(s.record.Area)
	return rollup.SightingsOf(d.snap.Forms.Newest(s.record.Kind), envOf(d.snap.Settings, s.shown.Area), n.Key, s.record, s.shown.Brief)
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
	b.Indexed, b.Unindexed = d.batch.Indexed, d.batch.Unindexed
	b.Lodged, b.Unlodged = d.batch.Lodged, d.batch.Unlodged
	d.traced(b)
	for c, n := range d.counts {
		if n != 0 {
			b.Counts = append(b.Counts, rollup.Count{Area: c.area, Day: c.day, Measure: c.measure, N: n})
		}
	}
	for _, head := range d.heads {
		b.Heads = append(b.Heads, head)
	}
}
