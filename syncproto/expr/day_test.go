package expr

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"gridsync/syncproto"
)

// Days are reckoned here without the standard library, as they are asked of every change,
// and come to the same.
func TestADayIsThatOfTheCalendar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := syncproto.Instant(rapid.Int64Range(-80_000_000_000_000, 270_000_000_000_000).Draw(t, "instant"))
		y, m, d := time.UnixMilli(int64(at)).In(Zone).Date()
		want := Day(y*10000 + int(m)*100 + d)
		if y < 1 || y > 9999 {
			want = 0
		}
		if got := DayOf(at); got != want {
			t.Fatalf("%d is on %d, want %d", at, got, want)
		}
	})
}

func TestEveryDayHasItsNumber(t *testing.T) {
	last, _ := dayNumbered(firstDay)
	if _, ok := dayNumbered(firstDay - 1); ok || last != 10101 {
		t.Fatalf("the first day is %d", last)
	}
	for n := int64(firstDay + 1); n <= lastDay; n++ {
		d, ok := dayNumbered(n)
		if !ok || d <= last || d.number() != n {
			t.Fatalf("day %d is %d after %d, and that is day %d", n, d, last, d.number())
		}
		last = d
	}
	if _, ok := dayNumbered(lastDay + 1); ok || last != 99991231 {
		t.Fatalf("the last day is %d", last)
	}
	if d, _ := dayNumbered(0); d != 19700101 {
		t.Fatalf("day 0 is %d", d)
	}
}
