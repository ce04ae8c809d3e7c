package api

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"gridsync/server/internal/identity"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// totalRoutes are about what was counted.
func totalRoutes() []route {
	return []route{
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/series", id: "series", who: someone, right: identity.Totals, within: readWithin,
			summary: "How measures of an area went, day by day.",
			params: []param{
				paramArea, paramFrom, paramTo,
				{"measure", "query", "Names of measures, with commas between them; all if absent.", "string", "temperatures,fevers"},
				{"children", "query", "Also the areas directly below.", "boolean", "true"},
			},
			answer: rollup.Series{}, codes: codesOfRead, handle: (*API).series,
		},
	}
}

// totals is GET /v1/areas/{id}/summary.
func (a *API) totals(c *call) (any, error) {
	id, err := c.area()
	if err != nil {
		return nil, err
	}
	days, err := c.days()
	if err != nil {
		return nil, err
	}
	return a.Summaries.Summary(c.ctx, id, days, c.instant())
}

// series is GET /v1/areas/{id}/series.
func (a *API) series(c *call) (any, error) {
	id, err := c.area()
	if err != nil {
		return nil, err
	}
	days, err := c.days()
	if err != nil {
		return nil, err
	}
	var measures []string
	if text := c.Query("measure"); text != "" {
		measures = strings.Split(text, ",")
	}
	return a.Summaries.Series(c.ctx, id, measures, days, c.QueryBool("children"))
}

// day reads the query's day; today if it is absent.
func (c *call) day() (form.Day, error) { return c.dayNamed("day") }

func (c *call) dayNamed(name string) (form.Day, error) {
	text := c.Query(name)
	if text == "" {
		return form.DayOf(syncproto.Instant(c.now.UnixMilli())), nil
	}
	day, ok := form.ParseDay(text)
	if !ok {
		return 0, bad(name, "a day, such as 2020-01-31")
	}
	return day, nil
}

// days reads which days the query asks about: one, or several.
func (c *call) days() (rollup.Days, error) {
	if c.Query("from") == "" {
		day, err := c.day()
		return rollup.On(day), err
	}
	from, err := c.dayNamed("from")
	if err != nil {
		return rollup.Days{}, err
	}
	to, err := c.dayNamed("to")
	if err != nil {
		return rollup.Days{}, err
	}
	if to < from {
		return rollup.Days{}, bad("to", "a day that is not before from")
	}
	return rollup.Days{From: from, To: to}, nil
}
