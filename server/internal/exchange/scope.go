package exchange

import (
	"hash/fnv"
	"slices"
	"strings"
	"sync"

	"gridsync/server/internal/area"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// scope is the areas below some roots, worked out once for each snapshot, and what is
// broadcast by those above them.
type scope struct {
	// nodes are in the order of the roots: a device's own grid first.
	nodes []area.Node
	has   map[area.Key]bool
	// above are the areas above the roots that are not among nodes, from the top down.
	above    []area.Node
	hasAbove map[area.Key]bool
	// feeds are in the order of a first sync: all rosters before any history.
	feeds []Feed
	// print is a fingerprint of the areas as a device sees them.
	print uint32
}

// streams are the streams of every area in the order of a first sync.
var streams = []form.Stream{form.Broadcast, form.Roster, form.History}

func newScope(snap *registry.Snapshot, roots []syncproto.AreaID) *scope {
	tree := snap.Areas
	s := &scope{has: make(map[area.Key]bool), hasAbove: make(map[area.Key]bool)}
	h := fnv.New32a()
	note := func(n area.Node) {
		h.Write([]byte(string(n.ID) + "\x00" + n.Name + "\x00" + string(n.Parent) + "\x00"))
		for _, own := range snap.Settings.Own(n.ID) {
			h.Write([]byte(own.Name + "\x00" + own.From.String() + "\x00" + string(own.Value) + "\x00"))
		}
	}
	for _, root := range roots {
		for _, n := range tree.Subtree(root) {
			s.nodes = append(s.nodes, n)
			s.has[n.Key] = true
			note(n)
		}
	}
	for _, root := range roots {
		for _, n := range tree.Path(root) {
			if !s.has[n.Key] && !s.hasAbove[n.Key] {
				s.above = append(s.above, n)
				s.hasAbove[n.Key] = true
				note(n)
			}
		}
	}
	s.print = h.Sum32()
	for _, n := range s.above {
		s.feeds = append(s.feeds, Feed{Area: n.Key, Stream: form.Broadcast})
	}
	for _, stream := range streams {
		for _, n := range s.nodes {
			s.feeds = append(s.feeds, Feed{Area: n.Key, Stream: stream})
		}
	}
	return s
}

// holds reports whether a feed is in the scope.
func (s *scope) holds(f Feed) bool {
	return s.has[f.Area] || f.Stream == form.Broadcast && s.hasAbove[f.Area]
}

// all are the areas of which the scope holds anything.
func (s *scope) all() []area.Node { return slices.Concat(s.nodes, s.above) }

// scopes remembers the scopes of the current snapshot.
type scopes struct {
	mu      sync.Mutex
	snap    *registry.Snapshot
	byRoots map[string]*scope
}

func (c *scopes) of(snap *registry.Snapshot, roots []syncproto.AreaID) *scope {
	var key strings.Builder
	for _, r := range roots {
		key.WriteString(string(r))
		key.WriteByte(0)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.snap != snap {
		c.snap, c.byRoots = snap, make(map[string]*scope)
	}
	s := c.byRoots[key.String()]
	if s == nil {
		s = newScope(snap, roots)
		c.byRoots[key.String()] = s
	}
	return s
}
