package exchange

import (
	"fmt"
	"maps"
	"slices"

	"gridsync/server/internal/plausible"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// purging is a group that takes content away. It does nothing else, like a decision: it is
// kept whole or not at all.
type purging struct {
	g   *group
	job *purgeJob
	// items are the questions that were ever about each record, rows what the log holds of
	// it.
	items map[syncproto.RecordID][]review.Item
	rows  map[syncproto.RecordID][]Logged
	// windows are the open questions about how somebody's entries came, samples the records
	// that stand for them.
	windows map[string]bool
	samples map[syncproto.RecordID]bool
	// delta moves feeds, sightings and the index; carried adds up what was counted.
	delta, carried *delta
	visits         map[PurgedVisits]int64
	// watched are the devices whose pulse was made of what goes.
	watched map[syncproto.DeviceID]bool
	taken   map[syncproto.RecordID]bool
	out     Purging
}

// purge does one group's share of an order.
func (g *group) purge(j *purgeJob) error {
	p := &purging{
		g: g, job: j,
		items: make(map[syncproto.RecordID][]review.Item), rows: make(map[syncproto.RecordID][]Logged),
		windows: make(map[string]bool), samples: make(map[syncproto.RecordID]bool),
		delta: newDelta(g.snap, g.w.service.heads, g.w.service.digester), carried: newDelta(g.snap, g.w.service.heads, g.w.service.digester),
		visits:  make(map[PurgedVisits]int64),
		watched: make(map[syncproto.DeviceID]bool), taken: make(map[syncproto.RecordID]bool),
	}
	j.done = Purged{}
	if err := p.load(); err != nil {
		return fmt.Errorf("group: purge: %w", err)
	}
	for _, id := range j.ids {
		if p.taken[id] || g.records[id].now == nil {
			continue
		}
		if together := p.together(id); p.mayGo(together) {
			p.take(together)
		} else {
			j.done.Kept++
		}
	}
	if g.failure != nil {
		return g.failure
	}
	return p.save()
}

// load fetches the records asked for, all that are one with them, what was ever asked
// about any of them, what people said about that, and the logs of all.
func (p *purging) load() error {
	windows, err := p.g.tx.OpenWindows()
	if err != nil {
		return err
	}
	for i := range windows {
		p.windows[windows[i].Field] = true
		p.samples[windows[i].Sample] = true
	}
	var all []syncproto.RecordID
	for _, id := range p.job.ids {
		all = append(all, p.g.links.same(id)...)
	}
	all = unique(all)
	known := make(map[review.Key]bool)
	for next := all; len(next) > 0; {
		if err := p.g.loadRecords(next); err != nil {
			return err
		}
		items, err := p.g.tx.ItemsOf(next)
		if err != nil {
			return err
		}
		next = nil
		for _, it := range items {
			if known[it.Key] {
				continue
			}
			known[it.Key] = true
			for _, about := range []syncproto.RecordID{it.Record, it.Other()} {
				p.items[about] = append(p.items[about], it)
			}
			if id := it.ID(); !slices.Contains(all, id) {
				next = append(next, id)
			}
		}
		all = append(all, next...)
	}
	rows, err := p.g.tx.Logs(all)
	for i := range rows {
		id := rows[i].Change.Record
		p.rows[id] = append(p.rows[id], rows[i])
	}
	return err
}

// together lists what goes only together: a record, all that are one with it, and what
// people said about questions about any of them.
func (p *purging) together(id syncproto.RecordID) []syncproto.RecordID {
	there := func(id syncproto.RecordID) bool { return p.g.records[id].now != nil && !p.taken[id] }
	all := slices.DeleteFunc(p.g.links.same(id), func(id syncproto.RecordID) bool { return !there(id) })
	for i := 0; i < len(all); i++ {
		for j := range p.items[all[i]] {
			if said := p.items[all[i]][j].ID(); there(said) && !slices.Contains(all, said) {
				all = append(all, said)
			}
		}
	}
	return all
}

// mayGo reports whether records may go, all of them.
func (p *purging) mayGo(together []syncproto.RecordID) bool {
	for _, id := range together {
		asked := slices.ContainsFunc(p.items[id], func(it review.Item) bool { return it.Closed == 0 })
		if asked || p.samples[id] || !p.ordered(id) {
			return false
		}
		for i := range p.rows[id] {
			if !p.old(&p.rows[id][i]) {
				return false
			}
		}
	}
	return p.left(together[0])
}

// ordered reports whether the order is for a record.
func (p *purging) ordered(id syncproto.RecordID) bool {
	r := p.g.records[id].now
	if r.Kind == review.RecordKind {
		return true // what people said about the others
	}
	within := p.job.order.Area == "" || p.g.snap.Areas.Within(r.Area, p.job.order.Area)
	return r.Kind == p.job.order.Kind && within && len(r.Live) > 0
}

// left reports whether a record is not, or no longer, on a roster: of those that are one,
// the survivor says so.
func (p *purging) left(id syncproto.RecordID) bool {
	root := p.g.known(p.g.links.root(id))
	if root.now == nil {
		return false
	}
	stands := p.g.snap.Forms.Newest(root.now.Kind).Stream == form.Roster
	return !stands || root.present(p.g.snap).shown.Exit != nil
}

// old reports whether nothing of a row keeps its record: it does not wait, it came in and
// happened long enough ago, and no open question about a window looks at it.
func (p *purging) old(l *Logged) bool {
	if l.Version == 0 && l.Reason != syncproto.CodeResubmitted || l.Received >= p.job.before || l.Time >= p.job.before {
		return false
	}
	return !slices.ContainsFunc(p.beats(l), func(b plausible.Beat) bool { return p.windows[b.Bucket.String()] })
}

// beats are a row's shares in the windows of its device's pulse.
func (p *purging) beats(l *Logged) []plausible.Beat {
	f := p.g.snap.Forms.Newest(l.Change.Kind)
	if !beats(f, l) {
		return nil
	}
	return beatsOf(p.g.snap, f, l, nil)
}

// take takes records away that go together.
func (p *purging) take(together []syncproto.RecordID) {
	p.carried.addGroups(p.g.before(), together, 1)
	for _, id := range together {
		p.taken[id] = true
		p.g.next++
		was := p.g.records[id].past(p.g.snap)
		feed := feedOf(p.g.snap, was.record)
		p.out.Records = append(p.out.Records, PurgedRecord{ID: id, Feed: feed, Version: p.g.next})
		p.delta.leave(was, feed, p.g.next)
		p.visited(was)
		for i := range p.items[id] {
			p.out.Items = append(p.out.Items, p.items[id][i].ID())
		}
		for i := range p.rows[id] {
			p.clear(&p.rows[id][i])
		}
		if _, absorbed := p.g.links.into[id]; absorbed {
			p.g.relinked = append(p.g.relinked, id)
		}
		if p.out.Line.Began == 0 {
			p.out.Line.Began = p.g.next
		}
	}
	for _, id := range p.g.relinked {
		p.g.alterLinks().link(Link{Record: id})
	}
}

// clear takes a row's content away.
func (p *purging) clear(l *Logged) {
	if l.Purged != (syncproto.Hash{}) {
		return
	}
	p.out.Log = append(p.out.Log, PurgedRow{Seq: l.Seq, Hash: l.Hash()})
	if beats(p.g.snap.Forms.Newest(l.Change.Kind), l) {
		p.watched[l.Change.Device] = true
	}
}

// visited counts the rounds that a record said something of.
func (p *purging) visited(was *seen) {
	counted := make(map[PurgedVisits]bool)
	for _, s := range p.delta.sightings(was) {
		if at := (PurgedVisits{Round: s.Round, Area: s.Area}); !counted[at] {
			counted[at] = true
			p.visits[at]++
		}
	}
}

// leave takes a record out of its feed, out of sight, and out of the index.
func (d *delta) leave(was *seen, feed Feed, version syncproto.Version) {
	head := d.head(feed)
	head.Sum -= syncproto.RowSum(was.record.ID, was.record.Version)
	head.Records--
	head.Last = version
	d.heads[feed] = head
	d.batch.Unseen = append(d.batch.Unseen, d.sightings(was)...)
	d.batch.Unlodged = append(d.batch.Unlodged, d.lodgings(was)...)
	d.untrace(was)
	d.index(was.record.ID, was.shown, &looked{})
}

// save writes what goes, unless it was only to be counted.
func (p *purging) save() error {
	g, b, line := p.g, &p.g.batch, &p.out.Line
	if began := p.job.began; began != 0 {
		line.Began = began
	}
	line.At, line.By, line.Kind, line.Area, line.Older = g.now, p.job.order.By, p.job.order.Kind, p.job.order.Area, p.job.older
	line.Records, line.Changes = len(p.out.Records), len(p.out.Log)
	b.Last, b.Now = g.w.last, g.w.now
	if p.job.order.Dry || line.Records == 0 {
		line.Began, line.At, g.links = 0, 0, g.w.links
		p.job.done.Purge = *line
		return nil
	}
	line.Version = g.next
	p.delta.into(b)
	b.Last, b.Now = g.next, g.now
	g.saveLinks()
	if err := g.loadDevices(slices.Collect(maps.Keys(p.watched))); err != nil {
		return err
	}
	for device := range p.watched {
		state, err := g.device(device)
		if err != nil {
			return err
		}
		state.Pulse, state.PulseAfter = nil, g.next
	}
	if err := g.saveDevices(); err != nil {
		return err
	}
	p.out.Items = unique(p.out.Items)
	var carried Batch
	p.carried.into(&carried)
	p.out.Carried = carried.Counts
	for at, n := range p.visits {
		at.N = n
		p.out.Visits = append(p.out.Visits, at)
	}
	if err := g.write(); err != nil {
		return fmt.Errorf("group: purge: save: %w", err)
	}
	if err := g.tx.Purge(&p.out); err != nil {
		return fmt.Errorf("group: purge: %w", err)
	}
	p.job.done.Purge = *line
	return nil
}

// Hash is the change's hash, also where its content is gone.
func (l *Logged) Hash() syncproto.Hash {
	if l.Purged != (syncproto.Hash{}) {
		return l.Purged
	}
	return l.Change.Hash()
}

// loadPurged finds out which of the records that are not there were purged.
func (g *group) loadPurged(ids []syncproto.RecordID) error {
	ids = slices.DeleteFunc(ids, func(id syncproto.RecordID) bool { return g.records[id].now != nil })
	if len(ids) == 0 {
		return nil
	}
	purged, err := g.tx.Purged(ids)
	for _, id := range purged {
		g.records[id].purged = true
	}
	if err != nil {
		return fmt.Errorf("group: purged records: %w", err)
	}
	return nil
}

// heldBack are the questions about windows that were raised by entries of which some may be
// gone: they are taken as they stand, until somebody answers them.
func heldBack(stored *Derived) map[syncproto.RecordID][]review.Item {
	held := make(map[syncproto.RecordID][]review.Item)
	for _, it := range stored.Items {
		if it.Closed == 0 && it.Record.IsZero() {
			held[it.Sample] = append(held[it.Sample], it)
		}
	}
	return held
}

// carry puts what purged records counted among what the log says.
func (r *rebuilder) carry(stored *Derived) {
	r.delta.add(stored.Carried, 1)
	r.windows = heldBack(stored)
	r.pulseAfter = make(map[syncproto.DeviceID]syncproto.Version)
	for i := range stored.Devices {
		r.pulseAfter[stored.Devices[i].Device] = stored.Devices[i].PulseAfter
	}
}

// cut reports whether a row came before what its device's pulse is made of; questions about
// windows for which it stands are then raised as they are.
func (r *rebuilder) cut(l *Logged) bool {
	if l.Seq > r.pulseAfter[l.Change.Device] {
		return false
	}
	for _, it := range r.windows[l.Change.Record] {
		r.raised = append(r.raised, raised{Key: it.Key, desk: it.Area, version: it.Opened, sample: it.Sample})
	}
	return true
}
