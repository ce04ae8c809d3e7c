package handset_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzip"

	"gridsync/clientsdk"
	"gridsync/clientsdk/handset"
	"gridsync/syncproto"
)

var background = context.Background()

const grid = syncproto.AreaID("330702001001")

// server lets everybody in whose code is CODE, and holds what it gets.
type server struct {
	mu    sync.Mutex
	http  *httptest.Server
	box   syncproto.BoxKey
	came  map[syncproto.DeviceID]syncproto.AuthorID
	held  map[syncproto.DeviceID]map[uint64]syncproto.Change
	plain int
	// ended devices are not in use, lost answers are not given.
	ended map[syncproto.DeviceID]bool
	lost  int
}

func newServer(t *testing.T) *server {
	t.Helper()
	box, err := syncproto.NewBoxKey(append(make([]byte, 31), 1))
	if err != nil {
		t.Fatal(err)
	}
	s := &server{
		box: box, came: map[syncproto.DeviceID]syncproto.AuthorID{},
		held: map[syncproto.DeviceID]map[uint64]syncproto.Change{}, ended: map[syncproto.DeviceID]bool{},
	}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.http.Close)
	return s
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var answer any
	switch r.URL.Path {
	case "/v1/enrol":
		var e syncproto.Enrolling
		_ = json.NewDecoder(r.Body).Decode(&e)
		if s.came[e.Device].IsZero() {
			author := e.Device
			author[15]++
			s.came[e.Device] = syncproto.AuthorID(author)
		}
		answer = syncproto.Enrolled{Author: s.came[e.Device], Tokens: syncproto.Tokens{
			Access: "token", AccessUntil: 1 << 50, Refresh: "1", RefreshUntil: 1 << 50, Now: 1, Box: s.box.Public(), State: syncproto.EnrolmentActive,
		}}
	default:
		answer = s.sync(r)
	}
	if s.lost > 0 {
		s.lost--
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (s *server) sync(r *http.Request) *syncproto.Answer {
	zip, _ := gzip.NewReader(r.Body)
	body, _ := io.ReadAll(zip)
	var req syncproto.Request
	_ = json.Unmarshal(body, &req)
	held := s.held[req.Device]
	if held == nil {
		held = map[uint64]syncproto.Change{}
		s.held[req.Device] = held
	}
	a := &syncproto.Answer{Epoch: syncproto.Epoch(req.Device), Now: req.Clock, Cursor: req.Cursor}
	for _, raw := range req.Changes {
		if sealed, is := syncproto.SealedIn(raw); is {
			raw, _ = syncproto.OpenSealed([]syncproto.BoxKey{s.box}, req.Device, sealed)
		} else {
			s.plain++
		}
		c, err := syncproto.DecodeChange(raw, req.Device)
		if err != nil {
			panic(err)
		}
		held[c.N] = c
		a.Verdicts = append(a.Verdicts, syncproto.Verdict{N: c.N, Verdict: syncproto.Applied, Version: syncproto.Version(c.N)})
	}
	for n, c := range held {
		a.Receipt.Through = max(a.Receipt.Through, n)
		a.Receipt.Held++
		a.Receipt.Digest = a.Receipt.Digest.Add(c.Hash())
	}
	if s.ended[req.Device] {
		a.Notice = &syncproto.Error{Code: syncproto.CodeDeviceRevoked}
	}
	return a
}

func open(t *testing.T, s *server, dir string) *handset.Handset {
	t.Helper()
	h, err := handset.Open(background, dir, handset.Options{Client: clientsdk.Options{
		Server: s.http.URL, Transport: &http.Transport{DisableKeepAlives: true}, Attempts: 1,
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	for folder, err := range h.Broken() {
		t.Errorf("%s: %v", folder, err)
	}
	return h
}

func come(name string) clientsdk.Enrolment {
	return clientsdk.Enrolment{Code: "SHIFT", Name: name, Undertaking: 1}
}

func add(t *testing.T, h *handset.Handset, name, pin string) *handset.Profile {
	t.Helper()
	p, err := h.Add(background, come(name), pin)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func visit(p *handset.Profile, address string) error {
	_, err := p.As(p.Me()).Put(background, clientsdk.Edit{Kind: "household", Area: grid, Fields: syncproto.Fields{
		"address": syncproto.TextValue(address), "found_on": `"2020-02-03"`,
	}})
	return err
}

// The three shifts of a checkpoint and their PINs.
var shifts = []struct{ name, pin string }{{"早班 陈梅", "135790"}, {"中班 李强", "246801"}, {"晚班 王芳", "975310"}}

func TestThreeShiftsShareAPhoneAndNoneReadsOrLosesWhatAnotherWrote(t *testing.T) {
	s, dir := newServer(t), t.TempDir()
	h := open(t, s, dir)
	for i, shift := range shifts {
		p := add(t, h, shift.name, shift.pin)
		for n := range i + 2 {
			if err := visit(p, fmt.Sprint(shift.name, " 的住址 ", n)); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := p.List(background, "household"); err != nil || len(got) != i+2 {
			t.Errorf("%s sees %d records, %v", shift.name, len(got), err)
		}
	}
	evening := h.Profiles()[2]
	for _, p := range h.Profiles()[:2] {
		if _, err := p.List(background, "household"); !errors.Is(err, clientsdk.ErrLocked) {
			t.Errorf("%s is open: %v", p.Name, err)
		}
	}
	for i, d := range h.Deliver(background) {
		if d.Err != nil || d.Report.Sent[syncproto.Applied] != i+2 {
			t.Errorf("%s: %v, %v", d.Profile.Name, d.Report.Sent, d.Err)
		}
	}
	if s.plain != 4 { // the evening's own, in whose hand the phone is
		t.Errorf("%d changes came in the clear", s.plain)
	}
	authors := map[syncproto.AuthorID]bool{}
	for device, held := range s.held {
		for n := range held {
			author := held[n].Author
			authors[author] = true
			if author != s.came[device] {
				t.Errorf("change %d of %s is %s's", n, device, author)
			}
		}
	}
	if len(authors) != 3 || len(s.held) != 3 {
		t.Errorf("%d authors on %d devices", len(authors), len(s.held))
	}
	if err := h.Unlock(background, h.Profiles()[0], shifts[1].pin); err == nil {
		t.Error("another shift's PIN opens the morning's profile")
	}
	if !evening.Locked() {
		t.Error("the evening's profile is open while another takes the phone")
	}
}

func TestAPhoneThatWasOffKnowsItsPeopleAndIsLocked(t *testing.T) {
	s, dir := newServer(t), t.TempDir()
	h := open(t, s, dir)
	for _, shift := range shifts {
		if err := visit(add(t, h, shift.name, shift.pin), "幸福路"); err != nil {
			t.Fatal(err)
		}
	}
	_ = h.Close()
	h = open(t, s, dir)
	for i, p := range h.Profiles() {
		if p.Name != shifts[i].name || !p.Locked() {
			t.Errorf("profile %d: %s, locked: %v", i, p.Name, p.Locked())
		}
		if err := h.Unlock(background, p, shifts[i].pin); err != nil {
			t.Error(err)
		}
	}
	h.Lock()
	for _, p := range h.Profiles() {
		if !p.Locked() {
			t.Errorf("%s is open", p.Name)
		}
	}
}

func TestAPersonWhoseComingWasCutOffIsAddedOnce(t *testing.T) {
	s, dir := newServer(t), t.TempDir()
	h := open(t, s, dir)
	s.lost = 1
	if _, err := h.Add(background, come(shifts[0].name), shifts[0].pin); err == nil {
		t.Fatal("the answer was not lost")
	}
	_ = h.Close()
	h = open(t, s, dir)
	if n := len(h.Profiles()); n != 0 {
		t.Errorf("%d profiles of nobody", n)
	}
	add(t, h, shifts[0].name, shifts[0].pin)
	again := add(t, h, shifts[0].name, shifts[0].pin)
	if len(s.came) != 1 || len(h.Profiles()) != 1 || again.Locked() {
		t.Errorf("%d devices, %d profiles", len(s.came), len(h.Profiles()))
	}
	add(t, h, shifts[1].name, shifts[1].pin) // one code for the whole shift
	if len(s.came) != 2 || len(h.Profiles()) != 2 {
		t.Errorf("with another person: %d devices, %d profiles", len(s.came), len(h.Profiles()))
	}
}

func TestNoCodeIsSpentOnAPINThatIsTooWeak(t *testing.T) {
	s := newServer(t)
	h := open(t, s, t.TempDir())
	if _, err := h.Add(background, come("陈梅"), "123456"); !errors.Is(err, clientsdk.ErrWeakPIN) {
		t.Errorf("a weak PIN: %v", err)
	}
	if len(s.came) != 0 || len(h.Profiles()) != 0 {
		t.Errorf("%d have come, %d are here, with everything open", len(s.came), len(h.Profiles()))
	}
}

func TestWhoTapsTwiceComesInOnce(t *testing.T) {
	s := newServer(t)
	h := open(t, s, t.TempDir())
	var taps sync.WaitGroup
	for range 3 {
		taps.Go(func() {
			if _, err := h.Add(background, come("陈梅"), "135790"); err != nil {
				t.Error(err)
			}
		})
	}
	taps.Wait()
	if len(s.came) != 1 || len(h.Profiles()) != 1 {
		t.Errorf("%d devices, %d profiles", len(s.came), len(h.Profiles()))
	}
}

func TestAProfileWhoseTimeIsOverGoesWhenAllOfItIsDeliveredAndTheOthersStay(t *testing.T) {
	s, dir := newServer(t), t.TempDir()
	h := open(t, s, dir)
	for _, shift := range shifts[:2] {
		if err := visit(add(t, h, shift.name, shift.pin), "幸福路"); err != nil {
			t.Fatal(err)
		}
	}
	ended := h.Profiles()[0].Device()
	s.ended[ended] = true
	h.Deliver(background)
	if len(s.held[ended]) != 1 {
		t.Error("it was not delivered")
	}
	if n := len(h.Deliver(background)); n != 1 {
		t.Errorf("%d profiles deliver", n)
	}
	_ = h.Close()
	h = open(t, s, dir)
	if n := len(h.Profiles()); n != 1 || h.Profiles()[0].Name != shifts[1].name {
		t.Errorf("%d profiles", n)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ended.String(), "*")); len(left) > 0 {
		t.Errorf("left of it: %v", left)
	}
}

func TestAProfileThatCantBeOpenedStandsInNobodysWay(t *testing.T) {
	s, dir := newServer(t), t.TempDir()
	h := open(t, s, dir)
	for _, shift := range shifts[:2] {
		add(t, h, shift.name, shift.pin)
	}
	broken := h.Profiles()[0].Device().String()
	_ = h.Close()
	if err := os.Remove(filepath.Join(dir, broken, "keys")); err != nil {
		t.Fatal(err)
	}
	h, err := handset.Open(background, dir, handset.Options{Client: clientsdk.Options{Server: s.http.URL}})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if !errors.Is(h.Broken()[broken], clientsdk.ErrOtherKeys) || len(h.Profiles()) != 1 {
		t.Errorf("%v, %d profiles", h.Broken(), len(h.Profiles()))
	}
}
