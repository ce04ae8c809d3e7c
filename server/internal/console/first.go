package console

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// First is the administrator with whom an installation begins.
type First struct {
	Name, Login string
	// Areas are what they look after; all topmost areas if there are none.
	Areas []syncproto.AreaID
	// Again makes another one where there is an administrator.
	Again bool
}

// Errors of Begin and Relink that whoever sits at the server can mend.
var (
	ErrNoName           = errors.New("an administrator needs a name")
	ErrNoAreas          = errors.New("there are no areas yet")
	ErrUnknownArea      = errors.New("there is no such area")
	ErrHasAdministrator = errors.New("there is an administrator already")
	ErrNoAccount        = errors.New("nobody has that login")
)

// Begin makes an administrator with a grant that is open to its end, and a link. It is asked
// for by whoever has the server itself, and by nobody over the network.
func (s *Service) Begin(ctx context.Context, first First, now syncproto.Instant) (*Welcome, error) {
	login := plainLogin(first.Login)
	if err := checkLogin(login); err != nil {
		return nil, err
	}
	areas, err := s.admissible(ctx, &first, now)
	if err != nil {
		return nil, err
	}
	id, err := s.NewID()
	if err != nil {
		return nil, fmt.Errorf("console: make an id: %w", err)
	}
	author := syncproto.AuthorID(id)
	add := identity.Everyone{Authors: []identity.Author{{ID: author, Name: first.Name}}}
	for _, a := range areas {
		add.Grants = append(add.Grants, identity.Grant{Author: author, Area: a, Role: identity.Administrator, From: now})
	}
	welcome, link, err := s.link(syncproto.AuthorID{}, author, login, now)
	if err != nil {
		return nil, err
	}
	err = s.Store.Console(ctx, func(tx Tx) error {
		if err := tx.AddIdentities(add); err != nil {
			return err
		}
		if err := open(tx, author, login, now); err != nil {
			return err
		}
		return tx.PutLink(link)
	})
	if err != nil {
		return nil, wrap("make an administrator", err)
	}
	return welcome, s.note(ctx, now, audit.MadeLink, syncproto.AuthorID{}, author)
}

// admissible says for which areas an administrator may be made.
func (s *Service) admissible(ctx context.Context, first *First, now syncproto.Instant) ([]syncproto.AreaID, error) {
	if first.Name == "" {
		return nil, ErrNoName
	}
	everyone, err := s.Store.Identities(ctx)
	if err != nil {
		return nil, wrap("look for an administrator", err)
	}
	there := slices.ContainsFunc(everyone.Grants, func(g identity.Grant) bool { return g.Role == identity.Administrator && g.At(now) })
	if there && !first.Again {
		return nil, ErrHasAdministrator
	}
	tree := s.Registry.Current().Areas
	for _, id := range first.Areas {
		if _, ok := tree.Find(id); !ok {
			return nil, fmt.Errorf("%w: %s", ErrUnknownArea, id)
		}
	}
	if len(first.Areas) > 0 {
		return first.Areas, nil
	}
	var tops []syncproto.AreaID
	for _, n := range tree.Children("") {
		tops = append(tops, n.ID)
	}
	if len(tops) == 0 {
		return nil, ErrNoAreas
	}
	return tops, nil
}

// Relink makes another link for a login, as Begin does: for a password that was forgotten.
func (s *Service) Relink(ctx context.Context, login string, now syncproto.Instant) (*Welcome, error) {
	var welcome *Welcome
	var author syncproto.AuthorID
	err := s.Store.Console(ctx, func(tx Tx) error {
		account, known, err := tx.Account(plainLogin(login))
		if err != nil {
			return err
		}
		if !known {
			return ErrNoAccount
		}
		author = account.Author
		var link Link
		if welcome, link, err = s.link(syncproto.AuthorID{}, author, account.Login, now); err != nil {
			return err
		}
		return tx.PutLink(link)
	})
	if err != nil {
		return nil, wrap("make a link", err)
	}
	return welcome, s.note(ctx, now, audit.MadeLink, syncproto.AuthorID{}, author)
}
