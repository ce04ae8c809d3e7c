package expr

import (
	"gridsync/syncproto"
	"gridsync/syncproto/decimal"
)

// Nearly all conditions of flags and measures compare one field with a number, a setting
// or a code, and they are asked of every change. Such a comparison is made on the value as
// it is written, where that is plain; what it says is what eval says.

// isQuick reports whether a comparison is of that sort.
func (n *node) isQuick() bool {
	if n.op < opEqual || n.op > opAtLeast || n.args[0].op != opField || n.args[0].typ != Plain {
		return false
	}
	with := n.args[1]
	switch {
	case with.op != opLiteral && with.op != opSetting:
		return false
	case with.lit.sort == isNumber:
		return with.lit.exact == nil
	}
	return with.op == opLiteral && with.lit.sort == isText && n.op <= opUnequal
}

// quickly makes such a comparison; known is false where a value isn't plain.
func (n *node) quickly(s *Scope) (holds, known bool) {
	v, with := s.Fields[n.args[0].name], n.args[1]
	if with.lit.sort == isText {
		same, known := sameText(v, with.lit.s)
		return same == (n.op == opEqual), known
	}
	m, plain := decimal.Millionths(v)
	if !plain {
		return false, false
	}
	than := with.lit.n
	if with.op == opSetting && s.Env != nil {
		if set := s.Env.Setting(with.name, s.Day); !set.IsNull() {
			if than, plain = decimal.Millionths(set); !plain {
				return false, false
			}
		}
	}
	switch n.op {
	case opEqual:
		return m == than, true
	case opUnequal:
		return m != than, true
	case opLess:
		return m < than, true
	case opAtMost:
		return m <= than, true
	case opMore:
		return m > than, true
	}
	return m >= than, true
}

// sameText compares a value with a text.
func sameText(v syncproto.Value, text string) (same, known bool) {
	if v.IsNull() {
		return text == "", true
	}
	if v[0] == '"' {
		s, ok := v.Text()
		return s == text, ok
	}
	_, plain := decimal.Millionths(v)
	return false, plain && text == ""
}
