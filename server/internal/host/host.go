// Package host puts the server together: a data folder, the services over it, and
// the API before them. Commands, tests and the demo all start the same thing.
//
// It refuses to have rules of its own: whatever decides lives in a service.
package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/google/uuid"

	"gridsync/server/internal/api"
	"gridsync/server/internal/audit"
	"gridsync/server/internal/dayclose"
	"gridsync/server/internal/desk"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/fieldwork"
	"gridsync/server/internal/formbook"
	"gridsync/server/internal/hook/courier"
	"gridsync/server/internal/intake"
	"gridsync/server/internal/privacy"
	"gridsync/server/internal/proof"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/roster"
	"gridsync/syncproto/form"
)

// Config says what to start. Dir and Listen must be given.
type Config struct {
	Dir string
	// DB is where the database is, as in Options; the folder if it is empty.
	DB string
	// Keys is the folder of all keys; keys in the data folder if it is empty.
	Keys string
	// Listen is an address such as 127.0.0.1:8080; port 0 takes a free one.
	Listen string
	// Now and NewID default to the real clock and random ids.
	Now   func() time.Time
	NewID func() (uuid.UUID, error)
	// Log gets the server's log; nothing is written when it is nil.
	Log *slog.Logger
	// Forms are those that come with the program when nil.
	Forms *form.Set
	// Due is how long questions of each kind may lie; desk says what is left out.
	Due map[review.Kind]time.Duration
	// Base is where the server is reached from outside, for links; as each request has it
	// if empty.
	Base string
	// Page holds index.html, app.js and app.css; nil for no page.
	Page fs.FS
	// Poll is how often the folder is asked for areas and devices that another
	// process added; 1 s if 0.
	Poll time.Duration
	// Small is how many people are enough to be counted out in what is published; rollup
	// says what 0 means.
	Small int64
	// MaxQueue is how many pushes may wait; exchange says what 0 means.
	MaxQueue int
	// Guard limits who may ask how often; if it is zero only connections are limited,
	// which is what demos and benches want: all their phones have one address.
	Guard api.Guard
	// Retain is what keeps its content for how long; everything for good if it is empty.
	Retain Retention
	// Among says that other servers may run over the same folder, on this machine: each looks
	// for what the others did before it answers, and the folder isn't locked.
	Among bool
	// Hooks says which other systems may be told of what happens; those that the open
	// Internet reaches over TLS, if it is zero.
	Hooks courier.Policy
}

// Server is a server that runs.
type Server struct {
	*Data
	exchange *exchange.Service
	api      *api.API
	listener net.Listener
	hooks    hooks
	berth    berth
	log      *slog.Logger
	outage   *outage

	stop context.CancelFunc
	// unkeep ends the keeping of the berth, and waits for it.
	unkeep  func()
	needed  sync.WaitGroup // without which there is no serving
	done    chan struct{}
	failure chan error
	closing sync.Once
	closed  error

	// drain and settle are the constants, but in tests.
	drain, settle time.Duration
}

// Start starts a server; Close ends it. One folder has one server at a time, unless all that
// run over it say that they are among others; a PostgreSQL database has any number of them,
// which must all have the same keys: ErrOtherKeys.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	data, err := Open(ctx, cfg.Dir, cfg.options())
	if err != nil {
		return nil, err
	}
	outage := newOutage(cfg.Log, data.engine.Away)
	cfg.Log = outage.log()
	s := &Server{
		Data: data, log: cfg.Log, outage: outage, done: make(chan struct{}), failure: make(chan error, 2), drain: drain, settle: settle,
	}
	if err := s.start(ctx, cfg); err != nil {
		return nil, errors.Join(err, s.abandon())
	}
	return s, nil
}

func (cfg Config) withDefaults() Config {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Small == 0 {
		cfg.Small = rollup.DefaultSmall
	}
	if cfg.Poll == 0 {
		cfg.Poll = time.Second
	}
	return cfg
}

func (cfg Config) options() Options {
	return Options{Now: cfg.Now, NewID: cfg.NewID, Forms: cfg.Forms, Keys: cfg.Keys, DB: cfg.DB}
}

func (s *Server) start(ctx context.Context, cfg Config) error {
	var err error
	if cfg.Among {
		s.engine = shared{s.engine}
	}
	if s.berth, err = s.engine.Enter(ctx, serverName(cfg.Listen), s.fingerprints, false); err != nil {
		return fmt.Errorf("serve %s: %w", s.Place(), err)
	}
	s.keep()
	if err := s.store.Here(ctx); err != nil {
		return fmt.Errorf("serve %s: %w", s.Place(), err)
	}
	_, nobodyElse := s.berth.(alone)
	lenses := privacy.NewMaker(s.secrets.tags)
	s.exchange, err = exchange.New(ctx, exchange.Config{
		Store: s.store, Registry: s.registry, Digester: s.secrets.digester, Lenses: lenses, Box: s.keys.Boxes,
		Now: cfg.Now, Log: cfg.Log, MaxQueue: cfg.MaxQueue,
		Away: s.engine.Away, Alone: nobodyElse,
	})
	if err != nil {
		return err
	}
	rosters := roster.NewService(s.store, s.registry)
	intakes := intake.NewService(s.store, s.exchange, rosters, s.registry, s.secrets.digester)
	desks := desk.NewService(s.store, s.exchange, s.registry, desk.Config{Due: cfg.Due})
	noted := audit.NewKeeper(s.store)
	consoles := s.console(noted)
	s.hooks = s.Data.hooks(cfg.Hooks, cfg.Log)
	guard := cfg.Guard
	guard.Servers = s.berth.Servers
	summaries := rollup.NewService(s.store, s.store, s.registry, s.exchange)
	s.api, err = api.New(api.Config{
		Exchange: s.exchange, Rosters: rosters, Proofs: proof.NewService(s.store, s.registry), Live: s.exchange, Ledgers: roster.NewLedgers(rosters, s.store), Rounds: rosters,
		FieldWork: fieldwork.NewService(s.store, s.registry),
		Summaries: summaries, Days: dayclose.NewService(s.store, summaries, s.exchange, s.registry),
		Questions: desks, Histories: desks, Imports: intakes, ListsDown: intakes,
		Forms:    formbook.NewService(s.store, s.registry),
		Registry: s.registry, Health: s.store, Away: s.engine.Away,
		Lenses: lenses, Audit: noted, Audits: noted, Whereabouts: desks, Small: cfg.Small,
		Sessions: consoles, Desk: api.Desk{Accounts: consoles, Signing: consoles, InsecureCookie: ownMachine(cfg.Listen)},
		Letting:    s.lettingIn(cfg.Base),
		Tokens:     s.keys,
		Page:       cfg.Page,
		Guard:      guard,
		Hooks:      s.hooks.service,
		Changes:    s.exchange,
		Collectors: append(collectors(s.exchange, s.berth, s.engine), hookMetrics(s.hooks.worker)...),
		Now:        cfg.Now, NewReference: uuid.NewString, Log: cfg.Log,
	})
	if err != nil {
		return err
	}
	var listen net.ListenConfig
	if s.listener, err = listen.Listen(ctx, "tcp", cfg.Listen); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	s.run(&cfg)
	return nil
}

// run starts what goes on until Close: answering, looking for new areas and devices, and
// taking away what is old. Nothing here belongs to the context that Start was called with.
func (s *Server) run(cfg *Config) {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.needed.Go(func() {
		if err := s.api.Serve(s.listener); err != nil {
			s.failure <- fmt.Errorf("serve: %w", err)
		}
	})
	go func() {
		defer close(s.failure)
		s.needed.Wait()
	}()
	var work sync.WaitGroup
	stirred := make(chan struct{}, 1)
	work.Go(func() { s.watch(ctx, cfg.Poll, stirred) })
	work.Go(func() { s.hear(ctx, stirred) })
	work.Go(func() { s.tellHooks(ctx) })
	if len(cfg.Retain) > 0 {
		work.Go(func() { s.sweep(ctx, cfg.Retain) })
	}
	go func() {
		defer close(s.done)
		work.Wait()
	}()
}

// watch follows the registry and what other servers did, and tells the exchange when the
// registry has changed: something parked may wait for exactly that. The first look always
// counts as a change, as areas may have come while no server ran.
func (s *Server) watch(ctx context.Context, every time.Duration, stirred <-chan struct{}) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	told := int64(-1)
	for {
		var err error
		if told, err = s.follow(ctx, told); err != nil && ctx.Err() == nil {
			// Tried again at the next tick; until then the server goes on with what it knows.
			s.log.Error("areas and devices could not be read", "error", err)
		} else if err == nil {
			s.outage.answered(ctx)
		}
		if err := s.keys.refresh(); err != nil {
			s.log.Error("keys could not be read; those that were known stay in use", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-stirred:
		case <-tick.C:
		}
	}
}

// hear looks at once when another server says that it has committed something. What it
// doesn't hear of, watch finds at its next look.
func (s *Server) hear(ctx context.Context, stirred chan<- struct{}) {
	s.engine.Hear(ctx, func() {
		select {
		case stirred <- struct{}{}:
		default: // it will look, and find this too
		}
	}, func(err error) {
		s.log.Warn("other servers can't be heard at once; what they do is seen a little later", "error", err)
	})
}

// follow looks for a revision after told, and returns the one that the exchange
// was told of.
func (s *Server) follow(ctx context.Context, told int64) (int64, error) {
	if err := s.exchange.TakeUp(ctx); err != nil {
		return told, err
	}
	if _, err := s.registry.Refresh(ctx); err != nil {
		return told, err
	}
	now := s.registry.Current().Revision
	if now == told {
		return told, nil
	}
	if err := s.exchange.RegistryChanged(ctx); err != nil {
		return told, err
	}
	return now, nil
}

// URL returns where the server answers, such as http://127.0.0.1:8080.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// API returns the API, for requests without a network.
func (s *Server) API() *api.API { return s.api }

// Exchange returns the exchange, for its statistics.
func (s *Server) Exchange() *exchange.Service { return s.exchange }

// Retry takes up at once what was parked for want of an area, an author or a
// grant, instead of at the next look at the registry.
func (s *Server) Retry(ctx context.Context) error {
	if _, err := s.registry.Refresh(ctx); err != nil {
		return err
	}
	return s.exchange.RegistryChanged(ctx)
}

// Failed returns a channel that gives the errors with which answering broke down, or for
// which it must end (ErrOusted, *sqlstore.NewerError), and is closed when all has ended.
func (s *Server) Failed() <-chan error { return s.failure }
