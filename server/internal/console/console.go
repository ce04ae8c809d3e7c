// Package console lets people in at a desk: who has an account, how they sign in, and for
// how long.
//
// Signing in takes a password and the code of an authenticator; both are set by a link that
// is good once. The package refuses to know what a person may see (identity's table says
// that), to keep anything that lets somebody in as it was given (a password as argon2id,
// the authenticator's secret sealed, links and cookies as SHA-256), and to tell a stranger
// which of login, password and code was wrong.
package console

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/seal"
	"gridsync/syncproto"
)

// Store keeps accounts, links and sessions.
type Store interface {
	// Session returns a session, and whether it is there.
	Session(ctx context.Context, id identity.Session) (Session, bool, error)
	// SessionsOf returns the sessions of a person, the newest first.
	SessionsOf(ctx context.Context, author syncproto.AuthorID) ([]Session, error)
	// Identities returns everybody: the first administrator is made only where there is none.
	Identities(ctx context.Context) (identity.Everyone, error)
	// Console runs fn in a write transaction: all that it puts is kept, or nothing. fn may be
	// run again, where nothing was kept of the first time.
	Console(ctx context.Context, fn func(Tx) error) error
}

// Tx is what a transaction of the console asks and does.
type Tx interface {
	Accounts
	Links
	Sessions
	Tries
	// AddIdentities adds people and grants, as identity.Store does.
	AddIdentities(add identity.Everyone) error
}

// Accounts are who may sign in.
type Accounts interface {
	// Account finds an account by its login, AccountOf by its person.
	Account(login string) (Account, bool, error)
	AccountOf(author syncproto.AuthorID) (Account, bool, error)
	// PutAccount adds an account or replaces what is known of that person's.
	PutAccount(a *Account) error
}

// Links are what passwords are set by.
type Links interface {
	// Link returns a link that is there, used or not.
	Link(id Digest) (Link, bool, error)
	// PutLink adds a link in the place of all others of that person.
	PutLink(link Link) error
	UseLink(id Digest, at syncproto.Instant) error
}

// Sessions are who is signed in.
type Sessions interface {
	// AddSession adds a session, and takes away those of that person that have expired.
	AddSession(session *Session) error
	// SeenSession notes when a session was last used; one that was ended stays ended.
	SeenSession(id identity.Session, at syncproto.Instant) error
	EndSession(id identity.Session) error
	// EndSessions ends all sessions of a person but one.
	EndSessions(author syncproto.AuthorID, keep identity.Session) error
}

// Tries are attempts to sign in that belong to no account. They are kept, and not in a
// process's memory, as there may be many processes: whoever is held up by one of them is by
// all.
type Tries interface {
	// Tried returns what is kept of one, and whether there is anything.
	Tried(id Try) (Attempts, bool, error)
	PutTried(id Try, a Attempts) error
	// ForgetTried takes one away, if it is there.
	ForgetTried(id Try) error
	CountTried() (int, error)
	// KeepTried takes away all but some: those that aren't locked, or not for long, go first.
	KeepTried(most int) error
}

// Sealer keeps an authenticator's secret unreadable to whoever has the database alone.
type Sealer interface {
	Seal(dst []byte, at seal.Place, text ...[]byte) ([]byte, error)
	Open(at seal.Place, sealed []byte) ([]byte, error)
}

// Registry tells who is who and may do what.
type Registry interface {
	Current() *registry.Snapshot
}

// Config is everything that the service needs. All of it must be given but Hashes.
type Config struct {
	Store    Store
	Registry Registry
	Audit    audit.Log
	Sealer   Sealer
	// Digest is keyed: whoever has the store alone can't find what was digested by trying.
	Digest func([]byte) uint64
	// Random gives what nobody can guess; it must be as good as crypto/rand.
	Random io.Reader
	NewID  func() (uuid.UUID, error)
	// Hashes bounds how many passwords are worked on at a time; as many as there are
	// processors if it is 0.
	Hashes int
}

// Service lets people in. Its methods may be called from any number of goroutines.
type Service struct {
	Config
	hashing *hashing
}

// New makes a service.
func New(cfg Config) *Service {
	return &Service{Config: cfg, hashing: newHashing(cfg.Hashes)}
}

// Digest is the SHA-256 of a token: all that is kept of it.
type Digest [sha256.Size]byte

// tokenSize is how many random bytes a link's token and a cookie have.
const tokenSize = 32

// token draws a token, and says by what it will be found.
func (s *Service) token() (string, Digest, error) {
	random := make([]byte, tokenSize)
	if _, err := io.ReadFull(s.Random, random); err != nil {
		return "", Digest{}, fmt.Errorf("draw a token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(random), sha256.Sum256(random), nil
}

// digestOf says by what a token is found; false if it can't be one.
func digestOf(token string) (Digest, bool) {
	random, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(random) != tokenSize {
		return Digest{}, false
	}
	return sha256.Sum256(random), true
}

// after is the instant some time later.
func after(t syncproto.Instant, d time.Duration) syncproto.Instant {
	return t + syncproto.Instant(d.Milliseconds())
}

// note writes a line about a person into the audit log.
func (s *Service) note(ctx context.Context, now syncproto.Instant, act audit.Act, who, about syncproto.AuthorID) error {
	entry := audit.Entry{At: now, Act: act, Who: who}
	if !about.IsZero() {
		entry.Detail = about.String()
	}
	if err := s.Audit.Note(ctx, entry); err != nil {
		return fmt.Errorf("console: note %s: %w", act, err)
	}
	return nil
}
