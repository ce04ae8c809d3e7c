package clientsdk

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"gridsync/syncproto"
)

// What a PIN costs to try: Argon2id (RFC 9106) over 19 MiB in two passes by one thread,
// the least that OWASP's password storage sheet asks for. A cheap phone (four cores of
// Cortex-A53, 2 GB) takes about half a second, and has 19 MiB to spare beside the app. A
// PIN of six digits can't be made strong by any such cost: what is strong is the secret
// in the keystore, and this makes who has got hold of both file and secret pay for each
// of a million PINs. The figures stand in the file, so that a later program may raise them.
const (
	pinMemory = 19 << 10 // KiB
	pinPasses = 2
	pinLanes  = 1
	// pinLength is the fewest characters of a PIN.
	pinLength = 6
	// pinFree is how many wrong PINs cost nothing but the PIN.
	pinFree = 5
	// pinLongest bounds the wait after a wrong PIN.
	pinLongest = time.Hour
)

// PINError says that a PIN didn't open the file.
type PINError struct {
	// Tried is false if the PIN wasn't looked at, as its time has not come.
	Tried bool
	// Left is how many may be tried before there is a wait.
	Left int
	// After is how long to wait until the next may be tried.
	After time.Duration
}

func (e *PINError) Error() string {
	switch {
	case !e.Tried:
		return fmt.Sprintf("no PIN is looked at for another %s", e.After)
	case e.After > 0:
		return fmt.Sprintf("wrong PIN; the next is looked at in %s", e.After)
	}
	return fmt.Sprintf("wrong PIN; %d more without a wait", e.Left)
}

// lockRow is how a file is sealed, as kept in its table lock.
type lockRow struct {
	Salt   []byte `json:"salt"`
	Memory uint32 `json:"memory"`
	Passes uint32 `json:"passes"`
	Lanes  uint8  `json:"lanes"`
	// Wrapped is the data key, sealed under what PIN and secret give.
	Wrapped []byte `json:"wrapped"`
	// Check follows from the secret, and says whether this is the right one.
	Check []byte `json:"check"`
	// Failures counts wrong PINs since the last right one, From is when the last was
	// tried, by the phone's clock.
	Failures int               `json:"failures,omitempty"`
	From     syncproto.Instant `json:"from,omitempty"`
	// Unclean says that contents may be left in pages of the file that nothing uses.
	Unclean bool `json:"unclean,omitempty"`
}

const wrapRow = "gridsync data key 1"

// newLock makes a data key and wraps it.
func newLock(secret []byte, pin string) (lockRow, cipher.AEAD, error) {
	var l lockRow
	key := make([]byte, secretSize)
	_, _ = rand.Read(key) // it never fails: the process ends if there is no randomness
	inner, err := sealer(key)
	if err == nil {
		l.Check, err = derive(secret, "gridsync client check 1")
	}
	if err == nil {
		err = l.wrap(secret, pin, key)
	}
	return l, inner, err
}

// wrap seals the data key under a PIN.
func (l *lockRow) wrap(secret []byte, pin string, key []byte) error {
	l.Salt = make([]byte, 16)
	_, _ = rand.Read(l.Salt) // as above
	l.Memory, l.Passes, l.Lanes = pinMemory, pinPasses, pinLanes
	over, err := l.over(secret, pin)
	if err != nil {
		return err
	}
	l.Wrapped = shut(over, wrapRow, key)
	return nil
}

// unwrap gives the data key, or errNotOurs for a wrong PIN.
func (l *lockRow) unwrap(secret []byte, pin string) ([]byte, error) {
	over, err := l.over(secret, pin)
	if err != nil {
		return nil, err
	}
	return open(over, wrapRow, l.Wrapped)
}

// over is the sealer under what a PIN and the phone's secret give together.
func (l *lockRow) over(secret []byte, pin string) (cipher.AEAD, error) {
	slow := argon2.IDKey([]byte(pin), l.Salt, l.Passes, l.Memory, l.Lanes, secretSize)
	key, err := derive(slices.Concat(slow, secret), "gridsync client pin 1")
	if err != nil {
		return nil, err
	}
	return sealer(key)
}

// fits reports whether a secret is the one that the file was sealed with.
func (l *lockRow) fits(secret []byte) bool {
	check, err := derive(secret, "gridsync client check 1")
	return err == nil && subtle.ConstantTimeCompare(check, l.Check) == 1
}

// still reads the lock as it is now, which is to be under the same PIN: another process
// may have changed that since, and the old one must not come back.
func (l *lockRow) still(tx *sql.Tx) (lockRow, error) {
	now, _, err := readLock(tx)
	if err == nil && !bytes.Equal(now.Wrapped, l.Wrapped) {
		err = ErrReopen
	}
	return now, err
}

// wait is how long after its last wrong PIN the file looks at no other: 1, 2, 4 …
// minutes after those that are free.
func (l *lockRow) wait() time.Duration {
	over := l.Failures - pinFree
	if over <= 0 {
		return 0
	}
	return min(time.Minute<<min(over-1, 10), pinLongest)
}

// due is how much of the wait is left. A clock that was set back begins the wait anew,
// in full. One that was set forward passes it once: the next begins there, and setting
// the clock back begins that anew. So a wrong clock never keeps the owner out for more
// than the longest wait, and every PIN beyond the free ones costs a wait or another turn
// of the clock.
func (l *lockRow) due(now syncproto.Instant) time.Duration {
	if now < l.From {
		l.From = now
	}
	return max(l.wait()-time.Duration(now-l.From)*time.Millisecond, 0)
}

// try notes that a PIN is being tried, before it is looked at: a process that is killed
// in between has had its try.
func (l *lockRow) try(now syncproto.Instant) error {
	if left := l.due(now); left > 0 {
		return &PINError{After: left}
	}
	l.Failures++
	l.From = now
	return nil
}

// wrong is the error of a PIN that was tried and didn't fit.
func (l *lockRow) wrong() error {
	return &PINError{Tried: true, Left: max(pinFree-l.Failures, 0), After: l.wait()}
}

// rows are digits as they stand on a keypad, both ways.
const rows = "01234567890 9876543210"

// CheckPIN gives ErrWeakPIN for a PIN that is too short, or that everybody tries first.
func CheckPIN(pin string) error {
	first, _ := utf8.DecodeRuneInString(pin)
	if utf8.RuneCountInString(pin) < pinLength || strings.Trim(pin, string(first)) == "" || strings.Contains(rows, pin) {
		return ErrWeakPIN
	}
	return nil
}

// readLock reads how the file is sealed; sealed is false if it isn't.
func readLock(tx *sql.Tx) (l lockRow, sealed bool, err error) {
	var body string
	switch err := tx.QueryRow("SELECT body FROM lock").Scan(&body); err {
	case nil:
	case sql.ErrNoRows:
		return l, false, nil
	default:
		return l, false, fmt.Errorf("reading the lock: %w", err)
	}
	if err := json.Unmarshal([]byte(body), &l); err != nil {
		return l, false, fmt.Errorf("reading the lock: %w", err)
	}
	return l, true, nil
}

func (l *lockRow) write(tx *sql.Tx) error {
	body, err := json.Marshal(l)
	if err != nil {
		return err
	}
	_, err = tx.Exec("INSERT INTO lock (one, body) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET body = excluded.body", string(body))
	if err != nil {
		return fmt.Errorf("keeping the lock: %w", err)
	}
	return nil
}
