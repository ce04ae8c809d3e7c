package storetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
)

func changesComeBackByteForByte(w *world) {
	plain := w.log(w.change(1, recordID(1)))

	odd := w.change(2, recordID(2))
	odd.N = syncproto.MaxN
	odd.Base = syncproto.MaxN
	odd.At = -5
	odd.Form = 7
	odd.Decides = true
	odd.Amid = []string{"name", "phone"}
	odd.Kind, odd.Area = "observation-2_x", "A.b-9"
	odd.Fields = json.RawMessage("{ \"name\" : \"𠮷田 <b>&\u2028\\u0000\",\n\"big\":90071992547409931234, \"t\":36.50,\"gone\":null,\"l\":[ \"a\" , {} ]}")
	odd.Extra = map[string]json.RawMessage{"x-新 \"q\"": json.RawMessage(`{ "a" : [1 ,2], "<>":"&" }`), "y": json.RawMessage("null")}
	rich := w.log(odd)
	rich.Stamp = syncproto.Stamp{Time: -1, Earliest: -2, Latest: syncproto.MaxN}
	rich.Verdict, rich.Reason, rich.Field = syncproto.Merged, syncproto.CodeUnknownField, "l"

	disputed := w.log(w.change(1, recordID(1)))
	disputed.Verdict = syncproto.Disputed
	parked := w.park(w.change(1, recordID(3)), syncproto.CodeUnknownArea)

	want := []exchange.Logged{plain, rich, disputed, parked}
	w.save(&exchange.Batch{Log: want})
	got := w.logs(recordID(1), recordID(2), recordID(3))
	same(w.t, "logs", got, want)
	if got[1].Change.Hash() != odd.Hash() {
		w.t.Error("the hash of a change that was kept differs from the one that was sent")
	}
	prior := in(w, func(tx exchange.Tx) ([]exchange.Logged, error) {
		return tx.Prior(deviceID(2), []uint64{1, syncproto.MaxN})
	})
	same(w.t, "prior", prior, []exchange.Logged{rich})
}

func priorFindsWhatThatDeviceSent(w *world) {
	b := &exchange.Batch{}
	var ns []uint64
	for n := range 1200 {
		w.add(b, 1, recordID(n), historyOf(1))
		ns = append(ns, uint64(n+1))
	}
	w.add(b, 2, recordID(5000), historyOf(1))
	w.save(b)
	prior := func(device int, ns ...uint64) []exchange.Logged {
		return in(w, func(tx exchange.Tx) ([]exchange.Logged, error) { return tx.Prior(deviceID(device), ns) })
	}
	same(w.t, "all of one device", prior(1, ns...), b.Log[:1200])
	same(w.t, "one of the other", prior(2, 1, 2, 3), b.Log[1200:])
	same(w.t, "unsorted, repeated, with holes", prior(1, 7, 3, 7, 99_999), []exchange.Logged{b.Log[2], b.Log[6]})
	same(w.t, "none of a device never heard of", len(prior(9, 1, 2)), 0)
}

func aNumberIsUsedOnce(w *world) {
	first := w.log(w.change(1, recordID(1)))
	w.save(&exchange.Batch{Log: []exchange.Logged{first}})
	again := w.change(1, recordID(2))
	again.N = 1
	if err := w.trySave(&exchange.Batch{Log: []exchange.Logged{w.log(again)}}); err == nil {
		w.t.Error("a device's number was taken twice")
	}
	same(w.t, "what the second spoke of", len(w.logs(recordID(2))), 0)
	other := w.log(w.change(2, recordID(2)))
	w.save(&exchange.Batch{Log: []exchange.Logged{other}}) // another device counts for itself
	same(w.t, "logs", w.logs(recordID(1), recordID(2)), []exchange.Logged{first, other})
}

func logsComeInOrder(w *world) {
	b := &exchange.Batch{}
	var ids []syncproto.RecordID
	for i := range 700 {
		r := w.add(b, 1, recordID(i), rosterOf(1))
		ids = append([]syncproto.RecordID{r.ID}, ids...)
	}
	w.save(b)
	more := &exchange.Batch{}
	for i := range 700 {
		more.Log = append(more.Log, w.log(w.change(2, recordID(i))))
	}
	w.save(more)
	same(w.t, "logs", w.logs(append(ids, recordID(9999), ids[0])...), append(b.Log, more.Log...))
	same(w.t, "log of one", w.logs(recordID(3)), []exchange.Logged{b.Log[3], more.Log[3]})
}

func versionsHaveTheirMoment(w *world) {
	w.last = 9
	first := w.log(w.change(1, recordID(1)))
	w.save(&exchange.Batch{Log: []exchange.Logged{first}})
	w.last = 19 // numbers that no row has, as of released changes
	second := w.log(w.change(1, recordID(2)))
	w.save(&exchange.Batch{Log: []exchange.Logged{second}})
	asked := []syncproto.Version{20, 0, 9, 10, 15, 10, 1000}
	want := []syncproto.Instant{second.Received, 0, 0, first.Received, first.Received, first.Received, second.Received}
	for v := range syncproto.Version(1100) {
		asked = append(asked, 2000+v)
		want = append(want, second.Received)
	}
	got := in(w, func(tx exchange.Tx) ([]syncproto.Instant, error) { return tx.CommittedAt(asked) })
	same(w.t, "instants", got, want)
}

func parkedComeOldestFirst(w *world) {
	reasons := []syncproto.Code{syncproto.CodeUnknownArea, syncproto.CodeOutOfArea, syncproto.CodeFailsForm}
	b := &exchange.Batch{}
	for i := range 30 {
		if i%5 == 4 {
			w.add(b, 1, recordID(i), rosterOf(1))
			b.Log[i].Reason = reasons[i%3] // a remark on a change that doesn't wait
			continue
		}
		b.Log = append(b.Log, w.park(w.change(1, recordID(i)), reasons[i%3]))
	}
	w.save(b)
	parked := func(after syncproto.Version, limit int, reasons ...syncproto.Code) string {
		logged := in(w, func(tx exchange.Tx) ([]exchange.Logged, error) { return tx.Parked(reasons, after, limit) })
		var seqs []string
		for _, l := range logged {
			seqs = append(seqs, fmt.Sprint(l.Seq))
		}
		return strings.Join(seqs, " ")
	}
	same(w.t, "one reason", parked(0, 100, reasons[0]), "1 4 7 13 16 19 22 28")
	same(w.t, "two reasons", parked(0, 6, reasons[0], reasons[2]), "1 3 4 6 7 9")
	same(w.t, "after a place", parked(9, 3, reasons[0], reasons[2]), "12 13 16")
	same(w.t, "a reason that nothing has", parked(0, 100, syncproto.CodeKindDiffers), "")
	same(w.t, "no reason", parked(0, 100), "")
	same(w.t, "nothing left", parked(30, 100, reasons...), "")
	one := in(w, func(tx exchange.Tx) ([]exchange.Logged, error) { return tx.Parked(reasons[:1], 0, 1) })
	same(w.t, "the row", one, b.Log[:1])
}

func releasedChangesStopWaiting(w *world) {
	c := w.change(1, recordID(1))
	c.Area = "new-area"
	waiting := w.park(c, syncproto.CodeUnknownArea)
	other := w.park(w.change(1, recordID(2)), syncproto.CodeUnknownArea)
	w.save(&exchange.Batch{Log: []exchange.Logged{waiting, other}})
	third := w.park(w.change(2, recordID(3)), syncproto.CodeUnknownArea)
	fourth := w.park(w.change(1, recordID(3)), syncproto.CodeOutOfArea)
	w.save(&exchange.Batch{Log: []exchange.Logged{third, fourth}})
	count := func() []rollup.Parked {
		parked, err := w.CountParked(w.ctx())
		w.must(err)
		return parked
	}
	ofArea := []rollup.Parked{{Area: code(1), Device: deviceID(1), N: 2}, {Area: code(1), Device: deviceID(2), N: 1}}
	same(w.t, "waiting", count(), append(slices.Clone(ofArea), rollup.Parked{Area: "new-area", Device: deviceID(1), N: 1}))

	w.last++
	free := waiting
	free.Version, free.Verdict, free.Reason, free.Field = w.last, syncproto.Merged, "", ""
	rc := w.record(&free, rosterOf(1))
	w.save(&exchange.Batch{Released: []exchange.Logged{free}, Records: []exchange.RecordChange{rc}})

	same(w.t, "log", w.logs(recordID(1)), []exchange.Logged{free})
	same(w.t, "the others still wait", count(), ofArea)
	left := in(w, func(tx exchange.Tx) ([]exchange.Logged, error) {
		return tx.Parked([]syncproto.Code{syncproto.CodeUnknownArea}, 0, 10)
	})
	same(w.t, "parked", left, []exchange.Logged{other, third})
	page := w.page(rosterOf(1), 0)
	if len(page) != 1 {
		w.t.Fatalf("%d rows in the feed, not 1", len(page))
	}
	same(w.t, "record", *page[0].Record, rc.Record)
}

func aReasonCanChange(w *world) {
	var rows []exchange.Logged
	for i := range 300 {
		rows = append(rows, w.park(w.change(1, recordID(i)), syncproto.CodeUnknownRecord))
	}
	w.save(&exchange.Batch{Log: rows})
	for i := range rows {
		rows[i].Reason, rows[i].Field = syncproto.CodeFailsForm, fmt.Sprintf("f%d", i)
	}
	w.save(&exchange.Batch{Released: rows})
	got := in(w, func(tx exchange.Tx) ([]exchange.Logged, error) {
		return tx.Parked([]syncproto.Code{syncproto.CodeFailsForm}, 0, 1000)
	})
	same(w.t, "parked", got, rows)
}
