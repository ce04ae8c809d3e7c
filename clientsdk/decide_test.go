package clientsdk_test

import (
	"errors"
	"testing"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

func TestTwoThatAreNotOneAreRuledOnUnderTheQuestionsID(t *testing.T) {
	_, p, a, b := pair(t)
	if err := p.bob.Different(background, syncproto.ItemDuplicate, b, a, "门牌不同"); err != nil {
		t.Fatal(err)
	}
	ruling := last(t, p)
	q := syncproto.AboutPair(syncproto.ItemDuplicate, a, b)
	equal(t, "record", ruling.Record, q.ID())
	equal(t, "kind", ruling.Kind, syncproto.KindReview)
	equal(t, "a decision", ruling.Decides, true)
	equal(t, "at the records' desk", ruling.Area, grid1)
	r := p.get(t, q.ID())
	for field, want := range map[string]string{
		"item": "duplicate", "about": q.Record.String(), "subject": q.Field, "verdict": "different", "reason": "门牌不同",
	} {
		equal(t, field, r.Text(field), want)
	}
	p.sync(t)
	equal(t, "both stay", len(must(p.List(background, "household"))), 2)
}

func TestAWaitingChangeIsAcceptedSentOnOrReturned(t *testing.T) {
	p := newPhone(t, newFake(t), 1)
	h := p.household(t, "一")
	waits := clientsdk.Waiting{Record: h, Change: syncproto.Origin{Device: syncproto.DeviceID(id(9)), N: 4}}
	if err := p.bob.Accept(background, waits, ""); !errors.Is(err, clientsdk.ErrNotFound) {
		t.Errorf("without a desk, which its record's need not be: got %v", err)
	}
	waits.Area = grid1
	ruling := syncproto.AboutParked(h, waits.Change).ID()
	if err := p.bob.Accept(background, waits, "核实过", "mobile", "note"); err != nil {
		t.Fatal(err)
	}
	r := p.get(t, ruling)
	equal(t, "verdict", r.Text("verdict"), "accept")
	equal(t, "without", r.Text("without"), "mobile note")
	equal(t, "desk", r.Area, grid1)
	p.sync(t)
	waits.Area = grid2
	if err := p.bob.ReturnToAuthor(background, waits, "请补门牌号"); err != nil {
		t.Fatal(err)
	}
	r = p.get(t, ruling)
	equal(t, "verdict", r.Text("verdict"), "return")
	equal(t, "sent on", r.Area, grid2)
	equal(t, "reason", r.Text("reason"), "请补门牌号")
	waits.Area = ""
	if err := p.bob.Accept(background, waits, "还是接受"); err != nil {
		t.Fatal(err)
	}
	equal(t, "stays where it lies", p.get(t, ruling).Area, grid2)
	equal(t, "verdict", p.get(t, ruling).Text("verdict"), "accept")
}

func TestAPersonWhoMovedHouseKeepsWhereItWasUntilThen(t *testing.T) {
	p := newPhone(t, newFake(t), 1)
	h := p.household(t, "一")
	p.sync(t)
	if err := p.alice.Relocate(background, h, grid2, "2020-02-05"); err != nil {
		t.Fatal(err)
	}
	equal(t, "one change", len(must(p.Log(background))), 2)
	for range 2 {
		r := p.get(t, h)
		equal(t, "area", r.Area, grid2)
		equal(t, "residences", r.Texts("residences")[0], "2020-02-05 "+string(grid1))
		p.sync(t)
	}
	if err := p.alice.Relocate(background, h, grid1, "mañana"); !errors.Is(err, &syncproto.Error{Code: syncproto.CodeFailsForm}) {
		t.Errorf("a day that is none: got %v", err)
	}
}
