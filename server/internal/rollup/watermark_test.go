package rollup

import (
	"slices"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
)

// posted is a snapshot in which a phone reports for each grant of a volunteer.
func posted(t *testing.T, grants ...identity.Grant) *registry.Snapshot {
	t.Helper()
	var all identity.Everyone
	for i, g := range grants {
		g.Author, g.Role = syncproto.AuthorID{byte(i)}, identity.Volunteer
		all.Grants = append(all.Grants, g)
		all.Devices = append(all.Devices, identity.Device{
			ID: syncproto.DeviceID{byte(i)}, Name: string(g.Area), Authors: []syncproto.AuthorID{g.Author},
		})
	}
	return &registry.Snapshot{Areas: town(t), People: identity.NewDirectory(all)}
}

func TestSurroundingsFollowGrantsThatBeginAndEndAndNewSnapshots(t *testing.T) {
	first := posted(t, identity.Grant{Area: "grid-1", From: 10, To: 30}, identity.Grant{Area: "grid-2", From: 20})
	second := posted(t, identity.Grant{Area: "stair", From: 0})
	var v vicinity
	for _, c := range []struct {
		snap  *registry.Snapshot
		at    syncproto.Instant
		names []string
	}{
		{first, 9, nil},
		{first, 10, []string{"grid-1"}},
		{first, 20, []string{"grid-1", "grid-2"}},
		{first, 29, []string{"grid-1", "grid-2"}},
		{first, 30, []string{"grid-2"}},
		{first, 12, []string{"grid-1"}},
		{second, 12, []string{"stair"}},
		{first, 12, []string{"grid-1"}},
	} {
		if s := v.of(c.snap, "town", c.at); !slices.Equal(s.names, c.names) {
			t.Errorf("at %d: %v, not %v", c.at, s.names, c.names)
		}
	}
	if s := v.of(first, "grid-1", 20); !slices.Equal(s.names, []string{"grid-1"}) || !slices.Equal(s.areas, []area.Key{2, 4}) {
		t.Errorf("of another area: %+v", s)
	}
}

func TestSurroundingsAreFoundOnceAndNotKeptWithoutBound(t *testing.T) {
	snap := posted(t, identity.Grant{Area: "grid-1", From: 10, To: 30})
	var v vicinity
	if v.of(snap, "town", 10) != v.of(snap, "town", 29) {
		t.Error("found again though nothing has changed")
	}
	held := v.held
	for at := range syncproto.Instant(40) {
		v.of(snap, "town", at)
	}
	if len(v.known) != 1 || v.held > held {
		t.Errorf("%d areas, %d held", len(v.known), v.held)
	}
	v.held = maxHeld
	v.of(snap, "grid-2", 10)
	if len(v.known) != 1 || v.held != 2 {
		t.Errorf("over the bound: %d areas, %d held", len(v.known), v.held)
	}
}
