package form

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"gridsync/syncproto"
	"gridsync/syncproto/expr"
)

// Env answers what is set in a record's area. A nil one is an area in which nobody has set
// anything: the defaults of Settings hold.
type Env = expr.Env

// When is a condition on what a record shows: a formula in the language of package expr,
// or, as older forms have it, a list of tests that must all hold. The zero When always
// holds. As JSON it is a text, or a list.
type When struct {
	Formula string
	Tests   []Condition

	formula *expr.Expr
}

// IsZero reports whether there is no condition.
func (w When) IsZero() bool { return w.Formula == "" && len(w.Tests) == 0 }

// MarshalJSON writes the formula, or the tests.
func (w When) MarshalJSON() ([]byte, error) {
	if w.Formula != "" {
		return syncproto.Encode(w.Formula)
	}
	return syncproto.Encode(append([]Condition{}, w.Tests...))
}

// UnmarshalJSON reads a text, which may not be empty, or a list.
func (w *When) UnmarshalJSON(b []byte) error {
	*w = When{}
	if len(b) > 0 && b[0] == '"' {
		err := json.Unmarshal(b, &w.Formula)
		if err == nil && w.Formula == "" {
			err = errors.New("when: an empty text")
		}
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	return dec.Decode(&w.Tests)
}

// Condition compares one field with constants. Exactly one of its tests is given.
type Condition struct {
	Field string `json:"field"`
	// Is holds when the value is one of these.
	Is []syncproto.Value `json:"is,omitempty"`
	// AtLeast holds when the value is a number and not below this one.
	AtLeast *float64 `json:"at_least,omitempty"`
	// Has holds when the value is a list with this member.
	Has string `json:"has,omitempty"`
	// Set holds when there is a value (true), or none (false): an emptied list is none.
	Set *bool `json:"set,omitempty"`

	atLeast *bound
}

// check holds a condition against the form. What is derived from a record must not depend
// on when somebody looks, so a formula here may not ask for the time.
func (w *When) check(f *Form) error {
	if w.Formula != "" {
		var err error
		w.formula, err = f.derived("when", w.Formula)
		return err
	}
	for i := range w.Tests {
		c := &w.Tests[i]
		c.atLeast = newBound(c.AtLeast)
		if _, ok := f.Field(c.Field); !ok {
			return fmt.Errorf("condition on %q: no such field", c.Field)
		}
		tests := 0
		for _, given := range []bool{len(c.Is) > 0, c.AtLeast != nil, c.Has != "", c.Set != nil} {
			if given {
				tests++
			}
		}
		if tests != 1 {
			return fmt.Errorf("condition on %q: one test, got %d", c.Field, tests)
		}
	}
	return nil
}

// Fields are the fields that a condition looks at.
func (w *When) Fields() []string {
	if w.formula != nil {
		return w.formula.Fields()
	}
	var names []string
	for i := range w.Tests {
		names = append(names, w.Tests[i].Field)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Hold reports whether the condition holds for a record that shows these values, in an
// area with these settings.
func (w *When) Hold(f *Form, shown syncproto.Fields, env Env) bool {
	s := f.scope(shown, env)
	return w.hold(f, &s)
}

func (w *When) hold(f *Form, s *expr.Scope) bool {
	if w.formula != nil {
		return w.formula.Holds(s)
	}
	for i := range w.Tests {
		if !w.Tests[i].holds(f, s.Fields[w.Tests[i].Field]) {
			return false
		}
	}
	return true
}

func (c *Condition) holds(f *Form, v syncproto.Value) bool {
	switch {
	case c.Set != nil:
		return *c.Set == (!v.IsNull() && v != "[]")
	case c.AtLeast != nil:
		order, ok := c.atLeast.or(c.AtLeast).compare(v)
		return ok && order >= 0
	case c.Has != "":
		members, _ := v.Texts()
		return slices.Contains(members, c.Has)
	}
	field, _ := f.Field(c.Field)
	for _, want := range c.Is {
		if field.Fold(v) == field.Fold(want) {
			return true
		}
	}
	return false
}
