package match

import (
	"strings"
	"unicode"
)

// unreadable stands in a folded name for one character that nobody could read.
const unreadable = '□'

// foldName leaves the letters of a name, and □ for every character that is written
// as unreadable. A name of which nothing can be read is none.
func foldName(s string) string {
	folded := strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune("□■○*?\uFFFD", r):
			return unreadable
		case unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r):
			return unicode.ToLower(r)
		}
		return -1 // 买买提·艾力, 买买提 艾力
	}, s)
	if strings.Trim(folded, string(unreadable)) == "" {
		return ""
	}
	return folded
}

// wild reports whether a part of a name could not be read.
func wild(name string) bool { return strings.ContainsRune(name, unreadable) }

// foldMobile takes the country's code from a number that is whole without it.
func foldMobile(s string) string {
	const national = 11
	for _, code := range []string{"+86", "0086", "86"} {
		if rest, ok := strings.CutPrefix(s, code); ok && len(rest) == national {
			return rest
		}
	}
	return s
}

// foldAddress leaves what tells a door: 文昌路１号２幢301室, 文昌路一号2栋301 and
// 文昌路1-2-301 are one. An address without the number of a house names a place where
// many live (三里村), and none is compared.
func foldAddress(s string) string {
	var d door
	for _, r := range digits(strings.ReplaceAll(strings.ToLower(s), "单元", "#")) {
		d.take(r)
	}
	if !d.told && !d.number {
		return ""
	}
	return d.text.String()
}

// door is an address that is being folded.
type door struct {
	text strings.Builder
	last rune
	// apart says that an end of a number (号) or a mark came after last.
	apart bool
	// number says that a digit came after the last word, told that such a number ended.
	number, told bool
}

func (d *door) take(r rune) {
	switch {
	case counts(d.last) && strings.ContainsRune("号栋幢座楼室房", r), !unicode.IsLetter(r) && !counts(r):
		d.apart, d.told = true, d.told || d.number
		return
	case !counts(r):
		d.number = false
	case d.apart && counts(d.last):
		d.text.WriteByte('-')
	}
	d.number = d.number || r >= '0' && r <= '9'
	d.text.WriteRune(r)
	d.last, d.apart = r, false
}

// counts reports whether houses are counted with r: 2栋, B栋.
func counts(r rune) bool { return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' }
