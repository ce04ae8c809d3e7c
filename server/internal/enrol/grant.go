package enrol

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
)

// Ending says which grants end now: those that an author holds in exactly this area, of
// one role or ("") of any.
type Ending struct {
	Author syncproto.AuthorID `json:"author"`
	Area   syncproto.AreaID   `json:"area"`
	Role   identity.Role      `json:"role,omitempty"`
}

// Person is somebody who has, had or will have a grant in an area or below it, with those
// grants and the phones that they record on.
type Person struct {
	Author  syncproto.AuthorID `json:"author"`
	Name    string             `json:"name"`
	Grants  []identity.Grant   `json:"grants"`
	Devices []PersonsDevice    `json:"devices,omitempty"`
	// Undertaking is the latest version that they have accepted, and when; absent for who
	// never enrolled with a phone.
	Undertaking int               `json:"undertaking,omitempty"`
	AcceptedAt  syncproto.Instant `json:"accepted_at,omitempty"`
}

// PersonsDevice is a phone that somebody records on.
type PersonsDevice struct {
	ID   syncproto.DeviceID `json:"id"`
	Name string             `json:"name"`
	Standing
}

// Standing is how far a device is trusted, "in_use" written out.
type Standing struct {
	Status string            `json:"status"`
	Since  syncproto.Instant `json:"since,omitempty"`
}

// People is a page of people, in order of their ids.
type People struct {
	People []Person `json:"people"`
	// Next is what to give as after for the next page; zero at the end.
	Next syncproto.AuthorID `json:"next,omitzero"`
}

// Give gives a grant; one that is there already gets the end that is given. From absent
// means from now, and a day earlier, as phones' clocks go wrong. It fails with
// bad_request, forbidden, own_grant, or not_found (author).
func (s *Service) Give(ctx context.Context, by By, g identity.Grant) (identity.Grant, error) {
	g.From = begin(g.From, by.Now)
	if !slices.Contains(identity.Roles, g.Role) {
		return g, bad("role", "a role that there is")
	}
	if err := checkSpan(g.From, g.To, by.Now); err != nil {
		return g, err
	}
	snap := s.Registry.Current()
	who, err := giver(snap, by, g.Area, g.Role)
	if err != nil {
		return g, err
	}
	if err := notOneself(by, g.Author); err != nil {
		return g, err
	}
	if _, ok := snap.People.Author(g.Author); !ok {
		return g, code(syncproto.CodeNotFound, "author")
	}
	return g, s.saveGrants(ctx, by, who, audit.Granted, []identity.Grant{g})
}

// End ends grants now, and returns them as they are then. Nothing that was recorded under
// them is lost: it was entitled when it was recorded. It fails with forbidden, own_grant,
// or not_found if there is none to end.
func (s *Service) End(ctx context.Context, by By, in Ending) ([]identity.Grant, error) {
	snap := s.Registry.Current()
	who, err := overseer(snap, by, in.Area)
	if err != nil {
		return nil, err
	}
	if err := notOneself(by, in.Author); err != nil {
		return nil, err
	}
	var ended []identity.Grant
	for _, g := range snap.People.Grants(in.Author) {
		if g.Area != in.Area || in.Role != "" && g.Role != in.Role || g.To != 0 && g.To <= by.Now {
			continue
		}
		if who, err = giver(snap, by, g.Area, g.Role); err != nil {
			return nil, err // what they couldn't give they can't take
		}
		ended = append(ended, endedAt(g, by.Now))
	}
	if len(ended) == 0 {
		return nil, code(syncproto.CodeNotFound, "author")
	}
	return ended, s.saveGrants(ctx, by, who, audit.EndedGrant, ended)
}

// endedAt is a grant that ends at an instant, or never began: one for later ends when it
// would have begun.
func endedAt(g identity.Grant, now syncproto.Instant) identity.Grant {
	g.To = max(now, g.From+1)
	return g
}

// saveGrants keeps grants, and notes what was done with them.
func (s *Service) saveGrants(ctx context.Context, by By, who syncproto.AuthorID, act audit.Act, grants []identity.Grant) error {
	w := &Write{Grants: grants, At: by.Now}
	for _, g := range grants {
		w.note(by, who, audit.Entry{Act: act, Area: g.Area, Detail: fmt.Sprintf("author %s role %s", g.Author, g.Role)})
	}
	if err := s.Store.SaveEnrol(ctx, w); err != nil {
		return wrap("save grants", err)
	}
	_, err := s.Registry.Refresh(ctx)
	return err
}

// People lists who has anything to do in an area or below it, page by page. It fails with
// forbidden or not_found.
func (s *Service) People(ctx context.Context, by By, id syncproto.AreaID, after syncproto.AuthorID, limit int) (*People, error) {
	snap := s.Registry.Current()
	if _, err := overseer(snap, by, id); err != nil {
		return nil, err
	}
	if _, err := below(snap, id); err != nil {
		return nil, err
	}
	page := &People{People: []Person{}}
	holders := snap.People.Holders(snap.Areas, id)
	from, there := slices.BinarySearchFunc(holders, after, func(a identity.Author, id syncproto.AuthorID) int { return bytes.Compare(a.ID[:], id[:]) })
	if there {
		from++
	}
	holders = holders[from:]
	if len(holders) > limit {
		holders = holders[:limit]
		page.Next = holders[limit-1].ID
	}
	ids := make([]syncproto.AuthorID, len(holders))
	for i, a := range holders {
		ids[i] = a.ID
	}
	accepted, err := s.accepted(ctx, ids)
	if err != nil {
		return nil, wrap("list people", err)
	}
	devices := snap.People.DevicesOf(ids)
	for _, a := range holders {
		p := person(snap, a, id, devices[a.ID])
		p.Undertaking, p.AcceptedAt = accepted[a.ID].Version, accepted[a.ID].At
		page.People = append(page.People, p)
	}
	return page, nil
}

// accepted returns the latest undertaking that each of some authors has accepted.
func (s *Service) accepted(ctx context.Context, ids []syncproto.AuthorID) (map[syncproto.AuthorID]Accepted, error) {
	found, err := s.Store.Undertakings(ctx, ids)
	if err != nil {
		return nil, err
	}
	accepted := make(map[syncproto.AuthorID]Accepted, len(found))
	for _, a := range found {
		accepted[a.Author] = a
	}
	return accepted, nil
}

// person shows somebody to those who look after an area: of their grants those in it, and
// no others.
func person(snap *registry.Snapshot, a identity.Author, root syncproto.AreaID, devices []identity.Device) Person {
	p := Person{Author: a.ID, Name: a.Name, Grants: []identity.Grant{}}
	for _, g := range snap.People.Grants(a.ID) {
		if snap.Areas.Within(g.Area, root) {
			p.Grants = append(p.Grants, g)
		}
	}
	for _, d := range devices {
		p.Devices = append(p.Devices, PersonsDevice{d.ID, d.Name, standingOf(d)})
	}
	return p
}

func standingOf(d identity.Device) Standing { return Standing{statusName(d.Status), d.Since} }

// inUse is how the zero status is written.
const inUse = "in_use"

func statusName(s identity.Status) string {
	if s == identity.InUse {
		return inUse
	}
	return string(s)
}
