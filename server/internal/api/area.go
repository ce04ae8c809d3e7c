package api

import (
	"net/url"
	"strconv"

	"gridsync/server/internal/roster"
	"gridsync/syncproto"
)

// AreaList is the areas that a caller may see.
type AreaList struct {
	Areas []syncproto.Area `json:"areas"`
}

// areas is GET /v1/areas. The topmost areas of the scope have no parent, as the
// caller can't see it.
func (a *API) areas(c *call) (any, error) {
	list := AreaList{Areas: []syncproto.Area{}}
	for _, root := range c.reach() {
		for i, n := range c.snap.Areas.Subtree(root) {
			seen := syncproto.Area{ID: n.ID, Name: n.Name, Parent: n.Parent}
			if i == 0 {
				seen.Parent = ""
			}
			list.Areas = append(list.Areas, seen)
		}
	}
	return list, nil
}

// area reads the path's area and holds it against the caller's scope.
func (c *call) area() (syncproto.AreaID, error) {
	text, err := url.PathUnescape(c.Params("id"))
	if err != nil {
		return "", bad("area", "escaped wrongly")
	}
	return c.scoped(text)
}

func (c *call) scoped(text string) (syncproto.AreaID, error) {
	id := syncproto.AreaID(text)
	if err := id.Check(); err != nil {
		return "", bad("area", "letters, digits, '.', '-' and '_' only")
	}
	c.asked = id
	return id, c.allowed(id)
}

// limit reads the query's limit; 0 if it is absent.
func (c *call) limit() (int, error) {
	text := c.Query("limit")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > roster.MaxRows {
		return 0, bad("limit", "1 to "+strconv.Itoa(roster.MaxRows))
	}
	return n, nil
}

func bad(field, detail string) error {
	return &syncproto.Error{Code: syncproto.CodeBadRequest, Field: field, Detail: detail}
}
