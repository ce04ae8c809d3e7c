package clientsdk_test

import (
	"errors"
	"net/http"
	"testing"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

// revoke ends a phone's use at the server.
func (f *fake) revoke(p *phone) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.revoked = map[syncproto.DeviceID]bool{p.Device(): true}
}

func TestAPhoneOutOfUseDestroysItsCopyOnceTheServerHoldsAllOfIt(t *testing.T) {
	f := newFake(t)
	p, keys := sealedPhone(t, f, 1)
	h := p.household(t, "幸福路")
	p.sync(t)
	p.household(t, "解放路")
	f.revoke(p)
	p.sync(t)
	st := p.status(t)
	equal(t, "closed", st.Closed, true)
	equal(t, "held", len(f.log[p.Device()]), 2)
	equal(t, "the keys are gone", keys.gone, true)
	equal(t, "records", st.Records, 0)
	if _, err := p.Get(background, h); !errors.Is(err, clientsdk.ErrNotFound) {
		t.Errorf("a record: %v", err)
	}
	p.Client.SetToken("")
	for what, err := range map[string]error{
		"sync": second(p.Sync(background)), "deliver": second(p.Deliver(background)),
		"put": second(p.alice.Put(background, clientsdk.Edit{Kind: "household", Area: grid1})),
	} {
		if !errors.Is(err, clientsdk.ErrClosed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	p.reopen(t)
	equal(t, "stays closed", p.status(t).Closed, true)
}

func TestAPhoneOutOfUseLeavesNothingInTheBytesOfAFileWithoutAPIN(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	p.household(t, "幸福路的住址")
	p.sync(t)
	equal(t, "before", p.shows(t, "幸福路的住址"), true)
	f.revoke(p)
	p.sync(t)
	equal(t, "closed", p.status(t).Closed, true)
	equal(t, "after", p.shows(t, "幸福路的住址"), false)
}

func second[T any](_ T, err error) error { return err }

func TestAPhoneOutOfUseKeepsItsCopyWhileAnythingIsOnThePhoneAlone(t *testing.T) {
	f := newFake(t)
	p, keys := sealedPhone(t, f, 1)
	p.household(t, "幸福路")
	f.refuse = func(*syncproto.Change) *syncproto.Error { return &syncproto.Error{Code: syncproto.CodeBadChange} }
	f.revoke(p)
	p.sync(t)
	equal(t, "what the server can't read is kept", p.status(t).Attention, 1)
	equal(t, "closed", p.status(t).Closed, false)
	f.refuse = nil
	p.household(t, "解放路")
	lie := true
	f.lie = func(a *syncproto.Answer) {
		if lie {
			a.Receipt.Digest[0]++
		}
	}
	equal(t, "seen to", p.Resolve(background, 1), nil)
	p.sync(t)
	equal(t, "a receipt that isn't confirmed closes nothing", p.status(t).Closed, false)
	lie = false
	p.Lock()
	p.deliver(t)
	equal(t, "closed, and locked", p.status(t).Closed, true)
	equal(t, "the keys are gone", keys.gone, true)
}

func TestAPhoneThatDiesWhileItDestroysItsCopyGoesOnWithIt(t *testing.T) {
	f := newFake(t)
	p, keys := sealedPhone(t, f, 1)
	p.household(t, "幸福路")
	p.sync(t)
	f.revoke(p)
	keys.dies = 1
	if _, err := p.Sync(background); !errors.Is(err, killed{}) {
		t.Fatal(err)
	}
	equal(t, "the keys are there", keys.gone, false)
	p.reopen(t)
	equal(t, "now they aren't", keys.gone, true)
	equal(t, "closed", p.status(t).Closed, true)
}

func TestAnAnswerThatComesAfterAnotherProcessHasEndedThePhoneBringsNothingBack(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	strangers(f, "name", `"某人"`, `"某人"`)
	f.fail(func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
		must(p.Raw().Exec("UPDATE meta SET body = json_set(body, '$.closed', json('true'))"))
		next(w, r)
	})
	if _, err := p.Sync(background); !errors.Is(err, clientsdk.ErrClosed) {
		t.Errorf("sync: %v", err)
	}
	equal(t, "records", p.status(t).Records, 0)
}

func TestAPhoneThatMayOnlySeeNothingAnyMoreIsNotOutOfUse(t *testing.T) {
	f := newFake(t)
	p, keys := sealedPhone(t, f, 1)
	p.household(t, "幸福路")
	p.sync(t)
	f.left, f.lie = f.areas, func(a *syncproto.Answer) { a.Sums = nil }
	p.sync(t)
	equal(t, "records", p.status(t).Records, 0)
	equal(t, "closed", p.status(t).Closed, false)
	equal(t, "the keys are there", keys.gone, false)
	equal(t, "what was recorded is", len(must(p.Log(background))), 1)
}
