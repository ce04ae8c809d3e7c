package storetest

import (
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// counted saves counters with the sums that follow from them by a tree.
func (w *world) counted(tree rollup.Tree, counts ...rollup.Count) {
	w.t.Helper()
	w.save(&exchange.Batch{Counts: counts, Sums: tree.Sums(counts), Tree: &tree})
}

// summed reads sums, as a reader and as a group sees them.
func (w *world) summed(days rollup.Days, standing map[string]bool, areas ...area.Key) rollup.Summed {
	w.t.Helper()
	summed, err := w.Sums(w.ctx(), areas, days, standing)
	w.must(err)
	group := in(w, func(tx exchange.Tx) ([]rollup.Count, error) { return tx.Sums(areas, days, standing) })
	same(w.t, "sums as a group sees them", group, summed.Counts)
	return summed
}

func sumsReachDownTheTreeAndOverTheDays(w *world) {
	// 1 has 2 below it, and 2 has 3; 4 is by itself.
	tree := rollup.Tree{Shape: -77, Parents: map[area.Key]area.Key{1: 0, 2: 1, 3: 2, 4: 0}}
	count := func(key area.Key, measure string, day form.Day, n int64) rollup.Count {
		return rollup.Count{Area: key, Measure: measure, Day: day, N: n}
	}
	w.last = 9
	at := w.time()
	w.counted(tree,
		count(3, "persons", 20181231, 1), count(3, "persons", 20191115, 10), count(2, "persons", 20200115, 100),
		count(3, "persons", 20200131, -1), count(1, "persons", 20200131, 1000), count(3, "persons", 20200201, 5),
		count(3, "不在家", 20200130, 2), count(2, "不在家", 20200131, 3), count(2, "不在家", 20200201, 4),
		count(4, "persons", 20200131, 1<<53), count(3, "other", 20200131, 8),
	)
	stands := map[string]bool{"persons": true, "不在家": false}
	read := w.summed(rollup.On(20200131), stands, 1, 2, 3)
	same(w.t, "shape", read.Shape, int64(-77))
	same(w.t, "version", read.Version, syncproto.Version(9))
	same(w.t, "instant", read.At, at)
	same(w.t, "on the 31st", read.Counts, []rollup.Count{
		count(1, "persons", 20200131, 1110), count(1, "不在家", 20200131, 3),
		count(2, "persons", 20200131, 110), count(2, "不在家", 20200131, 3),
		count(3, "persons", 20200131, 10),
	})
	same(w.t, "over two days", w.summed(rollup.Days{From: 20200130, To: 20200131}, stands, 1).Counts, []rollup.Count{
		count(1, "persons", 20200131, 1110), count(1, "不在家", 20200131, 5),
	})
	same(w.t, "over three months", w.summed(rollup.Days{From: 20191231, To: 20200215}, stands, 2).Counts, []rollup.Count{
		count(2, "persons", 20200215, 115), count(2, "不在家", 20200215, 9),
	})
	same(w.t, "a year before", w.summed(rollup.On(20190101), stands, 1, 4).Counts, []rollup.Count{count(1, "persons", 20190101, 1)})
	same(w.t, "before everything", len(w.summed(rollup.On(20181230), stands, 1, 2, 3, 4).Counts), 0)
	same(w.t, "a great number", w.summed(rollup.On(20201231), stands, 4).Counts, []rollup.Count{count(4, "persons", 20201231, 1<<53)})
	same(w.t, "no areas", len(w.summed(rollup.On(20200131), stands).Counts), 0)
	same(w.t, "no measures", len(w.summed(rollup.On(20200131), nil, 1).Counts), 0)

	daily, err := w.Daily(w.ctx(), []area.Key{1, 3}, rollup.Days{From: 20200130, To: 20200201}, stands)
	w.must(err)
	same(w.t, "day by day", daily, rollup.Summed{Shape: -77, Version: 9, At: at, Counts: []rollup.Count{
		count(1, "persons", 0, 111), count(1, "persons", 20200131, 999), count(1, "persons", 20200201, 5),
		count(1, "不在家", 20200130, 2), count(1, "不在家", 20200131, 3), count(1, "不在家", 20200201, 4),
		count(3, "persons", 0, 11), count(3, "persons", 20200131, -1), count(3, "persons", 20200201, 5),
		count(3, "不在家", 20200130, 2),
	}})
}

func sumsFollowTheTree(w *world) {
	was := rollup.Tree{Shape: 1, Parents: map[area.Key]area.Key{1: 0, 2: 1, 3: 2}}
	now := rollup.Tree{Shape: 2, Parents: map[area.Key]area.Key{1: 0, 2: 3, 3: 1, 4: 3}}
	day := form.Day(20200131)
	counts := []rollup.Count{{Area: 2, Measure: "persons", Day: day, N: 20}, {Area: 3, Measure: "persons", Day: day, N: 3}}
	w.counted(was, counts...)
	tree := func() rollup.Tree { return in(w, func(tx exchange.Tx) (rollup.Tree, error) { return tx.SumTree() }) }
	same(w.t, "the tree", tree(), was)
	whole := in(w, func(tx exchange.Tx) (map[area.Key][]rollup.Sum, error) { return tx.Whole([]area.Key{3, 2, 9}) })
	for _, sums := range whole {
		slices.SortFunc(sums, func(a, b rollup.Sum) int { return int(a.Slot - b.Slot) })
	}
	sum := func(key area.Key, slot rollup.Slot, n int64) rollup.Sum {
		return rollup.Sum{Area: key, Measure: "persons", Slot: slot, N: n}
	}
	for key, want := range map[area.Key]struct{ own, below, all int64 }{2: {20, 3, 23}, 3: {3, 0, 3}} {
		var day int64
		for _, s := range whole[key] {
			if s.Slot.IsDay() {
				day += s.N
			}
		}
		same(w.t, "days of an area with all below it", day, want.own+want.below)
		longer := slices.DeleteFunc(slices.Clone(whole[key]), func(s rollup.Sum) bool { return s.Slot.IsDay() })
		same(w.t, "its months and years", longer, []rollup.Sum{sum(key, 120200100, want.all), sum(key, 220200000, want.all)})
	}
	same(w.t, "an area of which nothing is known", len(whole[9]), 0)

	displaced := was.Displaced(now)
	w.save(&exchange.Batch{Sums: was.Carry(now, displaced, whole), Tree: now.Since(was)})
	same(w.t, "the tree afterwards", tree(), now)
	stands := map[string]bool{"persons": true}
	same(w.t, "sums afterwards", w.summed(rollup.On(day), stands, 1, 2, 3, 4).Counts, []rollup.Count{
		{Area: 1, Measure: "persons", Day: day, N: 23}, {Area: 2, Measure: "persons", Day: day, N: 20}, {Area: 3, Measure: "persons", Day: day, N: 23},
	})
	w.reopen()
	same(w.t, "the tree after a restart", tree(), now)
}

func whoBelongedToAnAreaIsRemembered(w *world) {
	lodging := func(key area.Key, n int) rollup.Lodging { return rollup.Lodging{Area: key, Record: recordID(n)} }
	w.save(&exchange.Batch{Lodged: []rollup.Lodging{lodging(1, 3), lodging(1, 1), lodging(2, 1), lodging(1, 2)}})
	lodgers := func(key area.Key, after, limit int) []syncproto.RecordID {
		var from syncproto.RecordID
		if after > 0 {
			from = recordID(after)
		}
		ids, err := w.Lodgers(w.ctx(), key, from, limit)
		w.must(err)
		return ids
	}
	same(w.t, "in order", lodgers(1, 0, 9), []syncproto.RecordID{recordID(1), recordID(2), recordID(3)})
	same(w.t, "a page", lodgers(1, 1, 1), []syncproto.RecordID{recordID(2)})
	same(w.t, "elsewhere", lodgers(2, 0, 9), []syncproto.RecordID{recordID(1)})
	same(w.t, "nowhere", len(lodgers(3, 0, 9)), 0)
	w.save(&exchange.Batch{
		Unlodged: []rollup.Lodging{lodging(1, 1), lodging(1, 3), lodging(7, 7)}, Lodged: []rollup.Lodging{lodging(1, 3), lodging(1, 2)},
	})
	same(w.t, "afterwards", lodgers(1, 0, 9), []syncproto.RecordID{recordID(2), recordID(3)})
	derived, err := w.Derived(w.ctx())
	w.must(err)
	same(w.t, "derived", derived.Lodgings, []rollup.Lodging{lodging(1, 2), lodging(1, 3), lodging(2, 1)})
}
