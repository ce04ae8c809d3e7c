package clientsdk_test

import (
	"slices"
	"testing"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

func TestAnAuthorIsToldOnceAndTheNewestFirst(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	h := p.household(t, "一")
	edit(t, p.bob, h, "note", "狗")
	p.sync(t)
	f.tell(p.Device(), 1, "implausible", syncproto.SaidAccepted, "")
	f.tell(p.Device(), 2, "conflict", syncproto.SaidOther, "两人说法不一")
	equal(t, "told", p.sync(t).Told, 2)
	p.reopen(t)
	heard := must(p.Told(background))
	equal(t, "in all", len(heard), 2)
	equal(t, "the newest first", heard[0].N, uint64(2))
	equal(t, "the reason", heard[0].Reason, "两人说法不一")
	alices := must(p.alice.Told(background))
	equal(t, "alice's", len(alices), 1)
	equal(t, "is hers", alices[0].N, uint64(1))

	f.lie = func(a *syncproto.Answer) { a.Told = append(a.Told, f.told[p.Device()]...) }
	equal(t, "told again", p.sync(t).Told, 0)
	equal(t, "kept once", len(must(p.Told(background))), 2)
}

func TestWhatWasReadIsNoLongerCountedAndStays(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	p.household(t, "一")
	p.sync(t)
	f.tell(p.Device(), 1, "conflict", syncproto.SaidKept, "")
	f.tell(p.Device(), 1, "exit", syncproto.SaidSettled, "")
	p.sync(t)
	equal(t, "unread", p.status(t).Unread, 2)
	if err := p.MarkRead(background, must(p.Told(background))[1]); err != nil {
		t.Fatal(err)
	}
	equal(t, "unread", p.status(t).Unread, 1)
	heard := must(p.Told(background))
	equal(t, "kept", len(heard), 2)
	equal(t, "the one that was read", heard[1].Read && !heard[0].Read, true)
}

func TestWatchersHearOfTheRecordThatTheirAuthorIsToldOf(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	h := p.household(t, "一")
	p.sync(t)
	ch := p.Watch(t.Context())
	f.tell(p.Device(), 1, "implausible", syncproto.SaidAccepted, "")
	p.sync(t)
	select {
	case got := <-ch:
		equal(t, "told of", slices.Contains(got, h), true)
	default:
		t.Error("nobody was woken")
	}
}

func TestWhatWasToldStaysThroughAResetAndANewEpoch(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	p.household(t, "一")
	p.sync(t)
	f.tell(p.Device(), 1, "conflict", syncproto.SaidKept, "")
	p.sync(t)
	if err := p.MarkRead(background, must(p.Told(background))...); err != nil {
		t.Fatal(err)
	}
	f.epoch = syncproto.Epoch(id(9001))
	equal(t, "reset", p.sync(t).Reset, true)
	heard := must(p.Told(background))
	equal(t, "kept once, though it came again", len(heard), 1)
	equal(t, "still read", p.status(t).Unread, 0)

	// In the new history the same version may stand for another ending.
	f.told[p.Device()][0].Said = syncproto.SaidOther
	f.epoch = syncproto.Epoch(id(9002))
	p.sync(t)
	heard = must(p.Told(background))
	equal(t, "in place of the old one", len(heard), 1)
	equal(t, "which is news", heard[0].Said == syncproto.SaidOther && !heard[0].Read, true)
}

func TestTheLogSaysWhatBecameOfEachChange(t *testing.T) {
	f := newFake(t)
	f.park = func(c *syncproto.Change) *syncproto.Error {
		if c.N == 2 {
			return &syncproto.Error{Code: syncproto.CodeOutOfArea}
		}
		return nil
	}
	p := newPhone(t, f, 1)
	h := p.household(t, "一")
	edit(t, p.bob, h, "note", "狗")
	p.sync(t)
	f.giveBack(p.Device(), 2, "不是狗")
	p.sync(t)
	if _, err := p.bob.Resubmit(background, 2, clientsdk.Edit{Fields: syncproto.Fields{"note": `"猫"`}}); err != nil {
		t.Fatal(err)
	}
	log := must(p.Log(background))
	equal(t, "entries", len(log), 3)
	equal(t, "applied", log[0].Outcome, syncproto.Applied)
	equal(t, "returned, and no longer waiting at a desk", log[1].Returned && !log[1].Parked, true)
	equal(t, "told why", log[1].Told[0].Reason, "不是狗")
	equal(t, "answered by", log[1].Answer, uint64(3))
	equal(t, "the answer names it", must(log[2].Answers()), log[1].ID)
	equal(t, "bob's own log", len(must(p.bob.Log(background))), 2)
	equal(t, "alice's own log", len(must(p.alice.Log(background))), 1)
}
