package clientsdk_test

import (
	"errors"
	"slices"
	"testing"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

// pair is a phone that holds two records of one household, synced, and is about to
// find that out.
func pair(t *testing.T) (f *fake, p *phone, survivor, absorbed syncproto.RecordID) {
	t.Helper()
	f = newFake(t)
	p = newPhone(t, f, 1)
	survivor, absorbed = p.household(t, "幸福路 1 号"), p.household(t, "幸福路 1 号")
	edit(t, p.alice, absorbed, "head", "李四")
	p.sync(t)
	return f, p, survivor, absorbed
}

func (p *phone) merge(t *testing.T, absorbed, survivor syncproto.RecordID) {
	t.Helper()
	if err := p.bob.Merge(background, absorbed, survivor); err != nil {
		t.Fatal(err)
	}
}

func last(t *testing.T, p *phone) clientsdk.Entry {
	t.Helper()
	log := must(p.Log(background))
	return log[len(log)-1]
}

func TestAMergeShowsAtOnceAndAfterSync(t *testing.T) {
	f, p, survivor, absorbed := pair(t)
	p.merge(t, absorbed, survivor)
	decision := last(t, p)
	equal(t, "a decision", decision.Decides, true)
	equal(t, "on the absorbed", decision.Record, absorbed)
	for _, when := range []string{"before sync", "after sync", "after a restart"} {
		list := must(p.List(background, "household"))
		equal(t, when+": listed once", len(list), 1)
		equal(t, when+": as the survivor", list[0].ID, survivor)
		for _, asked := range []syncproto.RecordID{survivor, absorbed} {
			r := p.get(t, asked)
			equal(t, when+": asked for either", r.ID, survivor)
			equal(t, when+": what the other says", r.Text("head"), "李四")
			equal(t, when+": the absorbed", slices.Equal(r.Absorbed, []syncproto.RecordID{absorbed}), true)
			equal(t, when+": pending", r.Pending, when == "before sync")
			equal(t, when+": the other's link is no field of it", r.Text("same_as"), "")
		}
		if p.sync(t); when == "after sync" {
			p.reopen(t)
		}
	}
	// Another phone hears of it.
	q := newPhone(t, f, 2)
	q.sync(t)
	equal(t, "elsewhere", q.get(t, absorbed).ID, survivor)
	equal(t, "listed elsewhere", len(must(q.List(background, "household"))), 1)
}

func TestAnEditOfJoinedRecordsGoesToTheSurvivorAndSaysWhatItSaw(t *testing.T) {
	f, p, survivor, absorbed := pair(t)
	p.merge(t, absorbed, survivor)
	p.sync(t)
	edit(t, p.alice, absorbed, "head", "王五")
	change := last(t, p)
	equal(t, "on the survivor", change.Record, survivor)
	equal(t, "which it saw", change.Base, f.records[survivor].Version)
	with := must(change.With())
	equal(t, "beside one other", len(with), 1)
	equal(t, "the absorbed", with[0], syncproto.Beside{Record: absorbed, Version: f.records[absorbed].Version})
	for range 2 {
		r := p.get(t, survivor)
		equal(t, "what it replaced", r.Text("head"), "王五")
		equal(t, "nothing is disputed", len(r.Disputes()), 0)
		p.sync(t)
	}
	other := p.household(t, "别处")
	edit(t, p.alice, other, "note", "狗")
	change = last(t, p)
	equal(t, "a record by itself saw none beside it", len(must(change.With())), 0)
}

func TestAnEditAmidADisputeOfJoinedRecordsSaysSo(t *testing.T) {
	f, p, survivor, absorbed := pair(t)
	q := newPhone(t, f, 2)
	q.sync(t)
	edit(t, q.alice, survivor, "head", "王五")
	q.sync(t)
	p.merge(t, absorbed, survivor)
	p.sync(t)
	r := p.get(t, survivor)
	equal(t, "disputed between the two", r.Disputed("head"), true)
	equal(t, "candidates", len(r.Candidates("head")), 2)
	edit(t, p.bob, survivor, "head", "赵六")
	equal(t, "amid", slices.Equal(last(t, p).Amid, []string{"head"}), true)
	put(t, p.bob, clientsdk.Edit{Record: survivor, Fields: syncproto.Fields{"head": `"赵六"`}, Decides: true})
	for range 2 {
		r = p.get(t, absorbed)
		equal(t, "decided", r.Text("head"), "赵六")
		equal(t, "disputed", r.Disputed("head"), false)
		p.sync(t)
	}
}

func TestARecordWhoseSurvivorIsNotHereShowsItsOwnContentAndSaysSo(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	h := p.household(t, "一")
	elsewhere := syncproto.RecordID(id(77))
	p.merge(t, h, elsewhere)
	for range 2 {
		r := p.get(t, h)
		equal(t, "itself", r.ID, h)
		equal(t, "its content", r.Text("address"), "一")
		equal(t, "says so", r.MergedInto, elsewhere)
		list := must(p.List(background, "household"))
		equal(t, "listed", len(list) == 1 && list[0].MergedInto == elsewhere, true)
		p.sync(t)
	}
	if _, err := p.Get(background, elsewhere); !errors.Is(err, clientsdk.ErrNotFound) {
		t.Errorf("the survivor: got %v", err)
	}
	edit(t, p.alice, h, "note", "狗")
	equal(t, "an edit is its own", last(t, p).Record, h)
}

func TestRecordsThatTurnOutToBeOneInAChainAreAllOne(t *testing.T) {
	_, p, a, b := pair(t)
	c := p.household(t, "幸福路 1 号乙")
	edit(t, p.alice, c, "note", "狗")
	p.merge(t, b, a)
	p.merge(t, b, c) // which names the one that survived so far
	equal(t, "the decision is on the survivor", last(t, p).Record, a)
	for range 2 {
		list := must(p.List(background, "household"))
		equal(t, "listed", len(list), 1)
		equal(t, "as", list[0].ID, c)
		equal(t, "all of it", list[0].Text("head")+list[0].Text("note"), "李四狗")
		equal(t, "absorbed", len(list[0].Absorbed), 2)
		p.sync(t)
	}
	if err := p.bob.Merge(background, a, b); !errors.Is(err, clientsdk.ErrSame) {
		t.Errorf("merging what is one: got %v", err)
	}
	if err := p.bob.Merge(background, syncproto.RecordID(id(78)), a); !errors.Is(err, clientsdk.ErrNotFound) {
		t.Errorf("merging what isn't here: got %v", err)
	}
	person := put(t, p.alice, clientsdk.Edit{Kind: "person", Area: grid1, Fields: syncproto.Fields{"name": `"某人"`, "found_on": `"2020-02-03"`}})
	if err := p.bob.Merge(background, person, c); !errors.Is(err, &syncproto.Error{Code: syncproto.CodeKindDiffers}) {
		t.Errorf("merging a person into a household: got %v", err)
	}
}

func TestWatchersHearOfTheSurvivorWhenAnAbsorbedOneChanges(t *testing.T) {
	f, p, survivor, absorbed := pair(t)
	q := newPhone(t, f, 2)
	q.sync(t)
	ch := p.Watch(t.Context())
	p.merge(t, absorbed, survivor)
	equal(t, "the merge is the survivor's news", slices.Contains(<-ch, survivor), true)
	edit(t, q.alice, absorbed, "note", "狗") // q doesn't know yet
	q.sync(t)
	p.sync(t)
	got := <-ch
	equal(t, "so is what the other hears", slices.Contains(got, survivor), true)
	equal(t, "note", p.get(t, survivor).Text("note"), "狗")
}

func TestAnUndoneMergeGivesBackBothWhenTheServerHasAnswered(t *testing.T) {
	_, p, survivor, absorbed := pair(t)
	p.merge(t, absorbed, survivor)
	p.sync(t)
	decision := last(t, p)
	decisions := must(p.Decisions(background, absorbed))
	equal(t, "decisions about it", len(decisions), 1)
	equal(t, "is the merge", decisions[0].Origin, syncproto.Origin{Device: p.Device(), N: decision.N})
	if err := p.bob.Undo(background, absorbed, decisions[0].Origin); err != nil {
		t.Fatal(err)
	}
	undo := last(t, p)
	equal(t, "on the very record", undo.Record, absorbed)
	equal(t, "a decision", undo.Decides, true)
	equal(t, "names the other", must(undo.Undoes())[0].N, decision.N)
	r := p.get(t, absorbed)
	equal(t, "still one", r.ID, survivor)
	equal(t, "on its way", r.Pending, true)
	p.sync(t)
	equal(t, "itself again", p.get(t, absorbed).ID, absorbed)
	equal(t, "settled", p.get(t, absorbed).Pending, false)
	equal(t, "both listed", len(must(p.List(background, "household"))), 2)
	equal(t, "and the copies agree", len(p.sync(t).Drifted), 0)
	if err := p.bob.Undo(background, syncproto.RecordID(id(78)), syncproto.Origin{Device: p.Device(), N: 1}); !errors.Is(err, clientsdk.ErrNotFound) {
		t.Errorf("undoing on nothing: got %v", err)
	}
	equal(t, "no decision is left", len(must(p.Decisions(background, absorbed))), 0)
}

func TestAnUndoneMergeThatWasNeverSentIsGoneAtOnce(t *testing.T) {
	_, p, survivor, absorbed := pair(t)
	p.merge(t, absorbed, survivor)
	merged := last(t, p)
	if err := p.bob.Undo(background, absorbed, syncproto.Origin{Device: p.Device(), N: merged.N}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		equal(t, "itself", p.get(t, absorbed).ID, absorbed)
		equal(t, "as it was", p.get(t, absorbed).Text("head")+p.get(t, survivor).Text("head"), "李四")
		equal(t, "both listed", len(must(p.List(background, "household"))), 2)
		p.sync(t)
	}
}

func TestACopyThatLeavesTakesItsLinkAlong(t *testing.T) {
	f, p, survivor, absorbed := pair(t)
	p.merge(t, absorbed, survivor)
	p.sync(t)
	f.left, f.areas = []syncproto.AreaID{grid1}, []syncproto.AreaID{grid2}
	p.sync(t)
	for _, h := range []syncproto.RecordID{survivor, absorbed} {
		if _, err := p.Get(background, h); !errors.Is(err, clientsdk.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	}
	equal(t, "listed", len(must(p.List(background, "household"))), 0)
}

func TestWithinOneCommitAnEditFollowsTheMergeBeforeIt(t *testing.T) {
	_, p, survivor, absorbed := pair(t)
	ids, err := p.bob.PutAll(background, []clientsdk.Edit{
		{Record: absorbed, Decides: true, Fields: syncproto.Fields{"same_as": syncproto.TextValue(survivor.String())}},
		{Record: absorbed, Fields: syncproto.Fields{"note": `"狗"`}},
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "the merge", ids[0], absorbed)
	equal(t, "the edit", ids[1], survivor)
}
