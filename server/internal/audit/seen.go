package audit

import (
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
)

// Shown is a line with the names of whoever it speaks of, as they are known now.
type Shown struct {
	Line
	Name string `json:"who_name,omitempty"`
	// Role is the one under which they acted at that time, in the narrowest area that it
	// was given for.
	Role       identity.Role `json:"role,omitempty"`
	DeviceName string        `json:"device_name,omitempty"`
}

// Page is a page of lines, the newest first.
type Page struct {
	Lines []Shown `json:"lines"`
	// Next is what to give as after for the next page; 0 at the end. A page may be empty
	// and have one.
	Next int64 `json:"next,omitempty"`
}

// Seen says who saw a record.
type Seen struct {
	Record syncproto.RecordID `json:"record"`
	// Areas are where the record ever was said to be.
	Areas []syncproto.AreaID `json:"areas"`
	Page
	// Phones are those that hold a copy of what is recorded there, or held one: their
	// holders can have looked at the record without anybody's noting it. They are given with
	// the first page.
	Phones []Phone `json:"on_phones_of,omitempty"`
}

// Phone is a device with a copy.
type Phone struct {
	Device syncproto.DeviceID `json:"device"`
	Name   string             `json:"name"`
	Holder syncproto.AuthorID `json:"holder"`
	// HolderName and Role are whose grant brought the copy there, Area what it was for.
	HolderName string           `json:"holder_name"`
	Role       identity.Role    `json:"role"`
	Area       syncproto.AreaID `json:"area"`
	// From and Until are between when it was there; Until is 0 while it is.
	From  syncproto.Instant `json:"from"`
	Until syncproto.Instant `json:"until,omitempty"`
}

// Name puts names to lines.
func Name(snap *registry.Snapshot, lines []Line) []Shown {
	named := make([]Shown, 0, len(lines))
	for _, l := range lines {
		s := Shown{Line: l}
		author, _ := snap.People.Author(l.Who)
		device, _ := snap.People.Device(l.Device)
		s.Name, s.DeviceName = author.Name, device.Name
		s.Role = roleAt(snap, l.Who, l.Area, l.At)
		named = append(named, s)
	}
	return named
}

// roleAt is the role of the narrowest grant that somebody held for an area, or, where they
// held none for it, of any that they held.
func roleAt(snap *registry.Snapshot, who syncproto.AuthorID, id syncproto.AreaID, at syncproto.Instant) identity.Role {
	var best, other identity.Grant
	for _, g := range snap.People.Grants(who) {
		switch {
		case !g.At(at):
		case !snap.Areas.Within(id, g.Area):
			other = g
		case best.Area == "" || snap.Areas.Within(g.Area, best.Area):
			best = g
		}
	}
	if best.Area == "" {
		return other.Role
	}
	return best.Role
}

// Phones are the devices that hold, or held, a copy of what is recorded in areas: since
// an instant, at the time now. There is a line for each grant that brought it there.
func Phones(snap *registry.Snapshot, areas []syncproto.AreaID, since, now syncproto.Instant) []Phone {
	holders := holdersAbove(snap, areas)
	devices := snap.People.DevicesOf(holders)
	var phones []Phone
	for _, holder := range holders {
		author, _ := snap.People.Author(holder)
		for _, g := range snap.People.Grants(holder) {
			if !brings(snap.Areas, g, areas, since, now) {
				continue
			}
			for _, device := range devices[holder] {
				p := Phone{
					Device: device.ID, Name: device.Name, Holder: holder, HolderName: author.Name,
					Role: g.Role, Area: g.Area, From: max(g.From, since),
				}
				if p.Until = until(g, device, now); p.Until == 0 || p.Until > p.From {
					phones = append(phones, p)
				}
			}
		}
	}
	return phones
}

// brings reports whether a grant brings a copy of one of the areas to its holder's phones.
func brings(tree *area.Tree, g identity.Grant, areas []syncproto.AreaID, since, now syncproto.Instant) bool {
	return g.Role.May(identity.Read) && g.From <= now && (g.To == 0 || g.To > since) &&
		slices.ContainsFunc(areas, func(id syncproto.AreaID) bool { return tree.Within(id, g.Area) })
}

// until is when a copy was to leave a phone; 0 while it stays.
func until(g identity.Grant, device identity.Device, now syncproto.Instant) syncproto.Instant {
	end := syncproto.Instant(0)
	if g.To != 0 && g.To <= now {
		end = g.To
	}
	if device.Status != identity.InUse && (end == 0 || device.Since < end) {
		end = max(device.Since, 1)
	}
	return end
}

// holdersAbove are the people with a grant in the trees of some areas.
func holdersAbove(snap *registry.Snapshot, areas []syncproto.AreaID) []syncproto.AuthorID {
	var roots []syncproto.AreaID
	for _, id := range areas {
		if path := snap.Areas.Path(id); len(path) > 0 && !slices.Contains(roots, path[0].ID) {
			roots = append(roots, path[0].ID)
		}
	}
	var holders []syncproto.AuthorID
	for _, root := range roots {
		for _, a := range snap.People.Holders(snap.Areas, root) {
			if !slices.Contains(holders, a.ID) {
				holders = append(holders, a.ID)
			}
		}
	}
	return holders
}
