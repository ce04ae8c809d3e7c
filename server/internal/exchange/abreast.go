package exchange

import (
	"context"
	"errors"
	"fmt"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
)

// errOtherHistory says that the database under a running server was replaced by another
// one: nothing that is held in memory is of it. It has to be started anew.
var errOtherHistory = errors.New("the database has another epoch than when the server was started")

// errElsewhere says that what was read to be held in memory is not what is written to, where
// nobody else writes: a connection that reads still leads to a machine that no longer leads.
var errElsewhere = fmt.Errorf("what is read isn't what is written to, as another machine has taken over: %w", &syncproto.Error{Code: syncproto.CodeBusy})

// TakeUp takes up what others committed, so that whatever is answered from memory
// afterwards holds for everything that was committed before the call. It is to be called
// when somebody says that something was committed, and from time to time in case nobody
// does. Where nothing was, it is one look at the store; a server that is alone looks at
// nothing.
func (s *Service) TakeUp(ctx context.Context) error {
	if s.alone {
		return nil
	}
	w := s.writer
	turns, err := s.store.Turns(ctx, *w.taken.Load())
	if err != nil {
		return fmt.Errorf("what others did: %w", err)
	}
	if turns.Revision != s.registry.Current().Revision {
		if _, err := s.registry.Refresh(ctx); err != nil {
			return err
		}
	}
	if turns.Last == *w.taken.Load() {
		return nil
	}
	w.memory.Lock()
	defer w.memory.Unlock()
	return w.catchUp(ctx, &turns)
}

// abreast takes up, within a transaction that nobody else overlaps, what others committed
// before it: areas, people, forms and settings, too. The caller holds w.memory.
func (w *writer) abreast(ctx context.Context, tx Tx) error {
	turns, err := tx.Turns(ctx, w.turn)
	if err != nil {
		return fmt.Errorf("what others did: %w", err)
	}
	s := w.service
	w.current = s.registry.Current()
	known := s.alone || turns.Revision == w.current.Revision
	if known && turns.Last == w.turn {
		return nil
	}
	return tx.Meanwhile(func(ctx context.Context) error {
		if err := w.catchUp(ctx, &turns); err != nil {
			return err
		}
		if w.turn != turns.Last {
			return errElsewhere
		}
		if known {
			return nil
		}
		if _, err := s.registry.Refresh(ctx); err != nil {
			return err
		}
		if w.current = s.registry.Current(); w.current.Revision != turns.Revision {
			return errElsewhere
		}
		return nil
	})
}

// catchUp takes up turns; those that were taken up since they were read are passed over.
// The caller holds w.memory.
func (w *writer) catchUp(ctx context.Context, turns *Turns) error {
	from := w.turn.Number
	if turns.Last == w.turn || turns.Last.Number < from && !turns.Lost {
		return nil
	}
	if turns.Lost {
		return w.bootAnew(ctx, true)
	}
	for i := range turns.Kept {
		t := &turns.Kept[i]
		switch {
		case t.Number <= from: // somebody was faster
		case t.Number <= w.turn.Number: // it was in what was booted
			w.service.subscribed.tell(newsOf(t))
		case t.After != w.turn.Name: // they were read before another history was booted, or after
			return w.bootAnew(ctx, true)
		case t.Anew:
			if err := w.bootAnew(ctx, false); err != nil {
				return err
			}
		default:
			w.took(t, nil)
		}
	}
	return nil
}

// bootAnew holds in memory what is stored now, whatever was there before; missed says that
// what subscribers should have heard meanwhile is lost. What is known of contacts that
// aren't written down yet stays. The caller holds w.memory.
func (w *writer) bootAnew(ctx context.Context, missed bool) error {
	s := w.service
	boot, err := s.store.Boot(ctx)
	if err != nil {
		return fmt.Errorf("boot anew: %w", err)
	}
	if boot.Epoch != s.heads.epoch {
		return errOtherHistory
	}
	w.hold(&boot)
	moved := s.heads.replace(&boot)
	s.devices.forget()
	s.subscribed.tell(&News{Version: boot.Last, At: boot.Now, Areas: moved, Anew: true, Missed: missed})
	return nil
}

// hold holds in memory what was booted. By which tree the sums are is asked when it
// matters, and days signed are looked at again when the registry changes.
func (w *writer) hold(boot *Boot) {
	w.last, w.now, w.chain, w.rules = boot.Last, boot.Now, boot.Chain, boot.Rules
	w.links, w.signed = newLinks(*boot), newSignatures(*boot)
	w.waiting = make(map[syncproto.RecordID]struct{}, len(boot.WaitingFor))
	for _, id := range boot.WaitingFor {
		w.waiting[id] = struct{}{}
	}
	w.shape, w.planted = 0, 0
	w.countParked(boot.Parked)
	w.turned(boot.Turn)
}

// locked runs work in a transaction that nobody else overlaps, over memory that is abreast
// of all before it, and then done, if it was committed. Nobody else moves the memory
// meanwhile, not even where the database has given the transaction up and let others in.
func (w *writer) locked(ctx context.Context, work func(Tx) error, done func()) error {
	held := false
	release := func() {
		if held {
			w.memory.Unlock()
		}
		held = false
	}
	defer release()
	err := w.service.store.Commit(ctx, func(tx Tx) (err error) {
		// A bug that one push sets off must not take the others' server away.
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("group: panic: %v", r)
			}
			if err != nil {
				release() // nothing is kept, and the store may wait before it tries again
			}
		}()
		if !held { // a commit that failed may be tried again
			w.memory.Lock()
			held = true
		}
		if err := w.abreast(ctx, tx); err != nil {
			return err
		}
		return work(tx)
	})
	if err == nil {
		done()
	}
	return err
}

// replace holds the heads as they are stored now, and returns the areas of those that have
// moved.
func (h *heads) replace(boot *Boot) map[area.Key]struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	moved := make(map[area.Key]struct{})
	feeds := make(map[Feed]Head, len(boot.Heads))
	for _, head := range boot.Heads {
		feeds[head.Feed] = head
		if h.feeds[head.Feed] != head {
			moved[head.Area] = struct{}{}
		}
	}
	// The last may be less than before, where the end of a history was lost and nobody has
	// written since: a cursor must not be moved to what isn't there.
	h.feeds, h.last = feeds, boot.Last
	return moved
}
