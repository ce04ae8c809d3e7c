package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Meanwhile implements exchange.Tx. The engine hears some times in its patience that somebody
// is there; where it doesn't answer, the transaction is lost, and so is the work.
func (t *tx) Meanwhile(work func(context.Context) error) (err error) {
	patience := t.s.dialect.Patience()
	if patience == 0 {
		return work(t.ctx)
	}
	ctx, lose := context.WithCancelCause(t.ctx)
	defer lose(nil)
	done := make(chan struct{})
	var saying sync.WaitGroup
	saying.Go(func() {
		tick := time.NewTicker(patience / 6)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			if err := t.w.exec(t.ctx, "SELECT 1"); err != nil {
				lose(fmt.Errorf("the transaction was lost meanwhile: %w", err))
				return
			}
		}
	})
	defer func() {
		close(done)
		saying.Wait()
		if lost := context.Cause(ctx); lost != nil {
			err = errors.Join(lost, err)
		}
	}()
	return work(ctx)
}
