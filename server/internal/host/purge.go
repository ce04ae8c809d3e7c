package host

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

// Retention is for how many days records of a kind keep their content; a kind that is not
// named, or has 0 days, keeps it for good.
type Retention map[syncproto.Kind]int

// ErrNotPurged says that records of a kind are not there, or are never purged.
var ErrNotPurged = errors.New("there are no such records to purge")

// sweepEvery is how often a running server looks for what is old enough.
const sweepEvery = time.Hour

// sweeping is a piece of work that is done once, however many servers there are; who does it
// keeps it from one sweep to the next.
const (
	sweeping  = "sweep"
	sweepTerm = sweepEvery + sweepEvery/2
)

// Purge takes away the content of old records, now.
func (s *Server) Purge(ctx context.Context, order exchange.PurgeOrder) (exchange.Purged, error) {
	return purge(ctx, s.Data, s.exchange, order)
}

// purge has an order done, and then sees to it that what was overwritten is overwritten in
// the file, too. A reader that keeps the log from being copied back is waited for by the
// next purge, or by the end of the server.
func purge(ctx context.Context, d *Data, service *exchange.Service, order exchange.PurgeOrder) (exchange.Purged, error) {
	done, err := ordered(ctx, service, order)
	if err != nil || done.Records == 0 || order.Dry {
		return done, err
	}
	return done, d.engine.Checkpoint(ctx)
}

// ordered has an order done, and nothing overwritten in the file.
func ordered(ctx context.Context, service *exchange.Service, order exchange.PurgeOrder) (exchange.Purged, error) {
	done, err := service.Purge(ctx, order)
	var refusal *syncproto.Error
	switch {
	case !errors.As(err, &refusal):
	case refusal.Code == syncproto.CodeBadRequest && refusal.Field == "kind":
		return done, fmt.Errorf("%w: %s", ErrNotPurged, order.Kind)
	case refusal.Code == syncproto.CodeNotFound:
		return done, fmt.Errorf("%w: %s", ErrUnknownArea, order.Area)
	}
	return done, err
}

// Sweep does what a retention asks for, kind by kind. What one kind fails with does not
// stop the others. What was overwritten is overwritten in the file once, for all of them.
func (s *Server) Sweep(ctx context.Context, keep Retention) error {
	var errs []error
	swept := false
	for _, kind := range slices.Sorted(maps.Keys(keep)) {
		days := keep[kind]
		if days == 0 {
			continue
		}
		done, err := ordered(ctx, s.exchange, exchange.PurgeOrder{Kind: kind, Days: days})
		if err != nil {
			errs = append(errs, fmt.Errorf("purge %s: %w", kind, err))
		}
		if done.Records > 0 {
			swept = true
			s.log.Info("purged", "kind", kind, "older", done.Older.String(), "records", done.Records, "changes", done.Changes)
		}
	}
	if swept {
		errs = append(errs, s.engine.Checkpoint(ctx))
	}
	return errors.Join(errs...)
}

// sweepOnce does a sweep that is this server's to do. One of all that run over a database
// does them all, and another when that one has gone.
func (s *Server) sweepOnce(ctx context.Context, keep Retention) error {
	mine, err := s.berth.Mine(ctx, sweeping, sweepTerm)
	if err != nil || !mine {
		return err
	}
	return s.Sweep(ctx, keep)
}

// sweep keeps to a retention until ctx ends, the first time at once.
func (s *Server) sweep(ctx context.Context, keep Retention) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := s.sweepOnce(ctx, keep); err != nil && ctx.Err() == nil {
			// Tried again at the next tick: what is old then is old still.
			s.log.Error("not everything that is old was purged", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// PurgeAlone is Purge where no server runs over the folder, which it makes sure of.
func (d *Data) PurgeAlone(ctx context.Context, order exchange.PurgeOrder) (done exchange.Purged, err error) {
	err = d.alone(ctx, func(ctx context.Context) error {
		if _, err := d.registry.Refresh(ctx); err != nil {
			return err
		}
		service, err := exchange.New(ctx, exchange.Config{
			Store: d.store, Registry: d.registry, Digester: d.secrets.digester, Now: d.now, Alone: true,
		})
		if err != nil {
			return err
		}
		done, err = purge(ctx, d, service, order)
		return errors.Join(err, service.Close(context.WithoutCancel(ctx)))
	})
	return done, err
}

// Purges returns what was ever purged, the oldest first, without any content.
func (d *Data) Purges(ctx context.Context) ([]exchange.Purge, error) { return d.store.Purges(ctx) }
