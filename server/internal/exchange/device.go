package exchange

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/clock"
)

// deviceStates keeps what is known of each device's syncing in memory, loaded
// when it is first heard of, and again after another server has heard of it. What it hands
// out are copies that share no slice that is ever altered.
type deviceStates struct {
	store Store
	mu    sync.Mutex
	// known has states as committed, with contacts over them that aren't written down yet;
	// shown those that only a connection that reads has shown, which may have led to a machine
	// that no longer leads: they are good for an answer, and no group goes on from them.
	known, shown map[syncproto.DeviceID]DeviceState
	// heard has the last contact of every device that is known, and of those that were
	// asked about; one that is zero is of a device never heard of.
	heard map[syncproto.DeviceID]rollup.Contact
	// met are contacts that aren't written down yet. Losing one in a crash widens the bounds
	// of corrected times and loses nothing else.
	met map[syncproto.DeviceID]meeting
	// taken counts the turns of others that spoke of devices: what was loaded before one may
	// be older than it.
	taken uint64
}

// meeting is a contact with nothing to push.
type meeting struct {
	contact clock.Contact
	high    uint64
	unsent  int
	app     string
}

func newDeviceStates(store Store) *deviceStates {
	return &deviceStates{
		store: store,
		known: make(map[syncproto.DeviceID]DeviceState),
		shown: make(map[syncproto.DeviceID]DeviceState),
		heard: make(map[syncproto.DeviceID]rollup.Contact),
		met:   make(map[syncproto.DeviceID]meeting),
	}
}

// get returns a device's state, as it was when it was asked for or later.
func (d *deviceStates) get(ctx context.Context, id syncproto.DeviceID) (DeviceState, error) {
	d.mu.Lock()
	state, ok := d.remembers(id)
	taken := d.taken
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
	switch now, ok := d.remembers(id); {
	case ok: // somebody else loaded it, and may have gone on
		return now, nil
	case d.taken != taken: // it may be older than what was taken up meanwhile: an answer, and nothing to keep
		return d.over(loaded), nil
	}
	return d.set(d.shown, loaded), nil
}

// remembers returns a state wherever it is from. The caller holds mu.
func (d *deviceStates) remembers(id syncproto.DeviceID) (DeviceState, bool) {
	state, ok := d.known[id]
	if !ok {
		state, ok = d.shown[id]
	}
	return state, ok
}

// committed returns a state that a group can go on from, if it is remembered.
func (d *deviceStates) committed(id syncproto.DeviceID) (DeviceState, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	state, ok := d.known[id]
	return state, ok
}

// lay lays what isn't written down yet over a state that a transaction has read.
func (d *deviceStates) lay(s *DeviceState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	*s = d.over(*s)
}

// over lays what isn't written down yet over a state.
func (d *deviceStates) over(s DeviceState) DeviceState {
	if m, ok := d.met[s.Device]; ok {
		s.met(m.contact, m.high, m.unsent, m.app)
	}
	return s
}

// set puts a state where it is looked for, with what isn't written down yet.
func (d *deviceStates) set(in map[syncproto.DeviceID]DeviceState, s DeviceState) DeviceState {
	s = d.over(s)
	in[s.Device] = s
	d.heard[s.Device] = rollup.Contact{
		Device: s.Device, At: s.ContactServer, Unsent: s.Unsent, Offset: s.ContactServer - s.ContactDevice,
	}
	return s
}

// of lays what isn't written down yet over a contact that is.
func (m *meeting) of(c rollup.Contact, id syncproto.DeviceID) rollup.Contact {
	if m.contact.Server < c.At {
		return c
	}
	return rollup.Contact{Device: id, At: m.contact.Server, Unsent: max(m.unsent, 0), Offset: m.contact.Server - m.contact.Device}
}

// contacts returns the last contacts of devices in the order asked for, without devices that
// were never heard of. The store is asked once about each.
func (d *deviceStates) contacts(ctx context.Context, ids []syncproto.DeviceID) ([]rollup.Contact, error) {
	found, unknown, taken := d.remembered(ids, nil)
	if len(unknown) == 0 {
		return found, nil
	}
	loaded, err := d.store.Contacts(ctx, unknown)
	if err != nil {
		return nil, fmt.Errorf("contacts of %d devices: %w", len(unknown), err)
	}
	found, _, _ = d.remembered(ids, d.remember(unknown, loaded, taken))
	return found, nil
}

// remembered looks among what is remembered, and then among what was just loaded. It returns
// how many turns had been taken up, too.
func (d *deviceStates) remembered(ids []syncproto.DeviceID, loaded map[syncproto.DeviceID]rollup.Contact) (found []rollup.Contact, unknown []syncproto.DeviceID, taken uint64) {
	found = make([]rollup.Contact, 0, len(ids))
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range ids {
		c, known := d.heard[id]
		if !known {
			c, known = loaded[id]
		}
		switch {
		case !known:
			unknown = append(unknown, id)
		case c.At > 0:
			found = append(found, c)
		}
	}
	return found, unknown, d.taken
}

// remember takes what was loaded when so many turns had been taken up, unless it may be
// older than what was taken up meanwhile, or a device was heard of. It returns what was
// loaded by device, with what isn't written down yet.
func (d *deviceStates) remember(asked []syncproto.DeviceID, loaded []rollup.Contact, taken uint64) map[syncproto.DeviceID]rollup.Contact {
	of := make(map[syncproto.DeviceID]rollup.Contact, len(asked))
	for _, id := range asked {
		of[id] = rollup.Contact{}
	}
	for _, c := range loaded {
		of[c.Device] = c
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, c := range of {
		if m, ok := d.met[id]; ok {
			of[id] = m.of(c, id)
		}
		if _, known := d.heard[id]; !known && d.taken == taken {
			d.heard[id] = of[id]
		}
	}
	return of
}

// contact notes that a device was heard of with nothing to push.
func (d *deviceStates) contact(ctx context.Context, req *syncproto.Request, c clock.Contact) (DeviceState, error) {
	state, err := d.get(ctx, req.Device)
	if err != nil {
		return DeviceState{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if m, ok := d.met[req.Device]; !ok || c.Server >= m.contact.Server {
		d.met[req.Device] = meeting{c, req.High, req.Unsent, req.App}
	}
	if now, known := d.known[req.Device]; known {
		return d.set(d.known, now), nil
	}
	if now, shown := d.shown[req.Device]; shown {
		return d.set(d.shown, now), nil
	}
	// Another server has heard of it meanwhile: whoever asks next reads that.
	delete(d.heard, req.Device)
	state.met(c, req.High, req.Unsent, req.App)
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

// took forgets devices of which a turn says that something else is known now, and makes the
// states visible that this process committed itself. A contact that was noted meanwhile
// stays.
func (d *deviceStates) took(devices []syncproto.DeviceID, own []DeviceState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if own == nil && len(devices) > 0 {
		d.taken++
	}
	for _, id := range devices {
		delete(d.known, id)
		delete(d.shown, id)
		delete(d.heard, id)
	}
	for _, next := range own {
		if m, ok := d.met[next.Device]; ok && m.contact.Server <= next.ContactServer {
			delete(d.met, next.Device)
		}
		delete(d.shown, next.Device)
		d.set(d.known, next)
	}
}

// forget forgets everything but the contacts that aren't written down yet.
func (d *deviceStates) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.taken++
	clear(d.known)
	clear(d.shown)
	clear(d.heard)
}

// unwritten returns the devices with contacts that aren't written down yet.
func (d *deviceStates) unwritten() []syncproto.DeviceID {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Keys(d.met))
}

// device returns what is known of a device's syncing, for the group to move on.
func (g *group) device(id syncproto.DeviceID) (*DeviceState, error) {
	if g.devices[id] == nil {
		if err := g.loadDevices([]syncproto.DeviceID{id}); err != nil {
			return nil, err
		}
	}
	return g.devices[id], nil
}

// loadDevices fetches what is known of devices' syncing. What isn't remembered is asked of the
// transaction, all at once: whoever holds the lock that every server waits for must not queue
// for connections with those who read, and these may still lead to a machine that no longer
// leads.
func (g *group) loadDevices(ids []syncproto.DeviceID) error {
	states := g.w.service.devices
	var unknown []syncproto.DeviceID
	for _, id := range ids {
		if g.devices[id] != nil {
			continue
		}
		state, known := states.committed(id)
		if !known {
			unknown = append(unknown, id)
			continue
		}
		g.devices[id] = &state
	}
	if len(unknown) == 0 {
		return nil
	}
	found, err := g.tx.Devices(unknown)
	if err != nil {
		return fmt.Errorf("group: states of devices: %w", err)
	}
	for _, id := range unknown {
		g.devices[id] = &DeviceState{Device: id}
	}
	for i := range found {
		g.devices[found[i].Device] = &found[i]
	}
	for _, id := range unknown {
		states.lay(g.devices[id])
	}
	return nil
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
