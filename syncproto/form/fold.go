package form

import (
	"cmp"
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"gridsync/syncproto"
	"gridsync/syncproto/decimal"
)

// instant reads an Instant: an integer within ±2^53.
func instant(v syncproto.Value) (syncproto.Instant, bool) {
	if t, err := strconv.ParseInt(string(v), 10, 64); err == nil { // as nearly all are written
		return syncproto.Instant(t), t >= -syncproto.MaxN && t <= syncproto.MaxN
	}
	x, ok := decimal.Read(v)
	if !ok || !x.IsInt() || !x.Num().IsInt64() {
		return 0, false
	}
	t := x.Num().Int64()
	return syncproto.Instant(t), t >= -syncproto.MaxN && t <= syncproto.MaxN
}

// Fold returns the key by which two values of a field are compared: equal keys
// are one value with several witnesses. Texts are folded by Unicode NFKC (full
// width to half width), without spaces around them, and characters that have one
// simplified form become that; ID numbers and mobiles besides lose every space and
// hyphen, and a to z are upper case; numbers compare by value, so that 36.60 is
// 36.6. Cleared is "null".
func (field *Field) Fold(v syncproto.Value) string {
	if v.IsNull() {
		return string(syncproto.Null)
	}
	if x, ok := decimal.Read(v); ok {
		return x.RatString()
	}
	if s, ok := v.Text(); ok {
		return `"` + field.foldText(s) + `"` // the quotes tell a text from a number
	}
	return canonical(v)
}

func (field *Field) foldText(s string) string {
	s = strings.Map(simplify, strings.TrimSpace(norm.NFKC.String(s)))
	if field.Type == IDNumber || field.Type == Mobile {
		return strings.Map(bare, s)
	}
	return s
}

// bare raises a to z and drops spaces and hyphens. Other letters stay as they
// are, because languages differ in how they raise them.
func bare(r rune) rune {
	switch {
	case r == ' ' || r == '-':
		return -1
	case r >= 'a' && r <= 'z':
		return r - 'a' + 'A'
	}
	return r
}

// canonical writes a list or object with its names in order.
func canonical(v syncproto.Value) string {
	dec := json.NewDecoder(strings.NewReader(string(v)))
	dec.UseNumber()
	var x any
	if err := dec.Decode(&x); err != nil {
		return string(v)
	}
	return string(syncproto.ValueOf(x))
}

// Severity orders the values of a field with the rule severest: numbers and
// booleans by size, choices by their place. A value outside the order counts as
// severer than any inside, as nobody has said that it is harmless; a cleared one
// as mildest.
func (field *Field) Severity(a, b syncproto.Value) int {
	x, y := field.rank(a), field.rank(b)
	if x.place != 0 || y.place != 0 {
		return cmp.Compare(x.place, y.place)
	}
	return x.size.Cmp(y.size)
}

// rank is where a value stands: below the order, in it with a size, or above it.
type rank struct {
	place place
	size  *big.Rat
}

type place int

func (field *Field) rank(v syncproto.Value) rank {
	if v.IsNull() {
		return rank{place: -1}
	}
	switch field.Type {
	case Boolean:
		if i := slices.Index([]syncproto.Value{"false", "true"}, v); i >= 0 {
			return rank{size: big.NewRat(int64(i), 1)}
		}
	case Choice:
		folded := field.Fold(v)
		for i, option := range field.Choices {
			if field.Fold(syncproto.TextValue(option.Code)) == folded {
				return rank{size: big.NewRat(int64(i), 1)}
			}
		}
	default:
		if x, ok := decimal.Read(v); ok {
			return rank{size: x}
		}
	}
	return rank{place: 1}
}

// Members reads a write to a list field: an object {"add":[…],"remove":[…]}, or a
// plain list, which adds, or a text from the days when the field was no list,
// which adds itself. Anything else has no members.
func Members(v syncproto.Value) (add, remove []string) {
	if list, ok := v.Texts(); ok {
		return list, nil
	}
	if text, ok := v.Text(); ok {
		return []string{text}, nil
	}
	delta, ok := v.Members()
	if !ok {
		return nil, nil
	}
	for name, into := range map[string]*[]string{"add": &add, "remove": &remove} {
		if list, given := delta[name]; given {
			if *into, ok = list.Texts(); !ok {
				return nil, nil
			}
		}
	}
	return add, remove
}

// Delta writes a change of a list field: what is added and what is removed.
func Delta(add, remove []string) syncproto.Value {
	if len(remove) == 0 {
		return syncproto.ValueOf(append([]string{}, add...))
	}
	return syncproto.ValueOf(struct {
		Add    []string `json:"add,omitempty"`
		Remove []string `json:"remove,omitempty"`
	}{add, remove})
}
