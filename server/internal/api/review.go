package api

import "gridsync/server/internal/desk"

// review is GET /v1/areas/{id}/review.
func (a *API) review(c *call) (any, error) {
	id, err := c.area()
	if err != nil {
		return nil, err
	}
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	return a.Questions.Open(c.ctx, id, desk.Want{}, c.Query("after"), limit)
}
