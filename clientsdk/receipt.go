package clientsdk

import (
	"fmt"

	"gridsync/syncproto"
)

// receipt holds what the server says it holds against what this device gave it:
// a change is delivered only if a receipt covers it whose digest this device has
// computed itself.
func (a *applying) receipt() error {
	for _, step := range []func() error{a.coverNew, a.uncoverLost, a.offerAgain, a.noteParked} {
		if err := step(); err != nil {
			return fmt.Errorf("reading the receipt: %w", err)
		}
	}
	a.m.Through = a.answer.Receipt.Through
	if err := a.settleDigest(); err != nil {
		return fmt.Errorf("checking the receipt's digest: %w", err)
	}
	return nil
}

// holds reports whether the receipt covers a change. Beyond the last hole that a
// full list of holes names, it is taken to hold what it said that it holds; the
// digest proves that or doesn't.
func (a *applying) holds(o *own) bool {
	r := &a.answer.Receipt
	if r.Covers(o.N) {
		return true
	}
	full := len(r.Missing) >= syncproto.MaxMissing
	return full && o.N <= r.Through && o.N > r.Missing[len(r.Missing)-1].To && (o.stage == sent || o.stage == parked)
}

// coverNew marks what this receipt covers and the last one didn't.
func (a *applying) coverNew() error {
	fresh, err := a.c.queryOutlines(a.tx, "covered = 0 AND n <= ? AND "+alive, int64(a.answer.Receipt.Through))
	if err != nil {
		return err
	}
	for i := range fresh {
		o := &fresh[i]
		if !a.holds(o) {
			continue
		}
		a.m.Covered = a.m.Covered.Add(o.hash)
		a.m.CoveredCount++
		if err := a.exec("UPDATE outbox SET covered = 1, delivered = ? WHERE n = ?", int64(a.answer.Now), int64(o.N)); err != nil {
			return err
		}
	}
	return nil
}

// uncoverLost takes the mark off what an earlier receipt covered and this one
// doesn't: the server's database went back to a backup.
func (a *applying) uncoverLost() error {
	r := &a.answer.Receipt
	spans := append([]syncproto.Span{{From: r.Through + 1, To: a.m.Through}}, r.Missing...)
	for _, s := range spans {
		lost, err := a.c.queryOutlines(a.tx, "covered = 1 AND n BETWEEN ? AND ?", int64(s.From), int64(s.To))
		if err != nil {
			return err
		}
		for i := range lost {
			if err := a.uncover(&lost[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// uncover takes one change out of what is covered.
func (a *applying) uncover(o *own) error {
	if !o.covered {
		return nil
	}
	a.m.Covered = a.m.Covered.Sub(o.hash)
	a.m.CoveredCount--
	return a.exec("UPDATE outbox SET covered = 0 WHERE n = ?", int64(o.N))
}

// offerAgain puts what the server said that it holds and doesn't back among the
// unsent: the same number, the same bytes. Each goes back once a session, so that
// a server that says one thing and does another isn't asked for ever.
func (a *applying) offerAgain() error {
	back, err := a.c.queryOutlines(a.tx, "covered = 0 AND state IN (1, 2)")
	if err != nil {
		return err
	}
	for i := range back {
		o := &back[i]
		if a.offered[o.N] {
			continue
		}
		a.offered[o.N], a.progress = true, true
		a.report.Lost = append(a.report.Lost, o.N)
		if err := a.exec("UPDATE outbox SET state = 0, version = 0, overlay = 1 WHERE n = ?", int64(o.N)); err != nil {
			return err
		}
	}
	return nil
}

// noteParked brings the parked changes in line with the receipt's list: those not
// on it have been taken up or settled by a person since.
func (a *applying) noteParked() error {
	waiting := make(map[uint64]syncproto.Code, len(a.answer.Receipt.Parked))
	for _, w := range a.answer.Receipt.Parked {
		waiting[w.N] = w.Code
	}
	mine, err := a.c.queryOutlines(a.tx, "state > 1 AND state = 2 AND n >= ?", int64(a.lowestListed()))
	if err != nil {
		return err
	}
	for i := range mine {
		o := &mine[i]
		code, still := waiting[o.N]
		delete(waiting, o.N)
		if err := a.noteStillParked(o, code, still); err != nil {
			return err
		}
	}
	for n, code := range waiting {
		if err := a.notePark(n, code); err != nil {
			return err
		}
	}
	return nil
}

// lowestListed is the number from which on the receipt lists every parked change.
func (a *applying) lowestListed() uint64 {
	list := a.answer.Receipt.Parked
	if len(list) < syncproto.MaxParked {
		return 0
	}
	lowest := list[0].N
	for _, w := range list {
		lowest = min(lowest, w.N)
	}
	return lowest
}

// noteStillParked notes what the receipt says of a change that was parked: that it
// waits for another reason now, or no longer.
func (a *applying) noteStillParked(o *own, code syncproto.Code, still bool) error {
	said, err := o.entry(false)
	if err != nil {
		return err
	}
	if still && said.Reason != nil && said.Reason.Code == code && o.desk == deskOf(code) {
		return nil
	}
	a.touched[o.Record] = struct{}{}
	if still {
		return a.notePark(o.N, code)
	}
	return a.exec("UPDATE outbox SET state = 1, outcome = '', reason = '', desk = '' WHERE n = ?", int64(o.N))
}

// notePark notes that the server keeps a change aside, and why.
func (a *applying) notePark(n uint64, code syncproto.Code) error {
	reason, err := encodeReason(&syncproto.Error{Code: code})
	if err != nil {
		return err
	}
	return a.exec("UPDATE outbox SET state = 2, outcome = 'parked', reason = ?, desk = ? WHERE n = ? AND state IN (1, 2)",
		reason, string(deskOf(code)), int64(n))
}

// settleDigest compares the receipt's digest with this device's own. If they
// differ, everything kept is offered again, once: the server answers each change
// with the verdict that it holds it, or stores it. If they differ even then, the
// rest must be what this file can't speak of: numbers that another copy of this
// device filled, and changes that were pruned. That rest is remembered and told
// (Status.Foreign), and the receipt counts as confirmed for what is kept here. A
// difference that none of these explains is never confirmed.
func (a *applying) settleDigest() error {
	r, m := &a.answer.Receipt, &a.m
	ours := m.Covered.Add(syncproto.Hash(m.Foreign))
	count := int64(m.CoveredCount) + m.ForeignCount
	if ours == r.Digest && count == int64(r.Held) {
		m.Agreed, m.Offering = true, false
		return nil
	}
	m.Agreed = false
	if !m.Offering && !a.report.Reoffered {
		m.Offering = true
		a.report.Reoffered, a.progress = true, true
		return a.exec("UPDATE outbox SET state = 0 WHERE state IN (1, 2)")
	}
	open, err := a.count("SELECT count(*) FROM outbox WHERE state = 0 OR covered = 0 AND " + alive)
	if err != nil || open > 0 {
		return err
	}
	superseded, err := a.count("SELECT count(*) FROM outbox WHERE state > 1 AND state = 4")
	if err != nil {
		return err
	}
	rest := int64(r.Held) - int64(m.CoveredCount)
	if rest > 0 || superseded > 0 || m.Pruned > 0 {
		m.Foreign, m.ForeignCount = r.Digest.Sub(syncproto.Hash(m.Covered)), rest
		m.Agreed, m.Offering = true, false
	}
	return nil
}
