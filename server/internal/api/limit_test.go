package api

import (
	"container/heap"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// limited is a world with limits.
func limited(t *testing.T, limits Limits) *world {
	t.Helper()
	w := newWorld(t)
	w.limiter = newLimiter(Guard{Limits: limits}, noon)
	return w
}

// phone is one that syncs at eight in the morning.
type phone struct {
	device syncproto.DeviceID
	token  string
	next   time.Time
	// left is how many round trips it still needs, failures how often in a row it was told
	// to wait, worst the most of that.
	left, failures, worst int
}

// morning is phones by when they ask next.
type morning []*phone

func (m morning) Len() int           { return len(m) }
func (m morning) Less(i, j int) bool { return m[i].next.Before(m[j].next) }
func (m morning) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }

func (m *morning) Push(x any) { *m = append(*m, x.(*phone)) }

func (m *morning) Pop() any {
	last := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return last
}

// What the Go client does by itself: how long it waits within one sync, and how much it adds
// to what it was told. After eight failures in a row it gives up until the next time.
const (
	phoneWaits  = 30 * time.Second
	phoneJitter = 0.25
)

// rush makes phones that all begin within a second after eight.
func rush(t *testing.T, w *world, n, trips int, random *rand.Rand) morning {
	t.Helper()
	var m morning
	var everyone identity.Everyone
	for i := range n {
		id := syncproto.DeviceID{9, byte(i >> 8), byte(i)}
		everyone.Devices = append(everyone.Devices, identity.Device{ID: id, Authors: []syncproto.AuthorID{{1}}})
		m = append(m, &phone{device: id, token: w.token(t, id), left: trips, next: noon.Add(time.Duration(random.Int64N(int64(time.Second))))})
	}
	if err := w.store.AddIdentities(context.Background(), everyone); err != nil {
		t.Fatal(err)
	}
	heap.Init(&m)
	return m
}

// ask lets the phone ask once, and plans when it asks again.
func (p *phone) ask(t *testing.T, w *world, random *rand.Rand) (again bool) {
	t.Helper()
	req := httptest.NewRequest(http.MethodPost, "/v1/sync", strings.NewReader(strings.Replace(string(syncBody()), ours.String(), p.device.String(), 1)))
	req.Header.Set("Authorization", "Bearer "+p.token)
	r := w.do(t, req)
	switch r.status {
	case http.StatusOK:
		p.left, p.failures = p.left-1, 0
		p.next = w.now.Add(300 * time.Millisecond)
		return p.left > 0
	case http.StatusTooManyRequests:
		seconds, err := strconv.Atoi(r.header.Get("Retry-After"))
		wait := time.Duration(seconds) * time.Second
		if err != nil || wait < time.Second || wait > phoneWaits {
			t.Fatalf("told to wait %q", r.header.Get("Retry-After"))
		}
		p.failures++
		p.worst = max(p.worst, p.failures)
		p.next = w.now.Add(wait + time.Duration(random.Float64()*phoneJitter*float64(wait)))
		return true
	}
	t.Fatalf("a phone is told %d %s", r.status, r.body)
	return false
}

func TestTheMorningRushGetsThroughWithoutAFinalWord(t *testing.T) {
	const phones, trips = 5000, 2
	random := rand.New(rand.NewPCG(8, 0))
	w := limited(t, DefaultLimits())
	m := rush(t, w, phones, trips, random)
	var end time.Time
	asked, worst, through := 0, 0, 0
	for m.Len() > 0 {
		p, _ := heap.Pop(&m).(*phone)
		w.now, end = p.next, p.next
		asked++
		if p.ask(t, w, random) {
			heap.Push(&m, p)
			continue
		}
		through++
		worst = max(worst, p.worst)
	}
	if through != phones {
		t.Errorf("%d phones got through", through)
	}
	if worst == 0 || worst > 2 {
		t.Errorf("a phone was turned away %d times in a row", worst)
	}
	// A burst at once, a burst on credit, and the rest at the rate: (10,000 - 4,000) / 200 =
	// 30 s; the phones' own jitter adds to it.
	took := end.Sub(noon)
	if took < 30*time.Second || took > 60*time.Second {
		t.Errorf("it took %v", took)
	}
	t.Logf("%d requests for %d round trips in %v; at most %d times in a row", asked, phones*trips, took.Round(time.Second), worst)
}

func TestWhatIsToldIsWhenThereIsRoom(t *testing.T) {
	w := limited(t, Limits{LimitSync: {Rate: 2.0 / 60, Burst: 2}})
	ask := func() reply { return w.do(t, w.request(t, http.MethodPost, "/v1/sync", syncBody())) }
	for range 2 {
		if r := ask(); r.status != http.StatusOK {
			t.Fatalf("within the burst: %d", r.status)
		}
	}
	for _, want := range []string{"30", "30"} { // asking again makes it no longer
		r := ask()
		if p := r.problem(t); r.status != http.StatusTooManyRequests || p.Code != syncproto.CodeTooFast || r.header.Get("Retry-After") != want {
			t.Fatalf("%d %+v, in %q s", r.status, p, r.header.Get("Retry-After"))
		}
	}
	w.now = noon.Add(29 * time.Second)
	if r := ask(); r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") != "1" {
		t.Errorf("a second before: %d, in %q s", r.status, r.header.Get("Retry-After"))
	}
	w.now = noon.Add(30 * time.Second)
	if r := ask(); r.status != http.StatusOK {
		t.Errorf("when it was told: %d", r.status)
	}
	if strings.Contains(w.log.String(), "status=429") && !strings.Contains(w.log.String(), "level=DEBUG") {
		t.Errorf("who asks too often fills the log: %s", w.log)
	}
}

func TestWhoAsksTooOftenSlowsNobodyElse(t *testing.T) {
	w := limited(t, Limits{LimitRead: {Rate: 1, Burst: 1}})
	ask := func(path string, device syncproto.DeviceID) int {
		return w.do(t, bearing(path, "Bearer "+w.token(t, device))).status
	}
	if got := []int{ask("/v1/areas", ours), ask("/v1/areas", ours), ask("/v1/areas", two)}; got[0] != 200 || got[1] != 429 || got[2] != 200 {
		t.Errorf("ours, ours again, another's: %v", got)
	}
	// Another class of routes is another bucket, and health is none.
	if r := w.do(t, w.request(t, http.MethodPost, "/v1/sync", syncBody())); r.status != http.StatusOK {
		t.Errorf("sync: %d", r.status)
	}
	for range 3 {
		if got := ask("/healthz", ours); got != http.StatusOK {
			t.Errorf("health: %d", got)
		}
	}
}

func TestAnAddressIsTurnedAwayBeforeItsTokenIsLookedAt(t *testing.T) {
	w := limited(t, Limits{LimitReadAddress: {Rate: 1, Burst: 1}})
	for _, want := range []int{http.StatusUnauthorized, http.StatusTooManyRequests} {
		if r := w.do(t, bearing("/v1/areas", "Bearer nonsense")); r.status != want {
			t.Errorf("got %d, want %d", r.status, want)
		}
	}
}

func TestEachOfManyIsToldAMomentOfItsOwn(t *testing.T) {
	l := newLimiter(Guard{Limits: Limits{LimitReadAddress: {Rate: 1, Burst: 1}}}, noon)
	told := func(ticket uint64, at time.Duration) time.Duration {
		return roomIn(l.share(LimitReadAddress, [16]byte{}, ticket, noon.Add(at)))
	}
	if got := told(100, 0); got != 0 {
		t.Fatalf("the first: %v", got)
	}
	for i := range uint64(40) {
		want := time.Duration(i%21+1) * time.Second // up to the spread, and round again
		if got := told(i, 0); got != want {
			t.Errorf("number %d: %v, want %v", i, got, want)
		}
		if got := told(i, 0); got != want {
			t.Errorf("number %d at once again: %v, want %v", i, got, want)
		}
	}
	// Somebody new takes the room of the second that is over; who was told to come then
	// comes in all the same, once, and nobody comes in before.
	for _, c := range []struct {
		who    string
		ticket uint64
		let    bool
	}{{"somebody new", 200, true}, {"number 0, when it was told", 0, true}, {"number 0 again", 0, false}, {"number 2, too early", 2, false}} {
		if got := told(c.ticket, time.Second); (got == 0) != c.let {
			t.Errorf("%s: told %v", c.who, got)
		}
	}
}

func TestWrongGuessesCostMoreThanRightOnes(t *testing.T) {
	enrol := paceOf(&route{method: fiber.MethodPost, path: "/v1/enrol", who: anyone})
	from := netip.MustParseAddr("203.0.113.7")
	tries := func(outcome error) (n int) {
		l := newLimiter(Guard{Limits: DefaultLimits()}, noon)
		for l.share(enrol.address, from.As16(), 1, noon) == nil {
			l.failed(outcome, from, enrol, noon)
			n++
		}
		return n
	}
	for name, c := range map[string]struct {
		outcome error
		want    int
	}{
		"right":              {nil, 300},
		"a person's mistake": {&syncproto.Error{Code: syncproto.CodeUndertakingNeeded}, 300},
		"a fault of ours":    {errors.New("disk"), 300},
		"a wrong code":       {&syncproto.Error{Code: syncproto.CodeInviteUnknown}, 15},
		"a wrong signature":  {&syncproto.Error{Code: syncproto.CodeBadSignature}, 15},
	} {
		if got := tries(c.outcome); got != c.want {
			t.Errorf("%s: %d at once, want %d", name, got, c.want)
		}
	}
}

func TestWhatIsOwedIsBounded(t *testing.T) {
	limit := Limit{Rate: 1, Burst: 10}
	var b bucket
	for range 1000 {
		b.charge(0, limit, 20)
	}
	if wait := b.take(0, limit); wait != 11*time.Second {
		t.Errorf("after any number of guesses: %v", wait)
	}
}

func TestWhoeverAskedIsForgottenInTheEnd(t *testing.T) {
	s := newBuckets(4)
	l := newLimiter(Guard{Limits: Limits{LimitRead: {Rate: 0.001, Burst: 1}}}, noon)
	l.seen = s
	for i := range 10_000 {
		if err := l.ask(LimitRead, [16]byte{byte(i), byte(i >> 8)}, noon); err != nil {
			t.Fatalf("number %d: %v", i, err)
		}
	}
	kept := 0
	for i := range s.shard {
		kept += len(s.shard[i].newer) + len(s.shard[i].older)
	}
	if kept == 0 || kept > shards*2*4 {
		t.Errorf("%d are kept", kept)
	}
	// Who goes on asking stays.
	busy := [16]byte{1, 2, 3}
	_ = l.ask(LimitRead, busy, noon)
	for i := range 100 {
		if err := l.ask(LimitRead, busy, noon); err == nil {
			t.Fatal("forgotten while it asked")
		}
		_ = l.ask(LimitRead, [16]byte{0, 0, 9, byte(i)}, noon)
	}
}

func TestNoRouteThatLetsSomebodyInGoesUnlimited(t *testing.T) {
	table := routes()
	for i := range table {
		r := &table[i]
		p, l := paceOf(r), DefaultLimits()
		if free := l[p.address].none(); free != (r.path == "/healthz" || r.path == "/readyz") {
			t.Errorf("%s %s: limited by address %v", r.method, r.path, !free)
		}
		if r.who != anyone && l[p.own].none() {
			t.Errorf("%s %s is limited for nobody", r.method, r.path)
		}
	}
	for class := range DefaultLimits() {
		if err := (Limits{class: {}}).Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestLimitsAreReadAsTheyAreWritten(t *testing.T) {
	var l Limit
	if err := l.UnmarshalText([]byte("0.5/10")); err != nil || l != (Limit{0.5, 10}) {
		t.Errorf("%+v %v", l, err)
	}
	for _, text := range []string{"", "10", "10/", "/10", "0/10", "-1/10", "10/0", "NaN/1", "Inf/1", "1/1000000", "1/1/1", "1e-9/10", "10 /10"} {
		if err := l.UnmarshalText([]byte(text)); !errors.Is(err, ErrLimit) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, class := range []Class{"", "nothing", "SYNC"} {
		if err := (Limits{class: {1, 1}}).Check(); !errors.Is(err, ErrLimit) {
			t.Errorf("%q: %v", class, err)
		}
	}
}

func TestAnotherAddressDoesNotUseUpAPhonesRenewals(t *testing.T) {
	l := newLimiter(Guard{Limits: Limits{LimitToken: {Rate: 1, Burst: 2}}}, noon)
	here, there := netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("203.0.113.8")
	for range 9 {
		_ = l.claimed(ours, there, noon)
	}
	if l.claimed(ours, there, noon) == nil {
		t.Error("the other address is not limited")
	}
	if err := l.claimed(ours, here, noon); err != nil {
		t.Errorf("the phone itself: %v", err)
	}
}

// What every request pays for the limits: two buckets.
func BenchmarkRoomForARequest(b *testing.B) {
	l := newLimiter(Guard{Limits: DefaultLimits()}, noon)
	i := 0
	for b.Loop() {
		i++
		now := noon.Add(time.Duration(i) * 10 * time.Millisecond)
		if l.share(LimitSyncAddress, [16]byte{1}, uint64(i), now) != nil || l.ask(LimitSync, [16]byte{byte(i), byte(i >> 8)}, now) != nil {
			b.Fatal("turned away")
		}
	}
}

func TestManyServersTogetherLetNobodyGuessMoreThanOne(t *testing.T) {
	const servers = 3
	limits := DefaultLimits()
	for _, class := range []Class{LimitSignIn, LimitEnrol, LimitExport} {
		let := 0
		for range servers {
			l := newLimiter(Guard{Limits: limits, Servers: func() int { return servers }}, noon)
			for l.ask(class, [16]byte{1}, noon) == nil {
				let++
			}
		}
		if want := limits[class].Burst; let < want || let >= want+servers {
			t.Errorf("%s: %d servers let %d through, one would have let %d", class, servers, let, want)
		}
	}
}

func TestAServerDoesForItsPhonesWhatItDidAlone(t *testing.T) {
	limits := DefaultLimits()
	for _, class := range []Class{LimitSync, LimitSyncAddress, LimitRead, LimitReadAddress, LimitToken, LimitTokenAddress} {
		l := newLimiter(Guard{Limits: limits, Servers: func() int { return 3 }}, noon)
		let := 0
		for l.ask(class, [16]byte{1}, noon) == nil {
			let++
		}
		if want := limits[class].Burst; let != want {
			t.Errorf("%s: one of three servers lets %d through, and %d alone", class, let, want)
		}
	}
}

func TestMoreServersThanABurstShutNobodyOut(t *testing.T) {
	l := newLimiter(Guard{Limits: Limits{LimitExport: {Rate: 1, Burst: 2}}, Servers: func() int { return 9 }}, noon)
	if err := l.ask(LimitExport, [16]byte{1}, noon); err != nil {
		t.Errorf("the first who asks: %v", err)
	}
}
