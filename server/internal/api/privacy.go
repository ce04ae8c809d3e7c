package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/desk"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
)

// Audits are what was noted.
type Audits interface {
	AuditLines(ctx context.Context, want audit.Want, before int64, limit int) ([]audit.Line, int64, error)
	AuditOf(ctx context.Context, record syncproto.RecordID, before int64, limit int) ([]audit.Line, error)
}

// Whereabouts finds records. Code not_found where nothing was ever said.
type Whereabouts interface {
	Where(ctx context.Context, record syncproto.RecordID) (desk.Whereabouts, error)
}

// privacyRoutes are who looked at what, and what may be taken away or published.
func privacyRoutes() []route {
	return []route{
		{
			method: fiber.MethodGet, path: "/v1/audit", id: "audit", who: someone, right: identity.Audit, within: readWithin,
			summary: "Who looked at whom, took lists away, and let people in or out, the newest first. Records stand as ids.",
			params: []param{
				{"area", "query", "Only what was asked about this area and all below it.", "string", "330702001"},
				{"who", "query", "Only what this author did.", "string", ""},
				{"act", "query", "Only acts of this kind.", "string", "exported"},
				{"after", "query", "The next of the page before; absent for the first page.", "integer", ""},
				paramLimit,
			},
			answer: audit.Page{}, codes: codesOfRead, handle: (*API).audit,
		},
		{
			method: fiber.MethodGet, path: "/v1/records/{id}/seen", id: "seen", who: someone, right: identity.Audit, within: readWithin,
			summary: "Who saw a record, and on whose phones it is or was. For auditors, and for those who may decide in its area.",
			params: []param{
				{"id", "path", "The record's id.", "string", ""},
				{"after", "query", "The next of the page before; absent for the first page.", "integer", ""},
				paramLimit,
			},
			answer: audit.Seen{}, codes: codesOfRead, handle: (*API).seen,
		},
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/published", id: "published", who: someone, right: identity.Totals, within: readWithin,
			summary: "The totals of an area as they may be published: people who are few are not counted out.",
			params:  []param{paramArea, paramDay},
			answer:  rollup.Published{}, codes: codesOfRead, handle: (*API).published,
		},
	}
}
