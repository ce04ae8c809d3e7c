package xlsform

import (
	"strings"
	"unicode"
)

// language is the language of a column.
type language int

// The languages. A column that names none is plain.
const (
	plain language = iota
	chinese
	english
	other
	languages
)

// languageOf reads what stands behind the colons: English (en), 中文 (zh), zh-Hans, Chinese.
func languageOf(tongue string) language {
	tongue = strings.ToLower(strings.TrimSpace(tongue))
	if tongue == "" {
		return plain
	}
	if open := strings.LastIndexAny(tongue, "(（"); open >= 0 {
		code := strings.Trim(tongue[open:], "()（） ")
		if l := languageOf(code); l != other && l != plain {
			return l
		}
		tongue = strings.TrimSpace(tongue[:open])
	}
	first, _, _ := strings.Cut(strings.ReplaceAll(tongue, "_", "-"), "-")
	switch strings.TrimSpace(first) {
	case "zh", "cmn", "zho", "chi", "chinese", "mandarin", "中文", "汉语", "漢語", "简体中文", "简体", "普通话":
		return chinese
	case "en", "eng", "english", "英文", "英语", "英語":
		return english
	}
	return other
}

// plainLanguage is the language of columns that don't name theirs: the one that the
// settings name, or that its own texts are written in.
func (r *reader) plainLanguage(found sheets) language {
	if l := languageOf(r.settings.text("default_language")); l == chinese || l == english {
		return l
	}
	for _, s := range []*sheet{found.survey, found.choices} {
		if s == nil {
			continue
		}
		for _, cells := range s.rows {
			for _, text := range cells {
				if hasHan(text) && !strings.Contains(text, "::") {
					return r.unlessNamed(s, chinese)
				}
			}
		}
	}
	return english
}

// unlessNamed is the other of our languages if the sheet has columns that name this one:
// label beside label::中文 is English.
func (r *reader) unlessNamed(s *sheet, l language) language {
	for _, cells := range s.rows {
		if empty(cells) {
			continue
		}
		for _, text := range cells {
			if name, tongue := splitHeader(text); name == "label" && languageOf(tongue) == l {
				return english
			}
		}
		break
	}
	return l
}

func hasHan(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}
