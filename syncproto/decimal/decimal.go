// Package decimal reads the numbers of field values exactly: 37.3 is 373/10 and not the
// binary fraction that stands nearest to it.
//
// It refuses to round, and to read what would take minutes to compare.
package decimal

import (
	"math/big"
	"strings"

	"gridsync/syncproto"
)

// maxNumber bounds a number's text: an exponent such as 1e999999999 would make a
// comparison take minutes.
const maxNumber = 40

// Read reads a JSON number exactly. It says no to what isn't a number and to
// texts longer than 40 characters or with exponents beyond ±30.
func Read(v syncproto.Value) (*big.Rat, bool) {
	s := string(v)
	if s == "" || len(s) > maxNumber || (s[0] != '-' && (s[0] < '0' || s[0] > '9')) {
		return nil, false
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		exp := strings.TrimLeft(s[i+1:], "+-0")
		if len(exp) > 2 || exp > "30" && len(exp) == 2 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(s)
}

// Million is the unit of Millionths.
const Million = 1_000_000

// Millionths reads a plain number, as nearly all are: at most 12 digits, and at
// most 6 of them behind a point.
func Millionths(v syncproto.Value) (int64, bool) {
	s := string(v)
	sign := int64(1)
	if s != "" && s[0] == '-' {
		sign, s = -1, s[1:]
	}
	var m int64
	digits, behind := 0, -1
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			m, digits = m*10+int64(c-'0'), digits+1
			if behind >= 0 {
				behind++
			}
		case c == '.' && behind < 0 && digits > 0:
			behind = 0
		default:
			return 0, false
		}
		if digits > 12 || behind > 6 {
			return 0, false
		}
	}
	if digits == 0 || behind == 0 {
		return 0, false
	}
	for behind = max(behind, 0); behind < 6; behind++ {
		m *= 10
	}
	return sign * m, true
}
