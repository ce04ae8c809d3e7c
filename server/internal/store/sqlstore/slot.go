package sqlstore

import "context"

// slot is a lock for which nobody has to wait longer than they want to: behind a group that
// derives everything anew, or a database that is away, callers would heap up who are long gone.
type slot chan struct{}

func newSlot() slot { return make(slot, 1) }

// take fails with what ctx ended with, if that was before the slot could be had.
func (s slot) take(ctx context.Context) error {
	select {
	case s <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil { // both were ready, and either is picked then
		s.give()
		return err
	}
	return nil
}

// wait takes it, however long that is.
func (s slot) wait() { s <- struct{}{} }

func (s slot) give() { <-s }
