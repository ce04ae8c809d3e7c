package match

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mozillazg/go-pinyin"
)

// soundOf is how a name is pronounced: the first reading of each character, without
// tones, so that 王玮 and 王伟 sound alike. What has no reading stands for itself. A
// name with an unreadable character has no sound.
func soundOf(name string) string {
	if name == "" || wild(name) {
		return ""
	}
	sound := make([]byte, 0, 32)
	for i, r := range name {
		if i > 0 {
			sound = append(sound, ' ')
		}
		readings, ok := pinyin.PinyinDict[int(r)]
		if !ok {
			sound = utf8.AppendRune(sound, r)
			continue
		}
		first, _, _ := strings.Cut(readings, ",")
		sound = appendToneless(sound, first)
	}
	return string(sound)
}

// appendToneless appends a reading without its tone: wěi as wei, lǚ as lv. The library
// does the same by regular expressions, which are slow where a whole roster is read.
func appendToneless(to []byte, reading string) []byte {
	for _, r := range reading {
		switch plain, toned := toneless[r]; {
		case toned:
			to = utf8.AppendRune(to, plain)
		case !unicode.Is(unicode.Mn, r):
			to = utf8.AppendRune(to, r)
		}
	}
	return to
}

// toneless are the letters that bear a tone, and what is left of them.
var toneless = func() map[rune]rune {
	table := map[rune]rune{}
	for plain, toned := range map[rune]string{
		'a': "āáǎà", 'e': "ēéěèêếề", 'i': "īíǐì", 'o': "ōóǒò", 'u': "ūúǔù", 'v': "üǖǘǚǜ", 'n': "ńňǹ", 'm': "ḿ",
	} {
		for _, r := range toned {
			table[r] = plain
		}
	}
	return table
}()
