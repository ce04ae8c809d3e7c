package clientsdk_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

// reaction is what a phone does when a request was turned away.
type reaction string

const (
	// goesOn: in the same call, after a wait, with new tokens or with less at once.
	goesOn reaction = "goes on"
	// later: the call ends and says so; Run tries again.
	later reaction = "later"
	// tells: the call ends and says so, and so does Run: a person has to do something.
	tells reaction = "tells"
)

// reactions are those to every code with which a request can be turned away: what a phone
// does if it is its changes that are, and if it is its renewal of tokens.
var reactions = map[syncproto.Code][2]reaction{
	syncproto.CodeBadToken:        {goesOn, tells},
	syncproto.CodeTokenExpired:    {goesOn, tells},
	syncproto.CodeRefreshReused:   {tells, goesOn},
	syncproto.CodeBusy:            {goesOn, goesOn},
	syncproto.CodeLocked:          {goesOn, goesOn},
	syncproto.CodeTooFast:         {goesOn, goesOn},
	syncproto.CodeInternal:        {goesOn, goesOn},
	syncproto.CodeBodyTooLarge:    {goesOn, later},
	syncproto.CodeTooManyChanges:  {goesOn, later},
	syncproto.CodeEnrolmentWaits:  {later, later},
	"of_a_newer_server":           {later, later},
	syncproto.CodeMalformed:       {tells, tells},
	syncproto.CodeBadRequest:      {tells, tells},
	syncproto.CodeBadEncoding:     {tells, tells},
	syncproto.CodeUnknownProtocol: {tells, tells},
	syncproto.CodeNoToken:         {tells, tells},
	syncproto.CodeDeviceRevoked:   {tells, tells},
	syncproto.CodeForbidden:       {tells, tells},
	syncproto.CodeNotFound:        {tells, tells},
	syncproto.CodeMethod:          {tells, tells},
	syncproto.CodeMovedOn:         {tells, tells},
	syncproto.CodePurged:          {tells, tells},
	syncproto.CodeBadFile:         {tells, tells},
	syncproto.CodeBadForm:         {tells, tells},
	syncproto.CodeBadSetting:      {tells, tells},
	syncproto.CodeCursorForeign:   {tells, tells},
	syncproto.CodeCursorInvalid:   {tells, tells},

	syncproto.CodeFormIncompatible:  {tells, tells},
	syncproto.CodeUndertakingNeeded: {tells, tells},
	syncproto.CodeEnrolmentRefused:  {tells, tells},
	syncproto.CodeInviteUnknown:     {tells, tells},
	syncproto.CodeInviteSpent:       {tells, tells},
	syncproto.CodeInviteExpired:     {tells, tells},
	syncproto.CodeBadSignature:      {tells, tells},
	syncproto.CodeSignInFailed:      {tells, tells},
	syncproto.CodeTOTPNeeded:        {tells, tells},
	syncproto.CodeWeakPassword:      {tells, tells},
	syncproto.CodeLinkSpent:         {tells, tells},
	syncproto.CodeCrossSite:         {tells, tells},
	syncproto.CodeOwnGrant:          {tells, tells},
}

// turnsAway reports whether requests are turned away with a code.
func turnsAway(code syncproto.Code) bool {
	return code == syncproto.CodeInternal || (&syncproto.Error{Code: code}).Status() != http.StatusInternalServerError
}

// statusOf is the status of a code, that of a newer server's included.
func statusOf(code syncproto.Code) int {
	if code == "of_a_newer_server" {
		return http.StatusForbidden
	}
	return (&syncproto.Error{Code: code}).Status()
}

func TestWhateverARequestIsTurnedAwayWithNothingIsDroppedAndThePhoneDoesWhatItCan(t *testing.T) {
	for _, code := range syncproto.Codes() {
		if _, ok := reactions[code]; ok != turnsAway(code) {
			t.Errorf("what a phone does about %s: said %v", code, ok)
		}
	}
	for code, does := range reactions {
		for i, what := range []string{"changes", "renewal"} {
			t.Run(fmt.Sprint(code, "/", what), func(t *testing.T) { turnedAway(t, code, i == 1, does[i]) })
		}
	}
}

// turnedAway turns away a phone's changes, or its renewal, while it syncs, delivers and runs.
func turnedAway(t *testing.T, code syncproto.Code, renewing bool, does reaction) {
	f := newFake(t)
	p, keys := enrolledPhone(t, f, 1)
	for round, call := range []func() error{
		func() error { return second(p.Sync(background)) },
		func() error { return second(p.Deliver(background)) },
		func() error { return p.run(2) },
	} {
		p.household(t, fmt.Sprint("幸福路 ", round))
		p.household(t, fmt.Sprint("解放路 ", round))
		if renewing {
			f.pass(p, time.Hour)
		}
		f.fail(say(statusOf(code), code))
		err := call()
		want := does
		if round == 2 && does == later {
			want = goesOn
		}
		equal(t, fmt.Sprint("call ", round, " ends"), err != nil, want != goesOn)
		if err != nil && !errors.Is(err, &syncproto.Error{Code: code}) {
			t.Errorf("it tells something else: %v", err)
		}
		st := p.status(t)
		equal(t, "on the phone or at the server", st.Unsent+st.Delivered, 2*round+2)
		equal(t, "went away", len(must(p.Log(background))), 2*round+2)
		equal(t, "closed", st.Closed || keys.gone, false)
		p.sync(t)
		equal(t, "delivered in the end", p.status(t).Delivered, 2*round+2)
	}
	f.holdsExactly(t, p)
}

// run runs a phone for some rounds, unless it ends by itself.
func (p *phone) run(rounds int) error {
	ctx, stop := context.WithCancel(background)
	defer stop()
	err := p.Run(ctx, time.Minute, func(clientsdk.Report, error) {
		if rounds--; rounds == 0 {
			stop()
		}
	})
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func TestAServerThatAsksForAWhileIsAskedNoSooner(t *testing.T) {
	for _, code := range []syncproto.Code{syncproto.CodeTooFast, syncproto.CodeLocked, syncproto.CodeBusy} {
		for _, renewing := range []bool{false, true} {
			f := newFake(t)
			p, _ := enrolledPhone(t, f, 1)
			p.household(t, "幸福路")
			if renewing {
				f.pass(p, time.Hour)
			}
			f.fail(say(429, code, "Retry-After", "7"), say(429, code, "Retry-After", "300"))
			var busy *clientsdk.BusyError
			if _, err := p.Sync(background); !errors.As(err, &busy) || busy.After != 300*time.Second {
				t.Errorf("%s: %v", code, err)
			}
			if len(p.waits) != 1 || p.waits[0] < 7*time.Second {
				t.Errorf("%s: waited %v", code, p.waits)
			}
			f.fail(say(429, code, "Retry-After", "300"))
			p.waits = nil
			equal(t, "runs on", p.run(2), nil)
			if p.waits[0] < 300*time.Second {
				t.Errorf("%s: the next round came after %v", code, p.waits[0])
			}
			equal(t, "delivered", p.status(t).Delivered, 1)
		}
	}
}

func TestWhatACafesLoginPageSaysEndsNothing(t *testing.T) {
	for _, status := range []int{302, 400, 401, 403, 404, 408, 411, 418, 451, 502} {
		f := newFake(t)
		p, _ := enrolledPhone(t, f, 1)
		p.household(t, "幸福路")
		page := func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte("<html>请登录</html>"))
		}
		f.fail(page, page)
		equal(t, fmt.Sprint(status, " ends Run"), p.run(4), nil)
		equal(t, "delivered", p.status(t).Delivered, 1)
	}
}

func TestALockedPhoneThatIsTurnedAwayDeliversWhenItMay(t *testing.T) {
	f := newFake(t)
	p, _ := sealedPhone(t, f, 1)
	for i, code := range []syncproto.Code{syncproto.CodeTokenExpired, syncproto.CodeBadToken, syncproto.CodeTooFast, syncproto.CodeRefreshReused} {
		equal(t, "opens", p.Unlock(background, pin), nil)
		p.household(t, fmt.Sprint("幸福路 ", i))
		p.Lock()
		if code == syncproto.CodeRefreshReused {
			f.pass(p, time.Hour)
		}
		f.fail(say(statusOf(code), code, "Retry-After", "1"))
		p.deliver(t)
		equal(t, "delivered", p.status(t).Delivered, i+1)
	}
}
