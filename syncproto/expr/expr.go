// Package expr is the one language in which forms say when a field is asked, what an
// answer must be, what raises a flag and what counts: a subset of XPath as XLSForm uses
// it, so that surveys written elsewhere can be taken over.
//
//	${temperature} >= setting('fever_threshold') and not(selected(${symptoms}, 'none'))
//
// An expression is a pure function of what it is given. It always ends, never fails, and
// gives the same in every language: rules R104 to R113 of SPEC.md say what. The package
// refuses to round numbers and to know a form.
package expr

import (
	"regexp"
	"slices"
	"unicode/utf8"

	"gridsync/syncproto"
)

// Env answers what an installation has set.
type Env interface {
	// Setting returns the value of a setting on a day; Null where nobody has set it. Day 0
	// is that of a record which doesn't say when.
	Setting(name string, day Day) syncproto.Value
}

// Scope is what an expression is asked about.
type Scope struct {
	// Fields are what ${name} reads.
	Fields syncproto.Fields
	// Self is what . reads: the answer that is being checked.
	Self syncproto.Value
	// Now is what now() and today() go by.
	Now syncproto.Instant
	// Env and Day are whom setting() asks, and of which day. Without Env nobody has set
	// anything.
	Env Env
	Day Day
}

// Expr is an expression. It is never altered, and may be used by many at once.
type Expr struct {
	root     *node
	fields   []string
	settings []string
	clock    bool
	self     bool
}

// Bounds of an expression.
const (
	maxLength = 4000
	maxDepth  = 50
)

// Names says what an expression may speak of.
type Names struct {
	// Field returns how the values of a field are read, and whether there is one.
	Field func(name string) (Type, bool)
	// Self is how the point is read.
	Self Type
	// Setting returns what a setting is where nobody has set it, and whether there is one.
	Setting func(name string) (syncproto.Value, bool)
}

// Parse reads an expression. Its error is a *Problem.
func Parse(source string, names Names) (*Expr, error) {
	p := parser{lexer: lexer{source: source}, names: names, expr: &Expr{}}
	if problem := p.run(); problem != nil {
		return nil, problem
	}
	return p.expr, nil
}

// Holds reports whether an expression is true: not null, false, 0, nor an empty text.
func (e *Expr) Holds(s *Scope) bool {
	return e.root.holds(s)
}

// Value is what an expression comes to, as JSON. A date is a text, and an instant a number.
func (e *Expr) Value(s *Scope) syncproto.Value {
	v := e.root.eval(s)
	return v.written()
}

// Whole is what an expression comes to, if that is a whole number within ±(2^53−1).
func (e *Expr) Whole(s *Scope) (int64, bool) {
	v := e.root.eval(s)
	v = v.number()
	if v.sort != isNumber || !v.rat().IsInt() || !v.rat().Num().IsInt64() {
		return 0, false
	}
	n := v.rat().Num().Int64()
	if n > syncproto.MaxN || n < -syncproto.MaxN {
		return 0, false
	}
	return n, true
}

// Fields are the names that an expression reads, in order, each once.
func (e *Expr) Fields() []string { return slices.Clone(e.fields) }

// Settings are the settings that an expression asks for, in order, each once.
func (e *Expr) Settings() []string { return slices.Clone(e.settings) }

// UsesClock reports whether an expression asks what time it is.
func (e *Expr) UsesClock() bool { return e.clock }

// UsesSelf reports whether an expression reads the point.
func (e *Expr) UsesSelf() bool { return e.self }

// op is what a node does.
type op uint8

const (
	opLiteral op = iota
	opField
	opSelf
	opSetting
	opNow
	opToday
	opOr
	opAnd
	opEqual
	opUnequal
	opLess
	opAtMost
	opMore
	opAtLeast
	opAdd
	opSubtract
	opMultiply
	opDivide
	opRemainder
	opNegate
	// The functions, in the order of call.
	opNot
	opBoolean
	opNumber
	opInt
	opRound
	opAbs
	opMin
	opMax
	opString
	opLength
	opSubstr
	opConcat
	opContains
	opStartsWith
	opEndsWith
	opRegex
	opSelected
	opCountSelected
	opSelectedAt
	opIf
	opCoalesce
	opDate
	opFormatDate
)

// node is a part of an expression.
type node struct {
	op op
	// name is that of a field, a setting or a function.
	name string
	typ  Type
	// lit is a literal, or what a setting is where nobody has set it.
	lit  value
	args []*node
	// quick says that quickly may know.
	quick bool
	// pattern and format are what a function's literal argument says.
	pattern *regexp.Regexp
	format  string
}

func (n *node) eval(s *Scope) value {
	switch n.op {
	case opLiteral:
		return n.lit
	case opField:
		return read(s.Fields[n.name], n.typ)
	case opSelf:
		return read(s.Self, n.typ)
	case opSetting:
		if s.Env != nil {
			if v := s.Env.Setting(n.name, s.Day); !v.IsNull() {
				return read(v, Plain)
			}
		}
		return n.lit
	case opNow:
		return instant(int64(s.Now))
	case opToday:
		if d := DayOf(s.Now); d != 0 {
			return value{sort: isDate, n: int64(d)}
		}
		return null
	case opOr, opAnd:
		return boolean(n.holds(s))
	case opNegate:
		v := n.args[0].eval(s)
		return negate(&v)
	}
	if n.op > opNegate {
		return n.call(s)
	}
	a, b := n.args[0].eval(s), n.args[1].eval(s)
	if n.op >= opAdd {
		return calculate(n.op, &a, &b)
	}
	return boolean(n.compares(&a, &b))
}

func (n *node) holds(s *Scope) bool {
	if n.quick {
		if holds, known := n.quickly(s); known {
			return holds
		}
	}
	switch n.op {
	case opOr:
		return n.args[0].holds(s) || n.args[1].holds(s)
	case opAnd:
		return n.args[0].holds(s) && n.args[1].holds(s)
	}
	v := n.eval(s)
	return v.holds()
}

func (n *node) compares(a, b *value) bool {
	switch n.op {
	case opEqual:
		return same(a, b)
	case opUnequal:
		return !same(a, b)
	}
	order, ok := compare(a, b)
	switch n.op {
	case opLess:
		return ok && order < 0
	case opAtMost:
		return ok && order <= 0
	case opMore:
		return ok && order > 0
	}
	return ok && order >= 0
}

func validLength(source string) bool {
	return len(source) <= maxLength || utf8.RuneCountInString(source) <= maxLength
}
