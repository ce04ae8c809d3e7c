package expr

import (
	"strings"
	"unicode/utf8"

	"gridsync/syncproto"
)

// sort is what a token is.
type sort int

const (
	endToken sort = iota
	numberToken
	textToken  // text is without its quotes
	fieldToken // text is the name
	nameToken  // a function, or div, mod, and, or
	signToken  // an operator, a bracket, a comma, a point
)

// token is a piece of an expression. from is where it begins, in bytes.
type token struct {
	sort sort
	text string
	from int
}

// signs are the operators and brackets, longer ones first.
var signs = []string{"!=", "<=", ">=", "(", ")", ",", "=", "<", ">", "+", "-", "*", "."}

// spaces may stand between tokens; the last two are those of word processors.
const spaces = " \t\r\n\u00a0\u3000"

// wide are characters that an input method writes for those of the language.
const wide = "‘’“”＂＇（），＝＜＞＋－＊！＄｛｝．≤≥≠−×÷"

// lexer cuts an expression into tokens.
type lexer struct {
	source string
	at     int
}

// problem says what is wrong at a place, in bytes.
func (l *lexer) problem(at int, near string, reason syncproto.Text) *Problem {
	return &Problem{At: utf8.RuneCountInString(l.source[:at]) + 1, Near: near, Reason: reason}
}

// next returns the next token.
func (l *lexer) next() (token, *Problem) {
	l.at = len(l.source) - len(strings.TrimLeft(l.source[l.at:], spaces))
	rest, from := l.source[l.at:], l.at
	if rest == "" {
		return token{endToken, "", from}, nil
	}
	switch c := rest[0]; {
	case c == '\'' || c == '"':
		return l.text(rest, from)
	case c == '$':
		return l.field(rest, from)
	case isDigit(c) || c == '.' && len(rest) > 1 && isDigit(rest[1]):
		return l.number(rest, from)
	case isLetter(c):
		n := 1
		for n < len(rest) && (isLetter(rest[n]) || isDigit(rest[n]) || rest[n] == '-' || rest[n] == ':' || rest[n] == '.') {
			n++
		}
		l.at += n
		return token{nameToken, rest[:n], from}, nil
	case c == '/' || strings.HasPrefix(rest, ".."):
		return token{}, l.problem(from, rest[:1], noPaths)
	}
	for _, s := range signs {
		if strings.HasPrefix(rest, s) {
			l.at += len(s)
			return token{signToken, s, from}, nil
		}
	}
	_, n := utf8.DecodeRuneInString(rest)
	if strings.Contains(wide, rest[:n]) {
		return token{}, l.problem(from, rest[:n], straight)
	}
	return token{}, l.problem(from, rest[:n], notExpected)
}

func (l *lexer) text(rest string, from int) (token, *Problem) {
	n := strings.IndexByte(rest[1:], rest[0])
	if n < 0 {
		return token{}, l.problem(from, "", openQuote)
	}
	l.at += n + 2
	return token{textToken, rest[1 : n+1], from}, nil
}

func (l *lexer) field(rest string, from int) (token, *Problem) {
	n := strings.IndexByte(rest, '}')
	if n < 0 || !strings.HasPrefix(rest, "${") {
		return token{}, l.problem(from, "", openName)
	}
	name := strings.Trim(rest[2:n], spaces)
	if syncproto.CheckField(name) != nil {
		return token{}, l.problem(from, name, openName)
	}
	l.at += n + 1
	return token{fieldToken, name, from}, nil
}

func (l *lexer) number(rest string, from int) (token, *Problem) {
	before := 0
	for before < len(rest) && isDigit(rest[before]) {
		before++
	}
	n, behind := before, 0
	if n+1 < len(rest) && rest[n] == '.' && isDigit(rest[n+1]) {
		for n++; n < len(rest) && isDigit(rest[n]); n++ {
			behind++
		}
	}
	if before > 20 || behind > 20 {
		return token{}, l.problem(from, "", longNumber)
	}
	l.at += n
	return token{numberToken, rest[:n], from}, nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }
