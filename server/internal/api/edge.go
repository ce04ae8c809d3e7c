package api

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"gridsync/syncproto"
)

// edge stands before the framework, for what it would answer in words of its own, and for
// requests of which a proxy in front might read another end than we do: what follows such
// an end would be taken for the next caller's request.
func (a *API) edge(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(rc *fasthttp.RequestCtx) {
		err := readable(&rc.Request.Header)
		if err == nil {
			next(rc)
			return
		}
		c := a.app.AcquireCtx(rc)
		defer a.app.ReleaseCtx(c)
		_ = a.unrouted(c, err) // which has answered
		rc.SetConnectionClose()
	}
}

// room says how large a body may be, once its header is there and before anything of it is
// read: whole bodies are held in memory, and on a small machine thousands of connections
// with large ones, each a byte short of its end, would be all there is. So who hasn't shown
// a token that we signed, or the cookie of a session, sends no more than an ordinary batch.
// A token that has expired will do, as its phone must be told so, and not to send less; a
// cookie must come from our own page, as another site's could bring it along.
func (a *API) room(h *fasthttp.RequestHeader) (whole fasthttp.RequestConfig) {
	if n := h.ContentLength(); n >= 0 && n <= largeBody {
		return whole
	}
	if token, ok := bearer(h.Peek(fiber.HeaderAuthorization)); ok {
		_, err := a.Tokens.Verify(token)
		if err == nil || errors.Is(err, &syncproto.Error{Code: syncproto.CodeTokenExpired}) {
			return whole
		}
	} else if a.signedIn(h) {
		return whole
	}
	return fasthttp.RequestConfig{MaxRequestBodySize: largeBody}
}

// signedIn says whether somebody at a desk sends this: rosters come in by files.
func (a *API) signedIn(h *fasthttp.RequestHeader) bool {
	cookie := h.Cookie(SessionCookie)
	if len(cookie) == 0 || len(h.Peek(PageHeader)) == 0 || !fromHere(h) || a.gate.sessions == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), roomWithin)
	defer cancel()
	_, err := a.gate.sessions.Resume(ctx, string(cookie), syncproto.Instant(a.gate.now().UnixMilli()))
	return err == nil
}

// roomWithin bounds how long a header waits to be known.
const roomWithin = 5 * time.Second

func readable(h *fasthttp.RequestHeader) error {
	if !slices.Contains(fiber.DefaultMethods, string(h.Method())) {
		return &syncproto.Error{Code: syncproto.CodeMethod}
	}
	if lengths(h.RawHeaders()) > 1 {
		return bad("", "more than one length")
	}
	return nil
}

// lengths counts the headers that say where a body ends.
func lengths(headers []byte) (n int) {
	for line := range bytes.Lines(headers) {
		name, _, _ := bytes.Cut(line, []byte(":"))
		name = bytes.TrimSpace(name)
		if bytes.EqualFold(name, []byte(fiber.HeaderContentLength)) || bytes.EqualFold(name, []byte(fiber.HeaderTransferEncoding)) {
			n++
		}
	}
	return n
}
