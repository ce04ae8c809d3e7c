package exchange

import (
	"encoding/binary"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/plausible"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// A device's pulse is what the checks of forms remember of its latest entries, those
// that waited left out: for each window that they fell into, how many there were of each
// value. It follows from the
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
	var shown syncproto.Fields // worked out anew if the forms have changed meanwhile
	if d.alone != nil && d.newest == f {
		shown = d.alone.Values
	}
	if !g.pulses[state.Device] { // what is published is never altered
		g.pulses[state.Device] = true
		state.Pulse = append(make([]byte, 0, (maxBeats+4)*beatBytes), state.Pulse...)
	}
	pulse, found := beat(g.snap, f, l, shown, state.Pulse)
	state.Pulse = pulse
	g.pulsed = append(g.pulsed, found...)
}

// watches reports whether a form has checks that look at more than one entry.
func watches(f *form.Form) bool {
	return slices.ContainsFunc(f.Checks, func(c form.Check) bool { return c.Window > 0 })
}

// beats reports whether a row of the log is an entry that its device's pulse is made of.
func beats(f *form.Form, l *Logged) bool {
	return l.Change.Base == 0 && l.Version == l.Seq && f != nil && watches(f)
}

// beat adds an entry to a pulse, and returns the windows that are hard to believe with
// it. It alters the pulse in place. shown is what the entry shows by itself; nil if that
// isn't known.
func beat(snap *registry.Snapshot, f *form.Form, l *Logged, shown syncproto.Fields, pulse []byte) ([]byte, []raised) {
	beats := beatsOf(snap, f, l, shown)
	if len(beats) == 0 {
		return pulse, nil
	}
	var found []raised
	for i := range beats {
		b := &beats[i]
		var was, is plausible.Full
		// Only the entry that makes a window hard to believe raises it.
		if pulse, was, is = count(pulse, b); plausible.Raised(f, b.Bucket, is) && !plausible.Raised(f, b.Bucket, was) {
			found = append(found, raised{
				Key:  review.Key{Kind: review.Implausible, Field: b.Bucket.String()},
				desk: deskOf(snap, b.Area, l), version: l.Seq, sample: l.Change.Record,
			})
		}
	}
	if over := len(pulse) - maxBeats*beatBytes; over > 0 {
		pulse = slices.Delete(pulse, 0, over)
	}
	return pulse, found
}

// beatsOf returns an entry's shares in windows.
func beatsOf(snap *registry.Snapshot, f *form.Form, l *Logged, shown syncproto.Fields) []plausible.Beat {
	part := syncproto.Part{Device: l.Change.Device, N: l.Change.N, Author: l.Change.Author, Stamp: l.Stamp}
	if shown == nil {
		fields, err := l.Change.Values()
		if err != nil {
			return nil
		}
		part.Fields = fields
		shown = look(snap.Settings, f, []syncproto.Part{part}).Values
	}
	n, _ := snap.Areas.Find(l.Change.Area)
	return plausible.Beats(f, n.Key, &part, shown)
}

// count adds one beat, moves it to the pulse's end, and returns how full its bucket was and
// is. Values are told apart by their hashes.
func count(pulse []byte, b *plausible.Beat) (after []byte, was, is plausible.Full) {
	bucket, value := bucketHash(&b.Bucket), valueHash(b.Value)
	n := uint16(0)
	for at := 0; at < len(pulse); at += beatBytes {
		if binary.BigEndian.Uint64(pulse[at:]) != bucket {
			continue
		}
		have := binary.BigEndian.Uint16(pulse[at+12:])
		was = was.With(int64(have))
		if binary.BigEndian.Uint32(pulse[at+8:]) == value {
			n = have
			pulse = slices.Delete(pulse, at, at+beatBytes)
			at -= beatBytes
		}
	}
	if is = was; n < 1<<16-1 {
		n++
		is = plausible.Full{Total: was.Total + 1, Most: max(was.Most, int64(n))}
	}
	pulse = binary.BigEndian.AppendUint64(pulse, bucket)
	pulse = binary.BigEndian.AppendUint32(pulse, value)
	pulse = binary.BigEndian.AppendUint16(pulse, n)
	return pulse, was, is
}

func bucketHash(b *plausible.Bucket) uint64 {
	h := fnvOffset
	for _, s := range [...]string{string(b.Kind), b.Rule, b.Who} {
		h = (hash(h, s) ^ 0xff) * fnvPrime // 0xff is in no text
	}
	h = (h ^ uint64(b.Area)) * fnvPrime
	return (h ^ uint64(b.Start)) * fnvPrime
}

func valueHash(s string) uint32 { return uint32(hash(fnvOffset, s)) }

// FNV-1a of 64 bits: hash/fnv would take each text as a copy of its bytes.
const (
	fnvOffset uint64 = 14695981039346656037
	fnvPrime  uint64 = 1099511628211
)

func hash(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return h
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
