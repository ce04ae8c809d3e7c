package exchange

import (
	"gridsync/server/internal/plausible"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/merge"
)

// tellClosed tells those whose statements were in doubt how a question ended.
func (q *inquiry) tellClosed(it review.Item) {
	switch it.Kind {
	case review.Conflict, review.Exit:
		q.tellField(it, q.g.before(), "")
	case review.Duplicate, review.DoubleVisit:
		switch it.Ending {
		case review.Merged:
			q.tellMakers(it, syncproto.SaidMerged)
		case review.Different:
			q.tellMakers(it, syncproto.SaidDifferent)
		default: // nobody decided: what the authors corrected they know
		}
	case review.Parked:
		if it.Ending == review.Accepted {
			q.tellParked(it, syncproto.SaidAccepted)
		}
	case review.Implausible:
		if it.Ending == review.Accepted {
			q.tellDoubted(it, syncproto.SaidAccepted)
		}
	case review.Restated:
		q.tellSigner(it, syncproto.SaidOther)
	}
}

// tellReturned tells the authors that something came back to them.
func (q *inquiry) tellReturned(it review.Item, by syncproto.AuthorID) {
	it.By = by
	q.tellAny(it, syncproto.SaidReturned)
}

// tellUndone tells them that a question is open again.
func (q *inquiry) tellUndone(it review.Item, by syncproto.AuthorID) {
	it.By = by
	q.tellAny(it, syncproto.SaidUndone)
}

func (q *inquiry) tellAny(it review.Item, said syncproto.Said) {
	switch it.Kind {
	case review.Conflict, review.Exit:
		q.tellField(it, q.g.after(), said)
	case review.Duplicate, review.DoubleVisit:
		q.tellMakers(it, said)
	case review.Parked:
		q.tellParked(it, said)
	case review.Implausible:
		q.tellDoubted(it, said)
	case review.Restated:
		q.tellSigner(it, said)
	}
}

// tellField tells everybody who had said something about a field in doubt, in the world
// in which it was. Without a word of its own each hears whether his value holds.
func (q *inquiry) tellField(it review.Item, then *world, said syncproto.Said) {
	now := q.g.after()
	shows, f := q.shows(now, it)
	for _, m := range then.members(then.links.same(it.Record)) {
		for i := range m.record.Live {
			p := &m.record.Live[i]
			v, wrote := p.Fields[it.Field]
			if it.Kind == review.Exit && !wrote {
				wrote = meetsAny(m.record.Live, p)
				v = syncproto.Null
			}
			if !wrote || p.Decides {
				continue
			}
			told := q.telling(it, said)
			told.Shows = shows
			switch {
			case said != "":
			case it.By.IsZero():
				told.Said = syncproto.SaidSettled
			case f.Fold(v) == f.Fold(shows):
				told.Said = syncproto.SaidKept
			default:
				told.Said = syncproto.SaidOther
			}
			q.tell(told, p, m.record)
		}
	}
}

// shows returns what a question's field shows now, and the field.
func (q *inquiry) shows(now *world, it review.Item) (syncproto.Value, *form.Field) {
	members := now.members(now.links.same(it.Record))
	if len(members) == 0 {
		field, _ := (*form.Form)(nil).Field(it.Field)
		return syncproto.Null, field
	}
	field, _ := now.snap.Forms.Newest(members[0].record.Kind).Field(it.Field)
	if v, ok := now.join(members).Values[it.Field]; ok {
		return v, field
	}
	return syncproto.Null, field
}

// meetsAny reports whether a part and an exit did not know of each other.
func meetsAny(live []syncproto.Part, p *syncproto.Part) bool {
	for i := range live {
		if merge.ExitMeets(&live[i], p) {
			return true
		}
	}
	return false
}

// tellMakers tells those who made the two records.
func (q *inquiry) tellMakers(it review.Item, said syncproto.Said) {
	w := q.g.after()
	for _, id := range []syncproto.RecordID{it.Record, it.Other()} {
		s := w.find(id)
		if s == nil || len(s.record.Live) == 0 {
			continue
		}
		told := q.telling(it, said)
		if told.Other = it.Other(); id == told.Other {
			told.Other = it.Record
		}
		q.tell(told, &s.record.Live[0], s.record)
	}
}

// tellParked tells the author of a parked change.
func (q *inquiry) tellParked(it review.Item, said syncproto.Said) {
	if l := q.g.rulesOn(it.Key); l != nil {
		c := &l.Change
		part := syncproto.Part{Device: c.Device, N: c.N, Author: c.Author}
		q.tell(q.telling(it, said), &part, &syncproto.Record{ID: c.Record, Kind: c.Kind})
	}
}

// tellDoubted tells the author of what looked hard to believe.
func (q *inquiry) tellDoubted(it review.Item, said syncproto.Said) {
	id := it.Record
	if id.IsZero() {
		id = it.Sample
	}
	s := q.g.after().find(id)
	if s == nil || len(s.record.Live) == 0 {
		return
	}
	told := q.telling(it, said)
	if bucket, ok := plausible.ParseBucket(it.Field); ok {
		told.Field = bucket.Rule
	}
	q.tell(told, &s.record.Live[0], s.record)
}

// tellSigner tells whoever had signed a day.
func (q *inquiry) tellSigner(it review.Item, said syncproto.Said) {
	s := q.g.before().find(it.Record)
	if s == nil || len(s.record.Live) == 0 {
		return
	}
	q.tell(q.telling(it, said), &s.record.Live[0], s.record)
}

// telling is what everybody hears of a question.
func (q *inquiry) telling(it review.Item, said syncproto.Said) syncproto.Told {
	told := syncproto.Told{
		Version: q.g.next, At: q.g.now, Item: string(it.Kind), Said: said, By: it.By,
		Reason: q.g.reasonFor(it.Key),
	}
	if it.Kind != review.Duplicate && it.Kind != review.DoubleVisit && it.Kind != review.Parked {
		told.Field = it.Field
	}
	return told
}

// tell addresses it to the device on which a statement was made. Whoever decided knows, and
// what was said at the server's own desk was said on no phone.
func (q *inquiry) tell(told syncproto.Told, p *syncproto.Part, r *syncproto.Record) {
	if p.Author == told.By {
		return
	}
	if epoch := q.g.w.service.heads.epoch; p.Device == DeskDevice(epoch) || p.Device == EntryDevice(epoch, p.Author) {
		return
	}
	told.N, told.Author, told.Record, told.Kind = p.N, p.Author, r.ID, r.Kind
	q.g.batch.Told = append(q.g.batch.Told, Telling{Device: p.Device, Told: told})
}

// reasonFor is what people have given as their reason.
func (g *group) reasonFor(key review.Key) string {
	w := g.records[key.ID()]
	if w == nil || w.now == nil {
		return ""
	}
	return textOf(w.present(g.snap).shown.Values, review.FieldReason)
}
