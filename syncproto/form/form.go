// Package form reads form definitions: the fields of a kind of record, their
// types, how disagreement about each is merged, what counts and what alarms.
//
// Forms are versioned data, so that a county can change them and phones get them
// by sync. The package refuses to know where a form comes from or what a record
// is stored in.
package form

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"gridsync/syncproto"
	"gridsync/syncproto/expr"
)

// Rule says what a field shows when several writes are alive, and whether a
// person must look. Concurrent writes stay alive whatever the rule.
type Rule string

// The five merge rules.
const (
	// Latest shows the greatest (corrected time, device, n).
	Latest Rule = "latest"
	// Review shows the same, and asks a person when authors differ.
	Review Rule = "review"
	// Severest shows the greatest in the field's declared order.
	Severest Rule = "severest"
	// Union shows every member added and not removed by someone who had seen it.
	Union Rule = "union"
	// Once shows the earliest, and asks a person when a different value is there.
	Once Rule = "once"
)

// Type is the type of a field's value.
type Type string

// The field types.
const (
	Text     Type = "text"
	Integer  Type = "integer"
	Decimal  Type = "decimal"
	Boolean  Type = "boolean"
	Date     Type = "date"      // "2020-01-31"
	Time     Type = "time"      // an Instant
	Choice   Type = "choice"    // one of the field's choices
	Choices  Type = "choices"   // a list of them; merged by union
	Ref      Type = "ref"       // the id of a record of kind Field.Of
	Refs     Type = "refs"      // a list of them; merged by union
	IDNumber Type = "id_number" // a resident identity number with its check character
	Mobile   Type = "mobile"
	AreaCode Type = "area"
	ExitType Type = "exit" // a syncproto.Exit
	// Residences is a list of texts "2020-01-27 330702001003"; merged by union.
	Residences Type = "residences"
)

// Class says how personal a field is, and so who may see it and how it is kept.
type Class string

// The classes of personal data.
const (
	Open     Class = ""         // says nothing of a person
	Personal Class = "personal" // name, birth, health: for those whose post needs it
	Secret   Class = "secret"   // ID number, mobile: sealed and masked
)

// Stream says when a record travels in a first sync.
type Stream string

// The streams.
const (
	Roster  Stream = "roster"  // what a worker needs at a door: sent first
	History Stream = "history" // what has been done: sent after every roster
	// Broadcast is what is said to everybody below, such as a notice: it goes to the phones
	// of all areas below its record's own, whatever they may see there otherwise. So its
	// forms hold nothing personal.
	Broadcast Stream = "broadcast"
)

// Form defines one version of one kind of record.
type Form struct {
	Kind      syncproto.Kind `json:"kind"`
	Version   int            `json:"version"`
	Label     syncproto.Text `json:"label"`
	Stream    Stream         `json:"stream"`
	Fields    []Field        `json:"fields"`
	Flags     []Flag         `json:"flags,omitempty"`
	Measures  []Measure      `json:"measures,omitempty"`
	Sightings *Sightings     `json:"sightings,omitempty"`
	// Decided kinds are written by decisions only: what a secretary rules or signs.
	Decided bool `json:"decided,omitempty"`
	// Match says by which fields two records of this kind are found to be one.
	Match *Match `json:"match,omitempty"`
	// Checks say what is hard to believe. They flag; they never alter, block or count.
	Checks []Check `json:"checks,omitempty"`
	// Moment is the date or time field that says when a record was: the settings of that
	// day are those that its flags and measures go by.
	Moment string `json:"moment,omitempty"`
	// Ratios are shares of measures that are shown as percentages.
	Ratios []Ratio `json:"ratios,omitempty"`

	byName map[string]*Field
	source json.RawMessage
	// asks says that checking an entry takes heed of the time or of settings.
	asks     bool
	settings []string
	// momentType is that of the field Moment.
	momentType Type
}

// Field defines one field.
type Field struct {
	Name     string         `json:"name"`
	Type     Type           `json:"type"`
	Label    syncproto.Text `json:"label"`
	Rule     Rule           `json:"rule"`
	Class    Class          `json:"class,omitempty"`
	Required bool           `json:"required,omitempty"`
	// Of is the kind that a ref or refs field names.
	Of syncproto.Kind `json:"of,omitempty"`
	// Indexed says that records are looked for by what this ref or refs field names, such as
	// the read receipts of a notice.
	Indexed bool `json:"indexed,omitempty"`
	// Choices are the codes allowed in a choice or choices field. For the rule
	// severest they stand from mildest to severest.
	Choices []Option `json:"choices,omitempty"`
	// Min and Max bound integers and decimals; Max bounds a text's characters.
	Min *float64 `json:"min,omitempty"`
	Max *float64 `json:"max,omitempty"`
	// Unit is the unit of a number, such as "°C".
	Unit string `json:"unit,omitempty"`
	// Hint is what helps to answer.
	Hint syncproto.Text `json:"hint,omitzero"`
	// Relevant, Constraint and Calculate are in the language of package expr. A field is
	// asked if Relevant holds of what the record shows; an answer must meet Constraint, in
	// which the point is the answer; Calculate is shown beside the field and never recorded
	// by itself.
	Relevant          string         `json:"relevant,omitempty"`
	Constraint        string         `json:"constraint,omitempty"`
	ConstraintMessage syncproto.Text `json:"constraint_message,omitzero"`
	Calculate         string         `json:"calculate,omitempty"`
	// Retired fields are asked no more. What was said in them is kept and shown.
	Retired bool `json:"retired,omitempty"`

	min, max                        *bound // Min and Max
	relevant, constraint, calculate *expr.Expr
}

// Option is one choice.
type Option struct {
	Code  string         `json:"code"`
	Label syncproto.Text `json:"label"`
}

// Flag raises an alarm on a record as it stands.
type Flag struct {
	Name  string         `json:"name"`
	Label syncproto.Text `json:"label"`
	When  When           `json:"when"`
}

// Ratio is a share of one measure in another, such as fevers in temperatures. Both are
// this form's, or another kind's.
type Ratio struct {
	Name  string         `json:"name"`
	Label syncproto.Text `json:"label"`
	Of    string         `json:"of"`
	Per   string         `json:"per"`
}

// Sightings says that a record of this kind is evidence of having met somebody:
// rounds are compared by it.
type Sightings struct {
	// Round is the field that names the round.
	Round string `json:"round"`
	// Subjects is the field that lists who was met.
	Subjects string `json:"subjects"`
	// When limits which records count as a sighting.
	When When `json:"when,omitzero"`
	// Household and Outcome are the fields that say where somebody went and what came of it:
	// households are counted by them, whoever was met. Both are given, or neither.
	Household string `json:"household,omitempty"`
	Outcome   string `json:"outcome,omitempty"`
}

// unknown is how a field that the form doesn't have is treated: kept, and asked
// about when authors differ.
var unknown = Field{Rule: Review}

// Field returns the definition of a field: the form's own, or one of those
// that every record has. ok is false for a name that is neither; the field
// returned then keeps the value and asks a person when authors differ.
func (f *Form) Field(name string) (field *Field, ok bool) {
	if field := standing(name); field != nil {
		return field, true
	}
	if f != nil {
		if own, ok := f.byName[name]; ok {
			return own, true
		}
	}
	return &unknown, false
}

// Source is the JSON that the form was parsed from.
func (f *Form) Source() json.RawMessage {
	if f == nil {
		return nil
	}
	return f.source
}

// Parse reads a definition and checks that it makes sense.
func Parse(source []byte) (*Form, error) {
	dec := json.NewDecoder(bytes.NewReader(source))
	dec.DisallowUnknownFields()
	f := &Form{}
	if err := dec.Decode(f); err != nil {
		return nil, fmt.Errorf("form: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("form: text behind the definition")
	}
	f.source = bytes.Clone(source)
	f.byName = make(map[string]*Field, len(f.Fields))
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("form %s/%d: %w", f.Kind, f.Version, err)
	}
	return f, nil
}

func (f *Form) check() error {
	if err := f.Kind.Check(); err != nil {
		return err
	}
	if f.Version < 1 {
		return fmt.Errorf("version %d: 1 or more", f.Version)
	}
	if f.Stream != Roster && f.Stream != History && f.Stream != Broadcast {
		return fmt.Errorf("stream %q: roster, history or broadcast", f.Stream)
	}
	for i := range f.Fields {
		field := &f.Fields[i]
		if err := field.check(); err != nil {
			return fmt.Errorf("field %q: %w", field.Name, err)
		}
		if _, twice := f.byName[field.Name]; twice || standing(field.Name) != nil {
			return fmt.Errorf("field %q is there already", field.Name)
		}
		if f.Stream == Broadcast && field.Class != Open {
			return fmt.Errorf("field %q: what is broadcast is seen by everybody below, and holds nothing %s", field.Name, field.Class)
		}
		f.byName[field.Name] = field
	}
	if err := f.checkMoment(); err != nil {
		return fmt.Errorf("moment: %w", err)
	}
	for i := range f.Fields {
		if err := f.Fields[i].checkFormulas(f); err != nil {
			return fmt.Errorf("field %q: %w", f.Fields[i].Name, err)
		}
	}
	if err := f.checkUses(); err != nil {
		return err
	}
	f.settings = f.asked()
	return nil
}

// asked lists the settings that the form's expressions ask for, in order.
func (f *Form) asked() []string {
	var all []string
	take := func(e *expr.Expr) {
		if e != nil {
			all = append(all, e.Settings()...)
		}
	}
	for i := range f.Fields {
		take(f.Fields[i].relevant)
		take(f.Fields[i].constraint)
		take(f.Fields[i].calculate)
	}
	for i := range f.Flags {
		take(f.Flags[i].When.formula)
	}
	for i := range f.Measures {
		take(f.Measures[i].When.formula)
		take(f.Measures[i].sum)
	}
	if f.Sightings != nil {
		take(f.Sightings.When.formula)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// checkUses holds the names that flags, measures, checks, sightings and the match use
// against the fields.
func (f *Form) checkUses() error {
	flags, measures, checks, ratios := names{}, names{}, names{}, names{}
	for i := range f.Flags {
		flag := &f.Flags[i]
		if err := cmp.Or(flags.take(flag.Name), flag.When.check(f)); err != nil {
			return fmt.Errorf("flag %q: %w", flag.Name, err)
		}
	}
	for i := range f.Measures {
		m := &f.Measures[i]
		if err := cmp.Or(measures.take(m.Name), m.check(f)); err != nil {
			return fmt.Errorf("measure %q: %w", m.Name, err)
		}
	}
	for _, r := range f.Ratios {
		if err := cmp.Or(ratios.take(r.Name), syncproto.CheckField(r.Of), syncproto.CheckField(r.Per)); err != nil {
			return fmt.Errorf("ratio %q: %w", r.Name, err)
		}
	}
	for i := range f.Checks {
		c := &f.Checks[i]
		if err := cmp.Or(checks.take(c.Name), c.check(f)); err != nil {
			return fmt.Errorf("check %q: %w", c.Name, err)
		}
	}
	if f.Match != nil {
		if err := f.Match.check(f); err != nil {
			return err
		}
	}
	return f.Sightings.check(f)
}

func (s *Sightings) check(f *Form) error {
	if s == nil {
		return nil
	}
	round, subjects := f.byName[s.Round], f.byName[s.Subjects]
	if round == nil || round.Type != Ref || subjects == nil || subjects.Type != Refs {
		return fmt.Errorf("sightings: %q must be a ref and %q must be refs", s.Round, s.Subjects)
	}
	household, outcome := f.byName[s.Household], f.byName[s.Outcome]
	if s.Household+s.Outcome != "" && (household == nil || household.Type != Ref || outcome == nil || outcome.Type != Choice) {
		return fmt.Errorf("sightings: %q must be a ref and %q must be a choice", s.Household, s.Outcome)
	}
	return s.When.check(f)
}

// names are those given out already.
type names map[string]bool

func (ns names) take(name string) error {
	if name == "" || ns[name] {
		return errors.New("is there already, or empty")
	}
	ns[name] = true
	return nil
}

func (field *Field) check() error {
	if err := syncproto.CheckField(field.Name); err != nil {
		return err
	}
	switch field.Type {
	case Text, Integer, Decimal, Boolean, Date, Time, IDNumber, Mobile, AreaCode:
	case Choice, Choices:
		if len(field.Choices) == 0 {
			return fmt.Errorf("type %s needs choices", field.Type)
		}
	case Ref, Refs:
		if field.Of == "" {
			return fmt.Errorf("type %s needs a kind in \"of\"", field.Type)
		}
	default:
		return fmt.Errorf("unknown type %q", field.Type)
	}
	field.min, field.max = newBound(field.Min), newBound(field.Max)
	if field.Min != nil && field.Max != nil && *field.Min > *field.Max {
		return fmt.Errorf("min %g is above max %g", *field.Min, *field.Max)
	}
	codes := names{}
	for _, o := range field.Choices {
		if err := codes.take(o.Code); err != nil {
			return fmt.Errorf("choice %q: %w", o.Code, err)
		}
	}
	if field.Indexed && field.Type != Ref && field.Type != Refs {
		return fmt.Errorf("type %s is not indexed: refs are", field.Type)
	}
	many := field.Type == Choices || field.Type == Refs
	ordered := field.Type == Choice || field.Type == Integer || field.Type == Decimal || field.Type == Boolean
	switch {
	case many != (field.Rule == Union):
		return fmt.Errorf("rule %q does not go with type %s: lists are merged by union, and nothing else is", field.Rule, field.Type)
	case field.Rule == Severest && !ordered:
		return fmt.Errorf("rule severest needs an order, which type %s has not", field.Type)
	case field.Rule != Latest && field.Rule != Review && field.Rule != Severest && field.Rule != Union && field.Rule != Once:
		return fmt.Errorf("unknown rule %q", field.Rule)
	case field.Class != Open && field.Class != Personal && field.Class != Secret:
		return fmt.Errorf("unknown class %q", field.Class)
	}
	return nil
}
