package enrol

import (
	"slices"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
)

// behind is how much earlier than now a grant starts: a phone whose clock is behind must
// not find its first work outside of it.
const behind = 24 * 60 * 60 * 1000

// begin is when a grant starts for which nobody said when.
func begin(from, now syncproto.Instant) syncproto.Instant {
	if from != 0 {
		return from
	}
	return now - behind
}

// overseer returns which of those who act may look after people in an area, and fails
// with forbidden if none may, whether or not there is such an area.
func overseer(snap *registry.Snapshot, by By, id syncproto.AreaID) (syncproto.AuthorID, error) {
	return permitted(snap, by, id, func(r identity.Role) bool { return r.May(identity.Enrol) })
}

// giver returns which of those who act may give a role in an area, and fails with
// forbidden if none may.
func giver(snap *registry.Snapshot, by By, id syncproto.AreaID, role identity.Role) (syncproto.AuthorID, error) {
	return permitted(snap, by, id, func(r identity.Role) bool { return r.MayGive(role) })
}

func permitted(snap *registry.Snapshot, by By, id syncproto.AreaID, may func(identity.Role) bool) (syncproto.AuthorID, error) {
	if by.Operator {
		if _, ok := snap.Areas.Find(id); !ok {
			return syncproto.AuthorID{}, code(syncproto.CodeNotFound, "area")
		}
		return syncproto.AuthorID{}, nil
	}
	for _, author := range by.Authors {
		for _, g := range snap.People.Grants(author) {
			if g.At(by.Now) && may(g.Role) && snap.Areas.Within(id, g.Area) {
				return author, nil
			}
		}
	}
	return syncproto.AuthorID{}, code(syncproto.CodeForbidden, "area")
}

// vouches says whether those who act may give everything that an author holds now or
// will hold. Whoever lets a phone act as somebody gives it all of that.
func vouches(snap *registry.Snapshot, by By, author syncproto.AuthorID) error {
	for _, g := range snap.People.Grants(author) {
		if g.To != 0 && g.To <= by.Now {
			continue
		}
		if by.Operator {
			continue
		}
		if _, err := giver(snap, by, g.Area, g.Role); err != nil {
			return code(syncproto.CodeForbidden, "author")
		}
	}
	return nil
}

// notOneself fails with own_grant if an author is among those who act.
func notOneself(by By, authors ...syncproto.AuthorID) error {
	for _, a := range authors {
		if !a.IsZero() && slices.Contains(by.Authors, a) {
			return code(syncproto.CodeOwnGrant, "author")
		}
	}
	return nil
}

// note adds a line of what one person does.
func (w *Write) note(by By, who syncproto.AuthorID, line audit.Entry) {
	line.At, line.Who, line.Device = by.Now, who, by.Device
	w.Lines = append(w.Lines, line)
}

// below lists the codes of an area and all below it; code not_found if there is none.
func below(snap *registry.Snapshot, id syncproto.AreaID) ([]syncproto.AreaID, error) {
	nodes := snap.Areas.Subtree(id)
	if len(nodes) == 0 {
		return nil, code(syncproto.CodeNotFound, "area")
	}
	ids := make([]syncproto.AreaID, len(nodes))
	for i, n := range nodes {
		ids[i] = n.ID
	}
	return ids, nil
}
