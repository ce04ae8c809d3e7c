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
	t.Number, t.After = boot.Turn.Number+1, boot.Turn.Name
	w.save(&exchange.Batch{Turn: &t})
	return t
}

// none is before all turns.
var none exchange.Mark

func (w *world) turns(after exchange.Mark) exchange.Turns {
	w.t.Helper()
	turns, err := w.Turns(w.ctx(), after)
	w.must(err)
	return turns
}

func turnsComeBackWhole(w *world) {
	first := w.turns(none)
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
	same(w.t, "both", w.turns(none), exchange.Turns{Last: bare.Mark, Revision: w.revision(), Kept: []exchange.Turn{full, bare}})
	same(w.t, "the second", w.turns(full.Mark).Kept, []exchange.Turn{bare})
	same(w.t, "none after it", w.turns(bare.Mark), exchange.Turns{Last: bare.Mark, Revision: w.revision()})
	boot, err := w.Boot(w.ctx())
	w.must(err)
	same(w.t, "the last in what is booted", boot.Turn, bare.Mark)
}

// Two turns under one number are two: whoever has taken up one that is not there finds out,
// whether it stood where the last one stands now, before it, or beyond.
func aTurnIsKnownByItsName(w *world) {
	one := w.turn(exchange.Turn{Last: 1})
	two := w.turn(exchange.Turn{Last: 2})
	if one.Name == 0 || one.Name == two.Name {
		w.t.Errorf("names %d and %d", one.Name, two.Name)
	}
	for _, number := range []int64{1, 2, 3} {
		other := exchange.Mark{Number: number, Name: two.Name ^ one.Name}
		turns := w.turns(other)
		same(w.t, "last", turns.Last, two.Mark)
		same(w.t, "lost", turns.Lost, true)
		same(w.t, "kept", len(turns.Kept), 0)
		w.must(w.Commit(w.ctx(), func(tx exchange.Tx) error {
			turns, err := tx.Turns(w.ctx(), other)
			same(w.t, "lost under the lock", turns.Lost, true)
			return err
		}))
	}
	// What says nothing has a name all the same, and so has a new epoch.
	w.save(&exchange.Batch{})
	three := w.turns(two.Mark).Last
	w.must(w.NewEpoch(w.ctx(), syncproto.Epoch{5}))
	four := w.turns(three).Last
	same(w.t, "numbers", []int64{three.Number, four.Number}, []int64{3, 4})
	if three.Name == two.Name || three.Name == 0 || four.Name == three.Name || four.Name == 0 {
		w.t.Errorf("names %d, %d, %d", two.Name, three.Name, four.Name)
	}
	// One that says that it follows another one is found by nobody.
	stray := exchange.Turn{Mark: exchange.Mark{Number: 5}, After: three.Name}
	w.save(&exchange.Batch{Turn: &stray})
	same(w.t, "a turn of another history", w.turns(four).Lost, true)
}

// Revisions rise by chance: where one was lost and another made in its place, they differ.
func revisionsThatReplaceOneAnotherDiffer(w *world) {
	steps := make(map[int64]bool)
	for n := range 4 {
		before := w.turns(none).Revision
		w.must(w.PutAreas(w.ctx(), []area.Node{{ID: code(1), Name: "网格" + string(rune('a'+n))}}))
		steps[w.turns(none).Revision-before] = true
	}
	if len(steps) == 1 {
		w.t.Errorf("four revisions, each %v after the one before", steps)
	}
}

// One that is alone has its turns counted and named, and tells nobody what they did.
func aTurnThatNobodyReadsIsOnlyCounted(w *world) {
	t := w.turn(exchange.Turn{Last: 1, Unsaid: true})
	turns := w.turns(none)
	same(w.t, "last", turns.Last, t.Mark)
	same(w.t, "lost", turns.Lost, true)
	same(w.t, "whoever made it", w.turns(t.Mark).Lost, false)
}

func theRevisionComesWithTheTurns(w *world) {
	before := w.turns(none).Revision
	w.must(w.PutAreas(w.ctx(), []area.Node{{ID: code(1), Name: "网格"}}))
	after := w.turns(none)
	same(w.t, "turns", after.Last, none)
	if after.Revision <= before {
		w.t.Errorf("revision %d after %d", after.Revision, before)
	}
}

// Everything that is saved counts; of what didn't say what it did nothing is made up.
func aGroupThatSaysNothingIsLost(w *world) {
	one := w.turn(exchange.Turn{Last: 1})
	w.save(&exchange.Batch{})
	two := w.turns(one.Mark).Last
	three := w.turn(exchange.Turn{Last: 3})
	for after, lost := range map[exchange.Mark]bool{none: true, one.Mark: true, two: false, three.Mark: false} {
		turns := w.turns(after)
		same(w.t, "last", turns.Last, three.Mark)
		same(w.t, "lost", turns.Lost, lost)
		if lost && turns.Kept != nil {
			w.t.Errorf("after %v: %+v", after, turns.Kept)
		}
	}
	// Nor is a turn found that didn't take its place.
	stray := exchange.Turn{Mark: exchange.Mark{Number: 40}, After: three.Name}
	w.save(&exchange.Batch{Turn: &stray})
	same(w.t, "lost", w.turns(three.Mark).Lost, true)
	// Whoever is ahead of the database has heard of another history.
	same(w.t, "lost", w.turns(exchange.Mark{Number: 1 << 40}).Lost, true)
}

func aGroupThatFailsIsNoTurn(w *world) {
	one := w.turn(exchange.Turn{Last: 1})
	err := w.Commit(w.ctx(), func(tx exchange.Tx) error {
		w.must(tx.Save(&exchange.Batch{Turn: &exchange.Turn{Mark: exchange.Mark{Number: 2}, After: one.Name, Last: 2}}))
		return errGroup
	})
	if !errors.Is(err, errGroup) {
		w.t.Error(err)
	}
	same(w.t, "last", w.turns(one.Mark), exchange.Turns{Last: one.Mark, Revision: w.revision()})
}

// A group that began sees what was committed before it, by whichever handle, and nobody
// sees its own before it is committed.
func aGroupSeesTheTurnsBeforeIt(w *world) {
	other := w.open(w.t)
	defer func() { w.must(other.Close()) }()
	var all sync.WaitGroup
	for at, engine := range []Engine{w.Engine, other} {
		all.Go(func() {
			known := none
			for range 15 {
				err := engine.Commit(w.ctx(), func(tx exchange.Tx) error {
					turns, err := tx.Turns(w.ctx(), known)
					if err != nil || turns.Lost || int64(len(turns.Kept)) != turns.Last.Number-known.Number {
						w.t.Errorf("handle %d after turn %v: %+v %v", at, known, turns, err)
					}
					for i := range turns.Kept {
						same(w.t, "number", turns.Kept[i].Number, known.Number+int64(i)+1)
					}
					known = turns.Last
					if seen, err := w.Turns(w.ctx(), known); err != nil || seen.Last != known {
						w.t.Errorf("somebody sees turn %v of a group that runs after %v: %v", seen.Last, known, err)
					}
					return tx.Save(&exchange.Batch{Turn: &exchange.Turn{Mark: exchange.Mark{Number: known.Number + 1}, After: known.Name}})
				})
				if err != nil {
					w.t.Error(err)
				}
			}
		})
	}
	all.Wait()
	turns := w.turns(none)
	same(w.t, "all", []int64{turns.Last.Number, int64(len(turns.Kept))}, []int64{30, 30})
}

func oldTurnsAreClearedAway(w *world) {
	const kept = 1000 // at least
	marks := []exchange.Mark{none}
	w.must(w.Commit(w.ctx(), func(tx exchange.Tx) error {
		for number := range int64(kept + 300) {
			t := exchange.Turn{Mark: exchange.Mark{Number: number + 1}, After: marks[number].Name}
			if err := tx.Save(&exchange.Batch{Turn: &t}); err != nil {
				return err
			}
			marks = append(marks, t.Mark)
		}
		return nil
	}))
	same(w.t, "an old one is lost", w.turns(none).Lost, true)
	late := w.turns(marks[300])
	same(w.t, "a late one is not", []int64{late.Last.Number, int64(len(late.Kept))}, []int64{kept + 300, kept})
}

func aPurgeSilencesTurns(w *world) {
	alert := exchange.Alert{Version: 1, At: start, Area: 1, What: exchange.AlertFlag, Kind: "person", Record: recordID(1), Detail: "fever"}
	w.turn(exchange.Turn{Last: 1, Devices: []syncproto.DeviceID{deviceID(1)}, Alerts: []exchange.Alert{alert}})
	two := w.turn(exchange.Turn{Last: 2})
	b := &exchange.Batch{Turn: &exchange.Turn{Mark: exchange.Mark{Number: 3}, After: two.Name}}
	r := w.add(b, 1, recordID(1), rosterOf(1))
	w.save(b)
	w.last++
	w.must(w.Commit(w.ctx(), func(tx exchange.Tx) error {
		w.must(tx.Save(&exchange.Batch{Last: w.last, Now: w.time(), Turn: &exchange.Turn{Mark: exchange.Mark{Number: 4}, After: b.Turn.Name}}))
		return tx.Purge(&exchange.Purging{
			Records: []exchange.PurgedRecord{{ID: r.ID, Feed: rosterOf(1), Version: w.last}},
			Line:    exchange.Purge{Began: w.last, Version: w.last, At: w.time(), Kind: r.Kind, Records: 1},
		})
	}))
	turns := w.turns(none)
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
