package host

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"gridsync/server/internal/hook"
	"gridsync/server/internal/hook/courier"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// receiver is another system. It answers as it is told to, and keeps what it took.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(w http.ResponseWriter, r *http.Request)
	// kept hears of each message that was taken; nil if nobody listens.
	kept  chan struct{}
	got   []parcel
	tries []string
}

// parcel is what came.
type parcel struct {
	hook.Message
	body, second, signature string
}

func receive(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	p := parcel{body: string(body), second: req.Header.Get(hook.HeaderTimestamp), signature: req.Header.Get(hook.HeaderSignature)}
	if json.Unmarshal(body, &p.Message) != nil || req.Header.Get(hook.HeaderID) != p.ID {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	r.tries = append(r.tries, p.ID)
	answer := r.answer
	r.mu.Unlock()
	status := &noted{ResponseWriter: w, status: http.StatusOK}
	if answer != nil {
		answer(status, req)
	}
	if status.status == http.StatusOK {
		r.mu.Lock()
		r.got = append(r.got, p)
		r.mu.Unlock()
		if r.kept != nil {
			r.kept <- struct{}{}
		}
	}
}

// noted remembers the status.
type noted struct {
	http.ResponseWriter
	status int
}

func (n *noted) WriteHeader(status int) {
	n.status = status
	n.ResponseWriter.WriteHeader(status)
}

func (r *receiver) answers(fn func(w http.ResponseWriter, r *http.Request)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = fn
}

func status(code int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func (r *receiver) took() []parcel {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *receiver) tried() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.tries)
}

// errand is a folder in which something has happened, and whoever takes it to others: one
// round after the other, by a clock that the test sets.
type errand struct {
	*testing.T
	*Data
	hooks
	mu  sync.Mutex
	now time.Time
}

// newErrand has fevers in the grids g1 and g2 of two towns, three in the first and two in
// the second, by turns.
func newErrand(t *testing.T) *errand {
	t.Helper()
	e := &errand{T: t, now: time.Now().Add(time.Minute)}
	dir := t.TempDir()
	s := start(t, dir)
	if _, problems, err := s.ImportAreas(t.Context(), strings.NewReader(matrixAreas)); err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	phones := map[syncproto.AreaID]*phone{"g1": newPhone(t, s, identity.Volunteer, "g1"), "g2": newPhone(t, s, identity.Volunteer, "g2")}
	if err := s.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, grid := range []syncproto.AreaID{"g1", "g2", "g1", "g2", "g1"} {
		phones[grid].tells("temperature", byte(i+1), grid, fmt.Sprintf(`{"person":%q,"value":38.6,"slot":"am","taken_at":1580432400000,"note":"王小芳"}`, syncproto.RecordID{0x99}))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := Open(t.Context(), dir, Options{Now: e.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := data.Close(); err != nil {
			t.Error(err)
		}
	})
	e.Data = data
	e.hooks = data.hooks(courier.Policy{Private: true}, slog.New(slog.DiscardHandler))
	return e
}

func (e *errand) clock() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now
}

func (e *errand) pass(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now = e.now.Add(d)
}

const testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// tells has a receiver hear of fevers of an area, from the first one on.
func (e *errand) tells(r *receiver, area syncproto.AreaID) uuid.UUID {
	e.Helper()
	h := hook.Hook{
		ID: uuid.New(), Area: area, Events: []string{"fever"}, Target: hook.Target{URL: r.URL + "/in?key=topsecret", Host: "127.0.0.1", Secret: testSecret},
	}
	if err := e.store.AddHook(e.Context(), &h); err != nil {
		e.Fatal(err)
	}
	return h.ID
}

// rounds goes round so many times, and waits each time for those who went.
func (e *errand) rounds(n int) {
	e.Helper()
	for range n {
		if err := e.worker.Round(e.Context()); err != nil {
			e.Fatal(err)
		}
		e.worker.Rest()
	}
}

func order(got []parcel) string {
	byArea := make(map[syncproto.AreaID][]string)
	for i := range got {
		byArea[got[i].Area] = append(byArea[got[i].Area], got[i].Record.String()[:2])
	}
	return fmt.Sprint(byArea)
}

const everyFever = "map[g1:[01 03 05] g2:[02 04]]"

func TestMessagesGoOutInOrderSignedAndWithoutNames(t *testing.T) {
	e := newErrand(t)
	all, town := receive(t), receive(t)
	e.tells(all, "3307")
	e.tells(town, "t1")
	e.rounds(5)
	if got := order(all.took()); got != everyFever {
		t.Errorf("the county hears %s", got)
	}
	if got := order(town.took()); got != "map[g1:[01 03 05]]" {
		t.Errorf("the town hears %s", got)
	}
	for _, p := range all.took() {
		second := int64(0)
		if _, err := fmt.Sscan(p.second, &second); err != nil || second != e.clock().Unix() {
			t.Errorf("second %q", p.second)
		}
		if want, err := hook.Sign(testSecret, p.ID, second, []byte(p.body)); err != nil || p.signature != want {
			t.Errorf("signature %q, not %q", p.signature, want)
		}
		if p.Event != "fever" || p.Kind != "temperature" || p.At == 0 || p.Version == 0 {
			t.Errorf("%s", p.body)
		}
		for _, personal := range []string{"王", "38.6", "person", "99000000", "name", "一网格"} {
			if strings.Contains(p.body, personal) {
				t.Errorf("a message holds %q: %s", personal, p.body)
			}
		}
	}
}

func TestAFailingReceiverMissesNothingAndGetsItInOrder(t *testing.T) {
	e := newErrand(t)
	r := receive(t)
	id := e.tells(r, "3307")
	r.answers(status(http.StatusInternalServerError))
	e.rounds(3)
	if r.tried() != 2 { // the first of each area, and nothing behind it
		t.Errorf("%d attempts", r.tried())
	}
	e.pass(4 * time.Second)
	e.rounds(1)
	if r.tried() != 2 {
		t.Error("tried again too soon")
	}
	r.answers(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	e.pass(2 * time.Second)
	e.rounds(1)
	e.pass(599 * time.Second)
	e.rounds(1)
	if r.tried() != 4 {
		t.Errorf("%d attempts: a receiver that asks for ten minutes has them", r.tried())
	}
	r.answers(nil)
	e.pass(2 * time.Second)
	e.rounds(5)
	if got := order(r.took()); got != everyFever {
		t.Errorf("it got %s", got)
	}
	sent, err := e.service.Deliveries(t.Context(), "3307", id, "", 0, 100)
	if err != nil || len(sent) != 5 || sent[4].Attempts != 3 || sent[4].State != hook.Delivered || sent[0].Attempts != 1 {
		t.Errorf("%+v, %v", sent, err)
	}
}

func TestWhatIsGivenUpIsShownAndCanBeSentByHand(t *testing.T) {
	e := newErrand(t)
	r := receive(t)
	id := e.tells(r, "t2")
	r.answers(status(http.StatusBadGateway))
	for range 40 {
		e.rounds(1)
		e.pass(time.Hour)
	}
	list := func(state hook.State) []hook.Sent {
		sent, err := e.service.Deliveries(t.Context(), "3307", id, state, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		return sent
	}
	given := list(hook.GivenUp)
	if len(given) != 2 || given[1].Attempts < 8 || given[1].Status != 502 || given[1].Failure != "answered 502" || len(list(hook.Waiting)) != 0 {
		t.Fatalf("%+v", given)
	}
	r.answers(nil)
	e.rounds(2)
	if len(r.took()) != 0 {
		t.Error("what was given up goes out by itself")
	}
	if n, err := e.service.Retry(t.Context(), "3307", id, 0, syncproto.Instant(e.clock().UnixMilli())); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	e.rounds(3)
	if got := order(r.took()); got != "map[g2:[02 04]]" {
		t.Errorf("it got %s", got)
	}
	if _, err := e.service.Deliveries(t.Context(), "t1", id, "", 0, 100); err == nil {
		t.Error("the other town sees what is sent")
	}
}

func TestAReceiverThatIsGoneIsToldNothingMore(t *testing.T) {
	e := newErrand(t)
	r := receive(t)
	id := e.tells(r, "t1")
	r.answers(status(http.StatusGone))
	e.rounds(2)
	e.pass(48 * time.Hour)
	e.rounds(2)
	if r.tried() != 1 {
		t.Errorf("%d attempts", r.tried())
	}
	hooks, err := e.service.List(t.Context(), "3307")
	if err != nil || len(hooks) != 1 || hooks[0].Ending != hook.Gone || hooks[0].Ended == 0 {
		t.Errorf("%+v, %v", hooks, err)
	}
	sent, err := e.service.Deliveries(t.Context(), "3307", id, "", 0, 100)
	if err != nil || len(sent) != 3 || sent[2].State != hook.GivenUp || sent[1].State != hook.Waiting {
		t.Errorf("%+v, %v", sent, err)
	}
}

func TestASlowReceiverHoldsUpNobody(t *testing.T) {
	e := newErrand(t)
	slow, quick := receive(t), receive(t)
	release, held := make(chan struct{}), make(chan struct{}, 10)
	slow.answers(func(http.ResponseWriter, *http.Request) { held <- struct{}{}; <-release })
	e.tells(slow, "3307")
	e.tells(quick, "3307")
	arrived := make(chan struct{}, 10)
	quick.answers(func(http.ResponseWriter, *http.Request) { arrived <- struct{}{} })
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		e.worker.Run(ctx, nil, time.Hour) // woken by those who come back
	}()
	for range 5 {
		<-arrived
	}
	<-held
	<-held
	if n := len(slow.took()); n != 0 {
		t.Errorf("the slow one has %d already", n)
	}
	close(release)
	for range 3 {
		<-held
	}
	stop()
	<-over
	e.pass(2 * time.Minute)
	e.rounds(3) // what was under way when it stopped, if anything was
	if got := order(quick.took()); got != everyFever {
		t.Errorf("the quick one got %s", got)
	}
	if got := distinct(slow.took()); got != 5 {
		t.Errorf("the slow one got %d of 5", got)
	}
}

func distinct(got []parcel) int {
	ids := make(map[string]bool)
	for i := range got {
		ids[got[i].ID] = true
	}
	return len(ids)
}

// A server that dies after the receiver has a message, and before that is written down,
// sends it again, under the same id.
func TestWhatNobodyKnowsOfGoesOutAgainUnderItsID(t *testing.T) {
	e := newErrand(t)
	r := receive(t)
	e.tells(r, "t1")
	ctx, die := context.WithCancel(t.Context())
	r.answers(func(http.ResponseWriter, *http.Request) { die() })
	if err := e.worker.Round(ctx); err != nil {
		t.Fatal(err)
	}
	e.worker.Rest()
	if r.tried() != 1 {
		t.Fatalf("%d attempts", r.tried())
	}
	r.answers(nil)
	again := e.Data.hooks(courier.Policy{Private: true}, slog.New(slog.DiscardHandler)) // another process
	if err := again.worker.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	again.worker.Rest()
	if r.tried() != 1 {
		t.Error("somebody else took it on while the first had a lease")
	}
	e.pass(61 * time.Second)
	for range 3 {
		if err := again.worker.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		again.worker.Rest()
	}
	if r.tried() != 4 || r.tries[0] != r.tries[1] || distinct(r.took()) != 3 {
		t.Errorf("attempts %v", r.tries)
	}
}

// Two workers on one table send nothing twice and nothing out of order.
func TestTwoWorkersShareTheWork(t *testing.T) {
	e := newErrand(t)
	r := receive(t)
	e.tells(r, "3307")
	other := e.Data.hooks(courier.Policy{Private: true}, slog.New(slog.DiscardHandler))
	for range 5 {
		for _, w := range []*courier.Worker{e.worker, other.worker} {
			if err := w.Round(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		e.worker.Rest()
		other.worker.Rest()
	}
	if got := order(r.took()); got != everyFever || r.tried() != 5 {
		t.Errorf("%d attempts, %s", r.tried(), got)
	}
}

// A server tells of fevers, days signed and disputes settled by itself, those who asked for
// them; the secret is shown once, and the address never.
func TestAServerTellsByItself(t *testing.T) {
	o := newClosing(t)
	r := receive(t)
	r.kept = make(chan struct{}, 10)
	body := fmt.Sprintf(`{"url":%q,"events":["fever","closed","returned"]}`, r.URL+"/in?key=topsecret")
	made := fetch[hook.New](o.matrix, &o.township.Enrolled, http.MethodPost, "/v1/areas/t1/hooks", body, http.StatusOK)
	if !strings.HasPrefix(made.Secret, "whsec_") {
		t.Fatalf("secret %q", made.Secret)
	}
	o.fever()
	<-r.kept
	o.sign(o.secretary, "c1", false)
	<-r.kept
	d := o.look(o.township, "c1")
	fetch[struct{}](o.matrix, &o.township.Enrolled, http.MethodPost, "/v1/areas/c1/days/"+o.day+"/return", fmt.Sprintf(`{"record":%d,"reason":"核实"}`, d.Seen.Record), http.StatusOK)
	<-r.kept
	var events []string
	for _, p := range r.took() {
		events = append(events, p.Event+string(p.Area)+p.Day)
		if strings.Contains(p.body, "核实") {
			t.Errorf("a reason left: %s", p.body)
		}
	}
	if got := strings.Join(events, " "); got != "feverg1 closedc12020-01-31 returnedc12020-01-31" {
		t.Errorf("it heard %s", got)
	}
	listed := o.ask(http.MethodGet, request{path: "/v1/areas/t1/hooks"}, &o.township.Enrolled)
	for _, hidden := range []string{made.Secret, "topsecret", "whsec"} {
		if strings.Contains(listed.body, hidden) {
			t.Errorf("the list holds %q", hidden)
		}
	}
	for path, want := range map[string]int{
		`{"url":"http://127.0.0.1/","events":[]}`: 400, `{"url":"http://127.0.0.1/","events":["rain"]}`: 400,
		`{"url":"nowhere","events":["fever"]}`: 400,
	} {
		fetch[turnedAway](o.matrix, &o.township.Enrolled, http.MethodPost, "/v1/areas/t1/hooks", path, want)
	}
	ended := fetch[hook.Hook](o.matrix, &o.township.Enrolled, http.MethodDelete, "/v1/areas/t1/hooks/"+made.ID.String(), "", http.StatusOK)
	if ended.Ending != hook.Removed {
		t.Errorf("%+v", ended)
	}
}
