package exchange

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"gridsync/syncproto"
	"gridsync/syncproto/clock"
)

// Decision is a ruling made at the server's desk: changes of one author that are taken
// together or not at all. What an author rules on a phone comes as ordinary changes.
type Decision struct {
	Author syncproto.AuthorID
	Steps  []Step
	// Seen are the records that the author was looking at and their versions, 0 for one
	// that was not there. If one has moved on meanwhile, nothing is done.
	Seen []syncproto.Beside
	// Waits are parked changes that the author was looking at: they must wait still.
	Waits []syncproto.Origin
	// Holds are figures of days that the author was looking at: they must be so still. A
	// measure that is left out is not looked at.
	Holds []Signature
}

// Step is one change of a decision.
type Step struct {
	Record syncproto.RecordID
	Kind   syncproto.Kind
	Area   syncproto.AreaID
	Base   syncproto.Version
	Fields syncproto.Fields
	With   []syncproto.Beside
	Undoes []syncproto.Origin
}

// Decided is what became of a decision.
type Decided struct {
	// Version is that of its last change.
	Version syncproto.Version
	// Changes name its changes, in the order of its steps.
	Changes []syncproto.Origin
}

// Link says that a record turned out to be another one; Into is zero when that was
// taken back.
type Link struct{ Record, Into syncproto.RecordID }

// DeskDevice is the device from which a server records what is decided at its desk.
// A new history has a new one, so that no number of it is given out twice.
func DeskDevice(epoch syncproto.Epoch) syncproto.DeviceID {
	return syncproto.DeviceID(uuid.NewSHA1(uuid.UUID(epoch), []byte("desk")))
}

// Decide makes a decision's changes on behalf of its author, from the server's own
// device, durably. It fails with code moved_on if something that the author saw has
// changed, and with the code of whatever would park one of the changes (out_of_area,
// not_entitled, own_work, fails_form …); nothing of the decision is then kept.
func (s *Service) Decide(ctx context.Context, d Decision) (Decided, error) {
	if len(d.Steps) == 0 {
		return Decided{}, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "steps"}
	}
	j := &job{decision: &d, device: s.desk, done: make(chan error, 1)}
	if err := s.writer.submit(ctx, j); err != nil {
		return Decided{}, err
	}
	return j.decided, nil
}

// decide takes a decision's steps one after the other. Its group holds nothing else: an
// error undoes all of it.
func (g *group) decide(j *job) error {
	d := j.decision
	if err := g.unmoved(d); err != nil {
		return err
	}
	state, err := g.device(j.device)
	if err != nil {
		return err
	}
	j.contact = clock.Contact{Server: g.now, Device: g.now}
	j.decided = Decided{}
	for i := range d.Steps {
		change := g.changeOf(j.device, d.Author, &d.Steps[i], state.High+1)
		change.Decides = true
		if err := g.loadRecords([]syncproto.RecordID{change.Record}); err != nil {
			return err
		}
		verdict, err := g.step(state, j, &change)
		if err != nil {
			return err
		}
		// What it lets in is there for the next step.
		if err := g.follow(); err != nil {
			return err
		}
		j.decided.Changes = append(j.decided.Changes, syncproto.Origin{Device: j.device, N: change.N})
		j.decided.Version = verdict.Version
	}
	state.met(j.contact, state.High, 0, "")
	return nil
}

// unmoved reports with code moved_on what has changed since the decider looked.
func (g *group) unmoved(d *Decision) error {
	ids := make([]syncproto.RecordID, 0, len(d.Seen))
	for _, seen := range d.Seen {
		ids = append(ids, seen.Record)
	}
	if err := g.loadRecords(ids); err != nil {
		return err
	}
	for _, seen := range d.Seen {
		now := syncproto.Version(0)
		if r := g.records[seen.Record].now; r != nil {
			now = r.Version
		}
		if now != seen.Version {
			return &syncproto.Error{Code: syncproto.CodeMovedOn, Field: "seen"}
		}
	}
	for i := range d.Holds {
		held := d.Holds[i]
		if err := g.compareFigures(&held, nil); err != nil {
			return err
		}
		if len(held.Drift) > 0 {
			return &syncproto.Error{Code: syncproto.CodeMovedOn, Field: "figures"}
		}
	}
	for _, at := range d.Waits {
		rows, err := g.tx.Prior(at.Device, []uint64{at.N})
		if err != nil {
			return fmt.Errorf("group: a parked change: %w", err)
		}
		if !slices.ContainsFunc(rows, func(l Logged) bool { return l.Version == 0 && l.Reason != syncproto.CodeResubmitted }) {
			return &syncproto.Error{Code: syncproto.CodeMovedOn, Field: "waits"}
		}
	}
	return nil
}

// changeOf writes a step as a change of one of the server's own devices.
func (g *group) changeOf(device syncproto.DeviceID, author syncproto.AuthorID, s *Step, n uint64) syncproto.Change {
	c := syncproto.Change{
		ID:     newID(device, n),
		Device: device, N: n, Author: author, Kind: s.Kind, Record: s.Record, Area: s.Area, Base: s.Base,
		Fields: s.Fields.Encode(), At: g.now, Form: 1,
	}
	if f := g.snap.Forms.Newest(s.Kind); f != nil {
		c.Form = f.Version
	}
	c.SetWith(s.With)
	c.SetUndoes(s.Undoes)
	return c
}

// newID gives a change of one of the server's own devices its id: it follows from the retry
// key, which is never given out twice.
func newID(device syncproto.DeviceID, n uint64) syncproto.ChangeID {
	return syncproto.ChangeID(uuid.NewSHA1(uuid.UUID(device), fmt.Append(nil, n)))
}
