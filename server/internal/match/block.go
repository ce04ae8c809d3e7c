package match

import "gridsync/syncproto"

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

// Keys returns where a record with this profile stands in the index: in at most four
// places.
func (p Profile) Keys() []Key {
	var keys []Key
	for _, r := range p.exact() {
		keys = append(keys, r.From)
	}
	birth, household, part := byBirth, byHousehold, p.Sound
	if p.Sound == "" { // unknown names count as unreadable ones
		birth, household, part = wildByBirth, wildByHousehold, p.Name
	}
	if p.Birth != "" {
		keys = append(keys, p.near(birth, p.Birth).at(part))
	}
	if !p.Household.IsZero() {
		keys = append(keys, p.near(household, home(p.Household)).at(part))
	}
	return keys
}

// Ranges returns where to look for records that may be one with it: in its own places,
// and among the unreadable names of its birth and household. A name that is itself
// unreadable is looked for among all of them.
func (p Profile) Ranges() []Range {
	ranges := p.exact()
	add := func(class, wildClass, part string) {
		alike := p.near(class, part)
		if p.Sound == "" {
			ranges = append(ranges, alike.all())
		} else {
			ranges = append(ranges, only(alike.at(p.Sound)))
		}
		ranges = append(ranges, p.near(wildClass, part).all())
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
func (p Profile) exact() []Range {
	var places []Range
	for _, part := range []struct{ class, value string }{
		{byIDNumber, p.IDNumber},
		{byMobile, p.Mobile},
		{byAddress, p.Address},
		{byEvent, p.Event},
	} {
		if part.value != "" {
			places = append(places, only(Key(hash(string(p.Kind), part.class, part.value))))
		}
	}
	return places
}

func only(k Key) Range { return Range{k, k} }

func home(id syncproto.RecordID) string { return string(id[:]) }

// near is the upper half of a key: the records that are alike in one thing.
type near uint32

func (p Profile) near(class, part string) near {
	return near(hash(string(p.Kind), class, part) >> 32)
}

// at is where those stand that are besides equal in another.
func (n near) at(part string) Key { return Key(n)<<32 | Key(uint32(hash(part))) }

func (n near) all() Range { return Range{Key(n) << 32, Key(n)<<32 | 0xffff_ffff} }

// hash is FNV-1a of the parts, with a NUL behind each, stirred by the last steps of MurmurHash3
// so that each half is as good as the whole. It is stored: it must never change.
func hash(parts ...string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for _, s := range parts {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * prime
		}
		h *= prime // as for a NUL
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
