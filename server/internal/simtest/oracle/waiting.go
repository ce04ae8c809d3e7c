package oracle

import (
	"fmt"
	"slices"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// doors is who may write where, read grant by grant.
type doors struct {
	people identity.Everyone
	within func(id, root syncproto.AreaID) bool
	// late is by how much a grant may have ended: what was taken in before it was ended at
	// the same moment stays.
	late syncproto.Instant
}

// Misplaced lists the rows that wait for who wrote them, where and on which phone, and
// needn't; those that wait for another such reason than they say; and those that were
// taken in and must wait. lay are the areas in which each area ever lay.
//
// What a person let in, sent back or sent elsewhere is theirs to answer for.
func (r *Reading) Misplaced(people identity.Everyone, lay map[syncproto.AreaID][]syncproto.AreaID) []string {
	now := doors{people: people, within: r.areas.Within}
	ever := doors{people: people, late: 1, within: func(id, root syncproto.AreaID) bool { return everWithin(lay, id, root, nil) }}
	var wrong []string
	for i := range r.rows {
		l := &r.rows[i]
		if l.Admitted != nil || slices.Contains(settledOtherwise, l.Reason) || !now.knows(l.Change.Device) || r.ruledOn(l) {
			continue
		}
		var why string
		if l.Version == 0 {
			why = r.waitsWrongly(now, l)
		} else if must := ever.shut(l, l.Change.Area); must != "" {
			why = fmt.Sprintf("counts, and must wait (%s)", must)
		}
		if why != "" {
			wrong = append(wrong, fmt.Sprintf("%d of %s %s", l.Change.N, l.Change.Device, why))
		}
	}
	return wrong
}

// settledOtherwise are reasons that come before who wrote a row, or last whatever changes.
var settledOtherwise = []syncproto.Code{
	syncproto.CodePurged, syncproto.CodeReturned, syncproto.CodeResubmitted, syncproto.CodeOwnWork,
}

// waitsWrongly says what is wrong with the reason of a row that waits.
func (r *Reading) waitsWrongly(d doors, l *exchange.Logged) string {
	if _, ok := r.areas.Find(l.Change.Area); !ok {
		if l.Reason != syncproto.CodeUnknownArea {
			return fmt.Sprintf("waits as %s, in an area that there is not", l.Reason)
		}
		return ""
	}
	must := d.shut(l, l.Change.Area)
	if rec := r.Records[l.Change.Record]; must == "" && rec != nil {
		must = d.shut(l, rec.Area)
	}
	var says syncproto.Code
	switch l.Reason {
	case syncproto.CodeDeviceUntrusted, syncproto.CodeUnknownAuthor, syncproto.CodeGrantExpired, syncproto.CodeOutOfArea:
		says = l.Reason
	case syncproto.CodeNotEntitled:
		if l.Field == syncproto.FieldArea {
			says = l.Reason
		}
	}
	if must == says || must == "" && l.Change.Kind == review.RecordKind { // a ruling is held against the desk of its question, too
		return ""
	}
	return fmt.Sprintf("waits as %s, and must as %q", l.Reason, must)
}

// ruledOn reports whether anybody ruled on a row as one that waits.
func (r *Reading) ruledOn(l *exchange.Logged) bool { return r.Records[parkedKey(l).ID()] != nil }

func (d doors) knows(id syncproto.DeviceID) bool {
	return slices.ContainsFunc(d.people.Devices, func(known identity.Device) bool { return known.ID == id })
}

// shut is why a row can't come in by an area; "" if it can.
func (d doors) shut(l *exchange.Logged, id syncproto.AreaID) syncproto.Code {
	c := &l.Change
	for _, device := range d.people.Devices {
		if device.ID != c.Device {
			continue
		}
		if !slices.Contains(device.Authors, c.Author) {
			return syncproto.CodeUnknownAuthor
		}
		doubted := device.Status == identity.Lost || device.Status == identity.Suspended
		if doubted && l.Received >= device.Since+d.late {
			return syncproto.CodeDeviceUntrusted
		}
	}
	held, ended, weak := false, false, false
	for _, g := range d.people.Grants {
		if g.Author != c.Author || !d.within(id, g.Area) {
			continue
		}
		switch {
		case l.Time < g.From || g.To != 0 && l.Time >= g.To+d.late:
			ended = true
		case c.Decides && g.Role == identity.Volunteer:
			weak = true
		default:
			held = true
		}
	}
	switch {
	case held:
		return ""
	case weak:
		return syncproto.CodeNotEntitled
	case ended:
		return syncproto.CodeGrantExpired
	}
	return syncproto.CodeOutOfArea
}

// everWithin reports whether an area is another one or may ever have lain below it.
func everWithin(lay map[syncproto.AreaID][]syncproto.AreaID, id, root syncproto.AreaID, seen []syncproto.AreaID) bool {
	if id == root {
		return true
	}
	for _, parent := range lay[id] {
		if !slices.Contains(seen, parent) && everWithin(lay, parent, root, append(seen, id)) {
			return true
		}
	}
	return false
}
