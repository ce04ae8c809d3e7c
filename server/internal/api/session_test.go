package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"gridsync/server/internal/console"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// consoles are signing in and accounts as the API sees them: cookie "good" is author 1's.
type consoles struct {
	asked []string
	fails error
}

var atTheDesk = identity.Caller{Session: identity.Session{7}, Authors: []syncproto.AuthorID{{1}}}

func (s *consoles) ask(format string, args ...any) error {
	s.asked = append(s.asked, fmt.Sprintf(format, args...))
	return s.fails
}

func (s *consoles) Resume(_ context.Context, cookie string, _ syncproto.Instant) (identity.Caller, error) {
	if cookie != "good" {
		return identity.Caller{}, &syncproto.Error{Code: syncproto.CodeNoToken}
	}
	return atTheDesk, nil
}

func (s *consoles) SignIn(_ context.Context, in console.Credentials, agent string, _ syncproto.Instant) (*console.Entry, error) {
	return &console.Entry{Cookie: "good", Mark: "marked", Who: atTheDesk}, s.ask("sign in %s %s %s by %s", in.Login, in.Password, in.TOTP, agent+in.Mark)
}

func (s *consoles) Sessions(context.Context, identity.Caller, syncproto.Instant) ([]console.SignedIn, error) {
	return []console.SignedIn{{ID: "07", Current: true}}, s.ask("sessions")
}

func (s *consoles) SignOut(_ context.Context, who identity.Caller, name string, _ syncproto.Instant) error {
	return s.ask("sign out %d %q", who.Session[0], name)
}

func (s *consoles) SignOutEverywhere(_ context.Context, who syncproto.AuthorID, _ syncproto.Instant) error {
	return s.ask("sign out everywhere %d", who[0])
}

func (s *consoles) Invite(_ context.Context, who identity.Caller, of syncproto.AuthorID, login string, _ syncproto.Instant) (*console.Welcome, error) {
	return &console.Welcome{Login: login, Token: "t"}, s.ask("invite %d by %d as %s", of[0], who.Authors[0][0], login)
}

func (s *consoles) Setup(_ context.Context, token string, _ syncproto.Instant) (*console.Setup, error) {
	return &console.Setup{Login: "chief", Secret: "ABC"}, s.ask("setup %s", token)
}

func (s *consoles) Redeem(_ context.Context, in console.Chosen, _ syncproto.Instant) error {
	return s.ask("redeem %s %s %s %s", in.Token, in.Password, in.TOTP, in.Sealed)
}

func (s *consoles) ChangePassword(_ context.Context, who identity.Caller, old, password string, _ syncproto.Instant) error {
	return s.ask("change %d %s %s", who.Authors[0][0], old, password)
}

func (s *consoles) LoginOf(context.Context, syncproto.AuthorID) (string, error) { return "chief", nil }

// newDesk is a world in which people sign in. Author 1 may enrol as well.
func newDesk(t *testing.T) (*world, *consoles) {
	t.Helper()
	w, s := newWorld(t), &consoles{}
	w.store.everyone.Grants = append(w.store.everyone.Grants,
		identity.Grant{Author: syncproto.AuthorID{1}, Area: "g1", Role: identity.Secretary},
		identity.Grant{Author: syncproto.AuthorID{1}, Area: "34", Role: identity.Township, To: 1}, // long over
	)
	w.store.revision++
	if _, err := w.Registry.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.Desk, w.gate.sessions = Desk{Accounts: s, Signing: s}, s
	return w, s
}

// ours is a request as our page makes it; signed in with a cookie.
func fromPage(method, path, body, cookie string) *http.Request {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set(PageHeader, "1")
	req.Header.Set("User-Agent", "Firefox")
	if cookie != "" {
		req.AddCookie(&http.Cookie{Name: SessionCookie, Value: cookie})
	}
	return req
}

// secretsOfDesk are what the requests below hold and no log may.
var secretsOfDesk = []string{"p-secret", "123456", "t-secret", "good", "chief"}

func TestDeskRoutesPassOnWhatTheyWereAsked(t *testing.T) {
	anna := syncproto.AuthorID{2}.String()
	for _, c := range []struct{ method, path, body, cookie, want string }{
		{"POST", "/v1/session", `{"login":"chief","password":"p-secret","totp":"123456"}`, "", "sign in chief p-secret 123456 by Firefox"},
		{"DELETE", "/v1/session", "", "good", `sign out 7 ""`},
		{"GET", "/v1/sessions", "", "good", "sessions"},
		{"POST", "/v1/sessions/end", `{"id":"0a"}`, "good", `sign out 7 "0a"`},
		{"POST", "/v1/sessions/end", `{"all":true}`, "good", "sign out everywhere 1"},
		{"POST", "/v1/account", `{"token":"t-secret"}`, "", "setup t-secret"},
		{"POST", "/v1/account", `{"token":"t-secret","password":"p-secret","totp":"123456","sealed":"s"}`, "", "redeem t-secret p-secret 123456 s"},
		{"POST", "/v1/account/password", `{"old":"o","password":"p-secret"}`, "good", "change 1 o p-secret"},
		{"POST", "/v1/accounts", `{"author":"` + anna + `","login":"anna"}`, "good", "invite 2 by 1 as anna"},
	} {
		w, s := newDesk(t)
		r := w.do(t, fromPage(c.method, c.path, c.body, c.cookie))
		if r.status != http.StatusOK || !slices.Equal(s.asked, []string{c.want}) {
			t.Errorf("%s %s: %d %s, asked %q", c.method, c.path, r.status, r.body, s.asked)
		}
		for _, secret := range secretsOfDesk {
			if strings.Contains(w.log.String(), secret) {
				t.Errorf("%s %s: the log holds %q: %s", c.method, c.path, secret, w.log)
			}
		}
	}
}

func TestTheCookieIsForOurPageAlone(t *testing.T) {
	w, _ := newDesk(t)
	signIn := func() []string {
		r := w.do(t, fromPage("POST", "/v1/session", `{"login":"chief","password":"p","totp":"1"}`, ""))
		return r.header.Values("Set-Cookie")
	}
	got := signIn()
	if len(got) != 2 || !strings.HasPrefix(got[0], SessionCookie+"=good;") {
		t.Fatalf("%q", got)
	}
	for _, flag := range []string{"HttpOnly", "secure", "SameSite=Strict", "path=/"} {
		if !strings.Contains(got[0], flag) {
			t.Errorf("not %s: %s", flag, got[0])
		}
	}
	for _, flag := range []string{"expires", "max-age", "domain"} {
		if strings.Contains(strings.ToLower(got[0]), flag) {
			t.Errorf("with %s: %s", flag, got[0])
		}
	}
	if mark := got[1]; !strings.HasPrefix(mark, markCookie+"=marked;") || !strings.Contains(mark, "path=/v1/session;") || !strings.Contains(mark, "HttpOnly; secure; SameSite=Strict") {
		t.Errorf("the browser's mark: %s", mark)
	}
	w.Desk.InsecureCookie = true
	if got := signIn(); strings.Contains(strings.ToLower(got[0]), "secure") || !strings.Contains(got[0], "HttpOnly") {
		t.Errorf("on one's own machine: %s", got)
	}
	for path, body := range map[string]string{"/v1/session": "", "/v1/sessions/end": `{"all":true}`} {
		method := map[bool]string{true: "DELETE", false: "POST"}[body == ""]
		r := w.do(t, fromPage(method, path, body, "good"))
		if c := r.header.Get("Set-Cookie"); !strings.HasPrefix(c, SessionCookie+"=;") || !strings.Contains(c, "expires=Tue, 10 Nov 2009") {
			t.Errorf("%s doesn't take the cookie away: %q", path, c)
		}
	}
}

func TestAKnownBrowserShowsItsMark(t *testing.T) {
	w, s := newDesk(t)
	req := fromPage("POST", "/v1/session", `{"login":"chief","password":"p","totp":"1","mark":"x","Mark":"y"}`, "")
	req.AddCookie(&http.Cookie{Name: markCookie, Value: "+marked"})
	w.do(t, req)
	if !slices.Equal(s.asked, []string{"sign in chief p 1 by Firefox+marked"}) {
		t.Errorf("asked %q", s.asked)
	}
}

func TestNobodyWhoFailsGetsACookie(t *testing.T) {
	w, s := newDesk(t)
	s.fails = &syncproto.Error{Code: syncproto.CodeSignInFailed}
	r := w.do(t, fromPage("POST", "/v1/session", `{"login":"chief","password":"p","totp":"1"}`, ""))
	if r.problem(t).Code != syncproto.CodeSignInFailed || r.header.Get("Set-Cookie") != "" || strings.Contains(string(r.body), "chief") {
		t.Errorf("%d %v %s", r.status, r.header, r.body)
	}
	if r.header.Get("WWW-Authenticate") != "" {
		t.Error("the browser would ask for a password itself")
	}
}

func TestAnotherSiteCanAskForNothing(t *testing.T) {
	for name, c := range map[string]struct {
		header map[string]string
		good   bool
	}{
		"our page, an old browser":          {map[string]string{PageHeader: "1"}, true},
		"our page, its origin told":         {map[string]string{PageHeader: "1", "Origin": "http://example.com"}, true},
		"our page behind a proxy":           {map[string]string{PageHeader: "1", "Origin": "https://grid.example", "Sec-Fetch-Site": "same-origin"}, true},
		"no header of ours":                 {map[string]string{"Sec-Fetch-Site": "same-origin"}, false},
		"another site":                      {map[string]string{PageHeader: "1", "Sec-Fetch-Site": "cross-site"}, false},
		"a neighbour":                       {map[string]string{PageHeader: "1", "Sec-Fetch-Site": "same-site"}, false},
		"another origin":                    {map[string]string{PageHeader: "1", "Origin": "https://evil.example"}, false},
		"another origin that begins as we":  {map[string]string{PageHeader: "1", "Origin": "http://example.com.evil.example"}, false},
		"a page that has no origin":         {map[string]string{PageHeader: "1", "Origin": "null"}, false},
		"another origin, and a good header": {map[string]string{PageHeader: "1", "Origin": "http://example.com", "Sec-Fetch-Site": "cross-site"}, false},
	} {
		for _, at := range []struct{ method, path, body string }{
			{"POST", "/v1/session", `{"login":"chief","password":"p","totp":"1"}`},
			{"POST", "/v1/account", `{"token":"t"}`},
			{"DELETE", "/v1/session", ""},
			{"POST", "/v1/sessions/end", `{"all":true}`},
			{"POST", "/v1/account/password", `{}`},
			{"POST", "/v1/accounts", `{}`},
			{"POST", "/v1/review", `{}`},
		} {
			w, s := newDesk(t)
			req := httptest.NewRequest(at.method, at.path, strings.NewReader(at.body))
			req.AddCookie(&http.Cookie{Name: SessionCookie, Value: "good"})
			for k, v := range c.header {
				req.Header.Set(k, v)
			}
			r := w.do(t, req)
			turned := r.status == http.StatusForbidden && r.problem(t).Code == syncproto.CodeCrossSite
			if turned == c.good || !c.good && (len(s.asked) != 0 || r.header.Get("Set-Cookie") != "") {
				t.Errorf("%s, %s: %d %s, asked %q", name, at.path, r.status, r.body, s.asked)
			}
		}
	}
}

func TestACookieDeliversNothingAndATokenSitsAtNoDesk(t *testing.T) {
	w, s := newDesk(t)
	sync := fromPage("POST", "/v1/sync", string(syncBody()), "good")
	if r := w.do(t, sync); r.status != http.StatusUnauthorized {
		t.Errorf("a sync with a cookie: %d", r.status)
	}
	for _, at := range []struct{ method, path string }{
		{"GET", "/v1/session"}, {"DELETE", "/v1/session"}, {"GET", "/v1/sessions"}, {"POST", "/v1/sessions/end"}, {"POST", "/v1/accounts"}, {"POST", "/v1/account/password"},
	} {
		req := w.request(t, at.method, at.path, []byte(`{}`))
		req.Header.Set(PageHeader, "1")
		if r := w.do(t, req); r.status != http.StatusUnauthorized {
			t.Errorf("%s %s with a device's token: %d", at.method, at.path, r.status)
		}
		if r := w.do(t, fromPage(at.method, at.path, `{}`, "another")); r.status != http.StatusUnauthorized {
			t.Errorf("%s %s with another cookie: %d", at.method, at.path, r.status)
		}
	}
	if len(s.asked) != 0 {
		t.Errorf("asked %q", s.asked)
	}
}

func TestMeIsWhatHoldsNow(t *testing.T) {
	w, _ := newDesk(t)
	r := w.do(t, fromPage("GET", "/v1/session", "", "good"))
	var me Me
	if err := json.Unmarshal(r.body, &me); err != nil || r.status != http.StatusOK {
		t.Fatal(r.status, err)
	}
	if me.Author != (syncproto.AuthorID{1}) || me.Login != "chief" || len(me.Grants) != 2 || me.Grants[1].AreaName != "一网格" || me.Grants[1].Role != identity.Secretary {
		t.Errorf("%s", r.body)
	}
	if !slices.Equal(me.Reach[identity.Enrol], []syncproto.AreaID{"g1"}) || !slices.Equal(me.Reach[identity.Read], []syncproto.AreaID{"33.07-a_b"}) || me.Reach[identity.Operate] != nil {
		t.Errorf("reach %v", me.Reach)
	}
	for _, hidden := range []string{`"34"`, "township", "安徽"} {
		if bytes.Contains(r.body, []byte(hidden)) {
			t.Errorf("it tells of %s, which is over: %s", hidden, r.body)
		}
	}
}

// lockedFor3s is a lock as a service tells it.
type lockedFor3s struct{}

func (lockedFor3s) Error() string             { return "locked" }
func (lockedFor3s) Unwrap() error             { return &syncproto.Error{Code: syncproto.CodeLocked} }
func (lockedFor3s) RetryAfter() time.Duration { return 2001 * time.Millisecond }

func TestALockSaysForHowLong(t *testing.T) {
	w, s := newDesk(t)
	s.fails = fmt.Errorf("console: %w", lockedFor3s{})
	r := w.do(t, fromPage("POST", "/v1/session", `{"login":"chief","password":"p","totp":"1"}`, ""))
	if r.status != http.StatusTooManyRequests || r.problem(t).Code != syncproto.CodeLocked || r.header.Get("Retry-After") != "3" {
		t.Errorf("%d %v %s", r.status, r.header, r.body)
	}
}

func TestBadBodiesAreTurnedAwayBeforeAnybodyIsAsked(t *testing.T) {
	for body, want := range map[string]syncproto.Code{
		"": syncproto.CodeMalformed, "{": syncproto.CodeMalformed, `{"login":1}`: syncproto.CodeBadRequest, `[]`: syncproto.CodeBadRequest,
		`{"login":"` + strings.Repeat("a", smallBody) + `"}`: syncproto.CodeBodyTooLarge,
	} {
		w, s := newDesk(t)
		r := w.do(t, fromPage("POST", "/v1/session", body, ""))
		if got := r.problem(t).Code; got != want || len(s.asked) != 0 {
			t.Errorf("%.20q: %s, asked %q", body, got, s.asked)
		}
	}
}

func TestWithoutADeskNobodySignsIn(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/v1/session", "/v1/account"} {
		if r := w.do(t, fromPage("POST", path, `{}`, "good")); r.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	if r := w.do(t, fromPage("GET", "/v1/session", "", "good")); r.status != http.StatusUnauthorized {
		t.Errorf("who am I: %d", r.status)
	}
}

func TestThePageIsTiedToTLSWhereOneOfOurProxiesSaysSo(t *testing.T) {
	w := newWorld(t)
	page := func(proto string) http.Header {
		req := httptest.NewRequest(http.MethodGet, "/", nil)
		req.Header.Set("X-Forwarded-Proto", proto)
		return w.do(t, req).header
	}
	if h := page("https"); h.Get("Strict-Transport-Security") != "" {
		t.Error("a stranger ties the page to TLS")
	}
	w.limiter.proxies = proxies{netip.MustParsePrefix("0.0.0.0/0")}
	if h := page("http"); h.Get("Strict-Transport-Security") != "" {
		t.Error("without TLS")
	}
	h := page("https")
	if h.Get("Strict-Transport-Security") != "max-age=31536000" {
		t.Error("not with TLS before it")
	}
	for name, want := range map[string]string{"Cross-Origin-Opener-Policy": "same-origin", "X-Frame-Options": "DENY", "Permissions-Policy": "camera=()"} {
		if !strings.HasPrefix(h.Get(name), want) {
			t.Errorf("%s: %q", name, h.Get(name))
		}
	}
}
