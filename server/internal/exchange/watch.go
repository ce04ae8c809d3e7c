package exchange

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/plausible"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// A device's pulse is what the checks of forms remember of its latest entries: for each
// window that they fell into, how many there were of each value. It follows from the
// device's rows of the log in their order and from nothing else, so that a rebuild finds
// the same windows hard to believe. Correcting an entry later does not undo how it came.
//
// A pulse is a list of beats, the latest last, each of beatBytes: the hash of the
// bucket, the hash of the value, and the count.
const (
	beatBytes = 8 + 4 + 2
	// maxBeats bounds a pulse. A phone's hour falls into some 30.
	maxBeats = 48
)

// watch notes a new entry in its device's pulse.
func (g *group) watch(l *Logged, d *decoded, state *DeviceState) {
	f := g.snap.Forms.Newest(l.Change.Kind)
	if l.Change.Base != 0 || f == nil || !watches(f) {
		return
	}
	shown := d.alone.Values
	if d.newest != f {
		shown = nil // worked out anew: the forms have changed while the request was read
	}
	pulse, found := beat(g.snap, f, l, shown, state.Pulse)
	state.Pulse = pulse
	g.pulsed = append(g.pulsed, found...)
}

// watches reports whether a form has checks that look at more than one entry.
func watches(f *form.Form) bool {
	return slices.ContainsFunc(f.Checks, func(c form.Check) bool { return c.Window > 0 })
}

// beat adds an entry to a pulse, and returns the windows that are hard to believe with
// it. shown is what the entry shows by itself; nil if that isn't known.
func beat(snap *registry.Snapshot, f *form.Form, l *Logged, shown syncproto.Fields, pulse []byte) ([]byte, []raised) {
	part := syncproto.Part{Device: l.Change.Device, N: l.Change.N, Author: l.Change.Author, Stamp: l.Stamp}
	if shown == nil {
		fields, err := l.Change.Values()
		if err != nil {
			return pulse, nil
		}
		part.Fields = fields
		shown = look(f, []syncproto.Part{part}).Values
	}
	n, _ := snap.Areas.Find(l.Change.Area)
	beats := plausible.Beats(f, n.Key, &part, shown)
	if len(beats) == 0 {
		return pulse, nil
	}
	pulse = slices.Clone(pulse)
	var found []raised
	for i := range beats {
		b := &beats[i]
		var tallies []plausible.Tally
		if pulse, tallies = count(pulse, b); plausible.Raised(f, b.Bucket, tallies) {
			found = append(found, raised{
				Key:  review.Key{Kind: review.Implausible, Field: b.Bucket.String()},
				desk: deskOf(snap, b.Area, l), version: l.Seq, sample: l.Change.Record,
			})
		}
	}
	if over := len(pulse) - maxBeats*beatBytes; over > 0 {
		pulse = pulse[over:]
	}
	return pulse, found
}

// count adds one beat, moves it to the pulse's end, and returns the tallies of its bucket.
// Values are told apart by their hashes.
func count(pulse []byte, b *plausible.Beat) ([]byte, []plausible.Tally) {
	bucket, value := bucketHash(&b.Bucket), valueHash(b.Value)
	n := uint16(1)
	for at := 0; at < len(pulse); at += beatBytes {
		if binary.BigEndian.Uint64(pulse[at:]) == bucket && binary.BigEndian.Uint32(pulse[at+8:]) == value {
			if old := binary.BigEndian.Uint16(pulse[at+12:]); old < 1<<16-1 {
				n = old + 1
			}
			pulse = slices.Delete(pulse, at, at+beatBytes)
			break
		}
	}
	pulse = binary.BigEndian.AppendUint64(pulse, bucket)
	pulse = binary.BigEndian.AppendUint32(pulse, value)
	pulse = binary.BigEndian.AppendUint16(pulse, n)
	var tallies []plausible.Tally
	for at := 0; at < len(pulse); at += beatBytes {
		if binary.BigEndian.Uint64(pulse[at:]) != bucket {
			continue
		}
		tally := plausible.Tally{Beat: *b, N: int64(binary.BigEndian.Uint16(pulse[at+12:]))}
		if v := binary.BigEndian.Uint32(pulse[at+8:]); v != value {
			tally.Value = fmt.Sprint(v)
		}
		tallies = append(tallies, tally)
	}
	return pulse, tallies
}

func bucketHash(b *plausible.Bucket) uint64 {
	h := fnv.New64a()
	var n [12]byte
	binary.BigEndian.PutUint32(n[:], uint32(b.Area))
	binary.BigEndian.PutUint64(n[4:], uint64(b.Start))
	h.Write([]byte(b.Kind))
	h.Write(n[:])
	h.Write([]byte(b.Rule))
	h.Write([]byte(b.Who))
	return h.Sum64()
}

func valueHash(s string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(s))
	return h.Sum32()
}

// deskOf is the desk of a row of the log: the area that it names, or the first post of its
// author, or the first area of all.
func deskOf(snap *registry.Snapshot, key area.Key, l *Logged) area.Key {
	if key != 0 {
		return key
	}
	if n, ok := snap.Areas.Find(l.Change.Area); ok {
		return n.Key
	}
	for _, id := range snap.People.Posts(l.Change.Author) {
		if n, ok := snap.Areas.Find(id); ok {
			return n.Key
		}
	}
	for _, n := range snap.Areas.Children("") {
		return n.Key
	}
	return 0
}
