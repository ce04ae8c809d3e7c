package console

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

func TestWhoSignsInIsKnownByTheCookieAlone(t *testing.T) {
	w := newWorld(t)
	w.hired(chief, "chief")
	cookie, who, err := w.signIn(" Chief ", password, w.code("chief"))
	w.must(err)
	got, err := w.Resume(w.ctx(), cookie, w.now)
	w.must(err)
	if got.Session != who.Session || len(got.Authors) != 1 || got.Authors[0] != chief || !got.Device.ID.IsZero() {
		t.Errorf("resumed as %+v", got)
	}
	for name, wrong := range map[string]string{
		"none": "", "not base64": "!" + cookie[1:], "too short": cookie[:20], "the digest that is stored": hex.EncodeToString(who.Session[:]),
		"another": strings.Repeat("A", len(cookie)),
	} {
		if got := w.resumed(wrong); got != syncproto.CodeNoToken {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestWhateverIsWrongTheAnswerIsTheSame(t *testing.T) {
	w := newWorld(t)
	w.hired(chief, "chief")
	w.must(w.store.Console(w.ctx(), func(tx Tx) error { return open(tx, mate, "unready", w.now) })) // has a link, and no password yet
	checked := 0
	check := w.hashing.check
	w.hashing.check = func(password, hash string) (bool, error) { checked++; return check(password, hash) }
	for name, in := range map[string]Credentials{
		"no such login":       {Login: "nobody", Password: password, TOTP: w.code("chief")},
		"no login":            {Login: "", Password: password, TOTP: w.code("chief")},
		"a wrong password":    {Login: "chief", Password: password + "x", TOTP: w.code("chief")},
		"a wrong code":        {Login: "chief", Password: password, TOTP: "000000"},
		"a code of no length": {Login: "chief", Password: password, TOTP: "1"},
		"all wrong":           {Login: "nobody", Password: "x", TOTP: "000000"},
		"no password yet":     {Login: "unready", TOTP: code(make([]byte, totpSecret), int64(w.now)/totpPeriod)},
	} {
		before, noted := checked, len(w.store.noted)
		_, err := w.SignIn(w.ctx(), in, "browser", w.now)
		var said *syncproto.Error
		if !errors.As(err, &said) || *said != (syncproto.Error{Code: syncproto.CodeSignInFailed}) {
			t.Errorf("%s: %v", name, err)
		}
		if checked != before+1 || len(w.store.noted) != noted+1 {
			t.Errorf("%s: %d passwords worked on, %d lines noted", name, checked-before, len(w.store.noted)-noted)
		}
	}
	if len(w.store.sessions) != 0 {
		t.Error("somebody is signed in")
	}
	before := checked
	_, _, err := w.signIn("chief", "any", "")
	w.is("without a code", err, syncproto.CodeTOTPNeeded)
	_, _, err = w.signIn("nobody", "any", "")
	w.is("nobody, without a code", err, syncproto.CodeTOTPNeeded)
	if checked != before {
		t.Error("without a code a password is looked at")
	}
}

func TestACodeLetsInOnce(t *testing.T) {
	w := newWorld(t)
	w.hired(chief, "chief")
	code := w.code("chief")
	_, _, err := w.signIn("chief", password, code)
	w.must(err)
	_, _, err = w.signIn("chief", password, code)
	w.is("the code again", err, syncproto.CodeSignInFailed)
	w.pass(totpPeriod * time.Millisecond)
	_, _, err = w.signIn("chief", password, code)
	w.is("the code again within its time", err, syncproto.CodeSignInFailed)
	w.in("chief")
}

func TestOfTwoWhoComeWithOneCodeOneGetsIn(t *testing.T) {
	w := newWorld(t)
	w.hired(chief, "chief")
	w.hashing.slots = make(chan struct{}, 2)
	code := w.code("chief")
	check, entered := w.hashing.check, false
	w.hashing.check = func(password, hash string) (bool, error) {
		if !entered {
			entered = true
			_, _, err := w.signIn("chief", password, code) // while the first is still looked at
			w.must(err)
		}
		return check(password, hash)
	}
	_, _, err := w.signIn("chief", password, code)
	w.is("the one who began first", err, syncproto.CodeSignInFailed)
	if len(w.store.sessions) != 1 {
		t.Errorf("%d sessions", len(w.store.sessions))
	}
}

func TestAPasswordThatWasReplacedMeanwhileLetsNobodyIn(t *testing.T) {
	w := newWorld(t)
	w.hired(chief, "chief")
	check := w.hashing.check
	w.hashing.check = func(password, hash string) (bool, error) {
		account := w.store.accounts[chief]
		account.Password = "hash of another"
		w.store.accounts[chief] = account
		return check(password, hash)
	}
	_, _, err := w.signIn("chief", password, w.code("chief"))
	w.is("with the password before", err, syncproto.CodeSignInFailed)
	if len(w.store.sessions) != 0 {
		t.Error("somebody is signed in")
	}
}

func TestEachFailureAfterTheFifthDoublesTheWait(t *testing.T) {
	for _, login := range []string{"chief", "nobody"} {
		w := newWorld(t)
		w.hired(chief, "chief")
		fail := func() error { _, _, err := w.signIn(login, "wrong", "000000"); return err }
		for range freeFailures - 1 {
			w.is(login+": a first failure", fail(), syncproto.CodeSignInFailed)
		}
		for i, minutes := range []int{1, 2, 4, 8, 16, 32, 60, 60, 60} {
			lock := time.Duration(minutes) * time.Minute
			w.is(login+": one more failure", fail(), syncproto.CodeSignInFailed)
			err := fail()
			w.is(login+": while locked", err, syncproto.CodeLocked)
			var locked interface{ RetryAfter() time.Duration }
			if !errors.As(err, &locked) || locked.RetryAfter() != lock {
				t.Fatalf("%s, lock %d: %v, not %d minutes", login, i, err, minutes)
			}
			w.pass(lock - time.Millisecond)
			w.is(login+": a moment too early", fail(), syncproto.CodeLocked)
			w.pass(time.Millisecond)
		}
	}
}

func TestWhileLockedTheRightPasswordDoesNotHelpAndAfterwardsItForgetsTheFailures(t *testing.T) {
	w := newWorld(t)
	w.hired(chief, "chief")
	for range freeFailures {
		_, _, err := w.signIn("chief", "wrong", "000000")
		w.is("failure", err, syncproto.CodeSignInFailed)
	}
	_, _, err := w.signIn("chief", password, w.code("chief"))
	w.is("the right one", err, syncproto.CodeLocked)
	w.pass(time.Minute)
	w.in("chief")
	for range freeFailures {
		_, _, err := w.signIn("chief", "wrong", "000000")
		w.is("failures count from the first again", err, syncproto.CodeSignInFailed)
	}
}

// from makes an attempt from a browser with a mark.
func (w *world) from(mark, login, password, code string) (*Entry, error) {
	return w.SignIn(w.ctx(), Credentials{Login: login, Password: password, TOTP: code, Mark: mark}, "browser", w.now)
}

func TestNoStrangerKeepsAPersonFromTheirOwnDesk(t *testing.T) {
	w := newWorld(t)
	w.hired(chief, "chief")
	w.hired(mate, "mate")
	first, err := w.from("", "chief", password, w.code("chief"))
	w.must(err)
	mates, err := w.from("", "mate", password, w.code("mate"))
	w.must(err)
	fail := func(mark string) error { _, err := w.from(mark, "chief", "wrong", "000000"); return err }
	for range freeFailures + 7 { // until the lock is an hour long
		w.is("a stranger", fail(""), syncproto.CodeSignInFailed)
		w.now = max(w.now, w.store.accounts[chief].Locked)
	}
	w.is("a stranger, for the hour", fail(""), syncproto.CodeSignInFailed)
	for name, mark := range map[string]string{"none": "", "somebody else's": mates.Mark, "made up": "AAAA", "altered": first.Mark[:len(first.Mark)-2] + "AA"} {
		_, err := w.from(mark, "chief", password, w.code("chief"))
		w.is("with a mark that is "+name, err, syncproto.CodeLocked)
	}
	second, err := w.from(first.Mark, "chief", password, w.code("chief"))
	w.must(err)
	w.is("a stranger, after the person came in", fail(""), syncproto.CodeLocked)

	for range freeFailures {
		w.is("a thief of a mark", fail(second.Mark), syncproto.CodeSignInFailed)
	}
	w.is("a thief of a mark, once more", fail(second.Mark), syncproto.CodeLocked)
	_, err = w.from(second.Mark, "chief", password, w.code("chief"))
	w.is("the person whose mark was stolen", err, syncproto.CodeLocked)
	w.pass(longestDelay)
	third, err := w.from(second.Mark, "chief", password, w.code("chief"))
	w.must(err)
	for range freeFailures - 1 {
		w.is("failures count from the first again", fail(third.Mark), syncproto.CodeSignInFailed)
	}
	w.pass(knownLasts)
	for range freeFailures {
		w.is("a stranger", fail(""), syncproto.CodeSignInFailed)
		w.pass(longestDelay)
	}
	w.is("a stranger", fail(""), syncproto.CodeSignInFailed)
	_, err = w.from(third.Mark, "chief", password, w.code("chief"))
	w.is("a mark of long ago", err, syncproto.CodeLocked)
}

func TestAClockThatRanAheadLocksNobodyOutForAYear(t *testing.T) {
	w := newWorld(t)
	w.hired(chief, "chief")
	right := w.now
	w.pass(365 * 24 * time.Hour)
	for range 12 {
		_, _, err := w.signIn("chief", "wrong wrong wrong", "000000")
		if codeOf(err) == syncproto.CodeLocked {
			w.pass(2 * time.Hour)
		}
	}
	w.now = right + 90_000
	w.in("chief")
}

func TestAMarkIsWrittenInOneWay(t *testing.T) {
	w := newWorld(t)
	mark, err := w.mark(chief, w.now)
	w.must(err)
	if !w.marked(mark, chief, w.now) || w.marked(mark, mate, w.now) {
		t.Error("a mark isn't its person's alone")
	}
	others := []string{mark + "\n", mark + "\r", "\n" + mark}
	for c := range byte(128) {
		if c != mark[len(mark)-1] {
			others = append(others, mark[:len(mark)-1]+string(rune(c)))
		}
	}
	for _, other := range others {
		if w.marked(other, chief, w.now) {
			t.Errorf("%q is taken for another browser's", other)
		}
	}
}

func TestWhatIsRememberedOfStrangersIsBounded(t *testing.T) {
	tx := memoryTx{&memory{tried: make(map[Try]Attempts)}}
	for i := range 3 * mostTries {
		for range 1 + i%7 { // some of them are locked
			if _, err := tryAgain(tx, Try(i), start); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(tx.m.tried) > mostTries {
		t.Errorf("%d are remembered", len(tx.m.tried))
	}
}

func TestEveryServerHoldsUpWhoWasHeldUpByOne(t *testing.T) {
	w := newWorld(t)
	w.hired(chief, "chief")
	entry, err := w.from("", "chief", password, w.code("chief"))
	w.must(err)
	other := w.another()
	for name, try := range map[string]func(*world) error{
		"a login that nobody has": func(w *world) error { _, _, err := w.signIn("nobody", "guess", "000000"); return err },
		"somebody's login":        func(w *world) error { _, _, err := w.signIn("chief", "guess", "000000"); return err },
		"a browser that is known": func(w *world) error { _, err := w.from(entry.Mark, "chief", "guess", "000000"); return err },
	} {
		for range freeFailures {
			w.is(name, try(w), syncproto.CodeSignInFailed)
		}
		w.is(name+", at another server", try(other), syncproto.CodeLocked)
	}
}

func TestACodeIsGoodOnceOnAllServers(t *testing.T) {
	w := newWorld(t)
	w.hired(chief, "chief")
	code := w.code("chief")
	_, err := w.from("", "chief", password, code)
	w.must(err)
	_, err = w.another().from("", "chief", password, code)
	w.is("the same code at another server", err, syncproto.CodeSignInFailed)
}

func TestAThousandGuessesAtOnceAreFive(t *testing.T) {
	w := newWorld(t)
	w.hired(chief, "chief")
	w.hashing = newHashing(4)
	var looked atomic.Int32
	w.hashing.check = func(string, string) (bool, error) { looked.Add(1); return false, nil }
	var all sync.WaitGroup
	for range 1000 {
		all.Go(func() { _, _, _ = w.signIn("chief", "guess", "000000") })
	}
	all.Wait()
	if n := looked.Load(); n > freeFailures {
		t.Errorf("%d guesses were looked at", n)
	}
}

func TestOneHundredWhoSignInTakeTurns(t *testing.T) {
	const slots = 3
	w := newWorld(t)
	w.hashing = newHashing(slots)
	w.hashing.line = make(chan struct{}, 100)
	var now, most atomic.Int32
	gate := make(chan struct{})
	w.hashing.check = func(string, string) (bool, error) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		<-gate
		now.Add(-1)
		return false, nil
	}
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			_, _, err := w.signIn("nobody"+strings.Repeat("x", i), "p", "000000")
			w.is("in turn", err, syncproto.CodeSignInFailed)
		})
	}
	for len(w.hashing.line) < 100 { // all are in the line
		runtime.Gosched()
	}
	_, _, err := w.signIn("late", "p", "000000")
	w.is("one too many", err, syncproto.CodeBusy)
	close(gate)
	all.Wait()
	if most.Load() != slots {
		t.Errorf("%d passwords were worked on at a time", most.Load())
	}
	if len(w.hashing.slots) != 0 || len(w.hashing.line) != 0 {
		t.Error("not all places were given back")
	}
}

func TestASessionEndsWithTheDayAndWhenItLiesUnused(t *testing.T) {
	w := newWorld(t)
	w.hired(chief, "chief")
	cookie, _ := w.in("chief")
	w.pass(idle - time.Millisecond)
	if got := w.resumed(cookie); got != "" {
		t.Errorf("a moment before: %q", got)
	}
	w.pass(idle - time.Millisecond)
	if got := w.resumed(cookie); got != "" {
		t.Errorf("used within the hour: %q", got)
	}
	w.pass(idle)
	if got := w.resumed(cookie); got != syncproto.CodeTokenExpired {
		t.Errorf("unused for an hour: %q", got)
	}
	if got := w.resumed(cookie); got != syncproto.CodeNoToken || len(w.store.sessions) != 0 {
		t.Errorf("asked again: %q, %d sessions are left", got, len(w.store.sessions))
	}
	cookie, _ = w.in("chief")
	end := after(w.now, longest)
	for ; w.now < end; w.pass(idle / 2) {
		if got := w.resumed(cookie); got != "" {
			t.Fatalf("in use, %d ms before its end: %q", end-w.now, got)
		}
	}
	if got := w.resumed(cookie); got != syncproto.CodeTokenExpired {
		t.Errorf("after twelve hours in use: %q", got)
	}
}

func TestUseIsWrittenDownOnceAMinute(t *testing.T) {
	w := newWorld(t)
	w.hired(chief, "chief")
	cookie, who := w.in("chief")
	made := w.now
	w.pass(seenEvery - time.Millisecond)
	w.resumed(cookie)
	if got := w.store.sessions[who.Session].Seen; got != made {
		t.Errorf("written after %d ms", got-made)
	}
	w.pass(time.Millisecond)
	w.resumed(cookie)
	if got := w.store.sessions[who.Session].Seen; got != w.now {
		t.Errorf("not written after a minute: %d ms", got-made)
	}
}

func TestSigningOutEverywhereEndsTheOtherDesk(t *testing.T) {
	w := newWorld(t)
	w.hired(chief, "chief")
	w.hired(mate, "mate")
	one, who := w.in("chief")
	two, _ := w.in("chief")
	other, _ := w.in("mate")
	list, err := w.Sessions(w.ctx(), who, w.now)
	w.must(err)
	if len(list) != 2 || list[0].Current || !list[1].Current || list[0].Agent != "browser" {
		t.Fatalf("%+v", list)
	}
	w.must(w.SignOutEverywhere(w.ctx(), chief, w.now))
	for name, cookie := range map[string]string{"this desk": one, "the other desk": two} {
		if got := w.resumed(cookie); got != syncproto.CodeNoToken {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := w.resumed(other); got != "" {
		t.Errorf("somebody else: %q", got)
	}
}

func TestOneEndsOnesOwnSessionsAndNobodyElses(t *testing.T) {
	w := newWorld(t)
	w.hired(chief, "chief")
	w.hired(mate, "mate")
	one, who := w.in("chief")
	two, away := w.in("chief")
	other, theirs := w.in("mate")
	for name, id := range map[string]string{
		"somebody else's": hex.EncodeToString(theirs.Session[:]), "none": strings.Repeat("0", 64), "no name": "x", "a short name": "00",
	} {
		w.is(name, w.SignOut(w.ctx(), who, id, w.now), syncproto.CodeNotFound)
	}
	w.must(w.SignOut(w.ctx(), who, hex.EncodeToString(away.Session[:]), w.now))
	if a, b, c := w.resumed(one), w.resumed(two), w.resumed(other); a != "" || b != syncproto.CodeNoToken || c != "" {
		t.Errorf("%q %q %q", a, b, c)
	}
	w.must(w.SignOut(w.ctx(), who, "", w.now))
	if got := w.resumed(one); got != syncproto.CodeNoToken {
		t.Errorf("after signing out: %q", got)
	}
}

func TestWithTheLastGrantTheSessionEnds(t *testing.T) {
	w := newWorld(t)
	w.hired(walker, "walker")
	cookie, _ := w.in("walker")
	w.store.everyone.Grants[len(w.store.everyone.Grants)-1].To = w.now
	w.refresh()
	if got := w.resumed(cookie); got != syncproto.CodeTokenExpired || len(w.store.sessions) != 0 {
		t.Errorf("%q, %d sessions", got, len(w.store.sessions))
	}
	_, _, err := w.signIn("walker", password, w.code("walker"))
	w.is("signing in again", err, syncproto.CodeSignInFailed)
}

func TestNobodyGetsACookieThatWasNotNoted(t *testing.T) {
	w := newWorld(t)
	w.hired(chief, "chief")
	w.store.failNote = errors.New("disk full")
	cookie, _, err := w.signIn("chief", password, w.code("chief"))
	if err == nil {
		t.Errorf("let in with %q", cookie)
	}
}

func TestNothingThatLetsSomebodyInIsKeptOrNoted(t *testing.T) {
	w := newWorld(t)
	w.hired(chief, "chief")
	cookie, who := w.in("chief")
	_, _, _ = w.signIn("typed-by-a-stranger", "typed-password", "123456")
	raw := w.secrets["chief"]
	for id := range w.store.sessions {
		raw, err := base64.RawURLEncoding.DecodeString(cookie)
		if err != nil || id != who.Session || id != identity.Session(sha256.Sum256(raw)) {
			t.Errorf("session %x, %v", id, err)
		}
	}
	noted := strings.Join(w.store.noted, "\n")
	for name, secret := range map[string]string{"cookie": cookie, "password": password, "a stranger's login": "stranger", "a guess": "typed-password"} {
		if strings.Contains(noted, secret) {
			t.Errorf("the audit log holds the %s: %s", name, noted)
		}
	}
	if strings.Contains(string(w.store.accounts[chief].TOTP), string(raw)) {
		t.Error("the authenticator's secret is stored as it is")
	}
	if !strings.Contains(noted, "signed_in 2") || !strings.Contains(noted, "sign_in_failed 0") || !strings.Contains(noted, "set_password 2 "+chief.String()) {
		t.Errorf("noted: %s", noted)
	}
}
