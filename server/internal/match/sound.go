package match

import (
	"strings"

	"github.com/mozillazg/go-pinyin"
)

// toneless writes one reading without its tone.
var toneless = pinyin.NewArgs()

// soundOf is how a name is pronounced: the first reading of each character, without
// tones, so that 王玮 and 王伟 sound alike. What has no reading stands for itself. A
// name with an unreadable character has no sound.
func soundOf(name string) string {
	if name == "" || wild(name) {
		return ""
	}
	var sound strings.Builder
	for _, r := range name {
		if readings := pinyin.SinglePinyin(r, toneless); len(readings) > 0 {
			sound.WriteString(readings[0])
		} else {
			sound.WriteRune(r)
		}
		sound.WriteByte(' ')
	}
	return strings.TrimSuffix(sound.String(), " ")
}
