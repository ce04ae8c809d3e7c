// Package identity knows devices, the people who record on them, and what each of
// them may do where and when.
//
// It refuses to know how a token travels or where a grant is stored.
package identity

import (
	"context"
	"crypto/ed25519"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
)

// Role is what a grant lets its holder do in its area.
type Role string

// The roles.
const (
	Volunteer     Role = "volunteer"
	Secretary     Role = "secretary"
	Township      Role = "township"
	County        Role = "county"
	Administrator Role = "administrator"
	Auditor       Role = "auditor"
)

// Roles lists the roles that a grant can give.
var Roles = []Role{Volunteer, Secretary, Township, County, Administrator, Auditor}

// Device is a phone or another replica.
type Device struct {
	ID   syncproto.DeviceID
	Name string
	// Authors are the people who record on it; its scope is what they may see.
	Authors []syncproto.AuthorID
	Standing
	// Key is the public key with which the device signed when it registered; nil for one
	// that never did.
	Key ed25519.PublicKey
}

// Standing is how far a device is trusted, and since when.
type Standing struct {
	Status Status
	Since  syncproto.Instant
}

// Status says what a device may do. One that is not in use receives nothing any more and
// loses its copy; what it still holds of its authors' work it may always deliver.
type Status string

// The closed set of statuses.
const (
	// InUse is the zero value: the device syncs.
	InUse Status = ""
	// Retired: it was handed back. What it delivers late counts by what its authors were
	// entitled to at the time.
	Retired Status = "retired"
	// Lost: nobody knows who holds it. What it delivers from now on waits for a person.
	Lost Status = "lost"
	// Suspended: its refresh token came twice, so somebody has copied it. As Lost, until a
	// person has looked into it.
	Suspended Status = "suspended"
)

// Trusted reports whether what the device delivers is its authors' work.
func (s Status) Trusted() bool { return s == InUse || s == Retired }

// Caller is who asks: a device, by its token, or a person who is signed in at a desk.
type Caller struct {
	// Device is zero at a desk, Session on a device.
	Device  Device
	Session Session
	// Authors are the people who ask: those of the device, or the one at the desk.
	Authors []syncproto.AuthorID
}

// Session names one signing in: the SHA-256 of the cookie.
type Session [32]byte

// Author is a person who records.
type Author struct {
	ID   syncproto.AuthorID
	Name string
}

// Grant lets an author act in an area and all below it, from From until before To. There
// is one for each author, area, role and From; ending it early moves To.
type Grant struct {
	Author syncproto.AuthorID `json:"author"`
	Area   syncproto.AreaID   `json:"area"`
	Role   Role               `json:"role"`
	From   syncproto.Instant  `json:"from"`
	To     syncproto.Instant  `json:"to,omitempty"` // 0 means open
}

// At reports whether the grant holds at an instant.
func (g Grant) At(t syncproto.Instant) bool { return g.From <= t && (g.To == 0 || t < g.To) }

// Store keeps identities.
type Store interface {
	// Identities returns everything.
	Identities(ctx context.Context) (Everyone, error)
	// AddIdentities adds devices, authors and grants, all or nothing. A device, an author
	// or a grant that is there already is replaced by what is given.
	AddIdentities(ctx context.Context, add Everyone) error
}

// Everyone is a set of devices, authors and grants.
type Everyone struct {
	Devices []Device
	Authors []Author
	Grants  []Grant
}

// Directory answers questions about everyone at one moment. It is never altered.
type Directory struct {
	devices map[syncproto.DeviceID]Device
	authors map[syncproto.AuthorID]Author
	grants  map[syncproto.AuthorID][]Grant
}

// NewDirectory makes a directory.
func NewDirectory(e Everyone) *Directory {
	d := &Directory{
		devices: make(map[syncproto.DeviceID]Device, len(e.Devices)),
		authors: make(map[syncproto.AuthorID]Author, len(e.Authors)),
		grants:  make(map[syncproto.AuthorID][]Grant, len(e.Authors)),
	}
	for _, dev := range e.Devices {
		d.devices[dev.ID] = dev
	}
	for _, a := range e.Authors {
		d.authors[a.ID] = a
	}
	for _, g := range e.Grants {
		d.grants[g.Author] = append(d.grants[g.Author], g)
	}
	return d
}

// Device returns a device.
func (d *Directory) Device(id syncproto.DeviceID) (Device, bool) {
	dev, ok := d.devices[id]
	return dev, ok
}

// Author returns an author.
func (d *Directory) Author(id syncproto.AuthorID) (Author, bool) {
	a, ok := d.authors[id]
	return a, ok
}

// Grants returns all grants of an author, in the order in which they were given.
func (d *Directory) Grants(id syncproto.AuthorID) []Grant { return slices.Clone(d.grants[id]) }

// Posts returns the areas ever granted to an author, in the order of the grants.
func (d *Directory) Posts(id syncproto.AuthorID) []syncproto.AreaID {
	var posts []syncproto.AreaID
	for _, g := range d.grants[id] {
		posts = append(posts, g.Area)
	}
	return posts
}

// Scope returns the areas whose records a device keeps: see Reach. A device that is not
// in use has none.
func (d *Directory) Scope(tree *area.Tree, id syncproto.DeviceID, now syncproto.Instant) []syncproto.AreaID {
	device := d.devices[id]
	if device.Status != InUse {
		return nil
	}
	return d.Reach(tree, device.Authors, Read, now)
}

// Reach returns the areas in which one of some authors has a right at an instant, each
// once and without those that lie below another, in the order in which they were
// granted. What lies below them is reached too.
func (d *Directory) Reach(tree *area.Tree, authors []syncproto.AuthorID, right Right, now syncproto.Instant) []syncproto.AreaID {
	var granted []syncproto.AreaID
	for _, a := range authors {
		for _, g := range d.grants[a] {
			if g.At(now) && g.Role.May(right) {
				granted = append(granted, g.Area)
			}
		}
	}
	return tops(tree, granted)
}

// May reports whether one of some authors has a right in an area at an instant.
func (d *Directory) May(tree *area.Tree, authors []syncproto.AuthorID, right Right, id syncproto.AreaID, now syncproto.Instant) bool {
	return slices.ContainsFunc(d.Reach(tree, authors, right, now), func(root syncproto.AreaID) bool { return tree.Within(id, root) })
}

// Eyes returns how much some authors together see in an area at an instant.
func (d *Directory) Eyes(tree *area.Tree, authors []syncproto.AuthorID, id syncproto.AreaID, now syncproto.Instant) Eyes {
	var e Eyes
	for _, a := range authors {
		for _, g := range d.grants[a] {
			if g.At(now) && tree.Within(id, g.Area) {
				e = e.with(g.Role)
			}
		}
	}
	return e
}

func tops(tree *area.Tree, areas []syncproto.AreaID) []syncproto.AreaID {
	var out []syncproto.AreaID
	for i, a := range areas {
		covered := false
		for j, b := range areas {
			if i != j && tree.Within(a, b) && (a != b || j < i) {
				covered = true
			}
		}
		if !covered {
			out = append(out, a)
		}
	}
	return out
}

// Entitled says whether an author might write in an area at an instant: nil, or
// an error with code unknown_author, out_of_area or grant_expired. decides asks
// for the right to settle disputes (code not_entitled).
func (d *Directory) Entitled(tree *area.Tree, author syncproto.AuthorID, id syncproto.AreaID, at syncproto.Instant, decides bool) *syncproto.Error {
	if _, ok := d.authors[author]; !ok {
		return &syncproto.Error{Code: syncproto.CodeUnknownAuthor, Field: "author"}
	}
	code := syncproto.CodeOutOfArea
	for _, g := range d.grants[author] {
		if !tree.Within(id, g.Area) {
			continue
		}
		switch {
		case !g.At(at):
			if code == syncproto.CodeOutOfArea {
				code = syncproto.CodeGrantExpired
			}
		case !g.Role.May(writing(decides)):
			code = syncproto.CodeNotEntitled
		default:
			return nil
		}
	}
	return &syncproto.Error{Code: code, Field: "area"}
}

// writing is the right that a change needs.
func writing(decides bool) Right {
	if decides {
		return Decide
	}
	return Write
}

// Posted reports whether somebody who records on a device has a grant in root or
// below it, at whatever time it holds.
func (d *Directory) Posted(tree *area.Tree, id syncproto.DeviceID, root syncproto.AreaID) bool {
	for _, a := range d.devices[id].Authors {
		if slices.ContainsFunc(d.grants[a], func(g Grant) bool { return tree.Within(g.Area, root) }) {
			return true
		}
	}
	return false
}

// ActedAs returns the grant under which an author acted in an area at an instant: of
// those that let them act there (decides asks for the right to settle disputes) the one
// for the narrowest area. If there is none, it is one that they held elsewhere at that
// time, which says where they come from; false if they held none at all.
func (d *Directory) ActedAs(tree *area.Tree, author syncproto.AuthorID, id syncproto.AreaID, at syncproto.Instant, decides bool) (Grant, bool) {
	var best, elsewhere Grant
	found, held := false, false
	for _, g := range d.grants[author] {
		switch {
		case !g.At(at):
		case !tree.Within(id, g.Area) || !g.Role.May(writing(decides)):
			if !held {
				elsewhere, held = g, true
			}
		case !found || tree.Within(g.Area, best.Area):
			best, found = g, true
		}
	}
	if found {
		return best, true
	}
	return elsewhere, held
}
