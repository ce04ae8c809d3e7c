package api

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"

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
	return raw{mediaOf[path.Ext(name)], body}, nil
}

// describe is GET /v1/openapi.json.
func (a *API) describe(*call) (any, error) {
	return raw{fiber.MIMEApplicationJSONCharsetUTF8, a.openapi}, nil
}
