package storetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/match"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
)

var errGroup = errors.New("the group fails")

// everything is a batch that touches every table.
func (w *world) everything(device int, record syncproto.RecordID) *exchange.Batch {
	b := &exchange.Batch{}
	w.add(b, device, record, rosterOf(1))
	b.Log = append(b.Log, w.park(w.change(device, recordID(900_000+device)), syncproto.CodeUnknownRecord))
	b.Counts = []rollup.Count{{Area: 1, Day: 20200126, Measure: "persons", N: 1}}
	b.Seen = []rollup.Sighting{w.sighting(1, device, device, 1)}
	b.Items = []review.Item{w.question(device, "phone", 1, w.last)}
	b.Events = []review.Event{{Item: b.Items[0].ID(), Version: w.last, At: w.time(), What: review.WasOpened}}
	b.Told = []exchange.Telling{w.telling(device, w.last, 1)}
	b.Indexed = []match.Entry{{Key: match.Key(device) << 60, Record: record}}
	b.Links = []exchange.Link{{Record: recordID(800_000 + device), Into: record}}
	b.Signatures = []exchange.Signature{{Record: record, Area: 1, Day: 20200126, Figures: map[string]int64{"persons": 1}}}
	b.Devices = []exchange.DeviceState{{Device: deviceID(device), High: 2, Held: 2, ContactServer: w.time()}}
	b.Heads = []exchange.Head{{Feed: rosterOf(1), Last: w.last, Sum: syncproto.RowSum(record, w.last), Records: 1}}
	return b
}

// nothing fails unless the database is as new.
func (w *world) nothing() {
	w.t.Helper()
	derived, err := w.Derived(w.ctx())
	w.must(err)
	same(w.t, "derived", derived, exchange.Derived{})
	boot, err := w.Boot(w.ctx())
	w.must(err)
	if boot.Epoch.IsZero() {
		w.t.Error("there is no epoch")
	}
	same(w.t, "boot", boot, exchange.Boot{Epoch: boot.Epoch, Derivation: exchange.Derivation, Turn: boot.Turn})
	same(w.t, "page", len(w.page(rosterOf(1), 0)), 0)
	same(w.t, "told", len(w.hears(1, 0, 10))+len(w.wholeLog()), 0)
	w.must(w.Histories(w.ctx(), func(log []exchange.Logged, _ *syncproto.Record) error {
		w.t.Errorf("a history of %d changes", len(log))
		return nil
	}))
}

func aFailedGroupLeavesNothing(w *world) {
	b := w.everything(1, recordID(1))
	b.Last, b.Now = w.last, w.time()
	err := w.Commit(w.ctx(), func(tx exchange.Tx) error {
		w.must(tx.Save(b))
		logs, err := tx.Logs([]syncproto.RecordID{recordID(1)})
		w.must(err)
		same(w.t, "rows that the group itself sees", len(logs), 1)
		return errGroup
	})
	if !errors.Is(err, errGroup) {
		w.t.Errorf("the group's error is lost: %v", err)
	}
	w.nothing()
	// What was learnt in the failed group must not be taken for kept.
	other := w.everything(2, recordID(2))
	w.save(other)
	w.save(b)
	same(w.t, "log of the second try", w.logs(recordID(1)), b.Log[:1])
	same(w.t, "log of the other", w.logs(recordID(2)), other.Log[:1])
}

func aPanickingGroupLeavesNothing(w *world) {
	b := w.everything(1, recordID(1))
	func() {
		defer func() {
			if recover() == nil {
				w.t.Error("the panic was swallowed")
			}
		}()
		_ = w.Commit(w.ctx(), func(tx exchange.Tx) error {
			w.must(tx.Save(b))
			panic("a bug in the service")
		})
	}()
	w.nothing()
	w.save(b)
	same(w.t, "log", w.logs(recordID(1)), b.Log[:1])
}

func groupsNeverOverlap(w *world) {
	var inside atomic.Int32
	var all sync.WaitGroup
	for device := 1; device <= 8; device++ {
		all.Go(func() {
			for range 20 {
				err := w.Commit(w.ctx(), func(tx exchange.Tx) error {
					if inside.Add(1) != 1 {
						w.t.Error("two groups at a time")
					}
					defer inside.Add(-1)
					// Only a group that sees what every group before it wrote can count on.
					b := &exchange.Batch{}
					w.add(b, device, recordID(int(w.last)+1), rosterOf(1))
					b.Last, b.Now = w.last, w.time()
					return tx.Save(b)
				})
				if err != nil {
					w.t.Error(err)
				}
			}
		})
	}
	all.Wait()
	boot, err := w.Boot(w.ctx())
	w.must(err)
	same(w.t, "last number", boot.Last, syncproto.Version(160))
	same(w.t, "rows", len(w.page(rosterOf(1), 0)), 160)
}

func aCallerWhoLeavesDoesNotBreakTheGroup(w *world) {
	ctx, leave := context.WithCancel(w.ctx())
	b := w.everything(1, recordID(1))
	b.Last, b.Now = w.last, w.time()
	w.must(w.Commit(ctx, func(tx exchange.Tx) error {
		leave()
		return tx.Save(b)
	}))
	same(w.t, "log", w.logs(recordID(1)), b.Log[:1])
	err := w.Commit(ctx, func(exchange.Tx) error {
		w.t.Error("a group began for a caller who had left before")
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		w.t.Errorf("a caller who had left: %v", err)
	}
}

// leaver is a caller who goes away as soon as somebody would wait for that.
type leaver struct {
	context.Context
	leave context.CancelFunc
}

func (l leaver) Done() <-chan struct{} {
	l.leave()
	return l.Context.Done()
}

// generous is a limit that only a failure reaches.
const generous = 30 * time.Second

// Whoever waits behind a long group, and has no more time, is told so at once and writes
// nothing afterwards; nor does whoever comes with no time left.
func aCallerWhoLeavesInTheQueueWritesNothing(w *world) {
	ctx, leave := context.WithCancel(w.ctx())
	late := func(exchange.Tx) error {
		w.t.Error("a group ran for somebody who had left")
		return errGroup
	}
	b := w.everything(1, recordID(1))
	b.Last, b.Now = w.last, w.time()
	left := make(chan error, 1)
	w.must(w.Commit(w.ctx(), func(tx exchange.Tx) error {
		go func() { left <- w.Commit(leaver{ctx, leave}, late) }()
		select {
		case err := <-left:
			w.left(err)
		case <-time.After(generous):
			w.t.Error("whoever left still waits")
		}
		return tx.Save(b)
	}))
	for range 20 { // the slot is free and nobody there who wants it: it's chance which is seen first
		w.left(w.Commit(ctx, late))
	}
	same(w.t, "log", w.logs(recordID(1)), b.Log[:1])
}

func (w *world) left(err error) {
	w.t.Helper()
	if !errors.Is(err, context.Canceled) {
		w.t.Errorf("whoever left is told %v", err)
	}
}

func readersSeeWholeGroups(w *world) {
	w.areas(1)
	b := w.everything(1, recordID(1))
	b.Last, b.Now = w.last, w.time()
	w.must(w.Commit(w.ctx(), func(tx exchange.Tx) error {
		w.must(tx.Save(b))
		w.nothing() // nobody else sees what isn't committed
		return nil
	}))
	same(w.t, "page", versions(w.page(rosterOf(1), 0)), "1")
}
