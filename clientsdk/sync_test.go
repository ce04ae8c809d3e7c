package clientsdk_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

func TestSyncLoopsUntilNothingIsLeft(t *testing.T) {
	f := newFake(t)
	f.pageRecords = 3
	a := newPhone(t, f, 1, func(o *clientsdk.Options) { o.BatchChanges = 4 })
	for i := range 10 {
		a.household(t, fmt.Sprint("幸福路 ", i))
	}
	report := a.sync(t)
	equal(t, "applied", report.Sent[syncproto.Applied], 10)
	equal(t, "own records came back", report.Received, 10)
	equal(t, "largest batch", len(f.seen[0].Changes), 4)
	equal(t, "unsent told", f.seen[0].Unsent, 10)
	equal(t, "high told", f.seen[0].High, uint64(10))
	f.holdsExactly(t, a)
	b := newPhone(t, f, 2)
	report = b.sync(t)
	equal(t, "received in pages", report.Received, 10)
	equal(t, "pages", report.Requests, 4)
	equal(t, "complete", b.status(t).Complete, true)
	equal(t, "records", b.status(t).Records, 10)
	equal(t, "areas", len(must(b.Areas(background))), 2)
	report = b.sync(t)
	equal(t, "a sync with nothing new", report.Requests, 1)
	equal(t, "fetches nothing", report.Received, 0)
}

func TestALostAnswerDoublesNothing(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	h := p.household(t, "幸福路 1 号")
	p.household(t, "幸福路 2 号")
	f.fail(loseAnswer)
	report := p.sync(t)
	equal(t, "retries", report.Retries, 1)
	equal(t, "duplicates", report.Sent[syncproto.Duplicate], 2)
	equal(t, "records", len(f.records), 2)
	f.holdsExactly(t, p)
	equal(t, "delivered", p.status(t).Delivered, 2)
	equal(t, "settled", p.get(t, h).Pending, false)
}

func TestACutAnswerLeavesTheClientWhereItWas(t *testing.T) {
	f := newFake(t)
	for i := range 6 {
		a := newPhone(t, f, uint64(10+i))
		a.household(t, fmt.Sprint(i))
		a.sync(t)
	}
	f.pageRecords = 2
	b := newPhone(t, f, 2, func(o *clientsdk.Options) { o.Attempts = 1 })
	f.fail(cutAnswer)
	_, err := b.Sync(background)
	if !errors.Is(err, clientsdk.ErrOffline) {
		t.Fatalf("got %v", err)
	}
	equal(t, "records after a cut", b.status(t).Records, 0)
	equal(t, "page asked for before", f.seen[len(f.seen)-1].PageBytes, syncproto.PageBytes)
	b.reopen(t)
	f.fail(func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) { next(w, r) }, cutAnswer)
	if _, err = b.Sync(background); !errors.Is(err, clientsdk.ErrOffline) {
		t.Fatalf("got %v", err)
	}
	equal(t, "records after one page", b.status(t).Records, 2)
	equal(t, "complete", b.status(t).Complete, false)
	report := b.sync(t)
	equal(t, "the rest, and no more", report.Received, 4)
}

func TestCutAnswersShrinkThePageAndGoodOnesGrowIt(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	f.fail(cutAnswer, cutAnswer)
	p.sync(t)
	p.sync(t)
	var asked []int
	for _, r := range f.seen {
		asked = append(asked, r.PageBytes)
	}
	want := []int{syncproto.PageBytes, syncproto.PageBytes / 2, syncproto.PageBytes / 4, syncproto.PageBytes / 2}
	equal(t, "pages asked for", fmt.Sprint(asked), fmt.Sprint(want))
}

func TestABrokenLinkHalvesTheBatchAndGrowsItAgain(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1, func(o *clientsdk.Options) { o.BatchChanges = 8 })
	for i := range 20 {
		p.household(t, fmt.Sprint(i))
	}
	f.fail(loseAnswer, loseAnswer, loseAnswer)
	report := p.sync(t)
	var sizes []int
	for _, r := range f.seen {
		sizes = append(sizes, len(r.Changes))
	}
	equal(t, "batches", fmt.Sprint(sizes), "[8 4 2 1 2 4 8 5]")
	equal(t, "retries", report.Retries, 3)
	f.holdsExactly(t, p)
}

func TestTooLargeHalvesDownToOneAndSkipsWhatIsTooLargeAlone(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1, func(o *clientsdk.Options) { o.BatchChanges = 4 })
	for i := range 4 {
		p.household(t, fmt.Sprint(i))
	}
	refuse := say(413, syncproto.CodeBodyTooLarge)
	f.fail(refuse, refuse, refuse) // 4, 2, then 1 alone
	report := p.sync(t)
	equal(t, "skipped", fmt.Sprint(report.Skipped), "[1]")
	equal(t, "the others arrived", len(f.log[p.Device()]), 3)
	equal(t, "unsent", p.status(t).Unsent, 1)
	p.sync(t)
	f.holdsExactly(t, p)
}

func TestBusyIsHonouredWithTheServersOwnWait(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	p.household(t, "一")
	f.fail(say(429, syncproto.CodeBusy, "Retry-After", "8"), say(503, syncproto.CodeBusy, "Retry-After", "4"), say(500, syncproto.CodeInternal))
	p.sync(t)
	// Jitter adds up to a quarter (half of that here) to what the server asked for.
	want := []time.Duration{9 * time.Second, 4500 * time.Millisecond}
	equal(t, "waits", fmt.Sprint(p.waits[:2]), fmt.Sprint(want))
	equal(t, "after an error", p.waits[2], 1200*time.Millisecond)
	f.holdsExactly(t, p)
	f.fail(say(429, syncproto.CodeBusy, "Retry-After", "600"))
	_, err := p.Sync(background)
	var busy *clientsdk.BusyError
	if !errors.As(err, &busy) || busy.After != 10*time.Minute || !errors.Is(err, &syncproto.Error{Code: syncproto.CodeBusy}) {
		t.Errorf("a long wait: got %v", err)
	}
}

func TestWaitsDoubleWithJitter(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1, func(o *clientsdk.Options) { o.Attempts = 4; o.Rand = func() float64 { return 0 } })
	f.fail(loseRequest, loseRequest, loseRequest, loseRequest, loseRequest)
	if _, err := p.Sync(background); !errors.Is(err, clientsdk.ErrOffline) {
		t.Fatalf("got %v", err)
	}
	want := []time.Duration{150 * time.Millisecond, 300 * time.Millisecond, 600 * time.Millisecond}
	equal(t, "waits", fmt.Sprint(p.waits), fmt.Sprint(want))
}

func TestATokenThatIsNotValidIsATypedErrorAndNoStorm(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	p.household(t, "一")
	for _, c := range []struct {
		status int
		code   syncproto.Code
	}{{401, syncproto.CodeTokenExpired}, {403, syncproto.CodeDeviceRevoked}, {426, syncproto.CodeUnknownProtocol}} {
		f.fail(say(c.status, c.code))
		_, err := p.Sync(background)
		if !errors.Is(err, &syncproto.Error{Code: c.code}) {
			t.Errorf("%d: got %v", c.status, err)
		}
		f.fail(say(c.status, c.code))
		if err := p.Run(background, time.Hour, nil); !errors.Is(err, &syncproto.Error{Code: c.code}) {
			t.Errorf("Run on %d: got %v", c.status, err)
		}
	}
	equal(t, "waits", len(p.waits), 0)
	equal(t, "unsent", p.status(t).Unsent, 1)
	p.sync(t)
	f.holdsExactly(t, p)
}

func TestNoServerIsOfflineAtOnce(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1, func(o *clientsdk.Options) {
		o.Transport = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: errors.New("no signal")}
		}}
	})
	p.household(t, "一")
	if _, err := p.Sync(background); !errors.Is(err, clientsdk.ErrOffline) {
		t.Fatalf("got %v", err)
	}
	equal(t, "waits", len(p.waits), 0)
}

func TestALoginPageIsNoAnswer(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	p.household(t, "一")
	page := func(body string) fault {
		return func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) { _, _ = w.Write([]byte(body)) }
	}
	for _, body := range []string{"<html>请登录</html>", `{}`, `{"cursor":"x"}`} {
		f.fail(page(body))
		if _, err := p.Sync(background); !errors.Is(err, clientsdk.ErrBadAnswer) {
			t.Errorf("%s: got %v", body, err)
		}
	}
	f.fail(func(w http.ResponseWriter, r *http.Request, _ http.HandlerFunc) {
		http.Redirect(w, r, "http://elsewhere.invalid/", http.StatusFound)
	})
	if _, err := p.Sync(background); !errors.Is(err, &syncproto.Error{Code: syncproto.CodeBadRequest}) {
		t.Errorf("a redirect: got %v", err)
	}
	p.sync(t)
	f.holdsExactly(t, p)
}

func TestAClosedKeptConnectionIsRetriedAtOnce(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	p.sync(t)
	p.household(t, "一")
	f.fail(loseRequest)
	report := p.sync(t)
	equal(t, "waits", len(p.waits), 0)
	equal(t, "retries", report.Retries, 0)
	f.holdsExactly(t, p)
}

func TestACancelledSyncStopsAndLosesNothing(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	p.household(t, "一")
	ctx, cancel := context.WithCancel(background)
	f.fail(func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
		next(httptest.NewRecorder(), r)
		cancel()
		cut(w, nil)
	})
	if _, err := p.Sync(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	p.sync(t)
	f.holdsExactly(t, p)
	if _, err := p.alice.Put(ctx, clientsdk.Edit{Kind: "household"}); !errors.Is(err, context.Canceled) {
		t.Errorf("Put with a cancelled context: got %v", err)
	}
}

func TestAServerThatTakesNothingIsNotAskedForEver(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	p.household(t, "一")
	f.lie = func(a *syncproto.Answer) { a.Verdicts, a.Receipt = nil, syncproto.Receipt{} }
	if _, err := p.Sync(background); !errors.Is(err, clientsdk.ErrNoProgress) {
		t.Errorf("no verdicts: got %v", err)
	}
	f.lie = func(a *syncproto.Answer) { a.More = true }
	if _, err := p.Sync(background); !errors.Is(err, clientsdk.ErrNoProgress) {
		t.Errorf("more for ever: got %v", err)
	}
	n := 0
	f.lie = func(a *syncproto.Answer) { n++; a.Reset, a.More, a.Cursor = true, true, fmt.Sprint(f.epoch, "/0?", n) }
	if _, err := p.Sync(background); !errors.Is(err, clientsdk.ErrNoProgress) {
		t.Errorf("reset for ever: got %v", err)
	}
	f.lie = nil
	p.sync(t)
	f.holdsExactly(t, p)
}

func TestAnOlderVersionNeverReplacesANewerOne(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	h := p.household(t, "旧")
	p.sync(t)
	old := f.records[h].Record
	edit(t, p.alice, h, "address", "新")
	p.sync(t)
	f.lie = func(a *syncproto.Answer) { a.Records = append(a.Records, old) }
	p.sync(t)
	equal(t, "address", p.get(t, h).Text("address"), "新")
}

func TestNothingFlickersBackWhileTheRecordIsOnItsWay(t *testing.T) {
	f := newFake(t)
	a, b := newPhone(t, f, 1), newPhone(t, f, 2, func(o *clientsdk.Options) { o.Attempts = 1 })
	h := a.household(t, "旧")
	for i := range 4 {
		a.household(t, fmt.Sprint(i))
	}
	a.sync(t)
	b.sync(t)
	for _, r := range must(a.List(background, "household")) { // pages before b's own record
		edit(t, a.alice, r.ID, "note", "改")
	}
	a.sync(t)
	edit(t, b.alice, h, "address", "新")
	f.pageRecords = 2
	f.fail(func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) { next(w, r) }, loseRequest, loseRequest)
	if _, err := b.Sync(background); err == nil {
		t.Fatal("the link held")
	}
	equal(t, "sent", b.status(t).Unsent, 0)
	r := b.get(t, h)
	equal(t, "the copy hasn't it yet", r.Version < f.records[h].Version, true)
	equal(t, "address", r.Text("address"), "新")
	equal(t, "pending", r.Pending, true)
	b.sync(t)
	r = b.get(t, h)
	equal(t, "address", r.Text("address"), "新")
	equal(t, "pending", r.Pending, false)
}

func TestRecordsLeaveAndPendingWorkStays(t *testing.T) {
	f := newFake(t)
	a, b := newPhone(t, f, 1), newPhone(t, f, 2)
	h := a.household(t, "幸福路 1 号")
	a.sync(t)
	b.sync(t)
	mine := b.household(t, "还没上传")
	edit(t, b.alice, h, "note", "也没上传")
	f.left = []syncproto.AreaID{grid1}
	f.fail(loseAnswer, loseAnswer, loseAnswer)
	f.refuse = func(*syncproto.Change) *syncproto.Error { return &syncproto.Error{Code: syncproto.CodeBadChange} }
	f.lie = func(a *syncproto.Answer) { a.Verdicts, a.Receipt = nil, syncproto.Receipt{} }
	if _, err := b.Sync(background); !errors.Is(err, clientsdk.ErrNoProgress) {
		t.Fatalf("got %v", err)
	}
	equal(t, "records", b.status(t).Records, 0)
	equal(t, "own record", b.get(t, mine).Text("address"), "还没上传")
	r := b.get(t, h)
	equal(t, "own edit", r.Text("note"), "也没上传")
	equal(t, "what others wrote", r.Text("address"), "")
	// An edit of what is left goes on from what its author had seen.
	edit(t, b.alice, h, "note", "又")
	log := must(b.Log(background))
	equal(t, "base", log[2].Base, log[1].Base)
	f.refuse, f.lie = nil, nil
	b.sync(t)
	f.holdsExactly(t, b)
}

func TestARecordThatMovedAwayGoesAndOneThatMovedWithinStays(t *testing.T) {
	f := newFake(t)
	a, b := newPhone(t, f, 1), newPhone(t, f, 2)
	h, stays := a.household(t, "搬走"), a.household(t, "不搬")
	a.sync(t)
	b.sync(t)
	if err := a.alice.Move(background, h, grid2); err != nil {
		t.Fatal(err)
	}
	a.sync(t)
	b.sync(t)
	equal(t, "moved within", b.get(t, h).Area, grid2)
	f.left = nil
	f.lie = func(ans *syncproto.Answer) {
		ans.Records = slices.DeleteFunc(ans.Records, func(r syncproto.Record) bool { return r.ID == stays })
	}
	if err := a.alice.Move(background, stays, "elsewhere"); err != nil {
		t.Fatal(err)
	}
	a.sync(t)
	report := b.sync(t)
	equal(t, "gone", report.Gone, 1)
	if _, err := b.Get(background, stays); !errors.Is(err, clientsdk.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	equal(t, "no drift", len(report.Restarted), 0)
}

func TestADriftedAreaIsFetchedAgainOnceASync(t *testing.T) {
	f := newFake(t)
	a, b := newPhone(t, f, 1), newPhone(t, f, 2)
	lost, kept := a.household(t, "丢"), a.household(t, "留")
	a.sync(t)
	f.lie = func(ans *syncproto.Answer) {
		if len(ans.Restarted) == 0 {
			ans.Records = slices.DeleteFunc(ans.Records, func(r syncproto.Record) bool { return r.ID == lost })
		}
	}
	report := b.sync(t)
	equal(t, "restarted", fmt.Sprint(report.Restarted), fmt.Sprint([]syncproto.AreaID{grid1}))
	equal(t, "drifted", len(report.Drifted), 0)
	equal(t, "both are there", b.status(t).Records, 2)
	equal(t, "restarts told", b.status(t).Restarts, 1)
	b.get(t, kept)
	f.lie = func(ans *syncproto.Answer) { ans.Sums = map[syncproto.AreaID]syncproto.Sum{grid1: 1} }
	before := len(f.seen)
	report = b.sync(t)
	equal(t, "drifted for good", len(report.Drifted), 1)
	equal(t, "requests", len(f.seen)-before, 2)
	equal(t, "told", len(b.status(t).Drifted), 1)
	f.lie = nil
	report = b.sync(t)
	equal(t, "no drift any more", len(b.status(t).Drifted)+len(report.Drifted), 0)
}

func TestANewerFormIsUsedAndOneThatCannotBeReadHarmsNothing(t *testing.T) {
	f := newFake(t)
	f.forms = append(f.forms,
		[]byte(`{"kind":"leads","version":3,"label":{"zh":"线索","en":"Lead"},"stream":"history","fields":[{"name":"text","type":"text","label":{"zh":"","en":""},"rule":"latest","required":true}]}`),
		[]byte(`{"kind":"future","version":1,"hologram":true}`))
	p := newPhone(t, f, 1)
	report := p.sync(t)
	equal(t, "unread", report.UnreadForms, 1)
	p.reopen(t)
	put(t, p.alice, clientsdk.Edit{Kind: "leads", Area: grid1, Fields: syncproto.Fields{"text": `"夜间有人"`}})
	equal(t, "form", must(p.Log(background))[0].Form, 3)
	_, err := p.alice.Put(background, clientsdk.Edit{Kind: "leads", Area: grid1})
	if !errors.Is(err, &syncproto.Error{Code: syncproto.CodeFailsForm}) {
		t.Errorf("got %v", err)
	}
}

func TestRunSyncsUntilItsContextEnds(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1, func(o *clientsdk.Options) { o.Attempts = 1 })
	ctx, cancel := context.WithCancel(background)
	rounds := 0
	p.household(t, "一")
	f.fail(say(500, syncproto.CodeInternal), say(500, syncproto.CodeInternal))
	err := p.Run(ctx, time.Minute, func(_ clientsdk.Report, err error) {
		rounds++
		if rounds == 4 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	want := []time.Duration{300 * time.Millisecond, 600 * time.Millisecond, time.Minute, time.Minute}
	equal(t, "waits", fmt.Sprint(p.waits), fmt.Sprint(want))
	f.holdsExactly(t, p)
}

// stuck is a link on which the first request never ends.
type stuck struct {
	*http.Transport
	times int
}

func (s *stuck) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.times++; s.times == 1 {
		return nil, context.DeadlineExceeded
	}
	return s.Transport.RoundTrip(r)
}

func TestATimeoutHalvesBothWays(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1, func(o *clientsdk.Options) {
		o.Transport, o.BatchChanges = &stuck{Transport: &http.Transport{}}, 4
	})
	for i := range 4 {
		p.household(t, fmt.Sprint(i))
	}
	p.sync(t)
	equal(t, "batch", len(f.seen[0].Changes), 2)
	equal(t, "page", f.seen[0].PageBytes, syncproto.PageBytes/2)
	f.holdsExactly(t, p)
}
