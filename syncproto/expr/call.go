package expr

import (
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gridsync/syncproto"
)

// function is one that an expression may call, with at least and at most so many
// arguments.
type function struct {
	op          op
	least, most int
}

// many bounds the arguments of functions that take any number.
const many = 20

// functions are all there are besides true, false, setting, today and now, which are
// worked out when an expression is read.
var functions = map[string]function{
	"not":            {opNot, 1, 1},
	"boolean":        {opBoolean, 1, 1},
	"number":         {opNumber, 1, 1},
	"int":            {opInt, 1, 1},
	"round":          {opRound, 1, 2},
	"abs":            {opAbs, 1, 1},
	"min":            {opMin, 1, many},
	"max":            {opMax, 1, many},
	"string":         {opString, 1, 1},
	"string-length":  {opLength, 1, 1},
	"substr":         {opSubstr, 2, 3},
	"concat":         {opConcat, 1, many},
	"contains":       {opContains, 2, 2},
	"starts-with":    {opStartsWith, 2, 2},
	"ends-with":      {opEndsWith, 2, 2},
	"regex":          {opRegex, 2, 2},
	"selected":       {opSelected, 2, 2},
	"count-selected": {opCountSelected, 1, 1},
	"selected-at":    {opSelectedAt, 2, 2},
	"if":             {opIf, 3, 3},
	"coalesce":       {opCoalesce, 2, many},
	"date":           {opDate, 1, 1},
	"format-date":    {opFormatDate, 2, 2},
}

// call works a function out. It names each, so that a scope needn't outlive the question.
func (n *node) call(s *Scope) value {
	switch n.op {
	case opNot:
		return callNot(n, s)
	case opBoolean:
		return callBoolean(n, s)
	case opNumber:
		return callNumber(n, s)
	case opInt:
		return callInt(n, s)
	case opRound:
		return callRound(n, s)
	case opAbs:
		return callAbs(n, s)
	case opMin:
		return callMin(n, s)
	case opMax:
		return callMax(n, s)
	case opString:
		return callString(n, s)
	case opLength:
		return callLength(n, s)
	case opSubstr:
		return callSubstr(n, s)
	case opConcat:
		return callConcat(n, s)
	case opContains:
		return callContains(n, s)
	case opStartsWith:
		return callStartsWith(n, s)
	case opEndsWith:
		return callEndsWith(n, s)
	case opRegex:
		return callRegex(n, s)
	case opSelected:
		return callSelected(n, s)
	case opCountSelected:
		return callCountSelected(n, s)
	case opSelectedAt:
		return callSelectedAt(n, s)
	case opIf:
		return callIf(n, s)
	case opCoalesce:
		return callCoalesce(n, s)
	case opDate:
		return callDate(n, s)
	case opFormatDate:
		return callFormatDate(n, s)
	}
	return null
}

func callNot(n *node, s *Scope) value     { return boolean(!n.args[0].holds(s)) }
func callBoolean(n *node, s *Scope) value { return boolean(n.args[0].holds(s)) }

func callNumber(n *node, s *Scope) value {
	v := n.args[0].eval(s)
	return v.number()
}

func callInt(n *node, s *Scope) value {
	v := callNumber(n, s)
	if v.sort == isNull {
		return null
	}
	return exactly(new(big.Rat).SetInt(truncated(v.rat())))
}

func callRound(n *node, s *Scope) value {
	v, decimals := n.args[0].eval(s), whole(0)
	if len(n.args) == 2 {
		decimals = n.args[1].eval(s)
	}
	return rounded(&v, &decimals)
}

func callAbs(n *node, s *Scope) value {
	v := callNumber(n, s)
	if zero := whole(0); v.sort == isNumber {
		if order, _ := compare(&v, &zero); order < 0 {
			return negate(&v)
		}
	}
	return v
}

func callMin(n *node, s *Scope) value { return n.outermost(s, -1) }
func callMax(n *node, s *Scope) value { return n.outermost(s, 1) }

// outermost is the least (-1) or the greatest (1) of the arguments that are numbers.
func (n *node) outermost(s *Scope, side int) value {
	best := null
	for _, arg := range n.args {
		v := arg.eval(s)
		if v = v.number(); v.sort == isNull {
			continue
		}
		if order, ok := compare(&v, &best); !ok || order == side {
			best = v
		}
	}
	return best
}

// text is an argument as a text.
func (n *node) text(s *Scope, i int) string {
	v := n.args[i].eval(s)
	return v.text()
}

func callString(n *node, s *Scope) value { return textOf(n.text(s, 0)) }

func callLength(n *node, s *Scope) value {
	return whole(int64(utf8.RuneCountInString(n.text(s, 0))))
}

// callSubstr cuts from one place, the first being 0, to before another or the end.
func callSubstr(n *node, s *Scope) value {
	runes := []rune(n.text(s, 0))
	from, ok := n.place(s, 1, len(runes))
	to := len(runes)
	if ok && len(n.args) == 3 {
		to, ok = n.place(s, 2, len(runes))
	}
	if !ok || from >= to {
		return textOf("")
	}
	return textOf(string(runes[from:to]))
}

// place is an argument as a whole number, held within 0 and most.
func (n *node) place(s *Scope, i, most int) (int, bool) {
	v := n.args[i].eval(s)
	if v = v.number(); v.sort == isNull || !v.rat().IsInt() {
		return 0, false
	}
	zero, end := whole(0), whole(int64(most))
	if order, _ := compare(&v, &zero); order < 0 {
		return 0, true
	}
	if order, _ := compare(&v, &end); order > 0 {
		return most, true
	}
	return int(v.rat().Num().Int64()), true
}

func callConcat(n *node, s *Scope) value {
	var b strings.Builder
	for i := range n.args {
		b.WriteString(n.text(s, i))
	}
	return textOf(b.String())
}

func callContains(n *node, s *Scope) value {
	return boolean(strings.Contains(n.text(s, 0), n.text(s, 1)))
}

func callStartsWith(n *node, s *Scope) value {
	return boolean(strings.HasPrefix(n.text(s, 0), n.text(s, 1)))
}

func callEndsWith(n *node, s *Scope) value {
	return boolean(strings.HasSuffix(n.text(s, 0), n.text(s, 1)))
}

func callRegex(n *node, s *Scope) value { return boolean(n.pattern.MatchString(n.text(s, 0))) }

func callSelected(n *node, s *Scope) value {
	v := n.args[0].eval(s)
	code := n.text(s, 1)
	switch {
	case code == "" || v.sort == isNull:
		return boolean(false)
	case v.sort == isList:
		return boolean(slices.Contains(v.members(), code))
	}
	return boolean(v.text() == code)
}

func callCountSelected(n *node, s *Scope) value {
	v := n.args[0].eval(s)
	switch {
	case v.sort == isList:
		return whole(int64(len(v.members())))
	case v.blank():
		return whole(0)
	}
	return whole(1)
}

func callSelectedAt(n *node, s *Scope) value {
	v := n.args[0].eval(s)
	var members []string
	switch {
	case v.sort == isList:
		members = v.members()
	case !v.blank():
		members = []string{v.text()}
	}
	at := n.args[1].eval(s)
	for i, member := range members {
		if place := whole(int64(i)); same(&place, &at) {
			return textOf(member)
		}
	}
	return textOf("")
}

func callIf(n *node, s *Scope) value {
	if n.args[0].holds(s) {
		return n.args[1].eval(s)
	}
	return n.args[2].eval(s)
}

func callCoalesce(n *node, s *Scope) value {
	for _, arg := range n.args {
		if v := arg.eval(s); !v.blank() {
			return v
		}
	}
	return null
}

// callDate reads a date: of a date or an instant, of a text, of days since 1970-01-01.
func callDate(n *node, s *Scope) value {
	v := n.args[0].eval(s)
	if v.sort == isNumber {
		if !v.rat().IsInt() || !v.rat().Num().IsInt64() {
			return null
		}
		if d, ok := dayNumbered(v.rat().Num().Int64()); ok {
			return value{sort: isDate, n: int64(d)}
		}
		return null
	}
	if d, ok := v.day(); ok {
		return value{sort: isDate, n: int64(d)}
	}
	return null
}

func callFormatDate(n *node, s *Scope) value {
	v := n.args[0].eval(s)
	switch d, ok := v.day(); {
	case !ok:
		return textOf("")
	case v.sort == isInstant:
		return textOf(formatInstant(v.n, n.format))
	default:
		return textOf(formatInstant((d.number()-1)*dayMillis+16*60*60*1000, n.format)) // its midnight in Zone
	}
}

// formatSigns are what may stand behind a % in a date's format.
const formatSigns = "YmndeHMS"

func validFormat(format string) bool {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		if i++; i == len(format) || !strings.Contains(formatSigns, format[i:i+1]) {
			return false
		}
	}
	return true
}

// formatInstant writes an instant in Zone, "" beyond the years 1 to 9999.
func formatInstant(t int64, format string) string {
	if DayOf(syncproto.Instant(t)) == 0 {
		return ""
	}
	at := time.UnixMilli(t).In(Zone)
	layouts := map[byte]string{'Y': "2006", 'm': "01", 'n': "1", 'd': "02", 'e': "2", 'H': "15", 'M': "04", 'S': "05"}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] == '%' {
			i++
			b.WriteString(at.Format(layouts[format[i]]))
			continue
		}
		b.WriteByte(format[i])
	}
	return b.String()
}
