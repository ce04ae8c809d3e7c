package oracle

import (
	"bytes"
	"cmp"
	"slices"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// statement is one change that is in its record.
type statement struct {
	record  syncproto.RecordID
	kind    syncproto.Kind
	version syncproto.Version
	base    syncproto.Version
	device  syncproto.DeviceID
	n       uint64
	author  syncproto.AuthorID
	time    syncproto.Instant
	amid    []string
	decides bool
	// with says up to which version of other records its author was shown them as one
	// with this one, undoes which decisions it withdraws.
	with   map[syncproto.RecordID]syncproto.Version
	undoes []syncproto.Origin
	fields syncproto.Fields
}

// stated reads a row of the log (R16, R17): nobody has seen more than there was when
// the change arrived, and a change without a base also writes the record's area. What
// a person let in counts as that person let it in.
func stated(l *exchange.Logged) (*statement, error) {
	c := &l.Change
	fields, err := c.Values()
	if err != nil {
		return nil, err
	}
	s := &statement{
		record: c.Record, kind: c.Kind, version: l.Version, base: min(c.Base, l.Seq-1), device: c.Device, n: c.N,
		author: c.Author, time: l.Time, amid: c.Amid, decides: c.Decides,
		with: make(map[syncproto.RecordID]syncproto.Version), fields: fields,
	}
	area := c.Area
	if l.Admitted != nil {
		for _, name := range l.Admitted.Without {
			delete(s.fields, name)
		}
		if l.Admitted.Area != "" {
			area = l.Admitted.Area
		}
	}
	if _, moves := s.fields[syncproto.FieldArea]; c.Base == 0 && !moves {
		s.fields[syncproto.FieldArea] = syncproto.TextValue(string(area))
	}
	with, err := c.With()
	if err != nil {
		return nil, err
	}
	for _, b := range with {
		s.with[b.Record] = max(s.with[b.Record], min(b.Version, l.Seq-1))
	}
	s.undoes, err = c.Undoes()
	return s, err
}

// saw reports whether the author of s had seen t (R18, R19). Of another record he had
// seen what his change says that he was shown.
func (s *statement) saw(t *statement) bool {
	upTo := s.base
	if s.record != t.record {
		var shown bool
		if upTo, shown = s.with[t.record]; !shown {
			return false
		}
	}
	if s.device == t.device {
		return s.n > t.n
	}
	return t.version <= upTo
}

// later orders statements by (corrected time, device, n).
func (s *statement) later(t *statement) int {
	return cmp.Or(cmp.Compare(s.time, t.time), bytes.Compare(s.device[:], t.device[:]), cmp.Compare(s.n, t.n))
}

// standing leaves out the decisions that are withdrawn. A withdrawal may be withdrawn
// itself; all of a record's history is asked for each.
func standing(all []*statement) []*statement {
	var withdrawn func(d *statement, asking []*statement) bool
	withdrawn = func(d *statement, asking []*statement) bool {
		if !d.decides || slices.Contains(asking, d) {
			return false
		}
		for _, u := range all {
			names := slices.Contains(u.undoes, syncproto.Origin{Device: d.device, N: d.n})
			if names && u.decides && u.record == d.record && u.saw(d) && !withdrawn(u, append(asking, d)) {
				return true
			}
		}
		return false
	}
	var kept []*statement
	for _, s := range all {
		if !withdrawn(s, nil) {
			kept = append(kept, s)
		}
	}
	return kept
}

// write is one statement's write to a field, or to one member of a list.
type write struct {
	*statement
	field   string
	value   syncproto.Value
	member  string
	listed  bool // it is about a member
	removes bool
}

// writes lists what statements write.
func writes(f *form.Form, statements []*statement) []write {
	var all []write
	for _, s := range statements {
		for name, v := range s.fields {
			if field, _ := f.Field(name); field.Rule != form.Union {
				all = append(all, write{statement: s, field: name, value: v})
				continue
			}
			all = append(all, members(s, name, v)...)
		}
	}
	return all
}

// members are the writes to a list field, one for each member (R33, R34).
func members(s *statement, name string, v syncproto.Value) []write {
	add, remove := form.Members(v)
	if len(add)+len(remove) == 0 {
		return []write{{statement: s, field: name, value: v}}
	}
	var all []write
	for _, m := range add {
		all = append(all, write{statement: s, field: name, value: v, member: m, listed: true})
	}
	for _, m := range remove {
		all = append(all, write{statement: s, field: name, value: v, member: m, listed: true, removes: true})
	}
	return all
}

// replaces is the one relation (R20, R21, R23, R32, R33, R34).
func (w *write) replaces(s *write, f *form.Form) bool {
	if w.field != s.field || w.statement == s.statement || !w.saw(s.statement) {
		return false
	}
	field, _ := f.Field(w.field)
	if s.listed && (!w.listed || w.member != s.member) {
		return false
	}
	if !s.listed && field.Rule != form.Union && w.listed {
		return false
	}
	switch {
	case w.decides:
		return true
	case field.Rule == form.Once:
		return false
	case slices.Contains(w.amid, w.field):
		return w.author == s.author
	}
	return true
}

// alive returns the writes that none of them replaces.
func alive(f *form.Form, all []write) []write {
	var live []write
	for i := range all {
		dead := slices.ContainsFunc(all, func(w write) bool { return w.replaces(&all[i], f) })
		if !dead {
			live = append(live, all[i])
		}
	}
	return live
}
