package storetest

import (
	"math"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/match"
	"gridsync/syncproto"
)

// persons saves records with these numbers, for the index to speak of.
func (w *world) persons(records ...int) {
	w.t.Helper()
	b := &exchange.Batch{}
	for _, n := range records {
		w.add(b, 1, recordID(n), rosterOf(1))
	}
	w.save(b)
}

// entry is one line of the index.
func entry(key match.Key, record int) match.Entry {
	return match.Entry{Key: key, Record: recordID(record)}
}

// blocks returns the numbers of the records that stand in ranges.
func (w *world) blocks(limit int, ranges ...match.Range) [][]int {
	w.t.Helper()
	found := in(w, func(tx exchange.Tx) ([][]syncproto.RecordID, error) { return tx.Blocks(ranges, limit) })
	same(w.t, "a block for each range", len(found), len(ranges))
	blocks := make([][]int, len(found))
	for i, ids := range found {
		for _, id := range ids {
			blocks[i] = append(blocks[i], int(id[14])<<8|int(id[15]))
		}
	}
	return blocks
}

func blocksReachBothEndsOfTheKeys(w *world) {
	w.persons(1, 2, 3, 4, 5, 6)
	const middle = match.Key(1 << 63)
	w.save(&exchange.Batch{Indexed: []match.Entry{
		entry(math.MaxUint64, 6), entry(middle, 4), entry(middle-1, 3), entry(0, 1), entry(1, 2), entry(middle+1, 5),
	}})
	whole := match.Range{From: 0, To: math.MaxUint64}
	same(w.t, "ranges", w.blocks(100,
		whole, match.Range{From: 0, To: 0}, match.Range{From: math.MaxUint64, To: math.MaxUint64},
		match.Range{From: middle - 1, To: middle}, match.Range{From: middle + 1, To: math.MaxUint64 - 1},
		match.Range{From: 2, To: middle - 2}, match.Range{From: 5, To: 4},
	), [][]int{{1, 2, 3, 4, 5, 6}, {1}, {6}, {3, 4}, {5}, nil, nil})
	// All keys with one upper half, as a name that can't be read is looked for.
	const lower = 1<<32 - 1
	same(w.t, "wide ranges", w.blocks(100,
		match.Range{From: 0, To: lower}, match.Range{From: middle, To: middle + lower},
		match.Range{From: 1 << 32, To: 1<<32 + lower}, match.Range{From: math.MaxUint64 - lower, To: math.MaxUint64},
		match.Range{From: middle - 1 - lower, To: middle - 1}, match.Range{From: 2, To: 2 + lower},
	), [][]int{{1, 2}, {4, 5}, nil, {6}, {3}, nil})
	derived, err := w.Derived(w.ctx())
	w.must(err)
	same(w.t, "the index", derived.Index, []match.Entry{
		entry(0, 1), entry(1, 2), entry(middle-1, 3), entry(middle, 4), entry(middle+1, 5), entry(math.MaxUint64, 6),
	})
}

func blocksAreBounded(w *world) {
	b := &exchange.Batch{}
	for i := range 300 {
		w.add(b, 1, recordID(i), historyOf(1))
		b.Indexed = append(b.Indexed, entry(7, 299-i), entry(match.Key(1000+i), i))
	}
	w.save(b)
	ranges := []match.Range{{From: 7, To: 7}, {From: 8, To: 8}, {From: 0, To: math.MaxUint64}}
	var want [][]int
	for i := range 300 {
		ranges = append(ranges, match.Range{From: match.Key(1000 + i), To: match.Key(1001 + i)})
		want = append(want, []int{i, i + 1})
	}
	want[299] = []int{299}
	got := w.blocks(5, ranges...)
	same(w.t, "of many, the first come", got[0], []int{0, 1, 2, 3, 4})
	same(w.t, "of many in all", got[2], []int{0, 1, 2, 3, 4})
	same(w.t, "of none", len(got[1]), 0)
	same(w.t, "hundreds of ranges", got[3:], want)
	same(w.t, "the rest", len(w.blocks(1000, ranges[0])[0]), 300)
	same(w.t, "no room", w.blocks(0, ranges[0]), [][]int{nil})
}

func recordsMoveWithinTheIndex(w *world) {
	w.persons(1, 2)
	all := match.Range{From: 0, To: math.MaxUint64}
	w.save(&exchange.Batch{Indexed: []match.Entry{entry(5, 1), entry(6, 1), entry(5, 2), entry(5, 2)}})
	w.save(&exchange.Batch{Indexed: []match.Entry{entry(5, 1)}}) // it stands there already
	same(w.t, "both", w.blocks(9, match.Range{From: 5, To: 5}, all), [][]int{{1, 2}, {1, 2, 1}})
	w.save(&exchange.Batch{
		Unindexed: []match.Entry{entry(5, 1), entry(6, 1), entry(99, 2)},
		Indexed:   []match.Entry{entry(4, 1), entry(6, 1)},
	})
	derived, err := w.Derived(w.ctx())
	w.must(err)
	same(w.t, "moved, and stayed where it is in both lists", derived.Index, []match.Entry{entry(4, 1), entry(5, 2), entry(6, 1)})
	if w.trySave(&exchange.Batch{Indexed: []match.Entry{entry(1, 77)}}) == nil {
		w.t.Error("a record that isn't there stands in the index")
	}
}

func whoStandsAlikeIsFound(w *world) {
	w.persons(1, 2, 3, 4, 5)
	const middle, lower = match.Key(1 << 63), 1<<32 - 1
	w.save(&exchange.Batch{Indexed: []match.Entry{
		entry(0, 1), entry(1, 2), entry(1, 3), entry(middle, 4), entry(math.MaxUint64, 5), entry(middle+lower, 1),
	}})
	alike := func(limit int, ranges ...match.Range) [][]syncproto.RecordID {
		w.t.Helper()
		blocks, err := w.Alike(w.ctx(), ranges, limit)
		w.must(err)
		return blocks
	}
	at := func(k match.Key) match.Range { return match.Range{From: k, To: k} }
	same(w.t, "ranges", alike(10,
		at(1), at(0), at(2), at(1), match.Range{From: 0, To: lower}, match.Range{From: middle, To: middle + lower},
		at(math.MaxUint64), match.Range{From: math.MaxUint64 - lower, To: math.MaxUint64},
	), [][]syncproto.RecordID{
		{recordID(2), recordID(3)},
		{recordID(1)},
		nil,
		{recordID(2), recordID(3)},
		{recordID(1), recordID(2), recordID(3)},
		{recordID(1), recordID(4)},
		{recordID(5)},
		{recordID(5)},
	})
	same(w.t, "bounded", alike(1, at(1)), [][]syncproto.RecordID{{recordID(2)}})
	same(w.t, "nothing asked", len(alike(1)), 0)
	var many []match.Range
	for k := range match.Key(1200) {
		many = append(many, at(k))
	}
	found := alike(10, many...)
	same(w.t, "many", len(found), len(many))
	same(w.t, "the last of many", found[1], []syncproto.RecordID{recordID(2), recordID(3)})
}
