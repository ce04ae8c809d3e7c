package clientsdk_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"gridsync/clientsdk"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/merge"
)

// fake is a small server that speaks the protocol from memory, and fails in every
// way that a test asks for.
type fake struct {
	mu      sync.Mutex
	url     string
	http    *httptest.Server
	epoch   syncproto.Epoch
	now     syncproto.Instant
	version syncproto.Version
	log     map[syncproto.DeviceID]map[uint64]*stored
	records map[syncproto.RecordID]*fakeRecord
	gone    []syncproto.Gone
	// told is what the authors of each device are told.
	told map[syncproto.DeviceID][]syncproto.Told
	// pageRecords bounds a page; 0 for no bound.
	pageRecords int
	areas       []syncproto.AreaID
	forms       []json.RawMessage
	left        []syncproto.AreaID
	// refuse and park say what to do with a change, nil for nothing.
	refuse, park func(*syncproto.Change) *syncproto.Error
	// lie alters each answer.
	lie func(*syncproto.Answer)
	// faults are met one by one, the first first.
	faults []fault
	// seen are the requests that were read, bodies their decompressed bytes.
	seen   []syncproto.Request
	bodies []string
	// office lets phones in; revoked devices only deliver.
	office  *office
	revoked map[syncproto.DeviceID]bool
}

type stored struct {
	hash    syncproto.Hash
	change  syncproto.Change
	time    syncproto.Instant
	version syncproto.Version
	outcome syncproto.Outcome
	reason  *syncproto.Error
}

type fakeRecord struct {
	syncproto.Record
	all []syncproto.Part
}

// fault alters how a request is answered; it says whether next has been called.
type fault func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc)

func newFake(t testing.TB) *fake {
	f := &fake{
		epoch: syncproto.Epoch(id(9000)), now: start, log: map[syncproto.DeviceID]map[uint64]*stored{},
		records: map[syncproto.RecordID]*fakeRecord{}, told: map[syncproto.DeviceID][]syncproto.Told{}, areas: []syncproto.AreaID{grid1, grid2},
	}
	f.http = httptest.NewServer(http.HandlerFunc(f.serve))
	f.url = f.http.URL
	if t != nil {
		t.Cleanup(f.http.Close)
	}
	return f
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	answer := f.sync
	switch r.URL.Path {
	case "/v1/enrol/look":
		answer = f.look
	case "/v1/enrol":
		answer = f.enrol
	case "/v1/token":
		answer = f.token
	case "/v1/undertaking":
		answer = f.show
	}
	if len(f.faults) > 0 {
		next := f.faults[0]
		f.faults = f.faults[1:]
		next(w, r, answer)
		return
	}
	answer(w, r)
}

// fail makes the next requests meet faults.
func (f *fake) fail(faults ...fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, faults...)
}

func cut(w http.ResponseWriter, sent []byte) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = conn.Write(sent) // the other side may be gone: that is the point
	_ = conn.Close()
}

// loseRequest closes the connection before anything is done.
func loseRequest(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) { cut(w, nil) }

// loseAnswer does the work and never says so.
func loseAnswer(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	next(httptest.NewRecorder(), r)
	cut(w, nil)
}

// cutAnswer does the work and sends all but the last bytes of the answer.
func cutAnswer(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	rec := httptest.NewRecorder()
	next(rec, r)
	body := rec.Body.Bytes()
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", len(body))
	cut(w, append([]byte(head), body[:len(body)-9]...))
}

// say answers with a status and an error.
func say(status int, code syncproto.Code, header ...string) fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(&syncproto.Error{Code: code})
	}
}

func (f *fake) sync(w http.ResponseWriter, r *http.Request) {
	if f.office != nil && !f.admits(w, r) {
		return
	}
	body := must(io.ReadAll(must(gzip.NewReader(r.Body))))
	var req syncproto.Request
	if err := json.Unmarshal(body, &req); err != nil {
		panic(err)
	}
	f.seen = append(f.seen, req)
	f.bodies = append(f.bodies, string(body))
	answer := f.answer(&req)
	if f.lie != nil {
		f.lie(answer)
	}
	if r.Header.Get("Accept-Encoding") != "gzip" || f.office == nil && r.Header.Get("Authorization") != "Bearer token" {
		panic(fmt.Sprint("headers: ", r.Header))
	}
	w.Header().Set("Content-Encoding", "gzip")
	zip := gzip.NewWriter(w)
	enc := json.NewEncoder(zip)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(answer)
	_ = zip.Close()
}

func (f *fake) answer(req *syncproto.Request) *syncproto.Answer {
	a := &syncproto.Answer{Protocol: syncproto.Protocol, Epoch: f.epoch, Now: f.now, Left: f.left}
	for _, raw := range req.Changes {
		a.Verdicts = append(a.Verdicts, f.take(raw, req))
	}
	a.Receipt = f.receipt(req.Device)
	if f.revoked[req.Device] {
		a.Notice, a.Left = &syncproto.Error{Code: syncproto.CodeDeviceRevoked}, f.areas
	}
	if req.Deliver || f.revoked[req.Device] {
		a.Cursor = req.Cursor
		return a
	}
	from, err := strconv.ParseInt(strings.TrimPrefix(req.Cursor, f.epoch.String()+"/"), 10, 64)
	if req.Cursor != "" && err != nil {
		a.Reset, a.Notice = true, &syncproto.Error{Code: syncproto.CodeCursorForeign}
	}
	if req.Cursor == "" {
		a.Forms = f.forms
		for _, area := range f.areas {
			a.Areas = append(a.Areas, syncproto.Area{ID: area, Name: "网格" + string(area)})
		}
	}
	a.Restarted = append(a.Restarted, req.Restart...)
	f.page(a, syncproto.Version(from))
	for _, t := range f.told[req.Device] {
		if t.Version > syncproto.Version(from) {
			a.Told = append(a.Told, t)
		}
	}
	return a
}

// page adds the records after a version, and those of restarted areas.
func (f *fake) page(a *syncproto.Answer, from syncproto.Version) {
	var page []syncproto.Record
	for _, r := range f.records {
		again := slices.Contains(a.Restarted, r.Area) && r.Version <= from
		if again {
			a.Records = append(a.Records, r.Record)
		}
		if r.Version > from && !slices.Contains(f.left, r.Area) {
			page = append(page, r.Record)
		}
	}
	slices.SortFunc(page, func(x, y syncproto.Record) int { return int(x.Version - y.Version) })
	to := f.version
	if f.pageRecords > 0 && len(page) > f.pageRecords {
		page, a.More = page[:f.pageRecords], true
		to = page[len(page)-1].Version
	}
	a.Records = append(a.Records, page...)
	for _, g := range f.gone {
		if g.Version > from && g.Version <= to {
			a.Gone = append(a.Gone, g)
		}
	}
	a.Cursor = fmt.Sprintf("%s/%d", f.epoch, to)
	if a.More {
		return
	}
	a.Sums = make(map[syncproto.AreaID]syncproto.Sum)
	for _, area := range f.areas {
		var sum syncproto.Sum
		for _, r := range f.records {
			if r.Area == area {
				sum += syncproto.RowSum(r.ID, r.Version)
			}
		}
		a.Sums[area] = sum
	}
}

func (f *fake) take(raw json.RawMessage, req *syncproto.Request) syncproto.Verdict {
	if s, sealed := syncproto.SealedIn(raw); sealed {
		opened, err := syncproto.OpenSealed([]syncproto.BoxKey{f.office.box}, req.Device, s)
		if err != nil {
			return syncproto.Verdict{N: s.N, Verdict: syncproto.Refused, Reason: err.(*syncproto.Error)}
		}
		raw = opened
	}
	c, err := syncproto.DecodeChange(raw, req.Device)
	v := syncproto.Verdict{N: c.N, Verdict: syncproto.Refused}
	if err != nil {
		v.Reason = err.(*syncproto.Error)
		return v
	}
	if f.log[c.Device] == nil {
		f.log[c.Device] = map[uint64]*stored{}
	}
	if old := f.log[c.Device][c.N]; old != nil {
		if old.hash != c.Hash() {
			v.Reason = &syncproto.Error{Code: syncproto.CodeNReused}
			return v
		}
		return syncproto.Verdict{N: c.N, Verdict: syncproto.Duplicate, First: old.outcome, Version: old.version, Reason: old.reason}
	}
	if f.refuse != nil {
		if v.Reason = f.refuse(&c); v.Reason != nil {
			return v
		}
	}
	f.resubmit(must(c.Answers()))
	s := &stored{hash: c.Hash(), change: c, time: c.At + f.now - req.Clock, outcome: syncproto.Parked}
	f.log[c.Device][c.N] = s
	if f.park != nil {
		s.reason = f.park(&c)
	}
	if s.reason == nil {
		f.commit(s)
	}
	return syncproto.Verdict{N: c.N, Verdict: s.outcome, Version: s.version, Reason: s.reason}
}

// find returns a stored change by its id, nil if there is none.
func (f *fake) find(id syncproto.ChangeID) *stored {
	for _, held := range f.log {
		for _, s := range held {
			if s.change.ID == id {
				return s
			}
		}
	}
	return nil
}

// resubmit notes that a returned change has its answer.
func (f *fake) resubmit(id syncproto.ChangeID) {
	if s := f.find(id); s != nil && s.version == 0 {
		s.reason = &syncproto.Error{Code: syncproto.CodeResubmitted}
	}
}

// tell tells a device how a question about its change n ended.
func (f *fake) tell(device syncproto.DeviceID, n uint64, item string, said syncproto.Said, reason string) {
	f.version++
	c := &f.log[device][n].change
	f.told[device] = append(f.told[device], syncproto.Told{
		Version: f.version, At: f.now, N: n, Author: c.Author, Kind: c.Kind, Record: c.Record,
		Item: item, Said: said, By: author(99), Reason: reason,
	})
}

// giveBack returns a parked change to its author.
func (f *fake) giveBack(device syncproto.DeviceID, n uint64, reason string) {
	f.log[device][n].reason = &syncproto.Error{Code: syncproto.CodeReturned}
	f.tell(device, n, syncproto.ItemParked, syncproto.SaidReturned, reason)
}

// commit puts a stored change into its record.
func (f *fake) commit(s *stored) {
	c := &s.change
	f.version++
	s.version, s.reason = f.version, nil
	r := f.records[c.Record]
	if r == nil {
		r = &fakeRecord{Record: syncproto.Record{ID: c.Record, Kind: c.Kind}}
		f.records[c.Record] = r
	}
	p := must(c.Part(s.version, s.version-1, syncproto.Stamp{Time: s.time, Earliest: s.time, Latest: f.now}))
	r.all = append(r.all, p)
	r.Live = merge.Fold(builtIn.Newest(r.Kind), r.all)
	view := merge.Show(builtIn.Newest(r.Kind), r.Live)
	if r.Area != "" && view.Area != r.Area {
		f.gone = append(f.gone, syncproto.Gone{Record: r.ID, Kind: r.Kind, Area: r.Area, Version: s.version})
	}
	r.Area, r.Version = view.Area, s.version
	s.outcome = merge.Outcome(r.Live, view, &p)
}

func (f *fake) receipt(device syncproto.DeviceID) syncproto.Receipt {
	var r syncproto.Receipt
	held := f.log[device]
	for n, s := range held {
		r.Through = max(r.Through, n)
		r.Held++
		r.Digest = r.Digest.Add(s.hash)
		if s.version == 0 {
			r.Parked = append(r.Parked, syncproto.Waiting{N: n, Code: s.reason.Code})
		}
	}
	slices.SortFunc(r.Parked, func(a, b syncproto.Waiting) int { return cmp.Compare(b.N, a.N) })
	r.Parked = r.Parked[:min(len(r.Parked), syncproto.MaxParked)]
	for n := uint64(1); n < r.Through; n++ {
		if held[n] == nil && len(r.Missing) < syncproto.MaxMissing {
			r.Missing = append(r.Missing, syncproto.Span{From: n, To: n})
		}
	}
	return r
}

// Fixed points of the tests' world: all of it is generated.
const (
	grid1 = syncproto.AreaID("330702001001")
	grid2 = syncproto.AreaID("330702001002")
	start = syncproto.Instant(1580688000000) // 2020-02-03T08:00:00+08:00
)

func id(n uint64) uuid.UUID {
	return uuid.MustParse(fmt.Sprintf("0170086b-0000-7000-8000-%012x", n))
}

// phone is a client whose clock, ids and waits are the test's.
type phone struct {
	*clientsdk.Client
	alice, bob *clientsdk.Author
	path       string
	opt        clientsdk.Options
	// now is its clock, waits what it waited for.
	now   time.Time
	waits []time.Duration
	ids   uint64
}

var builtIn = must(form.BuiltIn())

var background = context.Background()

// newPhone opens phone number k. Adjust, if given, alters its options first.
func newPhone(t testing.TB, f *fake, k uint64, adjust ...func(*clientsdk.Options)) *phone {
	t.Helper()
	p := &phone{path: filepath.Join(t.TempDir(), "phone.db"), now: time.UnixMilli(int64(start)), ids: k * 1_000_000}
	p.opt = clientsdk.Options{
		Server: f.url, Token: "token", Device: syncproto.DeviceID(id(100 + k)), AppName: "test/1",
		Transport: &http.Transport{}, Rand: func() float64 { return 0.5 }, Attempts: 12,
		Now:   func() time.Time { return p.now },
		NewID: func() uuid.UUID { p.ids++; return id(p.ids) },
		Wait: func(ctx context.Context, d time.Duration) error {
			p.waits = append(p.waits, d)
			return ctx.Err()
		},
	}
	for _, a := range adjust {
		a(&p.opt)
	}
	p.open(t)
	t.Cleanup(func() {
		_ = p.Close()
		p.opt.Transport.(interface{ CloseIdleConnections() }).CloseIdleConnections()
	})
	p.alice, p.bob = p.As(author(2*k)), p.As(author(2*k+1))
	return p
}

func author(k uint64) syncproto.AuthorID { return syncproto.AuthorID(id(500 + k)) }

func (p *phone) open(t testing.TB) {
	t.Helper()
	var err error
	if p.Client, err = clientsdk.Open(background, p.path, p.opt); err != nil {
		t.Fatal(err)
	}
}

// reopen closes the file without a word to the server and opens it again.
func (p *phone) reopen(t testing.TB) {
	t.Helper()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p.open(t)
	p.alice, p.bob = p.As(p.alice.ID()), p.As(p.bob.ID())
}

func (p *phone) sync(t testing.TB) clientsdk.Report {
	t.Helper()
	report, err := p.Sync(background)
	if err != nil {
		t.Fatalf("sync: %v", err)
	}
	return report
}

func (p *phone) get(t testing.TB, id syncproto.RecordID) clientsdk.Record {
	t.Helper()
	r, err := p.Get(background, id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (p *phone) status(t testing.TB) clientsdk.Status {
	t.Helper()
	s, err := p.Status(background)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// household records a household as alice.
func (p *phone) household(t testing.TB, address string) syncproto.RecordID {
	t.Helper()
	return put(t, p.alice, clientsdk.Edit{Kind: "household", Area: grid1, Fields: syncproto.Fields{
		"address": syncproto.TextValue(address), "found_on": `"2020-02-03"`,
	}})
}

func put(t testing.TB, a *clientsdk.Author, e clientsdk.Edit) syncproto.RecordID {
	t.Helper()
	id, err := a.Put(background, e)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// edit writes one text field of a record.
func edit(t testing.TB, a *clientsdk.Author, id syncproto.RecordID, field, text string) {
	t.Helper()
	put(t, a, clientsdk.Edit{Record: id, Fields: syncproto.Fields{field: syncproto.TextValue(text)}})
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// sameBytes compares what is held with what a phone's log says.
func (f *fake) holdsExactly(t testing.TB, p *phone) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	entries := must(p.Log(background))
	held := f.log[p.Device()]
	equal(t, "changes held", len(held), len(entries))
	for _, e := range entries {
		s := held[e.N]
		if s == nil || s.change.ID != e.ID || !bytes.Equal(s.change.Fields, e.Fields) || s.hash != e.Hash() {
			t.Errorf("change %d is not held as it was recorded", e.N)
		}
	}
}
