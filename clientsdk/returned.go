package clientsdk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"

	"gridsync/syncproto"
)

// ErrAnswered says that an answer to a returned change is on its way already.
var ErrAnswered = errors.New("this returned change was answered already")

// Returned is a change that came back to its author to be looked at again (退回). It
// stays on this list, whatever happens to the device's copies, until its author has
// submitted it anew and the server has said so, or the question has ended otherwise.
type Returned struct {
	// Entry is the change; its Answer is the number under which it was submitted anew,
	// which the server has not confirmed yet.
	Entry
	// By returned it, At when, Why in the words of By. All are zero until the server
	// has told them.
	By  syncproto.AuthorID
	At  syncproto.Instant
	Why string
}

// Returned returns the author's changes that came back, in order of n.
func (a *Author) Returned(ctx context.Context) ([]Returned, error) {
	entries, err := a.client.entries(ctx, "desk IN ('returned', 'look_again') AND author = ? ORDER BY n", a.id[:])
	if err != nil {
		return nil, fmt.Errorf("listing returned changes: %w", err)
	}
	list := make([]Returned, len(entries))
	for i, e := range entries {
		list[i].Entry = e
		for _, t := range e.Told { // the newest first
			if t.Said == syncproto.SaidReturned {
				list[i].By, list[i].At, list[i].Why = t.By, t.At, t.Reason
				break
			}
		}
	}
	return list, nil
}

// Resubmit submits the author's returned change n anew, with corrections laid over
// its fields, and returns its record's id. Of the edit the fields, the area, Anyway
// and Decides count. A change that was to make a record still makes it.
//
// Of a returned change that is in the record all the same (an entry that was hard to
// believe) only the corrections are written, or, if there are none, that its author
// says so again.
//
// Errors: those of PutAll; ErrNotFound if n is not on the author's list; ErrAnswered.
func (a *Author) Resubmit(ctx context.Context, n uint64, corrections Edit) (syncproto.RecordID, error) {
	ids, err := a.putIn(ctx, func(s *statements) ([]Edit, error) {
		back, err := a.backWith(s.tx, n)
		if err != nil {
			return nil, err
		}
		e, err := back.anew(&corrections)
		return []Edit{e}, err
	})
	if err != nil {
		return syncproto.RecordID{}, fmt.Errorf("submitting change %d anew: %w", n, err)
	}
	return ids[0], nil
}

// backWith reads one of the author's returned changes that has no answer on its way. One
// that the server holds and that didn't take the change off the list was none.
func (a *Author) backWith(tx *sql.Tx, n uint64) (*own, error) {
	found, err := a.client.queryOwn(tx, "n = ? AND author = ? AND desk IN ('returned', 'look_again')", int64(n), a.id[:])
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("it was not returned to this author: %w", ErrNotFound)
	}
	on, err := a.client.queryOwn(tx, "answers = ? AND covered = 0 AND "+alive, found[0].ID[:])
	if err != nil {
		return nil, err
	}
	if len(on) > 0 {
		return nil, fmt.Errorf("by change %d: %w", on[0].N, ErrAnswered)
	}
	return &found[0], nil
}

// anew is the edit that answers a returned change.
func (o *own) anew(corrections *Edit) (Edit, error) {
	e := Edit{
		Record: o.Record, Kind: o.Kind, Area: corrections.Area, Anyway: corrections.Anyway,
		Decides: o.Decides || corrections.Decides, answers: o,
	}
	fields, err := o.Values()
	if err != nil {
		return e, err
	}
	if o.desk == lookAgain && len(corrections.Fields) > 0 {
		fields = syncproto.Fields{}
	}
	if _, moves := fields[syncproto.FieldArea]; moves && e.Area != "" {
		fields[syncproto.FieldArea] = syncproto.TextValue(string(e.Area))
	}
	maps.Copy(fields, corrections.Fields)
	e.Fields = fields
	return e, nil
}

// settleAnswered takes off the list what has been answered and the receipt doesn't
// speak of: what is in its record, and what is too old for the receipt's list.
func (a *applying) settleAnswered() error {
	// An answer is to the return before it, and not to one that came later.
	const answered = `EXISTS (SELECT 1 FROM outbox o WHERE o.answers = outbox.id AND o.covered = 1 AND (o.version = 0
		OR o.version > (SELECT coalesce(max(version), 0) FROM told WHERE n = outbox.n AND said = 'returned')))`
	if err := a.exec("UPDATE outbox SET desk = '' WHERE desk = 'look_again' AND " + answered); err != nil {
		return err
	}
	return a.exec("UPDATE outbox SET desk = 'resubmitted' WHERE desk = 'returned' AND n < ? AND "+answered, int64(a.lowestListed()))
}
