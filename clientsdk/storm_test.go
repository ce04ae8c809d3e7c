package clientsdk_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

// Whatever the link does in between, when it is good again every phone holds the
// same, the server holds every change once, and each phone has proof of it.
func TestAfterAnyStormEveryPhoneAgrees(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { storm(t, rand.New(rand.NewPCG(seed, 2020))) })
	}
}

func storm(t *testing.T, r *rand.Rand) {
	f := newFake(t)
	f.pageRecords = 1 + r.IntN(5)
	var phones []*phone
	for k := range 3 {
		phones = append(phones, newPhone(t, f, uint64(k+1), func(o *clientsdk.Options) {
			o.BatchChanges, o.Attempts = 1+r.IntN(6), 1+r.IntN(4)
		}))
	}
	var households []syncproto.RecordID
	for range 60 {
		p := phones[r.IntN(len(phones))]
		f.now += syncproto.Instant(r.IntN(60_000))
		switch r.IntN(8) {
		case 0:
			households = append(households, p.household(t, fmt.Sprint("幸福路 ", len(households))))
		case 1, 2, 3:
			randomEdit(t, r, p, households)
		case 4:
			p.reopen(t)
		default:
			f.fail([]fault{loseRequest, loseAnswer, cutAnswer, f.sync2}[r.IntN(4)])
			if _, err := p.Sync(background); err != nil && !errors.Is(err, clientsdk.ErrOffline) {
				t.Fatal(err)
			}
		}
	}
	f.calm(t, phones)
}

// calm lets the link be good again, and checks that everybody agrees.
func (f *fake) calm(t *testing.T, phones []*phone) {
	t.Helper()
	f.faults = nil
	for range 2 {
		for _, p := range phones {
			p.sync(t)
		}
	}
	for _, p := range phones {
		f.holdsExactly(t, p)
		s := p.status(t)
		equal(t, "agreed", s.Agreed, true)
		equal(t, "delivered", uint64(s.Delivered), s.High)
		equal(t, "restarts", s.Restarts, 0)
		f.shows(t, p)
	}
}

// The same holds of phones that are killed, wake up locked, deliver, and are unlocked
// later, while their tokens end and their links break.
func TestAfterAnyStormOverLockedPhonesEveryPhoneAgrees(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { sealedStorm(t, rand.New(rand.NewPCG(seed, 2021))) })
	}
}

func sealedStorm(t *testing.T, r *rand.Rand) {
	f := newFake(t)
	f.pageRecords = 1 + r.IntN(5)
	var phones []*phone
	for k := range 3 {
		p, _ := sealedPhone(t, f, uint64(k+1))
		p.opt.BatchChanges, p.opt.Attempts = 1+r.IntN(6), 1+r.IntN(4)
		phones = append(phones, p)
	}
	var households []syncproto.RecordID
	for range 80 {
		p := phones[r.IntN(len(phones))]
		f.now += syncproto.Instant(r.IntN(200_000))
		if f.sealedStep(t, r, p) {
			continue
		}
		if r.IntN(3) == 0 {
			households = append(households, p.household(t, fmt.Sprint("幸福路 ", len(households))))
		} else {
			randomEdit(t, r, p, households)
		}
	}
	for _, p := range phones {
		equal(t, "opens", p.Unlock(background, pin), nil)
	}
	f.calm(t, phones)
}

// sealedStep does something to a phone other than recording; false if it did not.
func (f *fake) sealedStep(t *testing.T, r *rand.Rand, p *phone) bool {
	t.Helper()
	exchange := p.Sync
	switch what := r.IntN(8); {
	case p.Locked() && what < 2:
		equal(t, "opens", p.Unlock(background, pin), nil)
		return true
	case p.Locked() || what == 2:
		exchange = p.Deliver
	case what == 3:
		p.reopen(t)
		return true
	case what > 4:
		return false
	}
	f.fail([]fault{loseRequest, loseAnswer, cutAnswer, f.sync2}[r.IntN(4)])
	if _, err := exchange(background); err != nil && !errors.Is(err, clientsdk.ErrOffline) {
		t.Fatal(err)
	}
	return true
}

// sync2 is no fault at all.
func (f *fake) sync2(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) { next(w, r) }

func randomEdit(t *testing.T, r *rand.Rand, p *phone, households []syncproto.RecordID) {
	if len(households) == 0 {
		return
	}
	e := clientsdk.Edit{Record: households[r.IntN(len(households))], Fields: syncproto.Fields{}}
	if _, err := p.Get(background, e.Record); err != nil {
		return // this phone hasn't heard of it yet
	}
	value := syncproto.TextValue(fmt.Sprint(r.IntN(4)))
	switch r.IntN(4) {
	case 0:
		e.Fields["head"] = value
	case 1:
		e.Fields["note"] = value
	case 2:
		e.Fields["head"], e.Fields["building"], e.Decides = value, value, true
	case 3:
		e.Fields["area"] = syncproto.TextValue(string([]syncproto.AreaID{grid1, grid2}[r.IntN(2)]))
	}
	author := p.alice
	if r.IntN(2) == 0 {
		author = p.bob
	}
	put(t, author, e)
}

// shows compares what a phone shows with the server's records, byte for byte.
func (f *fake) shows(t *testing.T, p *phone) {
	t.Helper()
	list := must(p.List(background, "household"))
	equal(t, "records", len(list), len(f.records))
	for _, r := range list {
		want := f.records[r.ID]
		equal(t, "pending", r.Pending, false)
		equal(t, "version", r.Version, want.Version)
		equal(t, "area", r.Area, want.Area)
		equal(t, "live", fmt.Sprint(r.Live()), fmt.Sprint(want.Live))
	}
}
