package merge

import (
	"maps"
	"slices"
	"strings"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// View is a record as a person sees it.
type View struct {
	// Fields holds every field with a live write.
	Fields map[string]Shown
	// Area is where the record belongs; empty if no live write says.
	Area syncproto.AreaID
	// Exit says that the record has left; nil while it is there or while that is
	// disputed, as somebody then says that it is there.
	Exit *syncproto.Exit
	// SameAs is the record that this one turned out to be, as it shows, disputed or not;
	// zero if it stands for itself.
	SameAs syncproto.RecordID
}

// Shown is one field as a person sees it.
type Shown struct {
	Value syncproto.Value
	// Disputed says that a person must look.
	Disputed bool
	// Candidates are the distinct live values, the one that shows first. For a list
	// field there is only what shows.
	Candidates []Candidate
}

// Candidate is one live value with those who wrote it.
type Candidate struct {
	Value syncproto.Value
	// Witnesses index the record's live parts, the deciding one first.
	Witnesses []int

	folded string
}

// Show computes what a person sees of a record's live parts, as Fold returned them.
func Show(f *form.Form, live []syncproto.Part) View {
	view := View{Fields: showFields(f, live)}
	if area, ok := view.Fields[syncproto.FieldArea].Value.Text(); ok {
		view.Area = syncproto.AreaID(area)
	}
	view.SameAs = recordIn(view.Fields[syncproto.FieldSameAs].Value)
	view.showExit(live)
	return view
}

// recordIn reads the id that a value holds; zero if it holds none.
func recordIn(v syncproto.Value) syncproto.RecordID {
	text, ok := v.Text()
	if !ok {
		return syncproto.RecordID{}
	}
	id, _ := syncproto.ParseID[syncproto.RecordID](text)
	return id
}

func showFields(f *form.Form, live []syncproto.Part) map[string]Shown {
	if len(live) == 1 {
		return showOne(f, live)
	}
	fields := make(map[string]Shown)
	for i := range live {
		for name := range live[i].Fields {
			if _, done := fields[name]; done {
				continue
			}
			field, _ := f.Field(name)
			fields[name] = show(field, live, name)
		}
	}
	return fields
}

// showOne is showFields for a record that is one change: every value shows, has
// one witness, and is nobody's question. Most records are like this.
func showOne(f *form.Form, live []syncproto.Part) map[string]Shown {
	fields := make(map[string]Shown, len(live[0].Fields))
	candidates := make([]Candidate, 0, len(live[0].Fields))
	witnesses := []int{0}
	for name, v := range live[0].Fields {
		if field, _ := f.Field(name); field.Rule == form.Union {
			fields[name] = showUnion(live, name)
			continue
		}
		candidates = append(candidates, Candidate{Value: v, Witnesses: witnesses})
		last := len(candidates)
		fields[name] = Shown{Value: v, Candidates: candidates[last-1 : last : last]}
	}
	return fields
}

// Brief is what totals and questions need of a View.
type Brief struct {
	// Values are those that show, without cleared fields. They are not to be altered:
	// they may be the very fields of the record's one part.
	Values syncproto.Fields
	Area   syncproto.AreaID
	Exit   *syncproto.Exit
	SameAs syncproto.RecordID
	// Disputed are the names of the fields at which a person must look, in order.
	Disputed []string
}

// Glance is Show for a caller who needs no more than a Brief. For a record that is
// one change, as most are, it costs next to nothing.
func Glance(f *form.Form, live []syncproto.Part) Brief {
	if len(live) != 1 {
		view := Show(f, live)
		return Brief{Values: view.Values(), Area: view.Area, Exit: view.Exit, SameAs: view.SameAs, Disputed: view.Disputed()}
	}
	brief := Brief{Values: glanceValues(f, live)}
	if area, ok := brief.Values[syncproto.FieldArea].Text(); ok {
		brief.Area = syncproto.AreaID(area)
	}
	brief.SameAs = recordIn(brief.Values[syncproto.FieldSameAs])
	if v, left := brief.Values[syncproto.FieldExit]; left {
		if exit, ok := v.Exit(); ok {
			brief.Exit = &exit
		}
	}
	return brief
}

// isShortList reports whether a value is surely a list of one plain text, or of
// none: it shows as it is, as there is nothing in it to sort or to write otherwise.
func isShortList(v syncproto.Value) bool {
	if v == "[]" {
		return true
	}
	if len(v) < 4 || v[:2] != `["` || v[len(v)-2:] != `"]` {
		return false
	}
	return !strings.ContainsFunc(string(v), func(r rune) bool { return r < ' ' || r > '~' || r == ',' || r == '\\' })
}

// glanceValues returns the fields of the one part, or a copy where what shows is
// another thing than what was written.
func glanceValues(f *form.Form, live []syncproto.Part) syncproto.Fields {
	written := live[0].Fields
	values, copied := written, false
	for name, v := range written {
		shown := v
		if field, _ := f.Field(name); field.Rule == form.Union && !isShortList(v) {
			shown = showUnion(live, name).Value
		}
		if shown == v && !v.IsNull() {
			continue
		}
		if !copied {
			values, copied = maps.Clone(written), true
		}
		if values[name] = shown; shown.IsNull() {
			delete(values, name)
		}
	}
	return values
}

// Values returns the values that show, without cleared fields.
func (v View) Values() syncproto.Fields {
	values := make(syncproto.Fields, len(v.Fields))
	for name, shown := range v.Fields {
		if !shown.Value.IsNull() {
			values[name] = shown.Value
		}
	}
	return values
}

// Disputed returns the names of the fields at which a person must look, in order.
func (v View) Disputed() []string {
	var names []string
	for name, shown := range v.Fields {
		if shown.Disputed {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func show(field *form.Field, live []syncproto.Part, name string) Shown {
	if field.Rule == form.Union {
		return showUnion(live, name)
	}
	candidates := candidates(field, live, name)
	shown := Shown{Value: candidates[0].Value, Candidates: candidates}
	switch field.Rule {
	case form.Review:
		shown.Disputed = authorsDiffer(candidates, live)
	case form.Severest, form.Once:
		shown.Disputed = len(candidates) > 1
	}
	return shown
}

// candidates groups the live writes of a field by folded value, in the order in
// which its rule prefers them.
func candidates(field *form.Field, live []syncproto.Part, name string) []Candidate {
	var writers []int
	for i := range live {
		if _, ok := live[i].Fields[name]; ok {
			writers = append(writers, i)
		}
	}
	if len(writers) == 1 { // by far the most: nothing to compare, so nothing to fold
		return []Candidate{{Value: live[writers[0]].Fields[name], Witnesses: writers}}
	}
	slices.SortFunc(writers, func(i, j int) int {
		byTime := compareTime(&live[j], &live[i]) // the latest first
		switch field.Rule {
		case form.Once:
			return -byTime
		case form.Severest:
			if s := field.Severity(live[j].Fields[name], live[i].Fields[name]); s != 0 {
				return s
			}
		}
		return byTime
	})
	var found []Candidate
	for _, i := range writers {
		v := live[i].Fields[name]
		folded := field.Fold(v)
		at := slices.IndexFunc(found, func(c Candidate) bool { return c.folded == folded })
		if at < 0 {
			found = append(found, Candidate{Value: v, Witnesses: []int{i}, folded: folded})
			continue
		}
		found[at].Witnesses = append(found[at].Witnesses, i)
	}
	return found
}

// authorsDiffer reports whether two of the values come from different authors.
func authorsDiffer(candidates []Candidate, live []syncproto.Part) bool {
	for i, c := range candidates {
		for _, d := range candidates[i+1:] {
			for _, x := range c.Witnesses {
				for _, y := range d.Witnesses {
					if live[x].Author != live[y].Author {
						return true
					}
				}
			}
		}
	}
	return false
}

// showUnion shows every member that a live write adds.
func showUnion(live []syncproto.Part, name string) Shown {
	members := []string{}
	c := Candidate{}
	for i := range live {
		v, ok := live[i].Fields[name]
		if !ok {
			continue
		}
		add, _ := form.Members(v)
		members = append(members, add...)
		c.Witnesses = append(c.Witnesses, i)
	}
	slices.Sort(members)
	c.Value = syncproto.ValueOf(slices.Compact(members))
	return Shown{Value: c.Value, Candidates: []Candidate{c}}
}

// showExit disputes an exit that somebody's edit met unseen, and reads it if
// nobody disputes it.
func (v *View) showExit(live []syncproto.Part) {
	shown, ok := v.Fields[syncproto.FieldExit]
	if !ok {
		return
	}
	for i := range live {
		for j := range live {
			if exitMeets(&live[i], &live[j]) {
				shown.Disputed = true
			}
		}
	}
	v.Fields[syncproto.FieldExit] = shown
	if shown.Disputed || shown.Value.IsNull() {
		return
	}
	if exit, ok := shown.Value.Exit(); ok {
		v.Exit = &exit
	}
}

// exitMeets reports whether e says that the record left while w, by somebody
// else, wrote something other about it, neither having seen the other: a
// question for a person, never a resurrection and never a silent removal.
func exitMeets(e, w *syncproto.Part) bool {
	v, leaves := e.Fields[syncproto.FieldExit]
	if !leaves || v.IsNull() || e.Author == w.Author || Saw(e, w) || Saw(w, e) {
		return false
	}
	return edits(w)
}

// edits reports whether a part says anything about the person or thing that is
// recorded, or moves it: not only how the record left, what it turned out to be, or
// where it was before.
func edits(w *syncproto.Part) bool {
	for name := range w.Fields {
		switch name {
		case syncproto.FieldExit, syncproto.FieldSameAs, syncproto.FieldResidences:
		default:
			return true
		}
	}
	return false
}
