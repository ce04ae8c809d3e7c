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
	day, err := c.day()
	if err != nil {
		return nil, err
	}
	return a.Summaries.Summary(c.ctx, id, day, syncproto.Instant(c.now.UnixMilli()))
}

// day reads the query's day; today if it is absent.
func (c *call) day() (form.Day, error) {
	text := c.Query("day")
	if text == "" {
		return form.DayOf(syncproto.Instant(c.now.UnixMilli())), nil
	}
	day, ok := form.ParseDay(text)
	if !ok {
		return 0, bad("day", "a day, such as 2020-01-31")
	}
	return day, nil
}
