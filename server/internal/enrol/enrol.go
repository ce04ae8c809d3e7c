// Package enrol lets people and their phones in, keeps them in, and looks after both:
// invitations, enrolment, tokens, grants, the board of devices, handing a grid over.
//
// It refuses to let anybody give what they don't have, or to themselves, and it never
// stands in the way of work that is to be delivered: a phone that proves with its own key
// that it is itself always gets a token for that.
package enrol

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"gridsync/server/internal/registry"
	"gridsync/syncproto"
)

// Registry holds areas and people in memory.
type Registry interface {
	Current() *registry.Snapshot
	// Refresh looks whether there is something newer.
	Refresh(ctx context.Context) (bool, error)
}

// Signer makes access tokens, with whichever key is the newest.
type Signer interface {
	Sign(device syncproto.DeviceID, author syncproto.AuthorID, from, until time.Time) (string, error)
}

// Config is what the service is made of. All of it must be given.
type Config struct {
	Store    Store
	Registry Registry
	Signer   Signer
	// Box returns the public key under which phones seal.
	Box func() []byte
	// Digest is a keyed digest, whose key isn't where codes are kept.
	Digest func(value []byte) uint64
	// Random is where codes and secrets come from, NewID where ids do.
	Random io.Reader
	NewID  func() (uuid.UUID, error)
}

// Service lets people in and looks after them.
type Service struct{ Config }

// NewService wires the service.
func NewService(cfg Config) *Service { return &Service{cfg} }

// By is who acts, and when.
type By struct {
	Authors []syncproto.AuthorID
	// Device is the phone that was used; zero at a desk.
	Device syncproto.DeviceID
	Now    syncproto.Instant
	// Operator says that they sit at the machine itself with the data before them: no
	// grant binds whoever could write grants by hand. The first administrator is let in
	// so.
	Operator bool
}

// attempts bounds how often something is tried again because somebody else was faster.
const attempts = 8

// again does work until what it looked at is still so when it writes.
func (s *Service) again(ctx context.Context, what string, work func() error) error {
	for range attempts {
		err := work()
		if err == nil {
			_, err = s.Registry.Refresh(ctx)
		}
		if !errors.Is(err, ErrMovedOn) {
			return wrap(what, err)
		}
		if _, err := s.Registry.Refresh(ctx); err != nil {
			return wrap(what, err)
		}
	}
	return &syncproto.Error{Code: syncproto.CodeBusy}
}

// wrap says what was being done, and leaves the protocol's own errors as they are.
func wrap(what string, err error) error {
	var known *syncproto.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}

func (s *Service) newID() (uuid.UUID, error) {
	id, err := s.NewID()
	if err != nil {
		return uuid.Nil, fmt.Errorf("make an id: %w", err)
	}
	return id, nil
}

func bad(field, detail string) error {
	return &syncproto.Error{Code: syncproto.CodeBadRequest, Field: field, Detail: detail}
}

func code(c syncproto.Code, field string) error { return &syncproto.Error{Code: c, Field: field} }
