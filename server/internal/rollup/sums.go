package rollup

import (
	"cmp"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Slot is a time that has one sum: a day, a month or a year. What is there up to a day is
// then a few years, months and days, however many days there have been.
//
// A day's slot is the day itself, a month's 1_2020_01_00 and a year's 2_2020_00_00: those
// of one length follow each other, and no two lengths meet.
type Slot int64

// Where the slots of months and of years begin.
const (
	months Slot = 1_0000_00_00
	years  Slot = 2_0000_00_00
)

// IsDay reports whether the slot is a day's.
func (s Slot) IsDay() bool { return s < months }

func dayOf(d form.Day) Slot   { return Slot(d) }
func monthOf(d form.Day) Slot { return months + Slot(d/100*100) }
func yearOf(d form.Day) Slot  { return years + Slot(d/10000*10000) }

// Stretch is slots of one length from one to another, both of them in it.
type Stretch struct{ From, To Slot }

// Days are the days from one to another, both of them in it. From is 0 for all days up
// to To.
type Days struct{ From, To form.Day }

// On is one day alone.
func On(day form.Day) Days { return Days{From: day, To: day} }

// Until are all days up to the last of some.
func (d Days) Until() Days { return Days{To: d.To} }

// Stretches cuts days into slots: each day is in one of them, and no other day is.
func (d Days) Stretches() []Stretch {
	from, to := d.From, d.To
	if from > to {
		return nil
	}
	var all []Stretch
	add := func(first, last Slot) {
		if first <= last {
			all = append(all, Stretch{first, last})
		}
	}
	if from > 0 && from/100 == to/100 {
		add(dayOf(from), dayOf(to))
		return all
	}
	if from <= 0 {
		add(years, yearOf(to)-1)
	} else {
		add(dayOf(from), dayOf(from/100*100+99))
		add(monthOf(from)+100, min(monthOf(from/10000*10000+9999), monthOf(to)-1))
		add(yearOf(from)+10000, yearOf(to)-1)
	}
	if from <= 0 || from/10000 != to/10000 {
		add(months+yearOf(to)-years, monthOf(to)-1)
	}
	add(dayOf(to/100*100), dayOf(to))
	return all
}

// Sum is what a measure comes to in an area and all below it over a slot. Of a day it is
// what lies below alone: the area's own is its counter of that day, which most areas that
// have one have nothing else of. As a move, N is what to add to it.
type Sum struct {
	Area    area.Key
	Measure string
	Slot    Slot
	N       int64
}

// Tree says which area lies directly below which, as the sums have it. It is kept beside
// them: when an area is put below another one, the sums follow in the next group.
type Tree struct {
	// Shape is the fingerprint of the tree.
	Shape int64
	// Parents has every area, with 0 for one that lies below none.
	Parents map[area.Key]area.Key
}

// TreeOf is the tree of areas as they are now.
func TreeOf(areas *area.Tree) Tree {
	t := Tree{Shape: areas.Shape(), Parents: make(map[area.Key]area.Key, areas.Len())}
	for _, root := range areas.Children("") {
		for _, n := range areas.Subtree(root.ID) {
			parent, _ := areas.Find(n.Parent)
			t.Parents[n.Key] = parent.Key
		}
	}
	return t
}

// Since leaves out of a tree the areas that lie where they lay before.
func (t Tree) Since(was Tree) *Tree {
	other := &Tree{Shape: t.Shape, Parents: make(map[area.Key]area.Key)}
	for key, parent := range t.Parents {
		if before, there := was.Parents[key]; !there || before != parent {
			other.Parents[key] = parent
		}
	}
	return other
}

// above returns the areas that one lies below, from the next one up.
func (t Tree) above(key area.Key) []area.Key {
	var path []area.Key
	for up := t.Parents[key]; up != 0 && len(path) < len(t.Parents); up = t.Parents[up] {
		path = append(path, up)
	}
	return path
}

// Sums returns what moves of counters do to the sums, each sum once, in order.
func (t Tree) Sums(moves []Count) []Sum {
	sums := make(sums)
	above := make(map[area.Key][]area.Key)
	for _, c := range moves {
		path, known := above[c.Area]
		if !known {
			path = t.above(c.Area)
			above[c.Area] = path
		}
		for _, up := range path {
			sums.add(up, c.Measure, dayOf(c.Day), c.N)
			sums.add(up, c.Measure, monthOf(c.Day), c.N)
			sums.add(up, c.Measure, yearOf(c.Day), c.N)
		}
		sums.add(c.Area, c.Measure, monthOf(c.Day), c.N)
		sums.add(c.Area, c.Measure, yearOf(c.Day), c.N)
	}
	return sums.list()
}

// Displaced lists the areas that lie below another one now, those deepest down in the old
// tree first. New areas are none of them: nothing was counted there yet.
func (t Tree) Displaced(now Tree) []area.Key {
	var moved []area.Key
	for key, parent := range t.Parents {
		if to, there := now.Parents[key]; there && to != parent {
			moved = append(moved, key)
		}
	}
	slices.SortFunc(moved, func(a, b area.Key) int {
		return cmp.Or(cmp.Compare(len(t.above(b)), len(t.above(a))), cmp.Compare(a, b))
	})
	return moved
}

// Carry returns how sums move when areas are put below others. displaced is what Displaced
// returned, whole what each of them comes to with all below it, days of its own included.
//
// An area takes along what lies below it, but for what is displaced itself: cut off where
// they are displaced, the pieces are taken away from everything that each lay below, and
// added to everything that it lies below now.
func (t Tree) Carry(now Tree, displaced []area.Key, whole map[area.Key][]Sum) []Sum {
	pieces := make(map[area.Key]sums, len(displaced))
	for _, key := range displaced {
		pieces[key] = make(sums)
		pieces[key].move(key, whole[key], 1)
	}
	moves := make(sums)
	for _, key := range displaced { // from the deepest up: each piece is whole when it is reached
		piece := pieces[key].list()
		for _, up := range t.above(key) {
			moves.move(up, piece, -1)
			if larger := pieces[up]; larger != nil {
				larger.move(up, piece, -1)
			}
		}
		for _, up := range now.above(key) {
			moves.move(up, piece, 1)
		}
	}
	return moves.list()
}

// Added adds moves of sums to others.
func Added(a, b []Sum) []Sum {
	if len(a) == 0 {
		return b
	}
	both := make(sums)
	for _, one := range slices.Concat(a, b) {
		both.add(one.Area, one.Measure, one.Slot, one.N)
	}
	return both.list()
}

// sums adds up sums.
type sums map[Sum]int64

func (s sums) add(key area.Key, measure string, slot Slot, n int64) {
	s[Sum{Area: key, Measure: measure, Slot: slot}] += n
}

// move adds what some sums come to, in whatever areas, to those of one.
func (s sums) move(to area.Key, from []Sum, sign int64) {
	for _, one := range from {
		s.add(to, one.Measure, one.Slot, sign*one.N)
	}
}

// list leaves out what comes to nothing.
func (s sums) list() []Sum {
	all := make([]Sum, 0, len(s))
	for sum, n := range s {
		if n != 0 {
			sum.N = n
			all = append(all, sum)
		}
	}
	slices.SortFunc(all, func(a, b Sum) int {
		return cmp.Or(cmp.Compare(a.Area, b.Area), cmp.Compare(a.Measure, b.Measure), cmp.Compare(a.Slot, b.Slot))
	})
	return all
}

// Lodging says that a record belonged to an area once: it counts there for its days, though
// it is listed elsewhere.
type Lodging struct {
	Area   area.Key
	Record syncproto.RecordID
}
