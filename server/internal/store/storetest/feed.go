package storetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

func pagesComeInOrderOfVersions(w *world) {
	b := &exchange.Batch{}
	var want []syncproto.Record
	for i := range 40 {
		feed := rosterOf(1)
		if i%4 == 1 {
			feed = historyOf(1)
		} else if i%4 == 2 {
			feed = rosterOf(2)
		}
		if r := w.add(b, 1, recordID(100-i), feed); feed == rosterOf(1) {
			want = append(want, r)
		}
	}
	w.save(b)
	rows := w.page(rosterOf(1), 0)
	var got []syncproto.Record
	for _, row := range rows {
		got = append(got, *row.Record)
		same(w.t, "version of the row", row.Version, row.Record.Version)
	}
	same(w.t, "rows", got, want)
	same(w.t, "after the 36th", versions(w.page(rosterOf(1), 36)), "37 40")
	same(w.t, "after the last", versions(w.page(rosterOf(1), 40)), "")
	same(w.t, "the other stream", versions(w.page(historyOf(1), 30)), "34 38")
	same(w.t, "an area that nobody knows", versions(w.page(rosterOf(4_000_000_000), 0)), "")

	// A record that changes moves to the end of its feed.
	edit := &exchange.Batch{}
	w.edit(edit, 2, want[0], rosterOf(1), rosterOf(1))
	w.save(edit)
	same(w.t, "after an edit", versions(w.page(rosterOf(1), 36)), "37 40 41")
	same(w.t, "where it stood", versions(w.page(rosterOf(1), 0)[:2]), "4 5")
}

func pagesAreBoundedByRows(w *world) {
	b := &exchange.Batch{}
	for i := range 10 {
		w.add(b, 1, recordID(i), rosterOf(1))
	}
	w.save(b)
	for _, c := range []struct {
		rows int
		want string
	}{{3, "1 2 3"}, {1, "1"}, {10, "1 2 3 4 5 6 7 8 9 10"}, {0, ""}} {
		rows, err := w.Page(w.ctx(), rosterOf(1), 0, c.rows, 1<<30)
		w.must(err)
		same(w.t, fmt.Sprintf("at most %d", c.rows), versions(rows), c.want)
	}
}

func pagesAreBoundedByBytes(w *world) {
	b := &exchange.Batch{}
	for i := range 20 {
		c := w.change(1, recordID(i))
		c.Fields = json.RawMessage(`{"note":"` + strings.Repeat("记", 400) + `"}`)
		l := w.log(c)
		rc := w.record(&l, rosterOf(1))
		rc.Sole = i%2 == 0
		b.Log, b.Records = append(b.Log, l), append(b.Records, rc)
	}
	w.save(b)
	whole := w.page(rosterOf(1), 0)
	for _, row := range whole {
		encoded := len(syncproto.ValueOf(row.Record))
		if row.Size < encoded*8/10 || row.Size > encoded*12/10 {
			w.t.Errorf("the size of row %d is said to be %d, it is %d", row.Version, row.Size, encoded)
		}
	}
	five := 0
	for _, row := range whole[:5] {
		five += row.Size
	}
	for _, c := range []struct{ bytes, rows int }{{five, 5}, {five - 1, 4}, {five + 1, 5}, {1, 1}, {0, 1}} {
		rows, err := w.Page(w.ctx(), rosterOf(1), 0, 1000, c.bytes)
		w.must(err)
		same(w.t, fmt.Sprintf("rows within %d bytes", c.bytes), len(rows), c.rows)
	}
}

func aMovedRecordGoesFromOneFeedToAnother(w *world) {
	w.areas(2)
	b := &exchange.Batch{}
	r := w.add(b, 1, recordID(1), rosterOf(1))
	w.save(b)
	away := &exchange.Batch{}
	r = w.edit(away, 1, r, rosterOf(1), rosterOf(2))
	w.save(away)
	gone := w.page(rosterOf(1), 0)
	same(w.t, "the old feed", versions(gone), "2gone")
	same(w.t, "what it says", *gone[0].Gone, syncproto.Gone{Record: r.ID, Kind: r.Kind, Area: code(1), Version: 2})
	here := w.page(rosterOf(2), 0)
	same(w.t, "the new feed", versions(here), "2")
	same(w.t, "whole record", *here[0].Record, r)
	same(w.t, "the area it is in", r.Area, code(2))

	back := &exchange.Batch{}
	w.edit(back, 1, r, rosterOf(2), rosterOf(1))
	w.save(back)
	same(w.t, "back again, to one who saw it go", versions(w.page(rosterOf(1), 2)), "3")
	rows := w.page(rosterOf(1), 0)
	if len(rows) == 0 || rows[len(rows)-1].Version != 3 || rows[len(rows)-1].Record == nil {
		w.t.Errorf("back again, to a new reader: %s", versions(rows))
	}
	same(w.t, "gone from the other", versions(w.page(rosterOf(2), 0)), "3gone")
}

// manyMoves fills feed 1 with rows that stay and rows that have gone.
func (w *world) manyMoves() {
	w.areas(2)
	b := &exchange.Batch{}
	var all []syncproto.Record
	for i := range 60 {
		all = append(all, w.add(b, 1, recordID(i), rosterOf(1)))
	}
	w.save(b)
	for i := 0; i < 60; i += 2 {
		b := &exchange.Batch{}
		to := rosterOf(1)
		if i%4 == 0 {
			to = rosterOf(2)
		}
		w.edit(b, 2, all[i], rosterOf(1), to)
		w.save(b)
	}
}

func goneRowsComeInOrder(w *world) {
	w.manyMoves()
	same(w.t, "the last rows", versions(w.page(rosterOf(1), 80)), "81gone 82 83gone 84 85gone 86 87gone 88 89gone 90")
	rows := w.page(rosterOf(1), 0)
	for i := 1; i < len(rows); i++ {
		if rows[i-1].Version >= rows[i].Version {
			w.t.Fatalf("row %d comes before row %d", rows[i-1].Version, rows[i].Version)
		}
	}
}

func noPageStepsOverARow(w *world) {
	w.manyMoves()
	want := versions(w.page(rosterOf(1), 0))
	for _, bound := range []struct{ rows, bytes int }{
		{1, 1 << 20}, {2, 1 << 20}, {7, 1 << 20}, {100, 1}, {100, 600}, {100, 900}, {100, 1000}, {100, 1100}, {100, 1300}, {100, 5000}, {3, 1200},
	} {
		var told []exchange.FeedRow
		for after := syncproto.Version(0); ; {
			rows, err := w.Page(w.ctx(), rosterOf(1), after, bound.rows, bound.bytes)
			w.must(err)
			if len(rows) == 0 {
				break
			}
			if told = append(told, rows...); len(told) > 1000 {
				w.t.Fatalf("pages of %d rows and %d bytes never end", bound.rows, bound.bytes)
			}
			after = rows[len(rows)-1].Version
		}
		same(w.t, fmt.Sprintf("pages of %d rows and %d bytes", bound.rows, bound.bytes), versions(told), want)
	}
}

// cursorNeverSkipsALateCommit reads while groups commit: whatever a reader's cursor
// has passed was told before.
func cursorNeverSkipsALateCommit(w *world) {
	w.areas(2)
	const groups = 120
	var written atomic.Bool
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			there := make(map[syncproto.RecordID]bool)
			after := syncproto.Version(0)
			for {
				done := written.Load() // before the page: what was committed till now is in it
				rows, err := w.Page(w.ctx(), rosterOf(1), after, 5, 1<<20)
				if err != nil {
					w.t.Error(err)
					return
				}
				if len(rows) > 0 && rows[0].Version <= after {
					w.t.Errorf("row %d comes after %d", rows[0].Version, after)
					return
				}
				for _, row := range rows {
					if row.Gone != nil {
						delete(there, row.Gone.Record)
					} else {
						there[row.Record.ID] = true
					}
					after = row.Version
				}
				if len(rows) == 0 && done {
					break
				}
			}
			for i := range groups {
				if there[recordID(i)] != (i%3 != 0 || i == groups-1) {
					w.t.Errorf("record %d: there is %v", i, there[recordID(i)])
				}
			}
		})
	}
	var before syncproto.Record
	for i := range groups {
		b := &exchange.Batch{}
		r := w.add(b, 1, recordID(i), rosterOf(1))
		if i > 0 && (i-1)%3 == 0 {
			w.edit(b, 2, before, rosterOf(1), rosterOf(2))
		}
		before = r
		w.save(b)
	}
	written.Store(true)
	readers.Wait()
}
