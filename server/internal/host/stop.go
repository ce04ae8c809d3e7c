package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// How long a server that stops waits: for requests under way and its own work, and then for
// what is queued and for the database to let it go. Whoever has the database's lock may
// keep it for much longer; what isn't done by then is as if the server had been killed.
const (
	drain  = 20 * time.Second
	settle = 20 * time.Second
)

// Close stops accepting, lets the requests under way end, writes down what is
// queued, and lets go of the folder. It waits for none of these for ever, and says which took
// too long. It may be called more than once.
func (s *Server) Close() error {
	s.closing.Do(func() {
		s.stop()
		err := atMost(s.drain, "let requests end", func(ctx context.Context) error {
			err := s.api.Shutdown(ctx)
			<-s.done
			return err
		})
		// One that was closed before it began to answer begins now, and must find nothing to
		// listen to.
		if closing := s.listener.Close(); closing != nil && !errors.Is(closing, net.ErrClosed) {
			err = errors.Join(err, closing)
		}
		err = errors.Join(err, s.abandon())
		for failed := range s.failure {
			if !errors.Is(failed, net.ErrClosed) {
				err = errors.Join(err, failed)
			}
		}
		s.closed = err
	})
	return s.closed
}

// abandon lets go of whatever was taken: whoever told the server to stop can't hurry that, and
// what took long before leaves it no less time.
func (s *Server) abandon() error {
	var errs []error
	if s.exchange != nil {
		errs = append(errs, atMost(s.settle, "commit what is queued", s.exchange.Close))
	}
	if s.berth != nil {
		s.unkeep()
		errs = append(errs, s.berth.Leave(context.Background()))
	}
	return errors.Join(append(errs, atMost(s.settle, "close the database", func(context.Context) error { return s.Data.Close() }))...)
}

// atMost does a step of the end for as long as it may take. What isn't done by then goes on,
// and ends with the process.
func atMost(limit time.Duration, what string, step func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- step(ctx) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
