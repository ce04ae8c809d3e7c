package exchange

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gridsync/syncproto"
	"gridsync/syncproto/clock"
)

// The receipt of a device must say exactly which numbers are held, in whatever
// order they came.
func TestAReceiptKnowsEveryHole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ns := rapid.SliceOfNDistinct(rapid.Uint64Range(1, 40), 0, 30, rapid.ID[uint64]).Draw(t, "numbers")
		var s DeviceState
		var digest syncproto.Digest
		for _, n := range ns {
			hash := syncproto.Hash{byte(n)}
			s.take(n, hash, syncproto.Stamp{})
			digest = digest.Add(hash)
		}
		r := s.receipt()
		for n := uint64(1); n <= 41; n++ {
			if held := slices.Contains(ns, n); held != r.Covers(n) || held != s.holds(n) {
				t.Fatalf("after %v: %d held %v, receipt covers %v, state holds %v", ns, n, held, r.Covers(n), s.holds(n))
			}
		}
		if r.Held != uint64(len(ns)) || r.Digest != digest {
			t.Fatalf("after %v: held %d, digest %s want %s", ns, r.Held, r.Digest, digest)
		}
	})
}

func TestAnOlderContactDoesNotReplaceALaterOne(t *testing.T) {
	var s DeviceState
	s.met(clock.Contact{Server: 200, Device: 190}, 5, 1, "a")
	s.met(clock.Contact{Server: 100, Device: 90}, 3, 9, "b")
	if s.ContactServer != 200 || s.ContactHigh != 5 || s.Unsent != 1 || s.App != "a" {
		t.Fatalf("kept %+v", s)
	}
}

func TestParkedNumbersAreListedOnceTheNewestFirst(t *testing.T) {
	var s DeviceState
	s.park(1, syncproto.CodeFailsForm)
	s.park(2, syncproto.CodeOutOfArea)
	s.park(1, syncproto.CodeUnknownArea)
	want := []syncproto.Waiting{{N: 1, Code: syncproto.CodeUnknownArea}, {N: 2, Code: syncproto.CodeOutOfArea}}
	if !slices.Equal(s.Parked, want) {
		t.Fatalf("parked %v, want %v", s.Parked, want)
	}
	s.unpark(1)
	if !slices.Equal(s.Parked, want[1:]) {
		t.Fatalf("after one was released: %v", s.Parked)
	}
}
