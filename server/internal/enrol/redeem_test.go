package enrol_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/enrol"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

func TestWhoeverIsInvitedSeesTheirGridAtOnce(t *testing.T) {
	w := newWorld(t)
	_, code := w.invited(enrol.Inviting{To: start + 30*day})
	seen, err := w.Look(w.ctx(), code, w.now)
	w.must(err)
	if seen.AreaID != "g1" || seen.AreaName != "一网格" || seen.Role != "volunteer" || seen.To != start+30*day ||
		seen.Undertaking.Version != enrol.InForce || !strings.Contains(seen.Undertaking.Text.ZH, "保密") || seen.Undertaking.Text.EN == "" {
		t.Errorf("looks like %+v", seen)
	}
	p := newPhone("a")
	e := w.comes(p, code, "李伟")
	bearer, err := w.verifier.Verify([]byte(e.Access))
	w.must(err)
	if bearer.Device != p.id || bearer.Author != e.Author || e.AccessUntil != start+15*60*1000 || e.Refresh == "" || string(e.Box) != "box" {
		t.Errorf("tokens %+v of %+v", e.Tokens, bearer)
	}
	if e.State != syncproto.EnrolmentActive || w.scope(p) != "g1" {
		t.Errorf("state %s, sees %q", e.State, w.scope(p))
	}
	// A phone whose clock is up to a day behind records within its grant; nobody else does.
	for at, want := range map[syncproto.Instant]syncproto.Code{start - day: "", start: "", start - day - 1: syncproto.CodeGrantExpired, start + 30*day: syncproto.CodeGrantExpired} {
		if got := w.entitled(e.Author, "g1", at); got != want {
			t.Errorf("at %d: %q", at-start, got)
		}
	}
	if w.acts(audit.Invited) != 1 || w.acts(audit.Enrolled) != 1 {
		t.Errorf("noted %+v", w.noted(""))
	}
}

func TestACodeIsReadHoweverItIsTyped(t *testing.T) {
	w := newWorld(t)
	_, code := w.invited(enrol.Inviting{})
	plain := strings.ReplaceAll(code, "-", "")
	for _, typed := range []string{
		code, plain, strings.ToLower(code), " " + plain[:3] + "  " + plain[3:] + "\n", strings.Join(strings.Split(plain, ""), "-"),
		strings.NewReplacer("0", "O", "1", "l").Replace(code), strings.NewReplacer("0", "o", "1", "I").Replace(plain),
		strings.ReplaceAll(code, "-", "－"), wide(plain),
	} {
		if _, err := w.Look(w.ctx(), typed, w.now); err != nil {
			t.Errorf("%q for %s: %v", typed, code, err)
		}
	}
	for _, typed := range []string{"", plain[1:], plain + "0", "UUUUUUUUUU", strings.Repeat("0", 5000), "王芳", "\xff\xfe"} {
		_, err := w.Look(w.ctx(), typed, w.now)
		w.wants(fmt.Sprintf("%.20q", typed), err, syncproto.CodeInviteUnknown)
	}
}

// wide writes a code as a Chinese keyboard's full-width letters.
func wide(code string) string {
	return strings.Map(func(r rune) rune { return r - '!' + '！' }, code)
}

func TestACopyOfTheDatabaseTellsNoCode(t *testing.T) {
	w := newWorld(t)
	v, code := w.invited(enrol.Inviting{})
	if v.Code == enrol.Digest(sha256.Sum256([]byte(strings.ReplaceAll(code, "-", "")))) {
		t.Error("all codes could be tried against what is kept")
	}
	w.Digest = func(value []byte) uint64 { return digest(value) + 1 }
	_, err := w.Look(w.ctx(), code, w.now)
	w.wants("under another key", err, syncproto.CodeInviteUnknown)
}

func TestALostAnswerIsGivenAgainAndSpendsNothing(t *testing.T) {
	w := newWorld(t)
	v, code := w.invited(enrol.Inviting{Uses: 2})
	p := newPhone("a")
	first := w.comes(p, code, "李伟")
	for range 3 {
		again := w.comes(p, code, "李伟")
		if again.Author != first.Author || again.Refresh != first.Refresh || again.State != first.State {
			t.Errorf("%+v, then %+v", first, again)
		}
	}
	w.now += 30 * day // long after it expired, and was withdrawn
	_, err := w.Withdraw(w.ctx(), w.by(secretary), v.ID)
	w.must(err)
	if again := w.comes(p, code, "李伟"); again.Author != first.Author || again.Refresh != first.Refresh {
		t.Errorf("later: %+v", again)
	}
	left, err := w.Invites(w.ctx(), w.by(secretary), "c1")
	w.must(err)
	if left[0].Left != 1 || w.acts(audit.Enrolled) != 1 || len(w.registry.Current().People.Grants(first.Author)) != 1 {
		t.Errorf("%d left, %d noted", left[0].Left, w.acts(audit.Enrolled))
	}
}

func TestACodeThatWasSpentIsNoRefreshToken(t *testing.T) {
	w := newWorld(t)
	_, code := w.invited(enrol.Inviting{Uses: 2})
	p := newPhone("a")
	first := w.comes(p, code, "李伟")
	second := w.renews(p, first.Refresh)
	if again := w.comes(p, code, "李伟"); again.Refresh != second.Refresh {
		t.Errorf("an answer that comes late is not the one in force")
	}
	w.now += day
	_, err := w.Enrol(w.ctx(), p.enrolling(code, "李伟"), w.now)
	w.wants("a day later", err, syncproto.CodeInviteSpent)
	// Another invitation's answer may be lost as well.
	_, other := w.invited(enrol.Inviting{Area: "g2"})
	w.comes(p, other, "李伟")
	w.now += hour
	if again := w.comes(p, other, "李伟"); again.Author != first.Author || again.Refresh != second.Refresh {
		t.Errorf("%+v", again)
	}
	if next := w.renews(p, second.Refresh); next.Refresh == "" || w.scope(p) != "g1 g2" {
		t.Errorf("%+v, sees %q", next, w.scope(p))
	}
	// Nor does it wake a phone that slept for too long.
	_, code = w.invited(enrol.Inviting{})
	asleep := newPhone("asleep")
	w.comes(asleep, code, "赵六")
	w.now += 181 * day
	_, err = w.Enrol(w.ctx(), asleep.enrolling(code, "赵六"), w.now)
	w.wants("half a year later", err, syncproto.CodeInviteSpent)
	_, err = w.SetDevice(w.ctx(), w.by(secretary), p.id, enrol.Restand{Status: "lost"})
	w.must(err)
	if got := w.comes(p, other, "李伟"); got.Refresh != "" || got.Access == "" {
		t.Errorf("one that only delivers: %+v", got)
	}
}

func TestOneUseIsOneUseHoweverManyComeTogether(t *testing.T) {
	w := newWorld(t)
	_, code := w.invited(enrol.Inviting{})
	var in, spent atomic.Int32
	var work sync.WaitGroup
	for i := range 50 {
		work.Go(func() {
			_, err := w.Enrol(w.ctx(), newPhone(fmt.Sprint(i)).enrolling(code, "李伟"), w.now)
			switch {
			case err == nil:
				in.Add(1)
			case errors.Is(err, &syncproto.Error{Code: syncproto.CodeInviteSpent}):
				spent.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	work.Wait()
	if in.Load() != 1 || spent.Load() != 49 {
		t.Errorf("%d let in, %d told that it is spent", in.Load(), spent.Load())
	}
	if all, err := w.store.Identities(w.ctx()); err != nil || len(all.Devices) != 1 || w.acts(audit.Enrolled) != 1 {
		t.Errorf("%d devices, %d noted, %v", len(all.Devices), w.acts(audit.Enrolled), err)
	}
}

func TestOnePhoneThatAsksManyTimesAtOnceIsOnePhone(t *testing.T) {
	w := newWorld(t)
	_, code := w.invited(enrol.Inviting{Uses: 50})
	p := newPhone("a")
	answers := make([]*syncproto.Enrolled, 20)
	var work sync.WaitGroup
	for i := range answers {
		work.Go(func() {
			var err error
			if answers[i], err = w.Enrol(w.ctx(), p.enrolling(code, "李伟"), w.now); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	for _, a := range answers {
		if a == nil || a.Author != answers[0].Author || a.Refresh != answers[0].Refresh {
			t.Fatalf("%+v and %+v", answers[0], a)
		}
	}
	if left, err := w.Invites(w.ctx(), w.by(secretary), "g1"); err != nil || left[0].Left != 49 {
		t.Errorf("%+v %v", left, err)
	}
}

func TestWhatIsWrongWithRedeemingIsSaid(t *testing.T) {
	w := newWorld(t)
	known := newPhone("known")
	_, open := w.invited(enrol.Inviting{Uses: 9})
	w.comes(known, open, "李伟")
	_, spent := w.invited(enrol.Inviting{})
	w.comes(newPhone("other"), spent, "张三")
	withdrawn, gone := w.invited(enrol.Inviting{})
	_, err := w.Withdraw(w.ctx(), w.by(mate), withdrawn.ID)
	w.must(err)
	_, late := w.invited(enrol.Inviting{Hours: 1})
	w.now += hour
	thief := newPhone("thief")
	for name, c := range map[string]struct {
		in   *syncproto.Enrolling
		want syncproto.Code
	}{
		"no such code":              {newPhone("x").enrolling("0000000000", "李"), syncproto.CodeInviteUnknown},
		"withdrawn":                 {newPhone("x").enrolling(gone, "李"), syncproto.CodeInviteUnknown},
		"used up":                   {newPhone("x").enrolling(spent, "李"), syncproto.CodeInviteSpent},
		"to the second":             {newPhone("x").enrolling(late, "李"), syncproto.CodeInviteExpired},
		"no name":                   {newPhone("x").enrolling(open, " "), syncproto.CodeBadRequest},
		"a name like a letter":      {newPhone("x").enrolling(open, strings.Repeat("王", 41)), syncproto.CodeBadRequest},
		"a known id, another key":   {phone{known.id, thief.key}.enrolling(open, "李伟"), syncproto.CodeBadSignature},
		"another's signature":       {with(thief.enrolling(open, "李"), func(e *syncproto.Enrolling) { e.Signature = known.enrolling(open, "李").Signature }), syncproto.CodeBadSignature},
		"no signature":              {with(thief.enrolling(open, "李"), func(e *syncproto.Enrolling) { e.Signature = nil }), syncproto.CodeBadSignature},
		"no key":                    {with(thief.enrolling(open, "李"), func(e *syncproto.Enrolling) { e.Key = nil }), syncproto.CodeBadRequest},
		"no device":                 {phone{key: thief.key}.enrolling(open, "李"), syncproto.CodeBadRequest},
		"an undertaking not read":   {with(thief.enrolling(open, "李"), func(e *syncproto.Enrolling) { e.Undertaking = 0 }), syncproto.CodeUndertakingNeeded},
		"a code signed for another": {with(thief.enrolling(open, "李"), func(e *syncproto.Enrolling) { e.Code = spent }), syncproto.CodeBadSignature},
	} {
		_, err := w.Enrol(w.ctx(), c.in, w.now)
		w.wants(name, err, c.want)
	}
	if all, err := w.store.Identities(w.ctx()); err != nil || len(all.Devices) != 2 {
		t.Errorf("%d devices are known, %v", len(all.Devices), err)
	}
}

func with(e *syncproto.Enrolling, alter func(*syncproto.Enrolling)) *syncproto.Enrolling {
	alter(e)
	return e
}

func TestNobodyIsCalledWhatCantBeSeen(t *testing.T) {
	w := newWorld(t)
	_, code := w.invited(enrol.Inviting{Uses: 9})
	for _, text := range []string{"王\x1b[2J芳", "王\n芳", "\u202e芳王", "王\u200b芳", "王芳\x00", "王\ufeff芳", "\xff", "王\u2028芳"} {
		e := newPhone("a").enrolling(code, text)
		_, err := w.Enrol(w.ctx(), e, w.now)
		w.wants(fmt.Sprintf("somebody called %q", text), err, syncproto.CodeBadRequest)
		e = newPhone("a").enrolling(code, "王芳")
		e.Phone = text
		_, err = w.Enrol(w.ctx(), e, w.now)
		w.wants(fmt.Sprintf("a phone called %q", text), err, syncproto.CodeBadRequest)
		_, _, err = w.Invite(w.ctx(), w.by(secretary), enrol.Inviting{Area: "g1", Role: identity.Volunteer, Label: text})
		w.wants(fmt.Sprintf("an invitation called %q", text), err, syncproto.CodeBadRequest)
	}
	for _, name := range []string{"阿卜杜热合曼·买买提", "O’Neill, Zoë", "𠮷田 (二)", "王芳 📱"} {
		w.comes(newPhone(name), code, name)
	}
}

func TestAKnownPhoneTakesAnotherPostForTheSamePerson(t *testing.T) {
	w := newWorld(t)
	p := newPhone("a")
	_, one := w.invited(enrol.Inviting{})
	_, two := w.invited(enrol.Inviting{Area: "g2"})
	first := w.comes(p, one, "李 伟")
	second := w.comes(p, two, "李伟")
	if second.Author != first.Author || second.Refresh != first.Refresh || w.scope(p) != "g1 g2" {
		t.Errorf("%+v, then %+v, sees %q", first, second, w.scope(p))
	}
	_, three := w.invited(enrol.Inviting{Area: "g2"})
	third := w.comes(p, three, "赵六") // shares the phone
	device, _ := w.registry.Current().People.Device(p.id)
	if third.Author == first.Author || len(device.Authors) != 2 {
		t.Errorf("somebody else on the phone is %v, on it are %v", third.Author, device.Authors)
	}
}

func TestANewPhoneForAKnownPersonActsAsThem(t *testing.T) {
	w := newWorld(t)
	_, code := w.invited(enrol.Inviting{Author: worker})
	p := newPhone("new")
	if e := w.comes(p, code, "随便"); e.Author != worker || w.scope(p) != "g1" {
		t.Errorf("%+v sees %q", e, w.scope(p))
	}
	// Nobody gets a phone that acts as somebody above them, not even for a humble role.
	for _, above := range []syncproto.AuthorID{county, mate, administrator, stranger, author(99)} {
		_, _, err := w.Invite(w.ctx(), w.by(secretary), enrol.Inviting{Area: "g1", Role: identity.Volunteer, Author: above})
		w.wants(fmt.Sprint("for ", above[0]), err, syncproto.CodeForbidden)
	}
	// Nor as somebody who has nothing to do at the moment, and never had anything here.
	_, err := w.End(w.ctx(), w.by(administrator), enrol.Ending{Author: county, Area: "33"})
	w.must(err)
	w.now += hour
	_, _, err = w.Invite(w.ctx(), w.by(secretary), enrol.Inviting{Area: "g1", Role: identity.Volunteer, Author: county})
	w.wants("for who was above", err, syncproto.CodeForbidden)
	_, err = w.Give(w.ctx(), w.by(administrator), identity.Grant{Author: county, Area: "33", Role: identity.County})
	w.must(err)
	// Nor by an invitation from before they rose.
	_, code = w.invited(enrol.Inviting{Author: worker})
	_, err = w.Give(w.ctx(), w.by(county), identity.Grant{Author: worker, Area: "c1", Role: identity.Secretary})
	w.must(err)
	_, err = w.Enrol(w.ctx(), newPhone("late").enrolling(code, ""), w.now)
	w.wants("after they rose", err, syncproto.CodeInviteUnknown)
}

func TestNobodyGivesMoreThanTheyHave(t *testing.T) {
	w := newWorld(t)
	people := map[syncproto.AuthorID]identity.Grant{
		secretary: {Area: "c1", Role: identity.Secretary}, administrator: {Area: "33", Role: identity.Administrator},
		county: {Area: "33", Role: identity.County}, worker: {Area: "g1", Role: identity.Volunteer},
	}
	for who, held := range people {
		for _, role := range identity.Roles {
			for _, id := range []syncproto.AreaID{"33", "c1", "g1", "34", "nowhere"} {
				may := false
				for _, given := range held.Role.Power().Gives {
					may = may || given == role && w.registry.Current().Areas.Within(id, held.Area)
				}
				want := syncproto.CodeForbidden
				if may {
					want = ""
				}
				_, _, err := w.Invite(w.ctx(), w.by(who), enrol.Inviting{Area: id, Role: role})
				w.wants(fmt.Sprintf("%s invites a %s into %s", held.Role, role, id), err, want)
				_, err = w.Give(w.ctx(), w.by(who), identity.Grant{Author: author(6), Area: id, Role: role, To: start + 5})
				w.wants(fmt.Sprintf("%s makes a %s of %s", held.Role, role, id), err, want)
			}
		}
	}
}

func TestNobodyLetsThemselvesIn(t *testing.T) {
	w := newWorld(t)
	_, _, err := w.Invite(w.ctx(), w.by(secretary), enrol.Inviting{Area: "g1", Role: identity.Volunteer, Author: secretary})
	w.wants("inviting oneself", err, syncproto.CodeOwnGrant)
	_, err = w.Give(w.ctx(), w.by(secretary), identity.Grant{Author: secretary, Area: "g1", Role: identity.Volunteer})
	w.wants("giving oneself", err, syncproto.CodeOwnGrant)
	// A secretary's own phone redeems nothing that they made.
	_, code, err := w.Invite(w.ctx(), w.by(county), enrol.Inviting{Area: "c1", Role: identity.Secretary})
	w.must(err)
	p := newPhone("own")
	e := w.comes(p, code, "新书记")
	_, own, err := w.Invite(w.ctx(), w.by(e.Author), enrol.Inviting{Area: "g1", Role: identity.Volunteer, Uses: 2, Confirm: true})
	w.must(err)
	_, err = w.Enrol(w.ctx(), p.enrolling(own, "别人"), w.now)
	w.wants("redeeming one's own", err, syncproto.CodeOwnGrant)
}

func TestNobodyWithdrawsTheInvitationOfTheirSuccessor(t *testing.T) {
	w := newWorld(t)
	v, code, err := w.Invite(w.ctx(), w.by(county), enrol.Inviting{Area: "c1", Role: identity.Secretary})
	w.must(err)
	_, err = w.Withdraw(w.ctx(), w.by(secretary), v.ID)
	w.wants("the secretary", err, syncproto.CodeForbidden)
	w.comes(newPhone("new"), code, "新书记")
	_, err = w.Withdraw(w.ctx(), w.by(administrator), v.ID)
	w.wants("who might have made it", err, "")
}

func TestACodeIsNoWayBackInForWhoeverMadeIt(t *testing.T) {
	w := newWorld(t)
	_, code := w.invited(enrol.Inviting{Uses: 2})
	_, phone := w.invited(enrol.Inviting{Author: worker})
	if seen, err := w.Look(w.ctx(), code, w.now); err != nil || seen.Confirmed {
		t.Errorf("while they are secretary a person looks at who comes, %v", err)
	}
	_, err := w.End(w.ctx(), w.by(county), enrol.Ending{Author: secretary, Area: "c1"})
	w.must(err)
	w.now += hour
	if seen, err := w.Look(w.ctx(), code, w.now); err != nil || !seen.Confirmed {
		t.Errorf("afterwards nobody looks at who comes, %v", err)
	}
	p := newPhone("a")
	e := w.comes(p, code, "李伟")
	if e.State != syncproto.EnrolmentWaiting || w.scope(p) != "" || len(w.registry.Current().People.Grants(e.Author)) != 0 {
		t.Errorf("%+v sees %q", e, w.scope(p))
	}
	_, err = w.Enrol(w.ctx(), newPhone("b").enrolling(phone, ""), w.now)
	w.wants("a phone that acts as somebody known", err, syncproto.CodeInviteUnknown)
	// The others who came by it are let in by whoever looks after the place now.
	results, err := w.Settle(w.ctx(), w.by(mate), enrol.Settling{IDs: idsOf(w.waiting("g1")), State: syncproto.EnrolmentActive})
	w.must(err)
	if len(results) != 1 || results[0].Error != nil || w.scope(p) != "g1" {
		t.Errorf("%+v, sees %q", results, w.scope(p))
	}
}

func TestInvitationsAreSeenByThoseWhoseTheyAre(t *testing.T) {
	w := newWorld(t)
	v, _ := w.invited(enrol.Inviting{Label: "早班"})
	_, err := w.Invites(w.ctx(), w.by(stranger), "g1")
	w.wants("a stranger lists them", err, syncproto.CodeForbidden)
	_, err = w.Invites(w.ctx(), w.by(worker), "g1")
	w.wants("a volunteer lists them", err, syncproto.CodeForbidden)
	_, err = w.Withdraw(w.ctx(), w.by(stranger), v.ID)
	w.wants("a stranger withdraws one", err, syncproto.CodeNotFound)
	_, err = w.Withdraw(w.ctx(), w.by(stranger), uuid.New())
	w.wants("one that isn't there", err, syncproto.CodeNotFound)
	for name, in := range map[string]enrol.Inviting{
		"no role":           {Area: "g1", Role: "king"},
		"too many":          {Area: "g1", Role: identity.Volunteer, Uses: enrol.MaxUses + 1},
		"too long":          {Area: "g1", Role: identity.Volunteer, Hours: enrol.MaxHours + 1},
		"less than none":    {Area: "g1", Role: identity.Volunteer, Uses: -1},
		"over already":      {Area: "g1", Role: identity.Volunteer, To: start},
		"ends first":        {Area: "g1", Role: identity.Volunteer, From: start + 9, To: start + 8},
		"a person for many": {Area: "g1", Role: identity.Volunteer, Author: worker, Uses: 2},
		"a person waits":    {Area: "g1", Role: identity.Volunteer, Author: worker, Confirm: true},
	} {
		_, _, err := w.Invite(w.ctx(), w.by(secretary), in)
		w.wants(name, err, syncproto.CodeBadRequest)
	}
}
