package api

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gridsync/server/internal/dayclose"
	"gridsync/server/internal/desk"
	"gridsync/server/internal/privacy"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/roster"
	"gridsync/server/internal/sheet"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Ledgers list what was recorded on some days. Codes not_found (area), bad_request (after).
type Ledgers interface {
	Ledger(ctx context.Context, area syncproto.AreaID, kind syncproto.Kind, first, last form.Day, after string) (*roster.Ledger, error)
}

// formAsked is the newest form of the kind asked about.
func (c *call) formAsked() (*form.Form, error) {
	if f := c.snap.Forms.Newest(syncproto.Kind(c.Query("kind"))); f != nil {
		return f, nil
	}
	return nil, bad("kind", "a kind's name; must be given")
}

// upTo says how far a list goes.
func upTo(version *syncproto.Version) func() syncproto.Text {
	return func() syncproto.Text {
		return syncproto.Text{ZH: fmt.Sprintf("截至版本 %d", *version), EN: fmt.Sprintf("up to version %d", *version)}
	}
}

// once lets a record through the first time that it comes: one that changes while a list is
// read comes again at the end of its area.
type once struct {
	area syncproto.AreaID
	seen map[syncproto.RecordID]struct{}
}

func (o *once) again(id syncproto.RecordID, area syncproto.AreaID) bool {
	if o.area != area || o.seen == nil {
		o.area, o.seen = area, make(map[syncproto.RecordID]struct{})
	}
	_, again := o.seen[id]
	o.seen[id] = struct{}{}
	return again
}

// rosterReport is the records of a kind.
func (a *API) rosterReport(c *call, id syncproto.AreaID) (*takeaway, error) {
	f, err := c.formAsked()
	if err != nil {
		return nil, err
	}
	kind, laid, after, version, met := f.Kind, roster.NewSheet(c.snap, f, c.english()), "", syncproto.Version(0), once{}
	return &takeaway{
		title: syncproto.Text{ZH: f.Label.ZH + "花名册", EN: f.Label.EN + " roster"}, columns: laid.Columns(), noted: string(kind), closing: upTo(&version),
		page: func(ctx context.Context, lens *privacy.Lens) (rows [][]sheet.Value, more bool, err error) {
			page, err := a.Rosters.List(ctx, id, kind, after, roster.MaxRows)
			if err != nil {
				return nil, false, err
			}
			page.Rows = slices.DeleteFunc(page.Rows, func(r roster.Row) bool { return met.again(r.ID, r.Area) })
			page.Disclose(lens)
			for i := range page.Rows {
				rows = append(rows, laid.Cells(&page.Rows[i]))
				version = max(version, page.Rows[i].Version)
			}
			after = page.Next
			return rows, after != "", nil
		},
	}, nil
}

// ledgerReport is what was recorded of a kind on some days, with authors and times.
func (a *API) ledgerReport(c *call, id syncproto.AreaID) (*takeaway, error) {
	f, err := c.formAsked()
	if err != nil {
		return nil, err
	}
	last, err := c.dayNamed("to")
	if err != nil {
		return nil, err
	}
	first := last
	if c.Query("from") != "" {
		if first, err = c.dayNamed("from"); err != nil {
			return nil, err
		}
	}
	if first > last {
		return nil, bad("to", "a day that is not before from")
	}
	kind, laid, after, version, met := f.Kind, roster.NewSheet(c.snap, f, c.english()), "", syncproto.Version(0), once{}
	days := first.String()
	if last != first {
		days += " – " + last.String()
	}
	return &takeaway{
		title:   syncproto.Text{ZH: f.Label.ZH + "台账 " + days, EN: f.Label.EN + " ledger " + days},
		columns: laid.LedgerColumns(), noted: "ledger " + string(kind), closing: upTo(&version),
		page: func(ctx context.Context, lens *privacy.Lens) (rows [][]sheet.Value, more bool, err error) {
			page, err := a.Ledgers.Ledger(ctx, id, kind, first, last, after)
			if err != nil {
				return nil, false, err
			}
			page.Entries = slices.DeleteFunc(page.Entries, func(e roster.Entry) bool { return met.again(e.ID, e.Area) })
			page.Disclose(lens)
			for i := range page.Entries {
				rows = append(rows, laid.LedgerCells(&page.Entries[i]))
				version = max(version, page.Entries[i].Version)
			}
			after = page.Next
			return rows, after != "", nil
		},
	}, nil
}

// What stands above the columns of reports.
var (
	headArea     = syncproto.Text{ZH: "区域代码", EN: "Area code"}
	headAreaName = syncproto.Text{ZH: "区域名称", EN: "Area name"}
	headState    = syncproto.Text{ZH: "日清状态", EN: "Day"}
	headSigned   = syncproto.Text{ZH: "签字", EN: "Signed by"}
	textInAll    = syncproto.Text{ZH: "合计", EN: "Total"}
	textItself   = syncproto.Text{ZH: "本级", EN: "itself"}
)

var dayStates = map[dayclose.State]syncproto.Text{
	dayclose.Open: {ZH: "未签", EN: "not signed"}, dayclose.Signed: {ZH: "已签", EN: "signed"},
	dayclose.Restated: {ZH: "已签，后有更正", EN: "signed, restated since"}, dayclose.Returned: {ZH: "已退回", EN: "sent back"},
}

// dailyReport is an area's totals of a day, a row for each area below it, and how far the
// day was signed.
func (a *API) dailyReport(c *call, id syncproto.AreaID) (*takeaway, error) {
	day, err := c.day()
	if err != nil {
		return nil, err
	}
	now, english := c.instant(), c.english()
	sum, err := a.Summaries.Summary(c.ctx, id, rollup.On(day), now)
	if err != nil {
		return nil, err
	}
	var closed *dayclose.Day
	if a.Days != nil {
		if closed, err = a.Days.Look(c.ctx, id, day, now); err != nil {
			return nil, err
		}
	}
	w := sum.Watermark
	return &takeaway{
		title:   syncproto.Text{ZH: "日报 " + day.String(), EN: "Daily report " + day.String()},
		columns: dailyColumns(sum), noted: "daily " + day.String(),
		closing: func() syncproto.Text {
			return syncproto.Text{
				ZH: fmt.Sprintf("截至版本 %d（%s）；设备应报 %d、已报 %d；手机上未上传 %d；待核查 %d；待处理 %d", w.Version, wall(w.At), w.Expected, w.Heard, w.Unsent, w.Disputes, w.Parked),
				EN: fmt.Sprintf("up to version %d (%s); devices expected %d, heard %d; unsent on phones %d; open questions %d; waiting %d", w.Version, wall(w.At), w.Expected, w.Heard, w.Unsent, w.Disputes, w.Parked),
			}
		},
		page: func(context.Context, *privacy.Lens) ([][]sheet.Value, bool, error) {
			return dailyRows(sum, closed, english), false, nil
		},
	}, nil
}

func wall(at syncproto.Instant) string {
	return time.UnixMilli(int64(at)).In(form.Zone).Format(time.DateTime)
}

func dailyColumns(sum *rollup.Summary) []sheet.Column {
	columns := []sheet.Column{{Head: headArea, Width: 16}, {Head: headAreaName, Width: 18}, {Head: headState, Width: 14}, {Head: headSigned, Width: 14}}
	for i := range sum.Measures {
		columns = append(columns, sheet.Column{Head: sum.Measures[i].Label, Width: 11})
	}
	for i := range sum.Ratios {
		label := sum.Ratios[i].Label
		columns = append(columns, sheet.Column{Head: syncproto.Text{ZH: label.ZH + "（%）", EN: label.EN + " (%)"}, Width: 11})
	}
	return columns
}

func dailyRows(sum *rollup.Summary, closed *dayclose.Day, english bool) [][]sheet.Value {
	states := make(map[syncproto.AreaID]dayclose.Child)
	if closed != nil {
		own := dayclose.Child{State: closed.State}
		if closed.Signed != nil {
			own.ByName = closed.Signed.ByName
		}
		states[sum.Area] = own
		for _, child := range closed.Below {
			states[child.Area] = child
		}
	}
	row := func(area syncproto.AreaID, name string, signs bool, values []int64, shares []*float64) []sheet.Value {
		state, by := sheet.Value{}, ""
		if s, there := states[area]; there && signs {
			state, by = sheet.TextOf(said(dayStates[s.State], english)), s.ByName
		}
		cells := []sheet.Value{sheet.TextOf(string(area)), sheet.TextOf(name), state, sheet.TextOf(by)}
		for _, v := range values {
			cells = append(cells, sheet.NumberOf(strconv.FormatInt(v, 10)))
		}
		for _, share := range shares {
			cells = append(cells, percent(share))
		}
		return cells
	}
	whole := make([]int64, len(sum.Measures))
	for i := range sum.Measures {
		whole[i] = sum.Measures[i].Value
	}
	shares := make([]*float64, len(sum.Ratios))
	for i := range sum.Ratios {
		shares[i] = sum.Ratios[i].Share
	}
	rows := [][]sheet.Value{row(sum.Area, sum.Name+" "+said(textInAll, english), true, whole, shares)}
	for _, child := range sum.Children {
		name := child.Name
		if child.Direct {
			name += " " + said(textItself, english)
		}
		rows = append(rows, row(child.Area, name, !child.Direct, child.Values, child.Shares))
	}
	return rows
}

// percent is a share as the summary has it; empty where there is nothing to have a share of.
func percent(share *float64) sheet.Value {
	if share == nil {
		return sheet.Value{}
	}
	return sheet.NumberOf(strconv.FormatFloat(*share, 'f', -1, 64))
}

func said(t syncproto.Text, english bool) string {
	if english {
		return t.EN
	}
	return t.ZH
}

var reviewColumns = []sheet.Column{
	{Head: syncproto.Text{ZH: "问题编号", EN: "Question"}, Width: 38},
	{Head: syncproto.Text{ZH: "类型", EN: "Kind"}, Width: 14},
	{Head: syncproto.Text{ZH: "栏目", EN: "Field"}, Width: 12},
	{Head: headArea, Width: 16},
	{Head: headAreaName, Width: 16},
	{Head: syncproto.Text{ZH: "提出时间", EN: "Opened"}, Width: 20},
	{Head: syncproto.Text{ZH: "应办时间", EN: "Due"}, Width: 20},
	{Head: syncproto.Text{ZH: "状态", EN: "State"}, Width: 10},
	{Head: syncproto.Text{ZH: "经办人", EN: "Given to"}, Width: 12},
	{Head: syncproto.Text{ZH: "档案", EN: "Record"}, Width: 38},
	{Head: syncproto.Text{ZH: "各方填写", EN: "Said"}, Width: 40},
	{Head: syncproto.Text{ZH: "另一档案", EN: "Other record"}, Width: 38},
}

var questionKinds = map[review.Kind]syncproto.Text{
	review.Conflict: {ZH: "填写不一致", EN: "differing entries"}, review.Duplicate: {ZH: "疑似重复", EN: "duplicate"},
	review.DoubleVisit: {ZH: "重复走访", EN: "double visit"}, review.Parked: {ZH: "待处理", EN: "waiting"},
	review.Implausible: {ZH: "可疑", EN: "hard to believe"}, review.Exit: {ZH: "离开有争议", EN: "disputed exit"}, review.Restated: {ZH: "签字后更正", EN: "restated"},
}

var questionStates = map[review.State]syncproto.Text{
	review.Open: {ZH: "待办", EN: "open"}, review.Returned: {ZH: "已退回填写人", EN: "returned"}, review.Closed: {ZH: "已办结", EN: "closed"},
}

// reviewReport is the open questions.
func (a *API) reviewReport(c *call, id syncproto.AreaID) (*takeaway, error) {
	want := desk.Want{Kind: review.Kind(c.Query("kind"))}
	if want.Kind != "" && !slices.Contains(review.Kinds, want.Kind) {
		return nil, bad("kind", "a kind of question")
	}
	after, snap, english, version := "", c.snap, c.english(), syncproto.Version(0)
	row := func(q *desk.Line) []sheet.Value {
		version = max(version, q.Opened)
		n, _ := snap.Areas.Find(q.Area)
		field, who := q.Field, ""
		if q.Record != nil {
			if f, known := snap.Forms.Newest(q.Record.Kind).Field(q.Field); known {
				field = said(f.Label, english)
			}
		}
		if q.Assignee != nil {
			who = q.Assignee.Name
		}
		return []sheet.Value{
			sheet.TextOf(q.ID.String()), sheet.TextOf(said(questionKinds[q.Kind], english)), sheet.TextOf(field), sheet.TextOf(string(q.Area)), sheet.TextOf(n.Name),
			roster.Moment(q.At), roster.Moment(q.Due), sheet.TextOf(said(questionStates[q.State], english)), sheet.TextOf(who),
			recordID(q.Record), sheet.TextOf(roster.Claims(snap, q.Record, q.Field, english)), recordID(q.Other),
		}
	}
	return &takeaway{
		title: syncproto.Text{ZH: "待核查清单", EN: "Review queue"}, columns: reviewColumns, noted: strings.TrimSpace("review " + string(want.Kind)), closing: upTo(&version),
		page: func(ctx context.Context, lens *privacy.Lens) (rows [][]sheet.Value, more bool, err error) {
			page, err := a.Questions.Open(ctx, id, want, after, roster.MaxRows)
			if err != nil {
				return nil, false, err
			}
			page.Disclose(lens)
			for i := range page.Items {
				rows = append(rows, row(&page.Items[i]))
			}
			after = page.Next
			return rows, after != "", nil
		},
	}, nil
}

func recordID(row *roster.Row) sheet.Value {
	if row == nil {
		return sheet.Value{}
	}
	return sheet.TextOf(row.ID.String())
}

var roundsColumns = []sheet.Column{
	{Head: syncproto.Text{ZH: "档案编号", EN: "Record"}, Width: 38},
	{Head: syncproto.Text{ZH: "姓名", EN: "Name"}, Width: 12},
	{Head: headArea, Width: 16},
	{Head: headAreaName, Width: 16},
	{Head: syncproto.Text{ZH: "提示", EN: "Flags"}, Width: 14},
	{Head: syncproto.Text{ZH: "见面时间", EN: "Met at"}, Width: 20},
	{Head: syncproto.Text{ZH: "发现人", EN: "Found by"}, Width: 14},
	{Head: syncproto.Text{ZH: "走访记录", EN: "Visit"}, Width: 38},
}

// roundsReport names who was met in round b and not in round a, and by whom.
func (a *API) roundsReport(c *call, id syncproto.AreaID) (*takeaway, error) {
	earlier, err := syncproto.ParseID[syncproto.RecordID](c.Query("a"))
	if err != nil {
		return nil, bad("a", "a round's id")
	}
	later, err := syncproto.ParseID[syncproto.RecordID](c.Query("b"))
	if err != nil {
		return nil, bad("b", "a round's id")
	}
	after, snap, english := "", c.snap, c.english()
	var first *roster.Diff
	if first, err = a.Rounds.Diff(c.ctx, earlier, later, id, "", 1); err != nil {
		return nil, err
	}
	flags := snap.Forms.Newest(roster.KindPerson)
	return &takeaway{
		title:   syncproto.Text{ZH: fmt.Sprintf("%s 新发现（对照 %s）", first.B.Name, first.A.Name), EN: fmt.Sprintf("Found in %s and not in %s", first.B.Name, first.A.Name)},
		columns: roundsColumns, noted: "rounds " + earlier.String() + " " + later.String(),
		closing: func() syncproto.Text {
			return syncproto.Text{
				ZH: fmt.Sprintf("%s见面 %d 人，%s见面 %d 人", first.A.Name, first.A.Met, first.B.Name, first.B.Met),
				EN: fmt.Sprintf("%s met %d people, %s met %d", first.A.Name, first.A.Met, first.B.Name, first.B.Met),
			}
		},
		page: func(ctx context.Context, lens *privacy.Lens) (rows [][]sheet.Value, more bool, err error) {
			diff, err := a.Rounds.Diff(ctx, earlier, later, id, after, roster.MaxRows)
			if err != nil {
				return nil, false, err
			}
			diff.Disclose(lens)
			for i := range diff.OnlyB {
				found := &diff.OnlyB[i]
				n, _ := snap.Areas.Find(found.Area)
				rows = append(rows, []sheet.Value{
					sheet.TextOf(found.Person.String()), sheet.TextOf(found.Name), sheet.TextOf(string(found.Area)), sheet.TextOf(n.Name),
					sheet.TextOf(roster.FlagLabels(flags, found.Flags, english)), roster.Moment(found.At), sheet.TextOf(found.FinderName), sheet.TextOf(found.Visit.String()),
				})
			}
			after = diff.Next
			return rows, after != "", nil
		},
	}, nil
}
