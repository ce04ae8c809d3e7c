package api

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// gate says who is asking and what they may see.
type gate struct {
	tokens   Tokens
	sessions Sessions
	registry Registry
	now      func() time.Time
	// looked is when a token of an unknown device last made the registry look for
	// newer devices, in nanoseconds.
	looked atomic.Int64
}

// lookAgain is how often unknown devices may make the registry look.
const lookAgain = 100 * time.Millisecond

// admit finds out who asks. It fails with no_token, bad_token, token_expired,
// device_revoked, or cross_site.
func (g *gate) admit(ctx context.Context, c *fiber.Ctx, who caller) (identity.Caller, error) {
	token, ok := bearer(c.Request().Header.Peek(fiber.HeaderAuthorization))
	if !ok && who != delivering && g.sessions != nil {
		return g.resume(ctx, c)
	}
	if !ok || who == atDesk {
		return identity.Caller{}, &syncproto.Error{Code: syncproto.CodeNoToken}
	}
	device, err := g.device(ctx, token)
	if err != nil {
		return identity.Caller{}, err
	}
	if device.Status != identity.InUse && who != delivering {
		return identity.Caller{}, &syncproto.Error{Code: syncproto.CodeDeviceRevoked}
	}
	return identity.Caller{Device: device, Authors: device.Authors}, nil
}

// resume finds the person whose cookie came with a request. What would change something
// must have been asked for by our own page: another site's page can make a browser send
// the cookie, but not the header.
func (g *gate) resume(ctx context.Context, c *fiber.Ctx) (identity.Caller, error) {
	cookie := c.Cookies(SessionCookie)
	if cookie == "" {
		return identity.Caller{}, &syncproto.Error{Code: syncproto.CodeNoToken}
	}
	if err := sameSite(c); err != nil {
		return identity.Caller{}, err
	}
	return g.sessions.Resume(ctx, cookie, syncproto.Instant(g.now().UnixMilli()))
}

// SessionCookie and PageHeader are what our page sends: the cookie by itself, the header
// on purpose.
const (
	SessionCookie = "gridsync"
	PageHeader    = "X-Gridsync-Page"
)

// sameSite fails with code cross_site for a request that would change something and
// can't have come from our page.
func sameSite(c *fiber.Ctx) error {
	h := &c.Request().Header
	if c.Method() == fiber.MethodGet || len(h.Peek(PageHeader)) > 0 && fromHere(h) {
		return nil
	}
	return &syncproto.Error{Code: syncproto.CodeCrossSite}
}

// fromHere holds against a request what its browser says of where it comes from. Older
// browsers say nothing at all, or only the origin, which must be where they think we are.
func fromHere(h *fasthttp.RequestHeader) bool {
	if site := h.Peek("Sec-Fetch-Site"); len(site) > 0 {
		return string(site) == "same-origin"
	}
	origin := h.Peek(fiber.HeaderOrigin)
	if len(origin) == 0 {
		return true
	}
	_, host, ok := strings.Cut(string(origin), "://")
	return ok && strings.EqualFold(host, string(h.Host()))
}

// device finds the device that a token speaks for.
func (g *gate) device(ctx context.Context, token []byte) (identity.Device, error) {
	b, err := g.tokens.Verify(token)
	if err != nil {
		return identity.Device{}, err
	}
	device, known := g.registry.Current().People.Device(b.Device)
	if !known {
		if err := g.look(ctx); err != nil {
			return identity.Device{}, err
		}
		device, known = g.registry.Current().People.Device(b.Device)
	}
	if !known {
		return identity.Device{}, &syncproto.Error{Code: syncproto.CodeBadToken, Detail: "the device is not known"}
	}
	return device, nil
}

// look refreshes the registry: a device that was added a moment ago by another
// process must not be turned away.
func (g *gate) look(ctx context.Context) error {
	now, last := g.now().UnixNano(), g.looked.Load()
	if last != 0 && now-last < int64(lookAgain) && now >= last {
		return nil
	}
	if !g.looked.CompareAndSwap(last, now) {
		return nil
	}
	if _, err := g.registry.Refresh(ctx); err != nil {
		return fmt.Errorf("look for a device: %w", err)
	}
	return nil
}

func bearer(header []byte) ([]byte, bool) {
	const scheme = "bearer "
	if len(header) <= len(scheme) || !bytes.EqualFold(header[:len(scheme)], []byte(scheme)) {
		return nil, false
	}
	token := bytes.TrimSpace(header[len(scheme):])
	return token, len(token) > 0
}

// reach returns the areas in which the caller has the right that the route needs.
func (c *call) reach() []syncproto.AreaID {
	return c.snap.People.Reach(c.snap.Areas, c.caller.Authors, c.right, c.instant())
}

// allowed says whether the caller has the route's right in an area. If not it fails with
// forbidden whether or not there is such an area, so that codes can't be guessed.
func (c *call) allowed(id syncproto.AreaID) error {
	for _, root := range c.reach() {
		if c.snap.Areas.Within(id, root) {
			return nil
		}
	}
	return &syncproto.Error{Code: syncproto.CodeForbidden, Field: "area"}
}
