// Package watch is how a checkpoint's phone, without a signal, finds out that somebody who
// arrives is on a list: the list comes as keyed digests of ID numbers and mobiles, and what
// the arrival shows is digested in the same way.
//
// It refuses to hold a name or a number: from the digests nobody reads who is on the list.
package watch

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sort"
	"strings"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Size is the length of a digest, and KeySize that of a list's key, in bytes.
//
// Four bytes are chosen so that a list tells too little to be turned round. With the key,
// which every phone of a post has, somebody could try all 10^11 mobiles: of a list of
// 10,000 they would find the 10,000, and 230,000 others that no list holds, and couldn't
// tell which are which. An arrival who isn't listed is taken for one who is once in 200,000
// times, and a look at the number settles it. With eight bytes the same search would give
// the list back.
const (
	Size    = 4
	KeySize = 32
)

// List is one version of a list as phones hold it.
type List struct {
	List   syncproto.RecordID `json:"list"`
	Name   string             `json:"name"`
	Number int                `json:"number"`
	// Purpose is a choice of the form list; Note says what to do with whoever is on it.
	Purpose  string           `json:"purpose,omitempty"`
	Note     string           `json:"note,omitempty"`
	Area     syncproto.AreaID `json:"area"`
	Deadline string           `json:"deadline,omitempty"`
	// Key is the list's own, and Digests stand in order, one behind the other.
	Key     []byte `json:"key"`
	Digests []byte `json:"digests"`
}

// Lists are those that a device watches out for.
type Lists struct {
	Lists []List `json:"lists"`
}

// Number is a number that people are known by: its type, and what was written.
type Number struct {
	Type form.Type // form.IDNumber or form.Mobile
	Text string
}

// fold leaves of a number what is compared: as forms fold it, and a mobile without the
// country's code.
func (n Number) fold() string {
	field := form.Field{Type: n.Type}
	folded := strings.Trim(field.Fold(syncproto.TextValue(n.Text)), `"`)
	if n.Type != form.Mobile {
		return folded
	}
	const national = 11
	for _, code := range []string{"+86", "0086", "86"} {
		if rest, ok := strings.CutPrefix(folded, code); ok && len(rest) == national {
			return rest
		}
	}
	return folded
}

// digest is the first bytes of HMAC-SHA-256 over the type and the folded number; ok is
// false for a number that says nothing.
func (n Number) digest(key []byte) (digest uint32, ok bool) {
	folded := n.fold()
	if folded == "" {
		return 0, false
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(n.Type))
	mac.Write([]byte{0})
	mac.Write([]byte(folded))
	return binary.BigEndian.Uint32(mac.Sum(nil)), true
}

// Digests makes the digests of a list, in order, each once.
func Digests(key []byte, numbers []Number) []byte {
	all := make([]uint32, 0, len(numbers))
	for _, n := range numbers {
		if d, ok := n.digest(key); ok {
			all = append(all, d)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	out := make([]byte, 0, Size*len(all))
	for _, d := range all {
		out = binary.BigEndian.AppendUint32(out, d)
	}
	return out
}

// Has reports whether one of the numbers seems to be on the list.
func (l *List) Has(numbers ...Number) bool {
	if len(l.Key) != KeySize || len(l.Digests)%Size != 0 {
		return false
	}
	count := len(l.Digests) / Size
	for _, n := range numbers {
		want, ok := n.digest(l.Key)
		if !ok {
			continue
		}
		at := func(i int) uint32 { return binary.BigEndian.Uint32(l.Digests[i*Size:]) }
		if i := sort.Search(count, func(i int) bool { return at(i) >= want }); i < count && at(i) == want {
			return true
		}
	}
	return false
}
