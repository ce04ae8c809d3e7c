package clientsdk_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

// parkAll parks every change that answers nothing.
func parkAll(c *syncproto.Change) *syncproto.Error {
	if must(c.Answers()).IsZero() {
		return &syncproto.Error{Code: syncproto.CodeOutOfArea}
	}
	return nil
}

// disagreeOnce makes the next receipt's digest wrong.
func (f *fake) disagreeOnce() {
	f.lie = func(a *syncproto.Answer) { a.Receipt.Digest[0]++; f.lie = nil }
}

// returnedHousehold is a phone whose alice has made one household, which came back to her.
func returnedHousehold(t *testing.T) (*fake, *phone, syncproto.RecordID) {
	t.Helper()
	f := newFake(t)
	f.park = parkAll
	p := newPhone(t, f, 1)
	h := p.household(t, "没有门牌")
	p.sync(t)
	f.giveBack(p.Device(), 1, "请补门牌号")
	p.sync(t)
	return f, p, h
}

func TestAReturnedChangeIsItsAuthorsWorkAgainAndNoLongerShows(t *testing.T) {
	_, p, h := returnedHousehold(t)
	p.reopen(t)
	back := must(p.alice.Returned(background))
	equal(t, "returned", len(back), 1)
	equal(t, "n", back[0].N, uint64(1))
	equal(t, "why", back[0].Why, "请补门牌号")
	equal(t, "by", back[0].By, author(99))
	equal(t, "still held", back[0].State, clientsdk.Delivered)
	equal(t, "to others", len(must(p.bob.Returned(background))), 0)
	if _, err := p.Get(background, h); !errors.Is(err, clientsdk.ErrNotFound) {
		t.Errorf("the record still shows: %v", err)
	}
	equal(t, "listed", len(must(p.List(background, "household"))), 0)
	s := p.status(t)
	equal(t, "counted", s.Returned, 1)
	equal(t, "not waiting at a desk", s.Parked, 0)
	equal(t, "the receipt holds", s.Agreed, true)
}

func TestAReturnedChangeSubmittedAnewMakesItsRecord(t *testing.T) {
	f, p, h := returnedHousehold(t)
	got, err := p.alice.Resubmit(background, 1, clientsdk.Edit{Fields: syncproto.Fields{"address": `"幸福路 3 号"`}})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "the same record", got, h)
	log := must(p.Log(background))
	anew := log[len(log)-1]
	equal(t, "it makes the record", anew.Base, 0)
	equal(t, "in its area", anew.Area, grid1)
	equal(t, "it answers", must(anew.Answers()), log[0].ID)
	r := p.get(t, h)
	equal(t, "corrected", r.Text("address"), "幸福路 3 号")
	equal(t, "carried along", r.Text("found_on"), "2020-02-03")
	back := must(p.alice.Returned(background))
	equal(t, "on the list until the server has it", len(back), 1)
	equal(t, "with its answer", back[0].Answer, uint64(2))
	if _, err := p.alice.Resubmit(background, 1, clientsdk.Edit{}); !errors.Is(err, clientsdk.ErrAnswered) {
		t.Errorf("answering twice: got %v", err)
	}
	p.sync(t)
	equal(t, "off the list", len(must(p.alice.Returned(background))), 0)
	equal(t, "the record is as corrected", f.records[h].Version > 0 && p.get(t, h).Text("address") == "幸福路 3 号", true)
	equal(t, "what was returned stays out of it", p.get(t, h).Pending || p.get(t, h).Disputed("address"), false)
	equal(t, "parked", p.status(t).Parked, 0)
}

func TestOnlyItsAuthorSubmitsAReturnedChangeAnew(t *testing.T) {
	_, p, _ := returnedHousehold(t)
	for n, who := range map[uint64]*clientsdk.Author{1: p.bob, 7: p.alice} {
		if _, err := who.Resubmit(background, n, clientsdk.Edit{}); !errors.Is(err, clientsdk.ErrNotFound) {
			t.Errorf("change %d: got %v", n, err)
		}
	}
}

func TestAReturnedEditIsAnsweredOnItsRecordAsItStandsNow(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	h := p.household(t, "一")
	p.sync(t)
	f.park = parkAll
	edit(t, p.alice, h, "note", "狗")
	p.sync(t)
	equal(t, "shown while it waits", p.get(t, h).Text("note"), "狗")
	f.giveBack(p.Device(), 2, "")
	f.park = nil
	q := newPhone(t, f, 2)
	q.sync(t)
	edit(t, q.alice, h, "head", "李四")
	q.sync(t)
	p.sync(t)
	equal(t, "no longer shown", p.get(t, h).Text("note"), "")
	if _, err := p.alice.Resubmit(background, 2, clientsdk.Edit{Fields: syncproto.Fields{"note": `"猫"`}}); err != nil {
		t.Fatal(err)
	}
	log := must(p.Log(background))
	equal(t, "on what is shown now", log[2].Base, f.records[h].Version)
	equal(t, "shown at once", p.get(t, h).Text("note"), "猫")
}

func TestAReturnedChangeStaysOnTheListForMonths(t *testing.T) {
	f, p, _ := returnedHousehold(t)
	f.park = nil
	for range 3 {
		p.now = p.now.Add(40 * 24 * time.Hour)
		f.now += syncproto.Instant(40 * 24 * time.Hour / time.Millisecond)
		p.household(t, "另一户")
		p.sync(t)
		p.reopen(t)
	}
	equal(t, "others were pruned", len(must(p.Log(background))), 2)
	equal(t, "it wasn't", len(must(p.alice.Returned(background))), 1)
	if _, err := p.alice.Resubmit(background, 1, clientsdk.Edit{}); err != nil {
		t.Fatal(err)
	}
	p.sync(t)
	p.now = p.now.Add(40 * 24 * time.Hour)
	f.now += syncproto.Instant(40 * 24 * time.Hour / time.Millisecond)
	p.household(t, "又一户")
	p.sync(t)
	equal(t, "pruned when it was answered", len(must(p.Log(background))), 1)
	equal(t, "the receipt holds", p.status(t).Agreed, true)
}

func TestAReturnThatIsTakenBackLeavesTheList(t *testing.T) {
	f, p, h := returnedHousehold(t)
	f.log[p.Device()][1].reason = &syncproto.Error{Code: syncproto.CodeOutOfArea}
	f.tell(p.Device(), 1, syncproto.ItemParked, syncproto.SaidUndone, "")
	p.sync(t)
	equal(t, "off the list", len(must(p.alice.Returned(background))), 0)
	equal(t, "waits again", p.status(t).Parked, 1)
	equal(t, "and shows again", p.get(t, h).Pending, true)
	f.commit(f.log[p.Device()][1])
	p.sync(t)
	equal(t, "taken up", p.get(t, h).Pending, false)
}

// A receipt lists the newest hundred only.
func TestWhatTheReceiptNoLongerListsIsReturnedByWhatIsTold(t *testing.T) {
	f := newFake(t)
	f.park = parkAll
	p := newPhone(t, f, 1)
	if _, err := p.alice.PutAll(background, visits(120)); err != nil {
		t.Fatal(err)
	}
	p.sync(t)
	f.giveBack(p.Device(), 3, "")
	p.sync(t)
	equal(t, "returned", must(p.alice.Returned(background))[0].N, uint64(3))
	f.disagreeOnce()
	equal(t, "offered again", p.sync(t).Reoffered, true)
	equal(t, "still", len(must(p.alice.Returned(background))), 1)
	if _, err := p.alice.Resubmit(background, 3, clientsdk.Edit{}); err != nil {
		t.Fatal(err)
	}
	p.sync(t)
	equal(t, "answered", len(must(p.alice.Returned(background))), 0)
	equal(t, "the answered one is kept out", p.status(t).Parked, 119)
}

func TestAReturnedChangeOutlivesADigestThatDisagrees(t *testing.T) {
	f, p, _ := returnedHousehold(t)
	f.disagreeOnce()
	equal(t, "offered again", p.sync(t).Reoffered, true)
	equal(t, "returned", len(must(p.alice.Returned(background))), 1)
	equal(t, "listed", len(must(p.List(background, "household"))), 0)
}

func TestAnEntryThatWasHardToBelieveIsLookedAtAgainWhileItStays(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	h := p.household(t, "一")
	p.sync(t)
	f.tell(p.Device(), 1, "implausible", syncproto.SaidReturned, "一户 40 人？")
	p.sync(t)
	equal(t, "shown all the same", p.get(t, h).Text("address"), "一")
	f.disagreeOnce()
	equal(t, "offered again", p.sync(t).Reoffered, true)
	equal(t, "why", must(p.alice.Returned(background))[0].Why, "一户 40 人？")
	if _, err := p.alice.Resubmit(background, 1, clientsdk.Edit{Fields: syncproto.Fields{"headcount": "4"}}); err != nil {
		t.Fatal(err)
	}
	equal(t, "only the correction", string(must(p.Log(background))[1].Fields), `{"headcount":4}`)
	p.sync(t)
	equal(t, "off the list", len(must(p.alice.Returned(background))), 0)
	equal(t, "corrected", string(p.get(t, h).Value("headcount")), "4")
}

func TestOnlyTheEndOfItsOwnQuestionTakesAnEntryOffTheList(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	p.household(t, "一")
	p.sync(t)
	f.tell(p.Device(), 1, "implausible", syncproto.SaidReturned, "一户 40 人？")
	f.tell(p.Device(), 1, "conflict", syncproto.SaidKept, "")
	p.sync(t)
	equal(t, "another question's end is not its end", len(must(p.alice.Returned(background))), 1)
	f.tell(p.Device(), 1, "implausible", syncproto.SaidAccepted, "")
	p.sync(t)
	equal(t, "accepted after all", len(must(p.alice.Returned(background))), 0)
}

func TestAnAnswerThatTheServerDidNotTakeForOneIsGivenAgain(t *testing.T) {
	f, p, _ := returnedHousehold(t)
	f.lie = func(a *syncproto.Answer) {
		a.Receipt.Parked = []syncproto.Waiting{{N: 1, Code: syncproto.CodeReturned}}
	}
	if _, err := p.alice.Resubmit(background, 1, clientsdk.Edit{}); err != nil {
		t.Fatal(err)
	}
	p.sync(t)
	equal(t, "still on the list", len(must(p.alice.Returned(background))), 1)
	f.lie = nil
	if _, err := p.alice.Resubmit(background, 1, clientsdk.Edit{}); err != nil {
		t.Fatal(err)
	}
	p.sync(t)
	equal(t, "off the list", len(must(p.alice.Returned(background))), 0)
}

func TestAnEntryThatIsReturnedTwiceIsTwiceOnTheList(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	p.household(t, "一")
	p.sync(t)
	for i := range 2 {
		f.tell(p.Device(), 1, "implausible", syncproto.SaidReturned, "")
		p.sync(t)
		equal(t, fmt.Sprint("returned, time ", i), len(must(p.alice.Returned(background))), 1)
		if _, err := p.alice.Resubmit(background, 1, clientsdk.Edit{}); err != nil {
			t.Fatal(err)
		}
		p.sync(t)
		equal(t, fmt.Sprint("answered, time ", i), len(must(p.alice.Returned(background))), 0)
	}
}
