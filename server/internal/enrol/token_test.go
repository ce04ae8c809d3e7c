package enrol_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/enrol"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// letIn is a phone that is in, and its first refresh token.
func (w *world) letIn(name string) (phone, *syncproto.Enrolled) {
	w.t.Helper()
	_, code := w.invited(enrol.Inviting{To: start + 30*day})
	p := newPhone(name)
	return p, w.comes(p, code, name)
}

func (w *world) renews(p phone, refresh string) *syncproto.Tokens {
	w.t.Helper()
	got, err := w.Renew(w.ctx(), p.renewing(refresh), w.now)
	w.must(err)
	return got
}

func (w *world) standing(p phone) identity.Status {
	device, _ := w.registry.Current().People.Device(p.id)
	return device.Status
}

// onlyDelivers fails unless tokens let a phone deliver and nothing else.
func (w *world) onlyDelivers(what string, p phone, refresh string) {
	w.t.Helper()
	got, err := w.Renew(w.ctx(), p.renewing(refresh), w.now)
	if err != nil {
		w.t.Errorf("%s: %v", what, err)
		return
	}
	bearer, err := w.verifier.Verify([]byte(got.Access))
	if err != nil || bearer.Device != p.id || got.Refresh != "" || got.RefreshUntil != 0 || w.scope(p) != "" {
		w.t.Errorf("%s: %+v, sees %q, %v", what, got, w.scope(p), err)
	}
}

func TestARefreshTokenIsUsedOnce(t *testing.T) {
	w := newWorld(t)
	p, e := w.letIn("a")
	seen := map[string]bool{e.Refresh: true}
	refresh := e.Refresh
	for range 5 {
		w.now += hour
		got := w.renews(p, refresh)
		if seen[got.Refresh] || got.AccessUntil != w.now+15*60*1000 || got.RefreshUntil <= w.now+100*day || got.State != syncproto.EnrolmentActive {
			t.Fatalf("%+v", got)
		}
		if _, err := w.verifier.Verify([]byte(got.Access)); err != nil {
			t.Fatal(err)
		}
		seen[got.Refresh], refresh = true, got.Refresh
	}
}

// The server was killed after it had turned the token and before the answer left, or the
// answer was lost: the phone can't tell, and shows the same token again.
func TestWhoeverAcceptsANewerUndertakingLaterSaysSoWhenRenewing(t *testing.T) {
	w := newWorld(t)
	p, e := w.letIn("a")
	accepted := func() enrol.Person {
		page, err := w.People(w.ctx(), w.by(secretary), "c1", syncproto.AuthorID{}, 100)
		w.must(err)
		i := slices.IndexFunc(page.People, func(p enrol.Person) bool { return p.Author == e.Author })
		return page.People[i]
	}
	if got := accepted(); got.Undertaking != enrol.InForce || got.AcceptedAt != w.now {
		t.Errorf("when enrolled: %+v", got)
	}
	forged := p.renewing(e.Refresh)
	forged.Accepted = enrol.InForce // which the signature doesn't cover
	_, err := w.Renew(w.ctx(), forged, w.now)
	w.wants("a word that isn't the phone's", err, syncproto.CodeBadSignature)
	forged.Signature = resigned(p, forged)
	_, err = w.Renew(w.ctx(), forged, w.now+1)
	w.must(err)
	if got := accepted(); got.Undertaking != enrol.InForce || got.AcceptedAt != w.now {
		t.Errorf("the first time counts: %+v", got)
	}
}

func TestALostAnswerGetsTheSameNextTokenAgain(t *testing.T) {
	w := newWorld(t)
	p, e := w.letIn("a")
	first := w.renews(p, e.Refresh)
	for range 3 {
		w.now += hour
		if again := w.renews(p, e.Refresh); again.Refresh != first.Refresh || again.RefreshUntil != first.RefreshUntil {
			t.Errorf("%+v, then %+v", first, again)
		}
	}
	if next := w.renews(p, first.Refresh); next.Refresh == first.Refresh {
		t.Error("doesn't go on")
	}
}

func TestManyRenewalsAtOnceTurnTheTokenOnce(t *testing.T) {
	w := newWorld(t)
	p, e := w.letIn("a")
	got := make([]*syncproto.Tokens, 20)
	var work sync.WaitGroup
	for i := range got {
		work.Go(func() {
			var err error
			if got[i], err = w.Renew(w.ctx(), p.renewing(e.Refresh), w.now); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	for _, tokens := range got {
		if tokens == nil || tokens.Refresh != got[0].Refresh {
			t.Fatalf("%+v and %+v", got[0], tokens)
		}
	}
	if w.standing(p) != identity.InUse {
		t.Error("suspended for nothing")
	}
}

func TestATokenThatWasCopiedSuspendsTheDevice(t *testing.T) {
	w := newWorld(t)
	p, e := w.letIn("a")
	other, o := w.letIn("b")
	second := w.renews(p, e.Refresh)
	third := w.renews(p, second.Refresh)
	_, err := w.Renew(w.ctx(), p.renewing(e.Refresh), w.now)
	w.wants("the first token again", err, syncproto.CodeRefreshReused)
	if w.standing(p) != identity.Suspended || w.acts(audit.SuspendedBy) != 1 {
		t.Errorf("%q, noted %d", w.standing(p), w.acts(audit.SuspendedBy))
	}
	for _, refresh := range []string{e.Refresh, second.Refresh, third.Refresh, "", "x"} {
		w.onlyDelivers("suspended", p, refresh)
	}
	if w.acts(audit.SuspendedBy) != 1 {
		t.Error("noted again")
	}
	if got := w.renews(other, o.Refresh); got.Refresh == "" {
		t.Error("another device suffers")
	}
	// A person has looked: the phone goes on with whichever token it has, and if the answer
	// is lost, again; and then each is good once.
	_, err = w.SetDevice(w.ctx(), w.by(secretary), p.id, enrol.Restand{Status: "in_use", Reason: "checked"})
	w.must(err)
	got := w.renews(p, e.Refresh)
	if got.Refresh == "" || w.scope(p) != "g1" || w.renews(p, e.Refresh).Refresh != got.Refresh {
		t.Errorf("%+v sees %q", got, w.scope(p))
	}
	if next := w.renews(p, got.Refresh); next.Refresh == "" || w.renews(p, next.Refresh).Refresh == "" {
		t.Errorf("%+v", next)
	}
	_, err = w.Renew(w.ctx(), p.renewing(third.Refresh), w.now)
	w.wants("the copied token", err, syncproto.CodeRefreshReused)
}

func TestATokenThatIsntOursChangesNothing(t *testing.T) {
	w := newWorld(t)
	p, e := w.letIn("a")
	other, o := w.letIn("b")
	w.renews(p, w.renews(p, e.Refresh).Refresh)
	raw, err := base64.RawURLEncoding.DecodeString(e.Refresh)
	w.must(err)
	older := append([]byte{}, raw...)
	older[23] = 0 // generation 0, which was never given out
	forged := append([]byte{}, raw...)
	forged[len(forged)-1] ^= 1
	for name, refresh := range map[string]string{
		"none": "", "not base64": "!", "short": e.Refresh[:20], "another device's": o.Refresh,
		"an older generation, not signed": base64.RawURLEncoding.EncodeToString(older), "a bit turned": base64.RawURLEncoding.EncodeToString(forged),
	} {
		_, err := w.Renew(w.ctx(), p.renewing(refresh), w.now)
		w.wants(name, err, syncproto.CodeBadToken)
	}
	stolen := p.renewing(e.Refresh)
	stolen.Signature = other.renewing(e.Refresh).Signature
	_, err = w.Renew(w.ctx(), stolen, w.now)
	w.wants("a thief without the device's key", err, syncproto.CodeBadSignature)
	_, err = w.Renew(w.ctx(), phone{p.id, other.key}.renewing(e.Refresh), w.now)
	w.wants("a thief with a key of their own", err, syncproto.CodeBadSignature)
	_, err = w.Renew(w.ctx(), newPhone("nobody").renewing(e.Refresh), w.now)
	w.wants("nobody's", err, syncproto.CodeBadToken)
	if w.standing(p) != identity.InUse || w.acts(audit.SuspendedBy) != 0 {
		t.Errorf("%q", w.standing(p))
	}
}

func TestWorkCanAlwaysBeDelivered(t *testing.T) {
	w := newWorld(t)
	for _, status := range []string{"retired", "lost"} {
		p, e := w.letIn(status)
		_, err := w.SetDevice(w.ctx(), w.by(secretary), p.id, enrol.Restand{Status: status})
		w.must(err)
		w.onlyDelivers(status, p, e.Refresh)
		w.now += 400 * day
		w.onlyDelivers(status+", a year later", p, e.Refresh)
		w.now -= 400 * day
	}
	over, e := w.letIn("over")
	_, err := w.End(w.ctx(), w.by(secretary), enrol.Ending{Author: e.Author, Area: "g1"})
	w.must(err)
	w.now += hour
	if got := w.renews(over, e.Refresh); got.Refresh == "" || w.scope(over) != "" {
		t.Errorf("without a grant: %+v sees %q", got, w.scope(over))
	}
	w.now += 400 * day
	w.onlyDelivers("without a grant, a year later", over, e.Refresh)
	w.onlyDelivers("without a grant, and a token that isn't ours", over, "x")
	if w.standing(over) != identity.InUse {
		t.Errorf("%q", w.standing(over))
	}
}

func TestAPhoneThatSleptTooLongDeliversUntilAPersonHasLooked(t *testing.T) {
	w := newWorld(t)
	_, code := w.invited(enrol.Inviting{})
	p := newPhone("a")
	e := w.comes(p, code, "李伟")
	w.now = e.RefreshUntil - 1
	tokens := w.renews(p, e.Refresh)
	w.now = tokens.RefreshUntil
	_, err := w.Renew(w.ctx(), p.renewing("x"), w.now)
	w.wants("a token that isn't ours", err, syncproto.CodeBadToken)
	w.onlyDelivers("too late", p, tokens.Refresh)
	if w.standing(p) != identity.Retired {
		t.Errorf("%q", w.standing(p))
	}
}

// What the phone thinks the time is plays no part in whether its tokens are good.
func TestTokensGoByTheServersClock(t *testing.T) {
	w := newWorld(t)
	p, e := w.letIn("a")
	refresh := e.Refresh
	for _, clock := range []syncproto.Instant{-1, 0, 1, start - 4000*day, start + 4000*day, 1<<62 - 1} {
		in := p.renewing(refresh)
		in.Clock = clock
		in.Signature = resigned(p, in)
		got, err := w.Renew(w.ctx(), in, w.now)
		if err != nil || got.Now != w.now || got.AccessUntil != w.now+15*60*1000 {
			t.Fatalf("clock %d: %+v %v", clock, got, err)
		}
		refresh = got.Refresh
	}
}

// A backup was restored, from before the phone's last renewals.
func TestARestoredServerTakesTokensThatAreAheadOfIt(t *testing.T) {
	w := newWorld(t)
	p, e := w.letIn("a")
	phones, err := w.store.Phones(w.ctx(), []syncproto.DeviceID{p.id})
	w.must(err)
	backup := phones[0].Refresh
	ahead := e.Refresh
	for range 4 {
		ahead = w.renews(p, ahead).Refresh
	}
	w.must(w.store.SaveEnrol(w.ctx(), &enrol.Write{Rotations: []enrol.Rotation{{Device: p.id, Was: 5, Is: backup}}}))
	next := w.renews(p, ahead)
	if again := w.renews(p, ahead); next.Refresh == "" || again.Refresh != next.Refresh {
		t.Errorf("%+v, then %+v", next, again)
	}
	_, err = w.Renew(w.ctx(), p.renewing(e.Refresh), w.now)
	w.wants("the first again", err, syncproto.CodeRefreshReused)
}

func TestAnAnswerNeverLeavesBeforeTheTokenHasTurned(t *testing.T) {
	w := newWorld(t)
	p, e := w.letIn("a")
	w.must(w.store.Close())
	got, err := w.Renew(w.ctx(), p.renewing(e.Refresh), w.now)
	if err == nil || got != nil {
		t.Errorf("%+v", got)
	}
	var known *syncproto.Error
	if errors.As(err, &known) {
		t.Errorf("a store that fails is told as %v", fmt.Sprint(known))
	}
}
