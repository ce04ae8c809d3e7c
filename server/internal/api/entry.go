package api

import (
	"encoding/json"
	"errors"

	"github.com/gofiber/fiber/v2"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// Entries are what somebody enters at a desk: a notice, a round, a task, a lead.
type Entries struct {
	Author syncproto.AuthorID `json:"author"`
	// Steps are taken together or not at all, at most 200.
	Steps []EntryStep `json:"steps"`
}

// EntryStep is one statement about one record.
type EntryStep struct {
	Record syncproto.RecordID `json:"record"`
	Kind   syncproto.Kind     `json:"kind"`
	Area   syncproto.AreaID   `json:"area"`
	// Base is the version that the author was looking at, 0 for a new record.
	Base   syncproto.Version `json:"base"`
	Fields syncproto.Fields  `json:"fields"`
}

// EntryResult is what became of an entry: Outcomes in the order of its steps, or the
// first step that can't be taken, counted from 0, and why. Nothing was taken then.
type EntryResult struct {
	Version  syncproto.Version   `json:"version,omitempty"`
	Outcomes []syncproto.Outcome `json:"outcomes,omitempty"`
	Step     *int                `json:"step,omitempty"`
	Error    *syncproto.Error    `json:"error,omitempty"`
}

// maxEntrySteps bounds one request.
const maxEntrySteps = 200

// entryRoutes are about what is entered at a desk.
func entryRoutes() []route {
	return []route{{
		method: fiber.MethodPost, path: "/v1/entries", id: "enter", who: someone, right: identity.Write, within: syncWithin,
		summary: "Enter records at a desk; they merge like those of any phone. All of it is taken, or nothing.",
		body:    Entries{}, answer: EntryResult{}, codes: codesOfOrders, handle: (*API).enter,
	}}
}

// enter is POST /v1/entries.
func (a *API) enter(c *call) (any, error) {
	var in Entries
	if err := readBody(c.Ctx, func(body []byte) error { return decodeEntries(body, &in) }); err != nil {
		return nil, err
	}
	if err := c.speaksFor(in.Author); err != nil {
		return nil, err
	}
	entry := exchange.Entry{Author: in.Author}
	for _, s := range in.Steps {
		entry.Steps = append(entry.Steps, exchange.Step{Record: s.Record, Kind: s.Kind, Area: s.Area, Base: s.Base, Fields: s.Fields})
	}
	done, err := a.Exchange.Enter(c.ctx, entry)
	var misstep *exchange.Misstep
	if errors.As(err, &misstep) {
		return EntryResult{Step: &misstep.Step, Error: misstep.Why}, nil
	}
	if err != nil {
		return nil, err
	}
	return EntryResult{Version: done.Version, Outcomes: done.Outcomes}, nil
}

func decodeEntries(body []byte, into *Entries) error {
	if !json.Valid(body) {
		return &syncproto.Error{Code: syncproto.CodeMalformed, Detail: "not JSON"}
	}
	if err := json.Unmarshal(body, into); err != nil {
		return wrongType(err)
	}
	switch {
	case into.Author.IsZero():
		return bad("author", "missing")
	case len(into.Steps) == 0:
		return bad("steps", "missing")
	case len(into.Steps) > maxEntrySteps:
		return &syncproto.Error{Code: syncproto.CodeTooManyChanges, Field: "steps"}
	}
	for i := range into.Steps {
		s := &into.Steps[i]
		switch {
		case s.Record.IsZero():
			return bad("record", "missing")
		case s.Kind.Check() != nil:
			return bad("kind", "a kind of record")
		case s.Area.Check() != nil:
			return bad("area", "an area's code")
		case s.Base < 0 || s.Base > syncproto.MaxN:
			return bad("base", "a version")
		case len(s.Fields) == 0:
			return bad("fields", "missing")
		}
	}
	return nil
}
