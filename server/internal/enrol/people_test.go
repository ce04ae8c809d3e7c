package enrol_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/enrol"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// waiting lists who waits in an area, page by page.
func (w *world) waiting(id syncproto.AreaID) (all []enrol.Enrolment) {
	w.t.Helper()
	for after := (enrol.Place{}); ; {
		page, err := w.Enrolments(w.ctx(), w.by(mate), id, syncproto.EnrolmentWaiting, after, 60)
		w.must(err)
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		after = enrol.Place{At: page[len(page)-1].At, ID: page[len(page)-1].ID}
	}
}

func idsOf(all []enrol.Enrolment) []uuid.UUID {
	ids := make([]uuid.UUID, len(all))
	for i, e := range all {
		ids[i] = e.ID
	}
	return ids
}

func TestAShiftOfTwoHundredComesByOneCodeAndIsConfirmedAtOnce(t *testing.T) {
	w := newWorld(t)
	_, code := w.invited(enrol.Inviting{Area: "c1", Uses: 200, Confirm: true, Label: "早班"})
	phones := make([]phone, 200)
	for i := range phones {
		phones[i] = newPhone(fmt.Sprint(i))
		e := w.comes(phones[i], code, fmt.Sprint("志愿者", i))
		if e.State != syncproto.EnrolmentWaiting || e.Refresh == "" || w.scope(phones[i]) != "" {
			t.Fatalf("%d: %+v sees %q", i, e, w.scope(phones[i]))
		}
		if i%50 == 0 {
			w.now += 1000
		}
	}
	_, err := w.Enrol(w.ctx(), newPhone("one too many").enrolling(code, "李"), w.now)
	w.wants("one too many", err, syncproto.CodeInviteSpent)
	all := w.waiting("c1")
	if len(all) != 200 {
		t.Fatalf("%d wait", len(all))
	}
	w.now += hour
	results, err := w.Settle(w.ctx(), w.by(mate), enrol.Settling{IDs: idsOf(all[:199]), State: syncproto.EnrolmentActive})
	w.must(err)
	for _, r := range results {
		if r.Error != nil || r.State != syncproto.EnrolmentActive {
			t.Fatalf("%+v", r)
		}
	}
	if w.scope(phones[0]) != "c1" || len(w.waiting("c1")) != 1 || w.acts(audit.Confirmed) != 199 {
		t.Errorf("sees %q, %d wait, %d noted", w.scope(phones[0]), len(w.waiting("c1")), w.acts(audit.Confirmed))
	}
	// What was recorded while they waited is let through.
	if got := w.entitled(all[0].Author, "g1", start); got != "" {
		t.Errorf("while waiting: %q", got)
	}
	_, err = w.Settle(w.ctx(), w.by(mate), enrol.Settling{IDs: idsOf(all[199:]), State: syncproto.EnrolmentRefused, Reason: enrol.NotOurs})
	w.must(err)
	if got := w.entitled(all[199].Author, "c1", w.now); got == "" {
		t.Error("refused, and entitled")
	}
	last := phones[199]
	phones199, err := w.Renew(w.ctx(), last.renewing(""), w.now)
	if err != nil || phones199.State != syncproto.EnrolmentRefused {
		t.Errorf("refused: %+v %v", phones199, err)
	}
}

func TestWhoSettlesWhomIsHeldAgainstEach(t *testing.T) {
	w := newWorld(t)
	_, code := w.invited(enrol.Inviting{Uses: 3, Confirm: true})
	mine := w.comes(newPhone("a"), code, "甲")
	w.comes(newPhone("b"), code, "乙")
	all := w.waiting("g1")
	both := enrol.Settling{IDs: append(idsOf(all), uuid.New()), State: syncproto.EnrolmentActive}
	for who, want := range map[syncproto.AuthorID]syncproto.Code{
		stranger: syncproto.CodeNotFound, worker: syncproto.CodeNotFound,
	} {
		results, err := w.Settle(w.ctx(), w.by(who), both)
		w.must(err)
		for _, r := range results {
			if r.Error == nil || r.Error.Code != want {
				t.Errorf("%d settles: %+v", who[0], r)
			}
		}
	}
	if len(w.waiting("g1")) != 2 {
		t.Fatal("somebody was settled")
	}
	// One of those who wait has risen elsewhere: they can't confirm themselves.
	_, err := w.Give(w.ctx(), w.by(county), identity.Grant{Author: mine.Author, Area: "c1", Role: identity.Secretary})
	w.must(err)
	results, err := w.Settle(w.ctx(), w.by(mine.Author), both)
	w.must(err)
	for i, want := range []syncproto.Code{syncproto.CodeOwnGrant, "", syncproto.CodeNotFound} {
		if got := results[i].Error; (got == nil) != (want == "") || got != nil && got.Code != want {
			t.Errorf("%d: %+v", i, results[i])
		}
	}
	// Again the same is fine, the opposite is told.
	again, err := w.Settle(w.ctx(), w.by(secretary), enrol.Settling{IDs: idsOf(all[1:]), State: syncproto.EnrolmentActive})
	w.must(err)
	other, err := w.Settle(w.ctx(), w.by(secretary), enrol.Settling{IDs: idsOf(all[1:]), State: syncproto.EnrolmentRefused})
	w.must(err)
	if again[0].Error != nil || other[0].Error == nil || other[0].Error.Code != syncproto.CodeMovedOn {
		t.Errorf("%+v, %+v", again, other)
	}
	for name, in := range map[string]enrol.Settling{
		"nobody": {State: syncproto.EnrolmentActive}, "back to waiting": {IDs: both.IDs, State: syncproto.EnrolmentWaiting},
		"a typed reason": {IDs: both.IDs, State: syncproto.EnrolmentRefused, Reason: "王芳说的"},
	} {
		_, err := w.Settle(w.ctx(), w.by(secretary), in)
		w.wants(name, err, syncproto.CodeBadRequest)
	}
	_, err = w.Enrolments(w.ctx(), w.by(stranger), "g1", "", enrol.Place{}, 9)
	w.wants("a stranger lists them", err, syncproto.CodeForbidden)
}

func TestOfTwoWhoSettleAtOnceTheLogNamesTheOneWhoDid(t *testing.T) {
	w := newWorld(t)
	_, code := w.invited(enrol.Inviting{Uses: 20, Confirm: true})
	for i := range 20 {
		w.comes(newPhone(fmt.Sprint(i)), code, fmt.Sprint("新", i))
	}
	ids := idsOf(w.waiting("g1"))
	var done sync.WaitGroup
	for who, state := range map[syncproto.AuthorID]syncproto.EnrolmentState{
		secretary: syncproto.EnrolmentActive, mate: syncproto.EnrolmentRefused,
	} {
		done.Go(func() {
			for i := range ids {
				if _, err := w.Settle(w.ctx(), w.by(who), enrol.Settling{IDs: ids[i : i+1], State: state}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done.Wait()
	found, err := w.store.Enrolments(w.ctx(), enrol.EnrolmentsWanted{IDs: ids})
	w.must(err)
	lines := append(w.noted(audit.Confirmed), w.noted(audit.Refused)...)
	if len(lines) != len(ids) {
		t.Errorf("%d lines of %d", len(lines), len(ids))
	}
	for _, e := range found {
		there := slices.ContainsFunc(lines, func(l audit.Line) bool {
			return l.Who == e.By && (l.Act == audit.Confirmed) == (e.State == syncproto.EnrolmentActive) && strings.Contains(l.Detail, e.Author.String())
		})
		if !there {
			t.Errorf("%s settled %s, and the log says otherwise", e.By, e.Author)
		}
	}
}

func TestNobodyConfirmsAnotherNameOnTheirOwnPhone(t *testing.T) {
	w := newWorld(t)
	_, code, err := w.Invite(w.ctx(), w.by(county), enrol.Inviting{Area: "c1", Role: identity.Secretary})
	w.must(err)
	own := newPhone("own")
	e := w.comes(own, code, "新书记")
	_, code = w.invited(enrol.Inviting{Confirm: true})
	w.comes(own, code, "别人")
	in := enrol.Settling{IDs: idsOf(w.waiting("g1")), State: syncproto.EnrolmentActive}
	results, err := w.Settle(w.ctx(), w.by(e.Author), in)
	w.must(err)
	if len(results) != 1 || results[0].Error == nil || results[0].Error.Code != syncproto.CodeOwnGrant {
		t.Errorf("%+v", results)
	}
	results, err = w.Settle(w.ctx(), w.by(mate), in)
	w.must(err)
	if results[0].Error != nil {
		t.Errorf("somebody else: %+v", results)
	}
}

func TestAGrantThatEndsLosesNoWork(t *testing.T) {
	w := newWorld(t)
	_, err := w.End(w.ctx(), w.by(stranger), enrol.Ending{Author: worker, Area: "g1"})
	w.wants("a stranger ends it", err, syncproto.CodeForbidden)
	_, err = w.End(w.ctx(), w.by(secretary), enrol.Ending{Author: county, Area: "c1"})
	w.wants("one that isn't there", err, syncproto.CodeNotFound)
	_, err = w.End(w.ctx(), w.by(secretary), enrol.Ending{Author: mate, Area: "c1"})
	w.wants("one that wasn't theirs to give", err, syncproto.CodeForbidden)
	_, err = w.End(w.ctx(), w.by(secretary), enrol.Ending{Author: secretary, Area: "c1"})
	w.wants("one's own", err, syncproto.CodeOwnGrant)
	w.now += day
	ended, err := w.End(w.ctx(), w.by(secretary), enrol.Ending{Author: worker, Area: "g1"})
	w.must(err)
	if len(ended) != 1 || ended[0].To != w.now || w.entitled(worker, "g1", w.now-1) != "" || w.entitled(worker, "g1", w.now) != syncproto.CodeGrantExpired {
		t.Errorf("%+v", ended)
	}
	_, err = w.End(w.ctx(), w.by(secretary), enrol.Ending{Author: worker, Area: "g1"})
	w.wants("again", err, syncproto.CodeNotFound)
	if w.acts(audit.EndedGrant) != 1 {
		t.Errorf("%d noted", w.acts(audit.EndedGrant))
	}
}

func TestPeopleAreListedWithWhatConcernsTheArea(t *testing.T) {
	w := newWorld(t)
	_, err := w.Give(w.ctx(), w.by(administrator), identity.Grant{Author: worker, Area: "33", Role: identity.Auditor})
	w.must(err)
	p, e := w.letIn("甲")
	var names []string
	for after := (syncproto.AuthorID{}); ; {
		page, err := w.People(w.ctx(), w.by(secretary), "c1", after, 2)
		w.must(err)
		for _, person := range page.People {
			names = append(names, person.Name)
			for _, g := range person.Grants {
				if g.Area == "33" || g.Area == "34" {
					t.Errorf("%s is shown with %+v", person.Name, g)
				}
			}
			if person.Author == e.Author && (len(person.Devices) != 1 || person.Devices[0].ID != p.id || person.Devices[0].Status != "in_use") {
				t.Errorf("%+v", person)
			}
		}
		if after = page.Next; after.IsZero() {
			break
		}
	}
	if len(names) != 4 { // the two secretaries, the volunteer, and who came
		t.Errorf("%v", names)
	}
	_, err = w.People(w.ctx(), w.by(stranger), "c1", syncproto.AuthorID{}, 9)
	w.wants("a stranger", err, syncproto.CodeForbidden)
	_, err = w.People(w.ctx(), w.by(stranger), "nowhere", syncproto.AuthorID{}, 9)
	w.wants("nowhere", err, syncproto.CodeForbidden)
}

// said makes a phone say something of itself.
func (w *world) said(p phone, unsent, parked int) {
	w.t.Helper()
	state := exchange.DeviceState{Device: p.id, High: 9, Held: 8, ContactServer: w.now, ContactDevice: w.now - 500, Unsent: unsent, App: "t/1"}
	for n := range parked {
		state.Parked = append(state.Parked, syncproto.Waiting{N: uint64(n + 1), Code: syncproto.CodeOutOfArea})
	}
	w.must(w.store.Commit(w.ctx(), func(tx exchange.Tx) error { return tx.Save(&exchange.Batch{Devices: []exchange.DeviceState{state}}) }))
}

func TestTheBoardTellsWhatPhonesStillHold(t *testing.T) {
	w := newWorld(t)
	p, e := w.letIn("甲")
	_, code := w.invited(enrol.Inviting{Area: "g2", Confirm: true})
	waits := newPhone("waits")
	w.comes(waits, code, "乙")
	w.said(p, 12, 2)
	board, err := w.Devices(w.ctx(), w.by(secretary), "c1", syncproto.DeviceID{}, 9)
	w.must(err)
	lines := make(map[syncproto.DeviceID]enrol.BoardLine)
	for _, line := range board.Devices {
		lines[line.ID] = line
	}
	got := lines[p.id]
	if len(lines) != 2 || got.Unsent != 12 || got.Parked != 2 || got.Held != 8 || got.Contact != w.now || got.Offset != 500 || got.App != "t/1" ||
		got.Name != "小米 8" || got.Status != "in_use" || got.Enrolment != syncproto.EnrolmentActive || len(got.People) != 1 || got.People[0] != (enrol.BoardPerson{Author: e.Author, Name: "甲"}) {
		t.Errorf("%+v", board)
	}
	if lines[waits.id].Enrolment != syncproto.EnrolmentWaiting || lines[waits.id].Contact != 0 {
		t.Errorf("who waits: %+v", lines[waits.id])
	}
	first, err := w.Devices(w.ctx(), w.by(secretary), "c1", syncproto.DeviceID{}, 1)
	w.must(err)
	second, err := w.Devices(w.ctx(), w.by(secretary), "c1", first.Next, 1)
	w.must(err)
	if len(first.Devices) != 1 || len(second.Devices) != 1 || first.Devices[0].ID == second.Devices[0].ID || !second.Next.IsZero() {
		t.Errorf("%+v, %+v", first, second)
	}
	_, err = w.Devices(w.ctx(), w.by(stranger), "c1", syncproto.DeviceID{}, 9)
	w.wants("a stranger", err, syncproto.CodeForbidden)
	elsewhere, err := w.Devices(w.ctx(), w.by(stranger), "34", syncproto.DeviceID{}, 9)
	if err != nil || len(elsewhere.Devices) != 0 {
		t.Errorf("%+v %v", elsewhere, err)
	}
}

func TestOneDeviceIsRevokedWithoutItsPerson(t *testing.T) {
	w := newWorld(t)
	p, e := w.letIn("甲")
	_, code := w.invited(enrol.Inviting{Author: e.Author})
	second := newPhone("second")
	w.comes(second, code, "")
	_, err := w.SetDevice(w.ctx(), w.by(stranger), p.id, enrol.Restand{Status: "lost"})
	w.wants("a stranger", err, syncproto.CodeNotFound)
	_, err = w.SetDevice(w.ctx(), w.by(secretary), newPhone("nobody").id, enrol.Restand{Status: "lost"})
	w.wants("nobody's", err, syncproto.CodeNotFound)
	for _, in := range []enrol.Restand{{Status: "suspended"}, {Status: ""}, {Status: "lost", Reason: "在公园"}} {
		_, err = w.SetDevice(w.ctx(), w.by(secretary), p.id, in)
		w.wants(fmt.Sprint(in), err, syncproto.CodeBadRequest)
	}
	w.now += hour
	line, err := w.SetDevice(w.ctx(), w.by(secretary), p.id, enrol.Restand{Status: "lost", Reason: "stolen"})
	w.must(err)
	if line.Status != "lost" || line.Since != w.now || w.scope(p) != "" || w.scope(second) != "g1" || w.acts(audit.SetDevice) != 1 {
		t.Errorf("%+v, sees %q, the other %q", line, w.scope(p), w.scope(second))
	}
	_, again := w.invited(enrol.Inviting{})
	_, err = w.Enrol(w.ctx(), p.enrolling(again, "甲"), w.now)
	w.wants("whoever holds it redeems another code", err, syncproto.CodeDeviceRevoked)
	_, err = w.SetDevice(w.ctx(), w.by(e.Author), p.id, enrol.Restand{Status: "in_use"})
	w.wants("its own volunteer takes it back", err, syncproto.CodeNotFound)
	_, err = w.Give(w.ctx(), w.by(county), identity.Grant{Author: e.Author, Area: "c1", Role: identity.Secretary})
	w.must(err)
	_, err = w.SetDevice(w.ctx(), w.by(secretary), p.id, enrol.Restand{Status: "in_use"})
	w.wants("it would act as somebody who isn't theirs to let in", err, syncproto.CodeForbidden)
	_, err = w.SetDevice(w.ctx(), w.by(e.Author), p.id, enrol.Restand{Status: "in_use"})
	w.wants("one's own", err, syncproto.CodeOwnGrant)
	_, err = w.SetDevice(w.ctx(), w.by(county), p.id, enrol.Restand{Status: "in_use", Reason: "found"})
	w.must(err)
	if w.scope(p) != "g1 c1" && w.scope(p) != "c1" {
		t.Errorf("sees %q", w.scope(p))
	}
}

func TestWhatCameFromAnUntrustedPhoneStaysUntrustedWhenItIsReportedLost(t *testing.T) {
	w := newWorld(t)
	p, e := w.letIn("甲")
	w.renews(p, w.renews(p, e.Refresh).Refresh)
	w.now += hour
	suspended := w.now
	_, err := w.Renew(w.ctx(), p.renewing(e.Refresh), w.now)
	w.wants("a copied token", err, syncproto.CodeRefreshReused)
	w.now += day
	line, err := w.SetDevice(w.ctx(), w.by(secretary), p.id, enrol.Restand{Status: "lost", Reason: "stolen"})
	w.must(err)
	device, _ := w.registry.Current().People.Device(p.id)
	if line.Since != suspended || device.Since != suspended || device.Status != identity.Lost {
		t.Errorf("%+v, in the directory %+v, suspended since %d", line.Standing, device.Standing, suspended)
	}
	w.now += hour
	_, err = w.SetDevice(w.ctx(), w.by(secretary), p.id, enrol.Restand{Status: "in_use", Reason: "found"})
	w.must(err)
	w.now += hour
	line, err = w.SetDevice(w.ctx(), w.by(secretary), p.id, enrol.Restand{Status: "lost"})
	w.must(err)
	if line.Since != w.now {
		t.Errorf("lost again since %d, not %d", line.Since, w.now)
	}
}

func TestNobodyMakesTheWorkOfTheirOwnUntrustedPhoneCount(t *testing.T) {
	w := newWorld(t)
	p, e := w.letIn("甲")
	_, err := w.SetDevice(w.ctx(), w.by(secretary), p.id, enrol.Restand{Status: "lost"})
	w.must(err)
	_, err = w.Give(w.ctx(), w.by(county), identity.Grant{Author: e.Author, Area: "c1", Role: identity.Secretary})
	w.must(err)
	_, err = w.SetDevice(w.ctx(), w.by(e.Author), p.id, enrol.Restand{Status: "retired", Reason: "handed_back"})
	w.wants("one's own", err, syncproto.CodeOwnGrant)
	_, err = w.SetDevice(w.ctx(), w.by(secretary), p.id, enrol.Restand{Status: "retired"})
	w.wants("that of somebody who isn't theirs to let in", err, syncproto.CodeForbidden)
	if w.standing(p) != identity.Lost {
		t.Errorf("it is %q", w.standing(p))
	}
	_, err = w.SetDevice(w.ctx(), w.by(county), p.id, enrol.Restand{Status: "retired", Reason: "checked"})
	w.must(err)
	second, f := w.letIn("乙")
	_, err = w.Give(w.ctx(), w.by(county), identity.Grant{Author: f.Author, Area: "c1", Role: identity.Secretary})
	w.must(err)
	_, err = w.SetDevice(w.ctx(), w.by(f.Author), second.id, enrol.Restand{Status: "retired", Reason: "handed_back"})
	w.must(err) // it is trusted as it is
}

func TestAGridIsHandedOverWithWhatItsPhonesStillHold(t *testing.T) {
	w := newWorld(t)
	p, leaves := w.letIn("甲")
	q, comes := w.letIn("乙")
	_, err := w.End(w.ctx(), w.by(secretary), enrol.Ending{Author: comes.Author, Area: "g1"})
	w.must(err)
	w.said(p, 7, 0)
	_, err = w.Give(w.ctx(), w.by(secretary), identity.Grant{Author: leaves.Author, Area: "g2", Role: identity.Volunteer, From: start - 9*day, To: start + 1})
	w.must(err) // which is over by then
	w.now += hour
	in := enrol.HandOver{From: leaves.Author, To: comes.Author, Area: "c1", DryRun: true}
	dry, err := w.HandOver(w.ctx(), w.by(secretary), in)
	w.must(err)
	if dry.Done || dry.Unsent != 7 || len(dry.Phones) != 1 || dry.Phones[0].ID != p.id || len(dry.Gives) != 1 || dry.Gives[0].To != start+30*day ||
		w.scope(p) != "g1" || w.scope(q) != "" || w.acts(audit.HandedOver) != 0 {
		t.Errorf("%+v, they see %q and %q", dry, w.scope(p), w.scope(q))
	}
	in.DryRun = false
	for name, c := range map[string]struct {
		by   syncproto.AuthorID
		in   enrol.HandOver
		want syncproto.Code
	}{
		"a stranger":        {stranger, in, syncproto.CodeForbidden},
		"the volunteer":     {leaves.Author, in, syncproto.CodeForbidden},
		"to oneself":        {secretary, enrol.HandOver{From: leaves.Author, To: secretary, Area: "c1"}, syncproto.CodeOwnGrant},
		"what is above one": {secretary, enrol.HandOver{From: mate, To: comes.Author, Area: "c1"}, syncproto.CodeForbidden},
		"to nobody":         {secretary, enrol.HandOver{From: leaves.Author, To: author(99), Area: "c1"}, syncproto.CodeNotFound},
		"nothing":           {secretary, enrol.HandOver{From: leaves.Author, To: comes.Author, Area: "g2"}, syncproto.CodeNotFound},
		"from and to one":   {secretary, enrol.HandOver{From: leaves.Author, To: leaves.Author, Area: "c1"}, syncproto.CodeBadRequest},
	} {
		_, err := w.HandOver(w.ctx(), w.by(c.by), c.in)
		w.wants(name, err, c.want)
	}
	done, err := w.HandOver(w.ctx(), w.by(secretary), in)
	w.must(err)
	if !done.Done || w.scope(p) != "" || w.scope(q) != "g1" || w.acts(audit.HandedOver) != 1 {
		t.Errorf("%+v, they see %q and %q", done, w.scope(p), w.scope(q))
	}
	// What the one who left recorded before counts as ever.
	if w.entitled(leaves.Author, "g1", w.now-1) != "" || w.entitled(leaves.Author, "g1", w.now) == "" || w.entitled(comes.Author, "g1", w.now) != "" {
		t.Error("entitled wrongly")
	}
}
