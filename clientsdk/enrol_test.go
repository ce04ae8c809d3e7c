package clientsdk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

// newcomer are the options of a phone that knows nothing yet.
func newcomer(f *fake, keys clientsdk.Keystore) clientsdk.Options {
	return clientsdk.Options{
		Server: f.url, Keys: keys, Transport: &http.Transport{DisableKeepAlives: true},
		Now: func() time.Time { return time.UnixMilli(int64(start)) },
	}
}

var mei = clientsdk.Enrolment{Code: "CODE1", Name: "陈梅", Undertaking: 1}

func TestAnInvitationSaysWhatItIsForBeforeItIsRedeemed(t *testing.T) {
	f := newFake(t)
	o := f.openOffice(t)
	o.codes["CODE1"] = author(2)
	invited, err := clientsdk.Look(background, newcomer(f, nil), "CODE1")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "area", invited.AreaName, "网格一")
	equal(t, "undertaking", invited.Undertaking.Text.ZH, "仅用于本项工作")
	equal(t, "nobody has come", o.enrolled, 0)
	if _, err := clientsdk.Look(background, newcomer(f, nil), "CODE2"); !errors.Is(err, &syncproto.Error{Code: syncproto.CodeInviteUnknown}) {
		t.Errorf("an unknown code: %v", err)
	}
	if _, err := clientsdk.Enrol(background, newcomer(f, nil), mei); !errors.Is(err, clientsdk.ErrNoKeys) {
		t.Errorf("without a keystore: %v", err)
	}
}

func TestAPhoneThatIsCutOffAnywhereWhileEnrollingComesInOnce(t *testing.T) {
	for name, cut := range map[string]struct {
		dies   int // before this Save
		faults []fault
	}{
		"before the attempt is kept": {dies: 1},
		"before it is sent":          {faults: []fault{loseRequest}},
		"before the answer comes":    {faults: []fault{loseAnswer, loseAnswer}},
		"in the answer":              {faults: []fault{cutAnswer}},
		"before the answer is kept":  {dies: 2},
		"by a busy server":           {faults: []fault{say(503, syncproto.CodeBusy)}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			o := f.openOffice(t)
			o.codes["CODE1"] = author(2)
			keys := &safe{dies: cut.dies}
			f.fail(cut.faults...)
			_, err := clientsdk.Enrol(background, newcomer(f, keys), mei)
			for err != nil && !errors.Is(err, killed{}) && len(f.faults) > 0 {
				_, err = clientsdk.Enrol(background, newcomer(f, keys), mei)
			}
			if err == nil {
				t.Fatal("nothing was cut off")
			}
			who, err := clientsdk.Enrol(background, newcomer(f, keys), mei)
			equal(t, "comes in", err, nil)
			equal(t, "as", who, author(2))
			equal(t, "devices", o.enrolled, 1)
			c, err := clientsdk.Open(background, t.TempDir()+"/phone.db", newcomer(f, keys))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, err = c.Sync(background)
			equal(t, "syncs", err, nil)
			equal(t, "as itself", c.Me(), author(2))
		})
	}
}

func TestACodeThatWasRedeemedIsNotShownAgain(t *testing.T) {
	f := newFake(t)
	p, keys := enrolledPhone(t, f, 1)
	f.pass(p, time.Hour)
	p.sync(t) // the refresh token of the enrolment is used
	f.pass(p, time.Hour)
	p.sync(t)
	f.fail(loseRequest)
	again := clientsdk.Enrolment{Code: "CODE1", Name: "陈梅", Undertaking: 1}
	who, err := clientsdk.Enrol(background, newcomer(f, keys), again)
	equal(t, "again", err, nil)
	equal(t, "as", who, author(2))
	equal(t, "the server wasn't asked", len(f.faults), 1)
	f.pass(p, time.Hour)
	p.reopen(t)
	p.sync(t)
	equal(t, "stolen", f.office.stolen[p.Device()], false)
}

func TestAnotherInvitationIsForTheSameDeviceAndKey(t *testing.T) {
	f := newFake(t)
	p, keys := enrolledPhone(t, f, 1)
	f.office.codes["NEXT"] = author(2)
	_, err := clientsdk.Enrol(background, newcomer(f, keys), clientsdk.Enrolment{Code: "NEXT", Name: "陈梅", Undertaking: 1})
	equal(t, "comes in", err, nil)
	equal(t, "devices", f.office.enrolled, 1)
	p.reopen(t)
	p.sync(t)
	elsewhere := newcomer(newFake(t), keys)
	if _, err := clientsdk.Enrol(background, elsewhere, mei); !errors.Is(err, clientsdk.ErrOtherServer) {
		t.Errorf("at another server: %v", err)
	}
}

func TestTokensAreRenewedBeforeTheyEndByTheServersClock(t *testing.T) {
	f := newFake(t)
	p, keys := enrolledPhone(t, f, 1)
	p.now = p.now.AddDate(-3, 0, 0) // a clock that nobody has set
	saves := keys.saved
	p.sync(t)
	f.pass(p, 12*time.Minute)
	p.sync(t)
	equal(t, "twelve minutes on it is still good", keys.saved, saves)
	p.now = time.UnixMilli(int64(f.now))
	f.pass(p, 90*time.Second)
	p.sync(t)
	equal(t, "less than two minutes before its end", keys.saved, saves+1)
	f.pass(p, 10*time.Minute)
	p.now = p.now.Add(-5 * time.Minute) // the phone thinks that it is young
	f.pass(p, 5*time.Minute)
	p.household(t, "幸福路")
	p.sync(t)
	equal(t, "the server has said that it ended", keys.saved, saves+2)
	equal(t, "delivered", p.status(t).Delivered, 1)
}

func TestAPhoneThatIsCutOffAnywhereWhileRenewingGetsInAgain(t *testing.T) {
	for name, cut := range map[string]struct {
		dies   int
		faults []fault
	}{
		"before it is sent":       {faults: []fault{loseRequest}},
		"before the answer comes": {faults: []fault{loseAnswer}},
		"in the answer":           {faults: []fault{cutAnswer}},
		"before it is kept":       {dies: 1},
		"by a busy server":        {faults: []fault{say(503, syncproto.CodeBusy)}},
		"by one that says so":     {faults: []fault{say(429, syncproto.CodeTooFast, "Retry-After", "3")}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			p, keys := enrolledPhone(t, f, 1)
			for round := range 3 {
				p.household(t, fmt.Sprint("幸福路 ", round))
				f.pass(p, time.Hour)
				p.opt.Attempts = 1
				p.reopen(t)
				f.fail(cut.faults...)
				keys.dies = cut.dies
				if _, err := p.Sync(background); err == nil {
					t.Fatal("nothing was cut off")
				}
				p.reopen(t) // killed, and begun anew
				p.sync(t)
				equal(t, "delivered", p.status(t).Delivered, round+1)
			}
			equal(t, "taken for a thief", f.office.stolen[p.Device()], false)
		})
	}
}

func TestARenewalThatFailsIsTriedAgainAndMakesNoBatchSmaller(t *testing.T) {
	f := newFake(t)
	p, _ := enrolledPhone(t, f, 1)
	for i := range 20 {
		p.household(t, fmt.Sprint("幸福路 ", i))
	}
	f.pass(p, time.Hour)
	f.fail(loseRequest, loseAnswer, cutAnswer, say(503, syncproto.CodeBusy))
	report := p.sync(t)
	equal(t, "skipped", len(report.Skipped), 0)
	equal(t, "retries", report.Retries, 4)
	equal(t, "in one batch", len(f.seen[0].Changes), 20)
	equal(t, "for a whole page", f.seen[0].PageBytes, syncproto.PageBytes)
}

// A phone whose clock was set back believes its token to be young. It hears otherwise, and is
// cut off while it asks for the next one.
func TestATokenThatLookedYoungIsRenewedThoughTheAnswerIsLost(t *testing.T) {
	f := newFake(t)
	p, _ := enrolledPhone(t, f, 1)
	p.household(t, "幸福路")
	f.pass(p, time.Hour)
	p.now = p.now.Add(-time.Hour)
	turnedAway := say(401, syncproto.CodeTokenExpired)
	f.fail(turnedAway, loseRequest, turnedAway, loseAnswer)
	report := p.sync(t)
	equal(t, "retries", report.Retries, 2)
	equal(t, "delivered", p.status(t).Delivered, 1)
}

func TestTwoProcessesOfOnePhoneDontTakeEachOtherForThieves(t *testing.T) {
	f := newFake(t)
	p, keys := enrolledPhone(t, f, 1)
	other, err := clientsdk.Open(background, p.path, p.opt)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for range 4 {
		f.pass(p, time.Hour)
		p.sync(t)
		f.pass(p, time.Hour)
		p.sync(t)
		saves := keys.saved
		if _, err := other.Sync(background); err != nil {
			t.Fatal(err)
		}
		equal(t, "renewed though the other process had", keys.saved, saves)
	}
	equal(t, "stolen", f.office.stolen[p.Device()], false)
}

func TestADeviceWhoseCredentialsWereCopiedGoesOnDelivering(t *testing.T) {
	f := newFake(t)
	p, keys := enrolledPhone(t, f, 1)
	p.household(t, "幸福路")
	f.office.generation[p.Device()] += 5 // somebody else has used what it holds
	f.pass(p, time.Hour)
	p.sync(t)
	equal(t, "suspended", p.status(t).Suspended, true)
	equal(t, "delivered", p.status(t).Delivered, 1)
	f.office.stolen[p.Device()] = false // a person has taken it back into use, and it is found out again
	p.household(t, "解放路")
	f.pass(p, time.Hour)
	p.reopen(t)
	p.sync(t)
	equal(t, "and after that", p.status(t).Delivered, 2)
	f.office.codes["AGAIN"] = author(2)
	_, err := clientsdk.Enrol(background, newcomer(f, keys), clientsdk.Enrolment{Code: "AGAIN", Name: "陈梅", Undertaking: 1})
	equal(t, "comes in again", err, nil)
	p.reopen(t)
	p.sync(t)
	equal(t, "and is trusted", p.status(t).Suspended, false)
}

func TestWhereAnEnrolmentStandsIsTold(t *testing.T) {
	f := newFake(t)
	o := f.openOffice(t)
	o.state = syncproto.EnrolmentWaiting
	p, _ := enrolledPhone(t, f, 1)
	equal(t, "waits", p.status(t).Enrolment, syncproto.EnrolmentWaiting)
	equal(t, "undertaking", p.status(t).Undertaking, 0)
	o.state, o.undertaking = syncproto.EnrolmentRefused, 2
	f.pass(p, time.Hour)
	p.sync(t)
	equal(t, "refused", p.status(t).Enrolment, syncproto.EnrolmentRefused)
	equal(t, "a newer undertaking", p.status(t).Undertaking, 2)
}

func TestANewerUndertakingIsReadAndAcceptedOnThePhone(t *testing.T) {
	f := newFake(t)
	o := f.openOffice(t)
	p, _ := enrolledPhone(t, f, 1)
	o.undertaking = 2
	f.pass(p, time.Hour)
	p.sync(t)
	u, err := p.Undertaking(background)
	equal(t, "reads it", err, nil)
	equal(t, "and sees", fmt.Sprint(u.Version, u.Text.ZH), "2仅用于本项工作")
	equal(t, "said so far", o.accepted, 1)
	equal(t, "accepts", p.Accept(u.Version), nil)
	equal(t, "nothing is left to accept", p.status(t).Undertaking, 0)
	f.pass(p, time.Hour)
	p.sync(t)
	equal(t, "says so", o.accepted, 2)
	p.reopen(t)
	equal(t, "and remembers", p.status(t).Undertaking, 0)
}

func TestWhatIsAcceptedWhileTokensAreRenewedIsNotForgotten(t *testing.T) {
	f := newFake(t)
	o := f.openOffice(t)
	p, _ := enrolledPhone(t, f, 1)
	o.undertaking = 2
	f.pass(p, time.Hour)
	f.fail(func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
		equal(t, "accepts", p.Accept(2), nil)
		next(w, r)
	})
	p.sync(t)
	equal(t, "nothing is left to accept", p.status(t).Undertaking, 0)
	f.pass(p, time.Hour)
	p.sync(t)
	equal(t, "the server knows", o.accepted, 2)
}

func TestTokensThatAnotherInvitationBroughtMeanwhileStay(t *testing.T) {
	f := newFake(t)
	p, keys := enrolledPhone(t, f, 1)
	f.pass(p, time.Hour)
	f.fail(func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
		next(w, r)
		keys.kept = bytes.Replace(keys.kept, []byte(`"refresh":"1"`), []byte(`"refresh":"invited"`), 1)
	})
	_, _ = p.Sync(background)
	equal(t, "the later one is kept", bytes.Contains(keys.kept, []byte(`"refresh":"invited"`)), true)
}

func TestAPhoneWithoutASignalEnrolsNothingAndSaysSo(t *testing.T) {
	f := newFake(t)
	f.openOffice(t)
	f.http.Close()
	if _, err := clientsdk.Enrol(context.Background(), newcomer(f, &safe{}), mei); !errors.Is(err, clientsdk.ErrOffline) {
		t.Errorf("offline: %v", err)
	}
}
