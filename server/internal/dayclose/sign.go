package dayclose

import (
	"context"
	"errors"
	"strings"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Signing is an order to sign a day.
type Signing struct {
	Author syncproto.AuthorID
	// Seen are the figures that the author was looking at.
	Seen Seen
	Note string
	// Zero says that nothing happened on the day.
	Zero bool
}

// Returning is an order to send a day back.
type Returning struct {
	Author syncproto.AuthorID
	// Record is the version of the day's record that the author was looking at.
	Record syncproto.Version
	Reason string
}

// Sign freezes an area's figures of a day as its author saw them, with how those below
// stand, and returns the day as it is then. It fails with code
//
//	not_found    no such area
//	bad_request  a day that has not begun; zero is said where something happened, or is
//	             not said where nothing did (field zero)
//	moved_on     what the author saw is no longer so: figures, a signature, one below
//	forbidden    the author may not sign there
//
// and nothing is signed then.
func (s *Service) Sign(ctx context.Context, id syncproto.AreaID, day form.Day, o Signing, now syncproto.Instant) (*Day, error) {
	l, err := s.look(ctx, id, day, now)
	if err != nil {
		return nil, err
	}
	switch {
	case day > form.DayOf(now):
		return nil, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "day", Detail: "it has not begun"}
	case o.Seen.Version > l.Watermark.Version:
		return nil, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "seen", Detail: "a version that there has not been"}
	case l.Seen.Record != o.Seen.Record:
		return nil, &syncproto.Error{Code: syncproto.CodeMovedOn, Field: "record"}
	}
	paper := l.paper
	paper.AsOf = o.Seen.Version
	switch {
	case paper.Hash() != o.Seen.Hash:
		return nil, &syncproto.Error{Code: syncproto.CodeMovedOn, Field: "figures"}
	case l.Nothing && !o.Zero:
		return nil, (&syncproto.Error{Code: syncproto.CodeBadRequest, Field: FieldZero, Detail: "nothing happened on this day: say so"}).
			Because(syncproto.Text{ZH: "当天各项均为 0，须明确说明零报告", EN: "Nothing happened on this day: it must be said that it is zero"})
	case !l.Nothing && o.Zero:
		return nil, (&syncproto.Error{Code: syncproto.CodeBadRequest, Field: FieldZero, Detail: "something happened on this day"}).
			Because(syncproto.Text{ZH: "当天并非各项为 0，不能作零报告", EN: "Something happened on this day: it is not zero"})
	}
	step := l.step(paper.Fields())
	step.Fields[FieldZero] = syncproto.ValueOf(o.Zero)
	step.Fields[FieldNote] = syncproto.Null
	if note := strings.TrimSpace(o.Note); note != "" {
		step.Fields[FieldNote] = syncproto.TextValue(note)
	}
	d := exchange.Decision{
		Author: o.Author, Steps: []exchange.Step{step}, Seen: []syncproto.Beside{{Record: step.Record, Version: step.Base}},
		Holds: []exchange.Signature{{Record: step.Record, Area: l.node.Key, Day: day, Figures: paper.Figures}},
	}
	for i := range l.Below {
		c := &l.Below[i]
		d.Seen = append(d.Seen, syncproto.Beside{Record: c.record, Version: c.version})
	}
	if _, err := s.decider.Decide(ctx, d); err != nil {
		return nil, refusal(err)
	}
	return s.Look(ctx, id, day, now)
}

// step writes fields to the day's record, which is made if there is none.
func (l *looked) step(fields syncproto.Fields) exchange.Step {
	step := exchange.Step{Record: l.own.id, Kind: review.DayCloseKind, Area: l.node.ID, Fields: fields}
	if l.own.record != nil {
		step.Base = l.own.record.Version
	}
	if l.own.record != nil && l.own.view.Exit != nil { // it was withdrawn, and is signed again
		fields[syncproto.FieldExit] = syncproto.Null
	}
	return step
}

// Return sends a signed day back to those who signed it, with a reason: by somebody who
// decides in the area above. It fails with code not_found (area), bad_request (reason),
// forbidden (whoever doesn't decide above it), moved_on (the day is not as the author saw
// it, or is not signed); nothing is returned then.
func (s *Service) Return(ctx context.Context, id syncproto.AreaID, day form.Day, o Returning, now syncproto.Instant) (*Day, error) {
	l, err := s.look(ctx, id, day, now)
	if err != nil {
		return nil, err
	}
	reason := strings.TrimSpace(o.Reason)
	switch {
	case l.node.Parent == "" || !l.snap.People.May(l.snap.Areas, []syncproto.AuthorID{o.Author}, identity.Decide, l.node.Parent, now):
		return nil, &syncproto.Error{Code: syncproto.CodeForbidden, Field: "area"}
	case reason == "":
		return nil, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "reason", Detail: "missing"}
	case l.State != Signed && l.State != Restated, l.Seen.Record != o.Record:
		return nil, &syncproto.Error{Code: syncproto.CodeMovedOn, Field: "record"}
	}
	step := l.step(syncproto.Fields{FieldReturned: syncproto.TextValue(reason)})
	_, err = s.decider.Decide(ctx, exchange.Decision{
		Author: o.Author, Steps: []exchange.Step{step}, Seen: []syncproto.Beside{{Record: step.Record, Version: step.Base}},
	})
	if err != nil {
		return nil, refusal(err)
	}
	return s.Look(ctx, id, day, now)
}

// refusal says of a change that would wait that it was turned away: whoever asks has no
// right to it there, or what they say doesn't fit the form.
func refusal(err error) error {
	var why *syncproto.Error
	if !errors.As(err, &why) {
		return err
	}
	switch why.Code {
	case syncproto.CodeNotEntitled, syncproto.CodeOutOfArea, syncproto.CodeGrantExpired, syncproto.CodeUnknownAuthor, syncproto.CodeOwnWork:
		return &syncproto.Error{Code: syncproto.CodeForbidden, Field: why.Field, Detail: string(why.Code)}
	case syncproto.CodeFailsForm:
		return &syncproto.Error{Code: syncproto.CodeBadRequest, Field: why.Field, Detail: why.Detail}
	}
	return err
}
