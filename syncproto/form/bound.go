package form

import (
	"cmp"
	"math/big"
	"strconv"

	"gridsync/syncproto"
	"gridsync/syncproto/decimal"
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
	m, plain := decimal.Millionths(syncproto.Value(text))
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
	if m, plain := decimal.Millionths(v); plain && b.plain {
		return cmp.Compare(m, b.millionths), true
	}
	x, ok := decimal.Read(v)
	if !ok {
		return 0, false
	}
	return x.Cmp(b.exact), true
}
