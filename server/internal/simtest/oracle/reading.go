package oracle

import (
	"bytes"
	"fmt"
	"slices"
	"sync"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Reading is a log that was read.
type Reading struct {
	Records map[syncproto.RecordID]*Record
	rows    []exchange.Logged
	forms   form.Set
	areas   *area.Tree
	people  *identity.Directory
	once    []*countedOnce
	// ofKind are the survivors of kinds that were asked for.
	ofKind map[syncproto.Kind][]survivor
	// came are the rows with all that they ever said, taken what was counted and is gone.
	came  []exchange.Logged
	taken func() ([]Taken, error)
	// held is what was set.
	held []Said
}

// Record is one record by itself, whatever it turned out to be.
type Record struct {
	ID   syncproto.RecordID
	Kind syncproto.Kind
	Area syncproto.AreaID
	// Version is that of the last change that is in it.
	Version syncproto.Version
	Shown

	said []*statement // those that nobody withdrew
}

// Read reads a whole log, in order of Seq.
func Read(rows []exchange.Logged, forms form.Set, areas *area.Tree, people *identity.Directory) (*Reading, error) {
	r := &Reading{
		Records: make(map[syncproto.RecordID]*Record),
		rows:    rows, came: rows, forms: forms, areas: areas, people: people,
	}
	said := make(map[syncproto.RecordID][]*statement)
	out := make(map[syncproto.RecordID]syncproto.Version)
	for i := range rows {
		if a := rows[i].Admitted; a != nil {
			out[rows[i].Change.Record] = max(out[rows[i].Change.Record], a.Out)
		}
		if rows[i].Version == 0 {
			continue
		}
		s, err := stated(&rows[i])
		if err != nil {
			return nil, fmt.Errorf("oracle: change %d of %s: %w", rows[i].Change.N, rows[i].Change.Device, err)
		}
		said[s.record] = append(said[s.record], s)
	}
	for id, all := range said {
		rec := r.read(id, all)
		rec.Version = max(rec.Version, out[id])
		if len(rec.live) > 0 { // of some all was withdrawn
			r.Records[id] = rec
		}
	}
	return r, nil
}

// Taken is the log before and after some of its rows lost what they said: what the one
// counts more than the other is counted for good.
type Taken struct{ Before, After *Reading }

// Remember tells a reading what is in its log no more: how entries came, and what was
// counted.
func (r *Reading) Remember(came []exchange.Logged, taken func() ([]Taken, error)) {
	r.came, r.taken = came, sync.OnceValues(taken)
}

// Only returns the same reading of some of the records: as much as a replica has.
func (r *Reading) Only(has func(syncproto.RecordID) bool) *Reading {
	only := *r
	only.once, only.ofKind = nil, nil
	only.Records = make(map[syncproto.RecordID]*Record)
	for id, rec := range r.Records {
		if has(id) {
			only.Records[id] = rec
		}
	}
	return &only
}

// read reads what was said of one record.
func (r *Reading) read(id syncproto.RecordID, all []*statement) *Record {
	first := slices.MinFunc(all, func(a, b *statement) int { return int(a.version - b.version) })
	rec := &Record{ID: id, Kind: first.kind}
	for _, s := range all {
		rec.Version = max(rec.Version, s.version)
	}
	f := r.forms.Newest(rec.Kind)
	rec.said = standing(all)
	rec.Shown = show(f, alive(f, writes(f, rec.said)))
	code, _ := rec.Values[syncproto.FieldArea].Text()
	rec.Area = syncproto.AreaID(code)
	return rec
}

// Root is the record that survives of those that id is one with: where the chain of
// what turned out to be what ends, or the least of a circle.
func (r *Reading) Root(id syncproto.RecordID) syncproto.RecordID {
	return rootWithin(id, r.into)
}

func (r *Reading) into(id syncproto.RecordID) syncproto.RecordID {
	rec := r.Records[id]
	if rec == nil || rec.Into == id {
		return syncproto.RecordID{}
	}
	return rec.Into
}

func rootWithin(id syncproto.RecordID, into func(syncproto.RecordID) syncproto.RecordID) syncproto.RecordID {
	path := []syncproto.RecordID{id}
	for {
		next := into(path[len(path)-1])
		if next.IsZero() {
			return path[len(path)-1]
		}
		if at := slices.Index(path, next); at >= 0 {
			return slices.MinFunc(path[at:], less)
		}
		path = append(path, next)
	}
}

func less(a, b syncproto.RecordID) int { return bytes.Compare(a[:], b[:]) }

// ids are all records, in order.
func (r *Reading) ids() []syncproto.RecordID {
	var ids []syncproto.RecordID
	for id := range r.Records {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, less)
	return ids
}

// Group are the records that are one with id by decision: the survivor first, if it is
// there, and the others in order.
func (r *Reading) Group(id syncproto.RecordID) []*Record {
	root := r.Root(id)
	var group []*Record
	for _, other := range r.ids() {
		switch {
		case other == root:
			group = slices.Insert(group, 0, r.Records[other])
		case r.Root(other) == root:
			group = append(group, r.Records[other])
		}
	}
	return group
}

// Joined is what people see of records that are one (R81, R82): the first stands for
// all, and the others of its kind add what they say besides where they belong. Whatever
// was ever written counts, as what is replaced in its own record still replaces in
// others (R83).
func (r *Reading) Joined(group []*Record) Shown {
	if len(group) == 1 {
		return group[0].Shown
	}
	f := r.forms.Newest(group[0].Kind)
	var all []write
	for i, rec := range group {
		if rec.Kind != group[0].Kind {
			continue
		}
		for _, w := range writes(f, rec.said) {
			if i == 0 || !OwnField(w.field) {
				all = append(all, w)
			}
		}
	}
	return show(f, alive(f, all))
}

// OwnField reports whether a field belongs to a record as such, and not to the person
// or thing that is recorded.
func OwnField(name string) bool {
	switch name {
	case syncproto.FieldArea, syncproto.FieldExit, syncproto.FieldSameAs, syncproto.FieldResidences:
		return true
	}
	return false
}
