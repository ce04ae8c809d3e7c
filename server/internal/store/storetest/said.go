package storetest

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

// seqs names rows of the log by their places.
func seqs(logged []exchange.Logged) string {
	names := make([]string, len(logged))
	for i := range logged {
		names[i] = fmt.Sprint(logged[i].Seq)
	}
	return strings.Join(names, " ")
}

func changesAreFoundByTheirNumbers(w *world) {
	first, second := w.change(1, recordID(1)), w.change(1, recordID(2))
	third, last := w.change(1, recordID(3)), w.change(1, recordID(4))
	last.N = syncproto.MaxN
	rows := []exchange.Logged{w.log(third), w.log(w.change(2, recordID(9))), w.log(first), w.park(second, syncproto.CodeFailsForm), w.log(last)}
	w.save(&exchange.Batch{Log: rows})
	changes := func(device int, from, to uint64) []exchange.Logged {
		logged, err := w.ChangesOf(w.ctx(), deviceID(device), from, to)
		w.must(err)
		return logged
	}
	same(w.t, "in order of n", changes(1, 1, 3), []exchange.Logged{rows[2], rows[3], rows[0]})
	same(w.t, "one", seqs(changes(1, 2, 2)), "4")
	same(w.t, "to the end", seqs(changes(1, 3, math.MaxUint64)), "1 5")
	same(w.t, "beyond it", seqs(changes(1, math.MaxUint64, math.MaxUint64)), "")
	same(w.t, "of another", seqs(changes(2, 0, 100)), "2")
	same(w.t, "of none", seqs(changes(3, 0, 100))+seqs(changes(1, 3, 2)), "")
}

func anAuthorsLogComesNewestFirst(w *world) {
	var rows []exchange.Logged
	for i := range 12 {
		c := w.change(1+i%3, recordID(i)) // on three devices
		c.Author = authorID(1 + i/3%2)    // three of one, three of the other
		l := w.log(c)
		if i%5 == 0 {
			l = w.park(c, syncproto.CodeFailsForm)
		}
		rows = append(rows, l)
	}
	w.save(&exchange.Batch{Log: rows, Devices: []exchange.DeviceState{w.deviceState(1)}})
	by := func(author int, before syncproto.Version, limit int) []exchange.Logged {
		logged, err := w.LogBy(w.ctx(), authorID(author), before, limit)
		w.must(err)
		return logged
	}
	var want []exchange.Logged
	for i := range rows {
		if rows[i].Change.Author == authorID(1) {
			want = append(want, rows[i])
		}
	}
	slices.Reverse(want)
	same(w.t, "all", by(1, 0, 100), want)
	same(w.t, "the newest", by(1, 0, 2), want[:2])
	same(w.t, "before a place", by(1, want[1].Seq, 2), want[2:4])
	same(w.t, "before all, of nobody, no room", len(by(1, want[len(want)-1].Seq, 9))+len(by(9, 0, 9))+len(by(1, 0, 0)), 0)
}

func howAChangeWasLetInIsKept(w *world) {
	waiting, plain := w.park(w.change(1, recordID(1)), syncproto.CodeFailsForm), w.park(w.change(1, recordID(2)), syncproto.CodeOutOfArea)
	w.save(&exchange.Batch{Log: []exchange.Logged{waiting, plain}})
	w.last++
	waiting.Version, waiting.Verdict, waiting.Reason, waiting.Field = w.last, syncproto.Merged, "", ""
	waiting.Admitted = &exchange.Admission{Area: code(2), Without: []string{"mobile", "不在 <&>"}}
	plain.Admitted = &exchange.Admission{}
	atOnce := w.log(w.change(2, recordID(3)))
	atOnce.Admitted = &exchange.Admission{Area: code(3)}
	w.save(&exchange.Batch{Log: []exchange.Logged{atOnce}, Released: []exchange.Logged{waiting, plain}})
	same(w.t, "the log", w.logs(recordID(1), recordID(2), recordID(3)), []exchange.Logged{waiting, plain, atOnce})
	waiting.Admitted = nil // undone
	waiting.Version, waiting.Verdict, waiting.Reason = 0, syncproto.Parked, syncproto.CodeFailsForm
	w.save(&exchange.Batch{Released: []exchange.Logged{waiting}})
	same(w.t, "parked again", w.logs(recordID(1)), []exchange.Logged{waiting})
}

func aRecordStandsOnlyForARowThatSaysAll(w *world) {
	admitted := w.log(w.change(1, recordID(1)))
	admitted.Admitted = &exchange.Admission{Area: code(2)}
	beside := w.change(1, recordID(2))
	beside.SetWith([]syncproto.Beside{{Record: recordID(9), Version: 1}})
	undoing := w.change(1, recordID(3))
	undoing.SetUndoes([]syncproto.Origin{{Device: deviceID(1), N: 1}})
	two := w.log(w.change(1, recordID(4)))
	for i, l := range []exchange.Logged{admitted, w.log(beside), w.log(undoing), two} {
		rc := w.record(&l, rosterOf(1))
		if i == 3 {
			rc.Record.Live = append(rc.Record.Live, rc.Record.Live[0])
		}
		sole := &exchange.Batch{Log: []exchange.Logged{l}, Records: []exchange.RecordChange{rc}}
		if w.trySave(sole) == nil {
			w.t.Errorf("record %d stands for a row that says more or less", i+1)
			continue
		}
		sole.Records[0].Sole = false
		w.save(sole)
		same(w.t, "the record", w.records(l.Change.Record), []syncproto.Record{rc.Record})
	}
}
