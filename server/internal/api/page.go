package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/gofiber/fiber/v2"

	"gridsync/syncproto"
)

// mediaOf are the page's files. They are public: the page itself asks who is there before
// it shows anything.
var mediaOf = map[string]string{
	".html": fiber.MIMETextHTMLCharsetUTF8,
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
}

// pageFile is what the name of one of the page's files may be; nothing else is looked for.
var pageFile = regexp.MustCompile(`^[a-z]+(-[a-z]+)*\.(js|css)$`)

// showPage is GET /.
func (a *API) showPage(c *call) (any, error) { return a.file(c, "index.html") }

// showPageFile is GET /page/{file}.
func (a *API) showPageFile(c *call) (any, error) {
	name := c.Params("file")
	if !pageFile.MatchString(name) {
		return nil, &syncproto.Error{Code: syncproto.CodeNotFound}
	}
	return a.file(c, name)
}

// file answers with one of the page's files.
func (a *API) file(c *call, name string) (any, error) {
	if a.Page == nil {
		return nil, &syncproto.Error{Code: syncproto.CodeNotFound}
	}
	body, err := fs.ReadFile(a.Page, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &syncproto.Error{Code: syncproto.CodeNotFound}
	}
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	a.secureDocument(c.Ctx)
	return written{}, sendKept(c.Ctx, raw{mediaOf[path.Ext(name)], body})
}

// sendKept writes one of the page's files. A browser may keep it but asks each time whether
// it is still the same: modules of two releases are never mixed. Nothing else may be kept,
// as it speaks of people.
func sendKept(c *fiber.Ctx, file raw) error {
	tag := tagOf(file.body)
	if anyTag(c.Request().Header.Peek(fiber.HeaderIfNoneMatch), tag) {
		secure(c)
		c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
		c.Status(fiber.StatusNotModified)
	} else if err := sendRaw(c, file); err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-cache")
	c.Set(fiber.HeaderETag, tag)
	return nil
}

// tagOf names a file's content, weakly: it is the same compressed or not.
func tagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `W/"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
}

// anyTag reads an If-None-Match header (RFC 9110, 13.1.2), which compares weakly.
func anyTag(header []byte, tag string) bool {
	opaque := []byte(strings.TrimPrefix(tag, "W/"))
	for part := range bytes.SplitSeq(header, []byte(",")) {
		part = bytes.TrimPrefix(bytes.TrimSpace(part), []byte("W/"))
		if bytes.Equal(part, opaque) || string(part) == "*" {
			return true
		}
	}
	return false
}

// describe is GET /v1/openapi.json.
func (a *API) describe(*call) (any, error) {
	return raw{fiber.MIMEApplicationJSONCharsetUTF8, a.openapi}, nil
}
