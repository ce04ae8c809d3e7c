package rollup

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"gridsync/server/internal/area"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

func (s *Service) watermark(ctx context.Context, snap *registry.Snapshot, sum *Summary, day form.Day, now syncproto.Instant) error {
	here := s.vicinity.of(snap, sum.Area, now)
	contacts, err := s.exchange.Contacts(ctx, here.devices)
	if err != nil {
		return fmt.Errorf("summary: contacts: %w", err)
	}
	w := &sum.Watermark
	w.Expected = len(here.devices)
	for i, device := range here.devices {
		onTheDay := false
		if len(contacts) > 0 && contacts[0].Device == device {
			w.Unsent += contacts[0].Unsent
			onTheDay = form.DayOf(contacts[0].At) == day
			contacts = contacts[1:]
		}
		switch {
		case onTheDay:
			w.Heard++
		case len(w.Missing) < maxMissing:
			w.Missing = append(w.Missing, here.names[i])
		}
	}
	disputes, err := s.disputes.CountOpen(ctx, here.areas)
	var parked []Parked
	var err2 error
	if s.exchange.Waiting() > 0 {
		parked, err2 = s.store.CountParked(ctx)
	}
	if err := errors.Join(err, err2); err != nil {
		return fmt.Errorf("summary: open questions: %w", err)
	}
	w.Disputes, w.Parked = disputes, waiting(snap, sum.Area, parked)
	return nil
}

// waiting counts the changes that wait in an area and below it. One that names an
// area which nobody has made yet waits where the people of its device have or had
// their posts, as somebody there can say what is meant.
func waiting(snap *registry.Snapshot, root syncproto.AreaID, parked []Parked) int {
	n := 0
	for _, p := range parked {
		here := snap.Areas.Within(p.Area, root)
		if _, known := snap.Areas.Find(p.Area); !known {
			here = snap.People.Posted(snap.Areas, p.Device, root)
		}
		if here {
			n += p.N
		}
	}
	return n
}

// surroundings are what the watermark of an area asks of a snapshot: the devices that are
// expected to report, by id and by name, and the area with all below it. They hold from one
// instant until before another, 0 for good.
type surroundings struct {
	devices     []syncproto.DeviceID
	names       []string
	areas       []area.Key
	from, until syncproto.Instant
}

func (s *surroundings) at(now syncproto.Instant) bool {
	return s.from <= now && (s.until == 0 || now < s.until)
}

// vicinity remembers surroundings: to find those of a county takes longer than to add up
// its totals, and they change with the registry and with the grants' own times alone.
type vicinity struct {
	mu    sync.Mutex
	snap  *registry.Snapshot
	known map[syncproto.AreaID]*surroundings
	// held is how many devices and areas are remembered.
	held int
}

// maxHeld bounds what is remembered; with more, everything is found again. It is some 10 MB.
const maxHeld = 300_000

// of returns the surroundings of an area, which must not be altered.
func (v *vicinity) of(snap *registry.Snapshot, id syncproto.AreaID, now syncproto.Instant) *surroundings {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.snap == snap {
		if s := v.known[id]; s != nil && s.at(now) {
			return s
		}
	}
	s := surroundingsOf(snap, id, now)
	size := len(s.devices) + len(s.areas) + 1
	if v.snap != snap || v.held+size > maxHeld {
		v.snap, v.known, v.held = snap, make(map[syncproto.AreaID]*surroundings), 0
	}
	if was := v.known[id]; was != nil {
		v.held -= len(was.devices) + len(was.areas) + 1
	}
	v.known[id] = s
	v.held += size
	return s
}

func surroundingsOf(snap *registry.Snapshot, id syncproto.AreaID, now syncproto.Instant) *surroundings {
	expected := snap.People.Expected(snap.Areas, id, now)
	s := &surroundings{areas: keysOf(snap.Areas.Subtree(id)), from: expected.From, until: expected.Until}
	for i := range expected.Devices {
		s.devices = append(s.devices, expected.Devices[i].ID)
		s.names = append(s.names, expected.Devices[i].Name)
	}
	return s
}
