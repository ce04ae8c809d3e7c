package badnet

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// server keeps every body that reached it whole, and answers with a long text.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
}

var answer = strings.Repeat("answer ", 1000)

func newServer(t *testing.T) *server {
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.bodies = append(s.bodies, string(body))
		s.mu.Unlock()
		io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.bodies)
}

// these is a plan of given faults, and None after them.
func these(faults ...Fault) Plan {
	return func() Fault {
		if len(faults) == 0 {
			return None
		}
		f := faults[0]
		faults = faults[1:]
		return f
	}
}

func post(l *Link, url, body string) (string, error) {
	client := http.Client{Transport: l}
	resp, err := client.Post(url, "text/plain", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	got, err := io.ReadAll(resp.Body)
	return string(got), errors.Join(err, resp.Body.Close())
}

func TestEachFault(t *testing.T) {
	long := strings.Repeat("request ", 20_000)
	for _, c := range []struct {
		fault   Fault
		arrives int
		fails   bool
		answer  int // bytes of it that come back
	}{
		{None, 1, false, len(answer)},
		{LostAnswer, 1, true, 0},
		{CutRequest, 0, true, 0},
		{CutAnswer, 1, true, len(answer) / 2},
		{Duplicate, 2, false, len(answer)},
		{Reorder, 1, true, 0},
	} {
		t.Run(c.fault.String(), func(t *testing.T) {
			s := newServer(t)
			l := New(s.Client().Transport, these(c.fault), nil)
			got, err := post(l, s.URL, long)
			if (err != nil) != c.fails || len(got) != c.answer {
				t.Errorf("got %d bytes and %v, want %d and failure %v", len(got), err, c.answer, c.fails)
			}
			if err != nil && !errors.Is(err, ErrCut) {
				t.Errorf("failed by %v, want ErrCut", err)
			}
			if bodies := s.got(); len(bodies) != c.arrives {
				t.Errorf("%d requests arrived whole, want %d", len(bodies), c.arrives)
			}
		})
	}
}

func TestAReorderedRequestArrivesAgainAfterANewerOne(t *testing.T) {
	s := newServer(t)
	l := New(s.Client().Transport, these(Reorder), nil)
	if _, err := post(l, s.URL, "older"); err == nil {
		t.Fatal("the answer to the older one came back")
	}
	if got, err := post(l, s.URL, "newer"); err != nil || got != answer {
		t.Fatalf("the newer one got %q, %v", got, err)
	}
	if got := s.got(); !slices.Equal(got, []string{"older", "newer", "older"}) {
		t.Errorf("arrived: %q", got)
	}
	if n := l.Counts()[Reorder]; n != 1 {
		t.Errorf("counted %d reorders", n)
	}
}

func TestARequestWithoutABodyMeetsNoFault(t *testing.T) {
	s := newServer(t)
	l := New(s.Client().Transport, these(LostAnswer), nil)
	req, _ := http.NewRequest(http.MethodGet, s.URL, nil)
	resp, err := l.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

func TestASeedDecidesTheFaults(t *testing.T) {
	draw := func(seed uint64) (drawn []Fault) {
		plan := Seeded(rand.New(rand.NewPCG(seed, 0)), 3)
		for range 500 {
			drawn = append(drawn, plan())
		}
		return drawn
	}
	first := draw(1)
	if !slices.Equal(first, draw(1)) || slices.Equal(first, draw(2)) {
		t.Error("the faults don't follow from the seed")
	}
	inRow, seen := 0, map[Fault]bool{}
	for _, f := range first {
		if seen[f] = true; f == None {
			inRow = 0
			continue
		}
		if inRow++; inRow > 3 {
			t.Fatal("more than three faults in a row")
		}
	}
	if len(seen) != int(faults) {
		t.Errorf("only %v in 500 requests", seen)
	}
}

func TestASlowLinkTakesItsTime(t *testing.T) {
	s := newServer(t)
	var mu sync.Mutex
	var waited time.Duration
	pause := func(d time.Duration) {
		mu.Lock()
		waited += d
		mu.Unlock()
	}
	transport := &http.Transport{DialContext: Slow((&net.Dialer{}).DialContext, 200_000, pause)}
	defer transport.CloseIdleConnections()
	body := strings.Repeat("x", 100_000)
	if _, err := post(New(transport, these(), nil), s.URL, body); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	// 100,000 bytes up and 7,000 down at 25,000 a second, and the headers.
	if waited < 4200*time.Millisecond || waited > 4600*time.Millisecond {
		t.Errorf("waited %s", waited)
	}
}

func TestASlowLinkThatCannotDialSaysSo(t *testing.T) {
	refuse := func(context.Context, string, string) (net.Conn, error) { return nil, ErrCut }
	if _, err := Slow(refuse, 1, nil)(context.Background(), "tcp", ""); !errors.Is(err, ErrCut) {
		t.Errorf("got %v", err)
	}
}
