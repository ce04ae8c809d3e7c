// Package review says what a question is that a person must settle, how it is named,
// and what has been said about it.
//
// It refuses to settle any: a decision is a change like any other and goes through
// merge.
package review

import (
	"gridsync/server/internal/area"
	"gridsync/server/internal/match"
	"gridsync/syncproto"
)

// Kind is the kind of a question.
type Kind string

// The kinds.
const (
	// Conflict: live writes of a field differ.
	Conflict Kind = "conflict"
	// Exit: somebody says that the record left while somebody else was working on it.
	Exit Kind = "exit"
	// Duplicate: two records may be one person or one household.
	Duplicate Kind = "duplicate"
	// DoubleVisit: two volunteers recorded one event. It counts once meanwhile.
	DoubleVisit Kind = "double_visit"
	// Parked: a change is held and waits.
	Parked Kind = "parked"
	// Implausible: an entry, or how entries came, is hard to believe.
	Implausible Kind = "implausible"
	// Restated: what arrived after a day was signed has changed its figures.
	Restated Kind = "restated"
)

// Kinds lists them all.
var Kinds = []Kind{Conflict, Duplicate, DoubleVisit, Parked, Implausible, Exit, Restated}

// Key says what a question is about: there is one for each key, opened again when the
// question arises again.
//
//	conflict, exit   Record and its Field
//	duplicate,       Record, and in Field the id of the other record, the greater one
//	double_visit
//	parked           Record of the change, and in Field "device/n"
//	implausible      Record and the name of the check in Field; or no Record, and a
//	                 plausible.Bucket in Field
//	restated         Record of the day's signature, Field empty
type Key struct {
	Kind   Kind
	Record syncproto.RecordID
	Field  string
}

// ID is the question's id, and that of the record of kind "review" that holds what
// people have said about it: phones name it the same way.
func (k Key) ID() syncproto.RecordID {
	return syncproto.Question{Item: string(k.Kind), Record: k.Record, Field: k.Field}.ID()
}

// Other is the second record of a question about two; zero for other kinds.
func (k Key) Other() syncproto.RecordID {
	if k.Kind != Duplicate && k.Kind != DoubleVisit {
		return syncproto.RecordID{}
	}
	id, _ := syncproto.ParseID[syncproto.RecordID](k.Field)
	return id
}

// Pair is the key of a question about two records.
func Pair(kind Kind, a, b syncproto.RecordID) Key {
	return keyOf(syncproto.AboutPair(string(kind), a, b))
}

// AboutParked is the key of the question about a parked change of a record.
func AboutParked(record syncproto.RecordID, change syncproto.Origin) Key {
	return keyOf(syncproto.AboutParked(record, change))
}

func keyOf(q syncproto.Question) Key {
	return Key{Kind: Kind(q.Item), Record: q.Record, Field: q.Field}
}

// State is where a question stands.
type State string

// The states.
const (
	Open     State = "open"
	Returned State = "returned" // open, and back with its author
	Closed   State = "closed"
)

// Ending says why a question closed.
type Ending string

// The endings. All but the first four come about without a decider.
const (
	Decided   Ending = "decided"   // a decision chose or typed a value
	Merged    Ending = "merged"    // the two records are one
	Different Ending = "different" // they are not
	Accepted  Ending = "accepted"  // taken as it is
	Agreed    Ending = "agreed"    // the authors came to say the same
	Corrected Ending = "corrected" // what raised it was corrected, or has moved on
	TakenUp   Ending = "taken_up"  // what a parked change waited for came
	Answered  Ending = "answered"  // its author submitted it anew
	Signed    Ending = "signed"    // the day was signed again
)

// Item is one question.
type Item struct {
	Key
	// Area is the desk that it lies on.
	Area area.Key
	// Opened is the version that raised it; Closed the one that ended it, 0 while open.
	Opened, Closed syncproto.Version
	// At is when it was raised, Ended when it closed.
	At, Ended syncproto.Instant
	State     State
	Ending    Ending
	// By ended it by a decision; zero if nobody did.
	By syncproto.AuthorID
	// Assignee has it to do; zero for nobody.
	Assignee syncproto.AuthorID
	// Score and Evidence are those of a duplicate; Sample is a record that shows what an
	// implausible bucket is about.
	Score    int
	Evidence []match.Evidence
	Sample   syncproto.RecordID
}

// Event is one line of a question's history.
type Event struct {
	Item    syncproto.RecordID
	Version syncproto.Version
	At      syncproto.Instant
	What    What
	By      syncproto.AuthorID // zero for what came about by itself
	// Detail is an Ending, an area's code, an assignee's id, or empty.
	Detail string
	// Changes are those of a decision: what to withdraw to undo it.
	Changes []Made
}

// Made is one change of a decision.
type Made struct {
	Record syncproto.RecordID `json:"record"`
	syncproto.Origin
}

// What is what happened to a question.
type What string

// What can happen.
const (
	WasOpened   What = "opened"
	WasClosed   What = "closed"
	WasAssigned What = "assigned"
	WasRouted   What = "routed"
	WasReturned What = "returned"
	WasUndone   What = "undone"
)

// RecordKind is the kind of record that holds what people have said about a question.
const RecordKind = syncproto.KindReview

// DayCloseKind is the kind of record with which a day is signed.
const DayCloseKind syncproto.Kind = "day_close"

// Fields of a record of RecordKind. Its area is the desk.
const (
	FieldItem     = syncproto.RulingItem     // Key.Kind
	FieldAbout    = syncproto.RulingAbout    // Key.Record
	FieldSubject  = syncproto.RulingSubject  // Key.Field
	FieldVerdict  = syncproto.RulingVerdict  // a Verdict
	FieldWithout  = syncproto.RulingWithout  // names of fields that an accepted change is taken without
	FieldAssignee = syncproto.RulingAssignee // an author's id
	FieldReason   = syncproto.RulingReason
)

// Verdict is what people have said of a question as such.
type Verdict = syncproto.Ruling

// The verdicts. What is chosen for a field, and which records are one, is said in the
// records themselves.
const (
	VerdictAccept    = syncproto.RulingAccept
	VerdictDifferent = syncproto.RulingDifferent
	VerdictReturn    = syncproto.RulingReturn
)
