package syncproto

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// Limits on one request. A phone that meets them halves its batch.
const (
	MaxBodyBytes    = 4 << 20
	MaxBatchChanges = 1000
	MinPageBytes    = 4 << 10
	MaxPageBytes    = 1 << 20
	PageBytes       = 256 << 10
)

// Request is what a device sends to POST /v1/sync.
type Request struct {
	Protocol int      `json:"protocol"`
	Device   DeviceID `json:"device"`
	// Clock is the device's own clock when it sent the request.
	Clock Instant `json:"clock"`
	// Epoch and Cursor are those of the last answer; both are empty at first.
	Epoch  *Epoch `json:"epoch,omitempty"`
	Cursor string `json:"cursor,omitempty"`
	// High is the greatest n that the device has given out, sent or not.
	High uint64 `json:"high"`
	// Unsent counts the changes that the device holds and has no receipt for,
	// this batch included.
	Unsent int `json:"unsent"`
	// App names the program and its version.
	App string `json:"app,omitempty"`
	// PageBytes is how much the device wants at most in one answer, before compression.
	PageBytes int `json:"page_bytes,omitempty"`
	// Restart names areas whose copy has drifted and is to be sent from the start.
	Restart []AreaID `json:"restart,omitempty"`
	// Deliver asks for nothing but verdicts and a receipt: a locked phone delivers what is
	// sealed, and could not keep what would come down. The cursor comes back as it was.
	Deliver bool `json:"deliver,omitempty"`
	// Changes are decoded one by one, so that a bad one harms no other; each is a change
	// or a Sealed.
	Changes []json.RawMessage `json:"changes,omitempty"`
}

// UnmarshalJSON reads everything but the changes by encoding/json; the changes it
// cuts apart without looking into them, as encoding/json does at a greater cost.
// They share one copy of b.
func (r *Request) UnmarshalJSON(b []byte) error {
	b = bytes.Clone(b)
	rest := []byte{'{'}
	var changes string
	var changesAt int
	isObject := eachMember(string(b), func(name, raw string, at int) {
		if name == "changes" {
			changes, changesAt = raw, at
			return
		}
		if len(rest) > 1 {
			rest = append(rest, ',')
		}
		rest = append(append(append(rest, ValueOf(name)...), ':'), raw...)
	})
	if !isObject {
		rest = b // whatever it is instead, encoding/json says what is wrong with it
	} else {
		rest = append(rest, '}')
	}
	type plain Request
	if err := json.Unmarshal(rest, (*plain)(r)); err != nil {
		return err
	}
	r.Changes = nil
	if changes == "" || changes == "null" {
		return nil
	}
	isArray := eachElement(changes, func(raw string, at int) {
		at += changesAt
		r.Changes = append(r.Changes, json.RawMessage(b[at:at+len(raw):at+len(raw)]))
	})
	if !isArray {
		return &json.UnmarshalTypeError{Value: "no array", Type: reflect.TypeFor[[]json.RawMessage](), Field: "changes"}
	}
	return nil
}

// Answer is what comes back.
type Answer struct {
	Protocol int   `json:"protocol"`
	Epoch    Epoch `json:"epoch"`
	// Now is the server's clock.
	Now Instant `json:"now"`
	// Verdicts stand in the order of the request's changes.
	Verdicts []Verdict `json:"verdicts,omitempty"`
	Receipt  Receipt   `json:"receipt"`
	// Reset says that the cursor couldn't be used: everything comes again, and
	// what the device holds of the server's records goes as it does.
	Reset bool `json:"reset,omitempty"`
	// Notice says why, when something about the request as a whole was unusual.
	Notice *Error `json:"notice,omitempty"`
	// Left names areas that are no longer the device's: their records leave it.
	Left []AreaID `json:"left,omitempty"`
	// Restarted names areas whose records come from the start in this answer and
	// those after it; what the device holds of them goes first.
	Restarted []AreaID `json:"restarted,omitempty"`
	Areas     []Area   `json:"areas,omitempty"`
	// Forms are form definitions, each as form.Parse reads it.
	Forms []json.RawMessage `json:"forms,omitempty"`
	// Templates are definitions of what areas ask, each as form.ParseTemplate reads it. They
	// come with the forms.
	Templates []json.RawMessage `json:"templates,omitempty"`
	Records   []Record          `json:"records,omitempty"`
	Gone      []Gone            `json:"gone,omitempty"`
	// Told is what was decided about things that the device's authors wrote, in order
	// of versions.
	Told []Told `json:"told,omitempty"`
	// Sums are given for areas that this answer completes.
	Sums   map[AreaID]Sum `json:"sums,omitempty"`
	Cursor string         `json:"cursor"`
	// More says that another page is waiting.
	More bool `json:"more,omitempty"`
}

// Area is a node of the tree as a device sees it.
type Area struct {
	ID     AreaID `json:"id"`
	Name   string `json:"name"`
	Parent AreaID `json:"parent,omitempty"`
	// Above says that the area lies above those of the device: it sees nothing of it but
	// what it broadcasts.
	Above bool `json:"above,omitempty"`
	// Settings are what was set in this very area, in order of names and days: what holds in
	// an area is what was set there last, or in the nearest area above. Where an area is
	// told, these are all of them.
	Settings []Setting `json:"settings,omitempty"`
}

// Setting is what holds in an area and below it from a day on, until another says something
// else.
type Setting struct {
	Name string `json:"name"`
	// From is the first day, such as 2020-01-31.
	From string `json:"from"`
	// Value is null where what holds above holds here again.
	Value Value `json:"value"`
}

// Gone names a record that has left an area for another.
type Gone struct {
	Record  RecordID `json:"record"`
	Kind    Kind     `json:"kind"`
	Area    AreaID   `json:"area"`
	Version Version  `json:"version"`
}

// Told tells an author what became of something that he wrote, by a decision or
// because the question has ended by itself.
type Told struct {
	// Version is that of what ended or opened the question; a device may hear the same
	// twice and keeps (Version, N, Record, Item, Field) once.
	Version Version `json:"version"`
	At      Instant `json:"at"`
	// N is the device's own change that it is about, Author who wrote that.
	N      uint64   `json:"n"`
	Author AuthorID `json:"author"`
	Kind   Kind     `json:"kind"`
	Record RecordID `json:"record"`
	// Item is the kind of question: conflict, duplicate, double_visit, parked,
	// implausible, exit or restated. Field is the field asked about, if it is one.
	Item  string `json:"item"`
	Field string `json:"field,omitempty"`
	// Said is how it ended.
	Said Said `json:"said"`
	// Shows is what the field shows now, where the question was about a field.
	Shows Value `json:"shows,omitempty"`
	// By decided; zero if nobody did. Reason is in the decider's words.
	By     AuthorID `json:"by,omitzero"`
	Reason string   `json:"reason,omitempty"`
	// Other is the other record of a question about two.
	Other RecordID `json:"other,omitzero"`
}

// Said is how a question ended for one author.
type Said string

// The closed set of endings.
const (
	// SaidKept: what the author wrote holds.
	SaidKept Said = "kept"
	// SaidOther: another value holds; what the author wrote stays in the log.
	SaidOther Said = "other"
	// SaidMerged: the two are one.
	SaidMerged Said = "merged"
	// SaidDifferent: the two are not one.
	SaidDifferent Said = "different"
	// SaidAccepted: what waited, or looked implausible, was accepted as it is.
	SaidAccepted Said = "accepted"
	// SaidReturned: it comes back to its author, with a reason, to be looked at again.
	SaidReturned Said = "returned"
	// SaidUndone: a decision was withdrawn, and the question is open again.
	SaidUndone Said = "undone"
	// SaidSettled: the question ended by itself.
	SaidSettled Said = "settled"
)

// Outcome is what became of a change.
type Outcome string

// The closed set of outcomes.
const (
	// Applied: it is in the record.
	Applied Outcome = "applied"
	// Merged: it is in the record, beside what somebody wrote at the same time.
	Merged Outcome = "merged"
	// Disputed: it is in the record, and a person must look.
	Disputed Outcome = "disputed"
	// Parked: it is stored and waits, with a reason.
	Parked Outcome = "parked"
	// Duplicate: it was known; First repeats what was said then.
	Duplicate Outcome = "duplicate"
	// Refused: it couldn't be read, and stays on the phone.
	Refused Outcome = "refused"
)

// Held reports whether the server holds a change with this outcome.
func (o Outcome) Held() bool { return o != Refused }

// Verdict is the answer to one change.
type Verdict struct {
	// N is the change's number; 0 if it couldn't be read.
	N       uint64  `json:"n"`
	Verdict Outcome `json:"verdict"`
	// First is the earlier verdict of a duplicate.
	First Outcome `json:"first,omitempty"`
	// Version is the number under which the change became visible; 0 while it isn't.
	Version Version `json:"version,omitempty"`
	// Stamp is given when the record as it stands is this change and nothing else.
	// The answer's records then leave it out: the device makes the record itself
	// from its own bytes, with Change.Part, and a day's work isn't sent back to
	// the phone that it came from.
	Stamp *Stamp `json:"stamp,omitempty"`
	// Reason says why: always for parked and refused, and as a remark for others.
	Reason *Error `json:"reason,omitempty"`
}

// Span is the numbers From to To, both included.
type Span struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
}

// Receipt says what the server holds of a device: 1 to Through, except Missing.
// A phone tells its author "delivered" only for what a receipt covers.
type Receipt struct {
	Through uint64 `json:"through"`
	// Missing lists the holes, in order; at most MaxMissing of them, the lowest first.
	Missing []Span `json:"missing,omitempty"`
	// Parked lists the numbers that wait, with their reasons; at most MaxParked, the newest first.
	Parked []Waiting `json:"parked,omitempty"`
	// Held counts the changes held.
	Held uint64 `json:"held"`
	// Digest adds up the hashes of the changes held.
	Digest Digest `json:"digest"`
}

// Limits on the lists of a Receipt.
const (
	MaxMissing = 100
	MaxParked  = 100
)

// Waiting is a parked change as a receipt tells of it.
type Waiting struct {
	N    uint64 `json:"n"`
	Code Code   `json:"code"`
}

// Covers reports whether the receipt says that the server holds n. Beyond the
// last hole listed by a full Missing it says no, to be safe.
func (r Receipt) Covers(n uint64) bool {
	if n == 0 || n > r.Through {
		return false
	}
	for _, s := range r.Missing {
		if n >= s.From && n <= s.To {
			return false
		}
	}
	if len(r.Missing) >= MaxMissing {
		return n < r.Missing[len(r.Missing)-1].From
	}
	return true
}
