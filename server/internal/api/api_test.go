package api

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"gridsync/server/internal/area"
	"gridsync/server/internal/audit"
	"gridsync/server/internal/desk"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/privacy"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

var (
	noon    = time.Date(2020, 1, 31, 4, 0, 0, 0, time.UTC)
	ours    = syncproto.DeviceID{1}
	revoked = syncproto.DeviceID{2}
	unknown = syncproto.DeviceID{3}
	another = syncproto.DeviceID{4} // of a volunteer of the other county
	two     = syncproto.DeviceID{5} // of a volunteer of two grids
)

// world is an API over services that answer what the test says, and a real
// registry, directory and verifier.
type world struct {
	*API
	*services
	key ed25519.PrivateKey
	now time.Time
	log *lines
}

// lines takes what is written from many goroutines: a file that leaves is logged by its own.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lines) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}

// services are the services as the API sees them.
type services struct {
	answer   func(context.Context, syncproto.DeviceID, *syncproto.Request) (*syncproto.Answer, error)
	waiting  int
	estimate time.Duration
	ping     error
	asked    string
	// orders are those of the last request, results and fails what is answered.
	orders  []desk.Order
	results []desk.Result
	fails   error
	store   *people
	// shows is the roster that is answered, noted what was noted; deaf makes noting fail.
	shows  []roster.Row
	noting sync.Mutex
	noted  []audit.Entry
	deaf   error
}

func (s *services) Note(_ context.Context, entries ...audit.Entry) error {
	s.noting.Lock() // files leave side by side
	defer s.noting.Unlock()
	s.noted = append(s.noted, entries...)
	return s.deaf
}

func (s *services) Sync(ctx context.Context, d syncproto.DeviceID, r *syncproto.Request) (*syncproto.Answer, error) {
	return s.answer(ctx, d, r)
}

func (s *services) Enter(context.Context, exchange.Entry) (exchange.Entered, error) {
	return exchange.Entered{}, s.fails
}

func (s *services) Queue() (int, time.Duration) { return s.waiting, s.estimate }

func (s *services) Ping(context.Context) error { return s.ping }

func (s *services) Series(context.Context, syncproto.AreaID, []string, rollup.Days, bool) (*rollup.Series, error) {
	return &rollup.Series{}, nil
}

func (s *services) Summary(_ context.Context, id syncproto.AreaID, days rollup.Days, _ syncproto.Instant) (*rollup.Summary, error) {
	s.asked = "summary " + string(id) + " " + days.To.String()
	return &rollup.Summary{Area: id, Day: days.To.String()}, nil
}

func (s *services) Published(_ context.Context, id syncproto.AreaID, day form.Day, small int64) (*rollup.Published, error) {
	s.asked = fmt.Sprintf("published %s %s %d", id, day, small)
	return &rollup.Published{}, nil
}

func (s *services) AuditLines(_ context.Context, want audit.Want, before int64, limit int) ([]audit.Line, int64, error) {
	s.asked = fmt.Sprintf("audit %v %v %s %d %d", want.Areas, want.Who, want.Act, before, limit)
	return nil, 0, nil
}

func (s *services) AuditOf(_ context.Context, record syncproto.RecordID, before int64, limit int) ([]audit.Line, error) {
	s.asked = fmt.Sprintf("seen %v %d %d", record, before, limit)
	return nil, nil
}

func (s *services) Where(_ context.Context, record syncproto.RecordID) (desk.Whereabouts, error) {
	return desk.Whereabouts{Stands: "g1", Areas: []syncproto.AreaID{"g1"}}, s.fails
}

func (s *services) List(_ context.Context, id syncproto.AreaID, kind syncproto.Kind, after string, limit int) (*roster.Page, error) {
	s.asked = strings.Join([]string{"roster", string(id), string(kind), after, statusText(limit)}, " ")
	return &roster.Page{Rows: append([]roster.Row{}, s.shows...)}, nil
}

func (s *services) Diff(_ context.Context, a, b syncproto.RecordID, id syncproto.AreaID, after string, limit int) (*roster.Diff, error) {
	s.asked = strings.Join([]string{"diff", a.String(), b.String(), string(id), after, statusText(limit)}, " ")
	return &roster.Diff{}, nil
}

func (s *services) Open(_ context.Context, id syncproto.AreaID, want desk.Want, after string, limit int) (*desk.Page, error) {
	s.asked = strings.Join([]string{"review", string(id), string(want.Kind), want.Assignee.String(), after, statusText(limit)}, " ")
	return &desk.Page{}, nil
}

func (s *services) Case(_ context.Context, item syncproto.RecordID, caller desk.Caller) (*desk.Case, error) {
	s.asked = strings.Join([]string{"case", item.String(), who(caller)}, " ")
	return &desk.Case{}, s.fails
}

func (s *services) Order(_ context.Context, author syncproto.AuthorID, orders []desk.Order, caller desk.Caller) ([]desk.Result, error) {
	s.asked = strings.Join([]string{"order", author.String(), statusText(len(orders)), who(caller)}, " ")
	s.orders = orders
	return s.results, s.fails
}

func (s *services) Revisits(_ context.Context, id syncproto.AreaID, day form.Day, size int) (*desk.Revisits, error) {
	s.asked = strings.Join([]string{"revisits", string(id), day.String(), statusText(size)}, " ")
	return &desk.Revisits{}, nil
}

func (s *services) History(_ context.Context, record syncproto.RecordID, caller desk.Caller) (*desk.Statements, error) {
	s.asked = strings.Join([]string{"history", record.String(), who(caller)}, " ")
	return &desk.Statements{}, s.fails
}

func (s *services) Log(_ context.Context, author syncproto.AuthorID, before syncproto.Version, limit int) (*desk.Statements, error) {
	s.asked = fmt.Sprintf("log %s %d %d", author, before, limit)
	return &desk.Statements{}, nil
}

func who(caller desk.Caller) string {
	return caller.Authors[0].String() + " " + time.UnixMilli(int64(caller.Now)).UTC().Format(time.TimeOnly)
}

// people is the registry's store.
type people struct {
	revision int64
	everyone identity.Everyone
	looked   int
}

func (p *people) Revision(context.Context) (int64, error) { p.looked++; return p.revision, nil }

func (p *people) Areas(context.Context) ([]area.Node, error) {
	return []area.Node{
		{Key: 1, ID: "33", Name: "浙江省"},
		{Key: 2, ID: "33.07-a_b", Name: "金华市", Parent: "33"},
		{Key: 3, ID: "g1", Name: "一网格", Parent: "33.07-a_b"},
		{Key: 4, ID: "g2", Name: "二网格", Parent: "33.07-a_b"},
		{Key: 5, ID: "34", Name: "安徽省"},
	}, nil
}

func (p *people) Identities(context.Context) (identity.Everyone, error) { return p.everyone, nil }

func (p *people) PutAreas(context.Context, []area.Node) error { return nil }

func (p *people) AddIdentities(_ context.Context, add identity.Everyone) error {
	p.everyone.Devices = append(p.everyone.Devices, add.Devices...)
	p.revision++
	return nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{now: noon, log: new(lines)}
	seed := sha256.Sum256([]byte("ours"))
	w.key = ed25519.NewKeyFromSeed(seed[:])
	one, other, both := syncproto.AuthorID{1}, syncproto.AuthorID{2}, syncproto.AuthorID{3}
	w.services = &services{store: &people{everyone: identity.Everyone{
		Devices: []identity.Device{
			{ID: ours, Authors: []syncproto.AuthorID{one}},
			{ID: revoked, Authors: []syncproto.AuthorID{one}, Standing: identity.Standing{Status: identity.Lost}},
			{ID: another, Authors: []syncproto.AuthorID{other}},
			{ID: two, Authors: []syncproto.AuthorID{both}},
		},
		Authors: []identity.Author{{ID: one}, {ID: other}, {ID: both}},
		Grants: []identity.Grant{
			{Author: one, Area: "33.07-a_b", Role: identity.Volunteer},
			{Author: other, Area: "34", Role: identity.Volunteer},
			{Author: both, Area: "g1", Role: identity.Volunteer},
			{Author: both, Area: "g2", Role: identity.Volunteer},
		},
	}}}
	w.answer = func(context.Context, syncproto.DeviceID, *syncproto.Request) (*syncproto.Answer, error) {
		return &syncproto.Answer{Protocol: 1, Cursor: "c"}, nil
	}
	reg, err := registry.Open(context.Background(), w.store, form.Set{})
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return w.now }
	w.API, err = New(Config{
		Exchange: w.services, Summaries: w.services, Rosters: w.services, Rounds: w.services, Questions: w.services, Histories: w.services,
		Health: w.services, Registry: reg, Lenses: privacy.NewMaker(nil), Audit: w.services, Audits: w.services, Whereabouts: w.services, Small: 5,
		Tokens: identity.NewVerifier([]ed25519.PublicKey{w.key.Public().(ed25519.PublicKey)}, clock),
		Page: fstest.MapFS{
			"index.html": {Data: []byte("<!doctype html>")}, "app.js": {Data: []byte("'use strict'")}, "app.css": {Data: []byte("body{}")},
		},
		Now: clock, NewReference: func() string { return "ref-1" },
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// token returns a token of a device, good for an hour.
func (w *world) token(t *testing.T, device syncproto.DeviceID) string {
	t.Helper()
	token, err := identity.NewSigner(w.key).Sign(device, syncproto.AuthorID{1}, noon, noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// reply is an answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (w *world) do(t *testing.T, req *http.Request) reply {
	t.Helper()
	res, err := w.Test(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, body}
}

// get asks with our device's token.
func (w *world) get(t *testing.T, path string) reply {
	t.Helper()
	return w.do(t, w.request(t, http.MethodGet, path, nil))
}

func (w *world) request(t *testing.T, method, path string, body []byte) *http.Request {
	t.Helper()
	req := httptest.NewRequest(method, path, bytes.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+w.token(t, ours))
	return req
}

// syncBody is a good request of our device.
func syncBody() []byte {
	return []byte(`{"protocol":1,"device":"` + ours.String() + `","clock":1580443200000,"high":0,"unsent":0}`)
}

func (r reply) problem(t *testing.T) Problem {
	t.Helper()
	var p Problem
	if err := json.Unmarshal(r.body, &p); err != nil {
		t.Fatalf("status %d, body %q: %v", r.status, r.body, err)
	}
	return p
}

func TestAnAnswerLeavesAsItsAuthorsWroteIt(t *testing.T) {
	w := newWorld(t)
	w.answer = func(_ context.Context, d syncproto.DeviceID, r *syncproto.Request) (*syncproto.Answer, error) {
		if d != ours || r.Clock != 1580443200000 {
			t.Errorf("device %v, request %+v", d, r)
		}
		return &syncproto.Answer{Records: []syncproto.Record{{Live: []syncproto.Part{{
			Fields: syncproto.Fields{"note": "\"<b>&\u2028\"", "n": "1.50"},
		}}}}}, nil
	}
	r := w.do(t, w.request(t, http.MethodPost, "/v1/sync", syncBody()))
	if r.status != http.StatusOK || !bytes.Contains(r.body, []byte("{\"n\":1.50,\"note\":\"<b>&\u2028\"}")) {
		t.Errorf("%d %s", r.status, r.body)
	}
	if got := r.header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("content type %q", got)
	}
}

func TestReadsPassOnWhatTheyWereAsked(t *testing.T) {
	a, b := syncproto.RecordID{1}.String(), syncproto.RecordID{2}.String()
	nobody := syncproto.AuthorID{}.String()
	for path, want := range map[string]string{
		"/v1/areas/g1/summary":                                                   "summary g1 2020-01-31",
		"/v1/areas/g1/summary?day=2020-01-02":                                    "summary g1 2020-01-02",
		"/v1/areas/33.07-a_b/summary":                                            "summary 33.07-a_b 2020-01-31",
		"/v1/areas/%67%31/summary":                                               "summary g1 2020-01-31",
		"/v1/areas/g1/roster":                                                    "roster g1   0",
		"/v1/areas/g1/roster?kind=person&after=3.9&limit=500":                    "roster g1 person 3.9 500",
		"/v1/areas/g2/review?after=9&limit=1":                                    "review g2  " + nobody + " 9 1",
		"/v1/areas/g2/review?kind=exit&assignee=" + a:                            "review g2 exit " + a + "  0",
		"/v1/review/" + a:                                                        "case " + a + " " + ours.String() + " 04:00:00",
		"/v1/areas/g1/revisits":                                                  "revisits g1 2020-01-31 0",
		"/v1/areas/g1/revisits?day=2020-01-02&size=100":                          "revisits g1 2020-01-02 100",
		"/v1/records/" + a + "/history":                                          "history " + a + " " + ours.String() + " 04:00:00",
		"/v1/log?author=" + a:                                                    "log " + a + " 0 0",
		"/v1/log?author=" + a + "&before=9&limit=20":                             "log " + a + " 9 20",
		"/v1/rounds/" + a + "/diff/" + b:                                         "diff " + a + " " + b + " 33.07-a_b  0",
		"/v1/rounds/" + a + "/diff/" + b + "?area=g1&after=" + a + "&limit=20":   "diff " + a + " " + b + " g1 " + a + " 20",
		"/v1/rounds/" + strings.ToUpper(a) + "/diff/" + b + "?limit=7&unknown=1": "diff " + a + " " + b + " 33.07-a_b  7",
	} {
		w := newWorld(t)
		if r := w.get(t, path); r.status != http.StatusOK || w.asked != want {
			t.Errorf("%s: status %d, asked %q, want %q", path, r.status, w.asked, want)
		}
	}
}

func TestTodayIsTodayInChina(t *testing.T) {
	w := newWorld(t)
	w.now = noon.Add(12*time.Hour + time.Minute) // 00:01 of the next day there
	token, err := identity.NewSigner(w.key).Sign(ours, syncproto.AuthorID{1}, noon, noon.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequest(http.MethodGet, "/v1/areas/g1/summary", nil)
	req.Header.Set("Authorization", "bearer "+token)
	if w.do(t, req); w.asked != "summary g1 2020-02-01" {
		t.Errorf("asked %q", w.asked)
	}
}

func TestAreasAreThoseOfTheScope(t *testing.T) {
	w := newWorld(t)
	r := w.get(t, "/v1/areas")
	want := `{"areas":[{"id":"33.07-a_b","name":"金华市"},{"id":"g1","name":"一网格","parent":"33.07-a_b"},{"id":"g2","name":"二网格","parent":"33.07-a_b"}]}`
	if string(r.body) != want {
		t.Errorf("got %s", r.body)
	}
	for _, hidden := range []string{"浙江省", "安徽省", `"33"`} {
		if strings.Contains(string(r.body), hidden) {
			t.Errorf("it tells of %s", hidden)
		}
	}
}

func TestADeviceAddedAMomentAgoIsLetIn(t *testing.T) {
	w := newWorld(t)
	ask := func() int {
		req := httptest.NewRequest(http.MethodGet, "/v1/areas", nil)
		req.Header.Set("Authorization", "Bearer "+w.token(t, unknown))
		return w.do(t, req).status
	}
	if got := ask(); got != http.StatusUnauthorized {
		t.Fatalf("unknown device: %d", got)
	}
	if err := w.store.AddIdentities(context.Background(), identity.Everyone{Devices: []identity.Device{{ID: unknown}}}); err != nil {
		t.Fatal(err)
	}
	looked := w.store.looked
	if got := ask(); got != http.StatusUnauthorized || w.store.looked != looked {
		t.Errorf("at the same moment: %d, looked %d times", got, w.store.looked-looked)
	}
	w.now = w.now.Add(lookAgain)
	if got := ask(); got != http.StatusOK {
		t.Errorf("a moment later: %d", got)
	}
}

func TestAFullQueueSaysWhenToComeAgain(t *testing.T) {
	for estimate, want := range map[time.Duration]string{
		0: "1", time.Millisecond: "1", time.Second: "1", 1001 * time.Millisecond: "2", time.Minute: "60",
	} {
		w := newWorld(t)
		w.estimate = estimate
		w.answer = func(context.Context, syncproto.DeviceID, *syncproto.Request) (*syncproto.Answer, error) {
			return nil, &syncproto.Error{Code: syncproto.CodeBusy}
		}
		r := w.do(t, w.request(t, http.MethodPost, "/v1/sync", syncBody()))
		if r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") != want {
			t.Errorf("%v: status %d, retry after %q", estimate, r.status, r.header.Get("Retry-After"))
		}
	}
}

func TestSyncHasADeadline(t *testing.T) {
	w := newWorld(t)
	w.answer = func(ctx context.Context, _ syncproto.DeviceID, _ *syncproto.Request) (*syncproto.Answer, error) {
		if _, ok := ctx.Deadline(); !ok {
			t.Error("none")
		}
		return nil, context.DeadlineExceeded
	}
	r := w.do(t, w.request(t, http.MethodPost, "/v1/sync", syncBody()))
	if p := r.problem(t); p.Code != syncproto.CodeBusy || r.header.Get("Retry-After") == "" {
		t.Errorf("%d %+v", r.status, p)
	}
}

func TestThePageRunsItsOwnScriptAlone(t *testing.T) {
	w := newWorld(t)
	for path, media := range map[string]string{
		"/": "text/html; charset=utf-8", "/page/app.js": "text/javascript; charset=utf-8", "/page/app.css": "text/css; charset=utf-8",
	} {
		r := w.do(t, httptest.NewRequest(http.MethodGet, path, nil))
		if r.status != http.StatusOK || r.header.Get("Content-Type") != media || len(r.body) == 0 {
			t.Errorf("%s: %d %v", path, r.status, r.header)
		}
		policy := r.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
	w.Page = nil
	if r := w.do(t, httptest.NewRequest(http.MethodGet, "/", nil)); r.problem(t).Code != syncproto.CodeNotFound {
		t.Errorf("without a page: %d", r.status)
	}
}

func TestHealth(t *testing.T) {
	w := newWorld(t)
	get := func(path string) reply { return w.do(t, httptest.NewRequest(http.MethodGet, path, nil)) }
	if r := get("/readyz"); r.status != http.StatusOK {
		t.Errorf("ready: %d", r.status)
	}
	w.ping = io.ErrUnexpectedEOF
	if r := get("/readyz"); r.status == http.StatusOK || strings.Contains(string(r.body), "EOF") {
		t.Errorf("not ready: %d %s", r.status, r.body)
	}
	if r := get("/healthz"); r.status != http.StatusOK {
		t.Errorf("alive: %d", r.status)
	}
}

func TestMetricsCountRequestsAndVerdicts(t *testing.T) {
	w := newWorld(t)
	w.waiting = 7
	w.answer = func(context.Context, syncproto.DeviceID, *syncproto.Request) (*syncproto.Answer, error) {
		return &syncproto.Answer{Verdicts: []syncproto.Verdict{
			{Verdict: syncproto.Applied}, {Verdict: syncproto.Parked}, {Verdict: syncproto.Applied},
		}}, nil
	}
	w.do(t, w.request(t, http.MethodPost, "/v1/sync", syncBody()))
	w.get(t, "/v1/areas/34/summary")
	w.get(t, "/nowhere")
	text := string(w.do(t, httptest.NewRequest(http.MethodGet, "/metrics", nil)).body)
	for _, line := range []string{
		`gridsync_requests_total{route="sync",status="200"} 1`,
		`gridsync_requests_total{route="summary",status="403"} 1`,
		`gridsync_requests_total{route="none",status="404"} 1`,
		`gridsync_changes_total{verdict="applied"} 2`,
		`gridsync_changes_total{verdict="parked"} 1`,
		`gridsync_queue_waiting 7`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
}

func TestTheLogNamesNoPersonAndNoQuery(t *testing.T) {
	w := newWorld(t)
	w.get(t, "/v1/areas/g1/roster?after=13800000000&kind=secretkind")
	w.get(t, "/v1/areas/nowhere-at-all/summary")
	log := w.log.String()
	if !strings.Contains(log, "route=roster status=200") || !strings.Contains(log, "route=summary status=403") {
		t.Fatalf("log: %s", log)
	}
	for _, hidden := range []string{"13800000000", "secretkind", "nowhere", w.token(t, ours)[:40]} {
		if strings.Contains(log, hidden) {
			t.Errorf("the log holds %q: %s", hidden, log)
		}
	}
}
