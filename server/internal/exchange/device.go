package exchange

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/clock"
)

// deviceStates keeps what is known of each device's syncing in memory, loaded
// when it is first heard of. What it hands out are copies that share no slice
// that is ever altered.
type deviceStates struct {
	store Store
	mu    sync.Mutex
	known map[syncproto.DeviceID]DeviceState
	// heard has the last contact of every device that is known, and of those that were
	// asked about; one that is zero is of a device never heard of.
	heard map[syncproto.DeviceID]rollup.Contact
	// dirty are devices whose last contact isn't written down yet. Losing one in a
	// crash widens the bounds of corrected times and loses nothing else.
	dirty map[syncproto.DeviceID]struct{}
}

func newDeviceStates(store Store) *deviceStates {
	return &deviceStates{
		store: store,
		known: make(map[syncproto.DeviceID]DeviceState),
		heard: make(map[syncproto.DeviceID]rollup.Contact),
		dirty: make(map[syncproto.DeviceID]struct{}),
	}
}

// get returns a device's state.
func (d *deviceStates) get(ctx context.Context, id syncproto.DeviceID) (DeviceState, error) {
	d.mu.Lock()
	state, ok := d.known[id]
	d.mu.Unlock()
	if ok {
		return state, nil
	}
	loaded, err := d.store.Device(ctx, id)
	if err != nil {
		return DeviceState{}, fmt.Errorf("state of device %s: %w", id, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if state, ok := d.known[id]; ok { // somebody else loaded it, and may have gone on
		return state, nil
	}
	d.set(loaded)
	return loaded, nil
}

// set puts a state where it is looked for.
func (d *deviceStates) set(s DeviceState) {
	d.known[s.Device] = s
	d.heard[s.Device] = rollup.Contact{
		Device: s.Device, At: s.ContactServer, Unsent: s.Unsent, Offset: s.ContactServer - s.ContactDevice,
	}
}

// contacts returns the last contacts of devices in the order asked for, without devices that
// were never heard of. The store is asked once about each.
func (d *deviceStates) contacts(ctx context.Context, ids []syncproto.DeviceID) ([]rollup.Contact, error) {
	found, unknown := d.remembered(ids)
	if len(unknown) == 0 {
		return found, nil
	}
	loaded, err := d.store.Contacts(ctx, unknown)
	if err != nil {
		return nil, fmt.Errorf("contacts of %d devices: %w", len(unknown), err)
	}
	d.remember(unknown, loaded)
	found, _ = d.remembered(ids)
	return found, nil
}

func (d *deviceStates) remembered(ids []syncproto.DeviceID) (found []rollup.Contact, unknown []syncproto.DeviceID) {
	found = make([]rollup.Contact, 0, len(ids))
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range ids {
		c, known := d.heard[id]
		switch {
		case !known:
			unknown = append(unknown, id)
		case c.At > 0:
			found = append(found, c)
		}
	}
	return found, unknown
}

// remember takes what was loaded, unless a device was heard of meanwhile.
func (d *deviceStates) remember(asked []syncproto.DeviceID, loaded []rollup.Contact) {
	of := make(map[syncproto.DeviceID]rollup.Contact, len(loaded))
	for _, c := range loaded {
		of[c.Device] = c
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range asked {
		if _, known := d.heard[id]; !known {
			d.heard[id] = of[id]
		}
	}
}

// contact notes that a device was heard of with nothing to push.
func (d *deviceStates) contact(ctx context.Context, req *syncproto.Request, c clock.Contact) (DeviceState, error) {
	if _, err := d.get(ctx, req.Device); err != nil {
		return DeviceState{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	state := d.known[req.Device]
	state.met(c, req.High, req.Unsent, req.App)
	d.set(state)
	d.dirty[req.Device] = struct{}{}
	return state, nil
}

// met notes a contact, unless a later one was noted already.
func (s *DeviceState) met(c clock.Contact, high uint64, unsent int, app string) {
	if c.Server < s.ContactServer {
		return
	}
	s.ContactServer, s.ContactDevice, s.ContactHigh = c.Server, c.Device, high
	s.Unsent, s.App = max(unsent, 0), app
	if len(s.App) > maxApp {
		s.App = s.App[:maxApp]
	}
}

// maxApp bounds the name of a program, in bytes.
const maxApp = 80

// publish makes committed states visible. A contact that was noted meanwhile
// stays.
func (d *deviceStates) publish(states []DeviceState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, next := range states {
		if now := d.known[next.Device]; now.ContactServer > next.ContactServer {
			next.ContactServer, next.ContactDevice, next.ContactHigh = now.ContactServer, now.ContactDevice, now.ContactHigh
			next.Unsent, next.App = now.Unsent, now.App
		} else {
			delete(d.dirty, next.Device)
		}
		d.set(next)
	}
}

// unwritten returns the states with contacts that aren't written down yet.
func (d *deviceStates) unwritten() []DeviceState {
	d.mu.Lock()
	defer d.mu.Unlock()
	states := make([]DeviceState, 0, len(d.dirty))
	for id := range d.dirty {
		states = append(states, d.known[id])
	}
	return states
}

// maxHoles bounds the holes in a device's numbers. A well-behaved device has none
// for longer than a request is under way.
const maxHoles = 1000

// holds reports whether the change with number n is held.
func (s *DeviceState) holds(n uint64) bool {
	if n > s.High {
		return false
	}
	return !slices.ContainsFunc(s.Missing, func(hole syncproto.Span) bool { return n >= hole.From && n <= hole.To })
}

// take notes that the change with number n and this hash is held now.
func (s *DeviceState) take(n uint64, hash syncproto.Hash, stamp syncproto.Stamp) {
	s.Held++
	s.Digest = s.Digest.Add(hash)
	if n > s.High {
		if n > s.High+1 {
			s.Missing = append(slices.Clone(s.Missing), syncproto.Span{From: s.High + 1, To: n - 1})
		}
		s.High, s.LastStamp = n, stamp
		return
	}
	holes := make([]syncproto.Span, 0, len(s.Missing)+1)
	for _, hole := range s.Missing {
		if n < hole.From || n > hole.To {
			holes = append(holes, hole)
			continue
		}
		if hole.From < n {
			holes = append(holes, syncproto.Span{From: hole.From, To: n - 1})
		}
		if n < hole.To {
			holes = append(holes, syncproto.Span{From: n + 1, To: hole.To})
		}
	}
	s.Missing = holes
}

// park notes that the change with number n waits.
func (s *DeviceState) park(n uint64, code syncproto.Code) {
	parked := append([]syncproto.Waiting{{N: n, Code: code}}, without(s.Parked, n)...)
	s.Parked = parked[:min(len(parked), syncproto.MaxParked)]
}

// unpark notes that it no longer does.
func (s *DeviceState) unpark(n uint64) { s.Parked = without(s.Parked, n) }

func without(parked []syncproto.Waiting, n uint64) []syncproto.Waiting {
	return slices.DeleteFunc(slices.Clone(parked), func(w syncproto.Waiting) bool { return w.N == n })
}

// receipt says what is held of the device.
func (s *DeviceState) receipt() syncproto.Receipt {
	return syncproto.Receipt{
		Through: s.High,
		Missing: s.Missing[:min(len(s.Missing), syncproto.MaxMissing)],
		Parked:  s.Parked,
		Held:    s.Held,
		Digest:  s.Digest,
	}
}
