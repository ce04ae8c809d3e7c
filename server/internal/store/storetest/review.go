package storetest

import (
	"fmt"
	"slices"
	"strings"

	"gridsync/server/internal/area"
	"gridsync/server/internal/desk"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/match"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// question is an open question about a field of a record.
func (w *world) question(record int, field string, key area.Key, opened syncproto.Version) review.Item {
	return review.Item{
		Key:  review.Key{Kind: review.Conflict, Record: recordID(record), Field: field},
		Area: key, Opened: opened, At: w.time(), State: review.Open,
	}
}

// pair is an open question about two records.
func (w *world) pair(kind review.Kind, a, b int, opened syncproto.Version) review.Item {
	it := w.question(a, "", 1, opened)
	it.Key = review.Pair(kind, recordID(a), recordID(b))
	return it
}

// closed is a question that ended under a version.
func closed(it review.Item, version syncproto.Version) review.Item {
	it.Closed, it.Ended, it.State, it.Ending = version, it.At+1, review.Closed, review.Agreed
	return it
}

// ask opens or changes questions.
func (w *world) ask(items ...review.Item) {
	w.t.Helper()
	w.save(&exchange.Batch{Items: items})
}

// openItems returns the open questions of areas, as "opened:field".
func (w *world) openItems(want desk.Want, after desk.Place, limit int, areas ...area.Key) string {
	w.t.Helper()
	items, err := w.Questions(w.ctx(), areas, want, after, limit)
	w.must(err)
	return named(items)
}

// allOpen returns all open questions of areas.
func (w *world) allOpen(areas ...area.Key) string {
	w.t.Helper()
	return w.openItems(desk.Want{}, desk.Place{}, 1000, areas...)
}

func named(items []review.Item) string {
	names := make([]string, len(items))
	for i := range items {
		names[i] = fmt.Sprintf("%d:%s", items[i].Opened, items[i].Field)
	}
	return strings.Join(names, " ")
}

// item returns a question by its id, which must be there.
func (w *world) item(key review.Key) review.Item {
	w.t.Helper()
	it, there, err := w.Item(w.ctx(), key.ID())
	w.must(err)
	if !there {
		w.t.Fatalf("there is no question %+v", key)
	}
	return it
}

func (w *world) countOpen(areas ...area.Key) int {
	w.t.Helper()
	n, err := w.CountOpen(w.ctx(), areas)
	w.must(err)
	return n
}

func (w *world) countKinds(areas ...area.Key) map[review.Kind]int {
	w.t.Helper()
	counts, err := w.CountQuestions(w.ctx(), areas)
	w.must(err)
	return counts
}

func questionsOpenAndClose(w *world) {
	phone, name, left := w.question(1, "phone", 1, 1), w.question(1, "name", 2, 2), w.question(2, "exit", 2, 3)
	left.Kind = review.Exit
	w.ask(left, name, phone)
	same(w.t, "open in both", w.allOpen(1, 2), "1:phone 2:name 3:exit")
	same(w.t, "open in one", w.allOpen(1), "1:phone")
	same(w.t, "open nowhere", w.allOpen(7)+w.allOpen(), "")
	same(w.t, "count", []int{w.countOpen(1, 2), w.countOpen(2), w.countOpen(), w.countOpen(7)}, []int{3, 2, 0, 0})

	everywhere := []area.Key{2, 2}
	for key := area.Key(2); key < 1000; key++ {
		everywhere = append(everywhere, key)
	}
	same(w.t, "count among many, without the first", w.countOpen(everywhere...), 2)

	over := closed(phone, 4)
	over.By, over.Assignee, over.Sample = authorID(3), authorID(4), recordID(8)
	over.Score, over.Evidence = 70, []match.Evidence{{Part: "name", Points: 70}}
	w.ask(over)
	same(w.t, "open after one was closed", w.allOpen(1, 2), "2:name 3:exit")
	same(w.t, "count after one was closed", []int{w.countOpen(1, 2), w.countOpen(1)}, []int{2, 0})
	same(w.t, "the closed one", w.item(phone.Key), over)
	derived, err := w.Derived(w.ctx())
	w.must(err)
	same(w.t, "derived questions", len(derived.Items), 2)

	again := phone
	again.Opened, again.Area, again.At = 5, 2, phone.At+9
	w.ask(again)
	same(w.t, "opened again, at another desk", w.allOpen(1, 2), "2:name 3:exit 5:phone")
	same(w.t, "at the old desk", w.allOpen(1), "")
	same(w.t, "the question opened again", w.item(phone.Key), again)
}

func questionsComeBackWhole(w *world) {
	full := w.pair(review.Duplicate, 2, 1, 1<<50)
	full.Area, full.Closed, full.At, full.Ended = 4_000_000_000, 1<<51, start, start+5
	full.State, full.Ending, full.By, full.Assignee = review.Closed, review.Merged, authorID(1), authorID(2)
	full.Score, full.Evidence = 85, []match.Evidence{{Part: "name", Points: 40}, {Part: "mobile", Points: 45}}
	full.Sample = recordID(9)
	bucket := w.question(0, "temperature/同一体温 <\u2028>/1/a", 1, 1)
	bucket.Key.Kind, bucket.Key.Record = review.Implausible, syncproto.RecordID{}
	bucket.State = review.Returned
	w.ask(full, bucket)
	same(w.t, "a question with everything", w.item(full.Key), full)
	same(w.t, "a question about no record", w.item(bucket.Key), bucket)
	ids := []syncproto.RecordID{full.ID(), recordID(77), bucket.ID(), full.ID()}
	found := in(w, func(tx exchange.Tx) ([]review.Item, error) { return tx.Items(ids) })
	slices.SortFunc(found, func(a, b review.Item) int { return strings.Compare(string(a.Kind), string(b.Kind)) })
	same(w.t, "by ids", found, []review.Item{full, bucket})
	_, there, err := w.Item(w.ctx(), recordID(77))
	w.must(err)
	same(w.t, "a question that was never raised is there", there, false)
}

func questionsComePageByPage(w *world) {
	var want []review.Item
	for i := range 700 {
		it := w.question(i, "phone", area.Key(i%3+1), syncproto.Version(i/7+1))
		want = append(want, it)
	}
	w.ask(want...)
	want = slices.DeleteFunc(want, func(it review.Item) bool { return it.Area == 3 })
	slices.SortFunc(want, func(a, b review.Item) int {
		return strings.Compare(fmt.Sprintf("%09d %s", a.Opened, a.ID()), fmt.Sprintf("%09d %s", b.Opened, b.ID()))
	})
	var got []review.Item
	after := desk.Place{}
	for {
		page, err := w.Questions(w.ctx(), []area.Key{2, 1}, desk.Want{}, after, 10)
		w.must(err)
		if len(page) == 0 {
			break
		}
		if len(page) > 10 {
			w.t.Fatalf("a page of %d", len(page))
		}
		got = append(got, page...)
		after = desk.Place{Opened: page[len(page)-1].Opened, ID: page[len(page)-1].ID()}
	}
	same(w.t, "all pages", got, want)
	same(w.t, "no room", w.openItems(desk.Want{}, desk.Place{}, 0, 1), "")
}

func questionsCanBeAskedFor(w *world) {
	mine, theirs, twice := w.question(1, "a", 1, 1), w.question(2, "b", 1, 2), w.pair(review.Duplicate, 3, 4, 3)
	mine.Assignee, twice.Assignee, theirs.Assignee = authorID(1), authorID(1), authorID(2)
	w.ask(mine, theirs, twice, w.question(5, "c", 2, 4), closed(w.pair(review.DoubleVisit, 5, 6, 5), 6))
	first := desk.Place{}
	same(w.t, "of a kind", w.openItems(desk.Want{Kind: review.Conflict}, first, 9, 1, 2), "1:a 2:b 4:c")
	same(w.t, "of a kind, one", w.openItems(desk.Want{Kind: review.Conflict}, first, 1, 1, 2), "1:a")
	same(w.t, "of an assignee", w.openItems(desk.Want{Assignee: authorID(1)}, first, 9, 1, 2), "1:a 3:"+twice.Field)
	both := desk.Want{Kind: review.Duplicate, Assignee: authorID(1)}
	same(w.t, "of both", w.openItems(both, desk.Place{Opened: 1, ID: mine.ID()}, 9, 1, 2), "3:"+twice.Field)
	same(w.t, "of nobody", w.openItems(desk.Want{Assignee: authorID(9)}, first, 9, 1, 2), "")
	same(w.t, "kinds", w.countKinds(1, 2), map[review.Kind]int{review.Conflict: 3, review.Duplicate: 1})
	same(w.t, "kinds of one", w.countKinds(2), map[review.Kind]int{review.Conflict: 1})
	same(w.t, "kinds of none", len(w.countKinds())+len(w.countKinds(9)), 0)
}

func pairsAreFoundFromEitherSide(w *world) {
	first, second, third := w.pair(review.Duplicate, 1, 2, 1), w.pair(review.DoubleVisit, 2, 3, 2), w.pair(review.Duplicate, 4, 5, 3)
	w.ask(first, second, closed(third, 4), w.question(1, recordID(2).String(), 1, 5))
	about := func(records ...int) string {
		var ids []syncproto.RecordID
		for _, r := range records {
			ids = append(ids, recordID(r))
		}
		items := in(w, func(tx exchange.Tx) ([]review.Item, error) { return tx.ItemsAbout(ids) })
		slices.SortFunc(items, func(a, b review.Item) int { return int(a.Opened - b.Opened) })
		return named(items)
	}
	one, two := "1:"+first.Field, "2:"+second.Field
	same(w.t, "from the first", about(1), one)
	same(w.t, "from the second", about(3), two)
	same(w.t, "from the one between", about(2), one+" "+two)
	same(w.t, "from both sides, once", about(1, 2, 2, 3), one+" "+two)
	same(w.t, "closed, and never asked", about(4, 5, 9)+about(), "")
	open := in(w, func(tx exchange.Tx) ([]review.Item, error) { return tx.OpenPairs() })
	slices.SortFunc(open, func(a, b review.Item) int { return int(a.Opened - b.Opened) })
	same(w.t, "all that are open", named(open), one+" "+two)
	boot, err := w.Boot(w.ctx())
	w.must(err)
	same(w.t, "twins", boot.Twins, []exchange.Link{{Record: recordID(2), Into: recordID(3)}})
}

func aQuestionsHistoryComesInOrder(w *world) {
	it, other := w.question(1, "phone", 1, 5), w.question(2, "phone", 1, 5)
	events := []review.Event{
		{Item: it.ID(), Version: 5, At: start, What: review.WasOpened},
		{Item: it.ID(), Version: 5, At: start, What: review.WasAssigned, Detail: authorID(3).String()},
		{
			Item: it.ID(), Version: 7, At: start + 1, What: review.WasClosed, By: authorID(4), Detail: string(review.Merged),
			Changes: []review.Made{{Record: recordID(1), Origin: syncproto.Origin{Device: deviceID(1), N: syncproto.MaxN}}, {Record: recordID(2)}},
		},
		{Item: it.ID(), Version: 6, At: start + 2, What: review.WasUndone, By: authorID(5)},
	}
	elsewhere := review.Event{Item: other.ID(), Version: 5, At: start, What: review.WasOpened}
	w.save(&exchange.Batch{Items: []review.Item{it, other}, Events: []review.Event{events[0], elsewhere, events[1]}})
	w.save(&exchange.Batch{Events: events[2:]})
	same(w.t, "history", w.events(it), events)
	same(w.t, "the other's", w.events(other), []review.Event{elsewhere})
	same(w.t, "of none", len(w.events(w.question(9, "", 1, 1))), 0)
}

func (w *world) events(it review.Item) []review.Event {
	w.t.Helper()
	events, err := w.Events(w.ctx(), it.ID())
	w.must(err)
	return events
}

func theLastWordOnAQuestionHolds(w *world) {
	brief := w.question(1, "note", 1, 7)
	w.ask(w.question(1, "phone", 1, 1), w.question(1, "name", 1, 1), brief, closed(w.question(1, "phone", 1, 1), 5),
		w.question(1, "phone", 1, 6), closed(brief, 8))
	derived, err := w.Derived(w.ctx())
	w.must(err)
	same(w.t, "questions", len(derived.Items), 2)
	same(w.t, "open", w.allOpen(1), "1:name 6:phone")
}
