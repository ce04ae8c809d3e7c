package clientsdk_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

// shows reports whether any of the phone's files holds a text.
func (p *phone) shows(t *testing.T, text string) bool {
	t.Helper()
	for _, file := range p.files(t) {
		if bytes.Contains(must(os.ReadFile(file)), []byte(text)) {
			return true
		}
	}
	return false
}

func TestNothingThatWasRecordedOrSentIsInTheBytesOfASealedFile(t *testing.T) {
	f := newFake(t)
	p, keys := enrolledPhone(t, f, 1)
	p.household(t, "早上的住址")
	p.sync(t)
	equal(t, "before it is sealed", p.shows(t, "早上的住址"), true)
	if err := p.Seal(background, pin); err != nil {
		t.Fatal(err)
	}
	other := newPhoneAt(t, f, 9)
	other.household(t, "别人的住址")
	other.sync(t)
	h := p.household(t, "下午的住址")
	p.sync(t)
	f.tell(p.Device(), 2, "conflict", syncproto.SaidOther, "裁定的理由")
	p.sync(t)
	p.household(t, "晚上的住址")
	equal(t, "told", len(must(p.Told(background))), 1)
	equal(t, "households", len(must(p.List(background, "household"))), 4)
	for _, text := range []string{"早上的住址", "下午的住址", "晚上的住址", "别人的住址", "裁定的理由", "陈梅"} {
		if p.shows(t, text) {
			t.Errorf("the file shows %s", text)
		}
	}
	hash := must(p.Log(background))[0].Hash()
	equal(t, "a hash, from which few words could be guessed", p.shows(t, string(hash[:])), false)
	equal(t, "the token", p.shows(t, "access "), false)
	if len(keys.kept) == 0 || bytes.Contains(keys.kept, []byte("住址")) {
		t.Error("the keystore holds more than keys")
	}
	p.reopen(t)
	if _, err := p.Get(background, h); !errors.Is(err, clientsdk.ErrLocked) {
		t.Errorf("a record of a locked file: %v", err)
	}
}

// newPhoneAt is a phone that was given its token by an office.
func newPhoneAt(t *testing.T, f *fake, k uint64) *phone {
	t.Helper()
	return newPhone(t, f, k, func(o *clientsdk.Options) {
		o.Token = fmt.Sprint("given ", k)
		f.office.good[o.Token] = f.now + 1e12
	})
}

func TestAFileThatIsSealedLaterKeepsItsOutboxAndAllItHolds(t *testing.T) {
	f := newFake(t)
	f.openOffice(t)
	keys := &safe{}
	p := newPhoneAt(t, f, 1)
	_ = p.Close()
	copyFile(t, filepath.Join("testdata", "phone-v1.sqlite"), p.path)
	p.opt.Keys, p.ids = keys, 8_000_000
	p.open(t)
	p.alice = p.As(author(2))
	before := must(p.Log(background))
	if err := p.Seal(background, pin); err != nil {
		t.Fatal(err)
	}
	if err := p.Seal(background, pin); !errors.Is(err, clientsdk.ErrSealed) {
		t.Errorf("sealed twice: %v", err)
	}
	p.reopen(t)
	if err := p.Unlock(background, pin); err != nil {
		t.Fatal(err)
	}
	after := must(p.Log(background))
	equal(t, "changes", len(after), len(before))
	for i := range before {
		equal(t, "hash", after[i].Hash(), before[i].Hash())
		equal(t, "state", after[i].State, before[i].State)
	}
	list := must(p.List(background, "household"))
	equal(t, "the two are one", len(list), 1)
	equal(t, "with what both say", list[0].Text("head")+list[0].Text("note"), "李四尚未上传")
	f.epoch = syncproto.Epoch(id(9001))
	p.sync(t)
	f.holdsExactly(t, p)
}

func TestAFileThatCantBeCleanedIsWorkedWithAndCleanedLater(t *testing.T) {
	f := newFake(t)
	p, _ := enrolledPhone(t, f, 1)
	p.household(t, "幸福路")
	const full = "CREATE TRIGGER full BEFORE UPDATE ON lock WHEN NOT json_extract(new.body, '$.unclean') IS TRUE BEGIN SELECT RAISE(ABORT, 'disk full'); END"
	must(p.Raw().Exec(full))
	if err := p.Seal(background, pin); err == nil {
		t.Fatal("the disk wasn't full")
	}
	p.reopen(t)
	p.deliver(t)
	equal(t, "delivered", p.status(t).Delivered, 1)
	must(p.Raw().Exec("DROP TRIGGER full"))
	unclean := func() (n int) {
		equal(t, "reads", p.Raw().QueryRow("SELECT count(*) FROM lock WHERE json_extract(body, '$.unclean')").Scan(&n), nil)
		return n
	}
	equal(t, "it remembers", unclean(), 1)
	p.reopen(t)
	equal(t, "and is clean", unclean(), 0)
	equal(t, "opens", p.Unlock(background, pin), nil)
}

func TestALockedFileTakesAndTellsNothingButWhereItStands(t *testing.T) {
	f := newFake(t)
	p, _ := sealedPhone(t, f, 1)
	h := p.household(t, "幸福路")
	p.Lock()
	equal(t, "locked", p.status(t).Locked, true)
	equal(t, "unsent", p.status(t).Unsent, 1)
	_, list := p.List(background, "household")
	_, log := p.Log(background)
	_, told := p.alice.Told(background)
	_, returned := p.alice.Returned(background)
	_, sync := p.Sync(background)
	_, again := p.alice.Put(background, clientsdk.Edit{Record: h, Fields: syncproto.Fields{"note": `"x"`}})
	for what, err := range map[string]error{"list": list, "log": log, "told": told, "returned": returned, "sync": sync, "put": again} {
		if !errors.Is(err, clientsdk.ErrLocked) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := p.Unlock(background, pin); err != nil {
		t.Fatal(err)
	}
	equal(t, "unlocked", p.get(t, h).Text("address"), "幸福路")
	equal(t, "nothing was recorded", p.status(t).High, 1)
}

func TestASealedFileIsNothingWithoutTheSecret(t *testing.T) {
	f := newFake(t)
	p, keys := sealedPhone(t, f, 1)
	p.household(t, "幸福路")
	_ = p.Close()
	other := &safe{}
	for what, adjust := range map[string]func(o *clientsdk.Options){
		"no keystore":      func(o *clientsdk.Options) { o.Keys = nil },
		"an empty one":     func(o *clientsdk.Options) { o.Keys = &safe{} },
		"of another phone": func(o *clientsdk.Options) { o.Keys = other },
	} {
		opt := p.opt
		adjust(&opt)
		if what == "of another phone" {
			opt.Device = syncproto.DeviceID(id(101))
			c, err := clientsdk.Open(background, filepath.Join(t.TempDir(), "other.db"), opt)
			if err != nil {
				t.Fatal(err)
			}
			_ = c.Close()
			opt.Device = syncproto.DeviceID{}
			other.kept = bytes.ReplaceAll(other.kept, []byte(id(101).String()), []byte(p.Device().String()))
		}
		if _, err := clientsdk.Open(background, p.path, opt); !errors.Is(err, clientsdk.ErrOtherKeys) {
			t.Errorf("%s: %v", what, err)
		}
	}
	p.opt.Keys = keys
	p.open(t)
	equal(t, "with the right one", p.Unlock(background, pin), nil)
}

func TestARowThatWasPutInAnothersPlaceIsNotShown(t *testing.T) {
	f := newFake(t)
	p, _ := sealedPhone(t, f, 1)
	one, two := p.household(t, "第一户"), p.household(t, "第二户")
	p.sync(t)
	must(p.Raw().Exec("UPDATE records SET live = (SELECT live FROM records WHERE id = ?) WHERE id = ?", one[:], two[:]))
	if r, err := p.Get(background, two); err == nil {
		t.Errorf("the second shows %s", r.Text("address"))
	}
	equal(t, "the first", p.get(t, one).Text("address"), "第一户")
}

func TestAProcessThatDidNotHearThatTheFileWasSealedWritesNothingInTheClear(t *testing.T) {
	f := newFake(t)
	p, _ := enrolledPhone(t, f, 1)
	other, err := clientsdk.Open(background, p.path, p.opt)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := p.Seal(background, pin); err != nil {
		t.Fatal(err)
	}
	_, err = other.As(p.Me()).Put(background, clientsdk.Edit{Kind: "household", Area: grid1, Fields: syncproto.Fields{
		"address": syncproto.TextValue("住址"), "found_on": `"2020-02-03"`,
	}})
	if !errors.Is(err, clientsdk.ErrReopen) {
		t.Errorf("it records: %v", err)
	}
	equal(t, "recorded", p.status(t).High, 0)
	equal(t, "shown", p.shows(t, "住址"), false)
}

// wrong tries a wrong PIN.
func (p *phone) wrong(t *testing.T) *clientsdk.PINError {
	t.Helper()
	var said *clientsdk.PINError
	if err := p.Unlock(background, "246801"); !errors.As(err, &said) {
		t.Fatalf("a wrong PIN: %v", err)
	}
	return said
}

func TestWrongPINsMakeWaitLongerAndLongerAndNothingIsWiped(t *testing.T) {
	f := newFake(t)
	p, _ := sealedPhone(t, f, 1)
	h := p.household(t, "幸福路")
	p.reopen(t)
	for free := 4; free >= 0; free-- {
		equal(t, "free", *p.wrong(t), clientsdk.PINError{Tried: true, Left: free})
	}
	for _, minutes := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
		wait := time.Duration(minutes) * time.Minute
		equal(t, "after", *p.wrong(t), clientsdk.PINError{Tried: true, After: wait})
		p.now = p.now.Add(wait - time.Second)
		equal(t, "too early", *p.wrong(t), clientsdk.PINError{After: time.Second})
		p.reopen(t) // what is counted is in the file
		equal(t, "too early even for the right one", p.tries(t, pin), time.Second)
		p.now = p.now.Add(time.Second)
	}
	equal(t, "in the end", p.tries(t, pin), 0)
	equal(t, "it is there", p.get(t, h).Text("address"), "幸福路")
	p.reopen(t)
	equal(t, "counted from the start", *p.wrong(t), clientsdk.PINError{Tried: true, Left: 4})
}

// tries tries a PIN and returns how long to wait instead.
func (p *phone) tries(t *testing.T, pin string) time.Duration {
	t.Helper()
	err := p.Unlock(background, pin)
	var said *clientsdk.PINError
	if err != nil && (!errors.As(err, &said) || said.Tried) {
		t.Fatal(err)
	}
	if said == nil {
		return 0
	}
	return said.After
}

func TestNoTurnOfTheClockMakesTheWaitForAPINShorterForLong(t *testing.T) {
	f := newFake(t)
	p, _ := sealedPhone(t, f, 1)
	p.reopen(t)
	for range 8 {
		p.now = p.now.Add(time.Hour)
		p.wrong(t)
	}
	right := p.now
	p.now = right.Add(-24 * time.Hour) // back
	equal(t, "set back", p.tries(t, pin), 4*time.Minute)
	p.now = right.AddDate(10, 0, 0) // forward passes the wait once
	equal(t, "set forward", p.wrong(t).After, 8*time.Minute)
	p.now = right
	equal(t, "and back: in full", p.tries(t, pin), 8*time.Minute)
	p.now = right.Add(8*time.Minute - 1e6)
	equal(t, "to the end", p.tries(t, pin), time.Millisecond)
	p.now = right.Add(8 * time.Minute)
	equal(t, "the owner isn't kept out for ten years", p.tries(t, pin), 0)
}

func TestAPINThatAnotherProcessHasChangedMeanwhileDoesNotComeBack(t *testing.T) {
	f := newFake(t)
	p, _ := sealedPhone(t, f, 1)
	p.Lock()
	halfway := p.TryPIN(background, pin)
	other, err := clientsdk.Open(background, p.path, p.opt)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	equal(t, "changed", other.ChangePIN(background, pin, "864209"), nil)
	if err := halfway(); !errors.Is(err, clientsdk.ErrReopen) {
		t.Errorf("by the old one: %v", err)
	}
	p.reopen(t)
	equal(t, "opens by the new one", p.Unlock(background, "864209"), nil)
}

func TestThePINCanBeChangedAndTheOldOneOpensNothing(t *testing.T) {
	f := newFake(t)
	p, _ := sealedPhone(t, f, 1)
	h := p.household(t, "幸福路")
	for _, weak := range []string{"", "12345", "111111", "123456", "987654"} {
		if err := p.ChangePIN(background, pin, weak); !errors.Is(err, clientsdk.ErrWeakPIN) {
			t.Errorf("%q: %v", weak, err)
		}
	}
	var said *clientsdk.PINError
	if err := p.ChangePIN(background, "000001", "864209"); !errors.As(err, &said) {
		t.Errorf("by a wrong one: %v", err)
	}
	if err := p.ChangePIN(background, pin, "864209"); err != nil {
		t.Fatal(err)
	}
	p.reopen(t)
	if err := p.Unlock(background, pin); !errors.As(err, &said) {
		t.Errorf("the old one: %v", err)
	}
	equal(t, "the new one", p.Unlock(background, "864209"), nil)
	equal(t, "it is there", p.get(t, h).Text("address"), "幸福路")
}
