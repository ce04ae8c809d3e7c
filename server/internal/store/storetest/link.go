package storetest

import (
	"slices"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

// absorbed returns what records absorbed.
func (w *world) absorbed(survivors ...int) []exchange.Link {
	w.t.Helper()
	var ids []syncproto.RecordID
	for _, n := range survivors {
		ids = append(ids, recordID(n))
	}
	links, err := w.Absorbed(w.ctx(), ids)
	w.must(err)
	return links
}

func link(record, into int) exchange.Link {
	return exchange.Link{Record: recordID(record), Into: recordID(into)}
}

func linksLeadToTheSurvivor(w *world) {
	w.save(&exchange.Batch{Links: []exchange.Link{link(4, 3), link(3, 1), link(2, 1), link(6, 5), link(8, 9), link(9, 8)}})
	same(w.t, "through a chain", w.absorbed(1), []exchange.Link{link(2, 1), link(3, 1), link(4, 1)})
	same(w.t, "in the order asked for", w.absorbed(5, 1, 5), []exchange.Link{link(6, 5), link(2, 1), link(3, 1), link(4, 1)})
	same(w.t, "from amid a chain", w.absorbed(3, 2, 77), []exchange.Link{link(4, 3)})
	same(w.t, "round in a circle", w.absorbed(8), []exchange.Link{link(9, 8)})
	w.save(&exchange.Batch{Links: []exchange.Link{{Record: recordID(3)}, link(6, 1), {Record: recordID(77)}, {Record: recordID(8)}}})
	same(w.t, "after some were taken back", w.absorbed(1, 3, 5), []exchange.Link{link(2, 1), link(6, 1), link(4, 3)})
	left := []exchange.Link{link(2, 1), link(4, 3), link(6, 1), link(9, 8)}
	boot, err := w.Boot(w.ctx())
	w.must(err)
	same(w.t, "boot", boot.Links, left)
	derived, err := w.Derived(w.ctx())
	w.must(err)
	same(w.t, "derived", derived.Links, left)
	w.save(&exchange.Batch{Links: []exchange.Link{{Record: recordID(5)}, link(5, 4), link(2, 7), {Record: recordID(2)}}})
	same(w.t, "the last word of a batch", w.absorbed(4, 7), []exchange.Link{link(5, 4)})
}

func manyAreAbsorbed(w *world) {
	b := &exchange.Batch{}
	var survivors []int
	var want []exchange.Link
	for i := range 1200 {
		b.Links = append(b.Links, link(10_000+i, i+1))
		survivors = append(survivors, i+1)
		want = append(want, link(10_000+i, i+1))
	}
	w.save(b)
	same(w.t, "absorbed", w.absorbed(survivors...), want)
	slices.Reverse(survivors)
	slices.Reverse(want)
	same(w.t, "absorbed, backwards", w.absorbed(survivors...), want)
}
