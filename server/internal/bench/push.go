package bench

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// pushed is one measurement of pushing.
type pushed struct {
	changes int
	took    time.Duration
	// each is how long every request took.
	each []time.Duration
}

// rate is changes a second.
func (p pushed) rate() float64 { return float64(p.changes) / p.took.Seconds() }

// percentile returns the time within which so many of a hundred requests were
// answered.
func (p pushed) percentile(percent int) time.Duration {
	if len(p.each) == 0 {
		return 0
	}
	sorted := slices.Clone(p.each)
	slices.Sort(sorted)
	return sorted[min(len(sorted)-1, len(sorted)*percent/100)]
}

// push connects a client for each device to one process, and times how they push.
func (r *run) push(ctx context.Context, p *process, devices []Device, loads [][]batch) (pushed, error) {
	clients, err := r.connect(ctx, []*process{p}, devices)
	defer closeAll(clients)
	if err != nil {
		return pushed{}, err
	}
	return pushLoads(ctx, clients, loads)
}

// pushLoads times how clients push their loads all at the same time, each its own one
// after another.
func pushLoads(ctx context.Context, clients []*client, loads [][]batch) (pushed, error) {
	results := make([]pushed, len(clients))
	took, err := together(ctx, len(clients), func(ctx context.Context, i int) (err error) {
		results[i], err = clients[i].pushAll(ctx, loads[i])
		return err
	})
	total := pushed{took: took}
	for _, one := range results {
		total.changes += one.changes
		total.each = append(total.each, one.each...)
	}
	return total, err
}

// pushAll pushes batches one after another.
func (c *client) pushAll(ctx context.Context, load []batch) (pushed, error) {
	p := pushed{each: make([]time.Duration, 0, len(load))}
	for _, b := range load {
		began := time.Now()
		answer, err := c.sync(ctx, syncPath, b.last, b.count, b.changes)
		if err != nil {
			return p, err
		}
		p.each = append(p.each, time.Since(began))
		if err := c.accepted(answer, b.count); err != nil {
			return p, err
		}
		p.changes += b.count
	}
	return p, nil
}

// together runs n functions at the same time and returns how long all of them
// took. The first that fails stops the others.
func together(ctx context.Context, n int, do func(ctx context.Context, i int) error) (time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	start := make(chan struct{})
	failed := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			if failed[i] = do(ctx, i); failed[i] != nil {
				cancel()
			}
		})
	}
	began := time.Now()
	close(start)
	all.Wait()
	return time.Since(began), firstCause(failed)
}

// firstCause returns the first error that isn't merely somebody else's.
func firstCause(failed []error) error {
	for _, err := range failed {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return errors.Join(failed...)
}
