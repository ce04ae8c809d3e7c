package rollup

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
)

// grown makes a tree out of each area's parent, the root's being none.
func grown(parents []int) []area.Node {
	tree := make([]area.Node, 0, len(parents))
	for i, parent := range parents {
		n := area.Node{Key: area.Key(i + 1), ID: syncproto.AreaID(fmt.Sprint("a", i))}
		if i > 0 {
			n.Parent = syncproto.AreaID(fmt.Sprint("a", parent))
		}
		tree = append(tree, n)
	}
	return tree
}

// counted counts one measure in the areas themselves.
func counted(own ...int64) []Count {
	var counts []Count
	for i, n := range own {
		counts = append(counts, Count{Area: area.Key(i + 1), Measure: "persons", N: n})
	}
	return counts
}

// published writes the values of areas as they are published, "-" for what is held back.
func published(parents []int, own ...int64) string {
	l := linesOf(grown(parents))
	values := l.total("persons", counted(own...))
	hidden := l.hide(values, 5)
	text := ""
	for i := range parents {
		if i > 0 {
			text += " "
		}
		if hidden[i] {
			text += "-"
			continue
		}
		text += fmt.Sprint(values[i])
	}
	return text
}

func TestSmallCountsAreHeldBackAndWhatWouldTellThem(t *testing.T) {
	flat := []int{-1, 0, 0, 0}
	for _, c := range []struct {
		parents []int
		own     []int64
		want    string
	}{
		{flat, []int64{0, 10, 20, 30}, "60 10 20 30"},
		{flat, []int64{0, 0, 20, 30}, "50 0 20 30"},
		{flat, []int64{0, 4, 20, 30}, "54 - - 30"},
		{flat, []int64{0, 5, 20, 30}, "55 5 20 30"},
		{flat, []int64{0, 4, 0, 30}, "34 - 0 -"},
		{flat, []int64{0, 4, 3, 30}, "37 - - 30"},
		{flat, []int64{0, 1, 1, 30}, "32 - - -"},   // two that make 2 are one each
		{flat, []int64{0, 2, 2, 2}, "6 - - -"},     // three that make 6 may be any
		{flat, []int64{0, 4, 0, 0}, "- - 0 0"},     // it is the total
		{flat, []int64{3, 20, 30, 0}, "53 - 30 0"}, // the part that belongs to the area itself
		{flat, []int64{0, 0, 0, 0}, "0 0 0 0"},
		{[]int{-1, 0, 0, 0, 0, 0}, []int64{0, 1, 1, 1, 1, 1}, "- - - - - -"}, // five that make 5 are one each
		// What is held back in the town is not given away by the areas below it.
		{[]int{-1, 0, 0, 2, 2}, []int64{0, 3, 0, 10, 20}, "33 - - - 20"},
	} {
		if got := published(c.parents, c.own...); got != c.want {
			t.Errorf("%v: %s, want %s", c.own, got, c.want)
		}
	}
}

func TestNothingHeldBackCanBeComputed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parents := []int{-1}
		for i := range rapid.IntRange(1, 5).Draw(t, "areas") {
			parents = append(parents, rapid.IntRange(0, i).Draw(t, "parent"))
		}
		own := make([]int64, len(parents))
		for i := range own {
			own[i] = rapid.SampledFrom([]int64{0, 0, 1, 1, 2, 3, 4}).Draw(t, "n")
		}
		small := rapid.Int64Range(2, 4).Draw(t, "small")
		l := linesOf(grown(parents))
		values := l.total("persons", counted(own...))
		hidden := l.hide(values, small)
		for i, v := range values {
			if v != 0 && v < small && !hidden[i] {
				t.Fatalf("%d is shown", v)
			}
			if v == 0 && hidden[i] {
				t.Fatal("nought is held back")
			}
		}
		for i, guesses := range solve(l, values, hidden) {
			if hidden[i] && len(guesses) < 2 {
				t.Fatalf("parents %v, own %v: line %d of %v (%v) can only be %v", parents, own, i, values, hidden, guesses)
			}
		}
	})
}

// solve tries every way to count that agrees with what is shown, and returns which values
// each line takes in them.
func solve(l *lines, values []int64, hidden []bool) [][]int64 {
	guesses := make([][]int64, len(values))
	var leaves []int
	most := int64(1)
	for i := range l.all {
		if len(l.all[i].below) == 0 && values[i] != 0 {
			leaves = append(leaves, i)
			most = max(most, values[i]+1)
		}
	}
	try := make([]int64, len(values))
	var fill func(n int)
	fill = func(n int) {
		if n < len(leaves) {
			low, high := int64(1), most
			if !hidden[leaves[n]] {
				low, high = values[leaves[n]], values[leaves[n]]
			}
			for try[leaves[n]] = low; try[leaves[n]] <= high; try[leaves[n]]++ {
				fill(n + 1)
			}
			return
		}
		sums := slices.Clone(try)
		agrees := true
		l.upward(func(i int) {
			sums[i] = 0
			for _, below := range l.all[i].below {
				sums[i] += sums[below]
			}
			agrees = agrees && (hidden[i] && sums[i] > 0 || sums[i] == values[i])
		})
		for i := range sums {
			if agrees && !slices.Contains(guesses[i], sums[i]) {
				guesses[i] = append(guesses[i], sums[i])
			}
		}
	}
	fill(0)
	return guesses
}
