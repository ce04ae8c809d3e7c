package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"gridsync/server/internal/enrol"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// Posts are who may do what where. All fail with codes that enrol names.
type Posts interface {
	Give(ctx context.Context, by enrol.By, grant identity.Grant) (identity.Grant, error)
	End(ctx context.Context, by enrol.By, in enrol.Ending) ([]identity.Grant, error)
	People(ctx context.Context, by enrol.By, area syncproto.AreaID, after syncproto.AuthorID, limit int) (*enrol.People, error)
	HandOver(ctx context.Context, by enrol.By, in enrol.HandOver) (*enrol.HandedOver, error)
}

// Phones are the devices that people record on.
type Phones interface {
	Devices(ctx context.Context, by enrol.By, area syncproto.AreaID, after syncproto.DeviceID, limit int) (*enrol.Board, error)
	SetDevice(ctx context.Context, by enrol.By, id syncproto.DeviceID, in enrol.Restand) (enrol.BoardLine, error)
}

// GrantList is grants.
type GrantList struct {
	Grants []identity.Grant `json:"grants"`
}

// postRoutes are who may do what where, and on which phones.
func postRoutes() []route {
	return []route{
		{
			method: fiber.MethodPost, path: "/v1/grants", id: "grant", who: someone, right: identity.Enrol, within: readWithin,
			summary: "Give a person a role in an area, from now on if from is 0, open if to is absent.",
			body:    identity.Grant{}, answer: identity.Grant{}, codes: codesOfGiving, handle: (*API).grant,
		},
		{
			method: fiber.MethodPost, path: "/v1/grants/end", id: "endGrant", who: someone, right: identity.Enrol, within: readWithin,
			summary: "End now what a person does in an area; nothing that was recorded is lost.",
			body:    enrol.Ending{}, answer: GrantList{}, codes: codesOfGiving, handle: (*API).endGrant,
		},
		{
			method: fiber.MethodPost, path: "/v1/handover", id: "handOver", who: someone, right: identity.Enrol, within: readWithin,
			summary: "Pass what a person does in an area on to another; dry_run tells which of their phones still hold work.",
			body:    enrol.HandOver{}, answer: enrol.HandedOver{}, codes: codesOfGiving, handle: (*API).handOver,
		},
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/people", id: "people", who: someone, right: identity.Enrol, within: readWithin,
			summary: "Who has, had or will have anything to do in an area and below it, with grants and phones, page by page.",
			params:  []param{paramArea, paramAfter, paramLimit}, answer: enrol.People{}, codes: codesOfRead, handle: (*API).people,
		},
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/devices", id: "devices", who: someone, right: identity.Enrol, within: readWithin,
			summary: "The devices of an area and below it: standing, last contact, what they still hold by their own word, what waits.",
			params:  []param{paramArea, paramAfter, paramLimit}, answer: enrol.Board{}, codes: codesOfRead, handle: (*API).devices,
		},
		{
			method: fiber.MethodPost, path: "/v1/devices/{id}/status", id: "setDevice", who: someone, right: identity.Enrol, within: readWithin,
			summary: "Retire a device or report it lost, without its people, or take it back into use. What it still holds it may always deliver.",
			params:  []param{{"id", "path", "The device's id.", "string", ""}},
			body:    enrol.Restand{}, answer: enrol.BoardLine{}, codes: codesOfGiving, handle: (*API).setDevice,
		},
	}
}

// grant is POST /v1/grants.
func (a *API) grant(c *call) (any, error) {
	var in identity.Grant
	if err := c.read(&in); err != nil {
		return nil, err
	}
	return a.Letting.Posts.Give(c.ctx, c.by(), in)
}

// endGrant is POST /v1/grants/end.
func (a *API) endGrant(c *call) (any, error) {
	var in enrol.Ending
	if err := c.read(&in); err != nil {
		return nil, err
	}
	ended, err := a.Letting.Posts.End(c.ctx, c.by(), in)
	return GrantList{ended}, err
}

// handOver is POST /v1/handover.
func (a *API) handOver(c *call) (any, error) {
	var in enrol.HandOver
	if err := c.read(&in); err != nil {
		return nil, err
	}
	return a.Letting.Posts.HandOver(c.ctx, c.by(), in)
}

// people is GET /v1/areas/{id}/people.
func (a *API) people(c *call) (any, error) {
	id, limit, err := c.areaPage()
	if err != nil {
		return nil, err
	}
	after, err := placeAfter[syncproto.AuthorID](c)
	if err != nil {
		return nil, err
	}
	return a.Letting.Posts.People(c.ctx, c.by(), id, after, limit)
}

// devices is GET /v1/areas/{id}/devices.
func (a *API) devices(c *call) (any, error) {
	id, limit, err := c.areaPage()
	if err != nil {
		return nil, err
	}
	after, err := placeAfter[syncproto.DeviceID](c)
	if err != nil {
		return nil, err
	}
	return a.Letting.Phones.Devices(c.ctx, c.by(), id, after, limit)
}

// areaPage reads the path's area and the query's limit.
func (c *call) areaPage() (syncproto.AreaID, int, error) {
	id, err := c.area()
	if err != nil {
		return "", 0, err
	}
	limit, err := c.pageLimit()
	return id, limit, err
}

// placeAfter reads the query's after, which is an id; a zero one if it is absent.
func placeAfter[T ~[16]byte](c *call) (id T, err error) {
	text := c.Query("after")
	if text == "" {
		return id, nil
	}
	if id, err = syncproto.ParseID[T](text); err != nil {
		return id, bad("after", "the next of a page")
	}
	return id, nil
}

// setDevice is POST /v1/devices/{id}/status.
func (a *API) setDevice(c *call) (any, error) {
	id, err := syncproto.ParseID[syncproto.DeviceID](c.Params("id"))
	if err != nil {
		return nil, bad("id", "a device's id")
	}
	var in enrol.Restand
	if err := c.read(&in); err != nil {
		return nil, err
	}
	return a.Letting.Phones.SetDevice(c.ctx, c.by(), id, in)
}
