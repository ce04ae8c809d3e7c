package demo

import (
	"math/rand/v2"
	"sync"

	"github.com/google/uuid"

	"gridsync/server/internal/area"
	"gridsync/server/internal/demo/world"
	"gridsync/server/internal/identity"
)

// invitations invite the people of a phone of the story.
func invitations(p world.Phone) []Invitation {
	var who []Invitation
	for _, a := range p.Authors {
		who = append(who, Invitation{Author: identity.Author{ID: a.ID, Name: a.Name}, Area: p.Area, Role: roleOf(p)})
	}
	return who
}

func roleOf(p world.Phone) identity.Role {
	if p.Role == world.Secretary {
		return identity.Secretary
	}
	return identity.Volunteer
}

func nodes(w *world.World) []area.Node {
	nodes := make([]area.Node, len(w.Areas))
	for i, a := range w.Areas {
		nodes[i] = area.Node{ID: a.ID, Name: a.Name, Parent: a.Parent}
	}
	return nodes
}

// seededIDs makes the ids of devices, the same for the same seed.
func seededIDs(seed uint64) func() (uuid.UUID, error) {
	var mu sync.Mutex
	r := rand.New(rand.NewPCG(seed, 4))
	now := int64(world.Begins)
	return func() (uuid.UUID, error) {
		mu.Lock()
		defer mu.Unlock()
		now++
		return newUUID(r, now), nil
	}
}
