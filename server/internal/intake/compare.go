package intake

import (
	"fmt"
	"slices"
	"strings"

	"gridsync/server/internal/match"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// compare holds a row against the record that it speaks of, and returns what would be
// entered: nothing where there is nothing to say.
func (r *reading) compare(d *draft, row *roster.Row) syncproto.Fields {
	d.Record, d.version, d.where = row.ID, row.Version, row.Area
	enter := make(syncproto.Fields)
	for i := range r.form.Fields {
		field := &r.form.Fields[i]
		if _, said := d.fields[field.Name]; !said {
			continue
		}
		diff, differs := r.difference(d, field, row)
		if !differs {
			continue
		}
		d.Differs = append(d.Differs, diff)
		if !diff.Kept {
			enter[field.Name] = diff.File
		}
	}
	r.compareArea(d, row, enter)
	r.compareExit(d, row, enter)
	if d.Status = Differs; len(d.Differs) == 0 {
		d.Status = Same
	}
	return enter
}

// difference is how a file's value differs from what a record shows. Where somebody has
// said the same already, and a person is asked, it doesn't.
func (r *reading) difference(of *draft, field *form.Field, row *roster.Row) (Difference, bool) {
	v := of.fields[field.Name]
	shown := row.Fields[field.Name]
	d := Difference{Field: field.Name, Label: field.Label, File: v, Roster: shown}
	if field.Rule == form.Union {
		there, _ := form.Members(shown)
		add, _ := form.Members(v)
		add = slices.DeleteFunc(slices.Clone(add), func(m string) bool { return slices.Contains(there, m) })
		d.File = form.Delta(add, nil)
		return d, len(add) > 0
	}
	folded := field.Fold(v)
	if !shown.IsNull() && field.Fold(shown) == folded || r.oneWriting(of, field.Name, row) {
		return d, false
	}
	for _, claim := range row.Disputed[field.Name] {
		if field.Fold(claim.Value) == folded {
			return d, false
		}
	}
	d.Kept = field.Rule == form.Latest && !shown.IsNull()
	return d, true
}

// oneWriting reports whether a name, a mobile or an address is written differently and is
// the same: 文昌路1-2-301 is 文昌路１号２幢301室. Nobody need be asked about that.
func (r *reading) oneWriting(d *draft, name string, row *roster.Row) bool {
	if r.form.Match == nil {
		return false
	}
	theirs := match.ProfileOf(r.form, row.Fields, nil)
	var a, b string
	switch m := r.form.Match; name {
	case m.Name:
		a, b = d.profile.Name, theirs.Name
	case m.Mobile:
		a, b = d.profile.Mobile, theirs.Mobile
	case m.Address:
		a, b = d.profile.Address, theirs.Address
	}
	return a != "" && a == b
}

// compareArea holds the area that a row names against the record's. An area above it says
// nothing else.
func (r *reading) compareArea(d *draft, row *roster.Row, enter syncproto.Fields) {
	if !d.said || r.places.tree.Within(row.Area, d.Area) {
		d.Area = row.Area
		return
	}
	field, _ := r.form.Field(syncproto.FieldArea)
	v := syncproto.TextValue(string(d.Area))
	for _, claim := range row.Disputed[syncproto.FieldArea] {
		if field.Fold(claim.Value) == field.Fold(v) {
			d.Area = row.Area
			return
		}
	}
	d.Differs = append(d.Differs, Difference{
		Field: field.Name, Label: field.Label, File: v, Roster: syncproto.TextValue(string(row.Area)),
	})
	enter[field.Name] = v
}

// compareExit: a row that lists somebody who has left says that they are there. All that it
// says is then entered, so that a person is asked.
func (r *reading) compareExit(d *draft, row *roster.Row, enter syncproto.Fields) {
	if _, asked := row.Disputed[syncproto.FieldExit]; row.Exit == nil || asked {
		return
	}
	field, _ := r.form.Field(syncproto.FieldExit)
	d.Differs = append(d.Differs, Difference{
		Field: field.Name, Label: field.Label, File: syncproto.Null, Roster: syncproto.ValueOf(row.Exit),
	})
	for name, v := range d.fields {
		enter[name] = v
	}
}

// second judges a row that speaks of the same record as one before it, and would enter some
// fields if it stood alone.
func (r *reading) second(d, first *draft, enter syncproto.Fields) {
	if !r.agree(d, first) {
		d.Status = Unsure
		d.Problems = append(d.Problems, Problem{Row: d.Row, Text: sayf(textTwinSays, first.Row)})
		return
	}
	var zh, en []string
	for i := range r.form.Fields {
		field := &r.form.Fields[i]
		_, wanted := enter[field.Name]
		if _, said := first.fields[field.Name]; wanted && !said {
			zh, en = append(zh, field.Label.ZH), append(en, field.Label.EN)
		}
	}
	if d.said && !first.said && d.Area != first.Area {
		field, _ := r.form.Field(syncproto.FieldArea)
		zh, en = append(zh, field.Label.ZH), append(en, field.Label.EN)
	}
	if len(zh) == 0 {
		d.Status, d.Differs = Same, nil
		return
	}
	more := sayf(textTwinMore, first.Row, strings.Join(zh, "、"))
	more.EN = fmt.Sprintf(textTwinMore.EN, first.Row, strings.Join(en, ", "))
	d.Status = Unsure
	d.Problems = append(d.Problems, Problem{Row: d.Row, Text: more})
}

// agree reports whether two rows of a file say the same, as far as both say anything.
func (r *reading) agree(a, b *draft) bool {
	for name, v := range a.fields {
		field, _ := r.form.Field(name)
		if other, said := b.fields[name]; said && field.Fold(v) != field.Fold(other) {
			return false
		}
	}
	return !a.said || !b.said || a.Area == b.Area
}
