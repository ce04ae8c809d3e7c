package exchange

import (
	"context"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gridsync/server/internal/rollup"
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

// phonebook is a store of contacts, which notes how many it was asked about.
type phonebook struct {
	Store
	contacts map[syncproto.DeviceID]rollup.Contact
	asked    int
	between  func() // while it is asked
}

func (p *phonebook) Contacts(_ context.Context, devices []syncproto.DeviceID) ([]rollup.Contact, error) {
	p.asked += len(devices)
	var found []rollup.Contact
	for _, id := range devices {
		if c, ok := p.contacts[id]; ok {
			found = append(found, c)
		}
	}
	p.between()
	return found, nil
}

func (p *phonebook) Device(_ context.Context, id syncproto.DeviceID) (DeviceState, error) {
	c := p.contacts[id]
	return DeviceState{Device: id, ContactServer: c.At, ContactDevice: c.At - c.Offset, Unsent: c.Unsent}, nil
}

func TestContactsAreThoseOfTheStoreUntilAPhoneIsHeardOfAgain(t *testing.T) {
	one, two, never := syncproto.DeviceID{1}, syncproto.DeviceID{2}, syncproto.DeviceID{3}
	book := &phonebook{between: func() {}, contacts: map[syncproto.DeviceID]rollup.Contact{
		one: {Device: one, At: 100, Unsent: 4, Offset: 10}, two: {Device: two, At: 200, Unsent: 5},
	}}
	devices := newDeviceStates(book)
	expect := func(what string, want ...rollup.Contact) {
		t.Helper()
		got, err := devices.contacts(t.Context(), []syncproto.DeviceID{two, never, one})
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%s: %+v, not %+v (%v)", what, got, want, err)
		}
	}
	met := func(id syncproto.DeviceID, at syncproto.Instant) {
		if _, err := devices.contact(t.Context(), &syncproto.Request{Device: id, Unsent: 1}, clock.Contact{Server: at, Device: at - 7}); err != nil {
			t.Fatal(err)
		}
	}
	book.between = func() { met(two, 300) }
	afresh := rollup.Contact{Device: two, At: 300, Unsent: 1, Offset: 7}
	expect("one is heard of while the store is asked", afresh, book.contacts[one])
	book.between = func() {}
	expect("asked again", afresh, book.contacts[one])
	if book.asked != 3 {
		t.Errorf("the store was asked about %d devices, not once about each of 3", book.asked)
	}
	met(never, 400)
	expect("the third is heard of", afresh, rollup.Contact{Device: never, At: 400, Unsent: 1, Offset: 7}, book.contacts[one])
	devices.took([]syncproto.DeviceID{one}, []DeviceState{{Device: one, ContactServer: 500, ContactDevice: 500, Unsent: 9}})
	expect("the first has pushed", afresh, rollup.Contact{Device: never, At: 400, Unsent: 1, Offset: 7}, rollup.Contact{Device: one, At: 500, Unsent: 9})
}
