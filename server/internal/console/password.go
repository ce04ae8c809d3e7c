package console

import (
	"context"
	_ "embed"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/unicode/norm"

	"gridsync/syncproto"
)

// effort is what one guess costs: OWASP's recommendation for argon2id with the least memory
// (19 MiB, two passes, one lane), as a server that stays below 200 MB has two of them in
// work at a time. It is written into every hash, so that it can be raised for new ones.
var effort = argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// waiting is how many may wait for each place where a password is worked on, some
// 40 ms each: who comes then is told that the server is busy.
const waiting = 16

// hashing bounds the work on passwords: whoever signs in, or tries to, costs memory and time
// that pushes need.
type hashing struct {
	slots, line chan struct{}
	// nobody is a hash that no password has, for those who have none.
	nobody string
	check  func(password, hash string) (bool, error)
	make   func(password string) (string, error)
}

func newHashing(slots int) *hashing {
	if slots == 0 {
		slots = runtime.GOMAXPROCS(0)
	}
	none := func(n uint32) string { return base64.RawStdEncoding.EncodeToString(make([]byte, n)) }
	return &hashing{
		slots: make(chan struct{}, slots), line: make(chan struct{}, slots*(1+waiting)),
		nobody: fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s",
			effort.Memory, effort.Iterations, effort.Parallelism, none(effort.SaltLength), none(effort.KeyLength)),
		check: argon2id.ComparePasswordAndHash,
		make:  func(password string) (string, error) { return argon2id.CreateHash(password, &effort) },
	}
}

// turn waits until a password may be worked on; done gives the place back. It fails with
// busy when too many wait already.
func (h *hashing) turn(ctx context.Context) (done func(), err error) {
	select {
	case h.line <- struct{}{}:
	default:
		return nil, &syncproto.Error{Code: syncproto.CodeBusy, Detail: "too many are signing in"}
	}
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots; <-h.line }, nil
	case <-ctx.Done():
		<-h.line
		return nil, ctx.Err()
	}
}

// matches says whether a password is the one of a hash, and works as long where there is no
// hash.
func (h *hashing) matches(password, hash string) (bool, error) {
	known := hash != ""
	if !known {
		hash = h.nobody
	}
	same, err := h.check(password, hash)
	if err != nil {
		return false, fmt.Errorf("compare a password: %w", err)
	}
	return same && known, nil
}

// Lengths of passwords, in characters.
const (
	leastPassword = 12
	mostPassword  = 256
)

// commonPasswords are passwords that everybody tries first and that are long enough.
//
//go:embed common.txt
var commonPasswords string

// plainPassword is a password as it is compared: however a keyboard composed its characters.
func plainPassword(password string) string { return norm.NFKC.String(password) }

// tooLong turns away what no password is, before any work is done on it.
func tooLong(password string) error {
	if len(password) > 4*mostPassword || utf8.RuneCountInString(password) > mostPassword {
		return &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "password", Detail: "too long"}
	}
	return nil
}

// checkPassword says whether a password may be used with a login: weak_password for one that
// is short, that everybody uses, that holds the login, or that repeats itself.
func checkPassword(password, login string) error {
	if err := tooLong(password); err != nil {
		return err
	}
	plain := strings.ToLower(plainPassword(password))
	if utf8.RuneCountInString(plain) < leastPassword || strings.Contains(plain, login) || repeats(plain) || common(plain) {
		return &syncproto.Error{Code: syncproto.CodeWeakPassword, Field: "password"}
	}
	return nil
}

func common(plain string) bool {
	for line := range strings.Lines(commonPasswords) {
		if strings.TrimSpace(line) == plain {
			return true
		}
	}
	return false
}

// repeats says whether a text is one piece of at most four bytes over and over.
func repeats(plain string) bool {
	for n := 1; n <= 4 && n < len(plain); n++ {
		whole := strings.Repeat(plain[:n], len(plain)/n+1)
		if strings.HasPrefix(whole, plain) {
			return true
		}
	}
	return false
}
