package api

import (
	"strconv"

	"gridsync/syncproto"
)

// history is GET /v1/records/{id}/history.
func (a *API) history(c *call) (any, error) {
	id, err := syncproto.ParseID[syncproto.RecordID](c.Params("id"))
	if err != nil {
		return nil, bad("record", "a record's id")
	}
	return a.Histories.History(c.ctx, id, c.asking())
}

// ownLog is GET /v1/log.
func (a *API) ownLog(c *call) (any, error) {
	author, err := syncproto.ParseID[syncproto.AuthorID](c.Query("author"))
	if err != nil {
		return nil, bad("author", "an author's id")
	}
	if err := c.speaksFor(author); err != nil {
		return nil, err
	}
	before := int64(0)
	if text := c.Query("before"); text != "" {
		if before, err = strconv.ParseInt(text, 10, 64); err != nil || before < 1 {
			return nil, bad("before", "the next of the page before")
		}
	}
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	return a.Histories.Log(c.ctx, author, syncproto.Version(before), limit)
}
