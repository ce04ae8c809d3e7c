package exchange

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"

	"gridsync/server/internal/match"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/merge"
)

// rebuilder works out from the log everything that follows from it. It goes over the
// records twice: first to see which of them may have to do with each other, then to count
// them and to keep those few for the questions about more than one.
type rebuilder struct {
	snap     *registry.Snapshot
	diff     *Difference
	digester match.Digester
	delta    *delta
	world    *world

	devices map[syncproto.DeviceID]*tally
	links   *links
	// index is the blocked index, ranges where each record is looked for.
	index  entries
	ranges []search
	// held are the records that questions about more than one need, crowded those in
	// blocks that are too large to tell anything.
	held    map[syncproto.RecordID]*seen
	crowded map[syncproto.RecordID]bool
	pairs   []review.Key

	raised     []raised
	signatures []Signature
	// anew are the records of which something else lives than is stored: of fields whose
	// rule is another one now.
	anew []RecordChange

	// pulseAfter and windows are what a purge leaves of how entries came.
	pulseAfter map[syncproto.DeviceID]syncproto.Version
	windows    map[syncproto.RecordID][]review.Item
}

// search is where one record is looked for.
type search struct {
	id syncproto.RecordID
	match.Range
}

// tally is what the log holds of one device.
type tally struct {
	ns     []uint64
	digest syncproto.Digest
	parked int
	pulse  []byte
}

// rebuild works everything out. What is wrong with single records and rows goes into diff.
func rebuild(ctx context.Context, store Store, snap *registry.Snapshot, digester match.Digester, diff *Difference, stored *Derived) (*rebuilder, error) {
	r := &rebuilder{
		snap: snap, diff: diff, digester: digester, delta: newDelta(snap, &heads{}, digester),
		devices: make(map[syncproto.DeviceID]*tally), links: newLinks(Boot{}),
		held: make(map[syncproto.RecordID]*seen), crowded: make(map[syncproto.RecordID]bool),
	}
	r.world = &world{snap: snap, links: r.links, find: func(id syncproto.RecordID) *seen { return r.held[id] }}
	r.carry(stored)
	for _, step := range []func(context.Context, Store) error{r.survey, r.walk, r.follow} {
		if err := step(ctx, store); err != nil {
			return nil, fmt.Errorf("rebuild: %w", err)
		}
	}
	r.together()
	return r, nil
}

// survey finds out which records are one, and which may be.
func (r *rebuilder) survey(ctx context.Context, store Store) error {
	err := store.Histories(ctx, func(log []Logged, _ *syncproto.Record) error {
		s, err := r.fold(log)
		if err != nil || s == nil {
			return err
		}
		r.links.link(Link{Record: s.record.ID, Into: s.shown.SameAs})
		for _, key := range s.shown.indexed(r.digester) {
			r.index = append(r.index, match.Entry{Key: key, Record: s.record.ID})
		}
		for _, where := range s.shown.searched(r.digester) {
			r.ranges = append(r.ranges, search{s.record.ID, where})
		}
		if s.record.Kind == review.RecordKind || s.record.Kind == review.DayCloseKind {
			r.held[s.record.ID] = nil
		}
		return nil
	})
	r.index.sort()
	for _, where := range r.ranges {
		block := others(where.id, r.index.within(where.Range))
		if len(block) > match.Block {
			r.crowded[where.id] = true
			for _, id := range block {
				r.crowded[id] = true
			}
			continue
		}
		for _, id := range block {
			r.held[id], r.held[where.id] = nil, nil
			r.pairs = append(r.pairs, review.Pair(review.Duplicate, id, where.id))
		}
	}
	r.pairs = unique(r.pairs)
	r.ranges = nil
	return err
}

// walk compares each record with what is stored, counts those that stand for themselves,
// and keeps the others.
func (r *rebuilder) walk(ctx context.Context, store Store) error {
	return store.Histories(ctx, func(log []Logged, stored *syncproto.Record) error {
		r.diff.Changes += len(log)
		for i := range log {
			r.count(&log[i])
		}
		s, err := r.fold(log)
		switch {
		case err != nil:
			return err
		case s == nil:
			if stored != nil {
				r.diff.add("record %s is stored, and no change of the log was applied to it", stored.ID)
			}
			return nil
		}
		r.diff.Records++
		r.compareRecord(s.record, stored)
		r.delta.move(&working{id: s.record.ID, now: s.record, shown: s.shown})
		r.delta.batch.Records = nil // they are stored: nobody holds all of them in memory
		_, hold := r.held[s.record.ID]
		if hold || !r.links.alone(s.record.ID) {
			r.held[s.record.ID] = s
			return nil
		}
		alone := &world{snap: r.snap, links: r.links, find: func(syncproto.RecordID) *seen { return s }}
		r.delta.add(alone.inAreas(s.record, s.shown.counts), 1)
		r.delta.dwell(alone.dwellingOf(s))(1)
		r.raised = append(r.raised, alone.fieldQuestions(s.record.ID)...)
		r.raised = append(r.raised, alone.flagQuestions(s.record.ID)...)
		return nil
	})
}

func (r *rebuilder) compareRecord(now, stored *syncproto.Record) {
	switch {
	case stored == nil:
		r.diff.add("record %s is in the log and not stored", now.ID)
	case !equal(now, stored):
		r.anew = append(r.anew, RecordChange{
			Record: *now, Feed: feedOf(r.snap, now), Before: feedOf(r.snap, stored), BeforeVersion: stored.Version,
		})
		r.diff.add("record %s differs: stored as %s version %d in %s with %d live parts, the log says version %d in %s with %d",
			stored.ID, stored.Kind, stored.Version, stored.Area, len(stored.Live), now.Version, now.Area, len(now.Live))
	}
}

// follow goes along the log in its order: the chain, what devices' latest entries show,
// and what waits.
func (r *rebuilder) follow(ctx context.Context, store Store) error {
	var last syncproto.Hash
	return store.EachLogged(ctx, func(l *Logged) error {
		last = ChainOf(last, l, l.Hash())
		if l.Chain != last && r.diff.BadRow == "" {
			r.diff.BadRow = fmt.Sprintf("%d (change %s, number %d of device %s)", l.Seq, l.Change.ID, l.Change.N, l.Change.Device)
			r.diff.add("row %s of the log does not follow from the row before it", r.diff.BadRow)
		}
		if waits, ok := parkedQuestion(r.world, l); ok {
			r.raised = append(r.raised, waits)
		}
		f := r.snap.Forms.Newest(l.Change.Kind)
		if !beats(f, l) || r.cut(l) {
			return nil
		}
		t := r.devices[l.Change.Device]
		var found []raised
		t.pulse, found = beat(r.snap, f, l, nil, t.pulse)
		r.raised = append(r.raised, found...)
		return nil
	})
}

// together works out what needs more than one record: pairs, counts of those that count
// as one, days signed.
func (r *rebuilder) together() {
	r.pair()
	ids := make([]syncproto.RecordID, 0, len(r.held))
	for id, s := range r.held {
		if s == nil {
			delete(r.held, id)
			continue
		}
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b syncproto.RecordID) int { return cmp.Compare(a.String(), b.String()) })
	r.delta.addGroups(r.world, ids, 1)
	r.delta.dwellTogether(r.world, ids, 1)
	for _, id := range ids {
		r.raised = append(r.raised, r.world.flagQuestions(id)...)
		if r.links.root(id) == id {
			r.raised = append(r.raised, r.world.fieldQuestions(id)...)
		}
		if signed, ok := signatureOf(r.world, r.held[id]); ok {
			r.sign(signed)
		}
	}
}

// pair raises the questions about two records, and lets open double visits count as one.
func (r *rebuilder) pair() {
	var roots []review.Key
	for _, p := range r.pairs {
		a, b := r.links.root(p.Record), r.links.root(p.Other())
		if a != b {
			roots = append(roots, review.Pair(review.Duplicate, a, b))
		}
	}
	for _, p := range unique(roots) {
		q, ok := r.world.pairQuestion(p.Record, p.Other())
		if !ok {
			continue
		}
		r.raised = append(r.raised, q)
		if q.Kind == review.DoubleVisit {
			r.links.pair(Link{Record: q.Record, Into: q.Other()}, true)
		}
	}
}

// sign holds a signed day against the counters.
func (r *rebuilder) sign(signed Signature) {
	n, _ := r.snap.Areas.ByKey(signed.Area)
	signed.Scope = scopeOf(r.snap, signed.Area)
	standing := standingMeasures(r.snap.Forms)
	for measure, figure := range signed.Figures {
		signed.move(measure, -figure)
	}
	for c, sum := range r.delta.counts {
		at, _ := r.snap.Areas.ByKey(c.area)
		if r.snap.Areas.Within(at.ID, n.ID) && (c.day == signed.Day || standing[c.measure] && c.day < signed.Day) {
			signed.move(c.measure, sum)
		}
	}
	r.signatures = append(r.signatures, signed)
	if len(signed.Drift) > 0 {
		r.raised = append(r.raised, raised{Key: review.Key{Kind: review.Restated, Record: signed.Record}, desk: signed.Area})
	}
}

// items are the questions that are open.
func (r *rebuilder) items() []review.Item {
	q := &inquiry{}
	var open []review.Item
	done := make(map[review.Key]bool)
	for _, raised := range r.raised {
		if done[raised.Key] {
			continue
		}
		done[raised.Key] = true
		said := r.world.ruling(raised.Key, raised.desk)
		if q.accepted(raised, said) {
			continue
		}
		it := review.Item{Key: raised.Key, Opened: raised.version}
		q.describe(&it, raised, said)
		open = append(open, it)
	}
	return open
}

func (r *rebuilder) linked() []Link {
	links := make([]Link, 0, len(r.links.into))
	for id, into := range r.links.into {
		links = append(links, Link{Record: id, Into: into})
	}
	return links
}

// derived is everything that was worked out, as a store keeps it.
func (r *rebuilder) derived() Derived {
	var b Batch
	r.delta.into(&b)
	tree := rollup.TreeOf(r.snap.Areas)
	return Derived{
		Counts: b.Counts, Sums: tree.Sums(b.Counts), Tree: tree, Lodgings: b.Lodged, Traces: b.Traced, Sightings: b.Seen, Items: r.items(), Index: b.Indexed, Links: r.linked(), Signatures: r.signatures,
		Digest: r.digester.Fingerprint(),
	}
}

// fold computes a record from everything that was applied to it; nil if nothing ever was.
func (r *rebuilder) fold(log []Logged) (*seen, error) {
	var rows []*Logged
	var first *Logged
	var version syncproto.Version
	for i := range log {
		l := &log[i]
		if l.Purged != (syncproto.Hash{}) {
			return nil, nil //nolint:nilnil // nor is one that was purged
		}
		rows = append(rows, l)
		version = max(version, l.Version)
		if l.Admitted != nil {
			version = max(version, l.Admitted.Out)
		}
		if first == nil && (l.Version > 0 || l.Admitted != nil && l.Admitted.Out > 0) {
			first = l
		}
	}
	if first == nil {
		return nil, nil //nolint:nilnil // a record that is not there is no error
	}
	applied, err := parts(rows)
	if err != nil {
		return nil, err
	}
	f := r.snap.Forms.Newest(first.Change.Kind)
	live := merge.Fold(f, applied)
	s := &seen{shown: look(r.snap.Settings, f, live)}
	at := r.placeOf(f, s, rows)
	s.record = &syncproto.Record{ID: first.Change.Record, Kind: first.Change.Kind, Area: at, Version: version, Live: live}
	return s, nil
}

// placeOf returns where a record belongs. One that shows no area that is there stays where
// it was last: what said so was taken back.
func (r *rebuilder) placeOf(f *form.Form, s *seen, rows []*Logged) syncproto.AreaID {
	if _, ok := r.snap.Areas.Find(s.shown.Area); ok {
		return s.shown.Area
	}
	at := syncproto.AreaID("")
	var until []syncproto.Part
	for _, l := range byVersion(rows) {
		p, err := l.Part()
		if err != nil {
			break // fold has told
		}
		if l.Version == 0 { // in and out again
			at = l.Admitted.Left
			continue
		}
		until = append(until, p)
		shown := merge.Glance(f, merge.Fold(f, until)).Area
		if _, ok := r.snap.Areas.Find(shown); ok {
			at = shown
		} else if at == "" {
			at = l.area()
		}
	}
	return at
}

// byVersion returns the rows that were ever in their record, in the order in which they
// came to be.
func byVersion(rows []*Logged) []*Logged {
	var in []*Logged
	for _, l := range rows {
		if l.Version > 0 || l.Admitted != nil && l.Admitted.Out > 0 {
			in = append(in, l)
		}
	}
	slices.SortStableFunc(in, func(a, b *Logged) int { return cmp.Compare(came(a), came(b)) })
	return in
}

// came is the version under which a row came into its record, or went.
func came(l *Logged) syncproto.Version {
	if l.Version == 0 {
		return l.Admitted.Out
	}
	return l.Version
}

func equal(a, b *syncproto.Record) bool {
	if len(a.Live) != len(b.Live) || a.ID != b.ID || a.Kind != b.Kind || a.Area != b.Area || a.Version != b.Version {
		return false
	}
	for i := range a.Live {
		x, y := a.Live[i], b.Live[i]
		x.Amid, y.Amid = append([]string{}, x.Amid...), append([]string{}, y.Amid...) // nil is empty
		if !reflect.DeepEqual(x, y) {
			return false
		}
	}
	return true
}

func (r *rebuilder) count(l *Logged) {
	t := r.devices[l.Change.Device]
	if t == nil {
		t = &tally{}
		r.devices[l.Change.Device] = t
	}
	t.ns = append(t.ns, l.Change.N)
	t.digest = t.digest.Add(l.Hash())
	if l.Version == 0 {
		t.parked++
	}
}
