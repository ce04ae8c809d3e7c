package form

import (
	_ "embed"
	"encoding/json"
	"slices"
)

//go:embed form.schema.json
var formSchema []byte

//go:embed template.schema.json
var templateSchema []byte

// Schema is the JSON Schema (2020-12) of a form's definition. It says all of the shape;
// that the names in a form are there, and fit, Parse alone says.
func Schema() json.RawMessage { return slices.Clone(formSchema) }

// TemplateSchema is that of a template's.
func TemplateSchema() json.RawMessage { return slices.Clone(templateSchema) }
