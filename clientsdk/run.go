package clientsdk

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Run syncs, or delivers while the file is locked, until ctx ends: every interval, give
// or take a tenth, and after a failure with waits that double from Options.FirstWait up
// to the interval. told, which may be nil, hears of each round.
//
// It returns ctx's error, or the error of a server that turned this device away: trying
// again without a new token would be useless. Nothing is lost by that. What something
// between phone and server answered in its stead, such as a café's login page, ends
// nothing; nor does an enrolment that waits for a person.
func (c *Client) Run(ctx context.Context, interval time.Duration, told func(Report, error)) error {
	waits := &backoff.ExponentialBackOff{InitialInterval: c.opt.FirstWait, MaxInterval: max(interval, c.opt.FirstWait), Multiplier: 2}
	for {
		report, err := c.round(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if told != nil {
			told(report, err)
		}
		if err != nil && final(err) {
			return err
		}
		if err := c.opt.Wait(ctx, c.pause(err, interval, waits)); err != nil {
			return err
		}
	}
}

// round is one round of Run.
func (c *Client) round(ctx context.Context) (Report, error) {
	report, err := c.Sync(ctx)
	if errors.Is(err, ErrLocked) {
		return c.Deliver(ctx)
	}
	return report, err
}

// pause says how long to wait after a round.
func (c *Client) pause(err error, interval time.Duration, waits *backoff.ExponentialBackOff) time.Duration {
	random := c.opt.Rand()
	if err == nil {
		waits.Reset()
		return interval*9/10 + time.Duration(random*float64(interval)/5)
	}
	var busy *BusyError
	if errors.As(err, &busy) {
		return busy.After + time.Duration(random*float64(busy.After)/4)
	}
	next := waits.NextBackOff()
	return next/2 + time.Duration(random*float64(next))
}
