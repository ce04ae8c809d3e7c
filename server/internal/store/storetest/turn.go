package storetest

import (
	"errors"
	"sync"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
)

// turn saves a batch that says so, as the next turn.
func (w *world) turn(t exchange.Turn) exchange.Turn {
	w.t.Helper()
	boot, err := w.Boot(w.ctx())
	w.must(err)
	t.Number = boot.Turn + 1
	w.save(&exchange.Batch{Turn: &t})
	return t
}

func (w *world) turns(after int64) exchange.Turns {
	w.t.Helper()
	turns, err := w.Turns(w.ctx(), after)
	w.must(err)
	return turns
}

func turnsComeBackWhole(w *world) {
	first := w.turns(0)
	same(w.t, "none", first, exchange.Turns{Revision: w.revision()})
	full := w.turn(exchange.Turn{
		Last: 1 << 60, Now: start, Anew: true, Rules: 1<<64 - 1, Planted: -5, Shape: 1 << 62, Parked: 3, Chain: syncproto.Hash{1, 31: 2},
		Waiting: []syncproto.RecordID{recordID(1)}, Settled: []syncproto.RecordID{recordID(2), recordID(3)},
		Devices: []syncproto.DeviceID{deviceID(1)},
		Heads:   []exchange.Head{{Feed: rosterOf(4_000_000_000), Last: 9, Sum: 1<<64 - 1, Records: 2}},
		Links:   []exchange.Link{{Record: recordID(1), Into: recordID(2)}, {Record: recordID(3)}},
		Twins:   []exchange.Twins{{Link: exchange.Link{Record: recordID(5), Into: recordID(6)}, Apart: true}},
		Signatures: []exchange.Signature{
			{Record: recordID(7), Area: 1, Day: 20200126, Figures: map[string]int64{"persons": 1 << 60}, Drift: map[string]int64{"fevers": -1}, Scope: -7},
			{Record: recordID(8)},
		},
		Moved: true, Quiet: true,
		Alerts: []exchange.Alert{{
			Version: 9, At: start, Area: 1, What: exchange.AlertSettled, Kind: "person", Record: recordID(1), Detail: "conflict", Item: recordID(2), Ending: review.Merged,
		}},
	})
	bare := w.turn(exchange.Turn{Last: 2})
	bare.Alerts = []exchange.Alert{}
	same(w.t, "both", w.turns(0), exchange.Turns{Last: 2, Revision: w.revision(), Kept: []exchange.Turn{full, bare}})
	same(w.t, "the second", w.turns(1).Kept, []exchange.Turn{bare})
	same(w.t, "none after it", w.turns(2), exchange.Turns{Last: 2, Revision: w.revision()})
	boot, err := w.Boot(w.ctx())
	w.must(err)
	same(w.t, "the last in what is booted", boot.Turn, int64(2))
}

func theRevisionComesWithTheTurns(w *world) {
	before := w.turns(0).Revision
	w.must(w.PutAreas(w.ctx(), []area.Node{{ID: code(1), Name: "网格"}}))
	after := w.turns(0)
	same(w.t, "turns", after.Last, int64(0))
	if after.Revision <= before {
		w.t.Errorf("revision %d after %d", after.Revision, before)
	}
}

// Everything that is saved counts; of what didn't say what it did nothing is made up.
func aGroupThatSaysNothingIsLost(w *world) {
	w.turn(exchange.Turn{Last: 1})
	w.save(&exchange.Batch{})
	w.turn(exchange.Turn{Last: 3})
	for after, lost := range map[int64]bool{0: true, 1: true, 2: false, 3: false} {
		turns := w.turns(after)
		same(w.t, "last", turns.Last, int64(3))
		same(w.t, "lost", turns.Lost, lost)
		if lost && turns.Kept != nil {
			w.t.Errorf("after %d: %+v", after, turns.Kept)
		}
	}
	// Nor is a turn found that didn't take its place.
	stray := exchange.Turn{Number: 40}
	w.save(&exchange.Batch{Turn: &stray})
	same(w.t, "lost", w.turns(3).Lost, true)
	// Whoever is ahead of the database has heard of another history.
	same(w.t, "lost", w.turns(1<<40).Lost, true)
}

func aGroupThatFailsIsNoTurn(w *world) {
	w.turn(exchange.Turn{Last: 1})
	err := w.Commit(w.ctx(), func(tx exchange.Tx) error {
		w.must(tx.Save(&exchange.Batch{Turn: &exchange.Turn{Number: 2, Last: 2}}))
		return errGroup
	})
	if !errors.Is(err, errGroup) {
		w.t.Error(err)
	}
	same(w.t, "last", w.turns(1), exchange.Turns{Last: 1, Revision: w.revision()})
}

// A group that began sees what was committed before it, by whichever handle, and nobody
// sees its own before it is committed.
func aGroupSeesTheTurnsBeforeIt(w *world) {
	other := w.open(w.t)
	defer func() { w.must(other.Close()) }()
	var all sync.WaitGroup
	for at, engine := range []Engine{w.Engine, other} {
		all.Go(func() {
			known := int64(0)
			for range 15 {
				err := engine.Commit(w.ctx(), func(tx exchange.Tx) error {
					turns, err := tx.Turns(w.ctx(), known)
					if err != nil || turns.Lost || int64(len(turns.Kept)) != turns.Last-known {
						w.t.Errorf("handle %d after turn %d: %+v %v", at, known, turns, err)
					}
					for i := range turns.Kept {
						same(w.t, "number", turns.Kept[i].Number, known+int64(i)+1)
					}
					known = turns.Last
					if seen, err := w.Turns(w.ctx(), known); err != nil || seen.Last != known {
						w.t.Errorf("somebody sees turn %d of a group that runs after %d: %v", seen.Last, known, err)
					}
					return tx.Save(&exchange.Batch{Turn: &exchange.Turn{Number: known + 1}})
				})
				if err != nil {
					w.t.Error(err)
				}
			}
		})
	}
	all.Wait()
	turns := w.turns(0)
	same(w.t, "all", []int64{turns.Last, int64(len(turns.Kept))}, []int64{30, 30})
}

func oldTurnsAreClearedAway(w *world) {
	const kept = 1000 // at least
	w.must(w.Commit(w.ctx(), func(tx exchange.Tx) error {
		for number := range int64(kept + 300) {
			if err := tx.Save(&exchange.Batch{Turn: &exchange.Turn{Number: number + 1}}); err != nil {
				return err
			}
		}
		return nil
	}))
	same(w.t, "an old one is lost", w.turns(0).Lost, true)
	late := w.turns(300)
	same(w.t, "a late one is not", []int64{late.Last, int64(len(late.Kept))}, []int64{kept + 300, kept})
}

func aPurgeSilencesTurns(w *world) {
	alert := exchange.Alert{Version: 1, At: start, Area: 1, What: exchange.AlertFlag, Kind: "person", Record: recordID(1), Detail: "fever"}
	w.turn(exchange.Turn{Last: 1, Devices: []syncproto.DeviceID{deviceID(1)}, Alerts: []exchange.Alert{alert}})
	w.turn(exchange.Turn{Last: 2})
	b := &exchange.Batch{Turn: &exchange.Turn{Number: 3}}
	r := w.add(b, 1, recordID(1), rosterOf(1))
	w.save(b)
	w.last++
	w.must(w.Commit(w.ctx(), func(tx exchange.Tx) error {
		w.must(tx.Save(&exchange.Batch{Last: w.last, Now: w.time(), Turn: &exchange.Turn{Number: 4}}))
		return tx.Purge(&exchange.Purging{
			Records: []exchange.PurgedRecord{{ID: r.ID, Feed: rosterOf(1), Version: w.last}},
			Line:    exchange.Purge{Began: w.last, Version: w.last, At: w.time(), Kind: r.Kind, Records: 1},
		})
	}))
	turns := w.turns(0)
	same(w.t, "turns", len(turns.Kept), 4)
	for i := range turns.Kept {
		same(w.t, "unalarmed", turns.Kept[i].Unalarmed, i == 0)
		same(w.t, "alerts", len(turns.Kept[i].Alerts), 0)
	}
	same(w.t, "devices", turns.Kept[0].Devices, []syncproto.DeviceID{deviceID(1)})
}

// Two handles give numbers to what repeats, each to what the other may have numbered.
func whatAnotherHandleNumberedKeepsItsNumber(w *world) {
	w.areas(1)
	other := &world{t: w.t, open: w.open, Engine: w.open(w.t), last: 0}
	defer other.close()
	for n := range 6 {
		now, next := w, other
		if n%2 == 1 {
			now, next = other, w
		}
		b := &exchange.Batch{}
		for device := 1; device <= n+2; device++ {
			now.add(b, device, recordID(100*n+device), rosterOf(1))
		}
		b.Counts = []rollup.Count{{Area: 1, Day: 20200126, Measure: "persons", N: 1}}
		if n == 3 { // what a failed group numbered was numbered by nobody
			failed := &exchange.Batch{}
			now.add(failed, 77, recordID(9000), rosterOf(1))
			failed.Last, failed.Now = now.last, now.time()
			err := now.Commit(w.ctx(), func(tx exchange.Tx) error { return errors.Join(tx.Save(failed), errGroup) })
			if !errors.Is(err, errGroup) {
				w.t.Error(err)
			}
			next.sent = now.sent
		}
		now.save(b)
		same(w.t, "log", next.logs(b.Log[0].Change.Record), b.Log[:1])
		next.last, next.sent = now.last, now.sent
	}
	same(w.t, "rows", len(w.wholeLog()), 2+3+4+5+6+7)
}
