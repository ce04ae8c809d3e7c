package enrol

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
)

// Board is the devices of an area, in order of their ids.
type Board struct {
	Devices []BoardLine `json:"devices"`
	// Next is what to give as after for the next page; zero at the end.
	Next syncproto.DeviceID `json:"next,omitzero"`
}

// BoardLine is one device as those who look after it see it.
type BoardLine struct {
	ID   syncproto.DeviceID `json:"id"`
	Name string             `json:"name"`
	// People record on it.
	People []BoardPerson `json:"people"`
	Standing
	// Contact is when it was last heard of, and the rest what it said then: 0 if it never
	// was.
	Contact syncproto.Instant `json:"contact,omitempty"`
	// Offset is how far its clock was behind the server's, in milliseconds.
	Offset int64  `json:"clock_offset,omitempty"`
	App    string `json:"app,omitempty"`
	// Unsent is how many changes it still held by its own word.
	Unsent int `json:"unsent"`
	// Held is how many changes the server holds of it, Parked how many of those wait.
	Held   uint64 `json:"held"`
	Parked int    `json:"parked"`
	// Enrolment is how far its latest one has come; absent for one that never enrolled.
	Enrolment syncproto.EnrolmentState `json:"enrolment,omitempty"`
}

// BoardPerson is somebody who records on a device.
type BoardPerson struct {
	Author syncproto.AuthorID `json:"author"`
	Name   string             `json:"name"`
}

// Devices shows the devices of an area and all below it: those of people who have, or had,
// a grant there, and those that wait to be confirmed there. It fails with forbidden or
// not_found.
func (s *Service) Devices(ctx context.Context, by By, id syncproto.AreaID, after syncproto.DeviceID, limit int) (*Board, error) {
	snap := s.Registry.Current()
	if _, err := overseer(snap, by, id); err != nil {
		return nil, err
	}
	devices, err := s.devicesIn(ctx, snap, id)
	if err != nil {
		return nil, err
	}
	from, there := slices.BinarySearchFunc(devices, after, func(d identity.Device, id syncproto.DeviceID) int { return bytes.Compare(d.ID[:], id[:]) })
	if there {
		from++
	}
	board := &Board{Devices: []BoardLine{}}
	if devices = devices[from:]; len(devices) > limit {
		devices = devices[:limit]
		board.Next = devices[limit-1].ID
	}
	lines, err := s.lines(ctx, snap, devices)
	board.Devices = append(board.Devices, lines...)
	return board, err
}

// devicesIn returns the devices of an area in order of their ids.
func (s *Service) devicesIn(ctx context.Context, snap *registry.Snapshot, id syncproto.AreaID) ([]identity.Device, error) {
	areas, err := below(snap, id)
	if err != nil {
		return nil, err
	}
	devices := snap.People.PostedDevices(snap.Areas, id)
	waiting, err := s.Store.Enrolments(ctx, EnrolmentsWanted{Areas: areas, State: syncproto.EnrolmentWaiting, Limit: listed})
	if err != nil {
		return nil, wrap("devices that wait", err)
	}
	for _, e := range waiting {
		if d, ok := snap.People.Device(e.Device); ok {
			devices = append(devices, d)
		}
	}
	slices.SortFunc(devices, func(a, b identity.Device) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return slices.CompactFunc(devices, func(a, b identity.Device) bool { return a.ID == b.ID }), nil
}

// lines shows devices, in their order.
func (s *Service) lines(ctx context.Context, snap *registry.Snapshot, devices []identity.Device) ([]BoardLine, error) {
	ids := make([]syncproto.DeviceID, len(devices))
	for i, d := range devices {
		ids[i] = d.ID
	}
	phones, err := s.Store.Phones(ctx, ids)
	if err != nil {
		return nil, wrap("contacts of devices", err)
	}
	enrolments, err := s.Store.Enrolments(ctx, EnrolmentsWanted{Devices: ids})
	if err != nil {
		return nil, wrap("enrolments of devices", err)
	}
	known := make(map[syncproto.DeviceID]Phone, len(phones))
	for _, p := range phones {
		known[p.Device] = p
	}
	states := make(map[syncproto.DeviceID]syncproto.EnrolmentState, len(devices))
	for _, e := range enrolments {
		states[e.Device] = e.State // the latest comes last
	}
	lines := make([]BoardLine, len(devices))
	for i, d := range devices {
		p := known[d.ID]
		lines[i] = BoardLine{
			ID: d.ID, Name: d.Name, People: peopleOn(snap, d), Standing: standingOf(d),
			Contact: p.Contact, Offset: p.Offset, App: p.App, Unsent: p.Unsent, Held: p.Held, Parked: p.Parked, Enrolment: states[d.ID],
		}
	}
	return lines, nil
}

func peopleOn(snap *registry.Snapshot, d identity.Device) []BoardPerson {
	people := []BoardPerson{}
	for _, id := range d.Authors {
		a, _ := snap.People.Author(id)
		people = append(people, BoardPerson{id, a.Name})
	}
	return people
}

// Reasons for giving a device another standing.
var standingReasons = []string{"", "handed_back", "broken", "lost", "stolen", "found", "checked", "mistake", "other"}

// Restand asks for another standing of a device: in_use, retired or lost.
type Restand struct {
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
}

// SetDevice revokes one device without its people, or takes it back into use, and shows
// it. Whoever looks after an area in which somebody on it has had a grant may revoke it;
// taking one back gives its people all they hold, so that must be the caller's to give.
// Retiring one that wasn't trusted is no less, as its work then counts as theirs. It fails with bad_request, own_grant, or not_found for one that isn't there or isn't
// the caller's to see.
func (s *Service) SetDevice(ctx context.Context, by By, id syncproto.DeviceID, in Restand) (line BoardLine, err error) {
	status := identity.Status(in.Status)
	switch {
	case in.Status == inUse:
		status = identity.InUse
	case status != identity.Retired && status != identity.Lost:
		return line, bad("status", "in_use, retired or lost")
	}
	if !slices.Contains(standingReasons, in.Reason) {
		return line, bad("reason", "handed_back, broken, lost, stolen, found, checked, mistake or other")
	}
	err = s.again(ctx, "set a device", func() error {
		line, err = s.setDevice(ctx, by, id, status, in.Reason)
		return err
	})
	return line, err
}

func (s *Service) setDevice(ctx context.Context, by By, id syncproto.DeviceID, status identity.Status, reason string) (BoardLine, error) {
	snap, device, err := s.device(ctx, id)
	if err != nil {
		return BoardLine{}, err
	}
	who, where, err := s.keeper(ctx, snap, by, device)
	if err != nil {
		return BoardLine{}, err
	}
	if status == identity.InUse || status.Trusted() && !device.Status.Trusted() {
		if err := mayTakeBack(snap, by, device); err != nil {
			return BoardLine{}, err
		}
	}
	if device.Status != status {
		line := audit.Entry{
			At: by.Now, Act: audit.SetDevice, Who: who, Device: by.Device, Area: where,
			Detail: fmt.Sprintf("device %s %s %s", id, statusName(status), reason),
		}
		if err := s.restand(ctx, device, status, line, by.Now); err != nil {
			return BoardLine{}, err
		}
		device.Standing = standing(device.Standing, status, by.Now)
	}
	lines, err := s.lines(ctx, snap, []identity.Device{device})
	if err != nil {
		return BoardLine{}, err
	}
	return lines[0], nil
}

// keeper returns who of those who act looks after a device, and where.
func (s *Service) keeper(ctx context.Context, snap *registry.Snapshot, by By, device identity.Device) (syncproto.AuthorID, syncproto.AreaID, error) {
	for _, author := range device.Authors {
		for _, g := range snap.People.Grants(author) {
			if who, err := overseer(snap, by, g.Area); err == nil {
				return who, g.Area, nil
			}
		}
	}
	enrolments, err := s.Store.Enrolments(ctx, EnrolmentsWanted{Devices: []syncproto.DeviceID{device.ID}})
	if err != nil {
		return syncproto.AuthorID{}, "", err
	}
	for _, e := range enrolments {
		if who, err := overseer(snap, by, e.Area); err == nil {
			return who, e.Area, nil
		}
	}
	return syncproto.AuthorID{}, "", code(syncproto.CodeNotFound, "device")
}

func mayTakeBack(snap *registry.Snapshot, by By, device identity.Device) error {
	if err := notOneself(by, device.Authors...); err != nil {
		return err
	}
	for _, a := range device.Authors {
		if err := vouches(snap, by, a); err != nil {
			return err
		}
	}
	return nil
}
