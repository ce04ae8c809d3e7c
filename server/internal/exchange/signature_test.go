package exchange

import (
	"maps"
	"testing"

	"pgregory.net/rapid"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Days signed, signed again for another day or elsewhere, and withdrawn: what moves is what a
// look at each of them says.
func TestWhatHappensMovesItsDayAndWhatStandsEachDayAfterIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSignatures(Boot{})
		day := rapid.Map(rapid.IntRange(1, 5), func(n int) form.Day { return form.Day(20200130 + n) })
		where := rapid.Map(rapid.IntRange(1, 3), func(n int) area.Key { return area.Key(n) })
		for range rapid.IntRange(0, 30).Draw(t, "signatures") {
			one := Signature{Record: syncproto.RecordID{rapid.Byte().Draw(t, "record") % 8}, Area: where.Draw(t, "area"), Day: day.Draw(t, "day")}
			if rapid.IntRange(0, 4).Draw(t, "withdrawn") == 0 {
				one = Signature{Record: one.Record}
			}
			s.publish([]Signature{one})
		}
		at, on, stands := where.Draw(t, "counted in"), day.Draw(t, "counted on"), rapid.Bool().Draw(t, "stands")
		want := make(map[syncproto.RecordID]form.Day)
		for id, signed := range s.byArea[at] {
			if signed.Day == on || stands && signed.Day > on {
				want[id] = signed.Day
			}
		}
		got := make(map[syncproto.RecordID]form.Day)
		for id, signed := range s.moved(at, on, stands) {
			if _, twice := got[id]; twice {
				t.Errorf("%s comes twice", id)
			}
			got[id] = signed.Day
		}
		if !maps.Equal(got, want) {
			t.Errorf("%v, not %v", got, want)
		}
	})
}
