package storetest

import (
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/fieldwork"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

func (w *world) traces() exchange.Traces {
	w.t.Helper()
	derived, err := w.Derived(w.ctx())
	w.must(err)
	return derived.Traces
}

func visit(round, household, n int, key area.Key, outcome string) rollup.Visited {
	return rollup.Visited{
		Round: recordID(round), Household: recordID(household), Visit: recordID(n), Area: key,
		Outcome: outcome, Author: authorID(n%3 + 1), At: start + syncproto.Instant(n),
	}
}

func dwelling(household int, key area.Key, tenure string, found, left form.Day) rollup.Dwelling {
	return rollup.Dwelling{Household: recordID(household), Area: key, Tenure: tenure, Found: found, Left: left}
}

func reference(target int, kind syncproto.Kind, field string, record int, key area.Key) exchange.Reference {
	return exchange.Reference{Target: recordID(target), Kind: kind, Field: field, Record: recordID(record), Area: key}
}

func tracesComeAndGo(w *world) {
	all := exchange.Traces{
		Visited:   []rollup.Visited{visit(1, 11, 21, 1, "met"), visit(1, 11, 22, 1, ""), visit(2, 11, 23, 4_000_000_000, "refused")},
		Dwellings: []rollup.Dwelling{dwelling(11, 1, "rented", 20200125, rollup.Stays), dwelling(12, 2, "", 20200126, 0)},
		References: []exchange.Reference{
			reference(5, "notice_read", "notice", 31, 1), reference(5, "task", "list", 32, 2), reference(6, "task", "list", 32, 2),
		},
	}
	w.save(&exchange.Batch{Traced: all})
	same(w.t, "kept", w.traces(), all)

	corrected := all.Visited[0]
	corrected.Outcome, corrected.Area = "not_home", 3
	moved := all.Dwellings[0]
	moved.Area, moved.Left = 2, 20200201
	elsewhere := all.References[0]
	elsewhere.Area = 9
	w.save(&exchange.Batch{
		Traced: exchange.Traces{
			Visited: []rollup.Visited{corrected}, Dwellings: []rollup.Dwelling{moved}, References: []exchange.Reference{elsewhere},
		},
		Untraced: exchange.Traces{
			Visited:    []rollup.Visited{all.Visited[0], all.Visited[2]},
			Dwellings:  []rollup.Dwelling{all.Dwellings[0], {Household: recordID(12)}, {Household: recordID(99)}},
			References: []exchange.Reference{all.References[0], all.References[1]},
		},
	})
	want := exchange.Traces{
		Visited: []rollup.Visited{corrected, all.Visited[1]}, Dwellings: []rollup.Dwelling{moved},
		References: []exchange.Reference{elsewhere, all.References[2]},
	}
	same(w.t, "corrected", w.traces(), want)
	w.reopen()
	same(w.t, "opened again", w.traces(), want)
	given := exchange.Traces{
		Visited: []rollup.Visited{visit(7, 7, 7, 7, "met")}, Dwellings: []rollup.Dwelling{dwelling(7, 7, "firm", 1, 2)},
		References: []exchange.Reference{reference(7, "breach", "observation", 8, 7)},
	}
	w.rederive(&exchange.Derived{Traces: given})
	same(w.t, "derived anew", w.traces(), given)
}

// aRound is one round among five households of two areas: met at last, refused at last,
// never at home, answered by telephone, and never gone to.
func (w *world) aRound() {
	w.save(&exchange.Batch{Traced: exchange.Traces{
		Dwellings: []rollup.Dwelling{
			dwelling(11, 1, "rented", 20200125, rollup.Stays), dwelling(12, 1, "registered", 20200125, rollup.Stays),
			dwelling(13, 1, "", 20200125, 20200130), dwelling(14, 2, "rented", 20200125, rollup.Stays),
			dwelling(15, 2, "firm", 20200126, rollup.Stays),
		},
		Visited: []rollup.Visited{
			visit(1, 11, 21, 1, "not_home"), visit(1, 11, 22, 1, "refused"), visit(1, 11, 23, 2, "met"),
			visit(1, 12, 24, 1, "not_home"), visit(1, 12, 25, 1, "refused"), visit(1, 12, 26, 1, "not_home"),
			visit(1, 13, 27, 1, "not_home"), visit(1, 14, 28, 2, ""), visit(2, 15, 29, 2, "met"),
		},
	}})
}

func (w *world) reached(round int, day form.Day, tenures []string, areas ...area.Key) []fieldwork.Reach {
	w.t.Helper()
	all, err := w.Reached(w.ctx(), recordID(round), areas, day, tenures)
	w.must(err)
	return all
}

func aHouseholdCountsByItsBestVisit(w *world) {
	w.aRound()
	same(w.t, "reached", w.reached(1, 20200126, nil, 2, 1), []fieldwork.Reach{
		{Area: 1, Way: fieldwork.Met, N: 1},
		{Area: 1, Way: fieldwork.Refused, N: 1},
		{Area: 1, Way: fieldwork.NotHome, N: 1},
		{Area: 2, Way: fieldwork.Never, N: 1},
		{Area: 2, Way: fieldwork.Other, N: 1},
	})
	same(w.t, "before one was found", w.reached(1, 20200125, nil, 2), []fieldwork.Reach{{Area: 2, Way: fieldwork.Other, N: 1}})
	same(w.t, "when one had left", w.reached(1, 20200130, nil, 1), []fieldwork.Reach{
		{Area: 1, Way: fieldwork.Met, N: 1}, {Area: 1, Way: fieldwork.Refused, N: 1},
	})
	same(w.t, "of some tenures", w.reached(1, 20200126, []string{"rented", "firm"}, 1, 2), []fieldwork.Reach{
		{Area: 1, Way: fieldwork.Met, N: 1}, {Area: 2, Way: fieldwork.Never, N: 1}, {Area: 2, Way: fieldwork.Other, N: 1},
	})
	same(w.t, "another round", w.reached(2, 20200126, nil, 2), []fieldwork.Reach{
		{Area: 2, Way: fieldwork.Never, N: 1}, {Area: 2, Way: fieldwork.Met, N: 1},
	})
	same(w.t, "no areas", len(w.reached(1, 20200126, nil)), 0)
	w.save(&exchange.Batch{
		Links:    []exchange.Link{link(14, 12)},
		Untraced: exchange.Traces{Dwellings: []rollup.Dwelling{{Household: recordID(14)}}, Visited: []rollup.Visited{visit(1, 12, 25, 1, "refused")}},
	})
	same(w.t, "two that are one", w.reached(1, 20200126, nil, 1, 2), []fieldwork.Reach{
		{Area: 1, Way: fieldwork.Met, N: 1}, {Area: 1, Way: fieldwork.NotHome, N: 2}, {Area: 2, Way: fieldwork.Never, N: 1},
	})
}

func householdsInACircleAreTheLeastOfThem(w *world) {
	w.aRound()
	w.save(&exchange.Batch{
		Links:    []exchange.Link{link(12, 14), link(14, 13), link(13, 12), link(15, 14)},
		Untraced: exchange.Traces{Dwellings: []rollup.Dwelling{{Household: recordID(13)}, {Household: recordID(14)}, {Household: recordID(15)}}},
	})
	same(w.t, "reached", w.reached(1, 20200126, nil, 1, 2), []fieldwork.Reach{{Area: 1, Way: fieldwork.Met, N: 1}, {Area: 1, Way: fieldwork.Refused, N: 1}})
	same(w.t, "in another round", w.reached(2, 20200126, nil, 1, 2), []fieldwork.Reach{{Area: 1, Way: fieldwork.Never, N: 1}, {Area: 1, Way: fieldwork.Met, N: 1}})
	turns, err := w.Turned(w.ctx(), recordID(1), recordID(2), []area.Key{1, 2}, 20200126)
	w.must(err)
	same(w.t, "turned", turns, []fieldwork.Turn{{From: fieldwork.Met, To: fieldwork.Never, N: 1}, {From: fieldwork.Refused, To: fieldwork.Met, N: 1}})
}

func householdsOfARoundComePageByPage(w *world) {
	w.aRound()
	w.save(&exchange.Batch{
		Links:    []exchange.Link{link(14, 12)},
		Untraced: exchange.Traces{Dwellings: []rollup.Dwelling{{Household: recordID(14)}}},
	})
	place := func(key area.Key, n int) fieldwork.HouseholdPlace {
		return fieldwork.HouseholdPlace{Area: key, Household: recordID(n)}
	}
	want := []fieldwork.Household{
		{HouseholdPlace: place(1, 11), Way: fieldwork.Met, Visits: 3},
		{HouseholdPlace: place(1, 12), Way: fieldwork.Refused, Visits: 4},
		{HouseholdPlace: place(1, 13), Way: fieldwork.NotHome, Visits: 1},
		{HouseholdPlace: place(2, 15), Way: fieldwork.Never},
	}
	ask := fieldwork.HouseholdsWanted{
		Round: recordID(1), Areas: []area.Key{2, 1}, Day: 20200126, Limit: 100,
		Ways: []fieldwork.Way{fieldwork.Never, fieldwork.Met, fieldwork.Refused, fieldwork.NotHome, fieldwork.Other},
	}
	households := func(ask fieldwork.HouseholdsWanted) []fieldwork.Household {
		found, err := w.Households(w.ctx(), ask)
		w.must(err)
		return found
	}
	same(w.t, "all", households(ask), want)
	for limit := 1; limit <= 5; limit++ {
		page, told := ask, []fieldwork.Household(nil)
		for page.Limit = limit; ; page.After = told[len(told)-1].HouseholdPlace {
			found := households(page)
			if told = append(told, found...); len(found) < limit || len(told) > 9 {
				break
			}
		}
		same(w.t, "page by page", told, want)
	}
	some := ask
	some.Ways = []fieldwork.Way{fieldwork.Never, fieldwork.Refused}
	same(w.t, "of two ways", households(some), []fieldwork.Household{want[1], want[3]})
	some.Tenures = []string{"registered"}
	same(w.t, "of one tenure", households(some), want[1:2])
	some.Day = 20200124
	same(w.t, "before there were any", len(households(some)), 0)
	some.Areas = nil
	same(w.t, "nowhere", len(households(some)), 0)
}

func whatIsVisitedAndNotThereIsCounted(w *world) {
	w.aRound()
	elsewhere := func(day form.Day, areas ...area.Key) int {
		n, err := w.Elsewhere(w.ctx(), recordID(1), areas, day)
		w.must(err)
		return n
	}
	same(w.t, "one was gone to from the next area", elsewhere(20200126, 2), 1)
	same(w.t, "all are there", elsewhere(20200126, 1, 2), 0)
	same(w.t, "one has left", elsewhere(20200130, 1, 2), 1)
	same(w.t, "nobody was there yet", elsewhere(20200101, 1, 2), 4)
	same(w.t, "no areas", elsewhere(20200126), 0)
	w.save(&exchange.Batch{
		Traced: exchange.Traces{Visited: []rollup.Visited{visit(1, 88, 30, 1, "met"), visit(1, 89, 31, 1, "met")}},
		Links:  []exchange.Link{link(88, 89)},
	})
	same(w.t, "two that are one", elsewhere(20200126, 1, 2), 1)
}

func referencesAreFoundByTheirTarget(w *world) {
	b := &exchange.Batch{Traced: exchange.Traces{References: []exchange.Reference{
		reference(5, "task", "list", 1, 1), reference(5, "task", "lists", 1, 1), reference(5, "breach", "list", 2, 1), reference(6, "task", "list", 3, 1),
	}}}
	for n := range 20 {
		b.Traced.References = append(b.Traced.References, reference(5, "task", "list", 100+n, area.Key(n)))
	}
	w.save(b)
	referring := func(target int, kind syncproto.Kind, after, limit int) []exchange.Reference {
		found, err := w.Referring(w.ctx(), recordID(target), kind, recordID(after), limit)
		w.must(err)
		return found
	}
	all := slices.Concat(b.Traced.References[:2], b.Traced.References[4:])
	same(w.t, "all", referring(5, "task", 0, 100), all)
	same(w.t, "the first", referring(5, "task", 0, 3), all[:3])
	same(w.t, "after one", referring(5, "task", 100, 2), all[3:5])
	same(w.t, "of another target", referring(6, "task", 0, 100), []exchange.Reference{reference(6, "task", "list", 3, 1)})
	same(w.t, "of no kind", len(referring(5, "nothing", 0, 100)), 0)
	same(w.t, "of no target", len(referring(7, "task", 0, 100)), 0)
}

func theLogIsCutByTime(w *world) {
	before := func(t syncproto.Instant) syncproto.Version {
		v, err := w.Before(w.ctx(), t)
		w.must(err)
		return v
	}
	same(w.t, "of an empty log", before(start), syncproto.Version(0))
	ends := map[syncproto.Instant]syncproto.Version{}
	for n := range 9 {
		b := &exchange.Batch{}
		at := w.time()
		for i := range n%3 + 1 {
			w.add(b, 1, recordID(n*10+i+1), rosterOf(1))
		}
		w.last += syncproto.Version(n) // numbers that no row has
		w.save(b)
		ends[at] = b.Log[len(b.Log)-1].Seq
	}
	last := syncproto.Version(0)
	for at := start; at < start+12_000; at += 500 {
		same(w.t, "before", before(at), last)
		if end, there := ends[at]; there {
			same(w.t, "just after", before(at+1), end)
			last = end
		}
	}
}
