package match

import (
	"encoding/binary"

	"gridsync/syncproto"
)

// The classes of keys: what two records have in common that stand close together.
const (
	byIDNumber      = "id_number"
	byMobile        = "mobile"
	byBirth         = "birth"          // and sound
	byHousehold     = "household"      // and sound
	wildByBirth     = "wild birth"     // for names that can't be read throughout
	wildByHousehold = "wild household" // the same
	byAddress       = "address"
	byEvent         = "event"
)

// Digester makes the numbers under which records stand in the index. The index lies in
// the database as it is, and there are few ID numbers, mobiles and birthdays: so the
// digest has a key that isn't in the database, without which nobody can find them by trying.
type Digester interface {
	// Digest returns 64 bits of which each half is as good as the whole. It is stored:
	// one value has one digest for ever.
	Digest(value []byte) uint64
	// Fingerprint tells this digester from one with another key.
	Fingerprint() uint64
}

// Keys returns where a record with this profile stands in the index: in at most four
// places.
func (p Profile) Keys(d Digester) []Key {
	var keys []Key
	h := hasher{digester: d, kind: p.Kind}
	for _, r := range p.exact(&h) {
		keys = append(keys, r.From)
	}
	birth, household, part := byBirth, byHousehold, p.Sound
	if p.Sound == "" { // unknown names count as unreadable ones
		birth, household, part = wildByBirth, wildByHousehold, p.Name
	}
	if p.Birth == "" && p.Household.IsZero() {
		return keys
	}
	named := h.low(part)
	if p.Birth != "" {
		keys = append(keys, h.near(birth, p.Birth).at(named))
	}
	if !p.Household.IsZero() {
		keys = append(keys, h.near(household, home(p.Household)).at(named))
	}
	return keys
}

// Ranges returns where to look for records that may be one with it: in its own places,
// and among the unreadable names of its birth and household. A name that is itself
// unreadable is looked for among all of them.
func (p Profile) Ranges(d Digester) []Range {
	h := hasher{digester: d, kind: p.Kind}
	ranges := p.exact(&h)
	if p.Birth == "" && p.Household.IsZero() {
		return ranges
	}
	sound := h.low(p.Sound)
	add := func(class, wildClass, part string) {
		alike := h.near(class, part)
		if p.Sound == "" {
			ranges = append(ranges, alike.all())
		} else {
			ranges = append(ranges, only(alike.at(sound)))
		}
		ranges = append(ranges, h.near(wildClass, part).all())
	}
	if p.Birth != "" {
		add(byBirth, wildByBirth, p.Birth)
	}
	if !p.Household.IsZero() {
		add(byHousehold, wildByHousehold, home(p.Household))
	}
	return ranges
}

// exact are the places that only equal parts share.
func (p Profile) exact(h *hasher) []Range {
	var places []Range
	for _, part := range []struct{ class, value string }{
		{byIDNumber, p.IDNumber},
		{byMobile, p.Mobile},
		{byAddress, p.Address},
		{byEvent, p.Event},
	} {
		if part.value != "" {
			places = append(places, only(Key(h.hash(part.class, part.value))))
		}
	}
	return places
}

func only(k Key) Range { return Range{k, k} }

func home(id syncproto.RecordID) string { return string(id[:]) }

// near is the upper half of a key: the records that are alike in one thing.
type near uint32

// at is where those stand that are besides equal in another.
func (n near) at(low uint32) Key { return Key(n)<<32 | Key(low) }

func (n near) all() Range { return Range{Key(n) << 32, Key(n)<<32 | 0xffff_ffff} }

// hasher makes the digests of one profile, in memory that it uses again.
type hasher struct {
	digester Digester
	kind     syncproto.Kind
	value    []byte
}

func (h *hasher) near(class, part string) near { return near(h.hash(class, part) >> 32) }

// low is the lower half of a key.
func (h *hasher) low(part string) uint32 { return uint32(h.hash("", part)) }

// hash is the digest of a kind, a class and a part, each with its length before it, so
// that no two of them run together.
func (h *hasher) hash(class, part string) uint64 {
	if h.value == nil {
		h.value = make([]byte, 0, 128)
	}
	h.value = h.value[:0]
	for _, s := range [...]string{string(h.kind), class, part} {
		h.value = append(binary.AppendUvarint(h.value, uint64(len(s))), s...)
	}
	return h.digester.Digest(h.value)
}
