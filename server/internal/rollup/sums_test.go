package rollup

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// someDay draws a day of four years, so that years and months are crossed.
var someDay = rapid.Custom(func(t *rapid.T) form.Day {
	at := time.Date(2018, 12, 28, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 1470).Draw(t, "days"))
	return form.Day(at.Year()*10000 + int(at.Month())*100 + at.Day())
})

// slotsOf are the slots that a day is in.
func slotsOf(d form.Day) []Slot { return []Slot{dayOf(d), monthOf(d), yearOf(d)} }

func TestStretchesHoldEachDayOnceAndNoOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		days := Days{From: someDay.Draw(t, "from"), To: someDay.Draw(t, "to")}
		if rapid.Bool().Draw(t, "from the beginning") {
			days.From = 0
		}
		day := rapid.OneOf(someDay, rapid.SampledFrom([]form.Day{max(days.From, 10101), days.To, days.To/100*100 + 1, max(days.From, 10101)/100*100 + 28, 10101, 99991231})).Draw(t, "day")
		held := 0
		for _, s := range days.Stretches() {
			if s.From > s.To || s.From.IsDay() != s.To.IsDay() {
				t.Fatalf("a stretch %v", s)
			}
			for _, slot := range slotsOf(day) {
				if s.From <= slot && slot <= s.To {
					held++
				}
			}
		}
		want := 0
		if days.From <= day && day <= days.To {
			want = 1
		}
		if held != want {
			t.Fatalf("%s is held %d times by %v of %v", day, held, days.Stretches(), days)
		}
	})
}

func TestWhatStandsIsAFewSumsHoweverManyDaysThereWere(t *testing.T) {
	days := Days{To: 20221231}
	slots := make(map[Slot]bool)
	for day := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2023; day = day.AddDate(0, 0, 1) {
		for _, slot := range slotsOf(form.Day(day.Year()*10000 + int(day.Month())*100 + day.Day())) {
			for _, s := range days.Stretches() {
				if s.From <= slot && slot <= s.To {
					slots[slot] = true
				}
			}
		}
	}
	if len(slots) != 2+11+31 { // two years, eleven months, a month's days
		t.Errorf("%d sums for three years", len(slots))
	}
}

// forest draws a tree of areas: each lies below one that was drawn before, or below none.
func forest(t *rapid.T, n int, label string) *area.Tree {
	order := rapid.Permutation(slices.Collect(func(yield func(int) bool) {
		for i := range n {
			if !yield(i + 1) {
				return
			}
		}
	})).Draw(t, label)
	nodes := make([]area.Node, n)
	for i, key := range order {
		nodes[i] = area.Node{Key: area.Key(key), ID: codeOf(key)}
		if above := rapid.IntRange(-1, i-1).Draw(t, label+" above"); above >= 0 {
			nodes[i].Parent = codeOf(order[above])
		}
	}
	tree, err := area.NewTree(nodes)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func codeOf(key int) syncproto.AreaID { return syncproto.AreaID(fmt.Sprintf("a%d", key)) }

var someCounts = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Count {
	return Count{
		Area: area.Key(rapid.IntRange(1, 7).Draw(t, "area")), Day: someDay.Draw(t, "day"),
		Measure: rapid.SampledFrom([]string{"persons", "temperatures"}).Draw(t, "measure"), N: int64(rapid.IntRange(-3, 9).Draw(t, "n")),
	}
}), 0, 30)

// asMap is sums by what they are of.
func asMap(all []Sum) map[Sum]int64 {
	m := make(map[Sum]int64)
	for _, s := range all {
		n := s.N
		s.N = 0
		if m[s] += n; m[s] == 0 {
			delete(m, s)
		}
	}
	return m
}

func TestSumsFollowAreasThatArePutBelowOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := someCounts.Draw(t, "counts")
		was := TreeOf(forest(t, 7, "before"))
		now := TreeOf(forest(t, 7+rapid.IntRange(0, 2).Draw(t, "new areas"), "after"))
		displaced := was.Displaced(now)
		whole := make(map[area.Key][]Sum)
		for _, s := range was.Sums(counts) {
			whole[s.Area] = append(whole[s.Area], s)
		}
		for _, c := range counts { // of days, an area's own stand by themselves
			whole[c.Area] = append(whole[c.Area], Sum{Area: c.Area, Measure: c.Measure, Slot: dayOf(c.Day), N: c.N})
		}
		got := asMap(append(was.Sums(counts), was.Carry(now, displaced, whole)...))
		if want := asMap(now.Sums(counts)); !maps.Equal(got, want) {
			t.Fatalf("after %v moved from %v to %v:\n got %v\nwant %v", displaced, was.Parents, now.Parents, got, want)
		}
		if since := now.Since(was); len(displaced) == 0 && len(since.Parents) != len(now.Parents)-len(was.Parents) {
			t.Fatalf("what lies elsewhere: %v", since.Parents)
		}
	})
}

func TestAnAreaIsTheSumOfItsOwnAndOfWhatLiesBelow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts, tree := someCounts.Draw(t, "counts"), forest(t, 7, "tree")
		days := Days{From: someDay.Draw(t, "from"), To: someDay.Draw(t, "to")}
		sums := TreeOf(tree).Sums(counts)
		over := func(key area.Key) (n int64) { // as a store reads it
			for _, s := range days.Stretches() {
				for _, sum := range sums {
					if sum.Area == key && s.From <= sum.Slot && sum.Slot <= s.To {
						n += sum.N
					}
				}
				for _, c := range counts {
					if c.Area == key && s.From.IsDay() && s.From <= dayOf(c.Day) && dayOf(c.Day) <= s.To {
						n += c.N
					}
				}
			}
			return n
		}
		for key := range 7 {
			var want int64
			id := codeOf(key + 1)
			for _, c := range counts {
				n, _ := tree.ByKey(c.Area)
				if tree.Within(n.ID, id) && days.From <= c.Day && c.Day <= days.To {
					want += c.N
				}
			}
			if got := over(area.Key(key + 1)); got != want {
				t.Fatalf("%s over %v: %d, and the counters come to %d", id, days, got, want)
			}
		}
	})
}

func TestSharesAreComputed(t *testing.T) {
	for _, c := range []struct {
		of, per int64
		want    float64
	}{{20, 93, 21.5}, {1, 3, 33.3}, {2, 3, 66.7}, {0, 9, 0}, {9, 9, 100}, {1, 2000, 0.1}, {-1, 4, -25}} {
		if got := ShareOf(c.of, c.per); got == nil || *got != c.want {
			t.Errorf("%d of %d: %v", c.of, c.per, got)
		}
	}
	if got := ShareOf(3, 0); got != nil {
		t.Errorf("3 of nobody: %v", *got)
	}
}

func TestACurveStandsOnWhatWasThereBefore(t *testing.T) {
	s := &Series{}
	days := Days{From: 20200130, To: 20200202}
	s.draw([]area.Node{{Key: 1, ID: "town"}}, []Measure{{Name: "persons", Standing: true}, {Name: "temperatures"}}, days.list(), []Count{
		{Area: 1, Measure: "persons", N: 100},
		{Area: 1, Measure: "persons", Day: 20200131, N: 2},
		{Area: 1, Measure: "persons", Day: 20200202, N: -5},
		{Area: 1, Measure: "temperatures", Day: 20200201, N: 7},
	})
	if want := []string{"2020-01-30", "2020-01-31", "2020-02-01", "2020-02-02"}; !slices.Equal(s.Days, want) {
		t.Errorf("days %v", s.Days)
	}
	if len(s.Curves) != 2 || !slices.Equal(s.Curves[0].Values, []int64{100, 102, 102, 97}) || !slices.Equal(s.Curves[1].Values, []int64{0, 0, 7, 0}) {
		t.Errorf("curves %+v", s.Curves)
	}
}
