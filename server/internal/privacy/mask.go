package privacy

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// The stars that stand for what isn't shown: always as many, whatever they stand for.
const (
	starsOfID     = "**********"
	starsOfMobile = "****"
	starsOfText   = "***"
	starOfName    = "*"
)

// mask is what may be seen of a text; false if nothing may.
func mask(field *form.Field, isName bool, text string) (string, bool) {
	switch field.Type {
	case form.IDNumber:
		return maskID(folded(field, text)), true
	case form.Mobile:
		return maskMobile(folded(field, text)), true
	case form.Date:
		return maskDate(text), true
	case form.Text, "": // "" is a field that no form knows
		if isName {
			return maskName(text), true
		}
		return maskText(text), true
	}
	return "", false
}

// folded is a number without spaces and hyphens, in half width.
func folded(field *form.Field, text string) string {
	key, _ := syncproto.Value(field.Fold(syncproto.TextValue(text))).Text()
	return key
}

// maskID shows the first four digits, which say the province and the city, and
// the last four. What is no number of the usual length shows nothing: its ends would be
// too much of it.
func maskID(s string) string {
	const least = 15 // as numbers had until 1999
	if len(s) < least || strings.Trim(s[:len(s)-1], "0123456789") != "" || !isDigitOrX(s[len(s)-1]) {
		return starsOfID
	}
	return s[:4] + starsOfID + s[len(s)-4:]
}

func isDigitOrX(c byte) bool { return c >= '0' && c <= '9' || c == 'X' }

// maskMobile shows the first three digits, which say whose network it is, and the last
// four; of a shorter number the last two, and of a very short one nothing.
func maskMobile(s string) string {
	digits := strings.TrimPrefix(s, "+")
	if strings.Trim(digits, "0123456789") != "" {
		return starsOfMobile
	}
	switch n := len(digits); {
	case n >= 11:
		return digits[:3] + starsOfMobile + digits[n-4:]
	case n >= 7:
		return starsOfMobile + digits[n-2:]
	}
	return starsOfMobile
}

// maskDate shows the year.
func maskDate(text string) string {
	if _, ok := form.ParseDay(text); !ok {
		return starsOfText
	}
	return text[:4]
}

// maskText shows the first character of at least two.
func maskText(text string) string {
	runes := visible(text)
	if len(runes) < 2 {
		return starsOfText
	}
	return string(runes[:1]) + starsOfText
}

// maskName shows a name's first character, and the last of three and more: 张*三. Names
// that are written in words show the first letter of each.
func maskName(text string) string {
	runes := visible(text)
	switch {
	case !inCharacters(runes):
		return maskWords(runes)
	case len(runes) < 2:
		return starOfName
	case len(runes) == 2:
		return string(runes[:1]) + starOfName
	}
	return string(runes[:1]) + starOfName + string(runes[len(runes)-1:])
}

func maskWords(runes []rune) string {
	var b strings.Builder
	for _, word := range strings.Fields(string(runes)) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		if first := []rune(word); len(first) > 1 {
			b.WriteRune(first[0])
		}
		b.WriteString(starOfName)
	}
	if b.Len() == 0 {
		return starOfName
	}
	return b.String()
}

// inCharacters reports whether a name is written in Chinese characters, some of which may
// be unreadable (□).
func inCharacters(runes []rune) bool {
	for _, r := range runes {
		if unicode.Is(unicode.Han, r) || r == '□' {
			return true
		}
	}
	return false
}

// visible are a text's characters, composed and in half width, without what has no shape
// of its own (marks, joiners, direction), by which a piece of it could show or hide more
// than it seems.
func visible(text string) []rune {
	var runes []rune
	for _, r := range norm.NFKC.String(strings.TrimSpace(text)) {
		if !unicode.In(r, unicode.M, unicode.C) && r != unicode.ReplacementChar {
			runes = append(runes, r)
		}
	}
	return runes
}
