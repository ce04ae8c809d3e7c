package exchange

import (
	"strings"
	"sync"

	"gridsync/server/internal/area"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
)

// sight is how much a device's authors see in the areas of its scope: a small number for
// each area in which that is not everything. Most of a position's worth is in it: what a
// device got under one sight is nothing to go on from under another (R97).
type sight map[area.Key]byte

// sightOf numbers what eyes that are open see; 0 is everything.
func sightOf(e identity.Eyes) byte {
	return byte(identity.Clear-e.Personal)*3 + byte(identity.Clear-e.Secret)
}

// maxSight is the greatest number of a sight.
const maxSight = byte(identity.Clear)*3 + byte(identity.Clear)

// sights remembers the sights of the current snapshot, by the grants that they follow
// from.
type sights struct {
	mu       sync.Mutex
	snap     *registry.Snapshot
	byGrants map[string]sight
}

// of returns what authors see in the areas of a scope with these roots; nil where that is
// everything, which costs a look at the roots alone: nobody sees less below.
func (c *sights) of(snap *registry.Snapshot, s *scope, roots []syncproto.AreaID, authors []syncproto.AuthorID, now syncproto.Instant) sight {
	if seesAll(snap, roots, authors, now) {
		return nil
	}
	key := inForce(snap, authors, now)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.snap != snap {
		c.snap, c.byGrants = snap, make(map[string]sight)
	}
	known, ok := c.byGrants[key]
	if !ok {
		known = make(sight, len(s.nodes))
		for i := range s.nodes {
			n := &s.nodes[i]
			if code := sightOf(snap.People.Eyes(snap.Areas, authors, n.ID, now)); code != 0 {
				known[n.Key] = code
			}
		}
		c.byGrants[key] = known
	}
	return known
}

func seesAll(snap *registry.Snapshot, roots []syncproto.AreaID, authors []syncproto.AuthorID, now syncproto.Instant) bool {
	for _, root := range roots {
		if sightOf(snap.People.Eyes(snap.Areas, authors, root, now)) != 0 {
			return false
		}
	}
	return true
}

// inForce names the grants by which authors see anything now.
func inForce(snap *registry.Snapshot, authors []syncproto.AuthorID, now syncproto.Instant) string {
	var b strings.Builder
	for _, author := range authors {
		for _, g := range snap.People.Grants(author) {
			if g.At(now) && g.Role.May(identity.Read) {
				b.WriteString(string(g.Area) + "\x00" + string(g.Role) + "\x00")
			}
		}
	}
	return b.String()
}

// look says what the device's authors see, and starts anew the areas in which they saw more
// or less when the cursor was given out.
func (p *puller) look(roots []syncproto.AreaID, authors []syncproto.AuthorID) {
	p.sight = p.s.sights.of(p.snap, p.scope, roots, authors, p.answer.Now)
	if p.sight != nil {
		p.lens = p.s.lenses(p.snap, authors, p.answer.Now)
	}
	if len(p.sight) == 0 && len(p.cursor.sight) == 0 {
		return
	}
	for _, n := range p.scope.nodes {
		if p.cursor.sight[n.Key] == p.sight[n.Key] {
			continue
		}
		held := false
		for _, stream := range streams {
			f := Feed{n.Key, stream}
			if _, has := p.cursor.positions[f]; has {
				held = true
				delete(p.cursor.positions, f)
			}
		}
		if held {
			p.answer.Restarted = append(p.answer.Restarted, n.ID)
		}
	}
	p.cursor.sight = p.sight
}

// shown is a record as the device gets it.
func (p *puller) shown(r *syncproto.Record, key area.Key) syncproto.Record {
	if p.sight[key] == 0 {
		return *r
	}
	return p.lens.Record(r)
}

// maskTold masks what fields show now in what authors are told. Where the record stands
// isn't said, so it is seen as in the area of the scope in which least is; whoever sees
// nothing any more sees none of it. What an author wrote, and holds, stays.
func (p *puller) maskTold(told []syncproto.Told) {
	nothing := len(p.scope.nodes) == 0
	if p.sight == nil && !nothing {
		return
	}
	least := p.least()
	for i := range told {
		t := &told[i]
		switch {
		case t.Shows == "" || t.Said == syncproto.SaidKept:
		case nothing:
			t.Shows = ""
		default:
			t.Shows, _ = p.lens.Value(least, t.Kind, t.Field, t.Shows)
		}
	}
}

// least is what is seen wherever anything is.
func (p *puller) least() identity.Eyes {
	least := identity.Eyes{Open: true, Personal: identity.Clear, Secret: identity.Clear}
	for _, n := range p.scope.nodes {
		if p.sight[n.Key] != 0 {
			e := p.lens.Eyes(n.ID)
			least.Personal, least.Secret = min(least.Personal, e.Personal), min(least.Secret, e.Secret)
		}
	}
	return least
}
