package form

import (
	"encoding/json"
	"math/big"
	"strings"

	"golang.org/x/text/unicode/norm"

	"gridsync/syncproto"
)

// maxNumber bounds a number's text: an exponent such as 1e999999999 would make a
// comparison take minutes.
const maxNumber = 40

// number reads a JSON number exactly. It says no to what isn't a number and to
// texts longer than maxNumber or with exponents beyond ±30.
func number(v syncproto.Value) (*big.Rat, bool) {
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

// instant reads an Instant: an integer within ±2^53.
func instant(v syncproto.Value) (syncproto.Instant, bool) {
	x, ok := number(v)
	if !ok || !x.IsInt() || !x.Num().IsInt64() {
		return 0, false
	}
	t := x.Num().Int64()
	return syncproto.Instant(t), t >= -syncproto.MaxN && t <= syncproto.MaxN
}

// Fold returns the key by which two values of a field are compared: equal keys
// are one value with several witnesses. Texts are folded by Unicode NFKC (full
// width to half width), without spaces around them; ID numbers and mobiles
// besides lose every space and hyphen, and letters are upper case; numbers
// compare by value, so that 36.60 is 36.6. Cleared is "null".
func (field *Field) Fold(v syncproto.Value) string {
	if v.IsNull() {
		return string(syncproto.Null)
	}
	if x, ok := number(v); ok {
		return x.RatString()
	}
	if s, ok := v.Text(); ok {
		return string(syncproto.TextValue(field.foldText(s)))
	}
	return canonical(v)
}

func (field *Field) foldText(s string) string {
	s = strings.TrimSpace(norm.NFKC.String(s))
	if field.Type == IDNumber || field.Type == Mobile {
		return strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(s))
	}
	return s
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
	return field.rank(a).Cmp(field.rank(b))
}

var (
	mildest  = new(big.Rat).SetFrac64(-1<<62, 1)
	severest = new(big.Rat).SetFrac64(1<<62, 1)
)

func (field *Field) rank(v syncproto.Value) *big.Rat {
	switch {
	case v.IsNull():
		return mildest
	case field.Type == Boolean && v == "false":
		return new(big.Rat)
	case field.Type == Boolean && v == "true":
		return big.NewRat(1, 1)
	}
	if field.Type == Choice {
		code, _ := v.Text()
		for i, option := range field.Choices {
			if option.Code == code {
				return big.NewRat(int64(i), 1)
			}
		}
		return severest
	}
	if x, ok := number(v); ok {
		return x
	}
	return severest
}

// Members reads a write to a list field: an object {"add":[…],"remove":[…]}, or a
// plain list, which adds.
func Members(v syncproto.Value) (add, remove []string) {
	if list, ok := v.Texts(); ok {
		return list, nil
	}
	var delta struct {
		Add    []string `json:"add"`
		Remove []string `json:"remove"`
	}
	if json.Unmarshal([]byte(v), &delta) != nil {
		return nil, nil
	}
	return delta.Add, delta.Remove
}

// Delta writes a change of a list field: what is added and what is removed.
func Delta(add, remove []string) syncproto.Value {
	if len(remove) == 0 {
		return syncproto.ValueOf(add)
	}
	return syncproto.ValueOf(struct {
		Add    []string `json:"add,omitempty"`
		Remove []string `json:"remove,omitempty"`
	}{add, remove})
}
