package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"gridsync/server/internal/fieldwork"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// FieldWork tells what is to be done and how far it has come. All of it fails with codes
// not_found (area, round, notice) and bad_request (after).
type FieldWork interface {
	RoundWork
	// Duties fails with code bad_request (kind) too.
	Duties(ctx context.Context, in syncproto.AreaID, day form.Day, now syncproto.Instant, kind fieldwork.DutyKind, after string, limit int) (*fieldwork.Duties, error)
	Notices(ctx context.Context, in syncproto.AreaID, readers []syncproto.AuthorID, now syncproto.Instant, after string, limit int) (*fieldwork.NoticePage, error)
	Receipts(ctx context.Context, notice syncproto.RecordID, in syncproto.AreaID, now syncproto.Instant, after string, limit int) (*fieldwork.Receipts, error)
	Supplies(ctx context.Context, in syncproto.AreaID, day form.Day, after string, limit int) (*fieldwork.Ledger, error)
}

// RoundWork tells how rounds stand.
type RoundWork interface {
	Rounds(ctx context.Context, in syncproto.AreaID) (*fieldwork.RoundList, error)
	Round(ctx context.Context, round syncproto.RecordID, in syncproto.AreaID, day form.Day) (*fieldwork.RoundStatus, error)
	Compare(ctx context.Context, a, b syncproto.RecordID, in syncproto.AreaID, day form.Day) (*fieldwork.RoundsCompared, error)
	Households(ctx context.Context, round syncproto.RecordID, in syncproto.AreaID, day form.Day, ways []fieldwork.Way, after string, limit int) (*fieldwork.HouseholdPage, error)
}

// fieldRoutes are about what is to be done.
func fieldRoutes() []route {
	paramRound := param{"round", "path", "The round's id.", "string", ""}
	return []route{
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/rounds", id: "rounds", who: someone, right: identity.Totals, within: readWithin,
			summary: "The rounds that concern an area, those set above and below it among them: the latest first.",
			params:  []param{paramArea},
			answer:  fieldwork.RoundList{}, codes: codesOfRead, handle: (*API).rounds,
		},
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/rounds/{round}", id: "round", who: someone, right: identity.Totals, within: readWithin,
			summary: "How far a round has come: met, not home, refused and never heard of, for an area and those directly below it.",
			params:  []param{paramArea, paramRound, paramDay},
			answer:  fieldwork.RoundStatus{}, codes: codesOfRead, handle: (*API).round,
		},
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/rounds/{round}/households", id: "roundHouseholds", who: someone, right: identity.Read, within: readWithin,
			summary: "The households that a round has not reached, or reached in some ways, grid by grid.",
			params: []param{
				paramArea, paramRound, paramDay,
				{"reached", "query", "never, not_home, refused, met or other, with commas between; never if absent.", "string", "never,not_home"},
				paramAfter, paramLimit,
			},
			answer: fieldwork.HouseholdPage{}, codes: codesOfRead, handle: (*API).roundHouseholds,
		},
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/rounds/{round}/turns/{other}", id: "roundTurns", who: someone, right: identity.Totals, within: readWithin,
			summary: "How households fared in two rounds: how many were met in the one and not in the other, and all else.",
			params:  []param{paramArea, paramRound, {"other", "path", "The later round's id.", "string", ""}, paramDay},
			answer:  fieldwork.RoundsCompared{}, codes: codesOfRead, handle: (*API).roundTurns,
		},
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/duties", id: "duties", who: someone, right: identity.Read, within: readWithin,
			summary: "What is to be done on a day: checks, releases, tasks, leads, notices to read, households to visit; how much, where, and page by page.",
			params: []param{
				paramArea, paramDay,
				{"kind", "query", "Only duties of this kind.", "string", "observation_check"},
				paramAfter, paramLimit,
			},
			answer: fieldwork.Duties{}, codes: codesOfRead, handle: (*API).duties,
		},
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/notices", id: "notices", who: someone, right: identity.Read, within: readWithin,
			summary: "What is said to an area, by itself or from above, the latest first, and whether the caller has read it.",
			params:  []param{paramArea, paramAfter, paramLimit},
			answer:  fieldwork.NoticePage{}, codes: codesOfRead, handle: (*API).notices,
		},
		{
			method: fiber.MethodGet, path: "/v1/notices/{notice}/receipts", id: "receipts", who: someone, right: identity.Read, within: readWithin,
			summary: "Who of those posted in an area has read a notice, and who has not.",
			params: []param{
				{"notice", "path", "The notice's id.", "string", ""},
				{"area", "query", "The area's code; may be absent if the caller sees one area and what is below it.", "string", "330702001"},
				paramAfter, paramLimit,
			},
			answer: fieldwork.Receipts{}, codes: codesOfRead, handle: (*API).receipts,
		},
		{
			method: fiber.MethodGet, path: "/v1/areas/{id}/supplies", id: "supplies", who: someone, right: identity.Read, within: readWithin,
			summary: "What an area and all below it have: what came, what went, what is left, and to whom it was issued.",
			params:  []param{paramArea, paramDay, paramAfter, paramLimit},
			answer:  fieldwork.Ledger{}, codes: codesOfRead, handle: (*API).supplies,
		},
	}
}

// rounds is GET /v1/areas/{id}/rounds.
func (a *API) rounds(c *call) (any, error) {
	in, err := c.area()
	if err != nil {
		return nil, err
	}
	return a.FieldWork.Rounds(c.ctx, in)
}

// recordNamed reads a record's id out of the path.
func (c *call) recordNamed(name string) (syncproto.RecordID, error) {
	id, err := syncproto.ParseID[syncproto.RecordID](c.Params(name))
	if err != nil {
		return id, bad(name, "a record's id")
	}
	return id, nil
}

// roundIn reads the path's area and round and the query's day.
func (c *call) roundIn() (in syncproto.AreaID, round syncproto.RecordID, day form.Day, err error) {
	if in, err = c.area(); err != nil {
		return in, round, 0, err
	}
	if round, err = c.recordNamed("round"); err != nil {
		return in, round, 0, err
	}
	day, err = c.day()
	return in, round, day, err
}

// round is GET /v1/areas/{id}/rounds/{round}.
func (a *API) round(c *call) (any, error) {
	in, round, day, err := c.roundIn()
	if err != nil {
		return nil, err
	}
	return a.FieldWork.Round(c.ctx, round, in, day)
}

// roundHouseholds is GET /v1/areas/{id}/rounds/{round}/households.
func (a *API) roundHouseholds(c *call) (any, error) {
	in, round, day, err := c.roundIn()
	if err != nil {
		return nil, err
	}
	ways, err := fieldwork.Ways(c.Query("reached"))
	if err != nil {
		return nil, err
	}
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	return a.FieldWork.Households(c.ctx, round, in, day, ways, c.Query("after"), limit)
}

// roundTurns is GET /v1/areas/{id}/rounds/{round}/turns/{other}.
func (a *API) roundTurns(c *call) (any, error) {
	in, round, day, err := c.roundIn()
	if err != nil {
		return nil, err
	}
	other, err := c.recordNamed("other")
	if err != nil {
		return nil, err
	}
	return a.FieldWork.Compare(c.ctx, round, other, in, day)
}

// duties is GET /v1/areas/{id}/duties.
func (a *API) duties(c *call) (any, error) {
	in, err := c.area()
	if err != nil {
		return nil, err
	}
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	day, err := c.day()
	if err != nil {
		return nil, err
	}
	return a.FieldWork.Duties(c.ctx, in, day, c.instant(), fieldwork.DutyKind(c.Query("kind")), c.Query("after"), limit)
}

// notices is GET /v1/areas/{id}/notices.
func (a *API) notices(c *call) (any, error) {
	in, err := c.area()
	if err != nil {
		return nil, err
	}
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	return a.FieldWork.Notices(c.ctx, in, c.caller.Authors, c.instant(), c.Query("after"), limit)
}

// receipts is GET /v1/notices/{notice}/receipts.
func (a *API) receipts(c *call) (any, error) {
	notice, err := c.recordNamed("notice")
	if err != nil {
		return nil, err
	}
	in, err := c.areaOrOnly()
	if err != nil {
		return nil, err
	}
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	return a.FieldWork.Receipts(c.ctx, notice, in, c.instant(), c.Query("after"), limit)
}

// supplies is GET /v1/areas/{id}/supplies.
func (a *API) supplies(c *call) (any, error) {
	in, err := c.area()
	if err != nil {
		return nil, err
	}
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	day, err := c.day()
	if err != nil {
		return nil, err
	}
	return a.FieldWork.Supplies(c.ctx, in, day, c.Query("after"), limit)
}
