package storetest

import (
	"fmt"
	"strings"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
)

// rosterPage reads a page as "area/version …" and returns where it ended.
func (w *world) rosterPage(kind syncproto.Kind, after roster.Place, limit int, areas ...area.Key) (string, roster.Place) {
	w.t.Helper()
	records, end, err := w.Roster(w.ctx(), areas, kind, after, limit)
	w.must(err)
	var names []string
	for _, r := range records {
		names = append(names, fmt.Sprintf("%s/%d", strings.TrimPrefix(string(r.Area), "330702"), r.Version))
	}
	return strings.Join(names, " "), end
}

// threeAreas fills areas 1 to 3; every third record is a visit in the history.
func (w *world) threeAreas() []syncproto.Record {
	w.areas(40)
	b := &exchange.Batch{}
	var all []syncproto.Record
	for i := range 12 {
		key := area.Key(i%3 + 1)
		c := w.change(1, recordID(i))
		c.Area = code(key)
		feed := rosterOf(key)
		if i%2 == 1 {
			c.Kind, feed = "visit", historyOf(key)
		}
		l := w.log(c)
		rc := w.record(&l, feed)
		b.Log, b.Records = append(b.Log, l), append(b.Records, rc)
		all = append(all, rc.Record)
	}
	w.save(b)
	return all
}

func rostersComeAreaByArea(w *world) {
	all := w.threeAreas()
	page, end := w.rosterPage("", roster.Place{}, 100, 3, 39, 1)
	same(w.t, "areas in the order given", page, "003/3 003/6 003/9 003/12 001/1 001/4 001/7 001/10")
	same(w.t, "end", end, roster.Place{Area: 1, Version: 10})
	records, _, err := w.Roster(w.ctx(), []area.Key{1}, "", roster.Place{}, 1)
	w.must(err)
	same(w.t, "the record", records, all[:1])
	page, end = w.rosterPage("", roster.Place{}, 100)
	same(w.t, "no areas", page, "")
	same(w.t, "end of no areas", end, roster.Place{})
	page, _ = w.rosterPage("", roster.Place{}, 100, 39)
	same(w.t, "an empty area", page, "")
}

func rostersCanKeepToAKind(w *world) {
	w.threeAreas()
	page, _ := w.rosterPage("visit", roster.Place{}, 100, 1, 2, 3)
	same(w.t, "visits", page, "001/4 001/10 002/2 002/8 003/6 003/12")
	page, end := w.rosterPage("person", roster.Place{Area: 1, Version: 1}, 2, 1, 2)
	same(w.t, "people after a place", page, "001/7 002/5")
	same(w.t, "end", end, roster.Place{Area: 2, Version: 5})
	page, end = w.rosterPage("nothing", roster.Place{Area: 1, Version: 1}, 2, 1, 2)
	same(w.t, "a kind that nobody knows", page, "")
	same(w.t, "end of it", end, roster.Place{Area: 1, Version: 1})
}

func rostersGoOnWhereTheyEnded(w *world) {
	w.threeAreas()
	want, _ := w.rosterPage("", roster.Place{}, 100, 2, 1, 3)
	for limit := 1; limit <= 13; limit++ {
		var told []string
		for place := (roster.Place{}); ; {
			page, end := w.rosterPage("", place, limit, 2, 1, 3)
			if page == "" {
				break
			}
			if told = append(told, page); len(told) > 12 {
				w.t.Fatalf("pages of %d never end: %v", limit, told)
			}
			place = end
		}
		same(w.t, fmt.Sprintf("pages of %d", limit), strings.Join(told, " "), want)
	}
	page, _ := w.rosterPage("", roster.Place{Area: 33, Version: 1000}, 3, 2, 1)
	same(w.t, "after an area that is no longer asked for", page, "002/2 002/5 002/8")
}
