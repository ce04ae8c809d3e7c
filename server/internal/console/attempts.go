package console

import (
	"crypto/sha256"
	"sync"
	"time"

	"gridsync/syncproto"
)

// Attempts are how often in a row signing in failed, and until when nobody may try.
//
// The delay grows to an hour and no further, tries during it don't lengthen it, and a new
// link ends it. A stranger who knows a login keeps its person out of browsers that the
// person never used, and of no other (see known.go). How often one address may try is the
// API's to limit.
type Attempts struct {
	Failures int
	Locked   syncproto.Instant
}

const (
	freeFailures = 5
	firstDelay   = time.Minute
	longestDelay = time.Hour
)

// delay is for how long nobody may try after some failures.
func delay(failures int) time.Duration {
	if failures < freeFailures {
		return 0
	}
	d := firstDelay
	for range failures - freeFailures {
		if d *= 2; d >= longestDelay {
			return longestDelay
		}
	}
	return d
}

// take counts an attempt as failed, before anybody looks whether it is: of a hundred that
// come at once no more are looked at than of a hundred one after the other. It fails with
// code locked while nobody may try. A lock that lasts longer than any was set by a clock
// that ran ahead, and is none.
func (a *Attempts) take(now syncproto.Instant) error {
	if now < a.Locked && a.Locked <= after(now, longestDelay) {
		return &lockedError{time.Duration(a.Locked-now) * time.Millisecond}
	}
	a.Failures++
	if d := delay(a.Failures); d > 0 {
		a.Locked = after(now, d)
	}
	return nil
}

// lockedError is code locked, and for how long.
type lockedError struct{ wait time.Duration }

func (e *lockedError) Error() string { return "locked for " + e.wait.String() }

// Unwrap is what a client is told.
func (*lockedError) Unwrap() error { return &syncproto.Error{Code: syncproto.CodeLocked} }

// RetryAfter is how long to wait.
func (e *lockedError) RetryAfter() time.Duration { return e.wait }

// tries are attempts that belong to no account: those with logins that nobody has, which are
// locked like others, as the answers must not tell which logins there are; and those from
// browsers that are known. They are remembered in memory and bounded.
type tries struct {
	mu    sync.Mutex
	tried map[[sha256.Size]byte]Attempts
}

// mostTries bounds the memory: some 100 bytes each.
const mostTries = 10_000

// take counts an attempt with a login that nobody has, or from a known browser.
func (s *tries) take(from string, now syncproto.Instant) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := sha256.Sum256([]byte(from))
	one, known := s.tried[id]
	if !known && len(s.tried) >= mostTries {
		s.drop(now)
	}
	if s.tried == nil {
		s.tried = make(map[[sha256.Size]byte]Attempts)
	}
	err := one.take(now)
	s.tried[id] = one
	return err
}

// forgive forgets the failures of who has got in.
func (s *tries) forgive(from string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tried, sha256.Sum256([]byte(from)))
}

// drop makes room for a quarter of all at once, as it looks at all of them: those that aren't
// locked go first, and then any.
func (s *tries) drop(now syncproto.Instant) {
	for id, one := range s.tried {
		if now >= one.Locked {
			delete(s.tried, id)
		}
	}
	for id := range s.tried {
		if len(s.tried) <= mostTries*3/4 {
			return
		}
		delete(s.tried, id)
	}
}
