package console

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
)

// Account is somebody who may sign in at a desk. There is one for a person.
type Account struct {
	Author syncproto.AuthorID
	Login  string
	// Password is an argon2id string, TOTP the sealed secret of an authenticator; both are
	// empty until the first link was used.
	Password string
	TOTP     []byte
	// Step is the time step of the last code that was taken.
	Step int64
	Attempts
	Made syncproto.Instant
}

// loginShape is what a login may be: it needs no keyboard but the plain one, and no
// escaping in a link.
var loginShape = regexp.MustCompile(`^[a-z0-9][a-z0-9._@-]{2,63}$`)

// plainLogin is a login as it is kept.
func plainLogin(login string) string {
	if len(login) > 4*64 {
		return "" // nobody's
	}
	return strings.ToLower(strings.TrimSpace(login))
}

// checkLogin fails with bad_request for what can't be a login.
func checkLogin(login string) error {
	if !loginShape.MatchString(login) {
		return &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "login", Detail: "3 to 64 of a-z, 0-9, '.', '-', '_' and '@'"}
	}
	return nil
}

// errTaken says that somebody else has a login.
var errTaken = &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "login", Detail: "somebody else has it"}

// Invite makes a link with which a person sets a new password, and an account for one who
// has none. Whoever asks must have the right to enrol over every grant that the person has:
// a link lets its holder do all that the person may. It fails with bad_request (login),
// own_grant, or forbidden, which also says that nobody is such a person.
func (s *Service) Invite(ctx context.Context, caller identity.Caller, author syncproto.AuthorID, login string, now syncproto.Instant) (*Welcome, error) {
	by := caller.Authors[0]
	if author == by {
		return nil, &syncproto.Error{Code: syncproto.CodeOwnGrant, Field: "author"}
	}
	if !over(s.Registry.Current(), by, author, now) {
		return nil, &syncproto.Error{Code: syncproto.CodeForbidden, Field: "author"}
	}
	login = plainLogin(login)
	if err := checkLogin(login); err != nil {
		return nil, err
	}
	welcome, link, err := s.link(by, author, login, now)
	if err != nil {
		return nil, err
	}
	err = s.Store.Console(ctx, func(tx Tx) error {
		if err := open(tx, author, login, now); err != nil {
			return err
		}
		return tx.PutLink(link)
	})
	if err != nil {
		return nil, wrap("make a link", err)
	}
	// A link that isn't noted is handed to nobody.
	return welcome, s.note(ctx, now, audit.MadeLink, by, author)
}

// over says whether somebody may give every grant that a person has or will have, of which
// there must be one.
func over(snap *registry.Snapshot, by, author syncproto.AuthorID, now syncproto.Instant) bool {
	mine, any := snap.People.Grants(by), false
	for _, theirs := range snap.People.Grants(author) {
		if theirs.To != 0 && theirs.To <= now {
			continue
		}
		any = true
		given := slices.ContainsFunc(mine, func(g identity.Grant) bool {
			return g.At(now) && g.Role.MayGive(theirs.Role) && snap.Areas.Within(theirs.Area, g.Area)
		})
		if !given {
			return false
		}
	}
	return any
}

// open makes sure that a person has an account, under the login that is given.
func open(tx Tx, author syncproto.AuthorID, login string, now syncproto.Instant) error {
	other, taken, err := tx.Account(login)
	if err != nil {
		return err
	}
	if taken && other.Author != author {
		return errTaken
	}
	account, known, err := tx.AccountOf(author)
	if err != nil || known && account.Login == login {
		return err
	}
	if known {
		return &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "login", Detail: "the person has another one"}
	}
	return tx.PutAccount(&Account{Author: author, Login: login, Made: now})
}

// LoginOf returns a person's login, empty for one without an account.
func (s *Service) LoginOf(ctx context.Context, author syncproto.AuthorID) (login string, err error) {
	err = s.Store.Console(ctx, func(tx Tx) error {
		account, _, err := tx.AccountOf(author)
		login = account.Login
		return err
	})
	return login, wrap("find a login", err)
}

// ChangePassword gives whoever is at the desk a new password for the old one, and ends their
// other sessions. It fails with sign_in_failed for a wrong old one, which counts as a failed
// attempt to sign in, locked, weak_password, or busy.
func (s *Service) ChangePassword(ctx context.Context, caller identity.Caller, old, password string, now syncproto.Instant) error {
	if err := tooLong(old); err != nil {
		return err
	}
	author := caller.Authors[0]
	login, err := s.LoginOf(ctx, author)
	if err != nil {
		return err
	}
	if err := checkPassword(password, login); err != nil {
		return err
	}
	done, err := s.hashing.turn(ctx)
	if err != nil {
		return err
	}
	defer done()
	account, err := s.attempt(ctx, login, "", now)
	if err != nil {
		return err
	}
	same, err := s.hashing.matches(plainPassword(old), account.Password)
	if err != nil {
		return err
	}
	if !same {
		return s.failed(ctx, author, now)
	}
	hash, err := s.hashing.make(plainPassword(password))
	if err != nil {
		return wrap("hash a password", err)
	}
	if err := s.note(ctx, now, audit.SetPassword, author, author); err != nil {
		return err
	}
	err = s.Store.Console(ctx, func(tx Tx) error {
		current, _, err := tx.AccountOf(author)
		if err != nil {
			return err
		}
		if current.Password != account.Password {
			return &syncproto.Error{Code: syncproto.CodeSignInFailed}
		}
		current.Password, current.Attempts = hash, Attempts{}
		if err := tx.PutAccount(&current); err != nil {
			return err
		}
		return tx.EndSessions(author, caller.Session)
	})
	return wrap("change a password", err)
}
