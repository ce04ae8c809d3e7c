package simtest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"gridsync/clientsdk"
	"gridsync/clientsdk/handset"
	"gridsync/server/internal/enrol"
	"gridsync/server/internal/host"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// post is a checkpoint with a server, whose phone several shifts share. All have one
// clock, which moves when a test says so.
type post struct {
	t       *testing.T
	server  *host.Server
	dir     string
	phone   *handset.Handset
	elapsed atomic.Int64
}

const checkpoint = syncproto.AreaID("330702001001")

func newPost(t *testing.T) *post {
	t.Helper()
	p := &post{t: t, dir: t.TempDir()}
	server, err := host.Start(t.Context(), host.Config{
		Dir: t.TempDir(), Listen: "127.0.0.1:0", Now: p.now, NewID: uuid.NewV7, Poll: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	p.server = server
	_, problems, err := server.ImportAreas(t.Context(), strings.NewReader("code,name,parent\n330702,区,\n"+string(checkpoint)+",一组,330702\n"))
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	p.open()
	return p
}

func (p *post) now() time.Time {
	return time.Date(2020, 2, 3, 8, 0, 0, 0, time.UTC).Add(time.Duration(p.elapsed.Load()))
}

// open switches the phone on.
func (p *post) open() {
	p.t.Helper()
	phone, err := handset.Open(p.t.Context(), p.dir, handset.Options{Client: clientsdk.Options{
		Server: p.server.URL(), Transport: &http.Transport{DisableKeepAlives: true}, Now: p.now,
	}})
	if err != nil {
		p.t.Fatal(err)
	}
	p.phone = phone
	p.t.Cleanup(func() { _ = phone.Close() })
}

func (p *post) letting() (*enrol.Service, enrol.By) {
	p.t.Helper()
	service, by, err := p.server.Letting(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	return service, by
}

func (p *post) invite(in enrol.Inviting) string {
	p.t.Helper()
	in.Area, in.Role = checkpoint, identity.Volunteer
	service, by := p.letting()
	_, code, err := service.Invite(p.t.Context(), by, in)
	if err != nil {
		p.t.Fatal(err)
	}
	return code
}

// come lets a person in as the app does: it shows the undertaking, and takes the answer.
func (p *post) come(code, name, pin string) *handset.Profile {
	p.t.Helper()
	options := clientsdk.Options{Server: p.server.URL(), Transport: &http.Transport{DisableKeepAlives: true}, Now: p.now}
	invited, err := clientsdk.Look(p.t.Context(), options, code)
	if err != nil {
		p.t.Fatal(err)
	}
	profile, err := p.phone.Add(p.t.Context(), clientsdk.Enrolment{Code: code, Name: name, Phone: "共用手机", Undertaking: invited.Undertaking.Version}, pin)
	if err != nil {
		p.t.Fatal(err)
	}
	return profile
}

func (p *post) visit(who *handset.Profile, address string) syncproto.RecordID {
	p.t.Helper()
	id, err := who.As(who.Me()).Put(p.t.Context(), clientsdk.Edit{Kind: "household", Area: checkpoint, Fields: syncproto.Fields{
		"address": syncproto.TextValue(address), "found_on": `"2020-02-03"`,
	}})
	if err != nil {
		p.t.Fatal(err)
	}
	return id
}

// holds checks that the server holds a visit as it was recorded, once, in its author's name.
func (p *post) holds(who *handset.Profile, author syncproto.AuthorID, id syncproto.RecordID, address string, reason syncproto.Code) {
	p.t.Helper()
	log, err := p.server.History(p.t.Context(), id)
	if err != nil || len(log) != 1 {
		p.t.Fatalf("%s's visit: %d entries, %v", who.Name, len(log), err)
	}
	c := &log[0].Change
	if fields := string(c.Fields); !strings.Contains(fields, address) || c.Author != author || log[0].Reason != reason {
		p.t.Errorf("%s's visit is held as %s by %s (%s)", who.Name, fields, c.Author, log[0].Reason)
	}
}

// deliver delivers for everybody, who must all be locked but those that are said to be open.
func (p *post) deliver(open ...*handset.Profile) {
	p.t.Helper()
	locked := 0
	for _, d := range p.phone.Deliver(p.t.Context()) {
		if d.Err != nil {
			p.t.Errorf("%s: %v", d.Profile.Name, d.Err)
		}
		if d.Profile.Locked() {
			locked++
		}
	}
	if want := len(p.phone.Profiles()) - len(open); locked != want {
		p.t.Errorf("%d are locked, want %d", locked, want)
	}
}

var crew = []struct{ name, pin string }{{"早班 陈梅", "135790"}, {"中班 李强", "246801"}, {"晚班 王芳", "975310"}}

func TestWhatThreeShiftsRecordOnOnePhoneIsDeliveredWhileItIsLocked(t *testing.T) {
	p := newPost(t)
	ids := map[*handset.Profile]syncproto.RecordID{}
	for _, shift := range crew {
		who := p.come(p.invite(enrol.Inviting{}), shift.name, shift.pin)
		if _, err := who.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		ids[who] = p.visit(who, shift.name+" 的住址")
		p.elapsed.Add(int64(8 * time.Hour)) // every access token ends meanwhile
	}
	p.phone.Lock()
	p.deliver()
	for who, id := range ids {
		p.holds(who, who.Me(), id, who.Name+" 的住址", "")
		if st, err := who.Status(t.Context()); err != nil || st.Delivered != 1 {
			t.Errorf("%s is told of %d delivered, %v", who.Name, st.Delivered, err)
		}
	}
	_ = p.phone.Close()
	p.open()
	for i, who := range p.phone.Profiles() {
		if err := p.phone.Unlock(t.Context(), who, crew[i].pin); err != nil {
			t.Fatal(err)
		}
		if _, err := who.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		if seen, err := who.List(t.Context(), "household"); err != nil || len(seen) != 3 {
			t.Errorf("%s sees %d households, %v", who.Name, len(seen), err)
		}
	}
}

func TestAWaveComesByOneCodeWorksAtOnceAndLosesNothingUntilItIsConfirmed(t *testing.T) {
	p := newPost(t)
	code := p.invite(enrol.Inviting{Uses: len(crew), Confirm: true})
	ids := map[*handset.Profile]syncproto.RecordID{}
	for _, shift := range crew {
		who := p.come(code, shift.name, shift.pin)
		if st, err := who.Status(t.Context()); err != nil || st.Enrolment != syncproto.EnrolmentWaiting {
			t.Errorf("%s is %s, %v", who.Name, st.Enrolment, err)
		}
		ids[who] = p.visit(who, shift.name+" 的住址")
	}
	p.deliver(p.phone.Profiles()[2])
	for who := range ids {
		if st, err := who.Status(t.Context()); err != nil || st.Delivered != 1 || st.Parked != 1 {
			t.Errorf("%s: %d delivered, %d wait, %v", who.Name, st.Delivered, st.Parked, err)
		}
	}
	service, by := p.letting()
	waiting, err := service.Enrolments(t.Context(), by, checkpoint, syncproto.EnrolmentWaiting, enrol.Place{}, 10)
	if err != nil || len(waiting) != len(crew) {
		t.Fatalf("%d wait, %v", len(waiting), err)
	}
	settling := enrol.Settling{State: syncproto.EnrolmentActive}
	for _, e := range waiting {
		settling.IDs = append(settling.IDs, e.ID)
	}
	if _, err := service.Settle(t.Context(), by, settling); err != nil {
		t.Fatal(err)
	}
	if err := p.server.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.elapsed.Add(int64(time.Hour))
	p.deliver(p.phone.Profiles()[2])
	for who, id := range ids {
		p.holds(who, who.Me(), id, who.Name+" 的住址", "")
		st, err := who.Status(t.Context())
		if err != nil || st.Enrolment != syncproto.EnrolmentActive || st.Parked != 0 {
			t.Errorf("%s is %s, %d wait, %v", who.Name, st.Enrolment, st.Parked, err)
		}
	}
}

func TestALostPhoneDeliversAndThenDestroysItsCopyAndKeys(t *testing.T) {
	p := newPost(t)
	who := p.come(p.invite(enrol.Inviting{}), crew[0].name, crew[0].pin)
	author := who.Me()
	id := p.visit(who, "最后一户")
	p.phone.Lock()
	service, by := p.letting()
	if _, err := service.SetDevice(t.Context(), by, who.Device(), enrol.Restand{Status: "lost", Reason: "lost"}); err != nil {
		t.Fatal(err)
	}
	if err := p.server.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.elapsed.Add(int64(time.Hour))
	p.deliver(who) // it is closed, and has nothing to lock any more
	p.holds(who, author, id, "最后一户", syncproto.CodeDeviceUntrusted)
	if _, err := who.Deliver(context.WithoutCancel(t.Context())); !errors.Is(err, clientsdk.ErrClosed) {
		t.Errorf("after that: %v", err)
	}
	_ = p.phone.Close()
	p.open()
	if n := len(p.phone.Profiles()); n != 0 {
		t.Error(fmt.Sprint(n, " profiles are left"))
	}
}
