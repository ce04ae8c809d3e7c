package exchange

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"gridsync/server/internal/identity"
	"gridsync/server/internal/match"
	"gridsync/server/internal/privacy"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/clock"
	"gridsync/syncproto/form"
)

// Config is what a Service is made of.
type Config struct {
	Store    Store
	Registry *registry.Registry
	// Digester makes the keys of the blocked index, with the installation's own key.
	Digester match.Digester
	// Lenses say what devices are shown; without tags on what is masked when nil.
	Lenses privacy.Maker
	// Now is the server's clock; time.Now when nil.
	Now func() time.Time
	// Log gets what went wrong inside; slog.Default when nil.
	Log *slog.Logger
	// MaxQueue is how many pushes may wait before the next is told to come again
	// later; 1024 when 0.
	MaxQueue int
	// Box gives the keys that open what locked phones have sealed; nil when there are none.
	Box func() []syncproto.BoxKey
	// Flush is how often contacts that came with nothing to push are written down;
	// 10 s when 0.
	Flush time.Duration
	// Away reports whether a failure comes of a store that is away for a while, or won't say
	// how a commit ended: nothing that somebody asked for has set it off. None does when nil.
	Away func(error) bool
	// Alone says that no other process writes to the database meanwhile but this one, as
	// whoever holds a lock on it knows. What others did is then not looked for before each
	// answer, and not written down for them.
	Alone bool
}

// Service answers the requests of devices. Its methods may be called at the same
// time from many goroutines.
type Service struct {
	store    Store
	registry *registry.Registry
	digester match.Digester
	now      func() time.Time
	log      *slog.Logger
	box      func() []syncproto.BoxKey
	devices  *deviceStates
	heads    *heads
	forms    formsPrint
	scopes   scopes
	sights   sights
	lenses   privacy.Maker
	writer   *writer
	away     func(error) bool
	alone    bool
	// subscribed hear of every group.
	subscribed subscriptions
	// desk is the server's own device: it records what is decided at a desk.
	desk syncproto.DeviceID
}

// New starts a service, with one goroutine that writes. Close ends it.
func New(ctx context.Context, cfg Config) (*Service, error) {
	boot, snap, err := bootOf(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("exchange: boot: %w", err)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.MaxQueue == 0 {
		cfg.MaxQueue = 1024
	}
	if cfg.Flush == 0 {
		cfg.Flush = 10 * time.Second
	}
	if cfg.Lenses == nil {
		cfg.Lenses = privacy.NewMaker(nil)
	}
	if cfg.Away == nil {
		cfg.Away = func(error) bool { return false }
	}
	if cfg.Box == nil {
		cfg.Box = func() []syncproto.BoxKey { return nil }
	}
	s := &Service{
		store: cfg.Store, registry: cfg.Registry, digester: cfg.Digester, now: cfg.Now, log: cfg.Log, box: cfg.Box,
		lenses:  cfg.Lenses,
		away:    cfg.Away,
		alone:   cfg.Alone,
		devices: newDeviceStates(cfg.Store),
		heads:   newHeads(boot),
		desk:    DeskDevice(boot.Epoch),
	}
	s.writer = newWriter(s, boot, snap, cfg.MaxQueue)
	go s.writer.run(cfg.Flush)
	return s, nil
}

// bootOf boots, and first derives anew what an older program derived, or other forms and
// settings, or another key. The snapshot is the one by which everything is derived now, unless
// others go on meanwhile: then the first group follows them.
func bootOf(ctx context.Context, cfg Config) (Boot, *registry.Snapshot, error) {
	snap := cfg.Registry.Current()
	boot, err := cfg.Store.Boot(ctx)
	if err != nil || !outdated(&boot, snap, cfg.Digester) {
		return boot, snap, err
	}
	if err := Rederive(ctx, cfg.Store, cfg.Registry, cfg.Digester); err != nil {
		return boot, snap, err
	}
	boot, err = cfg.Store.Boot(ctx)
	return boot, cfg.Registry.Current(), err
}

// Close waits for the pushes that are queued, writes down what is known of
// devices, and ends. Sync must not be called afterwards.
func (s *Service) Close(ctx context.Context) error { return s.writer.close(ctx) }

// Queue returns how many pushes wait and how long the last of them will, by the
// pace of the groups committed lately.
func (s *Service) Queue() (waiting int, estimate time.Duration) { return s.writer.queue() }

// Stats counts what the service has done since it started; Parked is of the whole database,
// as last heard of.
type Stats struct {
	Groups, Pushes int64
	// Verdicts counts changes by outcome.
	Verdicts map[syncproto.Outcome]int64
	Parked   int
}

// Stats returns a copy of the counts.
func (s *Service) Stats() Stats { return s.writer.statsCopy() }

// Waiting returns how many changes are parked, as of what was last taken up.
func (s *Service) Waiting() int { return s.writer.waitingNow() }

// Contacts returns when devices were last heard of: in the order asked for, without
// devices that never were. It knows of contacts before they are written down, but for those
// that another server had in the last seconds.
func (s *Service) Contacts(ctx context.Context, devices []syncproto.DeviceID) ([]rollup.Contact, error) {
	if err := s.TakeUp(ctx); err != nil {
		return nil, err
	}
	return s.devices.contacts(ctx, devices)
}

// RegistryChanged tries again what was parked for want of an area, an author, a
// grant or a form. It is to be called when any of these has changed.
func (s *Service) RegistryChanged(ctx context.Context) error {
	return s.writer.submit(ctx, &job{retry: true, done: make(chan error, 1)})
}

// Sync answers one request of a device whose token has been checked. Its error is
// a *syncproto.Error when the request is turned away as a whole (code
// unknown_protocol, wrong_device, too_many_changes, busy); anything else went
// wrong inside, and nothing of the request was kept.
func (s *Service) Sync(ctx context.Context, device syncproto.DeviceID, req *syncproto.Request) (*syncproto.Answer, error) {
	switch {
	case req.Protocol < syncproto.OldestProtocol || req.Protocol > syncproto.Protocol:
		return nil, &syncproto.Error{Code: syncproto.CodeUnknownProtocol, Field: "protocol"}
	case req.Device != device:
		return nil, &syncproto.Error{Code: syncproto.CodeWrongDevice, Field: "device"}
	case len(req.Changes) > syncproto.MaxBatchChanges:
		return nil, &syncproto.Error{Code: syncproto.CodeTooManyChanges, Field: "changes"}
	case req.High > syncproto.MaxN || req.Clock > syncproto.MaxN || req.Clock < -syncproto.MaxN:
		return nil, &syncproto.Error{Code: syncproto.CodeBadRequest, Detail: "a number beyond 2^53"}
	}
	contact := clock.Contact{Server: s.instant(), Device: req.Clock}
	answer := &syncproto.Answer{Protocol: syncproto.Protocol, Epoch: s.heads.epoch, Now: contact.Server}
	j, state, err := s.push(ctx, req, contact)
	if err != nil {
		return nil, err
	}
	answer.Receipt = state.receipt()
	inUse := s.inUse(device)
	switch {
	case !inUse:
		answer.Notice = &syncproto.Error{Code: syncproto.CodeDeviceRevoked}
	case contact.Off():
		answer.Notice = &syncproto.Error{Code: syncproto.CodeClockOff}
	}
	if j != nil {
		answer.Verdicts = j.verdicts
	}
	if req.Deliver {
		takeBackOffers(answer)
		answer.Cursor = req.Cursor
		return answer, nil
	}
	if !inUse {
		state.Told = 0 // it hears nothing any more
	}
	if err := s.pull(ctx, req, j, &state, answer); err != nil {
		return nil, fmt.Errorf("pull: %w", err)
	}
	return answer, nil
}

// inUse reports whether a device may receive anything.
func (s *Service) inUse(id syncproto.DeviceID) bool {
	device, _ := s.registry.Current().People.Device(id)
	return device.Status == identity.InUse
}

// takeBackOffers leaves it to a later answer to bring the records that the device could
// make itself: a locked phone can't keep them.
func takeBackOffers(answer *syncproto.Answer) {
	for i := range answer.Verdicts {
		answer.Verdicts[i].Stamp = nil
	}
}

func (s *Service) instant() syncproto.Instant { return syncproto.Instant(s.now().UnixMilli()) }

// push hands the request's changes to the writer and waits until they are
// durable. A request without changes leaves a note of the contact, and makes no job.
func (s *Service) push(ctx context.Context, req *syncproto.Request, contact clock.Contact) (*job, DeviceState, error) {
	// A device that speaks of another history tells nothing about when what this one lacks
	// was made: it may offer it at its next contact.
	foreign := req.Epoch != nil && *req.Epoch != s.heads.epoch
	if len(req.Changes) == 0 {
		if err := s.TakeUp(ctx); err != nil {
			return nil, DeviceState{}, err
		}
		if foreign {
			state, err := s.devices.get(ctx, req.Device)
			return nil, state, err
		}
		state, err := s.devices.contact(ctx, req, contact)
		return nil, state, err
	}
	j := &job{
		foreign: foreign,
		device:  req.Device, contact: contact, high: req.High, unsent: req.Unsent, app: req.App,
		changes: s.decode(req, s.registry.Current()), done: make(chan error, 1),
	}
	if err := s.writer.submit(ctx, j); err != nil {
		var typed *syncproto.Error
		if errors.As(err, &typed) {
			return nil, DeviceState{}, typed
		}
		return nil, DeviceState{}, fmt.Errorf("push: %w", err)
	}
	return j, j.state, nil
}

// decoded is one change of a batch, read as far as it could be.
type decoded struct {
	change syncproto.Change
	fields syncproto.Fields
	hash   syncproto.Hash
	err    *syncproto.Error
	// checked is the form that the fields were held against, problem what it found,
	// unknown the names that it doesn't have, unasked those that it doesn't ask.
	checked *form.Form
	problem *syncproto.Error
	unknown []string
	unasked []string
	// alone is what the record shows if it is this change and nothing else, by the form
	// newest and the rules.
	newest *form.Form
	rules  *registry.Rules
	alone  *looked
	// here says that the change was made at the server, by somebody whose session was
	// checked: it has no device with authors of its own.
	here bool
}

// decode reads every change of a request, holds it against its form, and looks at
// what it shows if nobody else writes, outside the writer's goroutine.
func (s *Service) decode(req *syncproto.Request, snap *registry.Snapshot) []decoded {
	forms := snap.Forms
	out := make([]decoded, len(req.Changes))
	for i, raw := range req.Changes {
		d := &out[i]
		if raw, d.err = s.unseal(req.Device, raw, &d.change.N); d.err != nil {
			continue
		}
		var err error
		d.change, d.fields, err = syncproto.DecodeFields(raw, req.Device)
		if err != nil {
			if !errors.As(err, &d.err) {
				d.err = &syncproto.Error{Code: syncproto.CodeMalformed}
			}
			continue
		}
		d.hash = d.change.Hash()
		if d.checked = forms.Version(d.change.Kind, d.change.Form); d.checked != nil {
			d.check(d.checked, form.Occasion{At: d.change.At, Env: snap.Settings.Of(d.change.Area)})
		}
		if d.change.Base == 0 {
			part := d.change.PartOf(d.fields, 0, 0, syncproto.Stamp{})
			d.newest, d.rules = forms.Newest(d.change.Kind), snap.Rules
			d.alone = look(snap.Settings, d.newest, []syncproto.Part{part})
		}
	}
	return out
}

// unseal returns a change as it was sent, or as it was sealed; n is set for one that
// can't be opened, so that the refusal can name it.
func (s *Service) unseal(device syncproto.DeviceID, raw []byte, n *uint64) ([]byte, *syncproto.Error) {
	if !bytes.Contains(raw, []byte(`"sealed"`)) {
		return raw, nil
	}
	sealed, is := syncproto.SealedIn(raw)
	if !is {
		return raw, nil
	}
	opened, err := syncproto.OpenSealed(s.box(), device, sealed)
	if err != nil {
		*n = sealed.N
		return nil, &syncproto.Error{Code: syncproto.CodeNotSealed}
	}
	return opened, nil
}

// check holds the fields against their form.
func (d *decoded) check(f *form.Form, o form.Occasion) {
	d.checked = f
	d.problem, d.unknown = f.Inspect(d.fields, o)
	d.unasked = f.Unasked(d.fields, o)
}

// heads holds the ends of all feeds as last committed.
type heads struct {
	epoch syncproto.Epoch
	mu    sync.RWMutex
	last  syncproto.Version
	feeds map[Feed]Head
}

func newHeads(boot Boot) *heads {
	h := &heads{epoch: boot.Epoch, last: boot.Last, feeds: make(map[Feed]Head, len(boot.Heads))}
	for _, head := range boot.Heads {
		h.feeds[head.Feed] = head
	}
	return h
}

// of returns the head of a feed.
func (h *heads) of(f Feed) Head {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.feeds[f]
}

// look returns the greatest number committed, and the feeds of areas that have
// moved past a position. Everything up to the number is in what the store shows
// from now on.
func (h *heads) look(feeds []Feed, at func(Feed) syncproto.Version) (last syncproto.Version, news []Feed) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, f := range feeds {
		if head, ok := h.feeds[f]; ok && head.Last > at(f) {
			news = append(news, f)
		}
	}
	return h.last, news
}

// publish makes what was committed visible.
func (h *heads) publish(t *Turn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = max(h.last, t.Last)
	for _, head := range t.Heads {
		h.feeds[head.Feed] = head
	}
}
