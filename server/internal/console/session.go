package console

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/seal"
	"gridsync/syncproto"
)

// Session is one signing in. It ends when its person signs out or gets a new password, when
// it has lain unused or lasted too long, and with the person's last grant.
type Session struct {
	ID     identity.Session
	Author syncproto.AuthorID
	Made   syncproto.Instant
	// Seen is when it was last used, within seenEvery.
	Seen    syncproto.Instant
	Expires syncproto.Instant
	// Agent is what the browser called itself.
	Agent string
}

const (
	// longest is a working day, so that nobody stays signed in overnight.
	longest = 12 * time.Hour
	// idle is how long a session may lie unused.
	idle = time.Hour
	// seenEvery is how often at most a session's use is written down.
	seenEvery = time.Minute
	// longestAgent bounds what a browser says of itself, in bytes.
	longestAgent = 200
)

// over says whether a session has ended by itself.
func (s *Session) over(now syncproto.Instant) bool {
	return now >= s.Expires || now >= after(s.Seen, idle)
}

// Credentials are what a person shows to sign in.
type Credentials struct {
	Login    string `json:"login"`
	Password string `json:"password"`
	TOTP     string `json:"totp"`
	// Mark is what a browser carries in which somebody has signed in before.
	Mark string `json:"-"`
}

// Entry is what somebody gets who was let in: the cookie by which they are known from now
// on, and a mark for their browser.
type Entry struct {
	Cookie, Mark string
	Who          identity.Caller
}

// SignIn lets a person in. It fails with totp_needed, sign_in_failed, locked, or busy.
//
// Whatever is wrong, and whether or not there is such a login, the answer and the work for
// it are the same.
func (s *Service) SignIn(ctx context.Context, in Credentials, agent string, now syncproto.Instant) (*Entry, error) {
	if in.TOTP == "" {
		return nil, &syncproto.Error{Code: syncproto.CodeTOTPNeeded, Field: "totp"}
	}
	if err := tooLong(in.Password); err != nil {
		return nil, err
	}
	done, err := s.hashing.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	account, err := s.attempt(ctx, plainLogin(in.Login), in.Mark, now)
	if err != nil {
		return nil, err
	}
	step, good, err := s.proves(&account, in, now)
	if err != nil {
		return nil, err
	}
	if !good {
		return nil, s.failed(ctx, account.Author, now)
	}
	entry, session, err := s.entry(account.Author, agent, now)
	if err != nil {
		return nil, err
	}
	if err := s.enter(ctx, &account, step, in.Mark, session); err != nil {
		return nil, err
	}
	// A session that isn't noted is nobody's: the cookie goes nowhere.
	if err := s.note(ctx, now, audit.SignedIn, account.Author, syncproto.AuthorID{}); err != nil {
		return nil, err
	}
	return entry, nil
}

// entry makes a session and what its person gets of it.
func (s *Service) entry(author syncproto.AuthorID, agent string, now syncproto.Instant) (*Entry, *Session, error) {
	cookie, id, err := s.token()
	if err != nil {
		return nil, nil, err
	}
	mark, err := s.mark(author, now)
	if err != nil {
		return nil, nil, err
	}
	session := &Session{
		ID: identity.Session(id), Author: author,
		Made: now, Seen: now, Expires: after(now, longest), Agent: shorten(agent),
	}
	return &Entry{cookie, mark, identity.Caller{Session: session.ID, Authors: []syncproto.AuthorID{author}}}, session, nil
}

// attempt finds an account and counts an attempt on it, or on the browser that has a mark of
// its person. Nobody's account comes back empty, after the same work.
func (s *Service) attempt(ctx context.Context, login, mark string, now syncproto.Instant) (account Account, err error) {
	var refused error // not the transaction's: one that fails costs everybody what the store remembers
	err = s.Store.Console(ctx, func(tx Tx) error {
		account, refused = Account{}, nil // a store may try again
		found, known, err := tx.Account(login)
		if err != nil {
			return err
		}
		switch {
		case !known:
			refused, err = tryAgain(tx, s.stranger(login), now)
		case s.marked(mark, found.Author, now):
			refused, err = tryAgain(tx, s.browser(mark), now)
			account = found
		default:
			if refused = found.take(now); refused == nil {
				account = found
				err = tx.PutAccount(&found)
			}
		}
		return err
	})
	if err == nil {
		err = refused
	}
	return account, wrap("count an attempt", err)
}

// proves says whether credentials are those of an account that may be used, and with the
// code of which step.
func (s *Service) proves(account *Account, in Credentials, now syncproto.Instant) (step int64, good bool, err error) {
	same, err := s.hashing.matches(plainPassword(in.Password), account.Password)
	if err != nil {
		return 0, false, err
	}
	secret := make([]byte, totpSecret) // of those who have none
	if account.TOTP != nil {
		if secret, err = s.Sealer.Open(secretOf(account.Author), account.TOTP); err != nil {
			return 0, false, fmt.Errorf("console: the authenticator of %s: %w", account.Author, err)
		}
	}
	step, fits := stepOf(secret, in.TOTP, now, account.Step)
	return step, same && fits && account.TOTP != nil && s.entitled(account.Author, now), nil
}

// secretOf is where the secret of a person's authenticator stands.
func secretOf(author syncproto.AuthorID) seal.Place { return seal.In("account.totp").ID(author) }

// entitled says whether a person has any grant now.
func (s *Service) entitled(author syncproto.AuthorID, now syncproto.Instant) bool {
	for _, g := range s.Registry.Current().People.Grants(author) {
		if g.At(now) {
			return true
		}
	}
	return false
}

// failed notes that signing in failed, on whose account, and says so. Nobody is known by
// failing.
func (s *Service) failed(ctx context.Context, about syncproto.AuthorID, now syncproto.Instant) error {
	if err := s.note(ctx, now, audit.SignInFailed, syncproto.AuthorID{}, about); err != nil {
		return err
	}
	return &syncproto.Error{Code: syncproto.CodeSignInFailed}
}

// enter takes a code and adds the session, and forgets failures: those from a known browser,
// or else the account's, which are others' where the browser is known. Of two who come with
// one code at once, or with a password that was replaced meanwhile, nobody gets in by it.
func (s *Service) enter(ctx context.Context, proved *Account, step int64, mark string, session *Session) error {
	err := s.Store.Console(ctx, func(tx Tx) error {
		account, known, err := tx.AccountOf(proved.Author)
		if err != nil {
			return err
		}
		if !known || account.Password != proved.Password || account.Step >= step {
			return &syncproto.Error{Code: syncproto.CodeSignInFailed}
		}
		account.Step = step
		if s.marked(mark, account.Author, session.Made) {
			err = tx.ForgetTried(s.browser(mark))
		} else {
			account.Attempts = Attempts{}
		}
		if err != nil {
			return err
		}
		if err := tx.PutAccount(&account); err != nil {
			return err
		}
		return tx.AddSession(session)
	})
	return wrap("sign in", err)
}

// Resume finds who is signed in by a cookie. It fails with no_token for a cookie that is
// none, or whose session was ended, and with token_expired for one that has ended by itself.
func (s *Service) Resume(ctx context.Context, cookie string, now syncproto.Instant) (identity.Caller, error) {
	id, ok := digestOf(cookie)
	if !ok {
		return identity.Caller{}, &syncproto.Error{Code: syncproto.CodeNoToken}
	}
	session, known, err := s.Store.Session(ctx, identity.Session(id))
	if err != nil {
		return identity.Caller{}, wrap("resume a session", err)
	}
	if !known {
		return identity.Caller{}, &syncproto.Error{Code: syncproto.CodeNoToken}
	}
	if session.over(now) || !s.entitled(session.Author, now) {
		if err := s.Store.Console(ctx, func(tx Tx) error { return tx.EndSession(session.ID) }); err != nil {
			return identity.Caller{}, wrap("end a session", err)
		}
		return identity.Caller{}, &syncproto.Error{Code: syncproto.CodeTokenExpired}
	}
	if now >= after(session.Seen, seenEvery) {
		if err := s.Store.Console(ctx, func(tx Tx) error { return tx.SeenSession(session.ID, now) }); err != nil {
			return identity.Caller{}, wrap("resume a session", err)
		}
	}
	return identity.Caller{Session: session.ID, Authors: []syncproto.AuthorID{session.Author}}, nil
}

// SignedIn is one of a person's sessions as they see it.
type SignedIn struct {
	ID      string            `json:"id"`
	Made    syncproto.Instant `json:"made"`
	Seen    syncproto.Instant `json:"seen"`
	Expires syncproto.Instant `json:"expires"`
	Agent   string            `json:"agent,omitempty"`
	// Current is the one that asks.
	Current bool `json:"current,omitempty"`
}

// Sessions lists where whoever is at the desk is signed in, the newest first.
func (s *Service) Sessions(ctx context.Context, caller identity.Caller, now syncproto.Instant) ([]SignedIn, error) {
	sessions, err := s.Store.SessionsOf(ctx, caller.Authors[0])
	if err != nil {
		return nil, wrap("list sessions", err)
	}
	list := make([]SignedIn, 0, len(sessions))
	for i := range sessions {
		if one := &sessions[i]; !one.over(now) {
			list = append(list, SignedIn{
				ID: hex.EncodeToString(one.ID[:]), Made: one.Made, Seen: one.Seen, Expires: one.Expires,
				Agent: one.Agent, Current: one.ID == caller.Session,
			})
		}
	}
	return list, nil
}

// SignOut ends one of the sessions of whoever is at the desk, named as Sessions names it: the
// one that asks if the name is empty. It fails with code not_found for what is no session of
// theirs.
func (s *Service) SignOut(ctx context.Context, caller identity.Caller, name string, now syncproto.Instant) error {
	id := caller.Session
	if name != "" {
		raw, err := hex.DecodeString(name)
		if err != nil || len(raw) != len(id) {
			return &syncproto.Error{Code: syncproto.CodeNotFound, Field: "id"}
		}
		id = identity.Session(raw)
	}
	session, known, err := s.Store.Session(ctx, id)
	if err != nil {
		return wrap("sign out", err)
	}
	if !known || session.Author != caller.Authors[0] {
		return &syncproto.Error{Code: syncproto.CodeNotFound, Field: "id"}
	}
	if err := s.Store.Console(ctx, func(tx Tx) error { return tx.EndSession(id) }); err != nil {
		return wrap("sign out", err)
	}
	return s.note(ctx, now, audit.SignedOut, session.Author, syncproto.AuthorID{})
}

// SignOutEverywhere ends all sessions of a person, who asks for it.
func (s *Service) SignOutEverywhere(ctx context.Context, author syncproto.AuthorID, now syncproto.Instant) error {
	err := s.Store.Console(ctx, func(tx Tx) error { return tx.EndSessions(author, identity.Session{}) })
	if err != nil {
		return wrap("sign out everywhere", err)
	}
	return s.note(ctx, now, audit.SignedOut, author, syncproto.AuthorID{})
}

// shorten cuts what a browser says of itself, at a character.
func shorten(agent string) string {
	agent = strings.ToValidUTF8(agent, "")
	if len(agent) <= longestAgent {
		return agent
	}
	cut := longestAgent
	for !utf8.RuneStart(agent[cut]) {
		cut--
	}
	return agent[:cut]
}

// wrap says what was being done when something went wrong.
func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("console: %s: %w", doing, err)
}
