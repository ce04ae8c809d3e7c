package api

// published is GET /v1/areas/{id}/published.
func (a *API) published(c *call) (any, error) {
	id, err := c.area()
	if err != nil {
		return nil, err
	}
	day, err := c.day()
	if err != nil {
		return nil, err
	}
	return a.Summaries.Published(c.ctx, id, day, a.Small)
}
