package expr

import "strings"

// String writes an expression such that Parse reads the same again, with no more
// brackets than it needs.
func (e *Expr) String() string {
	var b strings.Builder
	e.root.print(&b, 0)
	return b.String()
}

// spelled is how an operator is written, and the level on which it binds.
type spelled struct {
	text  string
	level int
}

var spellings = func() map[op]spelled {
	all := map[op]spelled{}
	for level, ops := range levels {
		for text, o := range ops {
			all[o] = spelled{text, level}
		}
	}
	return all
}()

// print writes a node where operators of this level and above need no brackets.
func (n *node) print(b *strings.Builder, level int) {
	switch n.op {
	case opLiteral:
		n.printLiteral(b)
	case opField:
		b.WriteString("${" + n.name + "}")
	case opSelf:
		b.WriteString(".")
	case opSetting:
		b.WriteString("setting(" + quoted(n.name) + ")")
	case opNow:
		b.WriteString("now()")
	case opToday:
		b.WriteString("today()")
	case opNegate:
		b.WriteString("-")
		n.args[0].print(b, len(levels))
	default:
		if n.op < opNegate {
			n.printBinary(b, level)
			return
		}
		b.WriteString(n.name + "(")
		for i, arg := range n.args {
			if i > 0 {
				b.WriteString(", ")
			}
			arg.print(b, 0)
		}
		b.WriteString(")")
	}
}

func (n *node) printBinary(b *strings.Builder, level int) {
	as := spellings[n.op]
	if as.level < level {
		b.WriteString("(")
		defer b.WriteString(")")
	}
	n.args[0].print(b, as.level)
	b.WriteString(" " + as.text + " ")
	n.args[1].print(b, as.level+1)
}

func (n *node) printLiteral(b *strings.Builder) {
	switch n.lit.sort {
	case isBool:
		b.WriteString(n.lit.text() + "()")
	case isText:
		b.WriteString(quoted(n.lit.s))
	default:
		b.WriteString(strings.TrimSuffix(strings.TrimRight(n.lit.rat().FloatString(20), "0"), "."))
	}
}

// quoted puts a text in the quotes that it doesn't hold: none holds both.
func quoted(s string) string {
	if strings.Contains(s, "'") {
		return `"` + s + `"`
	}
	return "'" + s + "'"
}
