package dayclose

import (
	"gridsync/server/internal/privacy"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// State is how an area stands with a day.
type State string

// The states.
const (
	// Open: nobody has signed it.
	Open State = "open"
	// Signed: it is signed, and its figures hold.
	Signed State = "signed"
	// Restated: it is signed, and what arrived since has moved a figure.
	Restated State = "restated"
	// Returned: it was sent back, and is to be signed again.
	Returned State = "returned"
)

// Day is an area's day: its figures as they stand, and how the area and those below it
// stand with it.
type Day struct {
	Area  syncproto.AreaID `json:"area"`
	Name  string           `json:"name"`
	Day   string           `json:"day"`
	State State            `json:"state"`
	// Closing is the hour at which the day is to be signed; Late says that it has passed
	// and nobody has.
	Closing string `json:"closing_hour"`
	Late    bool   `json:"late,omitempty"`
	// Figures are those of all measures as they stand now, 0 included, in the order of the
	// forms. Nothing says that those counted by the day are all 0: whoever signs must say so.
	Figures []Figure `json:"figures"`
	Nothing bool     `json:"nothing,omitempty"`
	// Seen is what whoever signs these figures, or returns them, sends back.
	Seen Seen `json:"seen"`
	// Signed is what was signed last and Returned why it was sent back, if it was.
	Signed   *Signature `json:"signed,omitempty"`
	Returned *Return    `json:"returned,omitempty"`
	// Delta are the figures that have moved since, and Changes what moved them, in order of
	// versions; More says that there are more of these. Otherwise is what no record moved by
	// itself: an area that came or went, or a form or setting that counts otherwise now.
	Delta     []Moved   `json:"delta,omitempty"`
	Changes   []Change  `json:"changes,omitempty"`
	More      bool      `json:"more_changes,omitempty"`
	Otherwise []Measure `json:"otherwise,omitempty"`
	// History is what happened to the day, the oldest first.
	History []Act `json:"history,omitempty"`
	// Below are the areas directly below that sign their days, and Unsigned how many of
	// them have not, or were sent back.
	Below     []Child          `json:"below,omitempty"`
	Unsigned  int              `json:"unsigned"`
	Watermark rollup.Watermark `json:"watermark"`
}

// Figure is one measure's.
type Figure struct {
	Name  string         `json:"name"`
	Label syncproto.Text `json:"label"`
	Unit  form.Unit      `json:"unit"`
	// Standing ones are what there is, the others what happened on the day.
	Standing bool  `json:"standing,omitempty"`
	Value    int64 `json:"value"`
}

// Seen says what somebody was looking at.
type Seen struct {
	// Version is that of the figures, Hash that of the paper that they make, Record the
	// version of the day's record, 0 if there is none.
	Version syncproto.Version `json:"version"`
	Hash    string            `json:"hash"`
	Record  syncproto.Version `json:"record"`
}

// Signature is what was signed.
type Signature struct {
	Record syncproto.RecordID `json:"record"`
	By     syncproto.AuthorID `json:"by"`
	ByName string             `json:"by_name,omitempty"`
	At     syncproto.Instant  `json:"at"`
	// AsOf is the version that its figures stand for; 0 if it was signed on a phone.
	AsOf    syncproto.Version `json:"as_of,omitempty"`
	Figures map[string]int64  `json:"figures"`
	Zero    bool              `json:"zero,omitempty"`
	Note    string            `json:"note,omitempty"`
	Below   []Under           `json:"below,omitempty"`
	// Hash is what was kept with it, and Holds says that it is still that of the paper; a
	// day signed on a phone has none.
	Hash  string `json:"hash,omitempty"`
	Holds bool   `json:"holds"`
	// Text is what the hash is of.
	Text string `json:"text"`
}

// Return says why a day was sent back.
type Return struct {
	By     syncproto.AuthorID `json:"by"`
	ByName string             `json:"by_name,omitempty"`
	At     syncproto.Instant  `json:"at"`
	Reason string             `json:"reason"`
}

// Measure is a measure and a number.
type Measure struct {
	Name string `json:"name"`
	N    int64  `json:"n"`
}

// Moved is a figure that has moved since it was signed.
type Moved struct {
	Name   string         `json:"name"`
	Label  syncproto.Text `json:"label"`
	Signed int64          `json:"signed"`
	Now    int64          `json:"now"`
}

// Change is what a record did to the figures signed.
type Change struct {
	Record  syncproto.RecordID `json:"record"`
	Kind    syncproto.Kind     `json:"kind,omitempty"`
	Area    syncproto.AreaID   `json:"area,omitempty"`
	Version syncproto.Version  `json:"version"`
	Moves   []Measure          `json:"moves"`
}

// Act is one thing that somebody did about the day.
type Act struct {
	What    string             `json:"what"` // signed or returned
	By      syncproto.AuthorID `json:"by"`
	ByName  string             `json:"by_name,omitempty"`
	At      syncproto.Instant  `json:"at"`
	Version syncproto.Version  `json:"version"`
	Figures map[string]int64   `json:"figures,omitempty"`
	Hash    string             `json:"hash,omitempty"`
	Note    string             `json:"note,omitempty"`
	Reason  string             `json:"reason,omitempty"`
}

// Child is how an area below stands with the day.
type Child struct {
	Area  syncproto.AreaID `json:"area"`
	Name  string           `json:"name"`
	State State            `json:"state"`
	Late  bool             `json:"late,omitempty"`
	// By signed it last, At then; Hash is what they signed.
	By     syncproto.AuthorID `json:"by,omitzero"`
	ByName string             `json:"by_name,omitempty"`
	At     syncproto.Instant  `json:"at,omitempty"`
	Hash   string             `json:"hash,omitempty"`
	// Reason is why it was sent back, if it was.
	Reason string `json:"reason,omitempty"`

	record  syncproto.RecordID
	version syncproto.Version
}

// Disclose implements privacy.Disclosed: which records moved a figure is for those who may
// read records.
func (d *Day) Disclose(l *privacy.Lens) {
	if !l.Eyes(d.Area).Open {
		d.More = d.More || len(d.Changes) > 0
		d.Changes = nil
		return
	}
	for i := range d.Changes {
		l.Saw(d.Changes[i].Record, d.Changes[i].Area)
	}
}
