package xlsform

import (
	"encoding/json"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// definition is a form as it is written. What was there before and the workbook doesn't
// speak of stays as its source has it.
type definition struct {
	Kind      syncproto.Kind  `json:"kind"`
	Version   int             `json:"version"`
	Label     syncproto.Text  `json:"label"`
	Stream    form.Stream     `json:"stream"`
	Moment    string          `json:"moment,omitempty"`
	Fields    []any           `json:"fields"`
	Flags     []any           `json:"flags,omitempty"`
	Measures  []any           `json:"measures,omitempty"`
	Ratios    json.RawMessage `json:"ratios,omitempty"`
	Sightings json.RawMessage `json:"sightings,omitempty"`
	Match     json.RawMessage `json:"match,omitempty"`
	Checks    json.RawMessage `json:"checks,omitempty"`
}

// field is a field as it is written.
type field struct {
	Name              string          `json:"name"`
	Type              form.Type       `json:"type"`
	Label             syncproto.Text  `json:"label"`
	Hint              *syncproto.Text `json:"hint,omitempty"`
	Rule              form.Rule       `json:"rule"`
	Class             form.Class      `json:"class,omitempty"`
	Required          bool            `json:"required,omitempty"`
	Of                syncproto.Kind  `json:"of,omitempty"`
	Choices           []form.Option   `json:"choices,omitempty"`
	Min               *float64        `json:"min,omitempty"`
	Max               *float64        `json:"max,omitempty"`
	Unit              string          `json:"unit,omitempty"`
	Relevant          string          `json:"relevant,omitempty"`
	Constraint        string          `json:"constraint,omitempty"`
	ConstraintMessage *syncproto.Text `json:"constraint_message,omitempty"`
	Calculate         string          `json:"calculate,omitempty"`
}

// flag is a flag as it is written.
type flag struct {
	Name  string         `json:"name"`
	Label syncproto.Text `json:"label"`
	When  string         `json:"when"`
}

// measure is a measure as it is written.
type measure struct {
	Name  string         `json:"name"`
	Label syncproto.Text `json:"label"`
	Unit  form.Unit      `json:"unit"`
	Day   string         `json:"day"`
	When  string         `json:"when,omitempty"`
	Sum   string         `json:"sum,omitempty"`
}
