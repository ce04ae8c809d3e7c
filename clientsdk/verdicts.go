package clientsdk

import (
	"encoding/json"
	"fmt"
	"slices"

	"gridsync/syncproto"
	"gridsync/syncproto/merge"
)

// verdicts notes what became of each change of the batch.
func (a *applying) verdicts() error {
	var reused []own
	for i := range a.out.batch {
		o := &a.out.batch[i]
		v, ok := a.verdictOf(i)
		if !ok {
			continue
		}
		a.progress = true
		a.touched[o.Record] = struct{}{}
		switch refusedFor(v) {
		case syncproto.CodeNReused:
			if o.sealedBody() { // what it says can't be read now: Sync meets it again
				a.report.Skipped = append(a.report.Skipped, o.N)
			} else {
				reused = append(reused, *o)
			}
			continue
		case syncproto.CodeNotSealed:
			if err := a.unsealable(o); err != nil {
				return err
			}
			continue
		}
		if err := a.verdict(o, v); err != nil {
			return fmt.Errorf("noting the verdict on change %d: %w", o.N, err)
		}
	}
	return a.recordAgain(reused)
}

// refusedFor is why a change was refused; empty if it wasn't.
func refusedFor(v syncproto.Verdict) syncproto.Code {
	if v.Verdict != syncproto.Refused || v.Reason == nil {
		return ""
	}
	return v.Reason.Code
}

// verdictOf finds the verdict on the i-th change of the batch. They stand in the
// batch's order; one with another number there is looked up by number.
func (a *applying) verdictOf(i int) (syncproto.Verdict, bool) {
	n, all := a.out.batch[i].N, a.answer.Verdicts
	if i < len(all) && (all[i].N == n || all[i].N == 0 && len(all) == len(a.out.batch)) {
		return all[i], true
	}
	at := slices.IndexFunc(all, func(v syncproto.Verdict) bool { return v.N == n })
	if at < 0 {
		return syncproto.Verdict{}, false
	}
	return all[at], true
}

func (a *applying) verdict(o *own, v syncproto.Verdict) error {
	outcome := v.Verdict
	if outcome == syncproto.Duplicate && v.First != "" {
		outcome = v.First
	}
	reason, err := encodeReason(v.Reason)
	if err != nil {
		return err
	}
	if !v.Verdict.Held() {
		if err := a.uncover(o); err != nil {
			return err
		}
		a.report.Sent[syncproto.Refused]++
		return a.exec("UPDATE outbox SET state = 3, outcome = ?, reason = ?, overlay = 0, desk = '' WHERE n = ?", string(outcome), reason, int64(o.N))
	}
	stage, lies := sent, nowhere
	if outcome == syncproto.Parked && v.Version == 0 {
		stage, lies = parked, o.desk // of a change that it knew, the server repeats only what it said at first
		if v.Verdict == syncproto.Parked && v.Reason != nil {
			lies = deskOf(v.Reason.Code)
		}
	} else if o.desk == lookAgain {
		lies = lookAgain
	}
	a.report.Sent[v.Verdict]++
	if v.Stamp != nil && v.Version > 0 && !a.deliver { // nothing came down that leaves the record out
		if err := a.make(o, v); err != nil {
			return err
		}
	}
	return a.exec("UPDATE outbox SET state = ?, outcome = ?, version = max(version, ?), reason = ?, desk = ? WHERE n = ?",
		int(stage), string(outcome), int64(v.Version), reason, string(lies), int64(o.N))
}

// make builds the record that is this change and nothing else from the change's
// own bytes, as the server did.
func (a *applying) make(o *own, v syncproto.Verdict) error {
	part, err := o.Part(v.Version, v.Version-1, *v.Stamp)
	if err != nil {
		return err
	}
	r := syncproto.Record{ID: o.Record, Kind: o.Kind, Version: v.Version, Live: []syncproto.Part{part}}
	r.Area = merge.Show(a.forms.Newest(r.Kind), r.Live).Area
	a.made = append(a.made, r)
	return nil
}

func encodeReason(e *syncproto.Error) (string, error) {
	if e == nil {
		return "", nil
	}
	b, err := json.Marshal(e)
	return string(b), err
}

// recordAgain gives changes whose numbers were taken new ones. That happens when
// this file is a copy of an older one: the numbers after it were given out twice.
func (a *applying) recordAgain(reused []own) error {
	for i := range reused {
		o := &reused[i]
		if err := a.uncover(o); err != nil {
			return err
		}
		if err := a.exec("UPDATE outbox SET state = 4, outcome = 'refused', overlay = 0 WHERE n = ?", int64(o.N)); err != nil {
			return err
		}
	}
	for i := range reused {
		o := &reused[i]
		if err := a.restate(o.Change); err != nil {
			return err
		}
		if err := a.restateLater(o); err != nil {
			return err
		}
	}
	return nil
}

// restate records a change again under the next number and a new id.
func (a *applying) restate(change syncproto.Change) error {
	a.m.High++
	change.N, change.ID = a.m.High, syncproto.ChangeID(a.c.opt.NewID())
	if err := a.c.appendOwn(a.statements, &change); err != nil {
		return fmt.Errorf("recording change %d again: %w", change.N, err)
	}
	return nil
}

// restateLater repeats what this device wrote after o to the same fields of the
// same record. Under its new number o comes after those writes, and would
// otherwise undo them.
func (a *applying) restateLater(o *own) error {
	earlier, err := o.Values()
	if err != nil {
		return err
	}
	later, err := a.c.queryOwn(a.tx, "record = ? AND n > ? AND n < ? AND "+alive+" ORDER BY n", o.Record[:], int64(o.N), int64(a.m.High))
	if err != nil {
		return err
	}
	for _, l := range later {
		fields, err := l.Values()
		if err != nil {
			return err
		}
		for name := range fields {
			if _, both := earlier[name]; !both {
				delete(fields, name)
			}
		}
		if len(fields) == 0 {
			continue
		}
		again := l.Change
		again.Fields = fields.Encode()
		again.Amid = slices.DeleteFunc(slices.Clone(l.Amid), func(name string) bool { _, ok := fields[name]; return !ok })
		if err := a.restate(again); err != nil {
			return err
		}
	}
	return nil
}
