package exchange

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"gridsync/syncproto"
	"gridsync/syncproto/clock"
)

// Entry is what one person enters at the server: a file brought in, a task given out.
// Its steps are ordinary changes, which merge and dispute like those of any phone, and
// they are taken together or not at all.
type Entry struct {
	Author syncproto.AuthorID
	// Steps have neither With nor Undoes: those belong to decisions. A step with Base 0 on a
	// record that is there has seen nothing of it, and replaces nothing.
	Steps []Step
}

// Entered is what became of an entry.
type Entered struct {
	// Version is that of its last change.
	Version syncproto.Version
	// Changes name its changes, and Outcomes say what became of each, in the order of its
	// steps.
	Changes  []syncproto.Origin
	Outcomes []syncproto.Outcome
}

// MaxSteps bounds one entry: all of it is one transaction, and phones wait for that.
const MaxSteps = 100_000

// Misstep is why nothing of an entry was taken.
type Misstep struct {
	// Step is the place of the first step that can't be taken, counted from 0.
	Step int
	Why  *syncproto.Error
}

func (m *Misstep) Error() string { return fmt.Sprintf("step %d: %v", m.Step, m.Why) }

// Unwrap returns the reason.
func (m *Misstep) Unwrap() error { return m.Why }

// EntryDevice is the device from which a server records what an author enters at it. Each
// author has one, as a device's later change replaces its earlier ones: nobody's entry
// replaces another's unseen.
func EntryDevice(epoch syncproto.Epoch, author syncproto.AuthorID) syncproto.DeviceID {
	return syncproto.DeviceID(uuid.NewSHA1(uuid.UUID(epoch), append([]byte("entry "), author[:]...)))
}

// Enter makes an entry's changes on behalf of its author, durably. It fails with a
// *Misstep, whose reason is whatever would park the change or refuse it (out_of_area,
// not_entitled, fails_form …), and with code too_many_changes; nothing of the entry is then
// kept.
func (s *Service) Enter(ctx context.Context, e Entry) (Entered, error) {
	switch {
	case len(e.Steps) == 0:
		return Entered{}, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "steps"}
	case len(e.Steps) > MaxSteps:
		return Entered{}, &syncproto.Error{Code: syncproto.CodeTooManyChanges, Field: "steps"}
	}
	j := &job{entry: &e, device: EntryDevice(s.heads.epoch, e.Author), done: make(chan error, 1)}
	if err := s.writer.submit(ctx, j); err != nil {
		return Entered{}, err
	}
	return j.entered, nil
}

// enter takes an entry's steps one after the other. Its group holds nothing else: an error
// undoes all of it.
func (g *group) enter(j *job) error {
	e := j.entry
	state, err := g.device(j.device)
	if err != nil {
		return err
	}
	ids := make([]syncproto.RecordID, len(e.Steps))
	for i := range e.Steps {
		ids[i] = e.Steps[i].Record
	}
	if err := g.loadRecords(ids); err != nil {
		return err
	}
	j.contact = clock.Contact{Server: g.now, Device: g.now}
	j.entered = Entered{}
	for i := range e.Steps {
		change := g.changeOf(j.device, e.Author, &e.Steps[i], state.High+1)
		if why := legible(&change); why != nil {
			return &Misstep{Step: i, Why: why}
		}
		outcome, err := g.step(state, j, &change)
		var why *syncproto.Error
		if errors.As(err, &why) {
			return &Misstep{Step: i, Why: why}
		}
		if err != nil {
			return err
		}
		j.entered.Changes = append(j.entered.Changes, syncproto.Origin{Device: j.device, N: change.N})
		j.entered.Outcomes = append(j.entered.Outcomes, outcome.Verdict)
		j.entered.Version = outcome.Version
	}
	state.met(j.contact, state.High, 0, "")
	return nil
}

// legible says why a change couldn't be read, if a phone had sent it; nil if it could. What
// a person enters here is held to the same bounds.
func legible(change *syncproto.Change) *syncproto.Error {
	raw, err := syncproto.Encode(change)
	if err == nil {
		_, _, err = syncproto.DecodeFields(raw, change.Device)
	}
	var why *syncproto.Error
	if err == nil || errors.As(err, &why) {
		return why
	}
	return &syncproto.Error{Code: syncproto.CodeBadChange}
}

// step takes one change that is made at the server. Whatever would park or refuse it is its
// error.
func (g *group) step(state *DeviceState, j *job, change *syncproto.Change) (syncproto.Verdict, error) {
	fields, err := change.Values()
	if err != nil {
		return syncproto.Verdict{}, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "fields"}
	}
	verdict, err := g.take(state, j, &decoded{change: *change, fields: fields, hash: change.Hash(), here: true})
	if err != nil {
		return verdict, err
	}
	if !verdict.Verdict.Held() || verdict.Verdict == syncproto.Parked {
		return verdict, verdict.Reason
	}
	return verdict, nil
}
