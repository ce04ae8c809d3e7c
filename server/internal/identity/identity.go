// Package identity knows devices, the people who record on them, and what each of
// them may do where and when.
//
// It refuses to know how a token travels or where a grant is stored.
package identity

import (
	"context"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
)

// Role is what a grant lets its holder do in its area.
type Role string

// The roles.
const (
	Volunteer Role = "volunteer"
	Secretary Role = "secretary"
	Township  Role = "township"
	County    Role = "county"
)

// Roles lists the roles that a grant can give.
var Roles = []Role{Volunteer, Secretary, Township, County}

// Decides reports whether the role lets its holder settle disputes.
func (r Role) Decides() bool { return r == Secretary || r == Township || r == County }

// Device is a phone or another replica.
type Device struct {
	ID   syncproto.DeviceID
	Name string
	// Authors are the people who record on it; its scope is what they may see.
	Authors []syncproto.AuthorID
	Revoked bool
}

// Author is a person who records.
type Author struct {
	ID   syncproto.AuthorID
	Name string
}

// Grant lets an author act in an area and all below it, from From until before To.
type Grant struct {
	Author syncproto.AuthorID
	Area   syncproto.AreaID
	Role   Role
	From   syncproto.Instant
	To     syncproto.Instant // 0 means open
}

// At reports whether the grant holds at an instant.
func (g Grant) At(t syncproto.Instant) bool { return g.From <= t && (g.To == 0 || t < g.To) }

// Store keeps identities.
type Store interface {
	// Identities returns everything.
	Identities(ctx context.Context) (Everyone, error)
	// AddIdentities adds devices, authors and grants, all or nothing. A device or an
	// author that is there already is replaced by what is given.
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

// Posts returns the areas ever granted to an author, in the order of the grants.
func (d *Directory) Posts(id syncproto.AuthorID) []syncproto.AreaID {
	var posts []syncproto.AreaID
	for _, g := range d.grants[id] {
		posts = append(posts, g.Area)
	}
	return posts
}

// Scope returns the areas granted to a device's authors at an instant, each once
// and without those that lie below another, in the order in which they were
// granted. What lies below them belongs to the scope too.
func (d *Directory) Scope(tree *area.Tree, id syncproto.DeviceID, now syncproto.Instant) []syncproto.AreaID {
	var granted []syncproto.AreaID
	for _, a := range d.devices[id].Authors {
		for _, g := range d.grants[a] {
			if g.At(now) {
				granted = append(granted, g.Area)
			}
		}
	}
	return tops(tree, granted)
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
// for a role that settles disputes (code not_entitled).
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
		case decides && !g.Role.Decides():
			code = syncproto.CodeNotEntitled
		default:
			return nil
		}
	}
	return &syncproto.Error{Code: code, Field: "area"}
}

// Devices returns the devices with an author who has a grant at now for an area
// within root, or above it: those expected to report for root.
func (d *Directory) Devices(tree *area.Tree, root syncproto.AreaID, now syncproto.Instant) []Device {
	var found []Device
	for _, dev := range d.devices {
		if !dev.Revoked && d.reports(tree, dev, root, now) {
			found = append(found, dev)
		}
	}
	return found
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

func (d *Directory) reports(tree *area.Tree, dev Device, root syncproto.AreaID, now syncproto.Instant) bool {
	for _, a := range dev.Authors {
		for _, g := range d.grants[a] {
			if g.Role == Volunteer && g.At(now) && (tree.Within(g.Area, root) || tree.Within(root, g.Area)) {
				return true
			}
		}
	}
	return false
}

// ActedAs returns the grant under which an author acted in an area at an instant: of
// those that let them act there (decides asks for a role that settles disputes) the one
// for the narrowest area. If there is none, it is one that they held elsewhere at that
// time, which says where they come from; false if they held none at all.
func (d *Directory) ActedAs(tree *area.Tree, author syncproto.AuthorID, id syncproto.AreaID, at syncproto.Instant, decides bool) (Grant, bool) {
	var best, elsewhere Grant
	found, held := false, false
	for _, g := range d.grants[author] {
		switch {
		case !g.At(at):
		case !tree.Within(id, g.Area) || decides && !g.Role.Decides():
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
