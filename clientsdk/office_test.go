package clientsdk_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

// office is the part of the fake server that lets phones in. Nil: every request is let
// in that shows "token".
type office struct {
	// codes says whose each invitation is; all are for one use.
	codes map[string]syncproto.AuthorID
	// came are the devices that have enrolled, with the code.
	came    map[syncproto.DeviceID]string
	keys    map[syncproto.DeviceID][]byte
	authors map[syncproto.DeviceID]syncproto.AuthorID
	// generation counts the refresh tokens of a device.
	generation map[syncproto.DeviceID]int
	// good are the access tokens with their ends.
	good        map[string]syncproto.Instant
	stolen      map[syncproto.DeviceID]bool
	state       syncproto.EnrolmentState
	undertaking int
	accepted    int // as the phone said last
	box         syncproto.BoxKey
	enrolled    int
}

func (f *fake) openOffice(t testing.TB) *office {
	f.office = &office{
		codes: map[string]syncproto.AuthorID{}, came: map[syncproto.DeviceID]string{}, keys: map[syncproto.DeviceID][]byte{},
		authors: map[syncproto.DeviceID]syncproto.AuthorID{}, generation: map[syncproto.DeviceID]int{},
		good: map[string]syncproto.Instant{}, stolen: map[syncproto.DeviceID]bool{}, state: syncproto.EnrolmentActive, undertaking: 1,
	}
	private := make([]byte, 32)
	private[3] = 7
	var err error
	if f.office.box, err = syncproto.NewBoxKey(private); err != nil {
		t.Fatal(err)
	}
	return f.office
}

func read[T any](r *http.Request) (x T) {
	if err := json.NewDecoder(r.Body).Decode(&x); err != nil {
		panic(err)
	}
	return x
}

func (f *fake) turnAway(w http.ResponseWriter, code syncproto.Code) {
	w.WriteHeader((&syncproto.Error{Code: code}).Status())
	_ = json.NewEncoder(w).Encode(&syncproto.Error{Code: code})
}

func (f *fake) look(w http.ResponseWriter, r *http.Request) {
	asked := read[map[string]string](r)
	if f.office.codes[asked["code"]].IsZero() {
		f.turnAway(w, syncproto.CodeInviteUnknown)
		return
	}
	_ = json.NewEncoder(w).Encode(syncproto.Invited{
		AreaID: grid1, AreaName: "网格一", Role: "worker",
		Undertaking: f.undertaking(),
	})
}

func (f *fake) show(w http.ResponseWriter, _ *http.Request) {
	_ = json.NewEncoder(w).Encode(f.undertaking())
}

func (f *fake) undertaking() syncproto.Undertaking {
	return syncproto.Undertaking{Version: f.office.undertaking, Text: syncproto.Text{ZH: "仅用于本项工作", EN: "For this work only"}}
}

func (f *fake) enrol(w http.ResponseWriter, r *http.Request) {
	e, o := read[syncproto.Enrolling](r), f.office
	author := o.codes[e.Code]
	switch {
	case !syncproto.SignedBy(e.Key, e.SigningText(), e.Signature), o.keys[e.Device] != nil && !bytes.Equal(o.keys[e.Device], e.Key):
		f.turnAway(w, syncproto.CodeBadSignature)
		return
	case author.IsZero():
		f.turnAway(w, syncproto.CodeInviteUnknown)
		return
	case e.Undertaking != o.undertaking:
		f.turnAway(w, syncproto.CodeUndertakingNeeded)
		return
	}
	for device, code := range o.came {
		if code == e.Code && device != e.Device {
			f.turnAway(w, syncproto.CodeInviteSpent)
			return
		}
	}
	if o.came[e.Device] == "" {
		o.enrolled++
	}
	if o.came[e.Device] != e.Code {
		o.generation[e.Device]++
	}
	o.came[e.Device], o.keys[e.Device], o.authors[e.Device] = e.Code, e.Key, author
	_ = json.NewEncoder(w).Encode(syncproto.Enrolled{Author: author, Tokens: f.tokens(e.Device)})
}

func (f *fake) tokens(device syncproto.DeviceID) syncproto.Tokens {
	o := f.office
	access := fmt.Sprintf("access %s %d", device, len(o.good))
	o.good[access] = f.now + 15*60*1000
	return syncproto.Tokens{
		Access: access, AccessUntil: o.good[access], Refresh: fmt.Sprint(o.generation[device]), RefreshUntil: f.now + 1e9,
		Now: f.now, Box: o.box.Public(), State: o.state, Undertaking: o.undertaking,
	}
}

func (f *fake) token(w http.ResponseWriter, r *http.Request) {
	n, o := read[syncproto.Renewing](r), f.office
	if !syncproto.SignedBy(o.keys[n.Device], n.SigningText(), n.Signature) {
		f.turnAway(w, syncproto.CodeBadSignature)
		return
	}
	now := o.generation[n.Device]
	o.accepted = n.Accepted
	switch n.Refresh {
	case fmt.Sprint(now):
		o.generation[n.Device]++
	case fmt.Sprint(now - 1): // the answer was lost
	default:
		if !o.stolen[n.Device] {
			o.stolen[n.Device] = true
			f.turnAway(w, syncproto.CodeRefreshReused)
			return
		}
		tokens := f.tokens(n.Device)
		tokens.Refresh, tokens.RefreshUntil = "", 0
		_ = json.NewEncoder(w).Encode(tokens)
		return
	}
	_ = json.NewEncoder(w).Encode(f.tokens(n.Device))
}

// admits says whether a request may come in.
func (f *fake) admits(w http.ResponseWriter, r *http.Request) bool {
	token := r.Header.Get("Authorization")[len("Bearer "):]
	until, known := f.office.good[token]
	switch {
	case !known:
		f.turnAway(w, syncproto.CodeBadToken)
	case until <= f.now:
		f.turnAway(w, syncproto.CodeTokenExpired)
	default:
		return true
	}
	return false
}

// safe is a keystore in memory that fails when a test says so. It outlives the process.
type safe struct {
	kept []byte
	// dies counts down to the Save that is not done; saved counts those that were.
	dies, saved int
	gone        bool
}

type killed struct{}

func (killed) Error() string { return "killed" }

func (s *safe) Load() ([]byte, error) { return s.kept, nil }

func (s *safe) Save(b []byte) error {
	if s.dies--; s.dies == 0 {
		return killed{}
	}
	s.kept, s.gone = b, b == nil
	s.saved++
	return nil
}

const pin = "135790"

// enrolledPhone is a phone whose person came in with an invitation.
func enrolledPhone(t testing.TB, f *fake, k uint64) (*phone, *safe) {
	t.Helper()
	if f.office == nil {
		f.openOffice(t)
	}
	keys := &safe{}
	code := fmt.Sprint("CODE", k)
	f.office.codes[code] = author(2 * k)
	p := newPhone(t, f, k, func(o *clientsdk.Options) {
		o.Token, o.Device, o.Server, o.Keys = "", syncproto.DeviceID{}, "", keys
		come := *o
		come.Server = f.url
		if _, err := clientsdk.Enrol(background, come, clientsdk.Enrolment{Code: code, Name: "陈梅", Undertaking: 1}); err != nil {
			t.Fatal(err)
		}
	})
	p.alice = p.As(p.Me())
	return p, keys
}

// pass lets time go by for server and phone.
func (f *fake) pass(p *phone, d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now += syncproto.Instant(d.Milliseconds())
	p.now = p.now.Add(d)
}

// sealedPhone is an enrolled phone under a PIN.
func sealedPhone(t testing.TB, f *fake, k uint64) (*phone, *safe) {
	t.Helper()
	p, keys := enrolledPhone(t, f, k)
	if err := p.Seal(background, pin); err != nil {
		t.Fatal(err)
	}
	return p, keys
}

// files are the client's file and what SQLite lays beside it.
func (p *phone) files(t testing.TB) []string {
	t.Helper()
	return must(filepath.Glob(p.path + "*"))
}
