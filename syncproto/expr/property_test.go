package expr

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gridsync/syncproto"
)

// anything is known by any name.
var anything = Names{
	Field: func(name string) (Type, bool) {
		switch name[0] {
		case 'd':
			return Date, true
		case 't':
			return Time, true
		}
		return Plain, true
	},
	Setting: func(string) (syncproto.Value, bool) { return "37.3", true },
}

// alike reports whether two expressions say the same.
func alike(a, b *node) bool {
	if a.op != b.op || a.name != b.name || a.typ != b.typ || a.format != b.format || len(a.args) != len(b.args) {
		return false
	}
	if a.op == opLiteral && (a.lit.sort != b.lit.sort || a.lit.s != b.lit.s || a.lit.sort == isNumber && a.lit.rat().Cmp(b.lit.rat()) != 0 || a.lit.n != b.lit.n) {
		return false
	}
	for i := range a.args {
		if !alike(a.args[i], b.args[i]) {
			return false
		}
	}
	return true
}

// drawn draws an expression of at most so many levels.
func drawn(t *rapid.T, levels int) *node {
	least := 0
	if levels == 0 {
		least = 3
	}
	switch rapid.IntRange(least, 8).Draw(t, "sort") {
	case 0, 1:
		o := op(rapid.IntRange(int(opOr), int(opRemainder)).Draw(t, "operator"))
		n := &node{op: o, args: []*node{drawn(t, levels-1), drawn(t, levels-1)}}
		n.quick = n.isQuick()
		return n
	case 2:
		return drawnCall(t, levels)
	case 3:
		return &node{op: opField, name: rapid.SampledFrom([]string{"a", "b", "list"}).Draw(t, "field")}
	case 4:
		return &node{op: opField, name: "day", typ: Date}
	case 5:
		whole, part := rapid.Int64Range(0, 1000).Draw(t, "whole"), rapid.Int64Range(0, 99).Draw(t, "part")
		return &node{op: opLiteral, lit: exactly(big.NewRat(whole*100+part, 100))}
	case 6:
		return &node{op: opLiteral, lit: textOf(rapid.SampledFrom([]string{"", "x", "37", "it's", `"`, "2020-01-31", "王𠮷"}).Draw(t, "text"))}
	case 7:
		return rapid.SampledFrom([]*node{{op: opSelf}, {op: opNow}, {op: opToday}, {op: opLiteral, lit: boolean(true)}}).Draw(t, "leaf")
	}
	return &node{op: opSetting, name: "s", lit: value{sort: isNumber, n: 37_300_000}}
}

func drawnCall(t *rapid.T, levels int) *node {
	names := []string{"-"}
	for name, f := range functions {
		if f.op != opRegex && f.op != opFormatDate {
			names = append(names, name)
		}
	}
	// A map has no order, and what is drawn must follow from the seed.
	name := rapid.SampledFrom(sorted(names)).Draw(t, "function")
	if name == "-" {
		return &node{op: opNegate, args: []*node{drawn(t, levels-1)}}
	}
	f := functions[name]
	n := &node{op: f.op, name: name}
	for range rapid.IntRange(f.least, min(f.most, 3)).Draw(t, "arguments") {
		n.args = append(n.args, drawn(t, levels-1))
	}
	return n
}

func sorted(names []string) []string {
	for i := range names {
		for j := i; j > 0 && names[j] < names[j-1]; j-- {
			names[j], names[j-1] = names[j-1], names[j]
		}
	}
	return names
}

func TestWhatIsPrintedReadsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := &Expr{root: drawn(t, 4)}
		text := e.String()
		again, err := Parse(text, anything)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !alike(e.root, again.root) || again.String() != text {
			t.Fatalf("%s was read as %s", text, again)
		}
	})
}

// values are of every sort, well and badly formed.
var values = []syncproto.Value{
	"", "null", "true", "37.3", "37.30", "-1", "1000", "1e3", "1e99", "0.1234567", `"37.3"`, `"x"`, `""`, `"2020-02-29"`, `["a","b"]`, `["x"]`, "[]",
	`{"add":["x"]}`, `{"masked":"王*"}`, "1580400000000", `"a\"b"`, `"\ud800"`, "12345678901234567890",
}

// drawnScope draws what an expression is asked about.
func drawnScope(t *rapid.T) *Scope {
	v := rapid.SampledFrom(values)
	return &Scope{
		Fields: syncproto.Fields{
			"a": v.Draw(t, "a"), "b": v.Draw(t, "b"), "list": v.Draw(t, "list"), "day": v.Draw(t, "day"),
		},
		Self: v.Draw(t, "self"), Now: syncproto.Instant(rapid.Int64().Draw(t, "now")), Env: oneSetting(v.Draw(t, "setting")),
	}
}

type oneSetting syncproto.Value

func (s oneSetting) Setting(string, Day) syncproto.Value { return syncproto.Value(s) }

func TestAQuickComparisonSaysWhatASlowOneDoes(t *testing.T) {
	with := []*node{
		{op: opLiteral, lit: whole(1000)},
		{op: opLiteral, lit: textOf("")},
		{op: opLiteral, lit: textOf("x")},
		{op: opLiteral, lit: textOf("37.3")},
		{op: opSetting, name: "s", lit: value{sort: isNumber, n: 37_300_000}},
	}
	quick := 0
	for _, v := range values {
		for _, set := range values {
			s := &Scope{Fields: syncproto.Fields{"a": v}, Env: oneSetting(set)}
			for o := opEqual; o <= opAtLeast; o++ {
				for _, w := range with {
					n := &node{op: o, args: []*node{{op: opField, name: "a"}, w}}
					if !n.isQuick() {
						continue
					}
					got, known := n.quickly(s)
					if !known {
						continue
					}
					quick++
					if slow := n.eval(s); got != slow.holds() {
						t.Errorf("%s, a being %s and the setting %s: quickly %v", (&Expr{root: n}).String(), v, set, got)
					}
				}
			}
		}
	}
	if quick < 1000 {
		t.Errorf("only %d comparisons were quick", quick)
	}
}

func TestAnExpressionAlwaysComesToAValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := &Expr{root: drawn(t, 5)}
		s := drawnScope(t)
		v := e.Value(s)
		if v == "" || v != e.Value(s) {
			t.Fatalf("%s comes to %q", e, v)
		}
		if e.Holds(s) && v == syncproto.Null {
			t.Fatalf("%s is nothing, and holds", e)
		}
		_, _ = e.Whole(s)
	})
}

// FuzzExpr holds that whatever text is read is printed such that it reads the same, and
// comes to a value.
func FuzzExpr(f *testing.F) {
	for _, seed := range []string{
		"${a} >= 37.3 and not(selected(${list}, 'x'))", "-(1 - -2) * 3 div 4 mod 5", "if(. = '', today() - ${day}, round(2.5))",
		"regex(${a}, '^[^a-c\\d]{2,3}|x*$') or format-date(now(), '%Y') > \"it's\"", "substr(concat(1, 'x'), -1, 2) != coalesce(${a}, ${b})",
	} {
		f.Add(seed, `37.3`)
	}
	f.Fuzz(func(t *testing.T, source, field string) {
		e, err := Parse(source, anything)
		if err != nil {
			return
		}
		text := e.String()
		again, err := Parse(text, anything)
		if len(text) > maxLength {
			return // brackets and spaces that the source did without
		}
		if err != nil || !alike(e.root, again.root) {
			t.Fatalf("%q is printed as %q: %v", source, text, err)
		}
		v := e.Value(&Scope{Fields: syncproto.Fields{"a": syncproto.TextValue(strings.ToValidUTF8(field, "?"))}, Self: "1"})
		if v == "" {
			t.Fatalf("%q comes to nothing", source)
		}
	})
}
