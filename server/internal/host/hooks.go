package host

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gridsync/server/internal/hook"
	"gridsync/server/internal/hook/courier"
	"gridsync/syncproto"
)

// hooks are who is told at once of what happens, and whoever goes there.
type hooks struct {
	service *hook.Service
	worker  *courier.Worker
	sender  *courier.Sender
}

func (d *Data) hooks(policy courier.Policy, log *slog.Logger) hooks {
	sender := courier.NewSender(policy, d.now)
	return hooks{
		service: hook.NewService(d.store, d.registry, policy, d.drawHook),
		worker:  courier.NewWorker(hook.NewRounds(d.store, d.registry, sender, courier.Wait), d.now, log),
		sender:  sender,
	}
}

// Hooks gives a command the hooks of a folder, and the time. private lets it make one on a
// machine inside, which a server tells only if it was started to.
func (d *Data) Hooks(private bool) (*hook.Service, syncproto.Instant) {
	return hook.NewService(d.store, d.registry, courier.Policy{Private: private}, d.drawHook), d.instant()
}

func (d *Data) drawHook() (drawn hook.Drawn, err error) {
	if drawn.ID, err = d.newID(); err != nil {
		return drawn, fmt.Errorf("an id: %w", err)
	}
	if _, err := rand.Read(drawn.Secret[:]); err != nil {
		return drawn, fmt.Errorf("a secret: %w", err)
	}
	return drawn, nil
}

// lookAtHooks is how often what is due is looked for though nothing was committed.
const lookAtHooks = time.Second

// tellHooks goes round until ctx ends.
func (s *Server) tellHooks(ctx context.Context) {
	news := s.exchange.Subscribe()
	defer news.End()
	defer s.hooks.sender.Close()
	s.hooks.worker.Run(ctx, news.Stirred, lookAtHooks)
}

// hookMetrics say how telling others goes, and nothing of whom.
func hookMetrics(w *courier.Worker) []prometheus.Collector {
	counter := func(outcome string, value func(courier.Counts) int64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "gridsync_hook_attempts_total", Help: "Attempts at telling other systems, by outcome.",
			ConstLabels: prometheus.Labels{"outcome": outcome},
		}, func() float64 { return float64(value(w.Counts())) })
	}
	return []prometheus.Collector{
		counter("delivered", func(c courier.Counts) int64 { return c.Delivered }),
		counter("failed", func(c courier.Counts) int64 { return c.Failed }),
		counter("given_up", func(c courier.Counts) int64 { return c.GivenUp }),
	}
}
