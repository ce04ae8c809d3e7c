package identity

import (
	"bytes"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
)

// Holders returns the authors with a grant in root or below it, at whatever time it
// holds, in order of their ids.
func (d *Directory) Holders(tree *area.Tree, root syncproto.AreaID) []Author {
	var found []Author
	for id, grants := range d.grants {
		if a, ok := d.authors[id]; ok && slices.ContainsFunc(grants, func(g Grant) bool { return tree.Within(g.Area, root) }) {
			found = append(found, a)
		}
	}
	slices.SortFunc(found, func(a, b Author) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return found
}

// DevicesOf returns the devices on which each of some authors records, in order of the
// devices' ids.
func (d *Directory) DevicesOf(authors []syncproto.AuthorID) map[syncproto.AuthorID][]Device {
	of := make(map[syncproto.AuthorID][]Device, len(authors))
	for _, a := range authors {
		of[a] = nil
	}
	for _, dev := range d.devices {
		for _, a := range dev.Authors {
			if devices, asked := of[a]; asked {
				of[a] = append(devices, dev)
			}
		}
	}
	for _, devices := range of {
		slices.SortFunc(devices, byID)
	}
	return of
}

// PostedDevices returns the devices that are Posted in root, in order of their ids.
func (d *Directory) PostedDevices(tree *area.Tree, root syncproto.AreaID) []Device {
	var found []Device
	for id, dev := range d.devices {
		if d.Posted(tree, id, root) {
			found = append(found, dev)
		}
	}
	slices.SortFunc(found, byID)
	return found
}

func byID(a, b Device) int { return bytes.Compare(a.ID[:], b.ID[:]) }
