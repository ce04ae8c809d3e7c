package storetest

import (
	"fmt"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/match"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

func signaturesAreReplaced(w *world) {
	first := exchange.Signature{
		Record: recordID(1), Area: 4_000_000_000, Day: 20200126,
		Figures: map[string]int64{"persons": 12, "不在家": 0}, Drift: map[string]int64{"persons": -1},
		Scope: -1 << 62,
	}
	bare := exchange.Signature{Record: recordID(2), Area: 1, Day: 20200127}
	signed := func() []exchange.Signature {
		boot, err := w.Boot(w.ctx())
		w.must(err)
		derived, err := w.Derived(w.ctx())
		w.must(err)
		same(w.t, "derived", derived.Signatures, boot.Signatures)
		return boot.Signatures
	}
	w.save(&exchange.Batch{Signatures: []exchange.Signature{bare, first}})
	same(w.t, "signed", signed(), []exchange.Signature{first, bare})
	first.Figures, first.Drift = map[string]int64{"persons": 13}, nil
	w.save(&exchange.Batch{Signatures: []exchange.Signature{{Record: recordID(1), Area: 1, Day: 1}, first, {Record: recordID(9)}}})
	same(w.t, "signed again", signed(), []exchange.Signature{first, bare})
	w.save(&exchange.Batch{Signatures: []exchange.Signature{{Record: recordID(1)}}})
	same(w.t, "taken back", signed(), []exchange.Signature{bare})
}

// rederive replaces what is derived.
func (w *world) rederive(d *exchange.Derived) {
	w.t.Helper()
	w.must(w.Commit(w.ctx(), func(tx exchange.Tx) error { return tx.Rederive(d) }))
}

func rederivingReplacesWhatWasDerived(w *world) {
	w.areas(2)
	w.save(w.everything(1, recordID(1)))
	w.save(w.everything(2, recordID(2)))
	before, err := w.Derived(w.ctx())
	w.must(err)
	boot, err := w.Boot(w.ctx())
	w.must(err)
	want := exchange.Derived{
		Counts:     []rollup.Count{{Area: 2, Day: 20200128, Measure: "households", N: 4}, {Area: 2, Day: 20200128, Measure: "persons", N: 9}},
		Sightings:  []rollup.Sighting{w.sighting(1, 1, 1, 2), w.sighting(3, 9, 9, 2)},
		Items:      []review.Item{w.question(1, "name", 2, 1), w.question(2, "name", 2, 1)},
		Index:      []match.Entry{entry(5, 1), entry(1<<63+5, 2)},
		Links:      []exchange.Link{link(1, 2)},
		Signatures: []exchange.Signature{{Record: recordID(3), Area: 2, Day: 20200128, Figures: map[string]int64{"persons": 9}}},
		Heads:      before.Heads,
		Devices:    before.Devices,
	}
	slices.SortFunc(want.Items, func(a, b review.Item) int { x, y := a.ID(), b.ID(); return slices.Compare(x[:], y[:]) })
	given := want
	given.Heads, given.Devices = nil, nil
	w.rederive(&given)
	after, err := w.Derived(w.ctx())
	w.must(err)
	same(w.t, "derived", after, want)
	booted, err := w.Boot(w.ctx())
	w.must(err)
	boot.Links, boot.Signatures = want.Links, want.Signatures
	boot.Last++ // whoever remembers what stood at the last number sees that it has moved
	same(w.t, "boot", booted, boot)
	same(w.t, "what devices hear", len(w.hears(1, 0, 10)), 1)
	w.rederive(&exchange.Derived{})
	w.must(err)
	empty, err := w.Derived(w.ctx())
	w.must(err)
	same(w.t, "derived of nothing", empty, exchange.Derived{Heads: before.Heads, Devices: before.Devices})
}

func questionsOutliveRederiving(w *world) {
	stays, goes, was, comes := w.question(1, "stays", 1, 1), w.question(2, "goes", 1, 2), w.question(3, "was", 1, 3), w.question(4, "comes", 1, 4)
	stays.Assignee, goes.Assignee = authorID(5), authorID(6)
	settled, again := closed(was, 9), closed(w.question(5, "again", 1, 5), 8)
	again.Assignee = authorID(7)
	line := func(it review.Item) review.Event {
		return review.Event{Item: it.ID(), Version: it.Opened, At: it.At, What: review.WasOpened}
	}
	w.last = 20
	at := w.time()
	w.save(&exchange.Batch{
		Items:  []review.Item{stays, goes, settled, again},
		Events: []review.Event{line(stays), line(goes)},
	})
	fresh := stays
	fresh.Area, fresh.Score, fresh.Assignee = 2, 70, w.question(0, "", 0, 0).Assignee
	reopened, late := w.question(5, "again", 1, 6), w.question(6, "late", 1, 7)
	fresh.At, late.At = 0, 0 // as the log has it
	w.rederive(&exchange.Derived{Items: []review.Item{comes, fresh, reopened, late}})

	fresh.At, late.At = stays.At, at
	fresh.Assignee, reopened.Assignee = stays.Assignee, again.Assignee
	goes.Closed, goes.Ended, goes.State, goes.Ending = 21, at, review.Closed, review.Corrected
	for _, it := range []review.Item{comes, fresh, reopened, late, goes, settled} {
		same(w.t, "question "+it.Field, w.item(it.Key), it)
	}
	ended := review.Event{Item: goes.ID(), Version: 21, At: at, What: review.WasClosed, Detail: string(review.Corrected)}
	same(w.t, "what stays has its line", w.events(stays), []review.Event{line(stays)})
	same(w.t, "what goes has two", w.events(goes), []review.Event{line(goes), ended})
	same(w.t, "what comes has one", w.events(comes), []review.Event{line(comes)})
	same(w.t, "what comes again has one", w.events(reopened), []review.Event{line(reopened)})
	same(w.t, "what was closed has none", len(w.events(settled)), 0)
	same(w.t, "counted", []int{w.countOpen(1), w.countOpen(2)}, []int{3, 1})
}

func questionsRaisedByRederivingAreOfNow(w *world) {
	w.last = 20
	at := w.time()
	w.save(&exchange.Batch{})
	raised := w.question(1, "restated", 1, 0)
	raised.Opened, raised.At = 0, 0
	w.rederive(&exchange.Derived{Items: []review.Item{raised}})
	raised.Opened, raised.At = 21, at
	same(w.t, "question", w.item(raised.Key), raised)
	w.rederive(&exchange.Derived{Items: []review.Item{{Key: raised.Key, Area: 1, State: raised.State}}})
	same(w.t, "since when it is open", w.item(raised.Key).Opened, raised.Opened)
}

func rulesAreNoted(w *world) {
	rules := func() uint64 {
		boot, err := w.Boot(w.ctx())
		w.must(err)
		return boot.Rules
	}
	same(w.t, "at first", rules(), uint64(0))
	w.rederive(&exchange.Derived{Rules: 1<<63 + 7})
	same(w.t, "with what was derived", rules(), uint64(1<<63+7))
	w.must(w.Commit(w.ctx(), func(tx exchange.Tx) error { return tx.SetRules(9) }))
	w.reopen()
	same(w.t, "by themselves", rules(), uint64(9))
}

func recordsMoveToTheStreamOfTheirKind(w *world) {
	w.areas(2)
	b := &exchange.Batch{}
	first, second := w.add(b, 1, recordID(1), rosterOf(1)), w.add(b, 1, recordID(2), historyOf(1))
	other := w.change(1, recordID(3))
	other.Kind = "visit"
	l := w.log(other)
	b.Log, b.Records = append(b.Log, l), append(b.Records, w.record(&l, historyOf(1)))
	b.Heads = []exchange.Head{
		{Feed: rosterOf(1), Last: 9, Sum: 5, Records: 1}, {Feed: historyOf(1), Last: 8, Sum: 6, Records: 2}, {Feed: rosterOf(2), Last: 3},
	}
	w.last = 9
	w.save(b)
	now := []exchange.Head{{Feed: rosterOf(1), Last: second.Version, Sum: 7, Records: 2}, {Feed: historyOf(1), Last: l.Version, Sum: 4, Records: 1}}
	w.rederive(&exchange.Derived{Streams: map[syncproto.Kind]form.Stream{"person": form.Roster}, Heads: now})
	same(w.t, "roster", w.page(rosterOf(1), 0)[0].Record.ID, first.ID)
	same(w.t, "roster", versions(w.page(rosterOf(1), 0)), fmt.Sprint(first.Version, second.Version))
	same(w.t, "history", versions(w.page(historyOf(1), 0)), fmt.Sprint(l.Version))
	boot, err := w.Boot(w.ctx())
	w.must(err)
	now[0].Last, now[1].Last = 9, 8
	same(w.t, "heads", boot.Heads, append(now, exchange.Head{Feed: rosterOf(2), Last: 3}))
	w.rederive(&exchange.Derived{Streams: map[syncproto.Kind]form.Stream{"person": form.Roster}, Heads: []exchange.Head{{Feed: rosterOf(1), Sum: 99}}})
	again, err := w.Boot(w.ctx())
	w.must(err)
	same(w.t, "heads where nothing moves", again.Heads, boot.Heads)
}

func aGroupSeesWhatItSaved(w *world) {
	b := &exchange.Batch{}
	w.add(b, 1, recordID(1), rosterOf(1))
	pair := w.pair(review.Duplicate, 1, 2, 1)
	b.Indexed, b.Items = []match.Entry{entry(5, 1)}, []review.Item{pair}
	b.Counts = []rollup.Count{{Area: 1, Day: 20200126, Measure: "persons", N: 1}}
	b.Last, b.Now = w.last, w.time()
	w.must(w.Commit(w.ctx(), func(tx exchange.Tx) error {
		w.must(tx.Save(b))
		found, err := tx.Blocks([]match.Range{{From: 5, To: 5}}, 9)
		w.must(err)
		same(w.t, "block", found, [][]syncproto.RecordID{{recordID(1)}})
		items, err := tx.Items([]syncproto.RecordID{pair.ID()})
		w.must(err)
		same(w.t, "question", items, b.Items)
		about, err := tx.ItemsAbout([]syncproto.RecordID{recordID(2)})
		w.must(err)
		same(w.t, "question about two", about, b.Items)
		totals, err := tx.Totals([]area.Key{1}, 20200126, nil)
		same(w.t, "totals", totals, b.Counts)
		return err
	}))
}
