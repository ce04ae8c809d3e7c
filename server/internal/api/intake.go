package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/intake"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/watch"
)

// Imports brings files in. Codes as intake.Service.
type Imports interface {
	Plan(ctx context.Context, o intake.Order) (*intake.Plan, error)
	Apply(ctx context.Context, o intake.Order, token string, leaveOut bool) (*intake.Plan, error)
	PlanList(ctx context.Context, o intake.ListOrder) (*intake.Plan, error)
	ApplyList(ctx context.Context, o intake.ListOrder, token string, leaveOut bool) (*intake.Plan, error)
}

// ListsDown tells what came of lists. Codes not_found (list), bad_request (after).
type ListsDown interface {
	Lists(ctx context.Context, areas []syncproto.AreaID, today form.Day) (*intake.Lists, error)
	List(ctx context.Context, id syncproto.RecordID, areas []syncproto.AreaID, today form.Day) (*intake.ListState, error)
	Rows(ctx context.Context, id syncproto.RecordID, areas []syncproto.AreaID, after string, limit int) (*intake.ListRows, error)
	Watch(ctx context.Context, areas []syncproto.AreaID, now syncproto.Instant) (*watch.Lists, error)
}

// importWithin bounds the work on a file: all of it becomes one transaction.
const importWithin = 120 * time.Second

// importing bounds how many files are read at a time: each is held whole.
var importing = make(chan struct{}, 1)

var (
	codesOfImport = []syncproto.Code{
		syncproto.CodeBadRequest, syncproto.CodeBodyTooLarge, syncproto.CodeBadEncoding, syncproto.CodeMalformed, syncproto.CodeBadFile,
		syncproto.CodeForbidden, syncproto.CodeNotFound, syncproto.CodeMovedOn, syncproto.CodeTooManyChanges, syncproto.CodeBusy,
	}
	paramsOfFile = []param{
		{"file", "query", "The file's name; what it is is seen from its bytes.", "string", "名单.xlsx"},
		{"sheet", "query", "Which of several sheets; the first with anything in it if absent.", "string", ""},
		{"map", "query", "A JSON object: which field a column holds, by its heading, where it isn't seen from that; \"\" for none.", "string", `{"本人电话":"mobile"}`},
		{"token", "query", "The plan's token: what it said is done, or nothing. Absent for a plan alone, which does nothing.", "string", ""},
		{"leave_out", "query", "With a token: leave out the rows that can't be entered. Otherwise they stand in the way.", "boolean", ""},
		{"author", "query", "On whose behalf; may be absent where the caller is one person.", "string", ""},
		{"status", "query", "Only lines with this status: new, same, differs, bad or unsure.", "string", ""},
		{"after", "query", "The next of the page before; absent for the first page.", "integer", ""},
		{"limit", "query", "Lines of a page, 1 to 500; 500 if absent.", "integer", ""},
	}
	paramList = param{"list", "path", "The id of a version of the list.", "string", ""}
)

// intakeRoutes are about what comes in by files, and about the lists that come down.
func intakeRoutes() []route {
	return []route{
		{
			method: fiber.MethodPost, path: "/v1/areas/{id}/import", id: "import", who: someone, right: identity.Import, within: importWithin,
			summary: "Bring areas, households or people in by a file (.xlsx or CSV), whose bytes are the body: first what it would do, row by row; then, with the token of that, exactly that.",
			params:  append([]param{paramArea, {"kind", "query", "area, household or person; must be given.", "string", "person"}}, paramsOfFile...),
			answer:  intake.Plan{}, codes: codesOfImport, handle: (*API).importFile,
		},
		{
			method: fiber.MethodPost, path: "/v1/areas/{id}/lists", id: "sendList", who: someone, right: identity.Import, within: importWithin,
			summary: "Send a list of people down to the grids (.xlsx or CSV), whose bytes are the body: each row becomes a task where somebody can find out. A plan first, as for an import.",
			params: append([]param{
				paramArea,
				{"name", "query", "The list's name; must be given.", "string", "1月31日返乡人员"},
				{"family", "query", "The first version's id, for a new version: rows that are gone withdraw their tasks.", "string", ""},
				{"purpose", "query", "A choice of the form list; other if absent.", "string", "expected_returnees"},
				{"what", "query", "What to do, a choice of the form task; check_person if absent.", "string", "check_person"},
				{"source", "query", "Where the list comes from.", "string", ""},
				{"note", "query", "What to do with whoever is on it, for the posts.", "string", ""},
				{"deadline", "query", "The last day.", "string", "2020-02-03"},
			}, paramsOfFile...),
			answer: intake.Plan{}, codes: codesOfImport, handle: (*API).sendList,
		},
		{
			method: fiber.MethodGet, path: "/v1/lists", id: "lists", who: someone, right: identity.Read, within: readWithin,
			summary: "The lists that came down to the caller's areas, in their newest versions, and how far each is.",
			params:  []param{paramDay}, answer: intake.Lists{}, codes: codesOfRead, handle: (*API).lists,
		},
		{
			method: fiber.MethodGet, path: "/v1/lists/{list}", id: "list", who: someone, right: identity.Read, within: readWithin,
			summary: "A version of a list: how many rows came back with which result, overdue, unrouted, and the same for each area below.",
			params:  []param{paramList, paramDay}, answer: intake.ListState{}, codes: codesOfRead, handle: (*API).list,
		},
		{
			method: fiber.MethodGet, path: "/v1/lists/{list}/rows", id: "listRows", who: someone, right: identity.Read, within: readWithin,
			summary: "What came of each row of a version of a list: result, who gave it and when.",
			params:  []param{paramList, paramAfter, paramLimit}, answer: intake.ListRows{}, codes: codesOfRead, handle: (*API).listRows,
		},
		{
			method: fiber.MethodGet, path: "/v1/watch", id: "watch", who: someone, right: identity.Write, within: readWithin,
			summary: "What a checkpoint watches out for without a signal: the lists in force as keyed digests of ID numbers and mobiles, never the lists themselves. Answers 304 to an If-None-Match that still holds.",
			answer:  watch.Lists{}, codes: codesOfRead, handle: (*API).watchLists,
		},
	}
}

// importFile is POST /v1/areas/{id}/import.
func (a *API) importFile(c *call) (any, error) {
	o, err := a.fileOrder(c)
	if err != nil {
		return nil, err
	}
	o.Kind = syncproto.Kind(c.Query("kind"))
	if !slices.Contains(intake.Kinds, o.Kind) {
		return nil, bad("kind", "area, household or person")
	}
	return a.bring(c, &o, string(o.Kind), func() (*intake.Plan, error) {
		return a.Imports.Plan(c.ctx, o)
	}, func(token string, leaveOut bool) (*intake.Plan, error) {
		return a.Imports.Apply(c.ctx, o, token, leaveOut)
	})
}

// sendList is POST /v1/areas/{id}/lists.
func (a *API) sendList(c *call) (any, error) {
	base, err := a.fileOrder(c)
	if err != nil {
		return nil, err
	}
	o := intake.ListOrder{
		Order: base, Name: c.Query("name"), Source: c.Query("source"), Note: c.Query("note"),
		Purpose: c.Query("purpose"), What: c.Query("what"),
	}
	if text := c.Query("deadline"); text != "" {
		var ok bool
		if o.Deadline, ok = form.ParseDay(text); !ok {
			return nil, bad("deadline", "a day such as 2020-01-31")
		}
	}
	if text := c.Query("family"); text != "" {
		if o.Family, err = syncproto.ParseID[syncproto.RecordID](text); err != nil {
			return nil, bad("family", "a list's id")
		}
	}
	return a.bring(c, &o.Order, "list", func() (*intake.Plan, error) {
		return a.Imports.PlanList(c.ctx, o)
	}, func(token string, leaveOut bool) (*intake.Plan, error) {
		return a.Imports.ApplyList(c.ctx, o, token, leaveOut)
	})
}

// fileOrder reads what every file comes with.
func (a *API) fileOrder(c *call) (o intake.Order, err error) {
	if o.Area, err = c.area(); err != nil {
		return o, err
	}
	if o.Author, err = c.onBehalf(); err != nil {
		return o, err
	}
	if text := c.Query("map"); text != "" {
		if json.Unmarshal([]byte(text), &o.Mapping) != nil {
			return o, bad("map", "a JSON object of texts")
		}
	}
	if o.Show.Limit, err = c.limit(); err != nil {
		return o, err
	}
	if text := c.Query("after"); text != "" {
		if o.Show.After, err = strconv.Atoi(text); err != nil || o.Show.After < 0 {
			return o, bad("after", "a row's number")
		}
	}
	if o.Show.Status = intake.Status(c.Query("status")); o.Show.Status != "" && !slices.Contains(intake.Statuses, o.Show.Status) {
		return o, bad("status", "new, same, differs, bad or unsure")
	}
	o.Name, o.Sheet = c.Query("file"), c.Query("sheet")
	o.At, o.Today = c.instant(), form.DayOf(c.instant())
	if o.File, err = c.body(syncproto.MaxBodyBytes); errors.Is(err, &syncproto.Error{Code: syncproto.CodeBodyTooLarge}) {
		return o, &syncproto.Error{Code: syncproto.CodeBodyTooLarge, Detail: fileTooLarge} // once it was inflated
	}
	return o, err
}

// onBehalf is the author whom the query names, or the caller where that is one person.
func (c *call) onBehalf() (author syncproto.AuthorID, err error) {
	text := c.Query("author")
	if text == "" && len(c.caller.Authors) == 1 {
		return c.caller.Authors[0], nil
	}
	if author, err = syncproto.ParseID[syncproto.AuthorID](text); err != nil {
		return author, bad("author", "an author's id; must be given where several people share a phone")
	}
	return author, c.speaksFor(author)
}

// bring plans a file or, with a token, has its plan done and notes that.
func (a *API) bring(c *call, o *intake.Order, what string, plan func() (*intake.Plan, error), apply func(string, bool) (*intake.Plan, error)) (any, error) {
	select {
	case importing <- struct{}{}:
		defer func() { <-importing }()
	default:
		return nil, &syncproto.Error{Code: syncproto.CodeBusy}
	}
	token := c.Query("token")
	if token == "" {
		return plan()
	}
	p, err := apply(token, c.Query("leave_out") == "true")
	if err != nil {
		return nil, err
	}
	e := c.entry(audit.Imported, o.Area)
	e.Who, e.Detail = o.Author, fmt.Sprintf("%s rows %d entered %d file %s", what, p.Counts.Rows, p.Applied.Changes, p.Digest[:16])
	if err := a.Audit.Note(c.ctx, e); err != nil {
		return nil, fmt.Errorf("note an import: %w", err)
	}
	return p, nil
}

// lists is GET /v1/lists.
func (a *API) lists(c *call) (any, error) {
	day, err := c.day()
	if err != nil {
		return nil, err
	}
	return a.ListsDown.Lists(c.ctx, c.reach(), day)
}

// list is GET /v1/lists/{list}.
func (a *API) list(c *call) (any, error) {
	id, err := c.listID()
	if err != nil {
		return nil, err
	}
	day, err := c.day()
	if err != nil {
		return nil, err
	}
	return a.ListsDown.List(c.ctx, id, c.reach(), day)
}

// listRows is GET /v1/lists/{list}/rows.
func (a *API) listRows(c *call) (any, error) {
	id, err := c.listID()
	if err != nil {
		return nil, err
	}
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	return a.ListsDown.Rows(c.ctx, id, c.reach(), c.Query("after"), limit)
}

func (c *call) listID() (syncproto.RecordID, error) {
	id, err := syncproto.ParseID[syncproto.RecordID](c.Params("list"))
	if err != nil {
		return id, bad("list", "a list's id")
	}
	return id, nil
}

// watchLists is GET /v1/watch.
func (a *API) watchLists(c *call) (any, error) {
	lists, err := a.ListsDown.Watch(c.ctx, c.reach(), c.instant())
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(lists)
	if err != nil {
		return nil, fmt.Errorf("write what is watched: %w", err)
	}
	return written{}, sendKept(c.Ctx, raw{fiber.MIMEApplicationJSONCharsetUTF8, body})
}
