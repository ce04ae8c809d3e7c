package api

import (
	"context"
	"time"

	"gridsync/server/internal/privacy"
	"gridsync/server/internal/roster"
	"gridsync/server/internal/sheet"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

var (
	headResultBy   = syncproto.Text{ZH: "结果填写人", EN: "Result by"}
	headResultWhen = syncproto.Text{ZH: "结果填写时间", EN: "Result at"}
)

// listReport is what came of each row of a list that went down.
func (a *API) listReport(c *call, id syncproto.AreaID) (*takeaway, error) {
	list, err := syncproto.ParseID[syncproto.RecordID](c.Query("list"))
	if err != nil {
		return nil, bad("list", "a list's id; must be given")
	}
	state, err := a.ListsDown.List(c.ctx, list, []syncproto.AreaID{id}, form.DayOf(c.instant()))
	if err != nil {
		return nil, err
	}
	english := c.english()
	laid, after, version := roster.NewSheet(c.snap, c.snap.Forms.Newest("task"), english), "", syncproto.Version(0)
	columns := laid.Columns()
	for _, head := range []syncproto.Text{headResultBy, headResultWhen} {
		columns = append(columns, sheet.Column{Head: head})
	}
	return &takeaway{
		title: syncproto.Text{ZH: "名单结果 " + state.Name, EN: "Results of " + state.Name}, columns: columns, noted: "list", closing: upTo(&version),
		page: func(ctx context.Context, lens *privacy.Lens) (rows [][]sheet.Value, more bool, err error) {
			page, err := a.ListsDown.Rows(ctx, list, []syncproto.AreaID{id}, after, roster.MaxRows)
			if err != nil {
				return nil, false, err
			}
			page.Disclose(lens)
			for i := range page.Rows {
				row := &page.Rows[i]
				var when time.Time
				if row.When != 0 {
					when = time.UnixMilli(int64(row.When)).In(form.Zone)
				}
				rows = append(rows, append(laid.Cells(&row.Row), sheet.TextOf(row.ByName), sheet.MomentOf(when)))
				version = max(version, row.Version)
			}
			after = page.Next
			return rows, after != "", nil
		},
	}, nil
}
