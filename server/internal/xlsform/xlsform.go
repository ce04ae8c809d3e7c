// Package xlsform turns a survey written as XLSForm, the workbook in which the tools
// around ODK keep their forms, into a form of ours. What it can't turn it names, with
// sheet and cell, and never drops in silence; it refuses to publish anything.
package xlsform

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Options say what the form is to be.
type Options struct {
	// Kind is the kind that the form is of; if empty, the workbook's form_id names it.
	Kind syncproto.Kind
	// Before is the newest form of the kind, nil if there is none. The workbook is then
	// read as its next version: what it doesn't ask any more is retired, not removed.
	Before *form.Form
	// Extend keeps asking what the workbook doesn't ask: it has questions for a kind that
	// there is, and isn't all of it.
	Extend bool
}

// Note is what is to be said of one cell. Cell is empty where it is said of a sheet, Sheet
// where it is said of the workbook.
type Note struct {
	Sheet string         `json:"sheet,omitempty"`
	Cell  string         `json:"cell,omitempty"`
	Text  syncproto.Text `json:"text"`
}

// String is the note as a person reads it.
func (n Note) String() string { return n.Text.ZH + " (" + n.Sheet + "!" + n.Cell + "): " + n.Text.EN }

// Reading is what a workbook says, as far as a form can say it.
type Reading struct {
	Kind syncproto.Kind `json:"kind"`
	// Source is the form's definition, as form.Parse reads it; none if there were no
	// questions to be had.
	Source json.RawMessage `json:"form,omitempty"`
	// Problems are what Source lacks: each is something that the survey means and the form
	// doesn't do. Whoever takes the form in spite of them has read them.
	Problems []Note `json:"problems"`
	// Remarks are what is done in another way here, or looks different, or needs no
	// asking: the answers mean the same.
	Remarks []Note `json:"remarks"`
}

// Limits on a survey.
const (
	maxQuestions = 500
	maxChoices   = 3000
	// maxSource bounds the definition: every phone in scope fetches it.
	maxSource = 192 << 10
	// maxNotes bounds either list.
	maxNotes = 300
)

// Read reads a workbook. What is wrong with it is a problem; the error is ctx's.
func Read(ctx context.Context, workbook []byte, o Options) (Reading, error) {
	r := &reader{
		options: o, notes: notes{problems: []Note{}, remarks: []Note{}},
		metas: map[string]string{}, lost: map[string]bool{}, agreed: map[string]bool{}, types: map[string]form.Type{}, sums: map[string]*sum{},
	}
	found, err := r.open(ctx, workbook)
	if err != nil {
		return Reading{}, fmt.Errorf("read a survey: %w", err)
	}
	if found.survey != nil {
		r.read(found)
	} else if len(r.problems) == 0 {
		r.problem(place{}, textNoSurvey)
	}
	return Reading{Kind: r.form.Kind, Source: r.source, Problems: r.problems, Remarks: r.remarks}, nil
}

// reader is a workbook as far as it was read.
type reader struct {
	options Options
	notes
	settings settings
	lists    map[string]*list
	names    naming
	// metas are the questions that sync answers, lost those that were not read, agreed the
	// fields that were triggers.
	metas  map[string]string
	lost   map[string]bool
	agreed map[string]bool
	types  map[string]form.Type
	// sums are the calculations, by the survey's names.
	sums map[string]*sum
	// plain is the language of columns that don't name theirs.
	plain language
	form  form.Form
	// day is the field that says on which day a record counts.
	day    string
	source json.RawMessage
}

// read goes through the sheets in the order in which one explains the next.
func (r *reader) read(found sheets) {
	r.settings = r.readSettings(found.settings)
	r.plain = r.plainLanguage(found)
	r.lists = r.readLists(found.choices)
	r.form.Version = 1
	r.form.Kind = r.kind()
	r.form.Label = r.title()
	r.form.Stream = r.stream()
	if b := r.options.Before; b != nil {
		r.form.Version = b.Version + 1
	}
	questions := r.readSurvey(found.survey)
	if len(questions) == 0 {
		r.problem(place{sheet: found.survey.name}, textNoQuestions)
		return
	}
	r.compose(questions)
	r.unusedLists()
	r.finish()
}

// finish writes the definition and holds it against the language's own rules.
func (r *reader) finish() {
	source, err := encode(&r.form)
	if err != nil {
		r.problem(place{}, say("表单无法写出：%v", "the form can't be written: %v", err))
		return
	}
	if len(source) > maxSource {
		r.problem(place{}, say("表单太大：%d KB，最多 %d KB", "the form is too large: %d KB of at most %d KB", len(source)>>10, maxSource>>10))
		return
	}
	if _, err := form.Parse(source); err != nil {
		r.problem(place{}, say("表单不成立：%v", "the form does not hold together: %v", err))
		return
	}
	r.source = source
}

// encode writes a definition for people to read as well: without escapes.
func encode(f *form.Form) (json.RawMessage, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(f); err != nil {
		return nil, fmt.Errorf("encode a form: %w", err)
	}
	return bytes.TrimSpace(out.Bytes()), nil
}
