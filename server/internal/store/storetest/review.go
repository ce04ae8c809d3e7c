package storetest

import (
	"fmt"
	"strings"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// question is one open item, as a batch wants it.
func (w *world) question(record syncproto.RecordID, field string, key area.Key, opened syncproto.Version) []review.Item {
	return []review.Item{{Kind: review.Conflict, Record: record, Field: field, Area: key, Opened: opened, At: w.time()}}
}

// open returns the open items of areas, as "opened:field", and checks their records.
func (w *world) openItems(after syncproto.Version, limit int, areas ...area.Key) string {
	w.t.Helper()
	items, records, err := w.OpenItems(w.ctx(), areas, after, limit)
	w.must(err)
	var names []string
	var want []syncproto.RecordID
	seen := make(map[syncproto.RecordID]bool)
	for _, it := range items {
		names = append(names, fmt.Sprintf("%d:%s", it.Opened, it.Field))
		if !seen[it.Record] {
			want = append(want, it.Record)
		}
		seen[it.Record] = true
	}
	var got []syncproto.RecordID
	for _, r := range records {
		got = append(got, r.ID)
	}
	same(w.t, "records of the items", got, want)
	return strings.Join(names, " ")
}

func (w *world) countOpen(areas ...area.Key) int {
	w.t.Helper()
	n, err := w.CountOpen(w.ctx(), areas)
	w.must(err)
	return n
}

func questionsOpenAndClose(w *world) {
	b := &exchange.Batch{}
	for i := range 3 {
		w.add(b, 1, recordID(i), rosterOf(1))
	}
	phone := w.question(recordID(0), "phone", 1, 1)[0]
	left := w.question(recordID(1), "exit", 2, 2)[0]
	left.Kind = review.Exit
	both := w.question(recordID(1), "exit", 2, 3)[0]
	b.Opened = []review.Item{both, left, phone}
	w.save(b)
	same(w.t, "open in both", w.openItems(0, 10, 1, 2), "1:phone 2:exit 3:exit")
	same(w.t, "open in one", w.openItems(0, 10, 1), "1:phone")
	same(w.t, "after the first", w.openItems(1, 10, 1, 2), "2:exit 3:exit")
	same(w.t, "open nowhere", w.openItems(0, 10, 7)+w.openItems(0, 10), "")
	same(w.t, "count", []int{w.countOpen(1, 2), w.countOpen(2), w.countOpen(), w.countOpen(7)}, []int{3, 2, 0, 0})
	items, records, err := w.OpenItems(w.ctx(), []area.Key{1}, 0, 10)
	w.must(err)
	same(w.t, "the item", items, []review.Item{phone})
	same(w.t, "its record", records, []syncproto.Record{b.Records[0].Record})

	phone.Closed = 4
	w.save(&exchange.Batch{Closed: []review.Item{phone}})
	same(w.t, "open after one was closed", w.openItems(0, 10, 1, 2), "2:exit 3:exit")
	same(w.t, "count after one was closed", []int{w.countOpen(1, 2), w.countOpen(1)}, []int{2, 0})
	derived, err := w.Derived(w.ctx())
	w.must(err)
	same(w.t, "all", derived.Items, []review.Item{phone, left, both})

	phone.Opened, phone.Closed, phone.Area = 5, 0, 2
	w.save(&exchange.Batch{Opened: []review.Item{phone}})
	same(w.t, "opened again, at another desk", w.openItems(0, 10, 2), "2:exit 3:exit 5:phone")
	same(w.t, "count", w.countOpen(1, 2), 3)
}

func noPageOfQuestionsEndsAmidAVersion(w *world) {
	b := &exchange.Batch{}
	for i := range 6 {
		w.add(b, 1, recordID(i), rosterOf(1))
	}
	for i, opened := range []syncproto.Version{1, 2, 2, 2, 2, 3, 4, 4} {
		b.Opened = append(b.Opened, w.question(recordID(i%6), fmt.Sprintf("f%d", 9-i), 1, opened)...)
	}
	w.save(b)
	same(w.t, "two", w.openItems(0, 2, 1), "1:f9 2:f8 2:f7 2:f6 2:f5")
	same(w.t, "one", w.openItems(0, 1, 1), "1:f9")
	same(w.t, "one of many", w.openItems(1, 1, 1), "2:f8 2:f7 2:f6 2:f5")
	same(w.t, "the next", w.openItems(2, 2, 1), "3:f4 4:f3 4:f2")
	same(w.t, "exactly", w.openItems(0, 5, 1), "1:f9 2:f8 2:f7 2:f6 2:f5")
	same(w.t, "none", w.openItems(0, 0, 1)+w.openItems(4, 3, 1), "")
}

func theLastWordOnAQuestionHolds(w *world) {
	b := &exchange.Batch{}
	w.add(b, 1, recordID(1), rosterOf(1))
	b.Opened = append(w.question(recordID(1), "phone", 1, 1), w.question(recordID(1), "name", 1, 1)...)
	w.save(b)
	closed := w.question(recordID(1), "phone", 1, 1)
	closed[0].Closed = 5
	again := w.question(recordID(1), "phone", 1, 6)
	brief := w.question(recordID(1), "note", 1, 7)
	over := w.question(recordID(1), "note", 1, 7)
	over[0].Closed = 8
	w.save(&exchange.Batch{Opened: append(again, brief...), Closed: append(closed, over...)})
	same(w.t, "open", w.openItems(0, 10, 1), "1:name 6:phone")
	derived, err := w.Derived(w.ctx())
	w.must(err)
	same(w.t, "questions", len(derived.Items), 3)
}
