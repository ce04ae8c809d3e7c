package demo

import (
	"math/rand/v2"
	"sync"

	"github.com/google/uuid"

	"gridsync/server/internal/area"
	"gridsync/server/internal/demo/world"
	"gridsync/server/internal/identity"
)

// enrolment asks for a phone of the story.
func enrolment(p world.Phone) Enrolment {
	e := Enrolment{Name: p.Name, Area: p.Area, Role: identity.Volunteer}
	if p.Role == world.Secretary {
		e.Role = identity.Secretary
	}
	for _, a := range p.Authors {
		e.Authors = append(e.Authors, identity.Author{ID: a.ID, Name: a.Name})
	}
	return e
}

// onlookers are devices of people who record nothing: the county's screen, which
// reads the totals, a new phone on which the end is checked, and the township's office,
// which rules where a community has no secretary of its own.
func onlookers(w *world.World) []Enrolment {
	return []Enrolment{
		{Name: "县指挥部大屏", Area: w.County, Role: identity.County},
		{Name: "核对用新手机", Area: w.Community, Role: identity.Secretary},
		{Name: "街道办公室", Area: w.Township, Role: identity.Township},
	}
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
