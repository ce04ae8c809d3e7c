package exchange

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gridsync/server/internal/match"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// errRules says that a group was begun by other rules than those by which everything is
// derived by now.
var errRules = errors.New("group: forms or settings have changed, and what follows from the log is not derived by them yet")

// upToDate reports whether a group may begin, with the lock that keeps others from writing:
// errRules when there is something to follow first. A snapshot under which everything is
// derived as it is is taken up here.
func (w *writer) upToDate() error {
	next := w.current
	if next != w.seen && !w.stopping {
		if next.Rules.Print() != w.rules {
			return errRules
		}
		w.seen, w.snap, w.print, w.behind = next, next, w.rules, false
	}
	if w.print != w.rules {
		return errRules
	}
	return nil
}

// follow takes up the registry's newest snapshot. Where its rules derive anything else from
// records than those by which everything was derived, everything is derived anew first,
// while pushes queue here and other servers wait: no group ever adds what follows from one
// set of rules to what follows from another.
//
// When that fails, groups go on by the rules that they had, with the areas and people as
// they are now, so that pushes are taken in whatever is wrong with a form; again says
// whether it is to be tried again now.
func (w *writer) follow(again bool) {
	next, rules := w.service.registry.Current(), w.derivedBy()
	if w.print == rules && (w.stopping || next == w.seen && (!w.behind || !again)) {
		return // whoever starts next derives anew first
	}
	w.seen = next
	if next.Rules.Print() != rules {
		var err error
		if next, err = w.rederive(next); err != nil {
			if !w.isAway(err) {
				w.service.log.Error("what follows from the log could not be derived by the forms and settings of now; it goes on by those before", "error", err)
			}
			w.behind, w.seen, w.snap = true, next, withRules(next, w.snap)
			return
		}
	}
	w.behind, w.seen, w.snap, w.print = false, next, next, next.Rules.Print()
}

// derivedBy is the print of the rules by which everything is derived, as far as is known.
func (w *writer) derivedBy() uint64 {
	w.memory.Lock()
	defer w.memory.Unlock()
	return w.rules
}

// withRules is a snapshot with the rules of an older one.
func withRules(next, old *registry.Snapshot) *registry.Snapshot {
	mixed := *next
	mixed.Forms, mixed.Published, mixed.Settings, mixed.Rules = old.Forms, old.Published, old.Settings, old.Rules
	return &mixed
}

// rederive derives everything by the rules of now, unless another server has done so
// meanwhile, and takes up what came of it. Those are the rules that hold when nobody else can
// write: by the snapshot for which it was called, everything might be derived back to what
// another server has left behind. It returns the snapshot that it went by, and that one where
// it didn't get so far. Where the rules differ only in what holds in areas that have just come,
// nothing can have come of that yet.
func (w *writer) rederive(seen *registry.Snapshot) (next *registry.Snapshot, err error) {
	s, ctx := w.service, context.Background()
	next = seen
	var turn *Turn
	err = w.locked(ctx, func(tx Tx) error {
		turn, next = nil, w.current
		print := next.Rules.Print()
		switch {
		case w.rules == print:
			return nil
		case !w.behind && w.print == w.rules && next.Rules.Same(w.snap.Rules, w.snap.Areas):
			turn = w.blankTurn()
			turn.Rules = print
			return errors.Join(tx.SetRules(print), tx.Save(&Batch{Turn: turn}))
		}
		turn = w.blankTurn()
		turn.Anew = true
		return rederive(s.store, tx, next, s.digester, linked, turn)
	}, func() {
		switch {
		case turn == nil:
		case !turn.Anew:
			w.took(turn, nil)
		default:
			s.log.Info("everything that follows from the log was derived anew, as forms or settings have changed")
			if err := w.bootAnew(ctx, false); err != nil {
				// No group begins before it can be read.
				s.log.Error("what was derived anew could not be read", "error", err)
			}
		}
	})
	return next, err
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
// rows have none: for a database that was written by other rules than those of now, which
// reg then has. Others over the same database wait meanwhile. Where it has been done by the
// time that they don't, it does nothing.
func Rederive(ctx context.Context, store Store, reg *registry.Registry, digester match.Digester) error {
	return store.Commit(ctx, func(tx Tx) error {
		var boot Boot
		err := tx.Meanwhile(func(ctx context.Context) (err error) {
			if boot, err = store.Boot(ctx); err != nil {
				return err
			}
			_, err = reg.Refresh(ctx)
			return err
		})
		if err != nil {
			return err
		}
		snap := reg.Current()
		turns, err := tx.Turns(ctx, boot.Turn)
		switch {
		case err != nil:
			return fmt.Errorf("what others did: %w", err)
		case turns.Last != boot.Turn || turns.Revision != snap.Revision:
			return errElsewhere
		case !outdated(&boot, snap, digester):
			return nil
		}
		turn := &Turn{Mark: Mark{Number: boot.Turn.Number + 1}, After: boot.Turn.Name, Last: boot.Last, Now: boot.Now, Anew: true}
		return rederive(store, tx, snap, digester, chainOf, turn)
	})
}

// outdated reports whether what is stored was derived by an older program, other forms and
// settings, or another key.
func outdated(boot *Boot, snap *registry.Snapshot, digester match.Digester) bool {
	return boot.Derivation < Derivation || boot.Digest != digester.Fingerprint() || boot.Rules != snap.Rules.Print()
}

// linked is chainOf for a log that this program has written: every row has its link.
func linked(context.Context, Store) ([]Chained, error) { return nil, nil }

// rederive is Rederive within a transaction that has not written anything yet and that
// nobody else overlaps: what the store shows outside of it is what it would see. lacking says
// which rows of the log have no link yet; turn is what it leaves for others.
func rederive(
	store Store, tx Tx, snap *registry.Snapshot, digester match.Digester,
	lacking func(context.Context, Store) ([]Chained, error), turn *Turn,
) error {
	var stored, derived Derived
	var r *rebuilder
	var chain []Chained
	err := tx.Meanwhile(func(ctx context.Context) (err error) {
		if stored, err = store.Derived(ctx); err != nil {
			return fmt.Errorf("derive anew: %w", err)
		}
		if r, err = rebuild(ctx, store, snap, digester, &Difference{}, &stored); err != nil {
			return err
		}
		derived = r.derived()
		derived.Rules, derived.Streams, derived.Heads = snap.Rules.Print(), streamsOf(snap), r.heads()
		chain, err = lacking(ctx, store)
		return err
	})
	if err != nil {
		return err
	}
	for i := range stored.Devices {
		if t := r.devices[stored.Devices[i].Device]; t != nil {
			stored.Devices[i].Pulse = t.pulse
		}
	}
	for rows := range slices.Chunk(chain, 1000) {
		if err := tx.SetChain(rows); err != nil {
			return fmt.Errorf("derive anew: %w", err)
		}
	}
	if err := tx.Save(&Batch{Devices: stored.Devices, Records: r.anew, Turn: turn}); err != nil {
		return fmt.Errorf("derive anew: %w", err)
	}
	if err := tx.Rederive(&derived); err != nil {
		return fmt.Errorf("derive anew: %w", err)
	}
	return nil
}
