package clientsdk_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

// deliver delivers, and must not fail.
func (p *phone) deliver(t *testing.T) clientsdk.Report {
	t.Helper()
	report, err := p.Deliver(background)
	if err != nil {
		t.Fatalf("deliver: %v", err)
	}
	return report
}

func TestALockedPhoneDeliversWhatNobodyButTheServerCanRead(t *testing.T) {
	f := newFake(t)
	p, _ := sealedPhone(t, f, 1)
	p.household(t, "昨天的住址")
	p.sync(t)
	for i := range 30 {
		p.household(t, fmt.Sprint("今天的住址 ", i))
	}
	p.reopen(t) // killed, and begun anew: it is locked
	cursor := f.version
	f.fail(loseAnswer, loseRequest)
	f.bodies = nil
	f.lie = func(a *syncproto.Answer) {
		for i := range a.Verdicts { // a remark that is of use to who can read the change
			a.Verdicts[i].Stamp = &syncproto.Stamp{Time: f.now, Earliest: f.now, Latest: f.now}
		}
	}
	report := p.deliver(t)
	equal(t, "withheld", report.Withheld, 0)
	equal(t, "held now", report.Sent[syncproto.Applied]+report.Sent[syncproto.Duplicate], 30)
	equal(t, "delivered", p.status(t).Delivered, 31)
	equal(t, "unsent", p.status(t).Unsent, 0)
	equal(t, "on the wire in the clear", strings.Contains(strings.Join(f.bodies, ""), "今天的住址"), false)
	last := f.seen[len(f.seen)-1]
	equal(t, "asks for nothing else", last.Deliver, true)
	equal(t, "its cursor", last.Cursor, fmt.Sprintf("%s/%d", f.epoch, cursor))
	equal(t, "still locked", p.Locked(), true)

	f.lie = nil
	equal(t, "opens", p.Unlock(background, pin), nil)
	f.holdsExactly(t, p)
	report = p.sync(t)
	equal(t, "comes down then", report.Received, 30)
	equal(t, "shown once each", len(must(p.List(background, "household"))), 31)
	equal(t, "nothing on its way", len(must(p.List(background, "household", clientsdk.OnlyPending()))), 0)
}

func TestWhatWasRecordedBeforeTheFileWasSealedIsDeliveredWhileItIsLocked(t *testing.T) {
	f := newFake(t)
	p, _ := enrolledPhone(t, f, 1)
	p.household(t, "幸福路")
	if err := p.Seal(background, pin); err != nil {
		t.Fatal(err)
	}
	p.reopen(t)
	p.deliver(t)
	equal(t, "delivered", p.status(t).Delivered, 1)
}

func TestAPhoneWithoutAPINDeliversInTheClear(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	p.household(t, "幸福路")
	report := p.deliver(t)
	equal(t, "applied", report.Sent[syncproto.Applied], 1)
	equal(t, "delivered", p.status(t).Delivered, 1)
	equal(t, "never synced", p.status(t).LastSync.IsZero(), true)
	equal(t, "nothing came down", p.status(t).Records, 0)
	equal(t, "still shown as on its way", len(must(p.List(background, "household", clientsdk.OnlyPending()))), 1)
	p.sync(t)
	equal(t, "then it comes", len(must(p.List(background, "household", clientsdk.OnlyPending()))), 0)
	equal(t, "one", p.status(t).Records, 1)
}

func TestWhatTheServerCantOpenWaitsUntilTheFileIsUnlocked(t *testing.T) {
	f := newFake(t)
	p, _ := sealedPhone(t, f, 1)
	p.household(t, "幸福路")
	p.Lock()
	box := f.office.box
	other := make([]byte, 32)
	other[0] = 9
	f.office.box = must(syncproto.NewBoxKey(other))
	equal(t, "withheld", p.deliver(t).Withheld, 1)
	equal(t, "unsent", p.status(t).Unsent, 1)
	equal(t, "needs attention", p.status(t).Attention, 0)
	f.office.box = box
	equal(t, "opens", p.Unlock(background, pin), nil)
	p.sync(t)
	f.holdsExactly(t, p)
	equal(t, "delivered", p.status(t).Delivered, 1)
}

func TestATakenNumberIsLeftForWhoCanReadWhatItSays(t *testing.T) {
	f := newFake(t)
	p, _ := sealedPhone(t, f, 1)
	p.household(t, "幸福路")
	p.sync(t)
	for _, s := range f.log[p.Device()] { // another copy of this file has filled number 1
		s.hash[0]++
	}
	must(p.Raw().Exec("UPDATE outbox SET state = 0"))
	p.household(t, "解放路")
	p.Lock()
	report := p.deliver(t)
	equal(t, "left", fmt.Sprint(report.Skipped), "[1]")
	equal(t, "the other is held", len(f.log[p.Device()]), 2)
	equal(t, "opens", p.Unlock(background, pin), nil)
	p.sync(t)
	equal(t, "under a new number", len(f.log[p.Device()]), 3)
	equal(t, "unsent", p.status(t).Unsent, 0)
}

func TestARestoredBackupGetsBackFromALockedPhoneWhatItLost(t *testing.T) {
	f := newFake(t)
	p, _ := sealedPhone(t, f, 1)
	h := p.household(t, "幸福路")
	p.sync(t)
	p.Lock()
	delete(f.log, p.Device())
	delete(f.records, h)
	f.epoch = syncproto.Epoch(id(9001))
	report := p.deliver(t)
	equal(t, "lost", fmt.Sprint(report.Lost), "[1]")
	equal(t, "held again", len(f.log[p.Device()]), 1)
	equal(t, "opens", p.Unlock(background, pin), nil)
	equal(t, "the new epoch is met by the next sync", p.sync(t).Reset, true)
	equal(t, "shown", p.get(t, h).Text("address"), "幸福路")
}

func TestRunDeliversWhileTheFileIsLockedAndSyncsWhenItIsNot(t *testing.T) {
	f := newFake(t)
	p, _ := sealedPhone(t, f, 1)
	p.household(t, "幸福路")
	p.Lock()
	ctx, stop := context.WithCancel(background)
	rounds := 0
	err := p.Run(ctx, time.Minute, func(r clientsdk.Report, err error) {
		equal(t, "round", err, nil)
		if rounds++; rounds == 1 {
			equal(t, "delivers", f.seen[len(f.seen)-1].Deliver, true)
			equal(t, "opens", p.Unlock(background, pin), nil)
			return
		}
		equal(t, "syncs", f.seen[len(f.seen)-1].Deliver, false)
		stop()
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	equal(t, "rounds", rounds, 2)
}
