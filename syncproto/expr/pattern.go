package expr

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gridsync/syncproto"
)

// A pattern is a regular expression of the part that means the same everywhere:
// characters, ., classes, \d \w \s and their opposites, groups, |, * + ? {m,n}, and ^ and
// $ at the very ends. It matches a text as a whole. It is read here and written out
// again as bare classes, so that no dialect has a say in it.
type pattern struct {
	kind patternKind
	// set are the characters of a class, as ranges in order.
	set   []span
	parts []pattern
	// least and most bound a repetition; most < 0 is any number.
	least, most int
}

type patternKind int

const (
	classPattern patternKind = iota
	sequencePattern
	choicePattern
	repeatPattern
)

// span is the characters from lo to hi.
type span struct{ lo, hi rune }

const (
	lastRune    = 0x10FFFF
	maxPattern  = 1000 // characters, with every repetition written out
	maxBrackets = 20
)

// patternFault is what is wrong with a pattern.
type patternFault struct {
	near   string
	reason syncproto.Text
}

// patternParser reads a pattern by its characters.
type patternParser struct {
	source []rune
	at     int
	depth  int
}

func parsePattern(source string) (*pattern, *patternFault) {
	runes := []rune(source)
	if len(runes) > maxPattern {
		return nil, &patternFault{"", bigPattern}
	}
	if len(runes) > 0 && runes[0] == '^' {
		runes = runes[1:]
	}
	if n := len(runes); n > 0 && runes[n-1] == '$' && !escaped(runes, n-1) {
		runes = runes[:n-1]
	}
	p := patternParser{source: runes}
	whole, fault := p.choice()
	switch {
	case fault != nil:
		return nil, fault
	case p.at < len(runes):
		return nil, &patternFault{")", badPattern}
	case whole.size() > maxPattern:
		return nil, &patternFault{"", bigPattern}
	}
	return &whole, nil
}

// escaped reports whether an odd number of backslashes stands before a place.
func escaped(runes []rune, at int) bool {
	n := 0
	for at-n > 0 && runes[at-n-1] == '\\' {
		n++
	}
	return n%2 == 1
}

// size is how many classes a pattern has once its repetitions are written out.
func (p *pattern) size() int {
	n := 0
	switch p.kind {
	case classPattern:
		return 1
	case repeatPattern:
		return min(maxPattern+1, p.parts[0].size()*max(1, p.most, p.least+1))
	}
	for i := range p.parts {
		n += p.parts[i].size()
	}
	return max(1, min(maxPattern+1, n))
}

func (p *patternParser) next() (rune, bool) {
	if p.at == len(p.source) {
		return 0, false
	}
	return p.source[p.at], true
}

func (p *patternParser) choice() (pattern, *patternFault) {
	all := pattern{kind: choicePattern}
	for {
		one, fault := p.sequence()
		if fault != nil {
			return all, fault
		}
		all.parts = append(all.parts, one)
		if c, ok := p.next(); !ok || c != '|' {
			return all, nil
		}
		p.at++
	}
}

func (p *patternParser) sequence() (pattern, *patternFault) {
	all := pattern{kind: sequencePattern}
	for {
		c, ok := p.next()
		if !ok || c == '|' || c == ')' {
			return all, nil
		}
		one, fault := p.atom()
		if fault == nil {
			one, fault = p.repeated(one)
		}
		if fault != nil {
			return all, fault
		}
		all.parts = append(all.parts, one)
	}
}

func (p *patternParser) atom() (pattern, *patternFault) {
	c := p.source[p.at]
	p.at++
	switch c {
	case '(':
		return p.group()
	case '[':
		set, fault := p.class()
		return pattern{set: set}, fault
	case '.':
		return pattern{set: opposite([]span{{'\n', '\n'}})}, nil
	case '\\':
		set, fault := p.escape()
		return pattern{set: set}, fault
	case '^', '$':
		return pattern{}, &patternFault{string(c), noSuchPattern}
	case '*', '+', '?', '{', '}', ']':
		return pattern{}, &patternFault{string(c), badPattern}
	}
	return pattern{set: []span{{c, c}}}, nil
}

func (p *patternParser) group() (pattern, *patternFault) {
	if p.depth++; p.depth > maxBrackets {
		return pattern{}, &patternFault{"(", bigPattern}
	}
	if c, ok := p.next(); ok && c == '?' {
		if p.at+1 == len(p.source) || p.source[p.at+1] != ':' {
			return pattern{}, &patternFault{"(?", noSuchPattern}
		}
		p.at += 2
	}
	inner, fault := p.choice()
	if fault != nil {
		return inner, fault
	}
	if c, ok := p.next(); !ok || c != ')' {
		return inner, &patternFault{"(", badPattern}
	}
	p.at++
	p.depth--
	return inner, nil
}

// repeated reads what may stand behind an atom.
func (p *patternParser) repeated(one pattern) (pattern, *patternFault) {
	c, ok := p.next()
	if !ok || !strings.ContainsRune("*+?{", c) {
		return one, nil
	}
	p.at++
	all := pattern{kind: repeatPattern, parts: []pattern{one}, most: -1}
	switch c {
	case '+':
		all.least = 1
	case '?':
		all.most = 1
	case '{':
		if !p.bounds(&all) {
			return all, &patternFault{"{", badPattern}
		}
	}
	if again, ok := p.next(); ok && strings.ContainsRune("*+?{", again) {
		return all, &patternFault{string([]rune{c, again}), noSuchPattern}
	}
	return all, nil
}

// bounds reads 3} or 3,} or 3,5}.
func (p *patternParser) bounds(all *pattern) bool {
	var ok bool
	if all.least, ok = p.count(); !ok {
		return false
	}
	all.most = all.least
	if c, some := p.next(); some && c == ',' {
		p.at++
		if all.most, ok = p.count(); !ok {
			all.most = -1
		}
	}
	c, some := p.next()
	p.at++
	return some && c == '}' && (all.most < 0 || all.most >= all.least)
}

func (p *patternParser) count() (int, bool) {
	n, from := 0, p.at
	for c, ok := p.next(); ok && c >= '0' && c <= '9'; c, ok = p.next() {
		n = min(n*10+int(c-'0'), maxPattern+1)
		p.at++
	}
	return n, p.at > from
}

// class reads what stands in square brackets.
func (p *patternParser) class() ([]span, *patternFault) {
	not := false
	if c, ok := p.next(); ok && c == '^' {
		not = true
		p.at++
	}
	var set []span
	for {
		c, ok := p.next()
		switch {
		case !ok:
			return nil, &patternFault{"[", badPattern}
		case c == ']' && len(set) == 0:
			return nil, &patternFault{"[]", badPattern}
		case c == ']':
			p.at++
			if set = merged(set); not {
				set = opposite(set)
			}
			if len(set) == 0 {
				return nil, &patternFault{"[^]", badPattern} // it leaves no character
			}
			return set, nil
		}
		spans, fault := p.member()
		if fault != nil {
			return nil, fault
		}
		set = append(set, spans...)
	}
}

// member reads a character, a range or an escape in square brackets.
func (p *patternParser) member() ([]span, *patternFault) {
	lo, fault := p.character()
	if fault != nil || len(lo) != 1 || lo[0].lo != lo[0].hi {
		return lo, fault
	}
	if p.at+1 >= len(p.source) || p.source[p.at] != '-' || p.source[p.at+1] == ']' {
		return lo, nil
	}
	p.at++
	hi, fault := p.character()
	if fault != nil {
		return nil, fault
	}
	if len(hi) != 1 || hi[0].lo != hi[0].hi || hi[0].lo < lo[0].lo {
		return nil, &patternFault{"-", badPattern}
	}
	return []span{{lo[0].lo, hi[0].hi}}, nil
}

func (p *patternParser) character() ([]span, *patternFault) {
	c := p.source[p.at]
	p.at++
	switch {
	case c == '\\':
		return p.escape()
	case c == '[', c == '&' && p.at < len(p.source) && p.source[p.at] == '&':
		return nil, &patternFault{string(c), noSuchPattern}
	}
	return []span{{c, c}}, nil
}

var (
	digits    = []span{{'0', '9'}}
	wordSigns = []span{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}
	blanks    = []span{{'\t', '\r'}, {' ', ' '}}
)

// escape reads what stands behind a backslash.
func (p *patternParser) escape() ([]span, *patternFault) {
	c, ok := p.next()
	if !ok {
		return nil, &patternFault{`\`, badPattern}
	}
	p.at++
	switch c {
	case 'd':
		return digits, nil
	case 'D':
		return opposite(digits), nil
	case 'w':
		return wordSigns, nil
	case 'W':
		return opposite(wordSigns), nil
	case 's':
		return blanks, nil
	case 'S':
		return opposite(blanks), nil
	case 't':
		return []span{{'\t', '\t'}}, nil
	case 'n':
		return []span{{'\n', '\n'}}, nil
	case 'r':
		return []span{{'\r', '\r'}}, nil
	}
	if c > '~' || c <= ' ' || isDigit(byte(c)) || isLetter(byte(c)) {
		return nil, &patternFault{`\` + string(c), noSuchPattern}
	}
	return []span{{c, c}}, nil
}

// merged puts ranges in order and joins those that touch.
func merged(set []span) []span {
	set = slices.Clone(set)
	slices.SortFunc(set, func(a, b span) int { return cmp.Or(cmp.Compare(a.lo, b.lo), cmp.Compare(a.hi, b.hi)) })
	out := set[:1]
	for _, s := range set[1:] {
		if last := &out[len(out)-1]; s.lo <= last.hi+1 {
			last.hi = max(last.hi, s.hi)
			continue
		}
		out = append(out, s)
	}
	return out
}

// opposite is every character that ordered ranges leave out.
func opposite(set []span) []span {
	var out []span
	next := rune(0)
	for _, s := range set {
		if s.lo > next {
			out = append(out, span{next, s.lo - 1})
		}
		next = s.hi + 1
	}
	if next <= lastRune {
		out = append(out, span{next, lastRune})
	}
	return out
}

// compile turns a pattern into one of Go's, whose time is bounded by the text's length.
func (p *pattern) compile() *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`\A(?:`)
	p.write(&b)
	b.WriteString(`)\z`)
	return regexp.MustCompile(b.String())
}

func (p *pattern) write(b *strings.Builder) {
	switch p.kind {
	case classPattern:
		b.WriteString("[")
		for _, s := range p.set {
			fmt.Fprintf(b, `\x{%X}-\x{%X}`, s.lo, s.hi)
		}
		b.WriteString("]")
	case sequencePattern:
		for i := range p.parts {
			p.parts[i].write(b)
		}
	case choicePattern:
		b.WriteString("(?:")
		for i := range p.parts {
			if i > 0 {
				b.WriteString("|")
			}
			p.parts[i].write(b)
		}
		b.WriteString(")")
	case repeatPattern:
		b.WriteString("(?:")
		p.parts[0].write(b)
		switch {
		case p.most < 0:
			fmt.Fprintf(b, "){%d,}", p.least)
		default:
			fmt.Fprintf(b, "){%d,%d}", p.least, p.most)
		}
	}
}
