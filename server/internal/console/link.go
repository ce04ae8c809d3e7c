package console

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"time"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/qr"
	"gridsync/server/internal/seal"
	"gridsync/syncproto"
)

// Link lets one person set a password, once. It says who they are to whoever has it, so it
// lasts a day and there is one for a person.
type Link struct {
	ID     Digest
	Author syncproto.AuthorID
	// By is who made it; zero for whoever sat at the server. It is good for as long as they
	// may make it: neither a post that they have left nor one that the person has risen to
	// is to be had by a link from before.
	By      syncproto.AuthorID
	Expires syncproto.Instant
	// Used is when it was used, 0 if it wasn't.
	Used syncproto.Instant
}

// linkLasts is how long a link may be used.
const linkLasts = 24 * time.Hour

// Welcome is a link for somebody, as whoever made it hands it on.
type Welcome struct {
	Login string `json:"login"`
	// Token goes behind the server's address: https://…/#welcome=TOKEN.
	Token   string            `json:"token"`
	Expires syncproto.Instant `json:"expires"`
}

// link draws a link for a person.
func (s *Service) link(by, author syncproto.AuthorID, login string, now syncproto.Instant) (*Welcome, Link, error) {
	token, id, err := s.token()
	if err != nil {
		return nil, Link{}, err
	}
	expires := after(now, linkLasts)
	return &Welcome{login, token, expires}, Link{ID: id, Author: author, By: by, Expires: expires}, nil
}

// live finds an unused link and its account. It fails with code link_spent, also for one that
// never was, or whose maker may not make it any more.
func (s *Service) live(tx Tx, id Digest, now syncproto.Instant) (Account, error) {
	spent := &syncproto.Error{Code: syncproto.CodeLinkSpent}
	link, known, err := tx.Link(id)
	if err != nil {
		return Account{}, err
	}
	if !known || link.Used != 0 || now >= link.Expires {
		return Account{}, spent
	}
	if !link.By.IsZero() && !over(s.Registry.Current(), link.By, link.Author, now) {
		return Account{}, spent
	}
	account, known, err := tx.AccountOf(link.Author)
	if err == nil && !known {
		err = spent
	}
	return account, err
}

// whose is live, outside of another transaction.
func (s *Service) whose(ctx context.Context, token string, now syncproto.Instant) (account Account, id Digest, err error) {
	id, ok := digestOf(token)
	if !ok {
		return Account{}, id, &syncproto.Error{Code: syncproto.CodeLinkSpent}
	}
	var spent error // see attempt
	err = s.Store.Console(ctx, func(tx Tx) error {
		account, spent = s.live(tx, id, now)
		return nil
	})
	if err == nil {
		err = spent
	}
	return account, id, wrap("look at a link", err)
}

// Setup is what whoever follows a link is shown: who they are, and a fresh secret for their
// authenticator, as text to type, as the address that its app reads, and as a picture of it.
// It is empty where a link was used up.
type Setup struct {
	Login  string `json:"login,omitempty"`
	Name   string `json:"name,omitempty"`
	Secret string `json:"secret,omitempty"`
	URI    string `json:"uri,omitempty"`
	QR     string `json:"qr,omitempty"`
	// Sealed is the secret as only the server can read it: it comes back with the password,
	// so that the server keeps nothing of somebody who never comes back.
	Sealed string `json:"sealed,omitempty"`
}

// Setup begins to use a link. It fails with code link_spent, and uses up nothing.
func (s *Service) Setup(ctx context.Context, token string, now syncproto.Instant) (*Setup, error) {
	account, id, err := s.whose(ctx, token, now)
	if err != nil {
		return nil, err
	}
	secret := make([]byte, totpSecret)
	if _, err := io.ReadFull(s.Random, secret); err != nil {
		return nil, fmt.Errorf("console: draw a secret: %w", err)
	}
	sealed, err := s.Sealer.Seal(nil, secretFor(id), secret)
	if err != nil {
		return nil, fmt.Errorf("console: seal a secret: %w", err)
	}
	author, _ := s.Registry.Current().People.Author(account.Author)
	uri := secretURI(account.Login, secret)
	picture, err := qr.Encode(uri)
	if err != nil {
		return nil, wrap("draw a secret", err)
	}
	return &Setup{
		Login: account.Login, Name: author.Name,
		Secret: secretText(secret), URI: uri, QR: picture.DataURL(),
		Sealed: base64.RawURLEncoding.EncodeToString(sealed),
	}, nil
}

// secretFor is where a secret stands that belongs to a link, and to nobody yet.
func secretFor(id Digest) seal.Place {
	return seal.In("link_once.totp").ID([16]byte(id[:16])).ID([16]byte(id[16:]))
}

// offered opens what Setup sealed for a link.
func (s *Service) offered(id Digest, sealed string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return nil, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "sealed"}
	}
	secret, err := s.Sealer.Open(secretFor(id), raw)
	if err != nil {
		return nil, &syncproto.Error{Code: syncproto.CodeBadRequest, Field: "sealed"}
	}
	return secret, nil
}

// Chosen is what comes back: the password that was chosen, what Setup sealed, and a code
// that shows that the authenticator has it.
type Chosen struct {
	Token    string `json:"token"`
	Password string `json:"password,omitempty"`
	TOTP     string `json:"totp,omitempty"`
	Sealed   string `json:"sealed,omitempty"`
}

// Redeem uses a link: it sets password and authenticator, ends the person's sessions, and
// lifts a lock. It fails with link_spent, weak_password, sign_in_failed (totp) or busy, and
// the link stays good.
func (s *Service) Redeem(ctx context.Context, in Chosen, now syncproto.Instant) error {
	account, id, err := s.whose(ctx, in.Token, now)
	if err != nil {
		return err
	}
	if err := checkPassword(in.Password, account.Login); err != nil {
		return err
	}
	secret, err := s.offered(id, in.Sealed)
	if err != nil {
		return err
	}
	step, fits := stepOf(secret, in.TOTP, now, -1)
	if !fits {
		return &syncproto.Error{Code: syncproto.CodeSignInFailed, Field: "totp"}
	}
	done, err := s.hashing.turn(ctx)
	if err != nil {
		return err
	}
	defer done()
	hash, err := s.hashing.make(plainPassword(in.Password))
	if err != nil {
		return wrap("hash a password", err)
	}
	sealed, err := s.Sealer.Seal(nil, secretOf(account.Author), secret)
	if err != nil {
		return fmt.Errorf("console: seal a secret: %w", err)
	}
	if err := s.note(ctx, now, audit.SetPassword, account.Author, account.Author); err != nil {
		return err
	}
	err = s.Store.Console(ctx, func(tx Tx) error {
		account, err := s.live(tx, id, now)
		if err != nil {
			return err
		}
		account.Password, account.TOTP, account.Step, account.Attempts = hash, sealed, step, Attempts{}
		if err := tx.PutAccount(&account); err != nil {
			return err
		}
		if err := tx.UseLink(id, now); err != nil {
			return err
		}
		return tx.EndSessions(account.Author, identity.Session{})
	})
	return wrap("use a link", err)
}
