package clock_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"gridsync/syncproto"
	"gridsync/syncproto/clock"
)

const (
	at1970 syncproto.Instant = 5
	at2020 syncproto.Instant = 1583020800000
	at2030 syncproto.Instant = 1893456000000
	minute syncproto.Instant = 60 * 1000
)

func TestNoDeviceClockWinsByBeingWrong(t *testing.T) {
	right := clock.Contact{Server: at2020, Device: at2020}
	cases := []struct {
		name    string
		at      syncproto.Instant
		contact clock.Contact
		bounds  clock.Bounds
		want    syncproto.Stamp
	}{
		{
			"a good clock", at2020 - minute, right,
			clock.Bounds{Received: at2020},
			syncproto.Stamp{Time: at2020 - minute, Latest: at2020},
		},
		{
			"a clock in 2030, its offset known", at2030 - minute,
			clock.Contact{Server: at2020, Device: at2030},
			clock.Bounds{Received: at2020},
			syncproto.Stamp{Time: at2020 - minute, Latest: at2020},
		},
		{
			"a clock in 1970, its offset known", at1970 - minute,
			clock.Contact{Server: at2020, Device: at1970},
			clock.Bounds{Received: at2020},
			syncproto.Stamp{Time: at2020 - minute, Latest: at2020},
		},
		{
			"a clock that jumped to 2030 and back", at2030, right,
			clock.Bounds{Absent: at2020 - 9*minute, Received: at2020},
			syncproto.Stamp{Time: at2020, Earliest: at2020 - 9*minute, Latest: at2020},
		},
		{
			"a clock that jumped to 1970 and back", at1970, right,
			clock.Bounds{Absent: at2020 - 9*minute, Received: at2020},
			syncproto.Stamp{Time: at2020 - 9*minute, Earliest: at2020 - 9*minute, Latest: at2020},
		},
		{
			"not before what it was based on", at2020 - 5*minute, right,
			clock.Bounds{Based: at2020 - 2*minute, Received: at2020},
			syncproto.Stamp{Time: at2020 - 2*minute, Earliest: at2020 - 2*minute, Latest: at2020},
		},
		{
			"not before the device's change before", at2020 - 5*minute, right,
			clock.Bounds{Previous: syncproto.Stamp{Time: at2020 - 3*minute, Earliest: at2020 - 8*minute, Latest: at2020}, Received: at2020},
			syncproto.Stamp{Time: at2020 - 3*minute, Earliest: at2020 - 8*minute, Latest: at2020},
		},
		{
			"bounds that contradict: receipt wins", at2020, right,
			clock.Bounds{Based: at2020 + minute, Received: at2020},
			syncproto.Stamp{Time: at2020, Earliest: at2020, Latest: at2020},
		},
		{
			"a clock out of every calendar", -syncproto.MaxN,
			clock.Contact{Server: at2020, Device: math.MaxInt64},
			clock.Bounds{Received: at2020},
			syncproto.Stamp{Time: 0, Earliest: 0, Latest: at2020},
		},
		{
			"a clock before every calendar", syncproto.MaxN,
			clock.Contact{Server: at2020, Device: math.MinInt64},
			clock.Bounds{Received: at2020},
			syncproto.Stamp{Time: at2020, Earliest: 0, Latest: at2020},
		},
	}
	for _, c := range cases {
		if got := clock.Correct(c.at, c.contact, c.bounds); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestAnOwnerIsToldOfAClockThatIsFiveMinutesOff(t *testing.T) {
	for off, want := range map[syncproto.Instant]bool{0: false, 5 * minute: false, 5*minute + 1: true, -5 * minute: false, -5*minute - 1: true} {
		if got := (clock.Contact{Server: at2020, Device: at2020 - off}).Off(); got != want {
			t.Errorf("off by %d ms: %v", off, got)
		}
	}
	if !(clock.Contact{Server: at2020, Device: math.MinInt64}).Off() {
		t.Error("the furthest clock passes for a good one")
	}
}

func instants() *rapid.Generator[syncproto.Instant] {
	return rapid.OneOf(
		rapid.Custom(func(t *rapid.T) syncproto.Instant {
			return at2020 + syncproto.Instant(rapid.Int64Range(-1000, 1000).Draw(t, "near"))
		}),
		rapid.SampledFrom([]syncproto.Instant{0, at1970, at2030, syncproto.MaxN, -syncproto.MaxN}),
	)
}

func drawBounds(t *rapid.T) clock.Bounds {
	received := at2020 + syncproto.Instant(rapid.Int64Range(-1000, 1000).Draw(t, "received"))
	earlier := func(name string) syncproto.Instant {
		if rapid.Bool().Draw(t, name+" known") {
			return received - syncproto.Instant(rapid.Int64Range(-5, 2000).Draw(t, name))
		}
		return 0
	}
	previous := syncproto.Stamp{Earliest: earlier("previous")}
	previous.Time = previous.Earliest + syncproto.Instant(rapid.Int64Range(0, 50).Draw(t, "time"))
	previous.Latest = previous.Time
	return clock.Bounds{Absent: earlier("absent"), Based: earlier("based"), Previous: previous, Received: received}
}

// Whatever the clocks say, a time lies within its bounds, and a later clock of
// the same device never gives an earlier time.
func TestCorrectIsMonotoneWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		contact := clock.Contact{Server: instants().Draw(t, "server"), Device: instants().Draw(t, "device")}
		bounds := drawBounds(t)
		a, b := instants().Draw(t, "a"), instants().Draw(t, "b")
		x, y := clock.Correct(min(a, b), contact, bounds), clock.Correct(max(a, b), contact, bounds)
		if x.Time > y.Time {
			t.Fatalf("%d became %d, and %d became %d", min(a, b), x.Time, max(a, b), y.Time)
		}
		for _, s := range []syncproto.Stamp{x, y} {
			if s.Earliest > s.Time || s.Time > s.Latest || s.Latest != bounds.Received {
				t.Fatalf("%+v is out of its bounds", s)
			}
			if s.Earliest < min(max(bounds.Absent, bounds.Based, bounds.Previous.Earliest), bounds.Received) {
				t.Fatalf("%+v is before what its author had seen: %+v", s, bounds)
			}
		}
		next := clock.Correct(min(a, b), contact, clock.Bounds{Previous: y, Received: bounds.Received})
		if next.Time < y.Time {
			t.Fatalf("a device's next change is at %d, before %d", next.Time, y.Time)
		}
	})
}
