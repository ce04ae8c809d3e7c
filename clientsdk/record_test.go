package clientsdk_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

func TestAPendingEditShowsAtOnce(t *testing.T) {
	p := newPhone(t, newFake(t), 1)
	h := p.household(t, "幸福路 1 号")
	r := p.get(t, h)
	equal(t, "address", r.Text("address"), "幸福路 1 号")
	equal(t, "area", r.Area, grid1)
	equal(t, "pending", r.Pending, true)
	edit(t, p.alice, h, "address", "幸福路 2 号")
	r = p.get(t, h)
	equal(t, "edited address", r.Text("address"), "幸福路 2 号")
	equal(t, "disputed by its own author", r.Disputed("address"), false)
	list := must(p.List(background, "household", clientsdk.InArea(grid1)))
	equal(t, "listed", len(list), 1)
	equal(t, "listed elsewhere", len(must(p.List(background, "household", clientsdk.InArea(grid2)))), 0)
}

func TestWhatWasRecordedSurvivesClosingWithoutSync(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	h := p.household(t, "幸福路 1 号")
	p.reopen(t)
	edit(t, p.alice, h, "note", "狗")
	p.reopen(t)
	r := p.get(t, h)
	equal(t, "note", r.Text("note"), "狗")
	log := must(p.Log(background))
	equal(t, "changes", len(log), 2)
	for i, e := range log {
		equal(t, "n", e.N, uint64(i+1))
		equal(t, "state", e.State, clientsdk.Unsent)
	}
	p.sync(t)
	f.holdsExactly(t, p)
}

func TestAWholeVisitIsOneCommit(t *testing.T) {
	p := newPhone(t, newFake(t), 1)
	good := clientsdk.Edit{Kind: "household", Area: grid1, Fields: syncproto.Fields{"address": `"a"`, "found_on": `"2020-02-03"`}}
	bad := clientsdk.Edit{Kind: "household", Area: grid1, Fields: syncproto.Fields{"address": `"a"`, "headcount": `-1`, "found_on": `"2020-02-03"`}}
	_, err := p.alice.PutAll(background, []clientsdk.Edit{good, bad})
	var said *syncproto.Error
	if !errors.As(err, &said) || said.Code != syncproto.CodeFailsForm || said.Field != "headcount" {
		t.Fatalf("got %v, want fails_form (headcount)", err)
	}
	equal(t, "changes after a bad visit", len(must(p.Log(background))), 0)
	ids, err := p.alice.PutAll(background, []clientsdk.Edit{good, good, good})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "records", len(ids), 3)
	equal(t, "high", p.status(t).High, 3)
}

func TestTheFormRejectsWithATypedErrorUnlessTheAuthorInsists(t *testing.T) {
	f := newFake(t)
	f.park = func(c *syncproto.Change) *syncproto.Error { return &syncproto.Error{Code: syncproto.CodeFailsForm} }
	p := newPhone(t, f, 1)
	e := clientsdk.Edit{Kind: "household", Area: grid1, Fields: syncproto.Fields{"note": `"没有门牌"`}}
	_, err := p.alice.Put(background, e)
	if !errors.Is(err, &syncproto.Error{Code: syncproto.CodeFailsForm}) {
		t.Fatalf("got %v", err)
	}
	_, err = p.alice.Put(background, clientsdk.Edit{Kind: "unheard_of", Area: grid1})
	if !errors.Is(err, &syncproto.Error{Code: syncproto.CodeUnknownKind}) {
		t.Fatalf("got %v", err)
	}
	_, err = p.alice.Put(background, clientsdk.Edit{Kind: "household", Area: grid1, Fields: syncproto.Fields{"note": `"`}, Anyway: true})
	if !errors.Is(err, &syncproto.Error{Code: syncproto.CodeBadChange}) {
		t.Fatalf("what isn't JSON: got %v", err)
	}
	e.Anyway = true
	h := put(t, p.alice, e)
	p.sync(t)
	equal(t, "shown", must(p.Get(background, h)).Pending, true)
	equal(t, "parked", p.status(t).Parked, 1)
}

func TestTheBytesSentAreTheBytesRecorded(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	odd := syncproto.Value(`"<b>&  '\/😀 \u0041"`)
	h := put(t, p.alice, clientsdk.Edit{Kind: "household", Area: grid1, Fields: syncproto.Fields{
		"address": odd, "found_on": ` "2020-02-03" `, "x.unknown": `{ "big": 9007199254740993, "z": 36.60 }`,
	}})
	p.sync(t)
	f.holdsExactly(t, p)
	if !strings.Contains(f.bodies[0], string(odd)) {
		t.Errorf("the address was altered: %s", f.bodies[0])
	}
	r := p.get(t, h)
	equal(t, "address as it came back", r.Value("address"), odd)
	equal(t, "unknown field", r.Value("x.unknown"), `{"big":9007199254740993,"z":36.60}`)
}

func TestListsAreRecordedAsDifferences(t *testing.T) {
	p := newPhone(t, newFake(t), 1)
	person := put(t, p.alice, clientsdk.Edit{Kind: "person", Area: grid1, Fields: syncproto.Fields{
		"name": `"张三"`, "found_on": `"2020-02-03"`, "classes": `["contact","abroad"]`,
	}})
	put(t, p.alice, clientsdk.Edit{Record: person, Fields: syncproto.Fields{"classes": `["abroad","wuhan_return"]`}})
	put(t, p.alice, clientsdk.Edit{Record: person, Fields: syncproto.Fields{"classes": `["wuhan_return","abroad"]`}}) // nothing new
	log := must(p.Log(background))
	equal(t, "changes", len(log), 2)
	equal(t, "the difference", string(log[1].Fields), `{"classes":{"add":["wuhan_return"],"remove":["contact"]}}`)
	equal(t, "shown", strings.Join(must(p.Get(background, person)).Texts("classes"), " "), "abroad wuhan_return")
}

func TestASecondAuthorSeesTheFirstOnesPendingEdits(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	h := p.household(t, "幸福路 1 号")
	edit(t, p.bob, h, "head", "李四")
	r := p.get(t, h)
	equal(t, "address", r.Text("address"), "幸福路 1 号")
	equal(t, "head", r.Text("head"), "李四")
	p.sync(t)
	log := must(p.Log(background))
	equal(t, "first author", log[0].Author, p.alice.ID())
	equal(t, "second author", log[1].Author, p.bob.ID())
	equal(t, "numbers are the device's", log[1].N, uint64(2))
	f.holdsExactly(t, p)
}

func TestADisputeShowsOnThePhoneAsOnTheServer(t *testing.T) {
	f := newFake(t)
	a, b := newPhone(t, f, 1), newPhone(t, f, 2)
	h := a.household(t, "幸福路 1 号")
	a.sync(t)
	b.sync(t)
	edit(t, a.alice, h, "head", "张三")
	edit(t, b.alice, h, "head", "李四")
	a.sync(t)
	equal(t, "before b has synced", must(a.Get(background, h)).Disputed("head"), false)
	b.edit2(t, h)
	b.sync(t)
	a.sync(t)
	for _, p := range []*phone{a, b} {
		r := p.get(t, h)
		equal(t, "disputed", r.Disputed("head"), true)
		equal(t, "candidates", len(r.Candidates("head")), 2)
	}
	// Whoever types amid a dispute says so, and doesn't end it.
	edit(t, a.alice, h, "head", "王五")
	log := must(a.Log(background))
	equal(t, "amid", strings.Join(log[len(log)-1].Amid, " "), "head")
	if len(log[0].Amid) != 0 {
		t.Errorf("the first change was amid nothing, got %v", log[0].Amid)
	}
	r := a.get(t, h)
	equal(t, "still disputed", r.Disputed("head"), true)
	before := r.Candidates("head")
	a.sync(t)
	r = a.get(t, h)
	equal(t, "after sync", len(r.Candidates("head")), len(before))
	// A decision ends it, everywhere.
	put(t, a.bob, clientsdk.Edit{Record: h, Fields: syncproto.Fields{"head": `"赵六"`}, Decides: true})
	equal(t, "decided at once", must(a.Get(background, h)).Disputed("head"), false)
	a.sync(t)
	b.sync(t)
	r = b.get(t, h)
	equal(t, "decided", r.Text("head"), "赵六")
	equal(t, "no dispute", len(r.Disputes()), 0)
}

// edit2 checks that b, who has not synced, sees only its own value.
func (p *phone) edit2(t *testing.T, h syncproto.RecordID) {
	t.Helper()
	equal(t, "own view", must(p.Get(background, h)).Disputed("head"), false)
}

func TestTheBaseIsTheVersionTheAuthorWasLookingAt(t *testing.T) {
	f := newFake(t)
	a, b := newPhone(t, f, 1), newPhone(t, f, 2)
	h := a.household(t, "幸福路 1 号")
	edit(t, a.alice, h, "note", "一")
	a.sync(t)
	b.sync(t)
	edit(t, b.alice, h, "note", "二")
	log := must(a.Log(background))
	equal(t, "base of a new record", log[0].Base, 0)
	equal(t, "base of an edit before the first sync", log[1].Base, 0)
	r := b.get(t, h)
	equal(t, "base of an edit of a synced record", must(b.Log(background))[0].Base, r.Version)
	equal(t, "which is the server's", r.Version, f.records[h].Version)
}

func TestMoveAndExitAreFields(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	h := p.household(t, "幸福路 1 号")
	p.sync(t)
	if err := p.alice.Move(background, h, grid2); err != nil {
		t.Fatal(err)
	}
	equal(t, "moved at once", must(p.Get(background, h)).Area, grid2)
	if err := p.alice.Exit(background, h, syncproto.Exit{Reason: "moved", Date: "2020-02-04", Destination: "杭州"}); err != nil {
		t.Fatal(err)
	}
	r := p.get(t, h)
	if r.Exit == nil || r.Exit.Destination != "杭州" {
		t.Fatalf("exit: %+v", r.Exit)
	}
	equal(t, "present", len(must(p.List(background, "household", clientsdk.Present()))), 0)
	p.sync(t)
	r = p.get(t, h)
	equal(t, "moved", r.Area, grid2)
	equal(t, "has left", r.Exit != nil, true)
	if err := p.alice.Return(background, h); err != nil {
		t.Fatal(err)
	}
	equal(t, "is back", must(p.Get(background, h)).Exit == nil, true)
	if err := p.alice.Move(background, syncproto.RecordID(id(1)), grid1); !errors.Is(err, clientsdk.ErrNotFound) {
		t.Errorf("moving nothing: got %v", err)
	}
}

func TestAMoveBeforeTheFirstSyncSaysOneArea(t *testing.T) {
	p := newPhone(t, newFake(t), 1)
	h := p.household(t, "幸福路 1 号")
	if err := p.alice.Move(background, h, grid2); err != nil {
		t.Fatal(err)
	}
	edit(t, p.alice, h, "note", "后")
	log := must(p.Log(background))
	equal(t, "area of the move", log[1].Area, grid2)
	equal(t, "area of the edit after it", log[2].Area, grid2)
	p.sync(t)
	equal(t, "area", must(p.Get(background, h)).Area, grid2)
}

func TestWatchersHearOfEveryRecordAndStopNobody(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	ctx, cancel := context.WithCancel(background)
	ch := p.Watch(ctx)
	first, second := p.household(t, "一"), p.household(t, "二")
	edit(t, p.alice, first, "note", "又") // nobody reads, and nobody waits
	got := <-ch
	equal(t, "ids, each once", len(got), 2)
	equal(t, "both", slices.Contains(got, first) && slices.Contains(got, second), true)
	p.sync(t)
	equal(t, "after sync", len(<-ch), 2)
	cancel()
	if _, open := <-ch; open {
		t.Error("the channel is open after its context ended")
	}
	p.household(t, "三")
}

func TestTheFileIsItsOwnersOnly(t *testing.T) {
	p := newPhone(t, newFake(t), 1)
	p.household(t, "一")
	for _, name := range []string{p.path, p.path + "-wal"} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

func TestAFileBelongsToOneDevice(t *testing.T) {
	p := newPhone(t, newFake(t), 1)
	opt := p.opt
	opt.Device = syncproto.DeviceID(id(7))
	if _, err := clientsdk.Open(background, p.path, opt); !errors.Is(err, clientsdk.ErrOtherDevice) {
		t.Errorf("another device: got %v", err)
	}
	opt.Device = syncproto.DeviceID{}
	c, err := clientsdk.Open(background, p.path, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	equal(t, "device", c.Device(), p.Device())
	if _, err := clientsdk.Open(background, t.TempDir()+"/new.db", clientsdk.Options{}); !errors.Is(err, clientsdk.ErrNoDevice) {
		t.Errorf("a new file without a device: got %v", err)
	}
}
