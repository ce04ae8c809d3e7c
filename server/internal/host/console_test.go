package host

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gridsync/server/internal/api"
	"gridsync/server/internal/console"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// office is a server whose clock the test sets, and a browser in front of it.
type office struct {
	*Server
	t      *testing.T
	dir    string
	at     atomic.Int64 // the office's clock, in nanoseconds, which the server reads from goroutines of its own
	cookie string
	secret []byte // of the authenticator
}

func (o *office) now() time.Time { return time.Unix(0, o.at.Load()) }

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, dir: t.TempDir()}
	o.at.Store(time.Date(2020, 1, 31, 4, 0, 0, 0, time.UTC).UnixNano())
	o.open()
	if _, problems, err := o.ImportAreas(t.Context(), strings.NewReader(county)); err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	return o
}

// open starts a server over the folder.
func (o *office) open() {
	o.t.Helper()
	s, err := Start(o.t.Context(), Config{Dir: o.dir, Listen: "127.0.0.1:0", Poll: time.Hour, Now: o.now})
	if err != nil {
		o.t.Fatal(err)
	}
	o.Server = s
	o.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			o.t.Errorf("close: %v", err)
		}
	})
}

// ask asks as the page does, and keeps the cookie as a browser does.
func (o *office) ask(method, path string, body, answer any) syncproto.Code {
	o.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		o.t.Fatal(err)
	}
	req := httptest.NewRequest(method, path, strings.NewReader(string(text)))
	req.Header.Set(api.PageHeader, "1")
	if o.cookie != "" {
		req.AddCookie(&http.Cookie{Name: api.SessionCookie, Value: o.cookie})
	}
	res, err := o.API().Test(req)
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	for _, c := range res.Cookies() {
		if c.Name == api.SessionCookie {
			o.cookie = c.Value
		}
	}
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		var problem api.Problem
		if err := json.Unmarshal(raw, &problem); err != nil {
			o.t.Fatal(err)
		}
		return problem.Code
	}
	if answer != nil {
		if err := json.Unmarshal(raw, answer); err != nil {
			o.t.Fatal(err)
		}
	}
	return ""
}

// code is what the authenticator shows, half a minute after it was last asked.
func (o *office) code() string {
	o.at.Add(int64(30 * time.Second))
	mac := hmac.New(sha1.New, o.secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(o.now().Unix()/30)))
	sum := mac.Sum(nil)
	at := sum[19] & 15
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:at+4])&0x7fffffff%1_000_000)
}

// welcome follows a link to its end.
func (o *office) welcome(token, password string) {
	o.t.Helper()
	var setup console.Setup
	if code := o.ask("POST", "/v1/account", console.Chosen{Token: token}, &setup); code != "" {
		o.t.Fatal(code)
	}
	var err error
	if o.secret, err = base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(setup.Secret); err != nil {
		o.t.Fatal(err)
	}
	chosen := console.Chosen{Token: token, Password: password, TOTP: o.code(), Sealed: setup.Sealed}
	if code := o.ask("POST", "/v1/account", chosen, nil); code != "" {
		o.t.Fatal(code)
	}
}

func (o *office) signIn(login, password string) (me api.Me, failed syncproto.Code) {
	o.t.Helper()
	failed = o.ask("POST", "/v1/session", console.Credentials{Login: login, Password: password, TOTP: o.code()}, &me)
	return me, failed
}

const (
	firstPassword  = "korrektes pferd 9"
	secondPassword = "noch ein pferd 10"
)

func TestTheFirstAdministratorLetsInTheNext(t *testing.T) {
	o := newOffice(t)
	link, err := o.Begin(t.Context(), console.First{Name: "管", Login: "boss"})
	if err != nil {
		t.Fatal(err)
	}
	o.welcome(link.Token, firstPassword)
	me, failed := o.signIn("boss", firstPassword)
	if failed != "" || me.Name != "管" || len(me.Grants) != 1 || me.Grants[0].Role != identity.Administrator || me.Reach[identity.Read] != nil {
		t.Fatalf("%q %+v", failed, me)
	}
	if code := o.ask("GET", "/v1/areas/g1/roster", nil, nil); code != syncproto.CodeForbidden {
		t.Errorf("whoever runs the installation sees records: %q", code)
	}
	volunteer := add(t, o.Data, "g1").Authors[0].ID
	var next console.Welcome
	if code := o.ask("POST", "/v1/accounts", api.NewAccount{Author: volunteer, Login: "next"}, &next); code != "" {
		t.Fatal(code)
	}
	o.cookie = ""
	o.welcome(next.Token, secondPassword)
	if me, failed = o.signIn("next", secondPassword); failed != "" || me.Author != volunteer {
		t.Fatalf("%q %+v", failed, me)
	}
	if code := o.ask("GET", "/v1/areas/g1/roster", nil, nil); code != "" {
		t.Errorf("a volunteer at a desk: %q", code)
	}
	if code := o.ask("GET", "/v1/areas/3307/roster", nil, nil); code != syncproto.CodeForbidden {
		t.Errorf("a volunteer above their grid: %q", code)
	}
}

func TestSessionsAndSpentLinksOutliveTheServer(t *testing.T) {
	o := newOffice(t)
	link, err := o.Begin(t.Context(), console.First{Name: "管", Login: "boss"})
	if err != nil {
		t.Fatal(err)
	}
	o.welcome(link.Token, firstPassword)
	if _, failed := o.signIn("boss", firstPassword); failed != "" {
		t.Fatal(failed)
	}
	for range 5 {
		cookie := o.cookie
		if _, failed := o.signIn("boss", "wrong"); failed != syncproto.CodeSignInFailed {
			t.Error(failed)
		}
		o.cookie = cookie
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o.open()
	if code := o.ask("GET", "/v1/session", nil, nil); code != "" {
		t.Errorf("the session: %q", code)
	}
	if code := o.ask("POST", "/v1/account", console.Chosen{Token: link.Token}, nil); code != syncproto.CodeLinkSpent {
		t.Errorf("the link: %q", code)
	}
	if _, failed := o.signIn("boss", firstPassword); failed != syncproto.CodeLocked {
		t.Errorf("the lock: %q", failed)
	}
}

func TestALinkMadeBesideTheServerOpensAnAccountAgain(t *testing.T) {
	o := newOffice(t)
	link, err := o.Begin(t.Context(), console.First{Name: "管", Login: "boss"})
	if err != nil {
		t.Fatal(err)
	}
	o.welcome(link.Token, firstPassword)
	if _, failed := o.signIn("boss", firstPassword); failed != "" {
		t.Fatal(failed)
	}
	beside, err := Open(t.Context(), o.dir, Options{Now: o.now})
	if err != nil {
		t.Fatal(err)
	}
	another, err := beside.Relink(t.Context(), "boss")
	if err != nil {
		t.Fatal(err)
	}
	if err := beside.Close(); err != nil {
		t.Fatal(err)
	}
	before := o.cookie
	o.cookie = ""
	o.welcome(another.Token, secondPassword)
	o.cookie = before
	if code := o.ask("GET", "/v1/session", nil, nil); code != syncproto.CodeNoToken {
		t.Errorf("the session before: %q", code)
	}
	if _, failed := o.signIn("boss", firstPassword); failed != syncproto.CodeSignInFailed {
		t.Errorf("the password before: %q", failed)
	}
	if _, failed := o.signIn("boss", secondPassword); failed != "" {
		t.Errorf("the new one: %q", failed)
	}
}

func TestWhoHasTheDatabaseAloneSignsInNowhere(t *testing.T) {
	o := newOffice(t)
	link, err := o.Begin(t.Context(), console.First{Name: "管", Login: "boss"})
	if err != nil {
		t.Fatal(err)
	}
	o.welcome(link.Token, firstPassword)
	if _, failed := o.signIn("boss", firstPassword); failed != "" {
		t.Fatal(failed)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(o.dir, "gridsync.db*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var all strings.Builder
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	if !strings.Contains(all.String(), "$argon2id$") {
		t.Fatal("these aren't the files")
	}
	for name, secret := range map[string]string{
		"password": firstPassword, "cookie": o.cookie, "link": link.Token, "authenticator's secret": string(o.secret),
		"secret as text": base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(o.secret),
	} {
		if strings.Contains(all.String(), secret) {
			t.Errorf("the database holds the %s", name)
		}
	}
}

func TestAnAuthenticatorOutlivesTheKeyThatSealedIt(t *testing.T) {
	o := newOffice(t)
	link, err := o.Begin(t.Context(), console.First{Name: "管", Login: "boss"})
	if err != nil {
		t.Fatal(err)
	}
	o.welcome(link.Token, firstPassword)
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err := RotateKeys(t.Context(), o.dir, Options{}, true); err != nil || r.Resealed != 1 || len(r.Old) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	o.open()
	if _, failed := o.signIn("boss", firstPassword); failed != "" {
		t.Error(failed)
	}
}

func TestOnlyOnesOwnMachineDoesWithoutTLS(t *testing.T) {
	for listen, want := range map[string]bool{
		"127.0.0.1:80": true, "127.8.0.1:0": true, "[::1]:80": true, "localhost:80": true,
		":80": false, "0.0.0.0:80": false, "[::]:80": false, "10.0.0.1:80": false, "localhost.example:80": false, "nonsense": false,
	} {
		if got := ownMachine(listen); got != want {
			t.Errorf("%s: %v", listen, got)
		}
	}
}
