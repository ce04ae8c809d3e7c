package api

import (
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// Class names what is limited together: requests of one sort, of one device (or one
// session), or of one address.
type Class string

// The closed set of classes. Those of addresses are generous, as a whole office may stand
// behind one.
const (
	LimitSync         Class = "sync"
	LimitSyncAddress  Class = "sync-address"
	LimitRead         Class = "read"
	LimitReadAddress  Class = "read-address"
	LimitExport       Class = "export"
	LimitToken        Class = "token"
	LimitTokenAddress Class = "token-address"
	LimitEnrol        Class = "enrol-address"
	LimitSignIn       Class = "sign-in-address"
	unlimited         Class = ""
)

// classes gives each class its number in a bucket's name.
var classes = []Class{
	unlimited, LimitSync, LimitSyncAddress, LimitRead, LimitReadAddress, LimitExport,
	LimitToken, LimitTokenAddress, LimitEnrol, LimitSignIn,
}

// Guard is what stands before everybody who asks.
type Guard struct {
	// Limits turn away who asks too often; nobody if there are none.
	Limits Limits
	// Proxies are the networks of our own proxies, whose word is taken for where a request
	// comes from.
	Proxies []netip.Prefix
	// Bounds are those of connections; what is 0 has its default.
	Bounds Bounds
	// Servers is how many servers share the work, this one included; one if it is nil.
	Servers func() int
}

// Limits holds a limit for each class; a class that isn't there has none.
type Limits map[Class]Limit

// DefaultLimits are for one county on one machine: a phone may page and retry as it likes,
// 2,000 phones behind one address come at the same moment and 200 more each second, and
// 300 people are enrolled in an office in a day without waiting.
func DefaultLimits() Limits {
	const minute = 1.0 / 60
	return Limits{
		LimitSync:  {Rate: 10, Burst: 60},
		LimitRead:  {Rate: 20, Burst: 100},
		LimitToken: {Rate: 1, Burst: 10}, LimitExport: {Rate: 2 * minute, Burst: 6},
		LimitSyncAddress: {Rate: 200, Burst: 2000}, LimitReadAddress: {Rate: 200, Burst: 2000}, LimitTokenAddress: {Rate: 200, Burst: 2000},
		LimitEnrol: {Rate: 30 * minute, Burst: 300}, LimitSignIn: {Rate: 10 * minute, Burst: 20},
	}
}

var _ encoding.TextUnmarshaler = (*Limit)(nil)

// ErrLimit says that a limit can't be read.
var ErrLimit = errors.New("a limit is a class and what it may do in a second and at once, such as sync=10/60")

// UnmarshalText reads a limit: the rate in a second, a slash, the burst.
func (l *Limit) UnmarshalText(text []byte) error {
	rate, burst, _ := strings.Cut(string(text), "/")
	r, err := strconv.ParseFloat(rate, 64)
	n, err2 := strconv.Atoi(burst)
	// The bounds keep a bucket's times within what a Duration holds.
	if err != nil || err2 != nil || !(r >= 1e-4 && r <= 1e6) || n < 1 || n > 100_000 {
		return fmt.Errorf("%w: %q", ErrLimit, text)
	}
	*l = Limit{Rate: r, Burst: n}
	return nil
}

// Check fails with ErrLimit for a class that there isn't.
func (l Limits) Check() error {
	for class := range l {
		if class == unlimited || !slices.Contains(classes, class) {
			return fmt.Errorf("%w: no class %q", ErrLimit, class)
		}
	}
	return nil
}

// secrecy are the limits that keep something from being guessed, or taken away by the
// thousand. Whoever asks N servers in turn must get no more of it than from one, so that
// these are divided by the servers that run. The others keep a machine from more than it can
// do, and each machine can do as much as it did alone.
var secrecy = []Class{LimitExport, LimitEnrol, LimitSignIn}

// among is a limit's part that falls to one of some servers. What the parts come to is never
// less than the whole: nobody is shut out for there being many.
func (l Limit) among(servers int) Limit {
	if servers <= 1 {
		return l
	}
	return Limit{Rate: l.Rate / float64(servers), Burst: (l.Burst + servers - 1) / servers}
}

// pace says what a route counts as: own for who asks, address for where from.
type pace struct {
	own, address Class
	// failure is how many requests more it costs an address to have guessed wrong. Where
	// something can be guessed, a proxy of ours is no better than anybody.
	failure int
}

// paceOf puts each route in its class. Whatever lets somebody in and is not named here
// counts as enrolling, the strictest.
func paceOf(r *route) pace {
	switch {
	case r.path == "/healthz" || r.path == "/readyz":
		return pace{}
	case r.path == "/v1/sync":
		return pace{own: LimitSync, address: LimitSyncAddress}
	case r.path == "/v1/token":
		return pace{own: LimitToken, address: LimitTokenAddress}
	case r.right == identity.Export:
		return pace{own: LimitExport, address: LimitReadAddress}
	case r.who == anyone && r.method == fiber.MethodPost && (r.path == "/v1/session" || r.path == "/v1/account"):
		return pace{address: LimitSignIn, failure: 4}
	case r.who == anyone && r.method != fiber.MethodGet:
		return pace{address: LimitEnrol, failure: 20}
	}
	return pace{own: LimitRead, address: LimitReadAddress}
}

// guesses are the codes with which a wrong guess is answered.
var guesses = []syncproto.Code{
	syncproto.CodeInviteUnknown, syncproto.CodeBadSignature, syncproto.CodeSignInFailed, syncproto.CodeLinkSpent, syncproto.CodeBadToken,
}

// limiter turns away who asks too often.
type limiter struct {
	limits  Limits
	proxies proxies
	servers func() int
	began   time.Time
	seen    *buckets
}

func newLimiter(g Guard, now time.Time) *limiter {
	if g.Servers == nil {
		g.Servers = func() int { return 1 }
	}
	return &limiter{limits: g.Limits, proxies: g.Proxies, servers: g.Servers, began: now, seen: newBuckets(perShard)}
}

// limit is a class's limit at this server.
func (l *limiter) limit(class Class) Limit {
	limit := l.limits[class]
	if slices.Contains(secrecy, class) {
		return limit.among(l.servers())
	}
	return limit
}

// tooFast is the error of a request that came too soon, with how long to wait.
type tooFast struct{ wait time.Duration }

func (e *tooFast) Error() string { return e.Unwrap().Error() }

// soon is the error for a wait, none for no wait.
func soon(wait time.Duration) error {
	if wait <= 0 {
		return nil
	}
	return &tooFast{wait}
}

func (e *tooFast) Unwrap() error { return &syncproto.Error{Code: syncproto.CodeTooFast} }

// ask takes room for one who has a bucket alone, or fails with code too_fast. It is told
// when there is room, however often it asks.
func (l *limiter) ask(class Class, id [16]byte, now time.Time) error {
	limit, at := l.limit(class), now.Sub(l.began)
	if limit.none() {
		return nil
	}
	var wait time.Duration
	l.seen.with(named(class, id), func(b *bucket) { wait = b.take(at, limit) })
	return soon(wait)
}

// share takes room for one of many who share a bucket, or fails with code too_fast. Who was
// turned away has a ticket and need not stand at the end of the line again: it is let in at
// the moment that it was told, ahead of whoever comes for the first time.
func (l *limiter) share(class Class, id [16]byte, ticket uint64, now time.Time) error {
	limit, at := l.limit(class), now.Sub(l.began)
	var wait, due time.Duration
	l.seen.with(named(class, id), func(b *bucket) { wait = b.take(at, limit) })
	if wait == 0 {
		return nil
	}
	mine := whom{class: uint8(slices.Index(classes, class)) | aTicket, id: withTicket(id, ticket)}
	l.seen.with(mine, func(b *bucket) { due = b.promised })
	if due > at {
		return soon(due - at)
	}
	l.seen.with(named(class, id), func(b *bucket) {
		if due > 0 && b.borrow(at, limit, limit.whole()) == 0 {
			wait, due = 0, 0
			return
		}
		due = b.promise(at, wait, limit)
		wait = due - at
	})
	l.seen.with(mine, func(b *bucket) { b.promised = due })
	return soon(wait)
}

// aTicket marks the classes under which tickets are kept.
const aTicket = 0x80

// withTicket makes one id of an address's and a ticket's.
func withTicket(id [16]byte, ticket uint64) [16]byte {
	for i, b := range binary.LittleEndian.AppendUint64(nil, ticket) {
		id[i] ^= b
		id[15-i] ^= b
	}
	return id
}

func named(class Class, id [16]byte) whom {
	return whom{uint8(slices.Index(classes, class)), id}
}

// address asks for where a request comes from. Before anything else is done: a token's
// signature costs more to look at than this. It returns the address for failed.
func (l *limiter) address(c *fiber.Ctx, p pace, now time.Time) (netip.Addr, error) {
	if l.limit(p.address).none() {
		return netip.Addr{}, nil
	}
	from := household(l.proxies.client(c))
	if p.failure == 0 && l.proxies.has(from) {
		return from, nil // our own machine, or a proxy that doesn't say for whom it asks
	}
	// A ticket is whoever shows the same token from the same address: whether the token is
	// any good is looked at later.
	ticket := maphash.Bytes(l.seen.seed, c.Request().Header.Peek(fiber.HeaderAuthorization))
	return from, l.share(p.address, from.As16(), ticket, now)
}

// caller asks for the device or the session that a request is of.
func (l *limiter) caller(from *identity.Caller, p pace, now time.Time) error {
	if from.Device.ID.IsZero() {
		return l.ask(p.own, [16]byte(from.Session[:16]), now)
	}
	return l.ask(p.own, from.Device.ID, now)
}

// claimed asks for a device that hasn't proved yet that it is itself. Somebody else who
// names it must not use up its room, so what counts is the device at an address.
func (l *limiter) claimed(id syncproto.DeviceID, from netip.Addr, now time.Time) error {
	mixed := from.As16()
	for i := range mixed {
		mixed[i] ^= id[i]
	}
	return l.ask(LimitToken, mixed, now)
}

// failed charges an address for a wrong guess.
func (l *limiter) failed(err error, from netip.Addr, p pace, now time.Time) {
	var known *syncproto.Error
	limit := l.limit(p.address)
	if p.failure == 0 || limit.none() || !errors.As(err, &known) || !slices.Contains(guesses, known.Code) {
		return
	}
	l.seen.with(named(p.address, from.As16()), func(b *bucket) { b.charge(now.Sub(l.began), limit, p.failure) })
}
