package clientsdk

import (
	"slices"
	"strconv"

	"gridsync/syncproto"
	"gridsync/syncproto/merge"
)

// Record is a record as this device shows it: what the server sent, with the
// device's own changes that are on their way laid over it. It is a value: later
// changes don't alter it.
type Record struct {
	ID   syncproto.RecordID
	Kind syncproto.Kind
	// Area is where it belongs as it is shown.
	Area syncproto.AreaID
	// Version is that of the server's copy; 0 while the record is on this device only.
	// Of records that are one it is the survivor's.
	Version syncproto.Version
	// Exit says that it has left its roster; nil while it is there, or while that is disputed.
	Exit *syncproto.Exit
	// Pending says that it shows changes that the server's copy doesn't have yet.
	Pending bool
	// Absorbed are the records that turned out to be this one: it shows what they say,
	// too. They keep their own histories, and asking for one of them gives this record.
	Absorbed []syncproto.RecordID
	// MergedInto is the record that this one turned out to be, where the device doesn't
	// hold that: it then shows its own content. Zero otherwise.
	MergedInto syncproto.RecordID

	view merge.View
	live []syncproto.Part
	// base and with are what a change that its author makes of it has seen.
	base syncproto.Version
	with []syncproto.Beside
}

// Candidate is one of the values that a field holds at once.
type Candidate struct {
	Value syncproto.Value
	// Witnesses are those who wrote it, the deciding one first.
	Witnesses []Witness
}

// Witness is one who wrote a value.
type Witness struct {
	Author syncproto.AuthorID
	Device syncproto.DeviceID
	N      uint64
	// Time is when, on the server's time line as far as it is known.
	Time syncproto.Instant
	// Pending says that the server's copy doesn't have it yet.
	Pending bool
}

// Value returns what a field shows; empty if nothing was written.
func (r Record) Value(field string) syncproto.Value { return r.view.Fields[field].Value }

// Text returns the text that a field shows; empty if it shows none. Of a masked value it
// is what may be seen of it, which is for eyes only: no edit writes it.
func (r Record) Text(field string) string {
	s, isText := r.Value(field).Text()
	if !isText {
		s = r.Masked(field).Masked
	}
	return s
}

// Masked returns the masked value that a field shows; zero if it shows another.
func (r Record) Masked(field string) syncproto.Masked {
	m, _ := r.Value(field).Masked()
	return m
}

// Texts returns the members that a list field shows.
func (r Record) Texts(field string) []string {
	s, _ := r.Value(field).Texts()
	return s
}

// Number returns the number that a field shows, and whether it shows one.
func (r Record) Number(field string) (float64, bool) {
	x, err := strconv.ParseFloat(string(r.Value(field)), 64)
	return x, err == nil
}

// Bool reports whether a field shows true.
func (r Record) Bool(field string) bool { return r.Value(field) == "true" }

// Fields returns what every field shows, without cleared ones.
func (r Record) Fields() syncproto.Fields { return r.view.Values() }

// Disputed reports whether a person must look at a field.
func (r Record) Disputed(field string) bool { return r.view.Fields[field].Disputed }

// Disputes returns the fields at which a person must look, in order.
func (r Record) Disputes() []string { return r.view.Disputed() }

// Candidates returns the values that a field holds at once, the one that shows
// first; one for a field that nobody disputes.
func (r Record) Candidates(field string) []Candidate {
	shown := r.view.Fields[field].Candidates
	candidates := make([]Candidate, len(shown))
	for i, c := range shown {
		candidates[i].Value = c.Value
		for _, w := range c.Witnesses {
			p := &r.live[w]
			candidates[i].Witnesses = append(candidates[i].Witnesses, Witness{
				Author: p.Author, Device: p.Device, N: p.N, Time: p.Time, Pending: p.Version == merge.Pending,
			})
		}
	}
	return candidates
}

// Live returns the record's live parts, for comparing replicas.
func (r Record) Live() []syncproto.Part { return slices.Clone(r.live) }
