package expr

import (
	"math/big"
	"slices"
	"unicode/utf8"
)

// parser reads an expression from its tokens, one ahead.
type parser struct {
	lexer
	names Names
	expr  *Expr
	now   token
	depth int
}

// run reads the whole.
func (p *parser) run() *Problem {
	if !utf8.ValidString(p.source) {
		return &Problem{At: 1, Reason: notUTF8}
	}
	if !validLength(p.source) {
		return &Problem{At: maxLength + 1, Reason: tooLong}
	}
	if problem := p.step(); problem != nil {
		return problem
	}
	root, problem := p.binary(0)
	if problem != nil {
		return problem
	}
	if p.now.sort != endToken {
		return p.unexpected()
	}
	p.expr.root = root
	slices.Sort(p.expr.fields)
	slices.Sort(p.expr.settings)
	p.expr.fields, p.expr.settings = slices.Compact(p.expr.fields), slices.Compact(p.expr.settings)
	return nil
}

func (p *parser) step() *Problem {
	var problem *Problem
	p.now, problem = p.next()
	return problem
}

func (p *parser) unexpected() *Problem {
	if p.now.sort == endToken {
		return p.problem(p.now.from, "", endsEarly)
	}
	_, n := utf8.DecodeRuneInString(p.source[p.now.from:])
	near := p.source[p.now.from : p.now.from+n]
	if p.now.sort == nameToken {
		near = p.now.text
	}
	return p.problem(p.now.from, near, notExpected)
}

// levels are the operators, those that bind least first; all go from left to right.
var levels = [...]map[string]op{
	{"or": opOr},
	{"and": opAnd},
	{"=": opEqual, "!=": opUnequal},
	{"<": opLess, "<=": opAtMost, ">": opMore, ">=": opAtLeast},
	{"+": opAdd, "-": opSubtract},
	{"*": opMultiply, "div": opDivide, "mod": opRemainder},
}

// binary reads operators of a level and of those that bind more.
func (p *parser) binary(level int) (*node, *Problem) {
	if level == len(levels) {
		return p.unary()
	}
	left, problem := p.binary(level + 1)
	for problem == nil && (p.now.sort == signToken || p.now.sort == nameToken) {
		o, ok := levels[level][p.now.text]
		if !ok {
			break
		}
		if problem = p.step(); problem != nil {
			break
		}
		var right *node
		right, problem = p.binary(level + 1)
		left = &node{op: o, args: []*node{left, right}}
		left.quick = problem == nil && left.isQuick()
	}
	return left, problem
}

func (p *parser) unary() (*node, *Problem) {
	from := p.now.from
	if p.depth++; p.depth > maxDepth {
		return nil, p.problem(from, "", tooDeep)
	}
	defer func() { p.depth-- }()
	if !p.at("-") {
		return p.operand()
	}
	if problem := p.step(); problem != nil {
		return nil, problem
	}
	arg, problem := p.unary()
	return &node{op: opNegate, args: []*node{arg}}, problem
}

// at reports whether a sign is next.
func (p *parser) at(sign string) bool { return p.now.sort == signToken && p.now.text == sign }

func (p *parser) operand() (*node, *Problem) {
	t := p.now
	switch {
	case t.sort == numberToken:
		x, ok := new(big.Rat).SetString(t.text)
		if !ok {
			return nil, p.unexpected()
		}
		return p.leaf(&node{op: opLiteral, lit: exactly(x)})
	case t.sort == textToken:
		return p.leaf(&node{op: opLiteral, lit: textOf(t.text)})
	case t.sort == fieldToken:
		typ, ok := p.names.Field(t.text)
		if !ok {
			return nil, p.problem(t.from, t.text, noField)
		}
		p.expr.fields = append(p.expr.fields, t.text)
		return p.leaf(&node{op: opField, name: t.text, typ: typ})
	case t.sort == nameToken:
		return p.function()
	case p.at("."):
		p.expr.self = true
		return p.leaf(&node{op: opSelf, typ: p.names.Self})
	case !p.at("("):
		return nil, p.unexpected()
	}
	if problem := p.step(); problem != nil {
		return nil, problem
	}
	inner, problem := p.binary(0)
	if problem != nil {
		return nil, problem
	}
	return inner, p.expect(")")
}

// leaf steps behind a token that is a node by itself.
func (p *parser) leaf(n *node) (*node, *Problem) { return n, p.step() }

func (p *parser) expect(sign string) *Problem {
	if !p.at(sign) {
		return p.unexpected()
	}
	return p.step()
}

func (p *parser) function() (*node, *Problem) {
	name := p.now
	if problem := p.step(); problem != nil {
		return nil, problem
	}
	if !p.at("(") {
		return nil, p.problem(name.from, name.text, notExpected)
	}
	f, known := functions[name.text]
	if !known && !isSpecial(name.text) {
		return nil, p.problem(name.from, name.text, noFunction)
	}
	args, starts, problem := p.arguments()
	if problem != nil {
		return nil, problem
	}
	if !known {
		return p.special(name, args, starts)
	}
	if len(args) < f.least || len(args) > f.most {
		return nil, p.problem(name.from, name.text, badArguments)
	}
	n := &node{op: f.op, name: name.text, args: args}
	return n, p.prepare(n, starts)
}

// arguments reads what stands in the brackets, and where each begins.
func (p *parser) arguments() ([]*node, []int, *Problem) {
	if problem := p.step(); problem != nil {
		return nil, nil, problem
	}
	var args []*node
	var starts []int
	for !p.at(")") {
		if len(args) > 0 {
			if problem := p.expect(","); problem != nil {
				return nil, nil, problem
			}
		}
		starts = append(starts, p.now.from)
		arg, problem := p.binary(0)
		if problem != nil {
			return nil, nil, problem
		}
		args = append(args, arg)
	}
	return args, starts, p.step()
}

// isSpecial names the functions that are worked out here.
func isSpecial(name string) bool {
	return slices.Contains([]string{"true", "false", "setting", "today", "now"}, name)
}

func (p *parser) special(name token, args []*node, starts []int) (*node, *Problem) {
	n, want := &node{}, 0
	switch name.text {
	case "true":
		n.lit = boolean(true)
	case "false":
		n.lit = boolean(false)
	case "today":
		n.op, p.expr.clock = opToday, true
	case "now":
		n.op, p.expr.clock = opNow, true
	case "setting":
		n.op, want = opSetting, 1
	}
	if len(args) != want {
		return nil, p.problem(name.from, name.text, badArguments)
	}
	if n.op != opSetting {
		return n, nil
	}
	if !isQuoted(args[0]) {
		return nil, p.problem(starts[0], "", literalNeeded)
	}
	n.name = args[0].lit.s
	otherwise, known := p.names.Setting(n.name)
	if !known {
		return nil, p.problem(starts[0], n.name, noSetting)
	}
	n.lit = read(otherwise, Plain)
	p.expr.settings = append(p.expr.settings, n.name)
	return n, nil
}

// isQuoted reports whether a node is a text in quotes.
func isQuoted(n *node) bool { return n.op == opLiteral && n.lit.sort == isText }

// prepare works out what a function needs of its second, literal argument.
func (p *parser) prepare(n *node, starts []int) *Problem {
	if n.op != opRegex && n.op != opFormatDate {
		return nil
	}
	if !isQuoted(n.args[1]) {
		return p.problem(starts[1], "", literalNeeded)
	}
	text := n.args[1].lit.s
	if n.op == opFormatDate {
		if !validFormat(text) {
			return p.problem(starts[1], text, badFormat)
		}
		n.format = text
		return nil
	}
	pattern, fault := parsePattern(text)
	if fault != nil {
		return p.problem(starts[1], fault.near, fault.reason)
	}
	n.pattern = pattern.compile()
	return nil
}
