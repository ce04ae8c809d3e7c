package enrol

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
)

// Limits on what a phone says of itself, in characters.
const (
	maxName  = 40
	maxPhone = 80
)

// Look says what an invitation gives, with the undertaking, and spends nothing. It fails
// with invite_unknown, invite_expired or invite_spent.
func (s *Service) Look(ctx context.Context, typed string, now syncproto.Instant) (*syncproto.Invited, error) {
	invite, err := s.invite(ctx, typed)
	if err != nil {
		return nil, err
	}
	if err := invite.open(now); err != nil {
		return nil, err
	}
	snap := s.Registry.Current()
	seen := &syncproto.Invited{
		AreaID: invite.Area, Role: string(invite.Role), From: begin(invite.From, now), To: invite.To,
		Confirmed: invite.confirmed(snap, now), Undertaking: Undertaking(),
	}
	if node, ok := snap.Areas.Find(invite.Area); ok {
		seen.AreaName = node.Name
	}
	return seen, nil
}

// invite finds an invitation by its code as typed; invite_unknown for one that isn't
// there or was withdrawn: who tries codes learns no more.
func (s *Service) invite(ctx context.Context, typed string) (Invite, error) {
	digest, ok := s.digest(typed)
	if !ok {
		return Invite{}, code(syncproto.CodeInviteUnknown, "code")
	}
	found, err := s.Store.Invites(ctx, InvitesWanted{Code: digest})
	if err != nil {
		return Invite{}, wrap("look for an invitation", err)
	}
	if len(found) == 0 {
		return Invite{}, code(syncproto.CodeInviteUnknown, "code")
	}
	return found[0], nil
}

// open says why an invitation can't be redeemed any more.
func (v *Invite) open(now syncproto.Instant) error {
	switch {
	case v.Ended != 0:
		return code(syncproto.CodeInviteUnknown, "code")
	case now >= v.Expires:
		return code(syncproto.CodeInviteExpired, "code")
	case v.Left == 0:
		return code(syncproto.CodeInviteSpent, "code")
	}
	return nil
}

// inviter is who made an invitation, as if they acted now.
func (v *Invite) inviter(now syncproto.Instant) By {
	return By{Authors: []syncproto.AuthorID{v.By}, Now: now, Operator: v.By.IsZero()}
}

// confirmed reports whether whoever comes waits for a person: as it was asked for, or as
// whoever invited them can't give the role any more. A code outlives its maker's post, and
// must not be a way back in.
func (v *Invite) confirmed(snap *registry.Snapshot, now syncproto.Instant) bool {
	_, err := giver(snap, v.inviter(now), v.Area, v.Role)
	return v.Confirm || err != nil
}

// Enrol redeems an invitation on a phone. A phone that asks again, because the answer was
// lost, gets the same enrolment and the same refresh token, whatever became of the
// invitation meanwhile, and spends nothing; see answers for how long. It fails with bad_request, bad_signature,
// device_revoked, undertaking_needed, own_grant, invite_unknown, invite_expired or
// invite_spent.
//
// The same name, or none, on a phone that is known is the person who is on it already;
// another name is somebody else who shares it.
func (s *Service) Enrol(ctx context.Context, in *syncproto.Enrolling, now syncproto.Instant) (answer *syncproto.Enrolled, err error) {
	if err := checkEnrolling(in); err != nil {
		return nil, err
	}
	if !syncproto.SignedBy(in.Key, in.SigningText(), in.Signature) {
		return nil, code(syncproto.CodeBadSignature, "signature")
	}
	err = s.again(ctx, "enrol", func() error {
		answer, err = s.enrol(ctx, in, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func checkEnrolling(in *syncproto.Enrolling) error {
	in.Name, in.Phone = strings.TrimSpace(in.Name), strings.TrimSpace(in.Phone)
	switch {
	case in.Device.IsZero():
		return bad("device", "missing")
	case len(in.Key) != ed25519.PublicKeySize:
		return bad("key", "32 bytes")
	case !readable(in.Name, maxName):
		return bad("name", "at most 40 characters that can be seen")
	case !readable(in.Phone, maxPhone):
		return bad("phone", "at most 80 characters that can be seen")
	}
	return nil
}

// readable reports whether a text has at most so many characters, all of which are seen as
// what they are: those that steer a terminal, turn the direction of a line or take no room
// would let somebody be read as somebody else.
func readable(text string, most int) bool {
	unseen := func(r rune) bool { return r == utf8.RuneError || !unicode.IsGraphic(r) }
	return utf8.RuneCountInString(text) <= most && !strings.ContainsFunc(text, unseen)
}

// enrol does it once; ErrMovedOn if somebody was faster.
func (s *Service) enrol(ctx context.Context, in *syncproto.Enrolling, now syncproto.Instant) (*syncproto.Enrolled, error) {
	snap, device, err := s.device(ctx, in.Device)
	if err != nil {
		return nil, err
	}
	if known := !device.ID.IsZero(); known && !bytes.Equal(device.Key, in.Key) {
		return nil, code(syncproto.CodeBadSignature, "key")
	}
	invite, err := s.invite(ctx, in.Code)
	if err != nil {
		return nil, err
	}
	before, err := s.Store.Enrolments(ctx, EnrolmentsWanted{Devices: []syncproto.DeviceID{in.Device}})
	if err != nil {
		return nil, err
	}
	for i := range before {
		if before[i].Invite == invite.ID {
			if device.ID.IsZero() { // it came in between two looks
				return nil, ErrMovedOn
			}
			return s.answers(ctx, device, &before[i], now)
		}
	}
	e, w, err := s.admit(snap, device, &invite, in, now)
	if err != nil {
		return nil, err
	}
	if err := s.Store.SaveEnrol(ctx, w); err != nil {
		return nil, err
	}
	if _, err := s.Registry.Refresh(ctx); err != nil {
		return nil, err
	}
	if _, device, err = s.device(ctx, in.Device); err != nil {
		return nil, err
	}
	return s.enrolled(ctx, device, e.Author, now)
}

// lostFor is how long an answer may have been lost of which a phone had no need to go on.
const lostFor = 24 * time.Hour

// answers gives an answer again. A phone that has not yet turned its first refresh token
// may need it at any time. One that has turned it has another, and a code that was spent
// must not stand in for that: whoever copied the phone's key would never have to turn a
// token, and never be found out.
func (s *Service) answers(ctx context.Context, device identity.Device, e *Enrolment, now syncproto.Instant) (*syncproto.Enrolled, error) {
	if device.Status == identity.InUse {
		r, err := s.refresh(ctx, device.ID)
		if err != nil {
			return nil, err
		}
		if now >= r.Expires || r.Generation != 1 && now >= later(e.At, lostFor) {
			return nil, code(syncproto.CodeInviteSpent, "code")
		}
	}
	return s.enrolled(ctx, device, e.Author, now)
}

// device finds a device in the directory, looking for a newer one if it isn't there; a
// zero device if nobody knows it.
func (s *Service) device(ctx context.Context, id syncproto.DeviceID) (*registry.Snapshot, identity.Device, error) {
	if device, ok := s.Registry.Current().People.Device(id); ok {
		return s.Registry.Current(), device, nil
	}
	if _, err := s.Registry.Refresh(ctx); err != nil {
		return nil, identity.Device{}, err
	}
	snap := s.Registry.Current()
	device, _ := snap.People.Device(id)
	return snap, device, nil
}

// admit works out what letting a phone in comes to.
func (s *Service) admit(snap *registry.Snapshot, device identity.Device, invite *Invite, in *syncproto.Enrolling, now syncproto.Instant) (*Enrolment, *Write, error) {
	if err := mayRedeem(snap, device, invite, in, now); err != nil {
		return nil, nil, err
	}
	w := &Write{At: now}
	author, err := s.author(snap, device, invite, in.Name, w)
	if err != nil {
		return nil, nil, err
	}
	id, err := s.newID()
	if err != nil {
		return nil, nil, err
	}
	e := Enrolment{
		ID: id, Invite: invite.ID, Device: in.Device, Author: author.ID, Area: invite.Area, Role: invite.Role,
		From: begin(invite.From, now), To: invite.To, Name: author.Name, Phone: in.Phone, State: syncproto.EnrolmentActive, At: now,
	}
	if invite.confirmed(snap, now) {
		e.State = syncproto.EnrolmentWaiting
	} else {
		w.Grants = append(w.Grants, e.grant())
	}
	w.Spent, w.Enrolments = append(w.Spent, invite.ID), append(w.Enrolments, e)
	w.Undertakings = append(w.Undertakings, Accepted{Author: author.ID, Version: in.Undertaking, Device: in.Device})
	w.Lines = append(w.Lines, audit.Entry{
		At: now, Act: audit.Enrolled, Who: e.Author, Device: e.Device, Area: e.Area,
		Detail: "invite " + e.Invite.String() + " role " + string(e.Role) + " " + string(e.State),
	})
	return &e, w, s.register(device, in, author.ID, w)
}

// mayRedeem says why a phone can't redeem an invitation now.
func mayRedeem(snap *registry.Snapshot, device identity.Device, invite *Invite, in *syncproto.Enrolling, now syncproto.Instant) error {
	if err := invite.open(now); err != nil {
		return err
	}
	inviter := invite.inviter(now)
	switch {
	case device.Status != identity.InUse:
		return code(syncproto.CodeDeviceRevoked, "device")
	case in.Undertaking != InForce:
		return code(syncproto.CodeUndertakingNeeded, "undertaking")
	case notOneself(inviter, device.Authors...) != nil:
		return code(syncproto.CodeOwnGrant, "device")
	case !invite.Author.IsZero() && (invite.confirmed(snap, now) || vouches(snap, inviter, invite.Author) != nil):
		// The person has risen since or the inviter has left, and a phone that acts as them
		// isn't the inviter's to give any more.
		return code(syncproto.CodeInviteUnknown, "code")
	}
	return nil
}

// author is who is let in: the invitation's, the one of this name who is on the phone, or
// somebody new.
func (s *Service) author(snap *registry.Snapshot, device identity.Device, invite *Invite, name string, w *Write) (identity.Author, error) {
	if !invite.Author.IsZero() {
		known, _ := snap.People.Author(invite.Author)
		known.ID = invite.Author
		return known, nil
	}
	for _, id := range device.Authors {
		if known, ok := snap.People.Author(id); ok && (name == "" || sameName(known.Name, name)) {
			return known, nil
		}
	}
	if name == "" {
		return identity.Author{}, bad("name", "missing")
	}
	id, err := s.newID()
	if err != nil {
		return identity.Author{}, err
	}
	author := identity.Author{ID: syncproto.AuthorID(id), Name: name}
	w.Authors = append(w.Authors, author)
	return author, nil
}

// sameName compares two names as they are read: width, case and spaces don't matter.
func sameName(a, b string) bool { return plain(a) == plain(b) }

func plain(name string) string {
	return strings.ToLower(strings.Join(strings.Fields(norm.NFKC.String(name)), ""))
}

// register adds the phone, or the author to it, and its first refresh token.
func (s *Service) register(device identity.Device, in *syncproto.Enrolling, author syncproto.AuthorID, w *Write) error {
	if !device.ID.IsZero() {
		w.Joins = append(w.Joins, Join{in.Device, author})
		return nil
	}
	label := in.Phone
	if label == "" {
		label = w.Enrolments[0].Name
	}
	w.Devices = append(w.Devices, identity.Device{
		ID: in.Device, Name: label, Authors: []syncproto.AuthorID{author},
		Standing: identity.Standing{Since: w.At}, Key: bytes.Clone(in.Key),
	})
	first, err := firstRefresh(s.Random, w.At)
	w.Rotations = append(w.Rotations, Rotation{Device: in.Device, Is: first})
	return err
}
