package clientsdk_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

func TestDeliveredIsSaidOnlyForAConfirmedReceipt(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	p.household(t, "一")
	p.household(t, "二")
	f.lie = func(a *syncproto.Answer) { a.Receipt.Digest[0]++ }
	report := p.sync(t)
	equal(t, "reoffered", report.Reoffered, true)
	s := p.status(t)
	equal(t, "agreed", s.Agreed, false)
	equal(t, "delivered", s.Delivered, 0)
	equal(t, "sent", s.Sent, 2)
	equal(t, "state", must(p.Log(background))[0].State, clientsdk.Sent)
	equal(t, "offered again, once", len(f.seen), 2)
	p.sync(t)
	equal(t, "no storm", len(f.seen), 3)
	f.lie = nil
	p.sync(t)
	s = p.status(t)
	equal(t, "agreed", s.Agreed, true)
	equal(t, "delivered", s.Delivered, 2)
	equal(t, "state", must(p.Log(background))[0].State, clientsdk.Delivered)
}

func TestWhatTheReceiptLacksIsSentAgain(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	for i := range 5 {
		p.household(t, fmt.Sprint(i))
	}
	p.sync(t)
	bodies := len(f.bodies)
	delete(f.log[p.Device()], 2) // a server that lost one
	delete(f.log[p.Device()], 5)
	p.sync(t)
	f.holdsExactly(t, p)
	equal(t, "requests", len(f.bodies)-bodies, 2)
	equal(t, "changes sent again", len(f.seen[len(f.seen)-1].Changes), 2)
	equal(t, "delivered", p.status(t).Delivered, 5)
}

func TestANewEpochGetsAgainWhatItsReceiptLacks(t *testing.T) {
	for _, resets := range []bool{true, false} {
		f := newFake(t)
		p := newPhone(t, f, 1)
		p.household(t, "一")
		p.sync(t)
		backup := *f.log[p.Device()][1]
		kept := *f.records[backup.change.Record]
		h := p.household(t, "二")
		edit(t, p.alice, h, "note", "备注")
		p.sync(t)
		firstBytes := string(f.seen[1].Changes[0])

		f.epoch = syncproto.Epoch(id(9001))
		f.version = 1
		f.log[p.Device()] = map[uint64]*stored{1: &backup}
		f.records = map[syncproto.RecordID]*fakeRecord{kept.ID: &kept}
		f.lie = func(a *syncproto.Answer) { a.Reset = a.Reset && resets }
		equal(t, "reset", p.sync(t).Reset, true)
		f.holdsExactly(t, p)
		s := p.status(t)
		equal(t, "epoch", s.Epoch, f.epoch)
		equal(t, "delivered", s.Delivered, 3)
		equal(t, "records", s.Records, 2)
		again := f.seen[3].Changes
		equal(t, "sent again", len(again), 2)
		equal(t, "the same bytes", string(again[0]), firstBytes)
		equal(t, "note", p.get(t, h).Text("note"), "备注")
	}
}

func TestAResetKeepsPendingWork(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	h := p.household(t, "一")
	p.sync(t)
	edit(t, p.alice, h, "note", "改")
	f.lie = func(a *syncproto.Answer) {
		f.lie = nil
		a.Reset, a.Cursor, a.Records, a.Verdicts, a.Receipt = true, "", nil, nil, syncproto.Receipt{}
		a.More, a.Sums = true, nil
	}
	report := p.sync(t)
	equal(t, "reset", report.Reset, true)
	equal(t, "note", p.get(t, h).Text("note"), "改")
	f.holdsExactly(t, p)
}

func TestARefusalBlocksNobodyAndStaysOnThePhone(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	f.refuse = func(c *syncproto.Change) *syncproto.Error {
		if c.N == 2 {
			return &syncproto.Error{Code: syncproto.CodeBadChange, Field: "kind"}
		}
		return nil
	}
	for i := range 3 {
		p.household(t, fmt.Sprint(i))
	}
	p.sync(t)
	s := p.status(t)
	equal(t, "delivered", s.Delivered, 2)
	equal(t, "attention", s.Attention, 1)
	equal(t, "unsent", s.Unsent, 0)
	equal(t, "sent", s.Sent, 0)
	p.reopen(t)
	attention := must(p.Attention(background))
	equal(t, "n", attention[0].N, uint64(2))
	equal(t, "reason", attention[0].Reason.Code, syncproto.CodeBadChange)
	requests := len(f.seen)
	p.sync(t)
	equal(t, "told as unsent", f.seen[requests].Unsent, 0)
	equal(t, "not sent again", len(f.seen[requests].Changes), 0)
	var out bytes.Buffer
	if err := p.Export(background, &out); err != nil {
		t.Fatal(err)
	}
	var line clientsdk.Exported
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	equal(t, "exported as recorded", string(line.Change), string(f.seen[0].Changes[1]))
	if err := p.Resolve(background, 2); err != nil {
		t.Fatal(err)
	}
	if err := p.Resolve(background, 1); !errors.Is(err, clientsdk.ErrNotFound) {
		t.Errorf("resolving what was held: got %v", err)
	}
	equal(t, "attention after it was seen to", p.status(t).Attention, 0)
	equal(t, "in the log", must(p.Log(background))[1].State, clientsdk.Resolved)
}

func TestParkedShowsUntilItsRecordIsThere(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	f.park = func(*syncproto.Change) *syncproto.Error { return &syncproto.Error{Code: syncproto.CodeOutOfArea} }
	h := p.household(t, "别人的网格")
	p.sync(t)
	s := p.status(t)
	equal(t, "parked", s.Parked, 1)
	equal(t, "held all the same", s.Delivered, 1)
	entry := must(p.Log(background))[0]
	equal(t, "reason", entry.Reason.Code, syncproto.CodeOutOfArea)
	equal(t, "shown", p.get(t, h).Text("address"), "别人的网格")
	f.commit(f.log[p.Device()][1]) // the desk takes it up
	p.sync(t)
	equal(t, "parked", p.status(t).Parked, 0)
	equal(t, "pending", p.get(t, h).Pending, false)
	equal(t, "version", must(p.Log(background))[0].Version, f.records[h].Version)
}

// A late own change must not come back to life where a later one, already on the
// server and replaced there since, had written.
func TestAParkedChangeDoesNotUndoALaterOne(t *testing.T) {
	f := newFake(t)
	a, b := newPhone(t, f, 1), newPhone(t, f, 2)
	h := a.household(t, "一")
	a.sync(t)
	f.park = func(c *syncproto.Change) *syncproto.Error {
		if strings.Contains(string(c.Fields), "待处理") {
			return &syncproto.Error{Code: syncproto.CodeOutOfArea}
		}
		return nil
	}
	edit(t, a.alice, h, "head", "待处理")
	edit(t, a.alice, h, "head", "后来")
	a.sync(t)
	b.sync(t)
	edit(t, b.alice, h, "head", "更后来")
	b.sync(t)
	a.sync(t)
	r := a.get(t, h)
	equal(t, "head", r.Text("head"), "更后来")
	equal(t, "disputed", r.Disputed("head"), false)
}

func TestANumberUsedTwiceIsRecordedAgainAndNothingIsUndone(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	h := p.household(t, "一")
	p.sync(t)
	copyOf := filepath.Join(t.TempDir(), "copy.db")
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	copyFile(t, p.path, copyOf)
	p.open(t)
	p.alice = p.As(p.alice.ID())
	edit(t, p.alice, h, "note", "原机写的")
	p.sync(t)

	// The copy of the file goes on from an older state: its number 2 is taken, and 3 is free.
	q := newPhone(t, f, 1, func(o *clientsdk.Options) { o.BatchChanges = 1 })
	_ = q.Close()
	q.path, q.ids = copyOf, 7_000_000
	q.open(t)
	q.alice = q.As(author(2))
	edit(t, q.alice, h, "head", "先")
	edit(t, q.alice, h, "head", "后")
	edit(t, q.alice, h, "building", "3 幢")
	q.sync(t)
	s := q.status(t)
	equal(t, "attention", s.Attention, 0)
	equal(t, "unsent", s.Unsent, 0)
	equal(t, "superseded", s.Superseded, 1)
	equal(t, "agreed", s.Agreed, true)
	equal(t, "foreign", s.Foreign, 1)
	r := q.get(t, h)
	equal(t, "the later one shows", r.Text("head"), "后")
	equal(t, "the original's note", r.Text("note"), "原机写的")
	equal(t, "the third edit", r.Text("building"), "3 幢")
	for _, e := range must(q.Log(background)) {
		if e.State == clientsdk.Superseded {
			continue
		}
		if held := f.log[q.Device()][e.N]; held == nil || held.change.ID != e.ID {
			t.Errorf("change %d (%s) is not held", e.N, e.Fields)
		}
	}
}

func TestACopyOfAFileThatHasSyncedGivesOutNoNumberTwice(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	for range 3 {
		p.household(t, "原机")
	}
	p.sync(t)
	empty := newPhone(t, f, 1, func(*clientsdk.Options) {})
	empty.ids = 7_000_000
	empty.sync(t)
	empty.household(t, "新装")
	equal(t, "n", must(empty.Log(background))[0].N, uint64(4))
	empty.sync(t)
	s := empty.status(t)
	equal(t, "superseded", s.Superseded, 0)
	equal(t, "foreign", s.Foreign, 3)
	equal(t, "delivered", s.Delivered, 1)
}

func TestAParkedChangeThatADeskSettledOtherwiseStopsShowing(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	h := p.household(t, "一")
	p.sync(t)
	f.park = func(*syncproto.Change) *syncproto.Error { return &syncproto.Error{Code: syncproto.CodeOutOfArea} }
	edit(t, p.alice, h, "note", "退回")
	p.sync(t)
	equal(t, "shown while it waits", p.get(t, h).Text("note"), "退回")
	f.log[p.Device()][2].version = f.version // it is no longer parked, and not in the record
	p.sync(t)
	equal(t, "parked", p.status(t).Parked, 0)
	equal(t, "note", p.get(t, h).Text("note"), "")
}

func TestMoreParkedChangesThanAReceiptListsAreAllParked(t *testing.T) {
	f := newFake(t)
	f.park = func(*syncproto.Change) *syncproto.Error { return &syncproto.Error{Code: syncproto.CodeOutOfArea} }
	p := newPhone(t, f, 1)
	if _, err := p.alice.PutAll(background, visits(120)); err != nil {
		t.Fatal(err)
	}
	p.sync(t)
	equal(t, "parked", p.status(t).Parked, 120)
	p.sync(t)
	equal(t, "parked, asked again", p.status(t).Parked, 120)
}

// The answer with the record came, the one with the verdict didn't.
func TestAnOwnChangeInTheCopyIsNotShownTwice(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	h := p.household(t, "一")
	f.lie = func(a *syncproto.Answer) {
		if len(a.Verdicts) > 0 {
			a.Verdicts, a.Receipt = nil, syncproto.Receipt{}
			f.faults = []fault{loseRequest, loseRequest, loseRequest, loseRequest, loseRequest, loseRequest}
		}
	}
	p.opt.Attempts = 1
	p.reopen(t)
	if _, err := p.Sync(background); err == nil {
		t.Fatal("the link held")
	}
	r := p.get(t, h)
	equal(t, "still unsent", p.status(t).Unsent, 1)
	equal(t, "parts", len(r.Live()), 1)
	equal(t, "witnesses", len(r.Candidates("address")[0].Witnesses), 1)
}

func TestSentChangesAreKeptThirtyDaysAndPrunedOnlyWhenDelivered(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	p.household(t, "一")
	f.lie = func(a *syncproto.Answer) { a.Receipt.Digest[0]++ }
	p.sync(t)
	p.now = p.now.Add(31 * 24 * time.Hour)
	f.now += syncproto.Instant(31 * 24 * time.Hour / time.Millisecond)
	p.sync(t)
	equal(t, "kept while not delivered", len(must(p.Log(background))), 1)
	f.lie = nil
	p.household(t, "二")
	p.sync(t)
	equal(t, "old one pruned", len(must(p.Log(background))), 1)
	s := p.status(t)
	equal(t, "still counted", s.Delivered, 2)
	p.now = p.now.Add(29 * 24 * time.Hour)
	f.now += syncproto.Instant(29 * 24 * time.Hour / time.Millisecond)
	p.household(t, "三")
	p.sync(t)
	equal(t, "kept for 30 days", len(must(p.Log(background))), 2)
	equal(t, "the digest holds", p.status(t).Agreed, true)
	equal(t, "all delivered", p.status(t).Delivered, 3)
}

func TestAClockThatJumpsByYearsPrunesNothing(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	p.household(t, "一")
	p.sync(t)
	p.now = p.now.AddDate(10, 0, 0)
	p.sync(t)
	equal(t, "kept", len(must(p.Log(background))), 1)
}

func TestAServerThatLostWhatWasPrunedIsTold(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	p.household(t, "一")
	p.sync(t)
	p.now = p.now.Add(31 * 24 * time.Hour)
	f.now += syncproto.Instant(31 * 24 * time.Hour / time.Millisecond)
	p.household(t, "二")
	p.sync(t)
	delete(f.log[p.Device()], 1)
	p.sync(t)
	s := p.status(t)
	equal(t, "foreign", s.Foreign, -1)
	equal(t, "the one still kept is delivered", must(p.Log(background))[0].State, clientsdk.Delivered)
}

func TestAHundredHolesDoNotHideWhatIsHeld(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1, func(o *clientsdk.Options) { o.BatchChanges = 1000 })
	f.refuse = func(c *syncproto.Change) *syncproto.Error {
		if c.N%2 == 0 {
			return &syncproto.Error{Code: syncproto.CodeBadChange}
		}
		return nil
	}
	if _, err := p.alice.PutAll(background, visits(240)); err != nil {
		t.Fatal(err)
	}
	p.sync(t)
	s := p.status(t)
	equal(t, "delivered", s.Delivered, 120)
	equal(t, "attention", s.Attention, 120)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in := must(os.Open(from))
	defer in.Close()
	out := must(os.Create(to))
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}
