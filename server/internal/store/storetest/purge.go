package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/match"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
)

// purge takes content away as a group of its own.
func (w *world) purge(p *exchange.Purging) {
	w.t.Helper()
	w.must(w.Commit(w.ctx(), func(tx exchange.Tx) error {
		if err := tx.Save(&exchange.Batch{Last: w.last, Now: w.time()}); err != nil {
			return err
		}
		return tx.Purge(p)
	}))
	w.now += 1000
}

// purging takes away a record that stands in a feed, under the next version, with all its
// rows.
func (w *world) purging(id syncproto.RecordID, feed exchange.Feed) *exchange.Purging {
	w.t.Helper()
	w.last++
	p := &exchange.Purging{
		Records: []exchange.PurgedRecord{{ID: id, Feed: feed, Version: w.last}},
		Line: exchange.Purge{
			Began: w.last, Version: w.last, At: w.time(), Kind: "person", Area: code(1), Older: 20200101, Records: 1,
		},
	}
	for _, l := range w.logs(id) {
		p.Log = append(p.Log, exchange.PurgedRow{Seq: l.Seq, Hash: l.Change.Hash()})
	}
	p.Line.Changes = len(p.Log)
	return p
}

func aPurgedRecordIsAName(w *world) {
	w.areas(2)
	b := &exchange.Batch{}
	first := w.add(b, 1, recordID(1), rosterOf(1))
	w.edit(b, 2, first, rosterOf(1), rosterOf(1))
	w.add(b, 1, recordID(2), rosterOf(1))
	b.Alerts = []exchange.Alert{w.alert(1, 1), w.alert(2, 1)}
	b.Restatings = []exchange.Restating{
		{Signature: recordID(8), Record: recordID(1), Version: 2, Measure: "fevers", N: 1},
		{Signature: recordID(8), Record: recordID(2), Version: 3, Measure: "fevers", N: 1},
	}
	w.save(b)
	before := w.page(rosterOf(1), 0)
	same(w.t, "before", versions(before), "2 3")
	want := w.logs(recordID(1))
	for i := range want {
		want[i].Purged = want[i].Change.Hash()
		want[i].Change.Fields, want[i].Change.Amid, want[i].Change.Extra = []byte("{}"), nil, nil
		want[i].Change.ID = syncproto.ChangeID{} // random, so that the hash betrays nothing without it
	}
	w.purge(w.purging(recordID(1), rosterOf(1)))
	for range 2 {
		same(w.t, "its rows", w.logs(recordID(1)), want)
		same(w.t, "the hash of a row", want[0].Hash(), want[0].Purged)
		found, err := w.RecordsByID(w.ctx(), []syncproto.RecordID{recordID(1), recordID(2)})
		w.must(err)
		if len(found) != 1 || found[0].ID != recordID(2) {
			w.t.Errorf("there is %+v", found)
		}
		rows := w.page(rosterOf(1), 0)
		same(w.t, "after", versions(rows), "3 4gone")
		same(w.t, "what has gone", rows[1].Gone, &syncproto.Gone{Record: recordID(1), Kind: "person", Area: code(1), Version: 4})
		purged := in(w, func(tx exchange.Tx) ([]syncproto.RecordID, error) {
			return tx.Purged([]syncproto.RecordID{recordID(2), recordID(1), recordID(9)})
		})
		same(w.t, "purged", purged, []syncproto.RecordID{recordID(1)})
		w.saysNothingOf(recordID(1))
		w.reopen()
	}
	w.must(w.Histories(w.ctx(), func(log []exchange.Logged, stored *syncproto.Record) error {
		if log[0].Change.Record == recordID(1) && stored != nil {
			w.t.Errorf("it is stored as %+v", stored)
		}
		return nil
	}))
}

// saysNothingOf looks for a record in what was told of two and in what they did to a signed
// day.
func (w *world) saysNothingOf(id syncproto.RecordID) {
	w.t.Helper()
	alerts, err := w.Alerts(w.ctx(), 0, 10)
	w.must(err)
	moved, err := w.Restatings(w.ctx(), recordID(8), 0, 10)
	w.must(err)
	if len(alerts) != 2 || len(moved) != 1 || alerts[0].Record == id || moved[0].Record == id || alerts[1].Record.IsZero() {
		w.t.Errorf("told %+v, a day was restated by %+v", alerts, moved)
	}
}

func whatWaitsForAPurgedRecordIsKept(w *world) {
	w.areas(1)
	b := &exchange.Batch{}
	w.add(b, 1, recordID(1), rosterOf(1))
	w.save(b)
	w.purge(w.purging(recordID(1), rosterOf(1)))
	late := w.park(w.change(1, recordID(1)), syncproto.CodePurged)
	w.save(&exchange.Batch{Log: []exchange.Logged{late}})
	logs := w.logs(recordID(1))
	same(w.t, "what came late", logs[1], late)
	same(w.t, "what was purged", string(logs[0].Change.Fields), "{}")
	boot, err := w.Boot(w.ctx())
	w.must(err)
	same(w.t, "parked", boot.Parked, 1)
}

func aPurgeLeavesNoTrailOfWhatWasSaid(w *world) {
	w.areas(1)
	b := &exchange.Batch{}
	for n := 1; n <= 3; n++ {
		w.add(b, 1, recordID(n), rosterOf(1))
	}
	pair := review.Item{
		Key: review.Pair(review.Duplicate, recordID(1), recordID(2)), Area: 1, Opened: 2, Closed: 3, State: review.Closed,
		Ending: review.Different, Score: 90, Evidence: []match.Evidence{{Part: "name", Points: 90}},
	}
	other := pair
	other.Key = review.Pair(review.Duplicate, recordID(2), recordID(3))
	window := review.Item{Key: review.Key{Kind: review.Implausible, Field: "a/window"}, Area: 1, Opened: 3, State: review.Open}
	b.Items = []review.Item{pair, other, window}
	b.Events = []review.Event{{Item: pair.ID(), Version: 2, What: review.WasOpened}, {Item: pair.ID(), Version: 3, What: review.WasClosed}}
	b.Told = []exchange.Telling{w.telling(1, 3, 1), w.telling(1, 3, 2)}
	w.save(b)
	about := func(n int) string {
		return itemNames(in(w, func(tx exchange.Tx) ([]review.Item, error) { return tx.ItemsOf([]syncproto.RecordID{recordID(n)}) }))
	}
	same(w.t, "about the first", about(1), itemNames([]review.Item{pair}))
	same(w.t, "about the second", about(2), itemNames([]review.Item{pair, other}))
	same(w.t, "about the third", about(3), itemNames([]review.Item{other}))
	windows := in(w, func(tx exchange.Tx) ([]review.Item, error) { return tx.OpenWindows() })
	same(w.t, "open windows", itemNames(windows), itemNames([]review.Item{window}))

	p := w.purging(recordID(1), rosterOf(1))
	p.Items = []syncproto.RecordID{pair.ID()}
	w.purge(p)
	same(w.t, "told", heard(w.hears(1, 0, 10)), "3:2")
	for _, ask := range []struct {
		item     review.Item
		evidence int
	}{{pair, 0}, {other, 1}} {
		it, there, err := w.Item(w.ctx(), ask.item.ID())
		w.must(err)
		if !there || len(it.Evidence) != ask.evidence || it.Ending != review.Different {
			w.t.Errorf("question %s: %v %+v", ask.item.Field, there, it)
		}
	}
	events, err := w.Events(w.ctx(), pair.ID())
	w.must(err)
	same(w.t, "lines of its history", len(events), 2)
}

// itemNames names questions in order.
func itemNames(items []review.Item) string {
	names := make([]string, 0, len(items))
	for i := range items {
		names = append(names, items[i].ID().String())
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func whatIsCarriedAddsUp(w *world) {
	w.areas(2)
	b := &exchange.Batch{Counts: []rollup.Count{{Area: 1, Day: 20200127, Measure: "persons", N: 5}}}
	for n := 1; n <= 2; n++ {
		w.add(b, 1, recordID(n), rosterOf(1))
	}
	w.save(b)
	began := w.last + 1
	for n := 1; n <= 2; n++ {
		p := w.purging(recordID(n), rosterOf(1))
		p.Line.Began = began
		p.Carried = []rollup.Count{{Area: 1, Day: 20200127, Measure: "persons", N: 1}, {Area: 2, Day: 20200127, Measure: "visits", N: int64(n)}}
		p.Visits = []exchange.PurgedVisits{{Round: recordID(7), Area: 1, N: 1}, {Round: recordID(7), Area: 2, N: 2}}
		w.purge(p)
	}
	w.reopen()
	derived, err := w.Derived(w.ctx())
	w.must(err)
	same(w.t, "counters", derived.Counts, []rollup.Count{{Area: 1, Day: 20200127, Measure: "persons", N: 5}})
	carried := []rollup.Count{{Area: 1, Day: 20200127, Measure: "persons", N: 2}, {Area: 2, Day: 20200127, Measure: "visits", N: 3}}
	same(w.t, "carried", derived.Carried, carried)
	for _, ask := range []struct {
		areas []area.Key
		n     int
	}{{nil, 0}, {[]area.Key{1}, 2}, {[]area.Key{1, 2}, 6}, {[]area.Key{9}, 0}} {
		n, err := w.CountPurged(w.ctx(), recordID(7), ask.areas)
		w.must(err)
		same(w.t, fmt.Sprintf("purged visits of %v", ask.areas), n, ask.n)
	}
	w.rederive(&exchange.Derived{})
	derived, err = w.Derived(w.ctx())
	w.must(err)
	same(w.t, "carried by whoever derives anew", derived.Carried, carried)
}

func everyPurgeIsALine(w *world) {
	w.areas(1)
	b := &exchange.Batch{}
	for n := 1; n <= 3; n++ {
		w.add(b, 1, recordID(n), rosterOf(1))
	}
	w.save(b)
	first := w.purging(recordID(1), rosterOf(1))
	first.Line.By = authorID(4)
	second := w.purging(recordID(2), rosterOf(1))
	second.Line.Began, second.Line.By = first.Line.Began, authorID(4)
	second.Line.At += 5
	third := w.purging(recordID(3), rosterOf(1))
	for _, p := range []*exchange.Purging{first, second, third} {
		w.purge(p)
	}
	want := first.Line
	want.Version, want.At, want.Records, want.Changes = second.Line.Version, second.Line.At, 2, 2
	lines, err := w.Purges(w.ctx())
	w.must(err)
	same(w.t, "lines", lines, []exchange.Purge{want, third.Line})
}

func whatHasNotChangedSinceIsFound(w *world) {
	w.areas(3)
	feeds := []exchange.Feed{historyOf(1), historyOf(2), historyOf(3)}
	var cut syncproto.Instant
	for n := 1; n <= 9; n++ {
		b := &exchange.Batch{}
		if n == 7 {
			cut = w.time()
		}
		w.add(b, 1, recordID(n), feeds[n%2])
		if n == 2 {
			w.add(b, 1, recordID(20), rosterOf(1)) // of another stream
		}
		w.save(b)
		w.last += 3 // numbers that no row has
	}
	var found []string
	place, pages := exchange.AgedPlace{}, 0
	for {
		page, next, err := w.Aged(w.ctx(), feeds, "person", cut, place, 2)
		w.must(err)
		for i := range page {
			found = append(found, fmt.Sprint(page[i].ID[15]))
		}
		if place = next; len(page) < 2 {
			break
		}
		pages++
	}
	same(w.t, "found", strings.Join(found, " "), "2 4 6 1 3 5")
	same(w.t, "full pages", pages, 3)
	for _, ask := range []struct {
		kind   syncproto.Kind
		before syncproto.Instant
		found  int
	}{{"person", start, 0}, {"visit", cut, 0}, {"person", start + 1, 1}, {"person", 1 << 50, 9}} {
		page, _, err := w.Aged(w.ctx(), feeds, ask.kind, ask.before, exchange.AgedPlace{}, 100)
		w.must(err)
		same(w.t, fmt.Sprintf("%s before %d", ask.kind, ask.before), len(page), ask.found)
	}
}

func aPurgeThatFailsLeavesEverything(w *world) {
	w.areas(1)
	b := &exchange.Batch{}
	w.add(b, 1, recordID(1), rosterOf(1))
	w.save(b)
	before, page := w.logs(recordID(1)), versions(w.page(rosterOf(1), 0))
	p := w.purging(recordID(1), rosterOf(1))
	p.Carried = []rollup.Count{{Area: 1, Day: 20200127, Measure: "persons", N: 1}}
	failure := errors.New("the machine stops")
	err := w.Commit(w.ctx(), func(tx exchange.Tx) error {
		w.must(tx.Purge(p))
		return failure
	})
	if !errors.Is(err, failure) {
		w.t.Fatal(err)
	}
	for range 2 {
		same(w.t, "its rows", w.logs(recordID(1)), before)
		same(w.t, "its feed", versions(w.page(rosterOf(1), 0)), page)
		lines, err := w.Purges(w.ctx())
		w.must(err)
		derived, err := w.Derived(w.ctx())
		w.must(err)
		if len(lines) != 0 || len(derived.Carried) != 0 {
			w.t.Errorf("left %+v and %+v", lines, derived.Carried)
		}
		w.reopen()
	}
}
