// Package badnet is a network as volunteers know it: requests that break midway,
// answers that never come although the server did its work, the same request
// delivered twice or after a newer one, and slow links.
//
// It refuses to invent: whatever arrives was sent by somebody. Its faults follow
// from a seed and the order of requests, and from nothing else.
package badnet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
)

// Fault is one thing that goes wrong with a request.
type Fault int

// The faults.
const (
	None Fault = iota
	// LostAnswer delivers the request, and the answer is lost on its way.
	LostAnswer
	// CutRequest breaks the link before the whole request is out.
	CutRequest
	// CutAnswer breaks the link amid the answer.
	CutAnswer
	// Duplicate delivers the request twice; the second answer comes back.
	Duplicate
	// Reorder delivers the request, loses its answer, and delivers the same request
	// once more after the next one has been answered.
	Reorder

	faults
)

func (f Fault) String() string {
	return [...]string{"none", "lost answer", "cut request", "cut answer", "duplicate", "reorder"}[f]
}

// ErrCut is what a sender sees of a broken link.
var ErrCut = errors.New("badnet: the link broke")

// Plan decides which fault the next request meets. It is called once for each
// request that has a body.
type Plan func() Fault

// Seeded returns a plan in which one request in oneIn meets a fault, each sort as
// often as the others, and never more than three in a row.
func Seeded(r *rand.Rand, oneIn int) Plan {
	inRow := 0
	return func() Fault {
		if inRow >= 3 || r.IntN(oneIn) > 0 {
			inRow = 0
			return None
		}
		inRow++
		return Fault(1 + r.IntN(int(faults)-1))
	}
}

// Link is one phone's way to the server: an http.RoundTripper.
type Link struct {
	base http.RoundTripper
	plan Plan
	// where says how far a cut request or answer gets, of 256 parts.
	where func() int

	mu      sync.Mutex
	delayed *request // waits until a newer one was answered
	counts  [faults]int
}

// New makes a link over base. where returns how much of a cut message passes, in
// 256ths; nil means half of it.
func New(base http.RoundTripper, plan Plan, where func() int) *Link {
	if where == nil {
		where = func() int { return 128 }
	}
	return &Link{base: base, plan: plan, where: where}
}

// Counts returns how often each fault happened, by Fault.
func (l *Link) Counts() map[Fault]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	counts := make(map[Fault]int, len(l.counts))
	for f, n := range l.counts {
		if n > 0 && Fault(f) != None {
			counts[Fault(f)] = n
		}
	}
	return counts
}

// request is a request that can be sent more than once.
type request struct {
	*http.Request
	body []byte
}

func (r request) again() *http.Request {
	c := r.Clone(r.Context())
	c.Body = io.NopCloser(bytes.NewReader(r.body))
	c.ContentLength = int64(len(r.body))
	return c
}

// RoundTrip sends a request, or does what its fault does. Requests without a body
// meet no fault.
func (l *Link) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return l.base.RoundTrip(req)
	}
	body, err := io.ReadAll(req.Body)
	if err := errors.Join(err, req.Body.Close()); err != nil {
		return nil, fmt.Errorf("badnet: reading a request: %w", err)
	}
	l.mu.Lock()
	fault, older := l.plan(), l.delayed
	l.delayed = nil
	l.counts[fault]++
	l.mu.Unlock()
	resp, err := l.send(request{req, body}, fault)
	if err != nil || older == nil {
		return resp, err
	}
	if err := l.late(req, *older); err != nil {
		return nil, errors.Join(err, resp.Body.Close())
	}
	return resp, nil
}

func (l *Link) send(r request, fault Fault) (*http.Response, error) {
	switch fault {
	case LostAnswer:
		return nil, l.lose(r)
	case Reorder:
		err := l.lose(r)
		l.mu.Lock()
		l.delayed = &r
		l.mu.Unlock()
		return nil, err
	case CutRequest:
		return nil, l.cutRequest(r)
	case CutAnswer:
		return l.cutAnswer(r)
	case Duplicate:
		if err := l.deliver(r); err != nil {
			return nil, err
		}
	}
	return l.base.RoundTrip(r.again())
}

// deliver sends a request whose answer nobody reads.
func (l *Link) deliver(r request) error {
	resp, err := l.base.RoundTrip(r.again())
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}

func (l *Link) lose(r request) error {
	if err := l.deliver(r); err != nil {
		return err
	}
	return ErrCut
}

// late delivers an older request in the context of a newer one: its own is over.
func (l *Link) late(newer *http.Request, older request) error {
	older.Request = older.WithContext(newer.Context())
	return l.deliver(older)
}

func (l *Link) cutRequest(r request) error {
	c := r.again()
	c.Body = io.NopCloser(io.MultiReader(bytes.NewReader(r.body[:l.part(len(r.body))]), broken{}))
	resp, err := l.base.RoundTrip(c)
	if err == nil { // the server answered what it had not read whole
		if err := resp.Body.Close(); err != nil {
			return err
		}
	}
	return ErrCut
}

func (l *Link) cutAnswer(r request) (*http.Response, error) {
	resp, err := l.base.RoundTrip(r.again())
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:l.part(len(body))]), broken{}))
	return resp, nil
}

// part is how many of n bytes pass: fewer than n.
func (l *Link) part(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return min(n*(l.where()&255)/256, max(0, n-1))
}

// broken is where a link ends.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, ErrCut }
