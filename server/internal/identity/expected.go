package identity

import (
	"slices"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
)

// Expected are the devices that are to report for an area, in order of their ids, from From
// until before Until: in between none of the grants that make them so begins or ends. Until
// is 0 for good.
type Expected struct {
	Devices     []Device
	From, Until syncproto.Instant
}

// Expected returns the devices in use with an author who has a volunteer's grant at now for
// an area within root, or above it.
func (d *Directory) Expected(tree *area.Tree, root syncproto.AreaID, now syncproto.Instant) Expected {
	e := Expected{From: minInstant}
	near := nearness{tree: tree, root: root, known: make(map[syncproto.AreaID]bool)}
	for _, dev := range d.devices {
		if dev.Status == InUse && d.reports(dev, &near, now, &e) {
			e.Devices = append(e.Devices, dev)
		}
	}
	slices.SortFunc(e.Devices, byID)
	return e
}

const minInstant = syncproto.Instant(-1 << 63)

// reports says whether a device is expected at now, and narrows the time for which that is
// said.
func (d *Directory) reports(dev Device, near *nearness, now syncproto.Instant, e *Expected) bool {
	expected := false
	for _, a := range dev.Authors {
		for _, g := range d.grants[a] {
			if g.Role != Volunteer || !near.to(g.Area) {
				continue
			}
			expected = expected || g.At(now)
			e.turn(g.From, now)
			if g.To != 0 {
				e.turn(g.To, now)
			}
		}
	}
	return expected
}

// turn notes an instant at which a grant begins or ends.
func (e *Expected) turn(at, now syncproto.Instant) {
	switch {
	case at <= now:
		e.From = max(e.From, at)
	case e.Until == 0 || at < e.Until:
		e.Until = at
	}
}

// nearness remembers which areas lie within one, or above it: many people have their posts
// in one grid.
type nearness struct {
	tree  *area.Tree
	root  syncproto.AreaID
	known map[syncproto.AreaID]bool
}

func (n *nearness) to(id syncproto.AreaID) bool {
	near, known := n.known[id]
	if !known {
		near = n.tree.Within(id, n.root) || n.tree.Within(n.root, id)
		n.known[id] = near
	}
	return near
}
