package form

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"gridsync/syncproto"
	"gridsync/syncproto/decimal"
)

// Match names the fields by which two records of a kind are found to be one person,
// one household, or one event: a kind is one of the three. Fields that it hasn't got
// are left out.
type Match struct {
	// IDNumber, Mobile, Name, Birth, Household and Address are fields of people and
	// households.
	IDNumber  string `json:"id_number,omitempty"`
	Mobile    string `json:"mobile,omitempty"`
	Name      string `json:"name,omitempty"`
	Birth     string `json:"birth,omitempty"`
	Household string `json:"household,omitempty"`
	Address   string `json:"address,omitempty"`
	// Event makes records of this kind events: two by different authors that show the
	// same in all of its fields (a time counts by its day) are one event with two
	// witnesses, counted once, unless a person says otherwise.
	Event []string `json:"event,omitempty"`
}

// CheckRule names a way in which entries can be hard to believe.
type CheckRule string

// The rules.
const (
	// CheckRange: the number in Field lies outside Min to Max.
	CheckRange CheckRule = "range"
	// CheckBirth: the date in Field is not the one in the ID number in Against.
	CheckBirth CheckRule = "birth"
	// CheckPace: one author has more than Max records of the kind whose time in Field
	// falls into one window.
	CheckPace CheckRule = "pace"
	// CheckRun: of the at least Least records of one author in one window, Share
	// percent or more show the same in Field.
	CheckRun CheckRule = "run"
	// CheckBurst: one device entered more than Max records of the kind within one window.
	CheckBurst CheckRule = "burst"
)

// Check is one rule about what is hard to believe.
type Check struct {
	Name  string         `json:"name"`
	Label syncproto.Text `json:"label"`
	Rule  CheckRule      `json:"rule"`
	// Field is what is looked at; Time is the time field by which CheckRun cuts windows.
	Field   string `json:"field,omitempty"`
	Time    string `json:"time,omitempty"`
	Against string `json:"against,omitempty"`
	// Window is the window's length in minutes; windows start at multiples of it.
	Window int `json:"window,omitempty"`
	// Min and Max bound a range; Max bounds a pace or a burst.
	Min *float64 `json:"min,omitempty"`
	Max *float64 `json:"max,omitempty"`
	// Least and Share are those of CheckRun.
	Least int `json:"least,omitempty"`
	Share int `json:"share,omitempty"`

	min, max *bound // Min and Max
}

// check holds the names that a match uses against the fields.
func (m *Match) check(f *Form) error {
	sorts := 0
	for _, named := range []bool{
		cmp.Or(m.IDNumber, m.Mobile, m.Name, m.Birth, m.Household) != "", m.Address != "", len(m.Event) > 0,
	} {
		if named {
			sorts++
		}
	}
	if sorts != 1 {
		return errors.New("match: fields of a person, of a household or of an event, and of one of them only")
	}
	for _, use := range []struct {
		name string
		want Type
	}{
		{m.IDNumber, IDNumber},
		{m.Mobile, Mobile},
		{m.Name, Text},
		{m.Birth, Date},
		{m.Household, Ref},
		{m.Address, Text},
	} {
		if use.name == "" {
			continue
		}
		if err := f.expect(use.name, use.want); err != nil {
			return fmt.Errorf("match: %w", err)
		}
	}
	for _, name := range m.Event {
		if field := f.byName[name]; field == nil || field.Rule == Union {
			return fmt.Errorf("match: %q must be a field, and no list", name)
		}
	}
	return nil
}

// EventOf returns what makes a record one event with another: equal texts are one
// event. It is empty for kinds that are no events, and for a record that does not show
// every field of Event.
func (m *Match) EventOf(f *Form, shown syncproto.Fields) string {
	event := make([]byte, 0, 128)
	for _, name := range m.Event {
		v := shown[name]
		if v.IsNull() {
			return ""
		}
		start := len(event)
		event = f.appendPart(event, name, v)
		length := len(event) - start // so that no text reads as two
		event = append(strconv.AppendInt(append(event, ' '), int64(length), 10), ' ')
	}
	return string(event)
}

func (f *Form) appendPart(event []byte, name string, v syncproto.Value) []byte {
	field, _ := f.Field(name)
	switch field.Type {
	case Time:
		if day, ok := f.dayOf(name, v); ok {
			return strconv.AppendInt(event, int64(day), 10)
		}
	case Ref:
		if id, ok := v.Text(); ok {
			return append(event, strings.ToLower(id)...)
		}
	}
	return append(event, field.Fold(v)...)
}

// expect says what is wrong if f has no field of the name with one of these types.
func (f *Form) expect(name string, types ...Type) error {
	if field := f.byName[name]; field == nil || !slices.Contains(types, field.Type) {
		return fmt.Errorf("%q must be a field of type %v", name, types)
	}
	return nil
}

// maxWindow is a week, in minutes.
const maxWindow = 7 * 24 * 60

// check holds a check's name, fields and bounds against the form.
func (c *Check) check(f *Form) error {
	if err := syncproto.CheckField(c.Name); err != nil {
		return err
	}
	c.min, c.max = newBound(c.Min), newBound(c.Max)
	switch c.Rule {
	case CheckRange:
		return cmp.Or(f.expect(c.Field, Integer, Decimal), c.rangeProblem())
	case CheckBirth:
		return cmp.Or(f.expect(c.Field, Date), f.expect(c.Against, IDNumber))
	case CheckPace:
		return cmp.Or(f.expect(c.Field, Time), c.windowProblem(), c.mostProblem())
	case CheckBurst:
		return cmp.Or(c.windowProblem(), c.mostProblem())
	case CheckRun:
		return cmp.Or(c.runProblem(f), f.expect(c.Time, Time), c.windowProblem())
	}
	return fmt.Errorf("unknown rule %q", c.Rule)
}

func (c *Check) rangeProblem() error {
	if c.Min == nil && c.Max == nil || c.Min != nil && c.Max != nil && *c.Min > *c.Max {
		return errors.New("a range has min or max, and min is not above max")
	}
	return nil
}

func (c *Check) windowProblem() error {
	if c.Window < 1 || c.Window > maxWindow {
		return fmt.Errorf("window %d: 1 to %d minutes", c.Window, maxWindow)
	}
	return nil
}

func (c *Check) mostProblem() error {
	if c.Max == nil || *c.Max < 1 {
		return errors.New("max is needed, and 1 or more")
	}
	return nil
}

func (c *Check) runProblem(f *Form) error {
	if field := f.byName[c.Field]; field == nil || field.Rule == Union {
		return fmt.Errorf("%q must be a field, and no list", c.Field)
	}
	if c.Least < 2 || c.Share < 1 || c.Share > 100 {
		return errors.New("least is 2 or more, and share 1 to 100")
	}
	return nil
}

// Outside reports whether the number in Field lies outside Min to Max. What is no
// number doesn't: the form's types are to say that.
func (c *Check) Outside(shown syncproto.Fields) bool {
	v := shown[c.Field]
	if least := c.min.or(c.Min); least != nil {
		if order, ok := least.compare(v); ok && order < 0 {
			return true
		}
	}
	if most := c.max.or(c.Max); most != nil {
		if order, ok := most.compare(v); ok && order > 0 {
			return true
		}
	}
	return false
}

// Contradicted reports whether the date in Field is not the one in the ID number in
// Against. Without both there is nothing to contradict.
func (c *Check) Contradicted(f *Form, shown syncproto.Fields) bool {
	number, _ := f.TextOf(c.Against, shown)
	written, ok := BirthIn(number)
	text, _ := f.TextOf(c.Field, shown)
	said, given := ParseDay(text)
	return ok && given && said != written
}

// Moment is the time by which a check of pace or run cuts windows.
func (c *Check) Moment(shown syncproto.Fields) (syncproto.Instant, bool) {
	if c.Rule == CheckRun {
		return instant(shown[c.Time])
	}
	return instant(shown[c.Field])
}

// Start is when the window that t falls into starts.
func (c *Check) Start(t syncproto.Instant) syncproto.Instant {
	const minute = 60_000
	length := syncproto.Instant(max(c.Window, 1)) * minute
	within := t % length
	if within < 0 {
		within += length
	}
	return t - within
}

// Reading is what Field shows, such that equal readings are one value; "" if nothing.
// Numbers count in millionths, which is quicker to work out than what Fold makes of them.
func (c *Check) Reading(f *Form, shown syncproto.Fields) string {
	v := shown[c.Field]
	if v.IsNull() {
		return ""
	}
	if m, plain := decimal.Millionths(v); plain {
		return strconv.FormatInt(m, 10)
	}
	if x, ok := decimal.Read(v); ok {
		return x.Mul(x, big.NewRat(decimal.Million, 1)).RatString()
	}
	field, _ := f.Field(c.Field)
	return field.Fold(v)
}

// TextOf returns the text that a field shows, folded, and whether it shows one.
func (f *Form) TextOf(name string, shown syncproto.Fields) (string, bool) {
	s, ok := shown[name].Text()
	if !ok {
		return "", false
	}
	field, _ := f.Field(name)
	return field.foldText(s), true
}

// BirthIn returns the date of birth in a folded resident identity number, and whether
// that is one.
func BirthIn(idNumber string) (Day, bool) {
	if !validIDNumber(idNumber) {
		return 0, false
	}
	return ParseDay(idNumber[6:10] + "-" + idNumber[10:12] + "-" + idNumber[12:14])
}
