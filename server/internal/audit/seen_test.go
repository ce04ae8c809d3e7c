package audit

import (
	"fmt"
	"slices"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
)

func author(n byte) syncproto.AuthorID { return syncproto.AuthorID{n} }

// town is a town with two grids, and people with phones.
func town(t *testing.T, grants ...identity.Grant) *registry.Snapshot {
	t.Helper()
	tree, err := area.NewTree([]area.Node{{Key: 1, ID: "town"}, {Key: 2, ID: "g1", Parent: "town"}, {Key: 3, ID: "g2", Parent: "town"}, {Key: 4, ID: "far"}})
	if err != nil {
		t.Fatal(err)
	}
	everyone := identity.Everyone{Grants: grants}
	for n := byte(1); n < 6; n++ {
		everyone.Authors = append(everyone.Authors, identity.Author{ID: author(n), Name: fmt.Sprint("人", n)})
		everyone.Devices = append(everyone.Devices, identity.Device{ID: syncproto.DeviceID{n}, Name: fmt.Sprint("手机", n), Authors: []syncproto.AuthorID{author(n)}})
	}
	everyone.Devices[3].Standing = identity.Standing{Status: identity.Lost, Since: 60}
	return &registry.Snapshot{Areas: tree, People: identity.NewDirectory(everyone)}
}

func TestPhonesWithACopyAreThoseOfWhoeverMightRead(t *testing.T) {
	snap := town(t,
		identity.Grant{Author: author(1), Area: "g1", Role: identity.Volunteer, From: 10},
		identity.Grant{Author: author(2), Area: "town", Role: identity.Secretary, From: 20, To: 80},
		identity.Grant{Author: author(3), Area: "town", Role: identity.Administrator, From: 1}, // reads nothing
		identity.Grant{Author: author(4), Area: "town", Role: identity.Volunteer, From: 1},     // on a phone lost at 60
		identity.Grant{Author: author(5), Area: "g2", Role: identity.Volunteer, From: 1},
		identity.Grant{Author: author(5), Area: "far", Role: identity.Volunteer, From: 1},
		identity.Grant{Author: author(5), Area: "g1", Role: identity.Volunteer, From: 1, To: 40},    // ended before the record was made
		identity.Grant{Author: author(5), Area: "g1", Role: identity.Volunteer, From: 200, To: 300}, // yet to come
	)
	var got []string
	for _, p := range Phones(snap, []syncproto.AreaID{"g1"}, 50, 100) {
		got = append(got, fmt.Sprintf("%s %s %s %s %d-%d", p.Name, p.HolderName, p.Role, p.Area, p.From, p.Until))
	}
	want := []string{"手机1 人1 volunteer g1 50-0", "手机2 人2 secretary town 50-80", "手机4 人4 volunteer town 50-60"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if phones := Phones(snap, []syncproto.AreaID{"nowhere"}, 0, 100); len(phones) > 0 {
		t.Errorf("an area that there is not: %v", phones)
	}
}

func TestALineNamesTheRoleOfThatTime(t *testing.T) {
	snap := town(t,
		identity.Grant{Author: author(1), Area: "town", Role: identity.Secretary, From: 1},
		identity.Grant{Author: author(1), Area: "g1", Role: identity.Volunteer, From: 10, To: 20},
	)
	for _, c := range []struct {
		at   syncproto.Instant
		area syncproto.AreaID
		want identity.Role
	}{{15, "g1", identity.Volunteer}, {20, "g1", identity.Secretary}, {15, "g2", identity.Secretary}, {15, "far", identity.Volunteer}, {0, "g1", ""}} {
		lines := Name(snap, []Line{{N: 1, Entry: Entry{At: c.at, Area: c.area, Who: author(1), Device: syncproto.DeviceID{1}}}})
		if lines[0].Role != c.want || lines[0].Name != "人1" || lines[0].DeviceName != "手机1" {
			t.Errorf("%+v: %+v", c, lines[0])
		}
	}
}
