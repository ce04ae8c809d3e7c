package desk

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"gridsync/server/internal/review"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// visited makes households 1 to n that were visited at noon, and asks about an entry of
// the first few.
func (w *world) visited(n, doubted byte) {
	w.t.Helper()
	for i := range n {
		w.household(i+1, fmt.Sprintf("%d号", i+1))
		w.visit(i, i+1, now)
		if i < doubted {
			w.ask(review.Key{Kind: review.Implausible, Record: call(i), Field: "odd"})
		}
	}
}

// call is the id of a visit.
func call(n byte) syncproto.RecordID { return syncproto.RecordID{0: 2, 15: n} }

func (w *world) visit(n, household byte, at syncproto.Instant) {
	w.t.Helper()
	w.say(syncproto.Change{Author: jia, Kind: "visit", Record: call(n)}, syncproto.Fields{
		"round": syncproto.TextValue(record(255).String()), "household": syncproto.TextValue(record(household).String()),
		"outcome": `"not_home"`, "visited_at": syncproto.ValueOf(at),
	})
}

// drawn returns which households a list names.
func (w *world) drawn(day form.Day, size int) []byte {
	w.t.Helper()
	list, err := w.Revisits(w.t.Context(), "c1", day, size)
	if err != nil {
		w.t.Fatal(err)
	}
	var ids []byte
	for _, row := range list.Households {
		ids = append(ids, row.ID[15])
	}
	return ids
}

func TestHalfOfAListIsInDoubtAndHalfIsDrawn(t *testing.T) {
	w := newWorld(t)
	w.visited(60, 20)
	list := w.drawn(day, 10)
	doubted := 0
	for _, n := range list {
		if n <= 20 {
			doubted++
		}
	}
	if len(list) != 10 || doubted < 5 || doubted == 10 {
		t.Errorf("%v: %d of them in doubt", list, doubted)
	}
	if first := list[:5]; !slices.ContainsFunc(first, func(n byte) bool { return n > 20 }) {
		t.Errorf("those in doubt stand first: %v", list)
	}
	slices.Sort(list)
	if len(slices.Compact(list)) != 10 {
		t.Errorf("twice on the list: %v", list)
	}
}

func TestTheSameListComesAgainAndAnotherOnAnotherDay(t *testing.T) {
	w := newWorld(t)
	w.visited(60, 20)
	for i := range byte(60) {
		w.visit(100+i, i+1, now+86_400_000)
	}
	if a, b := w.drawn(day, 10), w.drawn(day, 10); !slices.Equal(a, b) {
		t.Errorf("%v, then %v", a, b)
	}
	if a, b := w.drawn(day, 10), w.drawn(form.DayOf(now+86_400_000), 10); slices.Equal(a, b) {
		t.Errorf("on two days %v", a)
	}
}

func TestOnlyThatDaysVisitsAreDrawnFrom(t *testing.T) {
	w := newWorld(t)
	w.visited(3, 0)
	w.household(9, "九号")
	w.visit(200, 9, now-86_400_000)
	list := w.drawn(day, 10)
	slices.Sort(list)
	if !slices.Equal(list, []byte{1, 2, 3}) {
		t.Errorf("%v", list)
	}
}

func TestTooFewInDoubtLeaveRoomForMoreThatAreDrawn(t *testing.T) {
	w := newWorld(t)
	w.visited(20, 1)
	if list := w.drawn(day, 10); len(list) != 10 || !slices.Contains(list, 1) {
		t.Errorf("%v", list)
	}
	w = newWorld(t)
	w.visited(20, 20)
	if list := w.drawn(day-1, 10); len(list) != 10 {
		t.Errorf("nobody was visited: %v", list)
	}
}

func TestAListIsNeverLargerThanItMayBe(t *testing.T) {
	w := newWorld(t)
	w.visited(120, 0)
	for size, want := range map[int]int{-1: DefaultRevisits, 0: DefaultRevisits, 7: 7, MaxRevisits: MaxRevisits, MaxRevisits + 1: MaxRevisits} {
		if got := len(w.drawn(day, size)); got != want {
			t.Errorf("%d: %d households", size, got)
		}
	}
	if list, err := w.Revisits(t.Context(), "c2", day, 0); err != nil || list.Households == nil {
		t.Errorf("of nothing: %+v, %v", list, err)
	}
	if _, err := w.Revisits(t.Context(), "nowhere", day, 0); !errors.Is(err, &syncproto.Error{Code: syncproto.CodeNotFound}) {
		t.Errorf("an area that isn't there: %v", err)
	}
}
