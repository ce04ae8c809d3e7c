package exchange

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/match"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
)

// Difference is where what is stored disagrees with what the log says.
type Difference struct {
	// Records and Changes count what was compared.
	Records int `json:"records"`
	Changes int `json:"changes"`
	// Found describes the differences, at most maxFound of them.
	Found []string `json:"found,omitempty"`
	// Total counts them all.
	Total int `json:"total"`
	// BadRow is the first row of the log that does not follow from the row before it: its
	// place, and what it is; empty if the chain holds.
	BadRow string `json:"bad_row,omitempty"`
}

// None reports whether nothing differs.
func (d *Difference) None() bool { return d.Total == 0 }

// maxFound bounds the differences that are described.
const maxFound = 100

func (d *Difference) add(format string, args ...any) {
	d.Total++
	if len(d.Found) < maxFound {
		d.Found = append(d.Found, fmt.Sprintf(format, args...))
	}
}

// Rebuild recomputes every record, counter, sighting, question, link, feed's end and
// receipt from the change log alone, and compares each with what is stored; and it
// follows the log's chain from the first row to the last. It changes nothing, and must
// find nothing on a store that nobody has tampered with. The store must not be written to
// meanwhile, or what was written between two reads is found as a difference.
func Rebuild(ctx context.Context, store Store, snap *registry.Snapshot, digester match.Digester) (*Difference, error) {
	stored, err := store.Derived(ctx)
	if err != nil {
		return nil, fmt.Errorf("rebuild: what is stored: %w", err)
	}
	diff := &Difference{}
	r, err := rebuild(ctx, store, snap, digester, diff, &stored)
	if diff.unreadable(err) {
		return diff, nil
	}
	if err != nil {
		return nil, err
	}
	r.compare(&stored)
	return r.diff, nil
}

// chainOf chains the rows that have no link yet: those of a database from before there
// was a chain, which stand before all others.
func chainOf(ctx context.Context, store Store) ([]Chained, error) {
	var chain []Chained
	var last syncproto.Hash
	err := store.EachLogged(ctx, func(l *Logged) error {
		if l.Chain == (syncproto.Hash{}) {
			last = ChainOf(last, l, l.Hash())
			chain = append(chain, Chained{Seq: l.Seq, Chain: last})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("chain the log: %w", err)
	}
	return chain, nil
}

// compare holds everything besides records against what is stored.
func (r *rebuilder) compare(stored *Derived) {
	var b Batch
	r.delta.into(&b)
	r.compareCounts(b.Counts, stored.Counts)
	r.compareSums(b.Counts, stored)
	compareSets(r.diff, "former area", b.Lodged, stored.Lodgings, func(l rollup.Lodging) string {
		return fmt.Sprintf("%d of %s", l.Area, l.Record)
	})
	compareSets(r.diff, "sighting", b.Seen, stored.Sightings, func(s rollup.Sighting) string {
		return fmt.Sprintf("of %s in round %s by visit %s", s.Person, s.Round, s.Visit)
	})
	r.compareTraces(b.Traced, stored.Traces)
	r.compareItems(stored.Items)
	compareSets(r.diff, "line of the index", b.Indexed, stored.Index, func(e match.Entry) string {
		return fmt.Sprintf("%016x of %s", uint64(e.Key), e.Record)
	})
	compareSets(r.diff, "link", r.linked(), stored.Links, func(l Link) string {
		return fmt.Sprintf("%s to %s", l.Record, l.Into)
	})
	r.compareSignatures(stored.Signatures)
	live := slices.DeleteFunc(slices.Clone(stored.Heads), func(h Head) bool { return h.Records == 0 && h.Sum == 0 })
	compareSets(r.diff, "feed", sumsOf(b.Heads), sumsOf(live), func(h Head) string {
		return fmt.Sprintf("%d/%s with %d records", h.Area, h.Stream, h.Records)
	})
	r.compareDevices(stored.Devices)
}

// sumsOf leaves out where a feed ends: an event of a record that has moved on
// since isn't in the records any more.
func sumsOf(heads []Head) []Head {
	out := slices.Clone(heads)
	for i := range out {
		out[i].Last = 0
	}
	return out
}

func (r *rebuilder) compareCounts(want, stored []rollup.Count) {
	got := make(map[counter]int64, len(stored))
	for _, c := range stored {
		got[counter{c.Area, c.Day, c.Measure}] += c.N
	}
	for _, c := range want {
		key := counter{c.Area, c.Day, c.Measure}
		if got[key] != c.N {
			r.diff.add("%s of area %d on %s: stored %d, the log says %d", c.Measure, c.Area, c.Day, got[key], c.N)
		}
		delete(got, key)
	}
	for key, n := range got {
		if n != 0 {
			r.diff.add("%s of area %d on %s: stored %d, the log says 0", key.measure, key.area, key.day, n)
		}
	}
}

// compareSums holds the sums against the counters, by the tree that the sums follow: the
// next group carries them over to another one.
func (r *rebuilder) compareSums(counts []rollup.Count, stored *Derived) {
	type place struct {
		area    area.Key
		measure string
		slot    rollup.Slot
	}
	got := make(map[place]int64, len(stored.Sums))
	for _, s := range stored.Sums {
		got[place{s.Area, s.Measure, s.Slot}] += s.N
	}
	for _, s := range stored.Tree.Sums(counts) {
		at := place{s.Area, s.Measure, s.Slot}
		if got[at] != s.N {
			r.diff.add("%s summed up for area %d over %d: stored %d, the log says %d", s.Measure, s.Area, s.Slot, got[at], s.N)
		}
		delete(got, at)
	}
	for at, n := range got {
		r.diff.add("%s summed up for area %d over %d: stored %d, the log says 0", at.measure, at.area, at.slot, n)
	}
}

// compareSets reports what is in one set and not in the other.
func compareSets[T comparable](diff *Difference, what string, want, stored []T, name func(T) string) {
	has := make(map[T]bool, len(stored))
	for _, x := range stored {
		has[x] = true
	}
	for _, x := range want {
		if !has[x] {
			diff.add("%s %s: the log says so, and it is not stored", what, name(x))
		}
		delete(has, x)
	}
	for x := range has {
		diff.add("%s %s: stored, and the log doesn't say so", what, name(x))
	}
}

// compareDevices holds the receipts against the log.
func (r *rebuilder) compareDevices(stored []DeviceState) {
	for _, s := range stored {
		t := r.devices[s.Device]
		if t == nil {
			t = &tally{}
		}
		delete(r.devices, s.Device)
		slices.SortFunc(t.ns, cmp.Compare[uint64])
		want := DeviceState{}
		for _, n := range t.ns {
			want.take(n, syncproto.Hash{}, syncproto.Stamp{})
		}
		switch {
		case want.Held != s.Held || want.High != s.High || !slices.Equal(want.Missing, s.Missing):
			r.diff.add("device %s: the receipt says %d held through %d, the log %d through %d", s.Device, s.Held, s.High, want.Held, want.High)
		case t.digest != s.Digest:
			r.diff.add("device %s: the receipt's digest is not that of the changes held", s.Device)
		case !bytes.Equal(t.pulse, s.Pulse):
			r.diff.add("device %s: what is remembered of its latest entries is not what the log says", s.Device)
		case min(t.parked, syncproto.MaxParked) != len(s.Parked) && t.parked <= syncproto.MaxParked:
			r.diff.add("device %s: the receipt says %d parked, the log %d", s.Device, len(s.Parked), t.parked)
		}
	}
	for id := range r.devices {
		r.diff.add("device %s is in the log and has no receipt", id)
	}
}

// compareItems holds the open questions against those that the log raises.
func (r *rebuilder) compareItems(stored []review.Item) {
	type question struct {
		review.Key
		area area.Key
	}
	var want, open []question
	for _, it := range r.items() {
		want = append(want, question{it.Key, it.Area})
	}
	for _, it := range stored {
		if it.Closed == 0 && !(r.crowded[it.Record] && r.crowded[it.Other()]) {
			open = append(open, question{it.Key, it.Area})
		}
	}
	compareSets(r.diff, "question", want, open, func(q question) string {
		return fmt.Sprintf("%s about %s of %s at desk %d", q.Kind, q.Field, q.Record, q.area)
	})
}

func (r *rebuilder) compareSignatures(stored []Signature) {
	got := make(map[syncproto.RecordID]Signature, len(stored))
	for _, s := range stored {
		got[s.Record] = s
	}
	for _, want := range r.signatures {
		s, ok := got[want.Record]
		delete(got, want.Record)
		if !ok || s.Area != want.Area || s.Day != want.Day || !maps.Equal(s.Figures, want.Figures) || !maps.Equal(s.Drift, want.Drift) {
			r.diff.add("signature %s of %s: stored with drift %v, the log says %v", want.Record, want.Day, s.Drift, want.Drift)
		}
	}
	for id := range got {
		r.diff.add("signature %s: stored, and the log doesn't say so", id)
	}
}
