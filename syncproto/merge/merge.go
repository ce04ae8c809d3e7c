// Package merge decides what is alive of a record's changes, what a person sees
// of it, and whether a person must look.
//
// It is pure: values in, values out, no clock, no I/O, and no knowledge of how a
// record is stored. Every replica runs the same three functions: Fold, Show and
// Outcome.
package merge

import (
	"bytes"
	"cmp"
	"slices"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Pending is the version of a part that its device has not sent yet: greater than
// any that a server gives, so that nobody can have seen it.
const Pending syncproto.Version = 1<<63 - 1

// Saw reports whether the author of w had seen s when writing: it was written
// before on the same device, or the server had shown it (s.version ≤ w.base).
// Between two writes of one device its numbers alone say so: a base that claims
// the device's own later write can't make two writes replace each other.
//
// Of another record (see Join) an author had seen nothing, unless the change says that
// it was shown as one with its own: then up to the version that the change says.
func Saw(w, s *syncproto.Part) bool {
	base, shown := w.Base, true
	if w.Of != s.Of {
		base, shown = besideVersion(w, s.Of)
	}
	if !shown || w.Device == s.Device {
		return shown && w.N > s.N
	}
	return s.Version <= base
}

// besideVersion returns up to which version another record was shown to the author of w
// as one with its own, and whether it was. Named twice, the greater version counts.
func besideVersion(w *syncproto.Part, other syncproto.RecordID) (version syncproto.Version, shown bool) {
	for _, b := range w.With {
		if b.Record == other && (!shown || b.Version > version) {
			version, shown = b.Version, true
		}
	}
	return version, shown
}

// replaces is the one relation that decides what lives: w replaces s, both
// writes to the same field (for a list: to the same member of it).
//
// Its author must have seen s. Besides, a write amid a dispute replaces only its
// author's own unless it is a decision, and a field written once is replaced by
// decisions only. As the relation looks at two writes alone, the set of live
// writes depends on the set of changes and on nothing else: not on their order
// of arrival, and not on their repetition.
func replaces(w, s *syncproto.Part, name string, rule form.Rule) bool {
	switch {
	case !Saw(w, s):
		return false
	case w.Decides:
		return true
	case rule == form.Once:
		return false
	case slices.Contains(w.Amid, name):
		return s.Author == w.Author
	}
	return true
}

// Fold returns the live parts of a record's changes in order of (version, device,
// n). The changes may come in any order and more than once. A change that comes
// under two versions, as one that was pending does, counts under the lower.
//
// Folding the live parts together with new changes gives the same as folding
// everything, as long as every new change was never folded before, has a version
// above every base that was, and none that was has its device and a greater n; and
// the form's rules are those by which they were folded. A caller who can't promise
// that folds the whole history. So does a caller whose new changes undo: what a
// decision had replaced comes back from the history and from nowhere else. An undo
// mostly writes nothing, and then leaves no part behind.
func Fold(f *form.Form, parts []syncproto.Part) []syncproto.Part {
	parts = standing(ordered(parts))
	if len(parts) == 1 && len(parts[0].Fields) > 0 { // by far the most: an entry that nobody touches again
		return parts
	}
	live := make([]syncproto.Part, 0, len(parts))
	for i := range parts {
		p := parts[i]
		p.Fields = make(syncproto.Fields, len(parts[i].Fields))
		for name, v := range parts[i].Fields {
			field, _ := f.Field(name)
			if v, ok := survives(parts, i, name, field, v); ok {
				p.Fields[name] = v
			}
		}
		p.Spent = spent(f, parts, i, p.Fields)
		if len(p.Fields)+len(p.Spent) > 0 {
			live = append(live, p)
		}
	}
	return live
}

// ordered returns the parts in order, each once.
func ordered(parts []syncproto.Part) []syncproto.Part {
	sorted := slices.Clone(parts)
	if len(sorted) < 2 {
		return sorted
	}
	slices.SortFunc(sorted, func(a, b syncproto.Part) int {
		return cmp.Or(compareOrigin(&a, &b), cmp.Compare(a.Version, b.Version))
	})
	sorted = slices.CompactFunc(sorted, func(a, b syncproto.Part) bool { return a.Device == b.Device && a.N == b.N })
	slices.SortFunc(sorted, func(a, b syncproto.Part) int {
		return cmp.Or(cmp.Compare(a.Version, b.Version), compareOrigin(&a, &b))
	})
	return sorted
}

// survives returns what is alive of the write that parts[i] made to a field.
func survives(parts []syncproto.Part, i int, name string, field *form.Field, v syncproto.Value) (syncproto.Value, bool) {
	if field.Rule == form.Union {
		return survivingMembers(parts, i, name, v)
	}
	for j := range parts {
		if writes(&parts[j], name) && j != i && replaces(&parts[j], &parts[i], name, field.Rule) {
			return "", false
		}
	}
	return v, true
}

// writes reports whether a change wrote to a field, as far as that still counts.
func writes(p *syncproto.Part, name string) bool {
	_, lives := p.Fields[name]
	_, holds := p.Spent[name]
	return lives || holds
}

// survivingMembers does the same for a list field, each of whose members is a
// register of its own. A value without members (an empty list, or what was
// written when the field was no list) is one register like any other field's.
func survivingMembers(parts []syncproto.Part, i int, name string, v syncproto.Value) (syncproto.Value, bool) {
	var replaced []string
	written := false
	for j := range parts {
		if writes(&parts[j], name) && j != i && replaces(&parts[j], &parts[i], name, form.Union) {
			for _, later := range []syncproto.Value{parts[j].Fields[name], parts[j].Spent[name]} {
				add, remove := form.Members(later)
				replaced = append(append(replaced, add...), remove...)
			}
			written = true
		}
	}
	dead := func(m string) bool { return slices.Contains(replaced, m) }
	add, remove := form.Members(v)
	switch {
	case len(add)+len(remove) == 0:
		return v, !written
	case !written:
		return v, true
	}
	add, remove = slices.DeleteFunc(add, dead), slices.DeleteFunc(remove, dead)
	return form.Delta(add, remove), len(add)+len(remove) > 0
}

// compareOrigin orders two parts by (device, n).
func compareOrigin(a, b *syncproto.Part) int {
	return cmp.Or(bytes.Compare(a.Device[:], b.Device[:]), cmp.Compare(a.N, b.N))
}

// compareTime orders two parts by (corrected time, device, n).
func compareTime(a, b *syncproto.Part) int {
	return cmp.Or(cmp.Compare(a.Time, b.Time), compareOrigin(a, b))
}

// Outcome says what became of the change p, now that the record is as it is, p
// folded into it: disputed when a person must look at something that it wrote,
// or at an exit that what is left of it met; merged when a part lives whose
// author had not seen it, nor its author that part; else applied. An undo writes
// nothing of its own: what it brings back to life is a matter of the view. Where live
// is of records that are one, p names its own (syncproto.Part.Of).
func Outcome(live []syncproto.Part, view View, p *syncproto.Part) syncproto.Outcome {
	for name := range p.Fields {
		if view.Fields[name].Disputed && speaksOf(live, p, name) {
			return syncproto.Disputed
		}
	}
	same := func(q syncproto.Part) bool { return q.Device == p.Device && q.N == p.N }
	left := slices.IndexFunc(live, same)
	outcome := syncproto.Applied
	for i := range live {
		q := &live[i]
		if i == left || len(q.Fields) == 0 || Saw(p, q) {
			continue
		}
		if left >= 0 && exitMeets(q, &live[left]) {
			return syncproto.Disputed
		}
		if !Saw(q, p) {
			outcome = syncproto.Merged
		}
	}
	return outcome
}

// speaksOf reports whether what shows of a field is about what p wrote: where an absorbed
// record belongs is not what its survivor shows.
func speaksOf(live []syncproto.Part, p *syncproto.Part, name string) bool {
	return !isStanding(name) || slices.ContainsFunc(live, func(q syncproto.Part) bool {
		_, lives := q.Fields[name]
		return lives && q.Of == p.Of
	})
}
