package enrol

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
)

// Limits on invitations.
const (
	MaxHours     = 14 * 24
	DefaultHours = 24
	MaxUses      = 1000
	maxLabel     = 80 // characters
	// listed bounds a list of invitations.
	listed = 500
)

// Inviting asks for an invitation.
type Inviting struct {
	Area syncproto.AreaID `json:"area"`
	Role identity.Role    `json:"role"`
	// From and To are the grant's; it starts when it is redeemed if From is absent, and is
	// open if To is.
	From syncproto.Instant `json:"from,omitempty"`
	To   syncproto.Instant `json:"to,omitempty"`
	// Uses is how often it may be redeemed, 1 if absent; Hours how long, 24 if absent.
	Uses  int `json:"uses,omitempty"`
	Hours int `json:"hours,omitempty"`
	// Confirm makes everybody who comes wait for a person's confirmation.
	Confirm bool `json:"confirm,omitempty"`
	// Author is a known person who gets a new phone.
	Author syncproto.AuthorID `json:"author,omitzero"`
	Label  string             `json:"label,omitempty"`
}

// Invite makes an invitation and returns it with its code, which can't be had again. It
// fails with bad_request, forbidden, or own_grant.
func (s *Service) Invite(ctx context.Context, by By, in Inviting) (Invite, string, error) {
	if err := in.complete(by.Now); err != nil {
		return Invite{}, "", err
	}
	snap := s.Registry.Current()
	who, err := in.allowed(snap, by)
	if err != nil {
		return Invite{}, "", err
	}
	id, err := s.newID()
	if err != nil {
		return Invite{}, "", err
	}
	secret, err := newCode(s.Random)
	if err != nil {
		return Invite{}, "", err
	}
	digest, _ := s.digest(secret)
	made := Invite{
		ID: id, Code: digest, Area: in.Area, Role: in.Role, From: in.From, To: in.To,
		Expires: by.Now + syncproto.Instant(time.Duration(in.Hours)*time.Hour/time.Millisecond),
		Left:    in.Uses, Uses: in.Uses, Confirm: in.Confirm, Author: in.Author, Label: in.Label, By: who, Made: by.Now,
	}
	w := &Write{Invites: []Invite{made}, At: by.Now}
	w.note(by, who, audit.Entry{Act: audit.Invited, Area: in.Area, Detail: fmt.Sprintf("invite %s role %s uses %d", id, in.Role, in.Uses)})
	return made, secret, wrap("invite", s.Store.SaveEnrol(ctx, w))
}

// complete fills in what may be left out and says what is wrong.
func (in *Inviting) complete(now syncproto.Instant) error {
	if in.Uses == 0 {
		in.Uses = 1
	}
	if in.Hours == 0 {
		in.Hours = DefaultHours
	}
	switch {
	case in.Area.Check() != nil:
		return bad("area", "letters, digits, '.', '-' and '_' only")
	case !slices.Contains(identity.Roles, in.Role):
		return bad("role", "a role that there is")
	case in.Uses < 1 || in.Uses > MaxUses:
		return bad("uses", fmt.Sprintf("1 to %d", MaxUses))
	case in.Hours < 1 || in.Hours > MaxHours:
		return bad("hours", fmt.Sprintf("1 to %d", MaxHours))
	case !readable(in.Label, maxLabel):
		return bad("label", fmt.Sprintf("at most %d characters that can be seen", maxLabel))
	case !in.Author.IsZero() && (in.Uses > 1 || in.Confirm):
		return bad("author", "one use, and nothing to confirm: the person is known")
	}
	return checkSpan(in.From, in.To, now)
}

// checkSpan holds a grant's ends against each other.
func checkSpan(from, to, now syncproto.Instant) error {
	switch {
	case from < 0:
		return bad("from", "not before 1970")
	case to != 0 && (to <= now || to <= from):
		return bad("to", "after now and after from")
	}
	return nil
}

// allowed returns who invites. A phone that acts as somebody known gets all that they
// hold, so that must be the inviter's to give.
func (in *Inviting) allowed(snap *registry.Snapshot, by By) (syncproto.AuthorID, error) {
	if err := notOneself(by, in.Author); err != nil {
		return syncproto.AuthorID{}, err
	}
	who, err := giver(snap, by, in.Area, in.Role)
	if err != nil || in.Author.IsZero() {
		return who, err
	}
	if !known(snap, by, in.Author) {
		return who, code(syncproto.CodeForbidden, "author")
	}
	return who, vouches(snap, by, in.Author)
}

// known reports whether an author has, or had, anything to do where those who act look
// after people. Somebody else's former colleague isn't theirs to give a phone to: with
// the next grant that phone would see what they never may. Whoever sits at the machine may
// name anybody.
func known(snap *registry.Snapshot, by By, author syncproto.AuthorID) bool {
	if by.Operator {
		_, ok := snap.People.Author(author)
		return ok
	}
	return slices.ContainsFunc(snap.People.Grants(author), func(g identity.Grant) bool {
		_, err := overseer(snap, by, g.Area)
		return err == nil
	})
}

// Invites lists the invitations into an area and all below it, the newest first, at most
// 500.
func (s *Service) Invites(ctx context.Context, by By, id syncproto.AreaID) ([]Invite, error) {
	snap := s.Registry.Current()
	if _, err := overseer(snap, by, id); err != nil {
		return nil, err
	}
	areas, err := below(snap, id)
	if err != nil {
		return nil, err
	}
	found, err := s.Store.Invites(ctx, InvitesWanted{Areas: areas, Limit: listed})
	return found, wrap("list invitations", err)
}

// Withdraw ends an invitation; one that has ended already stays so. It fails with
// not_found for one that isn't there or isn't the caller's to see, and forbidden for one
// that they couldn't have made.
func (s *Service) Withdraw(ctx context.Context, by By, id uuid.UUID) (Invite, error) {
	found, err := s.Store.Invites(ctx, InvitesWanted{IDs: []uuid.UUID{id}})
	if err != nil {
		return Invite{}, wrap("withdraw an invitation", err)
	}
	if len(found) == 0 {
		return Invite{}, code(syncproto.CodeNotFound, "invite")
	}
	invite, snap := found[0], s.Registry.Current()
	if _, err := overseer(snap, by, invite.Area); err != nil {
		return Invite{}, code(syncproto.CodeNotFound, "invite")
	}
	who, err := giver(snap, by, invite.Area, invite.Role)
	if err != nil {
		return Invite{}, err // nobody keeps out those who are to come after them
	}
	if invite.Ended != 0 {
		return invite, nil
	}
	w := &Write{Withdrawn: []uuid.UUID{id}, At: by.Now}
	w.note(by, who, audit.Entry{Act: audit.Withdrew, Area: invite.Area, Detail: "invite " + id.String()})
	invite.Ended = by.Now
	return invite, wrap("withdraw an invitation", s.Store.SaveEnrol(ctx, w))
}
