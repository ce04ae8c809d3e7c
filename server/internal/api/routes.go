package api

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"gridsync/server/internal/desk"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
)

// caller says who may use a route.
type caller int

const (
	// anyone needs no token.
	anyone caller = iota
	// delivering needs a device's token, whatever the device's standing: what was recorded
	// must arrive.
	delivering
	// someone needs a device in use, or somebody signed in at a desk.
	someone
	// atDesk needs somebody signed in at a desk.
	atDesk
)

// route is one line of the table: all that registering, guarding and describing
// it takes.
type route struct {
	method string
	// path names its parameters in braces, as OpenAPI does.
	path string
	id   string
	who  caller
	// right is what the caller needs in the area asked about; areas without it look as if
	// they weren't there.
	right   identity.Right
	summary string
	params  []param
	// body and answer are values of the types that travel, nil for none; media is
	// the answer's type where it isn't JSON.
	body, answer any
	media        string
	// within bounds the work on one request: nobody cancels it when the client leaves.
	within time.Duration
	codes  []syncproto.Code
	// pace is what the route counts as where requests are limited; New fills it in.
	pace   pace
	handle func(*API, *call) (any, error)
}

// param is a parameter of the path or the query.
type param struct {
	name, in, about string
	// kind is the JSON type; example helps readers of the document.
	kind, example string
}

// Deadlines of requests.
const (
	readWithin = 15 * time.Second
	syncWithin = 60 * time.Second
)

// Parameters that several routes have.
var (
	paramArea  = param{"id", "path", "The area's code.", "string", "330702001003"}
	paramDay   = param{"day", "query", "The day; today if absent.", "string", "2020-01-31"}
	paramFrom  = param{"from", "query", "The first of several days, instead of one; the last of them is to.", "string", "2020-01-24"}
	paramTo    = param{"to", "query", "The last of several days; today if absent.", "string", "2020-01-31"}
	paramAfter = param{"after", "query", "The next of the page before; absent for the first page.", "string", ""}
	paramLimit = param{"limit", "query", "Rows of a page, 1 to 500; 100 if absent.", "integer", "100"}
)

// Codes that several routes fail with.
var (
	codesOfRead = []syncproto.Code{syncproto.CodeBadRequest, syncproto.CodeForbidden, syncproto.CodeNotFound, syncproto.CodeBusy}
	codesOfSync = []syncproto.Code{
		syncproto.CodeMalformed, syncproto.CodeBadRequest, syncproto.CodeBodyTooLarge, syncproto.CodeBadEncoding,
		syncproto.CodeTooManyChanges, syncproto.CodeUnknownProtocol, syncproto.CodeBusy,
	}
	codesOfOrders = []syncproto.Code{
		syncproto.CodeMalformed, syncproto.CodeBadRequest, syncproto.CodeBodyTooLarge, syncproto.CodeBadEncoding,
		syncproto.CodeTooManyChanges, syncproto.CodeForbidden, syncproto.CodeBusy,
	}
	codesOfToken = []syncproto.Code{syncproto.CodeNoToken, syncproto.CodeBadToken, syncproto.CodeTokenExpired}
)

// routes is the table: what the server answers, to whom.
func routes() []route {
	return slices.Concat(recordRoutes(), totalRoutes(), rowRoutes(), liveRoutes(), fieldRoutes(), dayRoutes(), hookRoutes(), feedRoutes(), entryRoutes(), intakeRoutes(), enrolRoutes(), sessionRoutes(), privacyRoutes(), exportRoutes(), formRoutes(), settingRoutes(), openRoutes())
}

// recordRoutes are about what was recorded.
func recordRoutes() []route {
	return []route{
		{
			method: fiber.MethodPost, path: "/v1/sync", id: "sync", who: delivering, within: syncWithin,
			summary: "Push changes, get their verdicts and a receipt, and pull what has changed.",
			body:    syncproto.Request{}, answer: syncproto.Answer{}, codes: codesOfSync, handle: (*API).sync,
		},
		{
			method: fiber.MethodGet, path: "/v1/areas", id: "areas", who: someone, right: identity.Totals, within: readWithin,
			summary: "The areas of which the caller may see totals, each parent before its children.",
			answer:  AreaList{}, handle: (*API).areas,
		},
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/summary", id: "summary", who: someone, right: identity.Totals, within: readWithin,
			summary: "The totals of an area and of those directly below it on a day, or over several, and how fresh and complete they are.",
			params:  []param{paramArea, paramDay, paramFrom, paramTo},
			answer:  rollup.Summary{}, codes: codesOfRead, handle: (*API).totals,
		},
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/roster", id: "roster", who: someone, right: identity.Read, within: readWithin,
			summary: "The records of an area and all below it, page by page.",
			params:  []param{paramArea, {"kind", "query", "Only records of this kind.", "string", "household"}, paramAfter, paramLimit},
			answer:  roster.Page{}, codes: codesOfRead, handle: (*API).roster,
		},
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/review", id: "review", who: someone, right: identity.Read, within: readWithin,
			summary: "The open questions of an area and all below it, the oldest first.",
			params: []param{
				paramArea,
				{"kind", "query", "Only questions of this kind.", "string", "conflict"},
				{"assignee", "query", "Only those given to this author.", "string", ""},
				paramAfter, paramLimit,
			},
			answer: desk.Page{}, codes: codesOfRead, handle: (*API).review,
		},
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/revisits", id: "revisits", who: someone, right: identity.Read, within: readWithin,
			summary: "Households to visit again: half of them with something hard to believe, half drawn from a day's visits, unmarked.",
			params:  []param{paramArea, paramDay, {"size", "query", "How many, 1 to 100; 10 if absent.", "integer", "10"}},
			answer:  desk.Revisits{}, codes: codesOfRead, handle: (*API).revisits,
		},
		{
			method: fiber.MethodGet, path: "/v1/review/{item}", id: "question", who: someone, right: identity.Read, within: readWithin,
			summary: "A question with everything that a decider needs: every value with its witnesses, the neighbours, what was decided before.",
			params:  []param{{"item", "path", "The question's id.", "string", ""}},
			answer:  desk.Case{}, codes: codesOfRead, handle: (*API).question,
		},
		{
			method: fiber.MethodPost, path: "/v1/review", id: "decide", who: someone, right: identity.Decide, within: syncWithin,
			summary: "Decide questions, each by itself; at most 200. What is wrong with one stops no other.",
			body:    Orders{}, answer: Results{}, codes: codesOfOrders, handle: (*API).decide,
		},
		{
			method: fiber.MethodGet, path: "/v1/records/{id}/history", id: "history", who: someone, right: identity.Read, within: readWithin,
			summary: "What was ever said about a record and those that turned out to be it, the oldest first.",
			params:  []param{{"id", "path", "The record's id.", "string", ""}},
			answer:  desk.Statements{}, codes: codesOfRead, handle: (*API).history,
		},
		{
			method: fiber.MethodGet, path: "/v1/log", id: "log", who: someone, right: identity.Read, within: readWithin,
			summary: "What an author of the caller's device has said, the newest first.",
			params: []param{
				{"author", "query", "The author's id; must be given.", "string", ""},
				{"before", "query", "The next of the page before; absent for the first page.", "integer", ""},
				paramLimit,
			},
			answer: desk.Statements{}, codes: codesOfRead, handle: (*API).ownLog,
		},
		{
			method: fiber.MethodGet, path: "/v1/rounds/{a}/diff/{b}", id: "diff", who: someone, right: identity.Read, within: readWithin,
			summary: "Who was met in round b and not in round a, with finder and visit.",
			params: []param{
				{"a", "path", "The earlier round's id.", "string", ""},
				{"b", "path", "The later round's id.", "string", ""},
				{"area", "query", "The area's code; may be absent if the caller sees one area and what is below it.", "string", "330702001"},
				paramAfter, paramLimit,
			},
			answer: roster.Diff{}, codes: codesOfRead, handle: (*API).diff,
		},
	}
}

// openRoutes say nothing of anybody.
func openRoutes() []route {
	return []route{
		{
			method: fiber.MethodGet, path: "/v1/openapi.json", id: "openapi", who: anyone, within: readWithin,
			summary: "This document.", media: fiber.MIMEApplicationJSON, handle: (*API).describe,
		},
		{
			method: fiber.MethodGet, path: "/healthz", id: "healthz", who: anyone, within: readWithin,
			summary: "The process is alive.", media: fiber.MIMETextPlain, handle: (*API).healthz,
		},
		{
			method: fiber.MethodGet, path: "/readyz", id: "readyz", who: anyone, within: readWithin,
			summary: "The server can do its work.", media: fiber.MIMETextPlain,
			codes: []syncproto.Code{syncproto.CodeBusy}, handle: (*API).readyz,
		},
		{
			method: fiber.MethodGet, path: "/metrics", id: "metrics", who: anyone, within: readWithin,
			summary: "Metrics in Prometheus' text format.", media: fiber.MIMETextPlain, handle: (*API).showMetrics,
		},
		{
			method: fiber.MethodGet, path: "/", id: "page", who: anyone, within: readWithin,
			summary: "The page.", media: fiber.MIMETextHTML,
			codes: []syncproto.Code{syncproto.CodeNotFound}, handle: (*API).showPage,
		},
		{
			method: fiber.MethodGet, path: "/page/{file}", id: "pageFile", who: anyone, within: readWithin,
			summary: "One of the page's scripts, or its style.", media: "text/javascript",
			params: []param{{"file", "path", "The file's name.", "string", "app.js"}},
			codes:  []syncproto.Code{syncproto.CodeNotFound}, handle: (*API).showPageFile,
		},
	}
}

// allCodes lists what a route can fail with.
func (r *route) allCodes() []syncproto.Code {
	codes := append([]syncproto.Code{}, r.codes...)
	switch r.who {
	case anyone:
	case someone, atDesk:
		codes = append(codes, syncproto.CodeCrossSite, syncproto.CodeDeviceRevoked)
		fallthrough
	case delivering:
		codes = append(codes, codesOfToken...)
	}
	if paceOf(r) != (pace{}) {
		codes = append(codes, syncproto.CodeTooFast)
	}
	return append(codes, syncproto.CodeInternal)
}

// pattern is the path as the router writes it.
func (r *route) pattern() string {
	return strings.NewReplacer("{", ":", "}", "").Replace(r.path)
}

// call is one request on its way through a handler.
type call struct {
	*fiber.Ctx
	ctx  context.Context
	now  time.Time
	snap *registry.Snapshot
	// caller is who asks; zero on routes for anyone.
	caller identity.Caller
	right  identity.Right
	// from is the address that the request counts for, where addresses are counted.
	from netip.Addr
	// asked is the area that was asked about.
	asked syncproto.AreaID
}

func (c *call) instant() syncproto.Instant { return syncproto.Instant(c.now.UnixMilli()) }

// serve puts around a handler what every route needs: a deadline, the gate, the
// answer's encoding, the one place for errors, and a line in log and metrics.
func (a *API) serve(r *route) fiber.Handler {
	seen := a.metrics.observer(r.id)
	return func(c *fiber.Ctx) error {
		start := time.Now()
		status := fiber.StatusOK
		caller, err := a.run(c, r)
		if err != nil {
			status = a.fail(c, err)
		}
		took := time.Since(start)
		seen.done(status, took)
		a.note(c, r, caller, status, took)
		return nil
	}
}

// run answers a request, or says why not.
func (a *API) run(c *fiber.Ctx, r *route) (from identity.Caller, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = panicked(value)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), r.within)
	defer cancel()
	in := call{Ctx: c, ctx: ctx, now: a.Now(), right: r.right}
	if in.from, err = a.limiter.address(c, r.pace, in.now); err != nil {
		return in.caller, err
	}
	defer func() { a.limiter.failed(err, in.from, r.pace, in.now) }()
	if r.who != anyone {
		if in.caller, err = a.gate.admit(ctx, c, r.who); err != nil {
			return in.caller, err
		}
		if err := a.limiter.caller(&in.caller, r.pace, in.now); err != nil {
			return in.caller, err
		}
	}
	// Taken after admit, which may have loaded a newer one.
	in.snap = a.Registry.Current()
	answer, err := r.handle(a, &in)
	if err == nil {
		err = a.disclose(&in, r, answer)
	}
	if err != nil {
		return in.caller, err
	}
	return in.caller, send(c, answer)
}

// note writes a request's log line: the route and never its path or query, the
// device and never a person. What went well is written only for those who ask
// for everything: metrics count it.
func (a *API) note(c *fiber.Ctx, r *route, from identity.Caller, status int, took time.Duration) {
	level := slog.LevelDebug
	switch {
	case status >= fiber.StatusInternalServerError:
		level = slog.LevelError
	case status == fiber.StatusTooManyRequests:
		// Whoever is turned away for asking too often must not fill the log by asking on.
	case status >= fiber.StatusBadRequest:
		level = slog.LevelInfo
	}
	if !a.Log.Enabled(context.Background(), level) {
		return
	}
	a.Log.LogAttrs(context.Background(), level, "request",
		slog.String("route", r.id), slog.Int("status", status), slog.Duration("took", took),
		slog.Int("in", len(c.Request().Body())), slog.Int("out", sent(c)),
		slog.String("device", from.Device.ID.String()))
}

// sent is the size of an answer; 0 for one that is still being written.
func sent(c *fiber.Ctx) int {
	if c.Response().IsBodyStream() {
		return 0
	}
	return len(c.Response().Body())
}
