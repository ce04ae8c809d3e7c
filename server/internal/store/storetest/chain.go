package storetest

import (
	"errors"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

// linkOf is a link of the chain that names its place.
func linkOf(seq syncproto.Version) syncproto.Hash {
	var h syncproto.Hash
	h[0], h[30], h[31] = 7, byte(seq>>8), byte(seq)
	return h
}

// wholeLog returns the log as EachLogged tells it.
func (w *world) wholeLog() []exchange.Logged {
	w.t.Helper()
	var all []exchange.Logged
	w.must(w.EachLogged(w.ctx(), func(l *exchange.Logged) error {
		all = append(all, *l)
		return nil
	}))
	return all
}

func (w *world) lastLink() syncproto.Hash {
	w.t.Helper()
	boot, err := w.Boot(w.ctx())
	w.must(err)
	return boot.Chain
}

func everyRowKeepsItsLink(w *world) {
	plain, odd, parked := w.log(w.change(1, recordID(1))), w.log(w.change(1, recordID(2))), w.park(w.change(2, recordID(3)), syncproto.CodeFailsForm)
	odd.Change.Decides = true
	rows := []exchange.Logged{plain, odd, parked}
	for i := range rows {
		rows[i].Chain = linkOf(rows[i].Seq)
	}
	w.save(&exchange.Batch{Log: rows[:2]})
	same(w.t, "the last link", w.lastLink(), linkOf(2))
	w.save(&exchange.Batch{Log: rows[2:]})
	same(w.t, "the last link, of a parked row", w.lastLink(), linkOf(3))
	same(w.t, "the log", w.wholeLog(), rows)
	same(w.t, "logs of records", w.logs(recordID(1), recordID(2), recordID(3)), rows)

	w.last++
	free := rows[2]
	free.Version, free.Verdict, free.Reason, free.Field = w.last, syncproto.Applied, "", ""
	w.save(&exchange.Batch{Released: []exchange.Logged{free}})
	same(w.t, "a row that was taken up", w.logs(recordID(3)), []exchange.Logged{free})
}

func rowsWithoutALinkAreGivenOne(w *world) {
	b := &exchange.Batch{}
	for i := range 300 {
		b.Log = append(b.Log, w.log(w.change(1, recordID(i))))
	}
	b.Log[299].Chain = linkOf(9000)
	w.save(b)
	same(w.t, "a row without a link", w.logs(recordID(0))[0].Chain, syncproto.Hash{})
	var links []exchange.Chained
	for i := range b.Log {
		links = append(links, exchange.Chained{Seq: b.Log[i].Seq, Chain: linkOf(b.Log[i].Seq)})
		if i < 299 {
			b.Log[i].Chain = linkOf(b.Log[i].Seq)
		}
	}
	w.must(w.Commit(w.ctx(), func(tx exchange.Tx) error { return tx.SetChain(links) }))
	same(w.t, "the log, whose last row keeps its link", w.wholeLog(), b.Log)
}

func theLogIsToldInOrder(w *world) {
	b := &exchange.Batch{}
	for i := range 2300 {
		w.last += syncproto.Version(i % 2) // some numbers are versions of what was taken up
		b.Log = append(b.Log, w.log(w.change(1+i%3, recordID(3000-i))))
	}
	w.save(b)
	same(w.t, "the log", w.wholeLog(), b.Log)

	seen := 0
	w.must(w.EachLogged(w.ctx(), func(*exchange.Logged) error {
		if seen++; seen == 1 {
			w.save(&exchange.Batch{Log: []exchange.Logged{w.log(w.change(4, recordID(1)))}})
		}
		return nil
	}))
	same(w.t, "rows of the moment at which it began", seen, 2300)
	seen = 0
	err := w.EachLogged(w.ctx(), func(*exchange.Logged) error {
		if seen++; seen == 3 {
			return errGroup
		}
		return nil
	})
	if !errors.Is(err, errGroup) || seen != 3 {
		w.t.Errorf("after %d rows: %v", seen, err)
	}
}
