package form

import (
	"slices"

	"gridsync/syncproto"
	"gridsync/syncproto/expr"
)

// RemarkKind says what there is to say of a record that is being filled in.
type RemarkKind string

// The kinds.
const (
	// Missing: the form or the template asks for it, and there is no answer.
	Missing RemarkKind = "missing"
	// NotAsked: there is an answer, and the others say that it isn't asked.
	NotAsked RemarkKind = "not_asked"
	// Unmet: the answer doesn't meet its field's constraint.
	Unmet RemarkKind = "unmet"
)

// Remark is something to say of one field. It never stands in the way of recording.
type Remark struct {
	Field string
	Kind  RemarkKind
}

// Remarks looks over a record as its author sees it before it is saved, by everything that
// it shows and by the area's template, nil where there is none. They stand in the order of
// the form's fields.
func (f *Form) Remarks(shown syncproto.Fields, t *Template, o Occasion) []Remark {
	if f == nil {
		return nil
	}
	var remarks []Remark
	for i := range f.Fields {
		field := &f.Fields[i]
		v := shown[field.Name]
		answered := !v.IsNull() && v != "[]"
		relevant := veiled(field.relevant, shown) && !field.Retired || f.Relevant(field, shown, o)
		switch {
		case answered && !relevant && !field.Retired:
			remarks = append(remarks, Remark{field.Name, NotAsked})
		case !answered && relevant && (field.Required || t.requires(field.Name)):
			remarks = append(remarks, Remark{field.Name, Missing})
		}
		_, masked := v.Masked()
		if !masked && !veiled(field.constraint, shown) && !field.constraintHolds(v, shown, o) {
			remarks = append(remarks, Remark{field.Name, Unmet})
		}
	}
	return remarks
}

// veiled reports whether an expression reads a value that its reader isn't shown: what it
// comes to says nothing then.
func veiled(e *expr.Expr, shown syncproto.Fields) bool {
	return e != nil && slices.ContainsFunc(e.Fields(), func(name string) bool {
		_, masked := shown[name].Masked()
		return masked
	})
}

// Unasked returns the fields of a change that its own words say aren't asked, in order: a
// field's condition that speaks of what the change doesn't touch says nothing here.
func (f *Form) Unasked(fields syncproto.Fields, o Occasion) []string {
	if f == nil {
		return nil
	}
	var names []string
	for name, v := range fields {
		field, known := f.byName[name]
		if !known || field.relevant == nil || v.IsNull() {
			continue
		}
		if !slices.ContainsFunc(field.relevant.Fields(), func(of string) bool { _, touched := fields[of]; return !touched }) &&
			!f.Relevant(field, fields, o) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
