package api

import "gridsync/syncproto"

// diff is GET /v1/rounds/{a}/diff/{b}.
func (a *API) diff(c *call) (any, error) {
	earlier, err := syncproto.ParseID[syncproto.RecordID](c.Params("a"))
	if err != nil {
		return nil, bad("a", "a round's id")
	}
	later, err := syncproto.ParseID[syncproto.RecordID](c.Params("b"))
	if err != nil {
		return nil, bad("b", "a round's id")
	}
	within, err := c.areaOrOnly()
	if err != nil {
		return nil, err
	}
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	return a.Rounds.Diff(c.ctx, earlier, later, within, c.Query("after"), limit)
}

// areaOrOnly reads the query's area; if it is absent, it is the one that the
// caller's scope consists of.
func (c *call) areaOrOnly() (syncproto.AreaID, error) {
	if text := c.Query("area"); text != "" {
		return c.scoped(text)
	}
	scope := c.reach()
	switch len(scope) {
	case 0:
		return "", &syncproto.Error{Code: syncproto.CodeForbidden, Field: "area"}
	case 1:
		return scope[0], nil
	}
	return "", bad("area", "must be given: the caller sees several")
}
