package exchange

import (
	"slices"

	"gridsync/server/internal/registry"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
)

// Counting says what records count, by the very rules by which the counters move. It is
// for one goroutine, and for one moment of the store.
type Counting struct {
	w     *world
	known map[syncproto.RecordID]*seen
}

// NewCounting starts with which records are one, and which are twins of an open question
// and count as one meanwhile.
func NewCounting(snap *registry.Snapshot, ones, twins []Link) *Counting {
	c := &Counting{known: make(map[syncproto.RecordID]*seen)}
	c.w = &world{
		snap: snap, links: newLinks(Boot{Links: ones, Twins: twins}),
		find: func(id syncproto.RecordID) *seen { return c.known[id] },
	}
	return c
}

// With returns the records that count as one with a record, itself among them: what is
// asked of it needs them all.
func (c *Counting) With(id syncproto.RecordID) []syncproto.RecordID {
	if c.w.links.alone(id) {
		return []syncproto.RecordID{id}
	}
	return c.w.links.counted(id)
}

// Know takes records as they stand.
func (c *Counting) Know(records []syncproto.Record) {
	for i := range records {
		r := &records[i]
		f := c.w.snap.Forms.Newest(r.Kind)
		c.known[r.ID] = &seen{r, look(c.w.snap.Settings, f, r.Live)}
	}
}

// Forget lets go of the records known.
func (c *Counting) Forget() { clear(c.known) }

// Counted is records that count as one.
type Counted struct {
	// Record stands for all of them, Absorbed turned out to be it, and Twins count with it
	// until somebody says that they are others.
	Record   *syncproto.Record
	Absorbed []*syncproto.Record
	Twins    []syncproto.RecordID
	Counts   []rollup.Count
}

// Of returns the records that count as one with a record; false if nobody says anything of
// them any more.
func (c *Counting) Of(id syncproto.RecordID) (Counted, bool) {
	members := standing(c.w.members(c.With(id)))
	if len(members) == 0 {
		return Counted{}, false
	}
	one := Counted{Record: members[0].record, Counts: c.w.counts(id)}
	same := c.w.links.same(one.Record.ID)
	for _, m := range members[1:] {
		if slices.Contains(same, m.record.ID) {
			one.Absorbed = append(one.Absorbed, m.record)
		} else {
			one.Twins = append(one.Twins, m.record.ID)
		}
	}
	return one, true
}
