package desk

import (
	"context"

	"gridsync/server/internal/match"
	"gridsync/server/internal/review"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Case is everything that a decider needs to know of a question, in one answer.
type Case struct {
	Line
	// Records are the records asked about: the one, or both of a pair.
	Records []Asked `json:"records,omitempty"`
	// Waiting is the parked change of a question of that kind.
	Waiting *Statement `json:"waiting,omitempty"`
	// Evidence are the parts of a duplicate's score.
	Evidence []match.Evidence `json:"evidence,omitempty"`
	// Window is what an implausible bucket is about: its check, its author or device, and
	// what was entered in it.
	Window *Window `json:"window,omitempty"`
	// Drift is by how much a signed day has moved since.
	Drift []Drift `json:"drift,omitempty"`
	// Neighbours are records that help to decide: the household and who lives in it, or
	// the person that a temperature is of; at most 50.
	Neighbours []roster.Row `json:"neighbours,omitempty"`
	// History is what happened to the question, oldest first; Earlier is what was said
	// about its records by earlier decisions.
	History []Happened  `json:"history"`
	Earlier []Statement `json:"earlier,omitempty"`
	// Seen is what a decision must name, so that it is refused if something has moved on.
	Seen Seen `json:"seen"`
	// Acts are what this caller may do, by author of the caller's device.
	Acts map[string][]Act `json:"acts,omitempty"`
}

// Seen says which state of a case somebody was looking at.
type Seen struct {
	Records []syncproto.Beside `json:"records"`
	Waits   []syncproto.Origin `json:"waits,omitempty"`
}

// Asked is a record asked about: as it stands, with every live value of every field.
type Asked struct {
	roster.Row
	Version syncproto.Version `json:"version"`
	// Fields in doubt come first, then those of the form in its order.
	Values []Field `json:"values"`
	// Absorbed are the records that turned out to be this one.
	Absorbed []syncproto.RecordID `json:"absorbed,omitempty"`
}

// Field is one field with all its live values.
type Field struct {
	Name     string         `json:"name"`
	Label    syncproto.Text `json:"label"`
	Rule     form.Rule      `json:"rule"`
	Disputed bool           `json:"disputed,omitempty"`
	// Values stand side by side, the one that shows first.
	Values []Value `json:"values"`
}

// Value is one live value with everybody who says so.
type Value struct {
	Value     syncproto.Value `json:"value"`
	Witnesses []Witness       `json:"witnesses"`
}

// Witness is who said something, where and when.
type Witness struct {
	Author Person             `json:"author"`
	Role   string             `json:"role,omitempty"`
	Post   string             `json:"post,omitempty"` // the name of the area of the author's grant
	Device string             `json:"device"`
	Change syncproto.ChangeID `json:"change"`
	Record syncproto.RecordID `json:"record"`
	syncproto.Origin
	Version syncproto.Version `json:"version"`
	// Observed is when it happened, as the form's time field says; 0 if it has none.
	Observed syncproto.Instant `json:"observed,omitempty"`
	// Entered is the corrected time of entry with its bounds, At the device's own clock.
	Entered  syncproto.Stamp   `json:"entered"`
	At       syncproto.Instant `json:"at"`
	Received syncproto.Instant `json:"received"`
	Decides  bool              `json:"decides,omitempty"`
}

// Statement is one change of the log, for people to read.
type Statement struct {
	Witness
	Kind    syncproto.Kind    `json:"kind"`
	Area    syncproto.AreaID  `json:"area"`
	Fields  syncproto.Fields  `json:"fields"`
	Verdict syncproto.Outcome `json:"verdict"`
	// Reason is the code of a parked change, or a remark.
	Reason *syncproto.Error `json:"reason,omitempty"`
	// Answers is the returned change that this one answers.
	Answers *syncproto.ChangeID `json:"answers,omitempty"`
}

// Window is one window of one author or device.
type Window struct {
	Check string            `json:"check"`
	Label syncproto.Text    `json:"label"`
	Who   string            `json:"who"`
	Start syncproto.Instant `json:"start"`
	End   syncproto.Instant `json:"end"`
	Count int64             `json:"count"`
	// Entered is what was entered in the window, at most 100.
	Entered []Statement `json:"entered,omitempty"`
}

// Drift is a figure of a signed day and what has come of it.
type Drift struct {
	Measure string         `json:"measure"`
	Label   syncproto.Text `json:"label"`
	Signed  int64          `json:"signed"`
	Now     int64          `json:"now"`
}

// Happened is one line of a question's history.
type Happened struct {
	What    review.What       `json:"what"`
	Version syncproto.Version `json:"version"`
	At      syncproto.Instant `json:"at"`
	By      *Person           `json:"by,omitempty"`
	Detail  string            `json:"detail,omitempty"`
	// Undo says that this was a decision that can be withdrawn.
	Undo bool `json:"undo,omitempty"`
}

// Act is what can be done about a question.
type Act string

// The acts.
const (
	// Choose: take one of the live values, or type another, for each field in doubt.
	Choose Act = "choose"
	// Merge: the two records are one; Survivor says which keeps its id.
	Merge Act = "merge"
	// Different: they are not; remembered for this pair.
	Different Act = "different"
	// Route: the question, or the change that waits, belongs to Area.
	Route Act = "route"
	// Accept: as it is; a parked change also in other words, by Fields, or without some of
	// its own, by Without.
	Accept Act = "accept"
	// Return: back to its author, with a Reason.
	Return Act = "return"
	// Assign: to Assignee.
	Assign Act = "assign"
	// Undo: withdraw what was decided last.
	Undo Act = "undo"
)

// Order is what a decider orders about one question.
type Order struct {
	Item syncproto.RecordID `json:"item"`
	Act  Act                `json:"act"`
	// Seen is the Case's; an order without it decides on what stands now, which only an
	// order about several questions of one kind may do.
	Seen *Seen `json:"seen,omitempty"`
	// Fields are values for Choose, corrections for Accept.
	Fields   syncproto.Fields   `json:"fields,omitempty"`
	Survivor syncproto.RecordID `json:"survivor,omitzero"`
	// Left is the day, 2020-01-31, on which a person who moved left the absorbed record's
	// area: the two are then two residences of one person.
	Left     string             `json:"left,omitempty"`
	Area     syncproto.AreaID   `json:"area,omitempty"`
	Without  []string           `json:"without,omitempty"`
	Assignee syncproto.AuthorID `json:"assignee,omitzero"`
	Reason   string             `json:"reason,omitempty"`
}

// Result is what became of one order.
type Result struct {
	Item syncproto.RecordID `json:"item"`
	// Version is that of the decision; 0 if it was refused, Error then says why.
	Version syncproto.Version `json:"version,omitempty"`
	Error   *syncproto.Error  `json:"error,omitempty"`
	// Now is the question as it stands; given with code moved_on so that the decider sees
	// what has changed.
	Now *Line `json:"now,omitempty"`
}

// Case returns a question with everything that a decider needs.
func (s *Service) Case(ctx context.Context, id syncproto.RecordID, caller syncproto.DeviceID) (*Case, error) {
	return &Case{}, nil
}

// Order takes orders of one author, each by itself: what is wrong with one stops no
// other.
func (s *Service) Order(ctx context.Context, author syncproto.AuthorID, orders []Order) ([]Result, error) {
	return nil, nil
}
