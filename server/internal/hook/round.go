package hook

import (
	"context"
	"fmt"
	"time"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
)

// Rounds take alerts to those who asked for them. What is to go out is in the store, and so
// is who is at it: whoever is interrupted, or shares the work with another process, sends a
// message again rather than never.
type Rounds struct {
	store    Store
	registry *registry.Registry
	sender   Sender
	wait     func(attempt int) time.Duration
}

// NewRounds wires them. wait says how long after an attempt, counted from 1, the next one is.
func NewRounds(store Store, r *registry.Registry, sender Sender, wait func(attempt int) time.Duration) *Rounds {
	return &Rounds{store: store, registry: r, sender: sender, wait: wait}
}

// Sender posts a parcel, once.
type Sender interface {
	// Send returns what the receiver answered. Where there was no answer, Failure says what
	// went wrong, in words that hold nothing of the address.
	Send(ctx context.Context, p Parcel) Reply
}

// Reply is what came of posting a parcel.
type Reply struct {
	Status  int
	Failure string
	// RetryAfter is how long the receiver asked for; 0 if it didn't.
	RetryAfter time.Duration
}

// Bounds of deliveries.
const (
	// lease is how long somebody who has taken a delivery on has for it.
	lease = 60 * time.Second
	// A delivery is given up when it was tried so many times, and is so old.
	leastAttempts = 8
	oldest        = 24 * time.Hour
	// longestWait bounds what a receiver may ask for.
	longestWait = 6 * time.Hour
	// spread is how many alerts are looked at in one step.
	spread = 500
)

// Spread looks at the alerts that have come, for every hook in use.
func (r *Rounds) Spread(ctx context.Context) error {
	hooks, err := r.store.Hooks(ctx, nil)
	if err != nil {
		return fmt.Errorf("hooks: %w", err)
	}
	tree := r.registry.Current().Areas
	for len(hooks) > 0 {
		first := hooks[0].Position
		for i := range hooks {
			first = min(first, hooks[i].Position)
		}
		alerts, err := r.store.Alerts(ctx, first, spread)
		if err != nil {
			return fmt.Errorf("hooks: %w", err)
		}
		if len(alerts) == 0 {
			return nil
		}
		last := alerts[len(alerts)-1].Seq
		for i := range hooks {
			h := &hooks[i]
			if h.Position >= last {
				continue
			}
			var wanted []exchange.Alert
			for j := range alerts {
				if a := &alerts[j]; a.Seq > h.Position && h.wants(tree, a) {
					wanted = append(wanted, *a)
				}
			}
			if err := r.store.Enqueue(ctx, h.ID, h.Position, last, wanted); err != nil {
				return fmt.Errorf("hooks: %w", err)
			}
			h.Position = last
		}
	}
	return nil
}

// Due returns deliveries whose turn it is: for each hook and area at most one, and at most
// each of one hook, so that nobody waits behind a hook that has many.
func (r *Rounds) Due(ctx context.Context, now syncproto.Instant, each int) ([]Delivery, error) {
	due, err := r.store.DueDeliveries(ctx, now, each)
	if err != nil {
		return nil, fmt.Errorf("deliveries: %w", err)
	}
	return due, nil
}

// Deliver makes one attempt at a delivery, unless somebody else is at it, and reports what
// became of it.
func (r *Rounds) Deliver(ctx context.Context, d Delivery, clock func() syncproto.Instant) (State, error) {
	h, there, err := r.store.HookByID(ctx, d.Hook)
	if err != nil {
		return d.State, fmt.Errorf("delivery: %w", err)
	}
	now := clock()
	until := now + syncproto.Instant(lease.Milliseconds())
	if !there || h.Ended != 0 {
		return d.State, nil
	}
	mine, err := r.store.Claim(ctx, &d, now, until)
	if err != nil || !mine {
		return d.State, err
	}
	p, err := parcel(&h, &d, r.registry.Current().Areas, now)
	if err != nil {
		return d.State, fmt.Errorf("delivery: %w", err)
	}
	reply := r.sender.Send(ctx, p)
	if ctx.Err() != nil {
		return d.State, nil //nolint:nilerr // nobody knows what became of it: it goes out again when the lease ends
	}
	d.Claimed = until
	r.judge(&d, reply, clock())
	if err := r.store.Settle(ctx, &d); err != nil {
		return d.State, fmt.Errorf("delivery: %w", err)
	}
	if reply.Status == statusGone {
		if err := r.store.EndHook(ctx, h.ID, d.Tried, Gone); err != nil {
			return d.State, fmt.Errorf("delivery: %w", err)
		}
	}
	return d.State, nil
}

// statusGone is what a receiver answers that wants to hear no more.
const statusGone = 410

// judge says what becomes of a delivery after an attempt.
func (r *Rounds) judge(d *Delivery, reply Reply, now syncproto.Instant) {
	d.Attempts++
	d.Tried, d.Status, d.Failure = now, reply.Status, reply.Failure
	if reply.Status >= 200 && reply.Status < 300 {
		d.State, d.Failure = Delivered, ""
		return
	}
	if d.Failure == "" {
		d.Failure = fmt.Sprintf("answered %d", reply.Status)
	}
	age := time.Duration(now-d.Alert.At) * time.Millisecond
	if reply.Status == statusGone || d.Attempts >= leastAttempts && age >= oldest {
		d.State = GivenUp
		return
	}
	wait := max(r.wait(d.Attempts), min(reply.RetryAfter, longestWait))
	d.Due = now + syncproto.Instant(wait.Milliseconds())
}
