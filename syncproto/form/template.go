package form

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"gridsync/syncproto"
)

//go:embed templates/*.json
var builtInTemplates embed.FS

// Template is an area's choice of what is asked of a kind, over the fields that all areas
// have in common: rules of checkpoints differ from place to place, and what is recorded is
// still one kind of record. A template never keeps anything from being recorded.
type Template struct {
	Name    string         `json:"name"`
	Version int            `json:"version"`
	Kind    syncproto.Kind `json:"kind"`
	Label   syncproto.Text `json:"label"`
	// Origin says where it comes from, and what of it is our own.
	Origin syncproto.Text `json:"origin,omitzero"`
	// Fields are what is asked, in that order.
	Fields []Ask `json:"fields"`

	source json.RawMessage
}

// Ask is one field that a template asks for.
type Ask struct {
	Name string `json:"name"`
	// Required answers are asked for until they are given.
	Required bool `json:"required,omitempty"`
	// Label and Hint stand in place of the form's own.
	Label syncproto.Text `json:"label,omitzero"`
	Hint  syncproto.Text `json:"hint,omitzero"`
}

// ParseTemplate reads a template and checks that it makes sense by itself; Check holds it
// against its form.
func ParseTemplate(source []byte) (*Template, error) {
	dec := json.NewDecoder(bytes.NewReader(source))
	dec.DisallowUnknownFields()
	t := &Template{}
	if err := dec.Decode(t); err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("template: text behind the definition")
	}
	t.source = bytes.Clone(source)
	if err := t.check(); err != nil {
		return nil, fmt.Errorf("template %s/%d: %w", t.Name, t.Version, err)
	}
	return t, nil
}

func (t *Template) check() error {
	if err := syncproto.CheckField(t.Name); err != nil {
		return err
	}
	if t.Version < 1 {
		return fmt.Errorf("version %d: 1 or more", t.Version)
	}
	if err := t.Kind.Check(); err != nil {
		return err
	}
	if len(t.Fields) == 0 {
		return errors.New("it asks for nothing")
	}
	asked := names{}
	for _, a := range t.Fields {
		if err := asked.take(a.Name); err != nil {
			return fmt.Errorf("field %q: %w", a.Name, err)
		}
	}
	return nil
}

// Check holds a template against the form of its kind: every field must be there, and not
// retired.
func (t *Template) Check(f *Form) error {
	if f == nil || f.Kind != t.Kind {
		return fmt.Errorf("template %s: no form of %s", t.Name, t.Kind)
	}
	for _, a := range t.Fields {
		if field, ok := f.byName[a.Name]; !ok || field.Retired {
			return fmt.Errorf("template %s: %s/%d has no field %q", t.Name, f.Kind, f.Version, a.Name)
		}
	}
	return nil
}

// Source is the JSON that the template was parsed from.
func (t *Template) Source() json.RawMessage { return t.source }

// Asks returns what the template asks of a field, and whether it asks for it.
func (t *Template) Asks(name string) (Ask, bool) {
	if t == nil {
		return Ask{}, false
	}
	i := slices.IndexFunc(t.Fields, func(a Ask) bool { return a.Name == name })
	if i < 0 {
		return Ask{}, false
	}
	return t.Fields[i], true
}

func (t *Template) requires(name string) bool {
	a, _ := t.Asks(name)
	return a.Required
}

// Missing names, in the template's order, what must still be asked of a record that shows
// these values: a field that the form itself says isn't asked is not missed.
func (t *Template) Missing(f *Form, shown syncproto.Fields, o Occasion) []string {
	if t == nil || f == nil {
		return nil
	}
	var missing []string
	for _, a := range t.Fields {
		v := shown[a.Name]
		field, known := f.byName[a.Name]
		if a.Required && known && (v.IsNull() || v == "[]") && f.Relevant(field, shown, o) {
			missing = append(missing, a.Name)
		}
	}
	return missing
}

// BuiltInTemplates returns the templates that come with the program, in order of their
// names.
func BuiltInTemplates() ([]*Template, error) {
	entries, err := builtInTemplates.ReadDir("templates")
	if err != nil {
		return nil, fmt.Errorf("built-in templates: %w", err)
	}
	var all []*Template
	for _, e := range entries {
		source, err := builtInTemplates.ReadFile("templates/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("built-in templates: %w", err)
		}
		t, err := ParseTemplate(source)
		if err != nil {
			return nil, fmt.Errorf("built-in %s: %w", e.Name(), err)
		}
		all = append(all, t)
	}
	return all, nil
}
