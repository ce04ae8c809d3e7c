package form

import (
	"errors"
	"fmt"

	"gridsync/syncproto"
	"gridsync/syncproto/expr"
)

// formula reads an expression over the fields of the form; self is the field that the
// point reads, nil where there is none. Errors wrap a *expr.Problem.
func (f *Form) formula(what, source string, self *Field) (*expr.Expr, error) {
	names := expr.Names{Field: f.typeOf, Setting: defaultOf}
	if self != nil {
		names.Self = self.read()
	}
	e, err := expr.Parse(source, names)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if self == nil && e.UsesSelf() {
		return nil, fmt.Errorf("%s: the point stands for an answer, and there is none here", what)
	}
	return e, nil
}

// derived reads an expression by which something is derived from what a record shows, at
// any time and anew.
func (f *Form) derived(what, source string) (*expr.Expr, error) {
	e, err := f.formula(what, source, nil)
	switch {
	case err != nil:
		return nil, err
	case e.UsesClock():
		return nil, fmt.Errorf("%s: today() and now() would make it another tomorrow", what)
	case len(e.Settings()) > 0 && f.Moment == "":
		return nil, fmt.Errorf("%s: setting() needs a moment, the field that says of which day", what)
	}
	return e, nil
}

func (f *Form) typeOf(name string) (expr.Type, bool) {
	field, ok := f.Field(name)
	return field.read(), ok
}

func (field *Field) read() expr.Type {
	switch field.Type {
	case Date:
		return expr.Date
	case Time:
		return expr.Time
	}
	return expr.Plain
}

// scope is what conditions on a record as it stands are asked about. The day is worked out
// for forms that ask for settings only.
func (f *Form) scope(shown syncproto.Fields, env Env) expr.Scope {
	s := expr.Scope{Fields: shown, Env: env}
	if env != nil && f != nil && len(f.settings) > 0 {
		s.Day, _ = dayIn(f.momentType, shown[f.Moment])
	}
	return s
}

// Occasion is when and where somebody fills a form in: what today() and now() go by, and
// the settings of the record's area.
type Occasion struct {
	// At is the time of the entry as far as it is known, corrected or not.
	At  syncproto.Instant
	Env Env
}

func (o Occasion) scope(fields syncproto.Fields) expr.Scope {
	return expr.Scope{Fields: fields, Now: o.At, Env: o.Env, Day: DayOf(o.At)}
}

// checkMoment holds the field that says when against the form's fields.
func (f *Form) checkMoment() error {
	if f.Moment == "" {
		return nil
	}
	if err := f.expect(f.Moment, Date, Time); err != nil {
		return err
	}
	f.momentType = f.byName[f.Moment].Type
	return nil
}

// checkFormulas reads the expressions of a field.
func (field *Field) checkFormulas(f *Form) error {
	for _, one := range []struct {
		what, source string
		self         *Field
		into         **expr.Expr
	}{
		{"relevant", field.Relevant, nil, &field.relevant},
		{"constraint", field.Constraint, field, &field.constraint},
		{"calculate", field.Calculate, nil, &field.calculate},
	} {
		if one.source == "" {
			continue
		}
		e, err := f.formula(one.what, one.source, one.self)
		if err != nil {
			return err
		}
		*one.into = e
		f.asks = f.asks || one.what != "calculate" && (e.UsesClock() || len(e.Settings()) > 0)
	}
	switch {
	case field.Constraint == "" && field.ConstraintMessage != syncproto.Text{}:
		return errors.New("a constraint_message without a constraint")
	case field.Retired && field.Required:
		return errors.New("what is retired can't be required")
	}
	return nil
}

// Asks reports whether checking an entry takes heed of its Occasion: of the time, or of
// settings.
func (f *Form) Asks() bool { return f != nil && f.asks }

// Relevant reports whether a field is asked of a record that shows these values. A value
// in one that isn't asked is kept all the same.
func (f *Form) Relevant(field *Field, shown syncproto.Fields, o Occasion) bool {
	if field.Retired {
		return false
	}
	if field.relevant == nil {
		return true
	}
	s := o.scope(shown)
	return field.relevant.Holds(&s)
}

// constraintHolds reports whether an answer meets its field's constraint. No answer meets
// every one.
func (field *Field) constraintHolds(v syncproto.Value, fields syncproto.Fields, o Occasion) bool {
	if field.constraint == nil || v.IsNull() {
		return true
	}
	s := o.scope(fields)
	s.Self = v
	return field.constraint.Holds(&s)
}

// constraintProblem holds a change's own words against a field's constraint. One that
// speaks of fields which the change doesn't touch is left to whoever sees the record: what
// becomes of a change must not depend on what else has arrived.
func (field *Field) constraintProblem(fields syncproto.Fields, o Occasion) string {
	if field.constraint == nil {
		return ""
	}
	for _, name := range field.constraint.Fields() {
		if _, touched := fields[name]; !touched {
			return ""
		}
	}
	if !field.constraintHolds(fields[field.Name], fields, o) {
		return "it does not meet the condition"
	}
	return ""
}

// Computed returns what a field's calculation comes to, for showing: it is never recorded
// by itself. Null for a field without one.
func (f *Form) Computed(field *Field, shown syncproto.Fields, o Occasion) syncproto.Value {
	if field.calculate == nil {
		return syncproto.Null
	}
	s := o.scope(shown)
	return field.calculate.Value(&s)
}

// Settings returns the names of the settings by which anything is derived from records of
// this kind, or an entry is checked: in order, each once.
func (f *Form) Settings() []string { return f.settings }
