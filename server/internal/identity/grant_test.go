package identity

import (
	"testing"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
)

func TestAnAuthorActsUnderTheNarrowestGrantThatLetsThem(t *testing.T) {
	tree, err := area.NewTree([]area.Node{
		{Key: 1, ID: "town"}, {Key: 2, ID: "c1", Parent: "town"}, {Key: 3, ID: "g1", Parent: "c1"}, {Key: 4, ID: "c2", Parent: "town"},
	})
	if err != nil {
		t.Fatal(err)
	}
	one, two := syncproto.AuthorID{1}, syncproto.AuthorID{2}
	d := NewDirectory(Everyone{Grants: []Grant{
		{Author: one, Area: "town", Role: Township, From: 10},
		{Author: one, Area: "g1", Role: Volunteer, From: 10, To: 20},
		{Author: one, Area: "c1", Role: Secretary, From: 10},
		{Author: two, Area: "g1", Role: Volunteer, From: 10},
	}})
	for _, c := range []struct {
		author  syncproto.AuthorID
		area    syncproto.AreaID
		at      syncproto.Instant
		decides bool
		want    syncproto.AreaID
	}{
		{one, "g1", 10, false, "g1"},
		{one, "g1", 20, false, "c1"}, // the grant for the grid has ended
		{one, "g1", 10, true, "c1"},  // a volunteer decides nothing
		{one, "c2", 10, true, "town"},
		{two, "g1", 10, false, "g1"},
		{two, "c2", 10, false, "g1"}, // where they come from
		{two, "g1", 10, true, "g1"},
		{two, "nowhere", 10, false, "g1"},
		{two, "g1", 9, false, ""},
		{syncproto.AuthorID{3}, "g1", 10, false, ""},
	} {
		grant, ok := d.ActedAs(tree, c.author, c.area, c.at, c.decides)
		if grant.Area != c.want || ok != (c.want != "") {
			t.Errorf("%v in %s at %d, decides %v: %s", c.author[0], c.area, c.at, c.decides, grant.Area)
		}
	}
}
