package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"gridsync/server/internal/identity"
	"gridsync/server/internal/proof"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
)

// Proofs opens totals to their rows. Codes not_found (area, measure), bad_request (after).
type Proofs interface {
	Rows(ctx context.Context, area syncproto.AreaID, measure string, days rollup.Days, after string, limit int) (*proof.Rows, error)
}

// rowRoutes open what was counted.
func rowRoutes() []route {
	return []route{
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/measures/{measure}/rows", id: "measureRows", who: someone, right: identity.Read, within: readWithin,
			summary: "The records behind a total, page by page, each with what it counts as: together with what was purged they come to the total.",
			params: []param{
				paramArea, {"measure", "path", "The measure's name.", "string", "fevers"}, paramDay, paramFrom, paramTo, paramAfter, paramLimit,
			},
			answer: proof.Rows{}, codes: codesOfRead, handle: (*API).measureRows,
		},
	}
}

// measureRows is GET /v1/areas/{id}/measures/{measure}/rows.
func (a *API) measureRows(c *call) (any, error) {
	id, err := c.area()
	if err != nil {
		return nil, err
	}
	days, err := c.days()
	if err != nil {
		return nil, err
	}
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	return a.Proofs.Rows(c.ctx, id, c.Params("measure"), days, c.Query("after"), limit)
}
