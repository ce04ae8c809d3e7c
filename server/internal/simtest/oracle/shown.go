package oracle

import (
	"fmt"
	"slices"
	"strings"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Shown is what people see of a record, or of several that are one.
type Shown struct {
	// Values are those that show, without cleared ones.
	Values syncproto.Fields
	// Disputed are the fields at which a person must look, in order.
	Disputed []string
	// Exit is nil while the record is there, or while that is disputed.
	Exit *syncproto.Exit
	// Into is what the record turned out to be; zero if it stands for itself.
	Into syncproto.RecordID

	live []write
}

// show looks at live writes (R26 to R36).
func show(f *form.Form, live []write) Shown {
	s := Shown{Values: syncproto.Fields{}, live: live}
	for _, name := range fieldsOf(live) {
		of := about(live, name)
		value, disputed := shownOf(f, name, of)
		if name == syncproto.FieldExit {
			disputed = disputed || exitMet(live)
		}
		if disputed {
			s.Disputed = append(s.Disputed, name)
		}
		if !value.IsNull() {
			s.Values[name] = value
		}
		if name == syncproto.FieldExit && !disputed {
			if exit, ok := value.Exit(); ok {
				s.Exit = &exit
			}
		}
	}
	if text, ok := s.Values[syncproto.FieldSameAs].Text(); ok {
		s.Into, _ = syncproto.ParseID[syncproto.RecordID](text)
	}
	return s
}

// Live writes what lives as text, for comparison.
func (s *Shown) Live() string {
	var lines []string
	for _, w := range s.live {
		line := origin(w.device, w.n, w.field) + string(w.value)
		if w.listed {
			line = origin(w.device, w.n, w.field) + memberText(w.member, w.removes)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "; ")
}

// Lives writes one live value of a part as Live does: a list member by member.
func Lives(device syncproto.DeviceID, n uint64, field string, v syncproto.Value, listed bool) []string {
	add, remove := form.Members(v)
	if !listed || len(add)+len(remove) == 0 {
		return []string{origin(device, n, field) + string(v)}
	}
	var lines []string
	for _, m := range add {
		lines = append(lines, origin(device, n, field)+memberText(m, false))
	}
	for _, m := range remove {
		lines = append(lines, origin(device, n, field)+memberText(m, true))
	}
	return lines
}

func origin(device syncproto.DeviceID, n uint64, field string) string {
	return fmt.Sprintf("%s/%d %s=", device, n, field)
}

func memberText(m string, removes bool) string {
	if removes {
		return "without " + m
	}
	return "with " + m
}

func fieldsOf(live []write) []string {
	var names []string
	for i := range live {
		if !slices.Contains(names, live[i].field) {
			names = append(names, live[i].field)
		}
	}
	slices.Sort(names)
	return names
}

func about(live []write, name string) []write {
	return slices.DeleteFunc(slices.Clone(live), func(w write) bool { return w.field != name })
}

// shownOf is what one field shows of its live writes, and whether a person must look.
func shownOf(f *form.Form, name string, live []write) (syncproto.Value, bool) {
	field, _ := f.Field(name)
	if field.Rule == form.Union {
		return list(live), false
	}
	best := preferred(field, live)
	differ, authorsDiffer := false, false
	for _, a := range live {
		for _, b := range live {
			if field.Fold(a.value) != field.Fold(b.value) {
				differ = true
				authorsDiffer = authorsDiffer || a.author != b.author
			}
		}
	}
	switch field.Rule {
	case form.Review:
		return best.value, authorsDiffer
	case form.Severest, form.Once:
		return best.value, differ
	}
	return best.value, false
}

// preferred is the write that the field's rule shows.
func preferred(field *form.Field, live []write) write {
	best := live[0]
	for _, w := range live[1:] {
		better := w.later(best.statement) > 0
		if field.Rule == form.Once {
			better = !better
		}
		if field.Rule == form.Severest {
			if by := field.Severity(w.value, best.value); by != 0 {
				better = by > 0
			}
		}
		if better {
			best = w
		}
	}
	return best
}

// list is every member that a live write adds.
func list(live []write) syncproto.Value {
	found := []string{}
	for _, w := range live {
		if w.listed && !w.removes && !slices.Contains(found, w.member) {
			found = append(found, w.member)
		}
	}
	slices.Sort(found)
	return syncproto.ValueOf(found)
}

// exitMet reports whether somebody's exit and somebody else's edit live that knew
// nothing of each other (R35).
func exitMet(live []write) bool {
	for _, e := range live {
		if e.field != syncproto.FieldExit || e.value.IsNull() {
			continue
		}
		for _, w := range live {
			switch w.field {
			case syncproto.FieldExit, syncproto.FieldSameAs, syncproto.FieldResidences:
				continue
			}
			if w.author != e.author && !e.saw(w.statement) && !w.saw(e.statement) {
				return true
			}
		}
	}
	return false
}
