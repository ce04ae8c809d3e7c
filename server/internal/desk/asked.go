package desk

import (
	"slices"

	"gridsync/syncproto"
	"gridsync/syncproto/merge"
)

// askedOf shows a record asked about with every live value of every field.
func (m *matter) askedOf(g *group) Asked {
	asked := Asked{Row: *g.row(m.snap)}
	for _, name := range g.names() {
		field, known := g.form.Field(name)
		shown := g.view.Fields[name]
		f := Field{Name: name, Label: field.Label, Rule: field.Rule, Disputed: shown.Disputed}
		if !known {
			f.Label = syncproto.Text{ZH: name, EN: name}
		}
		for _, c := range shown.Candidates {
			f.Values = append(f.Values, Value{Value: c.Value, Witnesses: m.witnesses(g, c.Witnesses)})
		}
		if name == syncproto.FieldExit && shown.Disputed {
			f.Values = m.addStaying(g, f.Values)
		}
		asked.Values = append(asked.Values, f)
	}
	for _, r := range g.absorbed {
		asked.Absorbed = append(asked.Absorbed, r.ID)
	}
	return asked
}

// names lists the fields that a record shows: those in doubt first, then those of the
// form in its order, then the others by name.
func (g *group) names() []string {
	names := g.view.Disputed()
	add := func(name string) {
		if _, shows := g.view.Fields[name]; shows && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if g.form != nil {
		for i := range g.form.Fields {
			add(g.form.Fields[i].Name)
		}
	}
	rest := make(syncproto.Fields, len(g.view.Fields))
	for name := range g.view.Fields {
		rest[name] = ""
	}
	for _, name := range rest.Names() {
		add(name)
	}
	return names
}

func (m *matter) witnesses(g *group, parts []int) []Witness {
	out := make([]Witness, 0, len(parts))
	shown := g.view.Values()
	for _, i := range parts {
		// The log was read after the records: it has whatever they are made of.
		p := &g.joined.Live[i]
		if l := m.rows[syncproto.Origin{Device: p.Device, N: p.N}]; l != nil {
			out = append(out, witnessOf(m.snap, l, shown))
		}
	}
	return out
}

// addStaying adds the other side of a disputed exit: those who went on working on the
// record without knowing of it say, in effect, that it is there.
func (m *matter) addStaying(g *group, values []Value) []Value {
	var staying []int
	live := g.joined.Live
	for i := range live {
		_, writes := live[i].Fields[syncproto.FieldExit]
		if !writes && slices.ContainsFunc(live, func(e syncproto.Part) bool { return merge.ExitMeets(&e, &live[i]) }) {
			staying = append(staying, i)
		}
	}
	if len(staying) == 0 {
		return values
	}
	at := slices.IndexFunc(values, func(v Value) bool { return v.Value.IsNull() })
	if at < 0 {
		return append(values, Value{Value: syncproto.Null, Witnesses: m.witnesses(g, staying)})
	}
	values[at].Witnesses = append(values[at].Witnesses, m.witnesses(g, staying)...)
	return values
}
