package console

import (
	"encoding/base32"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// by is somebody who is signed in.
func by(who syncproto.AuthorID) identity.Caller {
	return identity.Caller{Session: identity.Session{9}, Authors: []syncproto.AuthorID{who}}
}

func TestALinkIsUsedOnce(t *testing.T) {
	w := newWorld(t)
	welcome, err := w.Invite(w.ctx(), by(boss), chief, "Chief", w.now)
	w.must(err)
	setup, err := w.Setup(w.ctx(), welcome.Token, w.now)
	w.must(err)
	if setup.Login != "chief" || setup.Name != "甲" || welcome.Login != "chief" || !strings.HasPrefix(setup.QR, "data:image/svg+xml") {
		t.Errorf("%+v", setup)
	}
	w.must(w.follow(welcome.Token, password))
	w.in("chief")
	w.is("again", w.follow(welcome.Token, "noch ein pferd 10"), syncproto.CodeLinkSpent)
	_, err = w.Setup(w.ctx(), welcome.Token, w.now)
	w.is("looked at again", err, syncproto.CodeLinkSpent)
	w.in("chief") // with the first password
}

func TestALinkThatIsNoneTellsNothing(t *testing.T) {
	w := newWorld(t)
	welcome, err := w.Invite(w.ctx(), by(boss), chief, "chief", w.now)
	w.must(err)
	for name, token := range map[string]string{
		"none": "", "cut": welcome.Token[1:], "another": strings.Repeat("A", len(welcome.Token)), "not base64": "*" + welcome.Token[1:],
	} {
		_, err := w.Setup(w.ctx(), token, w.now)
		w.is(name, err, syncproto.CodeLinkSpent)
		w.is(name, w.Redeem(w.ctx(), Chosen{Token: token, Password: password}, w.now), syncproto.CodeLinkSpent)
	}
	w.pass(linkLasts - time.Millisecond)
	_, err = w.Setup(w.ctx(), welcome.Token, w.now)
	w.must(err)
	w.pass(time.Millisecond)
	_, err = w.Setup(w.ctx(), welcome.Token, w.now)
	w.is("after a day", err, syncproto.CodeLinkSpent)
}

func TestTheNewestLinkOfAPersonIsTheOnlyOne(t *testing.T) {
	w := newWorld(t)
	first, err := w.Invite(w.ctx(), by(boss), chief, "chief", w.now)
	w.must(err)
	second, err := w.Relink(w.ctx(), "chief", w.now)
	w.must(err)
	w.is("the first", w.follow(first.Token, password), syncproto.CodeLinkSpent)
	w.must(w.follow(second.Token, password))
	if _, err := w.Relink(w.ctx(), "nobody", w.now); !errors.Is(err, ErrNoAccount) {
		t.Errorf("for nobody: %v", err)
	}
}

func TestALinkStaysGoodUntilEverythingFits(t *testing.T) {
	w := newWorld(t)
	welcome, err := w.Invite(w.ctx(), by(boss), chief, "chief", w.now)
	w.must(err)
	setup, err := w.Setup(w.ctx(), welcome.Token, w.now)
	w.must(err)
	other, err := w.Invite(w.ctx(), by(boss), mate, "mate", w.now)
	w.must(err)
	theirs, err := w.Setup(w.ctx(), other.Token, w.now)
	w.must(err)
	good := func(sealed string) Chosen {
		return Chosen{Token: welcome.Token, Password: password, TOTP: "000000", Sealed: sealed}
	}
	w.is("a wrong code", w.Redeem(w.ctx(), good(setup.Sealed), w.now), syncproto.CodeSignInFailed)
	w.is("a secret of another link", w.Redeem(w.ctx(), good(theirs.Sealed), w.now), syncproto.CodeBadRequest)
	w.is("no secret", w.Redeem(w.ctx(), good(""), w.now), syncproto.CodeBadRequest)
	w.is("a weak password", w.follow(welcome.Token, "short"), syncproto.CodeWeakPassword)
	if w.store.accounts[chief].Password != "" {
		t.Error("a password was set")
	}
	w.must(w.follow(welcome.Token, password))
}

func TestANewPasswordEndsSessionsAndLocks(t *testing.T) {
	w := newWorld(t)
	w.hired(chief, "chief")
	cookie, _ := w.in("chief")
	for range freeFailures + 1 {
		_, _, _ = w.signIn("chief", "wrong", "000000")
	}
	old := w.secrets["chief"]
	welcome, err := w.Invite(w.ctx(), by(boss), chief, "chief", w.now)
	w.must(err)
	if got := w.resumed(cookie); got != "" {
		t.Errorf("a link alone ends a session: %q", got)
	}
	w.must(w.follow(welcome.Token, "noch ein pferd 10"))
	if got := w.resumed(cookie); got != syncproto.CodeNoToken {
		t.Errorf("the session before: %q", got)
	}
	_, _, err = w.signIn("chief", "noch ein pferd 10", w.code("chief"))
	w.must(err)
	w.pass(time.Minute)
	_, _, err = w.signIn("chief", "noch ein pferd 10", code(old, int64(w.now)/totpPeriod))
	w.is("the authenticator before", err, syncproto.CodeSignInFailed)
	_, _, err = w.signIn("chief", password, w.code("chief"))
	w.is("the password before", err, syncproto.CodeSignInFailed)
}

func TestLinksAreMadeForThoseWhoseGrantsOneMayGive(t *testing.T) {
	for name, c := range map[string]struct {
		by, of syncproto.AuthorID
		want   syncproto.Code
	}{
		"an administrator for a secretary":          {boss, chief, ""},
		"a secretary for a volunteer":               {chief, walker, ""},
		"a township for a secretary below":          {both, chief, ""},
		"a township for a volunteer below":          {both, walker, ""},
		"a secretary for a volunteer elsewhere":     {chief, far, syncproto.CodeForbidden},
		"a secretary for another one":               {chief, mate, syncproto.CodeForbidden},
		"a secretary for who is township elsewhere": {chief, both, syncproto.CodeForbidden},
		"a volunteer for a secretary":               {walker, chief, syncproto.CodeForbidden},
		"a secretary for an administrator":          {chief, boss, syncproto.CodeForbidden},
		"for nobody":                                {boss, author(99), syncproto.CodeForbidden},
		"for oneself":                               {boss, boss, syncproto.CodeOwnGrant},
	} {
		w := newWorld(t)
		welcome, err := w.Invite(w.ctx(), by(c.by), c.of, "somebody", w.now)
		w.is(name, err, c.want)
		if (welcome != nil) != (c.want == "") || (len(w.store.links) == 1) != (c.want == "") || (len(w.store.accounts) == 1) != (c.want == "") {
			t.Errorf("%s: %d links, %d accounts", name, len(w.store.links), len(w.store.accounts))
		}
	}
}

func TestALinkIsGoodWhileItsMakerMayMakeIt(t *testing.T) {
	for name, c := range map[string]struct {
		after func(*memory, syncproto.Instant)
		want  syncproto.Code
	}{
		"nothing has changed": {func(*memory, syncproto.Instant) {}, ""},
		"its maker has left":  {func(m *memory, now syncproto.Instant) { m.everyone.Grants[2].To = now }, syncproto.CodeLinkSpent},
		"its person has risen": {func(m *memory, now syncproto.Instant) {
			m.everyone.Grants = append(m.everyone.Grants, identity.Grant{Author: walker, Area: "town", Role: identity.County, From: now})
		}, syncproto.CodeLinkSpent},
	} {
		w := newWorld(t)
		welcome, err := w.Invite(w.ctx(), by(chief), walker, "walker", w.now)
		w.must(err)
		setup, err := w.Setup(w.ctx(), welcome.Token, w.now)
		w.must(err)
		secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(setup.Secret)
		w.must(err)
		c.after(w.store, w.now)
		w.refresh()
		_, err = w.Setup(w.ctx(), welcome.Token, w.now)
		w.is(name+": looked at", err, c.want)
		in := Chosen{Token: welcome.Token, Password: password, TOTP: code(secret, int64(w.now)/totpPeriod), Sealed: setup.Sealed}
		w.is(name+": used", w.Redeem(w.ctx(), in, w.now), c.want)
	}
	// Whoever sits at the server may make any.
	w := newWorld(t)
	w.hired(walker, "walker")
	welcome, err := w.Relink(w.ctx(), "walker", w.now)
	w.must(err)
	w.store.everyone.Grants = append(w.store.everyone.Grants, identity.Grant{Author: walker, Area: "town", Role: identity.County})
	w.refresh()
	_, err = w.Setup(w.ctx(), welcome.Token, w.now)
	w.is("made at the server", err, "")
}

func TestAGrantThatHasEndedNeitherHelpsNorHinders(t *testing.T) {
	w := newWorld(t)
	w.store.everyone.Grants = []identity.Grant{
		{Author: chief, Area: "c1", Role: identity.Secretary, To: w.now},
		{Author: mate, Area: "c1", Role: identity.Secretary},
		{Author: both, Area: "town", Role: identity.Township, To: w.now},
		{Author: both, Area: "g1", Role: identity.Volunteer, From: w.now + 1},
		{Author: walker, Area: "g1", Role: identity.Volunteer, To: w.now},
	}
	w.refresh()
	_, err := w.Invite(w.ctx(), by(chief), both, "both", w.now)
	w.is("whose own has ended", err, syncproto.CodeForbidden)
	_, err = w.Invite(w.ctx(), by(mate), walker, "walker", w.now)
	w.is("for whom nothing is left", err, syncproto.CodeForbidden)
	_, err = w.Invite(w.ctx(), by(mate), both, "both", w.now)
	w.is("for who begins later, and was more before", err, "")
}

func TestALoginBelongsToOnePersonAndStays(t *testing.T) {
	w := newWorld(t)
	w.hired(chief, "chief")
	links := len(w.store.links)
	for name, c := range map[string]struct {
		of    syncproto.AuthorID
		login string
	}{
		"somebody else's": {mate, "CHIEF"}, "another for the same": {chief, "chief2"}, "too short": {mate, "ab"},
		"Chinese": {mate, "王芳芳"}, "with a space": {mate, "wang fang"}, "none": {mate, ""}, "long": {mate, strings.Repeat("a", 65)},
		"for a link": {mate, "a#b?c"},
	} {
		_, err := w.Invite(w.ctx(), by(boss), c.of, c.login, w.now)
		w.is(name, err, syncproto.CodeBadRequest)
	}
	if len(w.store.links) != links || len(w.store.accounts) != 1 {
		t.Error("something of it was kept")
	}
}

func TestWeakPasswordsAreRefused(t *testing.T) {
	for _, weak := range []string{
		"", "kurz", "elf zeichen", "十一个字的密码不够长", "aaaaaaaaaaaa", "abababababababab", "abcdabcdabcdabcd", "123456789012", "Password1234",
		"ｐａｓｓｗｏｒｄ１２３４", "my name is CHIEF", "woaini1314520", "QWERTYUIOP12",
	} {
		if err := checkPassword(weak, "chief"); codeOf(err) != syncproto.CodeWeakPassword {
			t.Errorf("%q: %v", weak, err)
		}
	}
	for _, good := range []string{password, "十二个字的密码正好够长了吧", "aaaaabbbbbccccc", strings.Repeat("长", leastPassword-1) + "x"} {
		if err := checkPassword(good, "chief"); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	if err := checkPassword(strings.Repeat("0 1 2", 100), "chief"); codeOf(err) != syncproto.CodeBadRequest {
		t.Errorf("longer than anybody types: %v", err)
	}
}

func TestEveryCommonPasswordIsLongEnoughToMatterAndPlain(t *testing.T) {
	lines := slices.Collect(strings.Lines(commonPasswords))
	if len(lines) < 100 {
		t.Fatalf("only %d", len(lines))
	}
	for _, line := range lines {
		plain := strings.TrimSuffix(line, "\n")
		if len(plain) < leastPassword || plain != strings.ToLower(plainPassword(plain)) || !common(plain) {
			t.Errorf("%q can't be met", plain)
		}
	}
}

func TestAPasswordIsChangedByWhoKnowsTheOldOne(t *testing.T) {
	w := newWorld(t)
	w.hired(chief, "chief")
	here, who := w.in("chief")
	there, _ := w.in("chief")
	w.is("a wrong one", w.ChangePassword(w.ctx(), who, "wrong", "noch ein pferd 10", w.now), syncproto.CodeSignInFailed)
	w.is("a weak one", w.ChangePassword(w.ctx(), who, password, "chief chief chief", w.now), syncproto.CodeWeakPassword)
	if got := w.resumed(there); got != "" {
		t.Errorf("nothing was changed: %q", got)
	}
	w.must(w.ChangePassword(w.ctx(), who, password, "noch ein pferd 10", w.now))
	if a, b := w.resumed(here), w.resumed(there); a != "" || b != syncproto.CodeNoToken {
		t.Errorf("here %q, there %q", a, b)
	}
	_, _, err := w.signIn("chief", password, w.code("chief"))
	w.is("the old one", err, syncproto.CodeSignInFailed)
	_, _, err = w.signIn("chief", "noch ein pferd 10", w.code("chief"))
	w.must(err)
}

func TestAStolenSessionGuessesThePasswordNoFasterThanAStranger(t *testing.T) {
	w := newWorld(t)
	w.hired(chief, "chief")
	_, who := w.in("chief")
	for range freeFailures {
		w.is("a guess", w.ChangePassword(w.ctx(), who, "guess", "noch ein pferd 10", w.now), syncproto.CodeSignInFailed)
	}
	w.is("one too many", w.ChangePassword(w.ctx(), who, password, "noch ein pferd 10", w.now), syncproto.CodeLocked)
}

func TestAnInstallationBeginsWithOneAdministrator(t *testing.T) {
	w := newWorld(t)
	w.store.everyone = identity.Everyone{}
	w.refresh()
	for name, c := range map[string]struct {
		first First
		want  error
	}{
		"no name":      {First{Login: "first"}, ErrNoName},
		"no such area": {First{Login: "first", Name: "管", Areas: []syncproto.AreaID{"town", "nowhere"}}, ErrUnknownArea},
		"no login":     {First{Name: "管"}, &syncproto.Error{Code: syncproto.CodeBadRequest}},
	} {
		if _, err := w.Begin(w.ctx(), c.first, w.now); !errors.Is(err, c.want) || len(w.store.everyone.Grants) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	first := First{Name: "管", Login: "first"}
	welcome, err := w.Begin(w.ctx(), first, w.now)
	w.must(err)
	grants := w.store.everyone.Grants
	if len(grants) != 1 || grants[0].Area != "town" || grants[0].Role != identity.Administrator || grants[0].To != 0 || !grants[0].At(w.now) {
		t.Fatalf("%+v", grants)
	}
	w.refresh()
	w.must(w.follow(welcome.Token, password))
	w.in("first")
	first.Login = "second"
	if _, err := w.Begin(w.ctx(), first, w.now); !errors.Is(err, ErrHasAdministrator) || len(w.store.everyone.Authors) != 1 {
		t.Errorf("a second one: %v", err)
	}
	first.Again, first.Areas = true, []syncproto.AreaID{"c1", "c2"}
	if _, err := w.Begin(w.ctx(), first, w.now); err != nil || len(w.store.everyone.Grants) != 3 {
		t.Errorf("a second one on purpose: %v", err)
	}
	first.Login = "FIRST"
	if _, err := w.Begin(w.ctx(), first, w.now); codeOf(err) != syncproto.CodeBadRequest || len(w.store.everyone.Authors) != 2 {
		t.Errorf("with the first one's login: %v, %d people", err, len(w.store.everyone.Authors))
	}
}

// The real work on a password, once: what is made is found again and says what it cost.
func TestPasswordsAreKeptAsArgon2id(t *testing.T) {
	h := newHashing(1)
	hash, err := h.make(password)
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatal(hash, err)
	}
	for _, c := range []struct {
		password, hash string
		want           bool
	}{{password, hash, true}, {password + " ", hash, false}, {password, "", false}, {"", "", false}} {
		if same, err := h.matches(c.password, c.hash); err != nil || same != c.want {
			t.Errorf("%q: %v %v", c.password, same, err)
		}
	}
}

func BenchmarkPassword(b *testing.B) {
	h := newHashing(1)
	for b.Loop() {
		if _, err := h.matches(password, ""); err != nil {
			b.Fatal(err)
		}
	}
}
