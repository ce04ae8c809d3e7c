package enrol

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
)

// MaxSettled bounds how many enrolments are confirmed or refused at a time.
const MaxSettled = 300

// Reasons for refusing an enrolment. What is noted about people is never typed.
const (
	NotOurs    = "not_ours"
	WrongName  = "wrong_name"
	TwiceThere = "twice"
	OtherCause = "other"
)

// refusals lists the reasons.
var refusals = []string{"", NotOurs, WrongName, TwiceThere, OtherCause}

// Settling confirms or refuses enrolments.
type Settling struct {
	IDs []uuid.UUID `json:"ids"`
	// State is active or refused.
	State  syncproto.EnrolmentState `json:"state"`
	Reason string                   `json:"reason,omitempty"`
}

// Settlement is what became of one enrolment.
type Settlement struct {
	ID    uuid.UUID                `json:"id"`
	State syncproto.EnrolmentState `json:"state,omitempty"`
	Error *syncproto.Error         `json:"error,omitempty"`
}

// Enrolments lists a page of the enrolments into an area and all below it, of a state or
// of any (""), the oldest first.
func (s *Service) Enrolments(ctx context.Context, by By, id syncproto.AreaID, state syncproto.EnrolmentState, after Place, limit int) ([]Enrolment, error) {
	snap := s.Registry.Current()
	if _, err := overseer(snap, by, id); err != nil {
		return nil, err
	}
	areas, err := below(snap, id)
	if err != nil {
		return nil, err
	}
	found, err := s.Store.Enrolments(ctx, EnrolmentsWanted{Areas: areas, State: state, After: after, Limit: limit})
	return found, wrap("list enrolments", err)
}

// Settle confirms or refuses enrolments, with a result for each in their order: not_found
// for one that isn't there or isn't the caller's to settle, own_grant for one's own or one on one's own phone,
// moved_on for one that somebody else settled otherwise. What is confirmed is entitled
// from when it was redeemed, so that what was recorded meanwhile is let through.
func (s *Service) Settle(ctx context.Context, by By, in Settling) (results []Settlement, err error) {
	switch {
	case len(in.IDs) == 0:
		return nil, bad("ids", "missing")
	case len(in.IDs) > MaxSettled:
		return nil, code(syncproto.CodeTooManyChanges, "ids")
	case in.State != syncproto.EnrolmentActive && in.State != syncproto.EnrolmentRefused:
		return nil, bad("state", "active or refused")
	case !slices.Contains(refusals, in.Reason):
		return nil, bad("reason", "not_ours, wrong_name, twice or other")
	}
	err = s.again(ctx, "settle enrolments", func() error {
		results, err = s.settle(ctx, by, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

func (s *Service) settle(ctx context.Context, by By, in Settling) ([]Settlement, error) {
	found, err := s.Store.Enrolments(ctx, EnrolmentsWanted{IDs: in.IDs})
	if err != nil {
		return nil, err
	}
	there := make(map[uuid.UUID]*Enrolment, len(found))
	for i := range found {
		there[found[i].ID] = &found[i]
	}
	snap := s.Registry.Current()
	w := &Write{At: by.Now}
	results := make([]Settlement, 0, len(in.IDs))
	for _, id := range in.IDs {
		e, ok := there[id]
		if !ok {
			results = append(results, refused(id, code(syncproto.CodeNotFound, "id")))
			continue
		}
		results = append(results, settleOne(snap, by, in.State, e, w))
	}
	if len(w.Settled) == 0 {
		return results, nil
	}
	for i := range w.Settled {
		w.note(by, w.Settled[i].By, settledLine(&w.Settled[i], in.Reason))
	}
	return results, s.Store.SaveEnrol(ctx, w)
}

func settledLine(e *Enrolment, reason string) audit.Entry {
	line := audit.Entry{Act: audit.Confirmed, Area: e.Area, Detail: fmt.Sprintf("author %s device %s role %s", e.Author, e.Device, e.Role)}
	if e.State == syncproto.EnrolmentRefused {
		line.Act = audit.Refused
	}
	if reason != "" {
		line.Detail += " " + reason
	}
	return line
}

// settleOne adds what settling one enrolment comes to, and returns its result.
func settleOne(snap *registry.Snapshot, by By, state syncproto.EnrolmentState, e *Enrolment, w *Write) Settlement {
	who, err := giver(snap, by, e.Area, e.Role)
	device, _ := snap.People.Device(e.Device)
	switch {
	case err != nil:
		return refused(e.ID, code(syncproto.CodeNotFound, "id"))
	case notOneself(by, e.Author) != nil || notOneself(by, device.Authors...) != nil: // another name on one's own phone
		return refused(e.ID, code(syncproto.CodeOwnGrant, "id"))
	case e.State == state: // given twice, or settled so before
		return Settlement{ID: e.ID, State: state}
	case e.State != syncproto.EnrolmentWaiting:
		return refused(e.ID, code(syncproto.CodeMovedOn, "id"))
	}
	e.State, e.By, e.Settled = state, who, by.Now
	w.Settled = append(w.Settled, *e)
	if state == syncproto.EnrolmentActive {
		w.Grants = append(w.Grants, e.grant())
	}
	return Settlement{ID: e.ID, State: state}
}

func refused(id uuid.UUID, err error) Settlement {
	var known *syncproto.Error
	errors.As(err, &known)
	return Settlement{ID: id, Error: known}
}
