package api

import (
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// totals is GET /v1/areas/{id}/summary.
func (a *API) totals(c *call) (any, error) {
	id, err := c.area()
	if err != nil {
		return nil, err
	}
	now := syncproto.Instant(c.now.UnixMilli())
	day := form.DayOf(now)
	if text := c.Query("day"); text != "" {
		var ok bool
		if day, ok = form.ParseDay(text); !ok {
			return nil, bad("day", "a day, such as 2020-01-31")
		}
	}
	return a.Summaries.Summary(c.ctx, id, day, now)
}
