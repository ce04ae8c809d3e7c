package clientsdk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"gridsync/syncproto"
)

// ErrSame says that two records are one already.
var ErrSame = errors.New("the two records are one already")

// Merge decides that a record is another one, which survives; survivor need not be on
// this device. Both keep their histories, and Undo takes the two apart again. Where
// one of them was merged before, it is the records that survived that are made one.
//
// Errors: ErrSame; ErrNotFound if absorbed is not here; a *syncproto.Error
// (kind_differs) for two kinds of records; those of PutAll.
func (a *Author) Merge(ctx context.Context, absorbed, survivor syncproto.RecordID) error {
	_, err := a.putIn(ctx, func(s *statements) ([]Edit, error) {
		l, err := a.client.lens(s.tx, &meta{})
		if err != nil {
			return nil, err
		}
		from, to := l.root(absorbed), l.root(survivor)
		if from == to {
			return nil, ErrSame
		}
		r, err := a.client.mustHold(s.tx, from)
		if err != nil {
			return nil, err
		}
		other, err := a.client.readSingle(s.tx, l, to)
		if err != nil {
			return nil, err
		}
		if other.there && other.Kind != r.Kind {
			return nil, &syncproto.Error{Code: syncproto.CodeKindDiffers, Field: "kind"}
		}
		return []Edit{{Record: from, Decides: true, Fields: syncproto.Fields{
			syncproto.FieldSameAs: syncproto.TextValue(to.String()),
		}}}, nil
	})
	if err != nil {
		return fmt.Errorf("merging %s into %s: %w", absorbed, survivor, err)
	}
	return nil
}

// root is the record that id turned out to be.
func (l lens) root(id syncproto.RecordID) syncproto.RecordID {
	if root, joined := l.roots[id]; joined {
		return root
	}
	return id
}

// Undo withdraws a decision about the record that it was made on: what it had replaced
// is alive again. Of a decision that the server has, that shows when it has answered, as
// the record's history is there; until then the record is only marked as pending. An
// undo can be undone.
func (a *Author) Undo(ctx context.Context, id syncproto.RecordID, decision syncproto.Origin) error {
	_, err := a.putIn(ctx, func(s *statements) ([]Edit, error) {
		_, err := a.client.mustHold(s.tx, id)
		return []Edit{{Record: id, Decides: true, undoes: []syncproto.Origin{decision}}}, err
	})
	if err != nil {
		return fmt.Errorf("withdrawing a decision on %s: %w", id, err)
	}
	return nil
}

// mustHold reads a record by itself, and gives ErrNotFound for one that the device
// doesn't hold.
func (c *Client) mustHold(tx *sql.Tx, id syncproto.RecordID) (*single, error) {
	m, err := readMeta(tx)
	if err != nil {
		return nil, err
	}
	l, err := c.lens(tx, &m)
	if err != nil {
		return nil, err
	}
	r, err := c.readSingle(tx, l, id)
	if err == nil && !r.there {
		err = ErrNotFound
	}
	return r, err
}

// Decision is a decision about a record, as far as it is alive.
type Decision struct {
	syncproto.Origin
	Author syncproto.AuthorID
	// Time is when, on the server's time line as far as it is known.
	Time syncproto.Instant
	// Fields are those of its writes that nothing has replaced.
	Fields syncproto.Fields
}

// Decisions returns what decisions say about a record itself, even if it turned out to
// be another one: those that Undo can withdraw. It gives ErrNotFound for a record that
// the device doesn't hold.
func (c *Client) Decisions(ctx context.Context, id syncproto.RecordID) ([]Decision, error) {
	var found []Decision
	err := c.view(ctx, func(tx *sql.Tx) error {
		r, err := c.mustHold(tx, id)
		if err != nil {
			return err
		}
		for i := range r.Live {
			if p := &r.Live[i]; p.Decides && len(p.Fields) > 0 {
				found = append(found, Decision{
					Origin: syncproto.Origin{Device: p.Device, N: p.N}, Author: p.Author, Time: p.Time, Fields: p.Fields,
				})
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing decisions about %s: %w", id, err)
	}
	return found, nil
}

// Ruling is what somebody says of a question as such.
type Ruling struct {
	Question syncproto.Question
	Says     syncproto.Ruling
	// Area is the desk. It may be left out where the device holds what was said of the
	// question before, or the records that it is about; for a change that waits, which
	// belongs to an area of its own, the former only. Another area than the one where
	// the question lies sends it there.
	Area   syncproto.AreaID
	Reason string
	// Without names fields that an accepted change is taken without.
	Without []string
}

// Rule records a ruling, as a decision on the record of kind "review" that has the
// question's id, which it returns.
func (a *Author) Rule(ctx context.Context, r Ruling) (syncproto.RecordID, error) {
	fields := syncproto.Fields{
		syncproto.RulingItem:    syncproto.TextValue(r.Question.Item),
		syncproto.RulingAbout:   syncproto.TextValue(r.Question.Record.String()),
		syncproto.RulingSubject: syncproto.TextValue(r.Question.Field),
		syncproto.RulingVerdict: syncproto.TextValue(string(r.Says)),
	}
	if r.Reason != "" {
		fields[syncproto.RulingReason] = syncproto.TextValue(r.Reason)
	}
	if len(r.Without) > 0 {
		fields[syncproto.RulingWithout] = syncproto.TextValue(syncproto.JoinNames(r.Without))
	}
	id := r.Question.ID()
	_, err := a.putIn(ctx, func(s *statements) ([]Edit, error) {
		e := Edit{Record: id, Kind: syncproto.KindReview, Area: r.Area, Decides: true, Fields: fields}
		err := a.lay(s.tx, &e, r.Question)
		return []Edit{e}, err
	})
	if err != nil {
		return id, fmt.Errorf("ruling on %s of %s: %w", r.Question.Item, r.Question.Record, err)
	}
	return id, nil
}

// lay says at which desk a ruling lies: the one given, to which it moves if it lies at
// another, or where it lies, or that of a record that the question is about.
func (a *Author) lay(tx *sql.Tx, e *Edit, q syncproto.Question) error {
	l, err := a.client.lens(tx, &meta{})
	if err != nil {
		return err
	}
	said, err := a.client.readSingle(tx, l, e.Record)
	if err != nil {
		return err
	}
	if said.there {
		lies := l.shown(said).Area
		if e.Area == "" {
			e.Area = lies
		}
		if e.Area != lies {
			e.Fields[syncproto.FieldArea] = syncproto.TextValue(string(e.Area))
		}
		return nil
	}
	if e.Area == "" && q.Item != syncproto.ItemParked {
		e.Area, err = a.areaOf(tx, l, q)
	}
	if err == nil && e.Area == "" {
		err = fmt.Errorf("nothing here says at which desk it lies: %w", ErrNotFound)
	}
	return err
}

// areaOf is the area of the first record that a question is about and that the device
// holds; empty if it holds none.
func (a *Author) areaOf(tx *sql.Tx, l lens, q syncproto.Question) (syncproto.AreaID, error) {
	other, _ := syncproto.ParseID[syncproto.RecordID](q.Field) // zero for questions about one record
	for _, id := range []syncproto.RecordID{q.Record, other} {
		held, err := a.client.readSingle(tx, l, id)
		if err != nil {
			return "", err
		}
		if held.there {
			return l.shown(held).Area, nil
		}
	}
	return "", nil
}

// Different decides that two records are not one: item is syncproto.ItemDuplicate or
// syncproto.ItemDoubleVisit. It is remembered, and they are not held against each
// other again.
func (a *Author) Different(ctx context.Context, item string, x, y syncproto.RecordID, reason string) error {
	_, err := a.Rule(ctx, Ruling{Question: syncproto.AboutPair(item, x, y), Says: syncproto.RulingDifferent, Reason: reason})
	return err
}

// Waiting names a change that waits at a desk.
type Waiting struct {
	Record syncproto.RecordID
	Change syncproto.Origin
	// Area is the desk: the area that the change names, or another to send it there. It
	// may be left out where somebody has ruled on it before.
	Area syncproto.AreaID
}

func (w *Waiting) ruling(says syncproto.Ruling, reason string, without []string) Ruling {
	return Ruling{
		Question: syncproto.AboutParked(w.Record, w.Change), Says: says, Area: w.Area, Reason: reason, Without: without,
	}
}

// Accept decides that a change that waits is taken as it is, but without some of its
// fields. What is to be corrected is written beside it, by Put with Decides.
func (a *Author) Accept(ctx context.Context, w Waiting, reason string, without ...string) error {
	_, err := a.Rule(ctx, w.ruling(syncproto.RulingAccept, reason, without))
	return err
}

// ReturnToAuthor decides that a change that waits goes back to its author to be looked
// at again, with a reason in words for him.
func (a *Author) ReturnToAuthor(ctx context.Context, w Waiting, reason string) error {
	_, err := a.Rule(ctx, w.ruling(syncproto.RulingReturn, reason, nil))
	return err
}
