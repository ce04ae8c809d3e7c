package api

import (
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/gofiber/fiber/v2"

	"gridsync/syncproto"
)

// mediaOf are the page's files. They are public: the page itself asks for a
// token before it shows anything.
var mediaOf = map[string]string{
	".html": fiber.MIMETextHTMLCharsetUTF8,
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
}

// file answers with one of the page's files.
func file(name string) func(*API, *call) (any, error) {
	return func(a *API, c *call) (any, error) {
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
}

// describe is GET /v1/openapi.json.
func (a *API) describe(*call) (any, error) {
	return raw{fiber.MIMEApplicationJSONCharsetUTF8, a.openapi}, nil
}
