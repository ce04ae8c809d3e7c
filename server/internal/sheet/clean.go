package sheet

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// cleaned is a text as it is read, and what was done to it.
type cleaned struct {
	text                     string
	wide, spaces, apostrophe bool
}

// clean trims a text and has its full-width digits and letters in half width. What stands
// in its midst is left, full-width brackets and commas too: they are how Chinese is written.
func clean(raw string) cleaned {
	c := cleaned{text: strings.TrimFunc(raw, invisible)}
	c.spaces = c.text != raw && c.text != ""
	if i := strings.IndexFunc(c.text, fullWidth); i >= 0 {
		c.text, c.wide = strings.Map(narrow, c.text), true
	}
	if rest, ok := strings.CutPrefix(c.text, "'"); ok && guarded(rest) {
		c.text, c.apostrophe = strings.TrimFunc(rest, invisible), true
	}
	if strings.ContainsRune(c.text, '\r') {
		c.text = lineEnds.Replace(c.text)
	}
	return c
}

// lineEnds within a cell are one character, whoever wrote them.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// invisible are spaces and what people copy along with a number: marks of direction, of
// width, of byte order.
func invisible(r rune) bool {
	return unicode.IsSpace(r) || r == '\ufeff' || r >= '\u200b' && r <= '\u200f' || r >= '\u202a' && r <= '\u202e' || r >= '\u2060' && r <= '\u2069'
}

func fullWidth(r rune) bool {
	return r >= '０' && r <= '９' || r >= 'Ａ' && r <= 'Ｚ' || r >= 'ａ' && r <= 'ｚ'
}

func narrow(r rune) rune {
	if fullWidth(r) {
		return r - 0xfee0
	}
	return r
}

// guarded reports whether an apostrophe before this is a spreadsheet's way to say that it is
// a text: before digits, and before what would else be a formula.
func guarded(rest string) bool {
	rest = strings.TrimLeft(rest, "'")
	first, _ := utf8.DecodeRuneInString(rest)
	return first >= '0' && first <= '9' || formulaic(rest)
}

// formulaic reports whether a spreadsheet may take a text for a formula, in half or full width.
func formulaic(text string) bool {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(text, " \u00a0\u3000\ufeff"))
	return strings.ContainsRune("=+-@\t\r\n＝＋－＠", first)
}

var scientificForm = regexp.MustCompile(`^[+-]?(\d)(?:\.(\d+))?[Ee](?:\+(\d{1,3})|(\d{2,3}))$`)

// scientific reads a text such as 1.23E+17. digits is "" where some are lost.
func scientific(text string) (digits string, ok bool) {
	m := scientificForm.FindStringSubmatch(text)
	if len(m) != 5 || m[2] == "" && m[3] == "" { // 1E10 may be a flat
		return "", false
	}
	exponent, err := strconv.Atoi(m[3] + m[4])
	if err != nil || exponent < 5 {
		return "", false
	}
	if digits = m[1] + m[2]; len(digits) != exponent+1 || text[0] == '-' {
		return "", true
	}
	return digits, true
}

// roundedID reports whether a text looks like an identity number that was a number once.
func roundedID(text string) bool {
	if len(text) != 18 || !strings.HasSuffix(text, "000") {
		return false
	}
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// exact is the greatest number of which a spreadsheet keeps every digit.
const exact = 1e15

// plain is a number as a spreadsheet shows it: 15 digits, and no exponent.
func plain(v float64) string {
	v, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 15, 64), 64)
	if err != nil || v == 0 {
		return "0"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
