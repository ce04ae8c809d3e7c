package api

import (
	"context"
	"strconv"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"gridsync/server/internal/hook"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// Hooks are who is told at once of what happens. Codes not_found (area, hook), and those
// that hook names.
type Hooks interface {
	List(ctx context.Context, area syncproto.AreaID) ([]hook.Hook, error)
	Add(ctx context.Context, area syncproto.AreaID, w hook.Wish, by syncproto.AuthorID, now syncproto.Instant) (*hook.New, error)
	End(ctx context.Context, area syncproto.AreaID, id uuid.UUID, now syncproto.Instant) (*hook.Hook, error)
	Parcels
}

// Parcels are what was and is to be sent.
type Parcels interface {
	Deliveries(ctx context.Context, area syncproto.AreaID, id uuid.UUID, state hook.State, before int64, limit int) ([]hook.Sent, error)
	Retry(ctx context.Context, area syncproto.AreaID, id uuid.UUID, seq int64, now syncproto.Instant) (int, error)
}

// HookList is an area's hooks and those of all below it.
type HookList struct {
	Hooks []hook.Hook `json:"hooks"`
}

// DeliveryList is a page of what was and is to be sent, the newest first.
type DeliveryList struct {
	Deliveries []hook.Sent `json:"deliveries"`
	// Next is what to give as before for the next page; 0 at the end.
	Next int64 `json:"next,omitempty"`
}

// RetryDeliveries names what is to go out again.
type RetryDeliveries struct {
	// Seq is one delivery's; all that were given up if it is 0.
	Seq int64 `json:"seq,omitempty"`
}

// Retried says how many go out again.
type Retried struct {
	Deliveries int `json:"deliveries"`
}

var (
	paramHook    = param{"hook", "path", "The hook's id.", "string", ""}
	codesOfHooks = append([]syncproto.Code{syncproto.CodeForbidden, syncproto.CodeNotFound}, codesOfBody...)
)

// hookRoutes are how other systems are told.
func hookRoutes() []route {
	return []route{
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/hooks", id: "hooks", who: someone, right: identity.Configure, within: readWithin,
			summary: "The other systems that are told at once of what happens in an area or below it.",
			params:  []param{paramArea}, answer: HookList{}, codes: codesOfRead, handle: (*API).hookList,
		},
		{
			method: fiber.MethodPost, path: "/v1/areas/{id}/hooks", id: "addHook", who: someone, right: identity.Configure, within: readWithin,
			summary: "Have another system told of fevers, days signed and disputes settled from now on; the secret is shown this once.",
			params:  []param{paramArea}, body: hook.Wish{}, answer: hook.New{}, codes: codesOfHooks, handle: (*API).addHook,
		},
		{
			method: fiber.MethodDelete, path: "/v1/areas/{id}/hooks/{hook}", id: "endHook", who: someone, right: identity.Configure, within: readWithin,
			summary: "Tell it nothing more.",
			params:  []param{paramArea, paramHook}, answer: hook.Hook{}, codes: codesOfRead, handle: (*API).endHook,
		},
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/hooks/{hook}/deliveries", id: "deliveries", who: someone, right: identity.Configure, within: readWithin,
			summary: "What was sent, waits, or was given up, the newest first.",
			params: []param{
				paramArea, paramHook,
				{"state", "query", "Only those that are waiting, delivered or given_up.", "string", "given_up"},
				{"before", "query", "The next of the page before; absent for the first page.", "integer", ""},
				paramLimit,
			},
			answer: DeliveryList{}, codes: codesOfRead, handle: (*API).deliveries,
		},
		{
			method: fiber.MethodPost, path: "/v1/areas/{id}/hooks/{hook}/retry", id: "retryDeliveries", who: someone, right: identity.Configure, within: readWithin,
			summary: "Have what was given up sent again.",
			params:  []param{paramArea, paramHook}, body: RetryDeliveries{}, answer: Retried{}, codes: codesOfHooks, handle: (*API).retryDeliveries,
		},
	}
}

// hooks is GET /v1/areas/{id}/hooks.
func (a *API) hookList(c *call) (any, error) {
	id, err := c.area()
	if err != nil {
		return nil, err
	}
	found, err := a.Hooks.List(c.ctx, id)
	if found == nil {
		found = []hook.Hook{}
	}
	return HookList{found}, err
}

// addHook is POST /v1/areas/{id}/hooks.
func (a *API) addHook(c *call) (any, error) {
	id, err := c.area()
	if err != nil {
		return nil, err
	}
	var in hook.Wish
	if err := c.read(&in); err != nil {
		return nil, err
	}
	by, err := c.speaker(syncproto.AuthorID{})
	if err != nil {
		return nil, err
	}
	return a.Hooks.Add(c.ctx, id, in, by, c.instant())
}

// areaHook reads the path's area and hook.
func (c *call) areaHook() (syncproto.AreaID, uuid.UUID, error) {
	id, err := c.area()
	if err != nil {
		return "", uuid.UUID{}, err
	}
	named, err := uuid.Parse(c.Params("hook"))
	if err != nil {
		return "", named, bad("hook", "a hook's id")
	}
	return id, named, nil
}

// endHook is DELETE /v1/areas/{id}/hooks/{hook}.
func (a *API) endHook(c *call) (any, error) {
	id, named, err := c.areaHook()
	if err != nil {
		return nil, err
	}
	return a.Hooks.End(c.ctx, id, named, c.instant())
}

// deliveries is GET /v1/areas/{id}/hooks/{hook}/deliveries.
func (a *API) deliveries(c *call) (any, error) {
	id, named, err := c.areaHook()
	if err != nil {
		return nil, err
	}
	limit, err := c.pageLimit()
	if err != nil {
		return nil, err
	}
	before := int64(0)
	if text := c.Query("before"); text != "" {
		if before, err = strconv.ParseInt(text, 10, 64); err != nil || before < 1 {
			return nil, bad("before", "the next of a page")
		}
	}
	sent, err := a.Hooks.Deliveries(c.ctx, id, named, hook.State(c.Query("state")), before, limit)
	if err != nil {
		return nil, err
	}
	list := DeliveryList{Deliveries: sent}
	if len(sent) == limit {
		list.Next = sent[limit-1].Seq
	}
	return list, nil
}

// retryDeliveries is POST /v1/areas/{id}/hooks/{hook}/retry.
func (a *API) retryDeliveries(c *call) (any, error) {
	id, named, err := c.areaHook()
	if err != nil {
		return nil, err
	}
	var in RetryDeliveries
	if err := c.read(&in); err != nil {
		return nil, err
	}
	n, err := a.Hooks.Retry(c.ctx, id, named, in.Seq, c.instant())
	return Retried{n}, err
}
