package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"gridsync/server/internal/dayclose"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Days shows how areas stand with their days, and takes what is done about them. Codes
// not_found (area), and those that dayclose names.
type Days interface {
	Look(ctx context.Context, area syncproto.AreaID, day form.Day, now syncproto.Instant) (*dayclose.Day, error)
	Sign(ctx context.Context, area syncproto.AreaID, day form.Day, o dayclose.Signing, now syncproto.Instant) (*dayclose.Day, error)
	Return(ctx context.Context, area syncproto.AreaID, day form.Day, o dayclose.Returning, now syncproto.Instant) (*dayclose.Day, error)
}

// SignDay is an order to sign a day.
type SignDay struct {
	// Author signs; whoever asks, if they are one person.
	Author syncproto.AuthorID `json:"author,omitzero"`
	// Seen is the day's, as it was shown.
	Seen dayclose.Seen `json:"seen"`
	Note string        `json:"note,omitempty"`
	// Zero says that nothing happened on the day: it must be said if so, and only then.
	Zero bool `json:"zero,omitempty"`
}

// ReturnDay is an order to send a day back.
type ReturnDay struct {
	Author syncproto.AuthorID `json:"author,omitzero"`
	// Record is that of the day's seen, as it was shown.
	Record syncproto.Version `json:"record"`
	Reason string            `json:"reason"`
}

var (
	paramDayPath = param{"day", "path", "The day.", "string", "2020-01-31"}
	codesOfDay   = append([]syncproto.Code{syncproto.CodeForbidden, syncproto.CodeNotFound, syncproto.CodeMovedOn}, codesOfBody...)
)

// dayRoutes are how days are closed.
func dayRoutes() []route {
	return []route{
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/days/{day}", id: "day", who: someone, right: identity.Totals, within: readWithin,
			summary: "How an area and those directly below it stand with a day: figures, who signed, what has restated it since, and by which records.",
			params:  []param{paramArea, paramDayPath}, answer: dayclose.Day{}, codes: codesOfRead, handle: (*API).dayState,
		},
		{
			method: fiber.MethodPost, path: "/v1/areas/{id}/days/{day}/sign", id: "signDay", who: someone, right: identity.Decide, within: syncWithin,
			summary: "Sign a day as it was shown. That nothing happened must be said.",
			params:  []param{paramArea, paramDayPath}, body: SignDay{}, answer: dayclose.Day{}, codes: codesOfDay, handle: (*API).signDay,
		},
		{
			method: fiber.MethodPost, path: "/v1/areas/{id}/days/{day}/return", id: "returnDay", who: someone, right: identity.Decide, within: syncWithin,
			summary: "Send a signed day back, with a reason; for those who decide in the area above.",
			params:  []param{paramArea, paramDayPath}, body: ReturnDay{}, answer: dayclose.Day{}, codes: codesOfDay, handle: (*API).returnDay,
		},
	}
}

// dayState is GET /v1/areas/{id}/days/{day}.
func (a *API) dayState(c *call) (any, error) {
	id, day, err := c.areaDay()
	if err != nil {
		return nil, err
	}
	return a.Days.Look(c.ctx, id, day, c.instant())
}

// signDay is POST /v1/areas/{id}/days/{day}/sign.
func (a *API) signDay(c *call) (any, error) {
	id, day, err := c.areaDay()
	if err != nil {
		return nil, err
	}
	var in SignDay
	if err := c.read(&in); err != nil {
		return nil, err
	}
	author, err := c.speaker(in.Author)
	if err != nil {
		return nil, err
	}
	return a.Days.Sign(c.ctx, id, day, dayclose.Signing{Author: author, Seen: in.Seen, Note: in.Note, Zero: in.Zero}, c.instant())
}

// returnDay is POST /v1/areas/{id}/days/{day}/return.
func (a *API) returnDay(c *call) (any, error) {
	id, day, err := c.areaDay()
	if err != nil {
		return nil, err
	}
	var in ReturnDay
	if err := c.read(&in); err != nil {
		return nil, err
	}
	author, err := c.speaker(in.Author)
	if err != nil {
		return nil, err
	}
	return a.Days.Return(c.ctx, id, day, dayclose.Returning{Author: author, Record: in.Record, Reason: in.Reason}, c.instant())
}

// areaDay reads the path's area and day.
func (c *call) areaDay() (syncproto.AreaID, form.Day, error) {
	id, err := c.area()
	if err != nil {
		return "", 0, err
	}
	day, ok := form.ParseDay(c.Params("day"))
	if !ok {
		return "", 0, bad("day", "a day, such as 2020-01-31")
	}
	return id, day, nil
}

// speaker is the author who is named, or whoever asks if that is one person.
func (c *call) speaker(named syncproto.AuthorID) (syncproto.AuthorID, error) {
	if named.IsZero() {
		if len(c.caller.Authors) != 1 {
			return named, bad("author", "must be given: several people record on this device")
		}
		return c.caller.Authors[0], nil
	}
	return named, c.speaksFor(named)
}
