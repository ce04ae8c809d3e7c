package roster

import (
	"fmt"
	"strings"
	"time"

	"gridsync/server/internal/registry"
	"gridsync/server/internal/sheet"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Sheet is how records of one kind stand in a file: one row for each, under the labels of
// the newest form, as they have been disclosed.
type Sheet struct {
	snap    *registry.Snapshot
	form    *form.Form
	english bool
}

// NewSheet lays out records of a form's kind; english has them in English.
func NewSheet(snap *registry.Snapshot, f *form.Form, english bool) *Sheet {
	return &Sheet{snap: snap, form: f, english: english}
}

// What a file says besides what was recorded.
var (
	textYes      = syncproto.Text{ZH: "是", EN: "yes"}
	textNo       = syncproto.Text{ZH: "否", EN: "no"}
	textID       = syncproto.Text{ZH: "档案编号", EN: "Record"}
	textAreaCode = syncproto.Text{ZH: "区域代码", EN: "Area code"}
	textAreaName = syncproto.Text{ZH: "区域名称", EN: "Area name"}
	textLeft     = syncproto.Text{ZH: "离开登记", EN: "Exit"}
	textDisputed = syncproto.Text{ZH: "待核查栏目", EN: "In dispute"}
)

func (s *Sheet) say(t syncproto.Text) string {
	if s.english {
		return t.EN
	}
	return t.ZH
}

// Columns are the headings.
func (s *Sheet) Columns() []sheet.Column {
	columns := []sheet.Column{{Head: textID, Width: 38}, {Head: textAreaCode, Width: 16}, {Head: textAreaName, Width: 16}}
	for i := range s.form.Fields {
		columns = append(columns, sheet.Column{Head: s.form.Fields[i].Label, Width: widths[s.form.Fields[i].Type]})
	}
	return append(columns, sheet.Column{Head: textLeft, Width: 18}, sheet.Column{Head: textDisputed, Width: 18})
}

// widths are those of columns whose values are wider than their headings.
var widths = map[form.Type]int{
	form.Time: 20, form.Date: 12, form.IDNumber: 20, form.Mobile: 14, form.Ref: 38, form.Refs: 38, form.AreaCode: 16, form.Text: 18,
}

// Cells are a record's.
func (s *Sheet) Cells(row *Row) []sheet.Value {
	n, _ := s.snap.Areas.Find(row.Area)
	cells := []sheet.Value{sheet.TextOf(row.ID.String()), sheet.TextOf(string(row.Area)), sheet.TextOf(n.Name)}
	var disputed []string
	for i := range s.form.Fields {
		field := &s.form.Fields[i]
		cells = append(cells, s.cell(field, row.Fields[field.Name]))
		if _, ok := row.Disputed[field.Name]; ok {
			disputed = append(disputed, s.say(field.Label))
		}
	}
	left := ""
	if row.Exit != nil {
		left = strings.TrimSpace(row.Exit.Date + " " + row.Exit.Reason)
	}
	return append(cells, sheet.TextOf(left), sheet.TextOf(strings.Join(disputed, "、")))
}

// cell is a value as people read it; of what isn't seen whole, what is seen.
func (s *Sheet) cell(field *form.Field, v syncproto.Value) sheet.Value {
	text := s.words(field, v)
	if _, masked := v.Masked(); masked {
		return sheet.TextOf(text)
	}
	switch field.Type {
	case form.Integer, form.Decimal:
		return sheet.NumberOf(text)
	case form.Date:
		return sheet.DateOf(text)
	case form.Time:
		var ms int64
		if _, err := fmt.Sscan(string(v), &ms); err == nil {
			return sheet.MomentOf(time.UnixMilli(ms).In(form.Zone))
		}
	}
	return sheet.TextOf(text)
}

// Words are a value as people read it in a line of text.
func (s *Sheet) Words(name string, v syncproto.Value) string {
	field, known := s.form.Field(name)
	if !known {
		field = &form.Field{}
	}
	if field.Type == form.Time {
		var ms int64
		if _, err := fmt.Sscan(string(v), &ms); err == nil {
			return time.UnixMilli(ms).In(form.Zone).Format(time.DateTime)
		}
	}
	return s.words(field, v)
}

func (s *Sheet) words(field *form.Field, v syncproto.Value) string {
	if v.IsNull() || v == "" {
		return ""
	}
	if m, ok := v.Masked(); ok {
		return m.Masked
	}
	if list, ok := v.Texts(); ok {
		for i := range list {
			list[i] = s.choice(field, list[i])
		}
		return strings.Join(list, "、")
	}
	if text, ok := v.Text(); ok {
		return s.choice(field, text)
	}
	switch v {
	case "true":
		return s.say(textYes)
	case "false":
		return s.say(textNo)
	}
	return string(v)
}

// choice is a choice by its label, and any other text as it is.
func (s *Sheet) choice(field *form.Field, code string) string {
	for _, o := range field.Choices {
		if o.Code == code {
			return s.say(o.Label)
		}
	}
	return code
}
