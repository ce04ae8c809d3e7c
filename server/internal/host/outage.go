package host

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// outage keeps the log readable while the database is away: everybody who asks it for
// something fails then, many times a second. The first failure is said, the others are
// counted (and said at the level of debugging), until it has answered for a while.
type outage struct {
	away func(error) bool
	to   slog.Handler

	mu     sync.Mutex
	since  time.Time // zero while the database is there
	failed int
	// seen is failed as it was when the database last answered.
	seen int
}

// newOutage makes one before a log; away knows what failed for want of the database alone.
func newOutage(to *slog.Logger, away func(error) bool) *outage {
	return &outage{away: away, to: to.Handler()}
}

// log is the log before which it stands.
func (o *outage) log() *slog.Logger { return slog.New(sparing{o.to, o}) }

// failure counts what failed because the database is away, and says so of the first.
func (o *outage) failure(ctx context.Context, err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failed++
	if !o.since.IsZero() {
		return nil
	}
	o.since, o.failed, o.seen = time.Now(), 1, 0
	return o.say(ctx, slog.LevelWarn, "the database is away; phones are told to come again, and nothing more is said of it until it is back", slog.Any("error", err))
}

// answered is told each time the database was asked for something and gave it. It is back
// when nothing has failed since the last time.
func (o *outage) answered(ctx context.Context) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since.IsZero() {
		return
	}
	if o.failed != o.seen {
		o.seen = o.failed
		return
	}
	_ = o.say(ctx, slog.LevelInfo, "the database is back", slog.Duration("after", time.Since(o.since).Round(time.Second)), slog.Int("failures", o.failed)) // a log that can't be written to says so to nobody
	o.since = time.Time{}
}

func (o *outage) say(ctx context.Context, level slog.Level, text string, attrs ...slog.Attr) error {
	if !o.to.Enabled(ctx, level) {
		return nil
	}
	r := slog.NewRecord(time.Now(), level, text, 0)
	r.AddAttrs(attrs...)
	return o.to.Handle(ctx, r)
}

// sparing is a log that leaves to an outage what it explains.
type sparing struct {
	slog.Handler
	outage *outage
}

// Handle implements slog.Handler.
func (s sparing) Handle(ctx context.Context, r slog.Record) error {
	if err := errorOf(&r); r.Level > slog.LevelDebug && err != nil && s.outage.away(err) {
		if err := s.outage.failure(ctx, err); err != nil {
			return err
		}
		r.Level = slog.LevelDebug
		if !s.Enabled(ctx, r.Level) {
			return nil
		}
	}
	return s.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (s sparing) WithAttrs(attrs []slog.Attr) slog.Handler {
	return sparing{s.Handler.WithAttrs(attrs), s.outage}
}

// WithGroup implements slog.Handler.
func (s sparing) WithGroup(name string) slog.Handler {
	return sparing{s.Handler.WithGroup(name), s.outage}
}

// errorOf finds the error that a line tells of.
func errorOf(r *slog.Record) (err error) {
	r.Attrs(func(a slog.Attr) bool {
		err, _ = a.Value.Any().(error)
		return err == nil
	})
	return err
}
