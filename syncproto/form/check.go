package form

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"gridsync/syncproto"
	"gridsync/syncproto/decimal"
)

// Check holds the fields of a change against the form. It returns the first
// problem in the order of names, as an error with code fails_form, or nil. A
// cleared field passes unless it is required; a field that the form doesn't have
// passes, see UnknownFields. creates says that the change makes a new record,
// which must then have every required field that is asked.
func (f *Form) Check(fields syncproto.Fields, creates bool, o Occasion) *syncproto.Error {
	problem, _ := f.Inspect(fields, o)
	if problem != nil || !creates || f == nil {
		return problem
	}
	return f.CheckComplete(fields, o)
}

// Inspect is Check of a change that may be an edit, and UnknownFields, for a server that
// asks for both of every change.
func (f *Form) Inspect(fields syncproto.Fields, o Occasion) (problem *syncproto.Error, unknown []string) {
	first, found := "", ""
	for name, v := range fields {
		field, ok := f.Field(name)
		if !ok {
			unknown = append(unknown, name)
			continue
		}
		if found != "" && name > first {
			continue
		}
		p := field.valueProblem(v)
		if p == "" {
			p = field.constraintProblem(fields, o)
		}
		if p != "" {
			first, found = name, p
		}
	}
	slices.Sort(unknown)
	if found != "" {
		problem = fails(first, found)
	}
	return problem, unknown
}

// CheckComplete says which required field that is asked a new record lacks: the first in the
// form's order, as an error with code fails_form, or nil.
func (f *Form) CheckComplete(fields syncproto.Fields, o Occasion) *syncproto.Error {
	for i := range f.Fields {
		field := &f.Fields[i]
		if field.Required && fields[field.Name].IsNull() && f.Relevant(field, fields, o) {
			return fails(field.Name, "required")
		}
	}
	return nil
}

func (field *Field) valueProblem(v syncproto.Value) string {
	if v.IsNull() {
		return field.clearProblem()
	}
	return field.problem(v)
}

// clearProblem says why a field can't be cleared, "" if it can. A list is cleared
// by removing what is on it, so that nobody removes a member unseen.
func (field *Field) clearProblem() string {
	switch {
	case field.Required:
		return "required"
	case field.Rule == Union:
		return "a list is cleared by removing its members"
	}
	return ""
}

// UnknownFields returns the names that the form doesn't have, in order.
func (f *Form) UnknownFields(fields syncproto.Fields) []string {
	_, names := f.Inspect(fields, Occasion{})
	return names
}

func fails(field, detail string) *syncproto.Error {
	return &syncproto.Error{Code: syncproto.CodeFailsForm, Field: field, Detail: detail}
}

// maxText bounds a text whose field declares no bound, in characters.
const maxText = 2000

// problem says in a few English words what is wrong with a value, "" if nothing is.
func (field *Field) problem(v syncproto.Value) string {
	switch field.Type {
	case Integer, Decimal:
		return field.numberProblem(v)
	case Boolean:
		if v != "true" && v != "false" {
			return "true or false"
		}
	case Time:
		if _, ok := instant(v); !ok {
			return "an integer of milliseconds"
		}
	case Choices, Refs, Residences:
		return field.listProblem(v)
	case ExitType:
		return exitProblem(v)
	default:
		s, ok := v.Text()
		if !ok {
			return "a text"
		}
		return field.textProblem(s)
	}
	return ""
}

func (field *Field) numberProblem(v syncproto.Value) string {
	m, plain := decimal.Millionths(v)
	whole := m%decimal.Million == 0
	if !plain {
		x, ok := decimal.Read(v)
		if !ok {
			return "a number"
		}
		whole = x.IsInt()
	}
	if field.Type == Integer && !whole {
		return "a whole number"
	}
	if least := field.min.or(field.Min); least != nil {
		if order, _ := least.compare(v); order < 0 {
			return "out of bounds"
		}
	}
	if most := field.max.or(field.Max); most != nil {
		if order, _ := most.compare(v); order > 0 {
			return "out of bounds"
		}
	}
	return ""
}

func (field *Field) listProblem(v syncproto.Value) string {
	add, remove := Members(v)
	if v[0] == '"' || len(add)+len(remove) == 0 && v != "[]" {
		return "a list of texts, or an object of add and remove"
	}
	if len(add)+len(remove) > 500 {
		return "more than 500 members"
	}
	for _, m := range slices.Concat(add, remove) {
		if p := field.memberProblem(m); p != "" {
			return p
		}
	}
	return ""
}

func (field *Field) memberProblem(m string) string {
	switch field.Type {
	case Residences:
		if _, ok := ParseResidence(m); !ok {
			return "a day and an area, such as 2020-01-27 330702001003"
		}
		return ""
	case Choices:
		member := Field{Type: Choice, Choices: field.Choices}
		return member.textProblem(m)
	}
	member := Field{Type: Ref}
	return member.textProblem(m)
}

var mobilePattern = regexp.MustCompile(`^\+?[0-9]{5,15}$`)

func (field *Field) textProblem(s string) string {
	switch field.Type {
	case Text:
		most := float64(maxText)
		if field.Max != nil {
			most = *field.Max
		}
		if float64(utf8.RuneCountInString(s)) > most {
			return "too long"
		}
		if field.Required && strings.TrimSpace(norm.NFKC.String(s)) == "" {
			return "required"
		}
	case Date:
		if _, ok := ParseDay(s); !ok {
			return "a date such as 2020-01-31"
		}
	case Choice:
		if !slices.ContainsFunc(field.Choices, func(o Option) bool { return o.Code == s }) {
			return "not one of the choices"
		}
	case Ref:
		if id, err := syncproto.ParseID[syncproto.RecordID](s); err != nil || id.IsZero() {
			return "the id of a record"
		}
	case IDNumber:
		if !validIDNumber(field.foldText(s)) {
			return "the check character does not fit"
		}
	case Mobile:
		if !mobilePattern.MatchString(field.foldText(s)) {
			return "5 to 15 digits"
		}
	case AreaCode:
		if syncproto.AreaID(s).Check() != nil {
			return "an area's code"
		}
	}
	return ""
}

// validIDNumber checks length, birth date and the check character of a resident
// identity number by GB 11643-1999 (ISO 7064 MOD 11-2).
func validIDNumber(s string) bool {
	if len(s) != 18 {
		return false
	}
	if _, ok := ParseDay(s[6:10] + "-" + s[10:12] + "-" + s[12:14]); !ok {
		return false
	}
	want, ok := IDCheck(s[:17])
	return ok && s[17] == want
}

// IDCheck returns the check character of the first 17 digits of a resident
// identity number, and whether they are digits.
func IDCheck(digits string) (byte, bool) {
	if len(digits) != 17 {
		return 0, false
	}
	sum := 0
	for i := range 17 {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
		sum += int(digits[i]-'0') * (1 << (17 - i) % 11)
	}
	return "10X98765432"[sum%11], true
}

func exitProblem(v syncproto.Value) string {
	exit, ok := v.Exit()
	if !ok {
		return "an exit: reason, date, destination"
	}
	if !slices.Contains([]string{"moved", "died", "left", "duplicate", "mistake"}, exit.Reason) {
		return "reason is moved, died, left, duplicate or mistake"
	}
	if _, ok := ParseDay(exit.Date); !ok {
		return "date is a date such as 2020-01-31"
	}
	if utf8.RuneCountInString(exit.Destination) > 200 {
		return "destination is too long"
	}
	return ""
}
