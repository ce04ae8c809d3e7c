package expr

import (
	"cmp"
	"math/big"
	"strconv"
	"strings"

	"gridsync/syncproto"
	"gridsync/syncproto/decimal"
)

// sortOf tells values apart.
type sortOf uint8

const (
	isNull sortOf = iota
	isBool
	isNumber
	isText
	isList
	isDate
	isInstant
)

// value is what an expression, or a part of it, comes to. It is passed by value and the
// common ones hold no memory of their own: conditions are asked of every change.
type value struct {
	sort sortOf
	// n is a number's millionths (if exact is nil), 1 for true, a Day, or an Instant.
	n     int64
	exact *big.Rat
	// s is a text, or the JSON of a list.
	s string
}

var null = value{}

func boolean(b bool) value {
	if b {
		return value{sort: isBool, n: 1}
	}
	return value{sort: isBool}
}

func textOf(s string) value { return value{sort: isText, s: s} }

func whole(n int64) value {
	if n > plainMost/decimal.Million || n < -plainMost/decimal.Million {
		return exactly(new(big.Rat).SetInt64(n))
	}
	return value{sort: isNumber, n: n * decimal.Million}
}

// plainMost bounds the millionths in value.n, such that two of them can be added.
const plainMost = 1_000_000_000_000 * decimal.Million

// maxBits bounds the numerator and the denominator of a number.
const maxBits = 1000

// exactly is the value of a fraction; null beyond maxBits.
func exactly(x *big.Rat) value {
	if x.Num().BitLen() > maxBits || x.Denom().BitLen() > maxBits {
		return null
	}
	if x.Num().BitLen() <= 64 && x.Denom().BitLen() <= 20 {
		scaled := new(big.Rat).Mul(x, big.NewRat(decimal.Million, 1))
		if scaled.IsInt() && scaled.Num().IsInt64() {
			if m := scaled.Num().Int64(); m <= plainMost && m >= -plainMost {
				return value{sort: isNumber, n: m}
			}
		}
	}
	return value{sort: isNumber, exact: x}
}

// rat is a number as a fraction, which the caller must not alter.
func (v *value) rat() *big.Rat {
	if v.exact != nil {
		return v.exact
	}
	return big.NewRat(v.n, decimal.Million)
}

// Type says how the values of a field are read.
type Type int

// The types.
const (
	// Plain is read as it is written: a text, a number, true or false, a list of texts.
	Plain Type = iota
	// Date is a text such as 2020-01-31.
	Date
	// Time is a syncproto.Instant.
	Time
)

// read is the value of a field. What is not of its type is null, as is an emptied list.
func read(v syncproto.Value, typ Type) value {
	if v.IsNull() {
		return null
	}
	if typ != Plain {
		return readMoment(v, typ)
	}
	switch v[0] {
	case '"':
		if s, ok := v.Text(); ok {
			return textOf(s)
		}
	case 't', 'f':
		return boolean(v == "true")
	case '[':
		return readList(v)
	case '{':
		if delta, ok := v.Members(); ok {
			return readList(delta["add"])
		}
	default:
		return readNumber(v)
	}
	return null
}

func readMoment(v syncproto.Value, typ Type) value {
	if typ == Date {
		if s, ok := v.Text(); ok {
			if d, ok := ParseDay(s); ok {
				return value{sort: isDate, n: int64(d)}
			}
		}
		return null
	}
	t, err := strconv.ParseInt(string(v), 10, 64)
	if err != nil {
		x, ok := decimal.Read(v)
		if !ok || !x.IsInt() || !x.Num().IsInt64() {
			return null
		}
		t = x.Num().Int64()
	}
	return instant(t)
}

// instant is null beyond ±(2^53−1).
func instant(t int64) value {
	if t > syncproto.MaxN || t < -syncproto.MaxN {
		return null
	}
	return value{sort: isInstant, n: t}
}

func readNumber(v syncproto.Value) value {
	if m, plain := decimal.Millionths(v); plain {
		return value{sort: isNumber, n: m}
	}
	if x, ok := decimal.Read(v); ok {
		return exactly(x)
	}
	return null
}

func readList(v syncproto.Value) value {
	if members, ok := v.Texts(); !ok || len(members) == 0 {
		return null
	}
	return value{sort: isList, s: string(v)}
}

// blank reports whether there is no answer: none given, or an empty text.
func (v *value) blank() bool { return v.sort == isNull || v.sort == isText && v.s == "" }

// holds is what a condition makes of a value.
func (v *value) holds() bool {
	switch v.sort {
	case isNull:
		return false
	case isText:
		return v.s != ""
	case isBool, isNumber:
		return v.n != 0 || v.exact != nil && v.exact.Sign() != 0
	}
	return true
}

// number turns a value into a number; null if it is none. 1 is true, and a text counts
// if it reads as a decimal.
func (v *value) number() value {
	switch v.sort {
	case isNumber:
		return *v
	case isBool:
		return whole(v.n)
	case isDate:
		return whole(Day(v.n).number())
	case isText, isList:
		return parseNumber(strings.Trim(v.text(), " \t\r\n"))
	}
	return null
}

// parseNumber reads -12.50: digits, a point, at most 40 characters.
func parseNumber(s string) value {
	digits, points := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case isDigit(c):
			digits++
		case c == '.' && points == 0:
			points++
		case c == '-' && i == 0:
		default:
			return null
		}
	}
	if digits == 0 || len(s) > 40 {
		return null
	}
	x, ok := new(big.Rat).SetString(s)
	if !ok {
		return null
	}
	return exactly(x)
}

// text writes a value as a person would: "" for null, a list with spaces between.
func (v *value) text() string {
	switch v.sort {
	case isBool:
		return strconv.FormatBool(v.n != 0)
	case isNumber:
		return decimalText(v.rat())
	case isText:
		return v.s
	case isList:
		return strings.Join(v.members(), " ")
	case isDate:
		return Day(v.n).String()
	case isInstant:
		return formatInstant(v.n, "%Y-%m-%dT%H:%M:%S+08:00")
	}
	return ""
}

func (v *value) members() []string {
	members, _ := syncproto.Value(v.s).Texts()
	return members
}

// places is how many decimals a number that has no end is written with.
const places = 12

// decimalText writes a number as a decimal, without zeros at its end.
func decimalText(x *big.Rat) string {
	s := roundHalfUp(x, places).FloatString(places)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// roundHalfUp rounds to so many decimals, halves towards the greater number.
func roundHalfUp(x *big.Rat, decimals int64) *big.Rat {
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(decimals), nil)
	scaled := new(big.Rat).Mul(x, new(big.Rat).SetInt(unit))
	scaled.Add(scaled, big.NewRat(1, 2))
	return new(big.Rat).SetFrac(floor(scaled), unit)
}

func floor(x *big.Rat) *big.Int {
	return new(big.Int).Div(x.Num(), x.Denom()) // Euclidean, and a denominator is positive
}

// day is the day of a date, of an instant, or of a text that is a date.
func (v *value) day() (Day, bool) {
	switch v.sort {
	case isDate:
		return Day(v.n), true
	case isInstant:
		d := DayOf(syncproto.Instant(v.n))
		return d, d != 0
	case isText:
		return ParseDay(v.s)
	}
	return 0, false
}

// compare orders two values of which at least one has no text: -1, 0 or 1, and whether
// they can be compared.
func compare(a, b *value) (int, bool) {
	if a.sort == isNumber && b.sort == isNumber {
		if a.exact == nil && b.exact == nil {
			return cmp.Compare(a.n, b.n), true
		}
		return a.rat().Cmp(b.rat()), true
	}
	if a.sort == isNull || b.sort == isNull {
		return 0, false
	}
	if a.sort == isInstant && b.sort == isInstant {
		return cmp.Compare(a.n, b.n), true
	}
	if a.sort >= isDate || b.sort >= isDate {
		x, ok := a.day()
		y, also := b.day()
		return cmp.Compare(x, y), ok && also
	}
	x, y := a.number(), b.number()
	if x.sort == isNull || y.sort == isNull {
		return 0, false
	}
	return compare(&x, &y)
}

// same reports whether two values are equal. No answer equals no answer and the empty
// text, and nothing else.
func same(a, b *value) bool {
	if a.blank() || b.blank() {
		return a.blank() && b.blank()
	}
	texts := (a.sort == isText || a.sort == isList) && (b.sort == isText || b.sort == isList)
	if texts || a.sort == isBool && b.sort == isText || a.sort == isText && b.sort == isBool {
		return a.text() == b.text()
	}
	order, ok := compare(a, b)
	return ok && order == 0
}

// written is a value as JSON.
func (v *value) written() syncproto.Value {
	switch v.sort {
	case isNull:
		return syncproto.Null
	case isBool, isNumber:
		return syncproto.Value(v.text())
	case isList:
		return syncproto.ValueOf(v.members())
	case isInstant:
		return syncproto.Value(strconv.FormatInt(v.n, 10))
	}
	return syncproto.ValueOf(v.text())
}
