package courier

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/google/uuid"

	"gridsync/server/internal/area"
	"gridsync/server/internal/hook"
	"gridsync/syncproto"
)

// Wait is how long after an attempt, counted from 1, the next one is: 5 s, twice as long
// each time, an hour at most.
func Wait(attempt int) time.Duration {
	b := backoff.ExponentialBackOff{InitialInterval: 5 * time.Second, Multiplier: 2, MaxInterval: time.Hour}
	b.Reset()
	wait := b.NextBackOff()
	for range min(attempt, 20) - 1 {
		wait = b.NextBackOff()
	}
	return wait
}

// How much goes out at the same time. A receiver that is slow has two places and no more.
const (
	perHook = 2
	places  = 64
)

// Worker takes alerts to hooks for as long as a server runs.
type Worker struct {
	rounds *hook.Rounds
	now    func() time.Time
	log    *slog.Logger

	mu sync.Mutex
	// busy are the lines at which somebody is, and byHook how many of each hook.
	busy   map[line]bool
	byHook map[uuid.UUID]int
	work   sync.WaitGroup
	// freed is told when a place is free again.
	freed chan struct{}

	delivered, failed, givenUp atomic.Int64
}

type line struct {
	hook uuid.UUID
	area area.Key
}

// NewWorker makes one.
func NewWorker(rounds *hook.Rounds, now func() time.Time, log *slog.Logger) *Worker {
	return &Worker{
		rounds: rounds, now: now, log: log,
		busy: make(map[line]bool), byHook: make(map[uuid.UUID]int), freed: make(chan struct{}, 1),
	}
}

// Counts are how many attempts ended how since the server started.
type Counts struct{ Delivered, Failed, GivenUp int64 }

// Counts returns them.
func (w *Worker) Counts() Counts {
	return Counts{w.delivered.Load(), w.failed.Load(), w.givenUp.Load()}
}

// Run goes round until ctx ends, whenever something was committed, a place is free, or some
// time has passed; and then waits for those who are at something.
func (w *Worker) Run(ctx context.Context, committed <-chan struct{}, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	defer w.work.Wait()
	for {
		if err := w.Round(ctx); err != nil && ctx.Err() == nil {
			// What is to go out is in the store: it is tried again at the next round.
			w.log.Error("hooks could not be told", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-committed:
		case <-w.freed:
		case <-tick.C:
		}
	}
}

// Round looks at what has come and sends off what is due, without waiting for anybody.
func (w *Worker) Round(ctx context.Context) error {
	if err := w.rounds.Spread(ctx); err != nil {
		return fmt.Errorf("round: %w", err)
	}
	// Those at which somebody just is may still be among them: so many more are asked for.
	due, err := w.rounds.Due(ctx, w.instant(), 2*perHook)
	if err != nil {
		return fmt.Errorf("round: %w", err)
	}
	for _, d := range due {
		if w.take(&d) {
			w.work.Go(func() { w.deliver(ctx, d) })
		}
	}
	return nil
}

// Rest waits for those who are at something.
func (w *Worker) Rest() { w.work.Wait() }

func (w *Worker) instant() syncproto.Instant { return syncproto.Instant(w.now().UnixMilli()) }

// take finds a place for a delivery.
func (w *Worker) take(d *hook.Delivery) bool {
	at := line{d.Hook, d.Alert.Area}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy[at] || w.byHook[d.Hook] >= perHook || len(w.busy) >= places {
		return false
	}
	w.busy[at] = true
	w.byHook[d.Hook]++
	return true
}

func (w *Worker) deliver(ctx context.Context, d hook.Delivery) {
	defer w.free(line{d.Hook, d.Alert.Area})
	state, err := w.rounds.Deliver(ctx, d, w.instant)
	switch {
	case err != nil:
		w.log.Error("a hook could not be told", "hook", d.Hook.String(), "error", err)
	case state == hook.Delivered:
		w.delivered.Add(1)
	case state == hook.GivenUp:
		w.givenUp.Add(1)
		w.log.Warn("a message for a hook was given up", "hook", d.Hook.String(), "seq", d.Alert.Seq)
	default:
		w.failed.Add(1)
	}
}

func (w *Worker) free(at line) {
	w.mu.Lock()
	delete(w.busy, at)
	if w.byHook[at.hook]--; w.byHook[at.hook] <= 0 {
		delete(w.byHook, at.hook)
	}
	w.mu.Unlock()
	select {
	case w.freed <- struct{}{}:
	default:
	}
}
