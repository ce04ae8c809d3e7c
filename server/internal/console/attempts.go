package console

import (
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

// Try is where attempts count that belong to no account: a login that nobody has, or a
// browser that is known. It is a digest under the installation's key, and says nothing of
// what was typed.
type Try uint64

// mostTries bounds how many are kept.
const mostTries = 10_000

// stranger is a login that nobody has. It is locked like others: the answers must not tell
// which logins there are.
func (s *Service) stranger(login string) Try {
	return Try(s.Digest([]byte("console: nobody's login\x00" + login)))
}

// browser is a browser that carries a mark.
func (s *Service) browser(mark string) Try {
	return Try(s.Digest([]byte("console: known browser\x00" + mark)))
}

// tryAgain counts an attempt that belongs to no account. What it returns as refused is not
// the transaction's error.
func tryAgain(tx Tries, id Try, now syncproto.Instant) (refused, err error) {
	one, known, err := tx.Tried(id)
	if err != nil {
		return nil, err
	}
	if refused := one.take(now); refused != nil {
		return refused, nil
	}
	if !known {
		if err := makeRoom(tx); err != nil {
			return nil, err
		}
	}
	return nil, tx.PutTried(id, one)
}

// makeRoom drops a quarter of all at once where there are too many.
func makeRoom(tx Tries) error {
	n, err := tx.CountTried()
	if err != nil || n < mostTries {
		return err
	}
	return tx.KeepTried(mostTries * 3 / 4)
}
