package api

import (
	"encoding/json"
	"log/slog"
	"slices"
	"strconv"

	"gridsync/server/internal/desk"
	"gridsync/server/internal/privacy"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// Orders are what one author orders about questions.
type Orders struct {
	Author syncproto.AuthorID `json:"author"`
	Orders []desk.Order       `json:"orders"`
}

// Results stand in the order of the orders.
type Results struct {
	Results []desk.Result `json:"results"`
}

// Disclose implements privacy.Disclosed.
func (r Results) Disclose(l *privacy.Lens) {
	for i := range r.Results {
		if now := r.Results[i].Now; now != nil {
			now.Disclose(l)
		}
	}
}

// review is GET /v1/areas/{id}/review.
func (a *API) review(c *call) (any, error) {
	id, err := c.area()
	if err != nil {
		return nil, err
	}
	want := desk.Want{Kind: review.Kind(c.Query("kind"))}
	if want.Kind != "" && !slices.Contains(review.Kinds, want.Kind) {
		return nil, bad("kind", "a kind of question")
	}
	if text := c.Query("assignee"); text != "" {
		if want.Assignee, err = syncproto.ParseID[syncproto.AuthorID](text); err != nil {
			return nil, bad("assignee", "an author's id")
		}
	}
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	return a.Questions.Open(c.ctx, id, want, c.Query("after"), limit)
}

// question is GET /v1/review/{item}.
func (a *API) question(c *call) (any, error) {
	id, err := syncproto.ParseID[syncproto.RecordID](c.Params("item"))
	if err != nil {
		return nil, bad("item", "a question's id")
	}
	return a.Questions.Case(c.ctx, id, c.asking())
}

// decide is POST /v1/review.
func (a *API) decide(c *call) (any, error) {
	var in Orders
	if err := readBody(c.Ctx, func(body []byte) error { return decodeOrders(body, &in) }); err != nil {
		return nil, err
	}
	if err := c.speaksFor(in.Author); err != nil {
		return nil, err
	}
	results, err := a.Questions.Order(c.ctx, in.Author, in.Orders, c.asking())
	if results == nil {
		return nil, err
	}
	if err != nil { // the other orders were taken, and their author must hear of it
		reference := a.NewReference()
		a.Log.LogAttrs(c.ctx, slog.LevelError, "orders failed", slog.String("reference", reference), slog.String("error", err.Error()))
		for i := range results {
			if e := results[i].Error; e != nil && e.Code == syncproto.CodeInternal {
				results[i].Error = &syncproto.Error{Code: e.Code, Detail: "reference " + reference}
			}
		}
	}
	return Results{results}, nil
}

func decodeOrders(body []byte, into *Orders) error {
	if !json.Valid(body) {
		return &syncproto.Error{Code: syncproto.CodeMalformed, Detail: "not JSON"}
	}
	if err := json.Unmarshal(body, into); err != nil {
		return wrongType(err)
	}
	switch {
	case into.Author.IsZero():
		return bad("author", "missing")
	case len(into.Orders) == 0:
		return bad("orders", "missing")
	case len(into.Orders) > desk.MaxOrders:
		return &syncproto.Error{Code: syncproto.CodeTooManyChanges, Field: "orders"}
	}
	return nil
}

// revisits is GET /v1/areas/{id}/revisits.
func (a *API) revisits(c *call) (any, error) {
	id, err := c.area()
	if err != nil {
		return nil, err
	}
	day, err := c.day()
	if err != nil {
		return nil, err
	}
	size := 0
	if text := c.Query("size"); text != "" {
		if size, err = strconv.Atoi(text); err != nil || size < 1 || size > desk.MaxRevisits {
			return nil, bad("size", "1 to "+strconv.Itoa(desk.MaxRevisits))
		}
	}
	return a.Questions.Revisits(c.ctx, id, day, size)
}

// asking is the caller as services know it.
func (c *call) asking() desk.Caller {
	return desk.Caller{Authors: c.caller.Authors, Now: c.instant()}
}

// speaksFor holds an author against those who ask.
func (c *call) speaksFor(author syncproto.AuthorID) error {
	if !slices.Contains(c.caller.Authors, author) {
		return &syncproto.Error{Code: syncproto.CodeForbidden, Field: "author"}
	}
	return nil
}
