package api

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/privacy"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
)

// Changes tells what has changed in an area, and when there is something new.
type Changes interface {
	// Changes fails with codes not_found (area), cursor_invalid and cursor_foreign (after).
	Changes(ctx context.Context, r exchange.Reader) (*exchange.Changes, error)
	Subscribe() *exchange.Subscription
}

// Feed is a page of what has changed in an area and all below it, in order of versions.
type Feed struct {
	Changes []FeedChange `json:"changes"`
	// Left are areas that lie elsewhere now: everything in them goes.
	Left []syncproto.AreaID `json:"left,omitempty"`
	// Next is what to give as after for the next page, whether or not there is one already;
	// More says that there is.
	Next string `json:"next"`
	More bool   `json:"more,omitempty"`
}

// FeedChange is a record as it stands, or one that is there no more.
type FeedChange struct {
	Version syncproto.Version `json:"version"`
	// Record is set for one that is there, Gone for one that has left the area or was
	// purged: whoever follows the area drops it, unless they have it in another one.
	Record *roster.Row     `json:"record,omitempty"`
	Gone   *syncproto.Gone `json:"gone,omitempty"`
}

// Disclose implements privacy.Disclosed.
func (f *Feed) Disclose(l *privacy.Lens) {
	for i := range f.Changes {
		if row := f.Changes[i].Record; row != nil {
			row.Disclose(l, l.Eyes(row.Area), "")
		}
	}
}

// Bounds of waiting for something new: how many seconds, and how many wait at the same time.
const (
	longestPoll = 15
	mostPolls   = 200
)

// feedRoutes are how other systems follow an area.
func feedRoutes() []route {
	return []route{{
		method: fiber.MethodGet, path: "/v1/areas/{id}/feed", id: "feed", who: someone, right: identity.Read, within: longestPoll*time.Second + readWithin,
		summary: "What has changed in an area and all below it since a page before, for a system that follows it: every record at its latest version, in order of versions, none stepped over.",
		params: []param{
			paramArea,
			{"after", "query", "The next of the page before; absent at the start.", "string", ""},
			paramLimit,
			{"wait", "query", "How many seconds to wait when there is nothing new, 0 to 15; 0 if absent.", "integer", "15"},
		},
		answer: Feed{}, codes: append([]syncproto.Code{syncproto.CodeCursorInvalid, syncproto.CodeCursorForeign}, codesOfRead...), handle: (*API).feed,
	}}
}

// feed is GET /v1/areas/{id}/feed.
func (a *API) feed(c *call) (any, error) {
	id, err := c.area()
	if err != nil {
		return nil, err
	}
	limit, err := c.pageLimit()
	if err != nil {
		return nil, err
	}
	wait, err := c.wait()
	if err != nil {
		return nil, err
	}
	reader := exchange.Reader{Area: id, After: c.Query("after"), Limit: limit, Sight: c.sightOf(id)}
	page, err := a.follow(c, reader, wait)
	if err != nil {
		return nil, err
	}
	// What was committed meanwhile may belong to areas and forms that have just come.
	snap := a.Registry.Current()
	c.snap = snap
	feed := &Feed{Changes: make([]FeedChange, len(page.Rows)), Left: page.Left, Next: page.Cursor, More: page.More}
	for i := range page.Rows {
		row := &page.Rows[i]
		feed.Changes[i] = FeedChange{Version: row.Version, Gone: row.Gone}
		if row.Record != nil {
			shown := roster.NewRow(snap, row.Record)
			feed.Changes[i].Record = &shown
		}
	}
	return feed, nil
}

// follow reads a page, and waits for one if there is nothing on it.
func (a *API) follow(c *call, reader exchange.Reader, wait time.Duration) (*exchange.Changes, error) {
	if wait > 0 && a.polls.Add(1) <= mostPolls {
		defer a.polls.Add(-1)
	} else if wait > 0 { // too many wait: this one asks again by itself
		a.polls.Add(-1)
		wait = 0
	}
	if wait == 0 {
		return a.Changes.Changes(c.ctx, reader)
	}
	// Subscribed before it is read: what is committed in between stirs.
	news := a.Changes.Subscribe()
	defer news.End()
	over := time.NewTimer(wait)
	defer over.Stop()
	for {
		page, err := a.Changes.Changes(c.ctx, reader)
		if err != nil || len(page.Rows) > 0 || len(page.Left) > 0 || page.More {
			return page, err
		}
		select {
		case <-news.Stirred:
			reader.After = page.Cursor
		case <-over.C:
			return page, nil
		case <-a.stopped: // the server stops
			return page, nil
		case <-c.ctx.Done():
			return page, nil
		}
	}
}

// wait reads the query's wait.
func (c *call) wait() (time.Duration, error) {
	text := c.Query("wait")
	if text == "" {
		return 0, nil
	}
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds < 0 || seconds > longestPoll {
		return 0, bad("wait", "0 to "+strconv.Itoa(longestPoll))
	}
	return time.Duration(seconds) * time.Second, nil
}

// sightOf is what the caller is shown in an area and in those below it where they are shown
// otherwise, as a text.
func (c *call) sightOf(id syncproto.AreaID) string {
	eyes := c.snap.People.Eyes(c.snap.Areas, c.caller.Authors, id, c.instant())
	text := fmt.Sprint(eyes)
	for _, author := range c.caller.Authors {
		for _, g := range c.snap.People.Grants(author) {
			if g.At(c.instant()) && g.Area != id && c.snap.Areas.Within(g.Area, id) {
				text += fmt.Sprint(" ", g.Area, " ", g.Role)
			}
		}
	}
	return text
}
