package exchange

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"

	"gridsync/server/internal/registry"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/merge"
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

// Rebuild recomputes every record, counter, sighting, question, feed's end and
// receipt from the change log alone, and compares each with what is stored. It
// changes nothing, and must find nothing on a store that nobody has tampered
// with. The store must not be written to meanwhile, or what was written between
// two reads is found as a difference.
func Rebuild(ctx context.Context, store Store, snap *registry.Snapshot) (*Difference, error) {
	r := rebuilder{
		snap: snap, diff: &Difference{}, delta: newDelta(snap, &heads{}),
		devices: make(map[syncproto.DeviceID]*tally),
	}
	if err := store.Histories(ctx, r.record); err != nil {
		return nil, fmt.Errorf("rebuild: %w", err)
	}
	stored, err := store.Derived(ctx)
	if err != nil {
		return nil, fmt.Errorf("rebuild: what is stored: %w", err)
	}
	r.compare(&stored)
	return r.diff, nil
}

type rebuilder struct {
	snap    *registry.Snapshot
	diff    *Difference
	delta   *delta
	devices map[syncproto.DeviceID]*tally
}

// tally is what the log holds of one device.
type tally struct {
	ns     []uint64
	digest syncproto.Digest
	parked int
}

// record folds one record's log and compares the record.
func (r *rebuilder) record(log []Logged, stored *syncproto.Record) error {
	r.diff.Changes += len(log)
	var rows []*Logged
	var version syncproto.Version
	for i := range log {
		l := &log[i]
		r.count(l)
		rows = append(rows, l)
		version = max(version, l.Version)
	}
	applied, err := parts(rows)
	if err != nil {
		return err
	}
	if len(applied) == 0 {
		if stored != nil {
			r.diff.add("record %s is stored, and no change of the log was applied to it", stored.ID)
		}
		return nil
	}
	r.diff.Records++
	if stored == nil {
		r.diff.add("record %s is in the log and not stored", log[0].Change.Record)
		return nil
	}
	now := r.fold(log, applied, version)
	if !equal(now.now, stored) {
		r.diff.add("record %s differs: stored as %s version %d in %s with %d live parts, the log says version %d in %s with %d",
			stored.ID, stored.Kind, stored.Version, stored.Area, len(stored.Live), now.now.Version, now.now.Area, len(now.now.Live))
	}
	r.delta.move(now)
	return nil
}

// fold computes a record from everything that was applied to it.
func (r *rebuilder) fold(log []Logged, applied []syncproto.Part, version syncproto.Version) *working {
	first := slices.IndexFunc(log, func(l Logged) bool { return l.Version > 0 })
	c := &log[first].Change
	f := r.snap.Forms.Newest(c.Kind)
	w := &working{id: c.Record}
	live := merge.Fold(f, applied)
	w.shown = look(f, live)
	w.now = &syncproto.Record{ID: c.Record, Kind: c.Kind, Area: w.shown.Area, Version: version, Live: live}
	return w
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
	t.digest = t.digest.Add(l.Change.Hash())
	if l.Version == 0 {
		t.parked++
	}
}

// compare holds everything besides records against what is stored.
func (r *rebuilder) compare(stored *Derived) {
	var b Batch
	r.delta.into(&b)
	r.compareCounts(b.Counts, stored.Counts)
	compareSets(r.diff, "sighting", b.Seen, stored.Sightings, func(s rollup.Sighting) string {
		return fmt.Sprintf("of %s in round %s by visit %s", s.Person, s.Round, s.Visit)
	})
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
		case min(t.parked, syncproto.MaxParked) != len(s.Parked) && t.parked <= syncproto.MaxParked:
			r.diff.add("device %s: the receipt says %d parked, the log %d", s.Device, len(s.Parked), t.parked)
		}
	}
	for id := range r.devices {
		r.diff.add("device %s is in the log and has no receipt", id)
	}
}
