package api

import "gridsync/syncproto"

// roster is GET /v1/areas/{id}/roster.
func (a *API) roster(c *call) (any, error) {
	id, err := c.area()
	if err != nil {
		return nil, err
	}
	kind := syncproto.Kind(c.Query("kind"))
	if kind != "" && kind.Check() != nil {
		return nil, bad("kind", "a kind's name")
	}
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	return a.Rosters.List(c.ctx, id, kind, c.Query("after"), limit)
}
