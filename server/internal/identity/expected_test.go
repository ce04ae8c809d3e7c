package identity

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
)

// Whoever keeps the answer for as long as it says it holds must never be told of another
// device than whoever asks anew.
func TestWhoIsExpectedStaysSoForAsLongAsIsSaid(t *testing.T) {
	tree, err := area.NewTree([]area.Node{
		{Key: 1, ID: "town"}, {Key: 2, ID: "c1", Parent: "town"}, {Key: 3, ID: "g1", Parent: "c1"}, {Key: 4, ID: "c2", Parent: "town"},
	})
	if err != nil {
		t.Fatal(err)
	}
	areas := rapid.SampledFrom([]syncproto.AreaID{"town", "c1", "g1", "c2", "gone"})
	instants := rapid.Map(rapid.IntRange(0, 12), func(n int) syncproto.Instant { return syncproto.Instant(n) })
	rapid.Check(t, func(t *rapid.T) {
		var all Everyone
		for i := range byte(rapid.IntRange(0, 5).Draw(t, "devices")) {
			all.Devices = append(all.Devices, Device{
				ID: syncproto.DeviceID{i}, Authors: []syncproto.AuthorID{{i}, {i + 1}},
				Standing: Standing{Status: rapid.SampledFrom([]Status{InUse, InUse, Retired}).Draw(t, "status")},
			})
		}
		for range rapid.IntRange(0, 8).Draw(t, "grants") {
			all.Grants = append(all.Grants, Grant{
				Author: syncproto.AuthorID{byte(rapid.IntRange(0, 6).Draw(t, "author"))}, Area: areas.Draw(t, "area"),
				Role: rapid.SampledFrom([]Role{Volunteer, Volunteer, Secretary}).Draw(t, "role"),
				From: instants.Draw(t, "from"), To: instants.Draw(t, "to"),
			})
		}
		d, root, now := NewDirectory(all), areas.Draw(t, "root"), instants.Draw(t, "now")
		e := d.Expected(tree, root, now)
		if now < e.From || e.Until != 0 && now >= e.Until {
			t.Fatalf("at %d what is said holds from %d until %d", now, e.From, e.Until)
		}
		for at := syncproto.Instant(-1); at < 14; at++ {
			if at < e.From || e.Until != 0 && at >= e.Until {
				continue
			}
			var want, got []syncproto.DeviceID
			for _, dev := range all.Devices {
				if dev.Status == InUse && slices.ContainsFunc(all.Grants, func(g Grant) bool {
					return g.Role == Volunteer && slices.Contains(dev.Authors, g.Author) && g.At(at) &&
						(tree.Within(g.Area, root) || tree.Within(root, g.Area))
				}) {
					want = append(want, dev.ID)
				}
			}
			for _, dev := range e.Devices {
				got = append(got, dev.ID)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("asked at %d, at %d: %v, not %v", now, at, got, want)
			}
		}
	})
}
