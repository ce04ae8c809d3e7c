package storetest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

// records returns records as a group and as a reader find them, in order of ids.
func (w *world) records(ids ...syncproto.RecordID) []syncproto.Record {
	w.t.Helper()
	found := in(w, func(tx exchange.Tx) ([]syncproto.Record, error) { return tx.Records(ids) })
	byID := func(a, b syncproto.Record) int { return bytes.Compare(a.ID[:], b.ID[:]) }
	slices.SortFunc(found, byID)
	read, err := w.RecordsByID(w.ctx(), ids)
	w.must(err)
	slices.SortFunc(read, byID)
	same(w.t, "records as read and as the group sees them", read, found)
	return found
}

func aSoleRecordReadsLikeAnyOther(w *world) {
	b := &exchange.Batch{}
	var want []syncproto.Record
	for i, sole := range []bool{true, false, true, false} {
		c := w.change(1, recordID(i))
		c.Fields = json.RawMessage(`{ "name" : "𠮷 <&>\u2028", "big":90071992547409931234,"list":["a", "b"],"t":36.50,"x":null}`)
		c.Amid, c.Decides = []string{"name"}, true
		if i >= 2 {
			c.Base = 1 << 50 // more than anybody can have seen
		}
		l := w.log(c)
		rc := w.record(&l, historyOf(1))
		rc.Sole = sole
		b.Log = append(b.Log, l)
		b.Records = append(b.Records, rc)
		want = append(want, rc.Record)
	}
	w.save(b)
	same(w.t, "records", w.records(recordID(0), recordID(1), recordID(2), recordID(3)), want)
	for i, row := range w.page(historyOf(1), 0) {
		same(w.t, "record of the feed", *row.Record, want[i])
	}
}

func everyLivePartIsKept(w *world) {
	b := &exchange.Batch{}
	r := w.add(b, 1, recordID(1), rosterOf(1))
	w.save(b)
	for device := 2; device <= 5; device++ {
		b := &exchange.Batch{}
		r = w.edit(b, device, r, rosterOf(1), rosterOf(1))
		r.Live[len(r.Live)-1].Amid = []string{"note"}
		r.Live[len(r.Live)-1].Decides = device%2 == 0
		b.Records[0].Record = r
		w.save(b)
	}
	same(w.t, "record", w.records(recordID(1)), []syncproto.Record{r})
	same(w.t, "page", versions(w.page(rosterOf(1), 0)), "5")

	// A record of which nothing is alive, and one that becomes sole again.
	none := &exchange.Batch{}
	dead := w.edit(none, 6, r, rosterOf(1), rosterOf(1))
	dead.Live = []syncproto.Part{}
	none.Records[0].Record = dead
	w.save(none)
	same(w.t, "dead record", w.records(recordID(1)), []syncproto.Record{dead})
	l := w.log(w.change(7, recordID(1)))
	again := w.record(&l, rosterOf(1))
	again.New, again.Before, again.BeforeVersion = false, rosterOf(1), dead.Version
	w.save(&exchange.Batch{Log: []exchange.Logged{l}, Records: []exchange.RecordChange{again}})
	same(w.t, "record", w.records(recordID(1)), []syncproto.Record{again.Record})
}

func recordsAreFoundByTheThousand(w *world) {
	b := &exchange.Batch{}
	var want []syncproto.Record
	ids := []syncproto.RecordID{recordID(777_777)}
	for i := range 1500 {
		want = append(want, w.add(b, 1, recordID(i), rosterOf(1)))
		ids = append(ids, recordID(i))
	}
	w.save(b)
	ids = append(ids, recordID(0), recordID(1499), recordID(888_888))
	slices.SortFunc(want, func(a, b syncproto.Record) int { return cmp.Or(bytes.Compare(a.ID[:], b.ID[:])) })
	same(w.t, "records", w.records(ids...), want)
	same(w.t, "none", len(w.records(recordID(777_777))), 0)
}

func aWaitingRecordIsNotThere(w *world) {
	w.areas(1)
	waiting := w.park(w.change(1, recordID(1)), syncproto.CodeUnknownRecord)
	w.save(&exchange.Batch{Log: []exchange.Logged{waiting}})
	same(w.t, "records", len(w.records(recordID(1))), 0)
	same(w.t, "page", len(w.page(rosterOf(1), 0)), 0)
	same(w.t, "log", w.logs(recordID(1)), []exchange.Logged{waiting})

	b := &exchange.Batch{}
	r := w.add(b, 2, recordID(1), rosterOf(1))
	w.save(b)
	same(w.t, "records once it has come", w.records(recordID(1)), []syncproto.Record{r})
	same(w.t, "page once it has come", versions(w.page(rosterOf(1), 0)), "2")
	same(w.t, "log once it has come", w.logs(recordID(1)), []exchange.Logged{waiting, b.Log[0]})
}
