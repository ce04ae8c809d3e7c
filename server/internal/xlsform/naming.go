package xlsform

import (
	"strconv"
	"strings"

	"github.com/mozillazg/go-pinyin"

	"gridsync/syncproto"
)

// Lengths of names, see syncproto.
const (
	maxKind = 32
	maxName = 64
)

// naming gives each question a name that changes may use.
type naming struct {
	// of is the field's name by the name that the survey uses.
	of    map[string]string
	taken map[string]bool
}

// standing are the names of the fields that every record has.
var standing = []string{syncproto.FieldArea, syncproto.FieldExit, syncproto.FieldSameAs, syncproto.FieldResidences}

// give names a question. Names that differ only where ours can't stay different.
func (n *naming) give(asked string) string {
	if n.taken == nil {
		n.of, n.taken = map[string]string{}, map[string]bool{}
		for _, name := range standing {
			n.taken[name] = true
		}
	}
	name := n.free(cut(latin(asked), maxName))
	n.of[asked] = name
	return name
}

// free returns the name, or it with the first number that makes it free, and takes it.
func (n *naming) free(name string) string {
	if name == "" {
		name = "question"
	}
	given := name
	for i := 2; n.taken[given]; i++ {
		tail := "_" + strconv.Itoa(i)
		given = cut(name, maxName-len(tail)) + tail
	}
	n.taken[given] = true
	return given
}

func cut(name string, most int) string {
	if len(name) > most {
		return name[:most]
	}
	return name
}

// latin writes a name with the letters, digits and marks that names may have: Chinese as it
// is pronounced, what can't be written as one underscore.
func latin(asked string) string {
	var out strings.Builder
	gap := false
	for _, c := range asked {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_':
			if gap && out.Len() > 0 {
				out.WriteByte('_')
			}
			out.WriteRune(c)
			gap = false
		case hasHan(string(c)):
			for _, sound := range pinyin.LazyPinyin(string(c), pinyin.NewArgs()) {
				out.WriteString(sound)
			}
			gap = false
		default:
			gap = true
		}
	}
	return out.String()
}
