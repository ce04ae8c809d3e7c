// Package match finds records that may be one person, one household or one event.
//
// It refuses to merge anything: it names candidates, with a score whose parts a
// person can read.
package match

import (
	"gridsync/syncproto"
)

// Key is where a record stands in the blocked index: records that may be one share a
// key, or stand close to one another. The upper 32 bits are a hash of what is compared
// loosely (a birth date), the lower ones of what is compared exactly (how a name
// sounds), so that a name with an unreadable character (□) is looked for in a range.
type Key uint64

// Range is the keys From to To, both included.
type Range struct{ From, To Key }

// Entry is one line of the index.
type Entry struct {
	Key    Key
	Record syncproto.RecordID
}

// Block bounds how many records of a range are looked at. A range that holds more
// tells nothing: a number that a whole dormitory gives is nobody's.
const Block = 64

// Threshold is the score from which a pair is put before a person.
const Threshold = 60

// Profile is what is compared of one record, folded. The zero Profile matches nothing.
// Equal profiles find and score the same.
type Profile struct {
	Kind syncproto.Kind
	// IDNumber, Mobile, Name, Address are folded; Sound is how Name is pronounced.
	IDNumber, Mobile, Name, Sound, Birth, Address string
	Household                                     syncproto.RecordID
	// Event is what makes an event one with another; empty for other kinds. Authors are
	// those who witnessed it, in order, one after the other.
	Event   string
	Authors string
}

// Evidence is one part of a score.
type Evidence struct {
	// Part is id_number, mobile, name, sound, birth, household, address or event.
	Part   string `json:"part"`
	Points int    `json:"points"`
}
