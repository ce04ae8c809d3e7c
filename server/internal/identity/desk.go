package identity

import (
	"gridsync/server/internal/area"
	"gridsync/syncproto"
)

// Desks returns the areas in which somebody decides by a grant for that very area: those
// that have a secretary or an office of their own, and so sign their days.
func (d *Directory) Desks(tree *area.Tree, at syncproto.Instant) map[syncproto.AreaID]bool {
	desks := make(map[syncproto.AreaID]bool)
	for _, grants := range d.grants {
		for _, g := range grants {
			if _, there := tree.Find(g.Area); there && g.At(at) && g.Role.May(Decide) {
				desks[g.Area] = true
			}
		}
	}
	return desks
}
