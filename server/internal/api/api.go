// Package api is the server's HTTP edge: it reads requests, asks the services,
// and writes their answers or the protocol's errors.
//
// It refuses to know how anything is stored, and decides nothing but who may ask.
package api

import (
	"context"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/desk"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/privacy"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Exchange takes what devices push and hands out what has changed.
type Exchange interface {
	// Sync answers one request of a device. An error of type *syncproto.Error turns
	// the request away as a whole; code busy asks for a retry.
	Sync(ctx context.Context, device syncproto.DeviceID, req *syncproto.Request) (*syncproto.Answer, error)
	// Enter takes what somebody enters at a desk. An *exchange.Misstep says that nothing
	// was taken, and why.
	Enter(ctx context.Context, e exchange.Entry) (exchange.Entered, error)
	// Queue returns how many pushes are waiting and how long a new one would wait.
	Queue() (waiting int, estimate time.Duration)
}

// Summaries answers with totals. Code not_found: no such area.
type Summaries interface {
	Summary(ctx context.Context, area syncproto.AreaID, days rollup.Days, now syncproto.Instant) (*rollup.Summary, error)
	// Series fails with code bad_request, too, for a measure that isn't there and for more than
	// one answer holds.
	Series(ctx context.Context, area syncproto.AreaID, measures []string, days rollup.Days, children bool) (*rollup.Series, error)
	Published(ctx context.Context, area syncproto.AreaID, day form.Day, small int64) (*rollup.Published, error)
}

// Rosters lists the records of an area. Codes not_found (area), bad_request (after).
type Rosters interface {
	List(ctx context.Context, area syncproto.AreaID, kind syncproto.Kind, after string, limit int) (*roster.Page, error)
}

// Rounds compares two rounds. Codes not_found (area, round), bad_request (after).
type Rounds interface {
	Diff(ctx context.Context, a, b syncproto.RecordID, area syncproto.AreaID, after string, limit int) (*roster.Diff, error)
}

// Questions lists what a person must settle, and takes what is decided.
type Questions interface {
	// Open fails with codes not_found (area), bad_request (kind, after).
	Open(ctx context.Context, area syncproto.AreaID, want desk.Want, after string, limit int) (*desk.Page, error)
	// Case fails with code not_found for what isn't there or isn't the caller's to see.
	Case(ctx context.Context, item syncproto.RecordID, caller desk.Caller) (*desk.Case, error)
	// Order has a result for each order; an error besides tells of what went wrong inside.
	Order(ctx context.Context, author syncproto.AuthorID, orders []desk.Order, caller desk.Caller) ([]desk.Result, error)
	// Revisits fails with code not_found (area).
	Revisits(ctx context.Context, area syncproto.AreaID, day form.Day, size int) (*desk.Revisits, error)
}

// Histories tells what was said.
type Histories interface {
	// History fails with code not_found for what isn't there or isn't the caller's to see.
	History(ctx context.Context, record syncproto.RecordID, caller desk.Caller) (*desk.Statements, error)
	Log(ctx context.Context, author syncproto.AuthorID, before syncproto.Version, limit int) (*desk.Statements, error)
}

// Registry holds areas, people and forms in memory.
type Registry interface {
	Current() *registry.Snapshot
	// Refresh looks whether there is something newer, and reports whether there was.
	Refresh(ctx context.Context) (bool, error)
}

// Tokens says whom a token speaks of. Codes bad_token, token_expired.
type Tokens interface {
	Verify(token []byte) (identity.Bearer, error)
}

// Sessions says who is signed in by a cookie. Codes no_token, token_expired.
type Sessions interface {
	Resume(ctx context.Context, cookie string, now syncproto.Instant) (identity.Caller, error)
}

// Health says whether the server can do its work.
type Health interface {
	Ping(ctx context.Context) error
}

// Config is everything that the API needs. All of it must be given but Away,
// Collectors and Page.
type Config struct {
	Exchange  Exchange
	Summaries Summaries
	Rosters   Rosters
	Proofs    Proofs
	Live      Subscribing
	Ledgers   Ledgers
	Rounds    Rounds
	FieldWork FieldWork
	Questions Questions
	Histories Histories
	Imports   Imports
	ListsDown ListsDown
	Days      Days
	Hooks     Hooks
	Changes   Changes
	Forms     Forms
	Registry  Registry
	Tokens    Tokens
	// Sessions may be nil: then nobody signs in.
	Sessions Sessions
	Desk     Desk
	Letting  Letting
	Health   Health
	// Away reports whether a failure comes of a store that is away for a while: whoever asked
	// is told to come back, which is no more than true. It may be nil.
	Away func(error) bool
	// Lenses say what callers see of the records in an answer, and Audit keeps who was
	// shown what.
	Lenses privacy.Maker
	Audit  audit.Log
	// Audits and Whereabouts tell who was shown what.
	Audits      Audits
	Whereabouts Whereabouts
	// Small is how many people are enough to be counted out in what is published.
	Small int64
	// Page holds index.html, the style and the scripts; nil for no page.
	Page fs.FS
	// Guard is what stands before everybody.
	Guard Guard
	// Collectors are metrics of other parts, shown with the API's own.
	Collectors []prometheus.Collector
	Now        func() time.Time
	// NewReference gives each unexpected failure a name, by which its log line is found.
	NewReference func() string
	Log          *slog.Logger
}

// API serves HTTP.
type API struct {
	Config
	app     *fiber.App
	metrics *metrics
	gate    gate
	limiter *limiter
	openapi []byte
	streaming
	closing sync.Once
	// polls counts those who wait for something new.
	polls atomic.Int64
}

// New builds the API.
func New(cfg Config) (*API, error) {
	cfg.Guard.Bounds = cfg.Guard.Bounds.withDefaults()
	a := &API{Config: cfg, limiter: newLimiter(cfg.Guard, cfg.Now()), streaming: streaming{stopped: make(chan struct{})}}
	a.gate = gate{tokens: cfg.Tokens, sessions: cfg.Sessions, registry: cfg.Registry, now: cfg.Now}
	var err error
	if a.metrics, err = newMetrics(cfg.Exchange, cfg.Collectors); err != nil {
		return nil, err
	}
	a.app = fiber.New(fiber.Config{
		AppName: "gridsync", DisableStartupMessage: true,
		// Texts that a handler keeps would otherwise be overwritten by the next request
		// on the connection. The body is the one thing too large to copy: see body.go.
		Immutable:     true,
		CaseSensitive: true, StrictRouting: true,
		BodyLimit:   syncproto.MaxBodyBytes,
		ReadTimeout: cfg.Guard.Bounds.Read, WriteTimeout: cfg.Guard.Bounds.Write, IdleTimeout: cfg.Guard.Bounds.Idle,
		ReadBufferSize: headerBytes,
		Concurrency:    connections,
		ErrorHandler:   a.unrouted,
	})
	a.app.Server().Handler, a.app.Server().HeaderReceived = a.edge(a.app.Server().Handler), a.room
	table := routes()
	if a.openapi, err = document(table); err != nil {
		return nil, err
	}
	for i := range table {
		table[i].pace = paceOf(&table[i])
		a.add(&table[i])
	}
	return a, nil
}

func (a *API) add(r *route) {
	if r.method == fiber.MethodGet {
		a.app.Get(r.pattern(), a.serve(r))
		return
	}
	a.app.Add(r.method, r.pattern(), a.serve(r))
}

// Serve answers on a listener until Shutdown.
func (a *API) Serve(ln net.Listener) error {
	return a.app.Listener(newTurnstile(ln, a.Guard.Bounds.PerAddress, a.limiter.proxies))
}

// Shutdown stops accepting and waits for the requests under way, or for ctx.
// Streams, which would go on, end at once.
func (a *API) Shutdown(ctx context.Context) error {
	a.closing.Do(func() { close(a.stopped) })
	return a.app.ShutdownWithContext(ctx)
}

// Test answers one request without a network.
func (a *API) Test(req *http.Request) (*http.Response, error) { return a.app.Test(req, -1) }
