package exchange

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gridsync/server/internal/match"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// follow takes up the registry's newest snapshot. Where its rules derive anything else from
// records than those by which everything was derived, everything is derived anew first, by
// the writer alone while pushes queue: no group ever adds what follows from one set of
// rules to what follows from another.
//
// When that fails, groups go on by the rules that they had, with the areas and people as
// they are now, so that pushes are taken in whatever is wrong with a form; again says
// whether it is to be tried again now.
func (w *writer) follow(again bool) {
	next := w.service.registry.Current()
	if w.stopping || next == w.seen && (!w.behind || !again) {
		return // whoever starts next derives anew first
	}
	w.seen = next
	if print := next.Rules.Print(); print != w.rules {
		if err := w.rederive(next, print); err != nil {
			w.service.log.Error("what follows from the log could not be derived by the forms and settings of now; it goes on by those before", "error", err)
			w.behind, w.snap = true, withRules(next, w.snap)
			return
		}
		w.rules = print
	}
	w.behind, w.snap = false, next
}

// withRules is a snapshot with the rules of an older one.
func withRules(next, old *registry.Snapshot) *registry.Snapshot {
	mixed := *next
	mixed.Forms, mixed.Published, mixed.Settings, mixed.Rules = old.Forms, old.Published, old.Settings, old.Rules
	return &mixed
}

// rederive derives everything by the rules of a snapshot and takes up what came of it. Where
// the rules differ only in what holds in areas that have just come, nothing can have come
// of that yet.
func (w *writer) rederive(next *registry.Snapshot, print uint64) (err error) {
	defer func() {
		if r := recover(); r != nil { // as in a group: the server goes on
			err = fmt.Errorf("derive anew: panic: %v", r)
		}
	}()
	s, ctx := w.service, context.Background()
	if !w.behind && next.Rules.Same(w.snap.Rules, w.snap.Areas) {
		return s.store.Commit(ctx, func(tx Tx) error { return tx.SetRules(print) })
	}
	devices, err := rederive(ctx, s.store, next, s.digester, linked)
	if err != nil {
		return err
	}
	boot, err := s.store.Boot(ctx)
	if err != nil {
		// Groups go on by the rules before over what was derived by those of now: that is to
		// be derived once more, also by whoever starts next.
		return errors.Join(err, s.store.Commit(ctx, func(tx Tx) error { return tx.SetRules(w.rules) }))
	}
	w.take(&boot)
	s.heads.replace(&boot)
	s.devices.repulse(devices)
	s.subscribed.tell(&Batch{Last: boot.Last, Now: boot.Now, Tree: &rollup.Tree{}}) // no feed has moved, and any total may have
	s.log.Info("everything that follows from the log was derived anew, as forms or settings have changed")
	return nil
}

// replace holds the heads as they are stored now.
func (h *heads) replace(boot *Boot) {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.feeds)
	for _, head := range boot.Heads {
		h.feeds[head.Feed] = head
	}
	h.last = max(h.last, boot.Last)
}

// repulse takes over what was made anew of how entries came. Everything else about devices
// stays as it is in memory, where it may be ahead of the store.
func (d *deviceStates) repulse(stored []DeviceState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, one := range stored {
		if state, known := d.known[one.Device]; known {
			state.Pulse = one.Pulse
			d.known[one.Device] = state
		}
	}
}

// streamsOf says in which stream the records of each kind travel.
func streamsOf(snap *registry.Snapshot) map[syncproto.Kind]form.Stream {
	streams := make(map[syncproto.Kind]form.Stream)
	for _, kind := range snap.Forms.Kinds() {
		streams[kind] = snap.Forms.Newest(kind).Stream
	}
	return streams
}

// heads are the ends of the feeds by the records that are in them.
func (r *rebuilder) heads() []Head {
	var b Batch
	r.delta.into(&b)
	return b.Heads
}

// Rederive writes down anew everything that follows from the log, and the chain where
// rows have none: for a database that was written by other rules. Nobody may write
// meanwhile.
func Rederive(ctx context.Context, store Store, snap *registry.Snapshot, digester match.Digester) error {
	_, err := rederive(ctx, store, snap, digester, chainOf)
	return err
}

// linked is chainOf for a log that this program has written: every row has its link.
func linked(context.Context, Store) ([]Chained, error) { return nil, nil }

// rederive is Rederive, and returns the devices with what was made anew of how their
// entries came. lacking says which rows of the log have no link yet.
func rederive(
	ctx context.Context, store Store, snap *registry.Snapshot, digester match.Digester, lacking func(context.Context, Store) ([]Chained, error),
) ([]DeviceState, error) {
	stored, err := store.Derived(ctx)
	if err != nil {
		return nil, fmt.Errorf("derive anew: %w", err)
	}
	r, err := rebuild(ctx, store, snap, digester, &Difference{}, &stored)
	if err != nil {
		return nil, err
	}
	derived := r.derived()
	derived.Rules, derived.Streams, derived.Heads = snap.Rules.Print(), streamsOf(snap), r.heads()
	chain, err := lacking(ctx, store)
	if err != nil {
		return nil, err
	}
	for i := range stored.Devices {
		if t := r.devices[stored.Devices[i].Device]; t != nil {
			stored.Devices[i].Pulse = t.pulse
		}
	}
	err = store.Commit(ctx, func(tx Tx) error {
		for rows := range slices.Chunk(chain, 1000) {
			if err := tx.SetChain(rows); err != nil {
				return err
			}
		}
		if err := tx.Save(&Batch{Devices: stored.Devices, Records: r.anew}); err != nil {
			return err
		}
		return tx.Rederive(&derived)
	})
	if err != nil {
		return nil, fmt.Errorf("derive anew: %w", err)
	}
	return stored.Devices, nil
}
