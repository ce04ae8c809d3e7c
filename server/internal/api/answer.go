package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/klauspost/compress/gzip"

	"gridsync/syncproto"
)

// raw is an answer that is bytes already, not a value to be written as JSON.
type raw struct {
	media string
	body  []byte
}

// written is an answer that its handler has written itself.
type written struct{}

// Answers smaller than this aren't worth compressing: the header alone costs 20
// bytes, and a packet holds them anyway.
const compressFrom = 1 << 10

// gzipLevel was measured: level 5 of this library writes 235 MB/s, within a few
// percent of level 6's size.
const gzipLevel = 5

// keptBuffer is how large a buffer may be that goes back to the pool.
const keptBuffer = 2 << 20

var (
	buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	writers = sync.Pool{New: func() any {
		w, err := gzip.NewWriterLevel(nil, gzipLevel)
		if err != nil {
			panic(fmt.Sprintf("api: gzip level %d: %v", gzipLevel, err))
		}
		return w
	}}
)

func takeBuffer() *bytes.Buffer {
	b, _ := buffers.Get().(*bytes.Buffer)
	b.Reset()
	return b
}

func giveBuffer(b *bytes.Buffer) {
	if b.Cap() <= keptBuffer {
		buffers.Put(b)
	}
}

// send writes an answer: bytes as they are, anything else as JSON.
func send(c *fiber.Ctx, answer any) error {
	switch answer := answer.(type) {
	case written:
		return nil
	case raw:
		return sendRaw(c, answer)
	}
	return sendJSON(c, answer)
}

// sendJSON writes a value as JSON. Texts aren't escaped for HTML: a value leaves
// as the very bytes that its device wrote.
func sendJSON(c *fiber.Ctx, answer any) error {
	b := takeBuffer()
	defer giveBuffer(b)
	if err := write(b, answer); err != nil {
		return fmt.Errorf("write an answer: %w", err)
	}
	return sendRaw(c, raw{fiber.MIMEApplicationJSONCharsetUTF8, b.Bytes()})
}

// write appends a value as JSON: a sync's answer in its own way, anything else as
// encoding/json does.
func write(b *bytes.Buffer, answer any) error {
	if a, is := answer.(*syncproto.Answer); is {
		return a.Write(b)
	}
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(answer); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // the encoder's line end
	return nil
}

// sendRaw writes bytes, compressed where it pays and the client can.
func sendRaw(c *fiber.Ctx, answer raw) error {
	secure(c)
	c.Set(fiber.HeaderContentType, answer.media)
	if len(answer.body) < compressFrom {
		c.Response().SetBody(answer.body)
		return nil
	}
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	if !acceptsGzip(c.Request().Header.Peek(fiber.HeaderAcceptEncoding)) {
		c.Response().SetBody(answer.body)
		return nil
	}
	b := takeBuffer()
	defer giveBuffer(b)
	if err := squeeze(b, answer.body); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentEncoding, "gzip")
	c.Response().SetBody(b.Bytes())
	return nil
}

func squeeze(into *bytes.Buffer, body []byte) error {
	w, _ := writers.Get().(*gzip.Writer)
	defer writers.Put(w)
	w.Reset(into)
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("compress an answer: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("compress an answer: %w", err)
	}
	return nil
}

// acceptsGzip reads an Accept-Encoding header (RFC 9110, 12.5.3).
func acceptsGzip(header []byte) bool {
	others := false
	for _, part := range strings.Split(string(header), ",") {
		name, weight, _ := strings.Cut(part, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name != "gzip" && name != "*" {
			continue
		}
		wanted := positive(weight)
		if name == "gzip" {
			return wanted
		}
		others = wanted
	}
	return others
}

// positive says whether a weight such as "q=0.5" isn't zero; none means 1.
func positive(weight string) bool {
	weight = strings.TrimSpace(weight)
	if weight == "" {
		return true
	}
	q, err := strconv.ParseFloat(strings.TrimPrefix(strings.ToLower(weight), "q="), 64)
	return err == nil && q > 0
}

// secure sets the headers that hold for every answer: nothing is kept by caches,
// and nothing is guessed.
func secure(c *fiber.Ctx) {
	h := &c.Response().Header
	h.Set(fiber.HeaderCacheControl, "no-store")
	h.Set(fiber.HeaderXContentTypeOptions, "nosniff")
}

// secureDocument adds what only a browser's page needs: it runs its own script
// and no other, nobody frames or opens it to reach into it, and it asks the machine
// for nothing. Phones pay for every byte of a header, so the other answers do without.
func (a *API) secureDocument(c *fiber.Ctx) {
	h := &c.Response().Header
	h.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	h.Set(fiber.HeaderXFrameOptions, "DENY")
	h.Set(fiber.HeaderContentSecurityPolicy, contentPolicy)
	h.Set(fiber.HeaderPermissionsPolicy, permissionsPolicy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if a.encrypted(c) {
		h.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
}

// encrypted says whether a request came to one of our proxies over TLS, which the server
// itself doesn't speak. Nobody else is believed: who is told so once can't come over plain
// HTTP for a year.
func (a *API) encrypted(c *fiber.Ctx) bool {
	from, _ := netip.AddrFromSlice(c.Context().RemoteIP())
	return a.limiter.proxies.has(from.Unmap()) && c.Get(fiber.HeaderXForwardedProto) == "https"
}

const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// permissionsPolicy names what a page could ask of its machine, and allows none of it.
const permissionsPolicy = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), display-capture=()"
