package syncproto

import (
	"crypto/sha256"
	"encoding/binary"
)

// Names of the fields that every record has, whatever its form says. Area, exit and
// same_as follow the rule "review": a record that moves or leaves is a question when
// somebody else was working on it. Residences follow "union".
const (
	// FieldArea holds the area that the record belongs to, as a text.
	FieldArea = "area"
	// FieldExit holds how the record left, as an Exit object, or null.
	FieldExit = "exit"
	// FieldSameAs holds the id of the record that this one turned out to be, as a text,
	// or null. The other survives; this one keeps its own history, and every later change
	// of it shows at the survivor. Only decisions write it.
	FieldSameAs = "same_as"
	// FieldResidences lists where the record belonged before it came to its area: texts
	// "2020-01-27 330702001003", the day on which it left and the area's code.
	FieldResidences = "residences"
)

// Exit says how a record left its roster. Leaving is an event with a reason,
// never a deletion, and can be taken back by writing null.
type Exit struct {
	// Reason is one of moved, died, left, duplicate, mistake.
	Reason string `json:"reason"`
	// Date is the day of leaving, as 2020-01-31.
	Date string `json:"date"`
	// Destination says where to, in the author's words or as an area's code.
	Destination string `json:"destination,omitempty"`
}

// Exit reads how a record left, and reports whether v is an object whose members
// reason, date and destination, as far as they are there, are texts.
func (v Value) Exit() (Exit, bool) {
	members, ok := v.Members()
	if !ok {
		return Exit{}, false
	}
	var e Exit
	for name, into := range map[string]*string{"reason": &e.Reason, "date": &e.Date, "destination": &e.Destination} {
		if m, given := members[name]; given {
			if *into, ok = m.Text(); !ok {
				return Exit{}, false
			}
		}
	}
	return e, true
}

// Stamp is a moment on the server's time line with its error bound. Earliest ≤
// Time ≤ Latest always holds.
type Stamp struct {
	Time     Instant `json:"time"`
	Earliest Instant `json:"earliest"`
	Latest   Instant `json:"latest"`
}

// Part is what is alive of one change: those of its writes that no other write
// of the record replaces.
type Part struct {
	// Version is the number under which the change became visible.
	Version Version  `json:"version"`
	Device  DeviceID `json:"device"`
	N       uint64   `json:"n"`
	Author  AuthorID `json:"author"`
	// Base is the record's version that the author had seen.
	Base Version `json:"base"`
	// Stamp is the corrected time of the change.
	Stamp
	// Amid names the fields that the author saw as disputed.
	Amid    []string `json:"amid,omitempty"`
	Decides bool     `json:"decides,omitempty"`
	// With are the records that were shown to the author as one with this one.
	With []Beside `json:"with,omitempty"`
	// Undoes are the decisions that this one withdraws.
	Undoes []Origin `json:"undoes,omitempty"`
	Fields Fields   `json:"fields"`
	// Spent are writes that another of the record has replaced, and that still hold
	// against the records in With: what they settled there must not come back. A list's
	// is what was written, any other's is null. A part may have nothing else left.
	Spent Fields `json:"spent,omitempty"`
	// Of is the record that the part is of, where merge looks at several as one; zero
	// everywhere else.
	Of RecordID `json:"-"`
}

// Record is a record as replicas exchange it: the live parts of its changes, in
// order of (version, device, n). merge.Show turns it into what a person sees.
type Record struct {
	ID   RecordID `json:"id"`
	Kind Kind     `json:"kind"`
	// Area is where the record belongs as it stands.
	Area AreaID `json:"area"`
	// Version is the greatest version of the record's changes, live or not: what
	// a change that edits this record carries as its base.
	Version Version `json:"version"`
	Live    []Part  `json:"live"`
}

// RowSum is one record's share of its area's Sum: the first 8 bytes, big endian,
// of SHA-256 over the 16 bytes of the id and the 8 bytes of the version.
func RowSum(id RecordID, v Version) Sum {
	var b [24]byte
	copy(b[:], id[:])
	binary.BigEndian.PutUint64(b[16:], uint64(v))
	h := sha256.Sum256(b[:])
	return Sum(binary.BigEndian.Uint64(h[:]))
}
