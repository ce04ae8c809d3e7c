package form

import (
	"cmp"
	"math/big"
	"strconv"

	"gridsync/syncproto"
)

// bound is a number of a form that values are compared with: 37.6 as the form
// writes it, and not the binary fraction that stands nearest to it and may lie
// above it.
type bound struct {
	exact *big.Rat
	// millionths is the same if plain says that it can be.
	millionths int64
	plain      bool
}

// newBound works a bound out; nil is no bound.
func newBound(f *float64) *bound {
	if f == nil {
		return nil
	}
	text := strconv.FormatFloat(*f, 'f', -1, 64)
	exact, ok := new(big.Rat).SetString(text)
	if !ok {
		panic("form: a bound that JSON can't hold")
	}
	m, plain := millionths(syncproto.Value(text))
	return &bound{exact, m, plain}
}

// or returns the bound, or works out that of a form that was put together by hand
// and never parsed.
func (b *bound) or(f *float64) *bound {
	if b != nil {
		return b
	}
	return newBound(f)
}

// compare compares a value with the bound: -1, 0 or 1, and whether it is a number.
func (b *bound) compare(v syncproto.Value) (order int, ok bool) {
	if m, plain := millionths(v); plain && b.plain {
		return cmp.Compare(m, b.millionths), true
	}
	x, ok := number(v)
	if !ok {
		return 0, false
	}
	return x.Cmp(b.exact), true
}

// million is the unit of millionths.
const million = 1_000_000

// millionths reads a plain number, as nearly all are: at most 12 digits, and at
// most 6 of them behind a point.
func millionths(v syncproto.Value) (int64, bool) {
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
