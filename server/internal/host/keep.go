package host

import (
	"context"
	"fmt"
)

// keep keeps the berth, from before the server answers anybody, as deriving anew may take long,
// until it has written its last.
func (s *Server) keep() {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	s.unkeep = func() { stop(); <-ended }
	s.needed.Go(func() {
		defer close(ended)
		if err := s.berth.Keep(ctx, s.tellRenewals()); err != nil {
			s.failure <- fmt.Errorf("serve: %w", err)
		}
	})
}

// tellRenewals tells the log of the first time that the berth can't be kept, and when it can
// again. What fails because the database is away is told with all else that fails then.
func (s *Server) tellRenewals() func(error) {
	const failed = "this server can't say that it is alive; if that lasts it is taken for dead"
	told := false
	return func(err error) {
		switch {
		case err == nil:
			if told {
				s.log.Info("this server can say again that it is alive")
			}
			told = false
		case s.engine.Away(err):
			s.log.Warn(failed, "error", err)
		case !told:
			told = true
			s.log.Error(failed, "error", err)
		}
	}
}
