package api

import (
	"strconv"

	"gridsync/server/internal/area"
	"gridsync/server/internal/audit"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
)

// audit is GET /v1/audit. That somebody reads it is noted in it.
func (a *API) audit(c *call) (any, error) {
	want, err := c.wanted()
	if err != nil {
		return nil, err
	}
	before, limit, err := c.place()
	if err != nil {
		return nil, err
	}
	if err := a.Audit.Note(c.ctx, c.entry(audit.ReadAudit, c.asked)); err != nil {
		return nil, err
	}
	lines, next, err := a.Audits.AuditLines(c.ctx, want, before, limit)
	if err != nil {
		return nil, err
	}
	return audit.Page{Lines: audit.Name(c.snap, lines), Next: next}, nil
}

// wanted reads which lines are asked for, within what the caller may see of them. What was
// asked about no area at all is for those who may see all of them.
func (c *call) wanted() (audit.Want, error) {
	want := audit.Want{Act: audit.Act(c.Query("act"))}
	if text := c.Query("who"); text != "" {
		var err error
		if want.Who, err = syncproto.ParseID[syncproto.AuthorID](text); err != nil {
			return want, bad("who", "an author's id")
		}
	}
	roots := c.reach()
	if text := c.Query("area"); text != "" {
		id, err := c.scoped(text)
		if err != nil {
			return want, err
		}
		roots = []syncproto.AreaID{id}
	} else if coversAll(c.snap.Areas, roots) {
		return want, nil
	}
	if len(roots) == 0 {
		return want, &syncproto.Error{Code: syncproto.CodeForbidden, Field: "area"}
	}
	want.Areas = []syncproto.AreaID{}
	for _, root := range roots {
		for _, n := range c.snap.Areas.Subtree(root) {
			want.Areas = append(want.Areas, n.ID)
		}
	}
	return want, nil
}

// coversAll reports whether every tree of areas has its root among some.
func coversAll(tree *area.Tree, roots []syncproto.AreaID) bool {
	covered := 0
	for _, root := range roots {
		if n, ok := tree.Find(root); ok && n.Parent == "" {
			covered++
		}
	}
	return covered > 0 && covered == len(tree.Children(""))
}

// place reads where a page of lines begins, and how long it may be.
func (c *call) place() (before int64, limit int, err error) {
	if text := c.Query("after"); text != "" {
		if before, err = strconv.ParseInt(text, 10, 64); err != nil || before < 1 {
			return 0, 0, bad("after", "the next of the page before")
		}
	}
	if limit, err = c.limit(); limit == 0 {
		limit = roster.DefaultRows
	}
	return before, limit, err
}

// seen is GET /v1/records/{id}/seen. Whoever may not know fails as if there were no such
// record.
func (a *API) seen(c *call) (any, error) {
	id, err := syncproto.ParseID[syncproto.RecordID](c.Params("id"))
	if err != nil {
		return nil, bad("record", "a record's id")
	}
	before, limit, err := c.place()
	if err != nil {
		return nil, err
	}
	where, err := a.Whereabouts.Where(c.ctx, id)
	if err != nil {
		return nil, err
	}
	lies := where.Areas[0]
	if !c.may(identity.Audit, lies) && !c.may(identity.Decide, lies) {
		return nil, &syncproto.Error{Code: syncproto.CodeNotFound, Field: "record"}
	}
	if err := a.noteShown(c, audit.AskedWho, lies, []syncproto.RecordID{id}, ""); err != nil {
		return nil, err
	}
	lines, err := a.Audits.AuditOf(c.ctx, id, before, limit)
	if err != nil {
		return nil, err
	}
	seen := audit.Seen{Record: id, Areas: where.Areas, Page: audit.Page{Lines: audit.Name(c.snap, lines)}}
	if len(lines) == limit {
		seen.Next = lines[limit-1].N
	}
	if before == 0 {
		seen.Phones = audit.Phones(c.snap, where.Areas, where.Since, c.instant())
	}
	return seen, nil
}

// may reports whether the caller has a right in an area.
func (c *call) may(right identity.Right, id syncproto.AreaID) bool {
	return c.snap.People.May(c.snap.Areas, c.caller.Authors, right, id, c.instant())
}
