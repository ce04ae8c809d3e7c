package clientsdk_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

// testdata/phone-v1.sqlite was written by the first release: two households, of which
// the second turned out to be the first, as a newer server says it; one change that
// waits at a desk, and one that is unsent.
func TestAFileOfTheFirstReleaseOpensAndLosesNothing(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	_ = p.Close()
	p.path = filepath.Join(t.TempDir(), "old.db")
	copyFile(t, filepath.Join("testdata", "phone-v1.sqlite"), p.path)
	p.ids = 8_000_000
	p.open(t)
	p.alice = p.As(author(2))
	log := must(p.Log(background))
	equal(t, "changes", len(log), 6)
	equal(t, "delivered", log[0].State, clientsdk.Delivered)
	equal(t, "waits", log[3].Parked, true)
	equal(t, "unsent", log[5].State, clientsdk.Unsent)
	list := must(p.List(background, "household"))
	equal(t, "the two are one", len(list), 1)
	equal(t, "with what both say", list[0].Text("head")+list[0].Text("note"), "李四尚未上传")
	equal(t, "absorbed", len(list[0].Absorbed), 1)
	edit(t, p.alice, list[0].Absorbed[0], "building", "3 幢")
	equal(t, "work goes on", last(t, p).N, uint64(7))
	equal(t, "on the survivor", last(t, p).Record, list[0].ID)

	f.epoch = syncproto.Epoch(id(9001)) // another server: everything is offered
	p.sync(t)
	f.holdsExactly(t, p)
	equal(t, "delivered", p.status(t).Delivered, 7)
	equal(t, "still one", len(must(p.List(background, "household"))), 1)
}

// testdata/phone-v2.sqlite was written by the second release: a household that was merged
// into another, a change that came back to its author, something that its author was told
// and hasn't read, and an unsent change.
func TestAFileOfTheSecondReleaseOpensAndIsSealedAndLosesNothing(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	_ = p.Close()
	p.path = filepath.Join(t.TempDir(), "old.db")
	copyFile(t, filepath.Join("testdata", "phone-v2.sqlite"), p.path)
	p.ids, p.opt.Keys = 8_000_000, &safe{}
	p.open(t)
	p.alice = p.As(author(2))
	check := func(when string) {
		list := must(p.List(background, "household"))
		equal(t, when+": the two are one", len(list), 1)
		equal(t, when+": shown", list[0].Text("address")+list[0].Text("note"), "幸福路一号尚未上传")
		equal(t, when+": absorbed", len(list[0].Absorbed), 1)
		equal(t, when+": changes", len(must(p.Log(background))), 5)
		equal(t, when+": returned", must(p.alice.Returned(background))[0].Why, "请补门牌号")
		equal(t, when+": told", p.status(t).Unread, 2)
		equal(t, when+": unsent", p.status(t).Unsent, 1)
	}
	check("as it was")
	equal(t, "sealed", p.Seal(background, pin), nil)
	p.reopen(t)
	equal(t, "opens", p.Unlock(background, pin), nil)
	check("sealed")
	f.epoch = syncproto.Epoch(id(9001)) // another server: everything is offered
	p.sync(t)
	f.holdsExactly(t, p)
}

func TestAMergeInAnOldFileShowsEvenIfTheDecisionItselfWasPruned(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	_ = p.Close()
	p.path = filepath.Join(t.TempDir(), "old.db")
	copyFile(t, filepath.Join("testdata", "phone-v2.sqlite"), p.path)
	db, err := sql.Open("sqlite", p.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{`DELETE FROM outbox WHERE instr(body, '"same_as"') > 0`, "DELETE FROM links"} {
		if _, err := db.ExecContext(background, query); err != nil {
			t.Fatal(err)
		}
	}
	_ = db.Close()
	p.open(t)
	equal(t, "the two are one", len(must(p.List(background, "household"))), 1)
}
