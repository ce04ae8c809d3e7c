package enrol

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// Digest is by what a code is found: a SHA-256, under a key. Codes themselves aren't kept.
type Digest [32]byte

// Invite is an invitation into an area. Left is how often it may still be redeemed.
type Invite struct {
	ID      uuid.UUID         `json:"id"`
	Code    Digest            `json:"-"`
	Area    syncproto.AreaID  `json:"area"`
	Role    identity.Role     `json:"role"`
	From    syncproto.Instant `json:"from,omitempty"`
	To      syncproto.Instant `json:"to,omitempty"`
	Expires syncproto.Instant `json:"expires"`
	Left    int               `json:"left"`
	Uses    int               `json:"uses"`
	// Confirm says that a person looks at who has come before the grant holds.
	Confirm bool `json:"confirm,omitempty"`
	// Author is the known person whose new phone is let in; zero for somebody new.
	Author syncproto.AuthorID `json:"author,omitzero"`
	Label  string             `json:"label,omitempty"`
	By     syncproto.AuthorID `json:"by,omitzero"`
	Made   syncproto.Instant  `json:"made"`
	// Ended is when it was withdrawn.
	Ended syncproto.Instant `json:"ended,omitempty"`
}

// Enrolment says that somebody redeemed an invitation on a device. From and To are those
// of the grant that it gave, or will give.
type Enrolment struct {
	ID      uuid.UUID                `json:"id"`
	Invite  uuid.UUID                `json:"invite"`
	Device  syncproto.DeviceID       `json:"device"`
	Author  syncproto.AuthorID       `json:"author"`
	Area    syncproto.AreaID         `json:"area"`
	Role    identity.Role            `json:"role"`
	From    syncproto.Instant        `json:"from"`
	To      syncproto.Instant        `json:"to,omitempty"`
	Name    string                   `json:"name"`
	Phone   string                   `json:"phone,omitempty"`
	State   syncproto.EnrolmentState `json:"state"`
	At      syncproto.Instant        `json:"at"`
	By      syncproto.AuthorID       `json:"by,omitzero"`
	Settled syncproto.Instant        `json:"settled,omitempty"`
}

// grant is what the enrolment gives.
func (e *Enrolment) grant() identity.Grant {
	return identity.Grant{Author: e.Author, Area: e.Area, Role: e.Role, From: e.From, To: e.To}
}

// Phone is what is kept of a device beside the directory: how it stood at its last
// contact, by its own words, and its refresh tokens. A zero Refresh says that it has none.
type Phone struct {
	Device  syncproto.DeviceID
	Contact syncproto.Instant
	// Offset is how far the device's clock was behind the server's, in milliseconds.
	Offset  int64
	App     string
	Unsent  int
	Held    uint64
	Parked  int
	Refresh Refresh
}

// Refresh is a device's refresh tokens: the secret that makes them, and which of them is
// good now.
type Refresh struct {
	Secret     [32]byte
	Generation uint64
	Expires    syncproto.Instant
	// Vouched says that a person took the device back into use after it was suspended:
	// whatever token it shows, it gets the current one, until it shows that.
	Vouched bool
}

// InvitesWanted says which invitations are asked for: those with a code, those with ids,
// or those into areas, the newest first, at most Limit of them.
type InvitesWanted struct {
	Code  Digest
	IDs   []uuid.UUID
	Areas []syncproto.AreaID
	Limit int
}

// EnrolmentsWanted says which enrolments are asked for: those with ids, those of devices
// (the latest last), or those into areas, of one state ("" for any), the oldest first,
// after a place and at most Limit of them.
type EnrolmentsWanted struct {
	IDs     []uuid.UUID
	Devices []syncproto.DeviceID
	Areas   []syncproto.AreaID
	State   syncproto.EnrolmentState
	After   Place
	Limit   int
}

// Place is where a page of enrolments ended.
type Place struct {
	At syncproto.Instant
	ID uuid.UUID
}

// Write is what is to be kept, all or nothing. Where it says what must be so, nothing is
// kept if it isn't.
type Write struct {
	Invites []Invite
	// Spent takes a use from each invitation, which must have one left and not be
	// withdrawn; Withdrawn ends those that weren't.
	Spent     []uuid.UUID
	Withdrawn []uuid.UUID
	// Enrolments are new: none may be there for the same invitation and device.
	Enrolments []Enrolment
	// Settled are enrolments as they come to be; they must wait.
	Settled []Enrolment
	Authors []identity.Author
	// Devices are new: none of them may be registered.
	Devices []identity.Device
	// Joins add an author to those who record on a device.
	Joins []Join
	// Standings alter a device's, which must be what it was.
	Standings []Restanding
	// Grants are given, or get another end.
	Grants       []identity.Grant
	Undertakings []Accepted
	// Rotations alter a device's refresh tokens, whose generation must be what it was.
	Rotations []Rotation
	// Lines are noted in the audit's log.
	Lines []audit.Entry
	// At is when all this happens.
	At syncproto.Instant
}

// Join is an author who records on a device from now on.
type Join struct {
	Device syncproto.DeviceID
	Author syncproto.AuthorID
}

// Restanding is a device whose standing changes.
type Restanding struct {
	Device  syncproto.DeviceID
	Was, Is identity.Standing
}

// Accepted is an undertaking that was accepted on a device.
type Accepted struct {
	Author  syncproto.AuthorID
	Version int
	Device  syncproto.DeviceID
	// At is when; the store fills it in with Write.At.
	At syncproto.Instant
}

// Rotation is a device whose refresh token changes. Was is the generation before it, 0
// for a device that had none.
type Rotation struct {
	Device syncproto.DeviceID
	Was    uint64
	Is     Refresh
}

// ErrMovedOn says that something isn't as it was when it was looked at.
var ErrMovedOn = errors.New("somebody else was faster")

// Store keeps what lets people in.
type Store interface {
	Invites(ctx context.Context, want InvitesWanted) ([]Invite, error)
	Enrolments(ctx context.Context, want EnrolmentsWanted) ([]Enrolment, error)
	// Phones returns what is known of registered devices, in no order.
	Phones(ctx context.Context, devices []syncproto.DeviceID) ([]Phone, error)
	// Undertakings returns what authors have accepted, the latest version of each, in no order.
	Undertakings(ctx context.Context, authors []syncproto.AuthorID) ([]Accepted, error)
	// SaveEnrol keeps a Write whole, durably, or fails and keeps nothing of it: with
	// ErrMovedOn if a condition of it doesn't hold.
	SaveEnrol(ctx context.Context, w *Write) error
}
