package form

import (
	"fmt"
	"slices"

	"gridsync/syncproto"
)

// Conditions must all hold.
type Conditions []Condition

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

func (cs Conditions) check(f *Form) error {
	for i := range cs {
		c := &cs[i]
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

// Hold reports whether all conditions hold for a record that shows these values.
func (cs Conditions) Hold(f *Form, shown syncproto.Fields) bool {
	for i := range cs {
		if !cs[i].holds(f, shown[cs[i].Field]) {
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
