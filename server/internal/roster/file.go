package roster

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// File writes rows of one kind as CSV for a spreadsheet: in UTF-8 with a byte order mark,
// one line for each record, under the labels of the newest form. What a cell holds can't
// be taken for a formula.
type File struct {
	body bytes.Buffer
	w    *csv.Writer
	snap *registry.Snapshot
	form *form.Form
	say  func(syncproto.Text) string
	// Rows counts the records written, Version is the greatest of theirs.
	Rows    int
	Version syncproto.Version
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

// NewFile starts a file; english has it in English.
func NewFile(snap *registry.Snapshot, f *form.Form, english bool) *File {
	file := &File{snap: snap, form: f, say: func(t syncproto.Text) string { return t.ZH }}
	if english {
		file.say = func(t syncproto.Text) string { return t.EN }
	}
	file.w = newWriter(&file.body)
	return file
}

func newWriter(into *bytes.Buffer) *csv.Writer {
	w := csv.NewWriter(into)
	w.UseCRLF = true
	return w
}

// Add writes rows, as they have been disclosed.
func (f *File) Add(rows []Row) error {
	for i := range rows {
		row := &rows[i]
		n, _ := f.snap.Areas.Find(row.Area)
		cells := []string{row.ID.String(), string(row.Area), n.Name}
		var disputed []string
		for j := range f.form.Fields {
			field := &f.form.Fields[j]
			cells = append(cells, f.cell(field, row.Fields[field.Name]))
			if _, ok := row.Disputed[field.Name]; ok {
				disputed = append(disputed, f.say(field.Label))
			}
		}
		left := ""
		if row.Exit != nil {
			left = strings.TrimSpace(row.Exit.Date + " " + row.Exit.Reason)
		}
		if err := write(f.w, append(cells, left, strings.Join(disputed, "、"))); err != nil {
			return fmt.Errorf("write a record: %w", err)
		}
		f.Rows++
		f.Version = max(f.Version, row.Version)
	}
	return nil
}

// Whole is the file, with a line about it at both ends of every copy that anybody makes.
func (f *File) Whole(mark string) ([]byte, error) {
	headings := []string{f.say(textID), f.say(textAreaCode), f.say(textAreaName)}
	for i := range f.form.Fields {
		headings = append(headings, f.say(f.form.Fields[i].Label))
	}
	rows := syncproto.Text{ZH: fmt.Sprintf("%d 行", f.Rows), EN: fmt.Sprintf("%d rows", f.Rows)}
	f.w.Flush()
	whole := bytes.NewBufferString(byteOrderMark)
	w := newWriter(whole)
	err := errors.Join(f.w.Error(), write(w, []string{mark}), write(w, append(headings, f.say(textLeft), f.say(textDisputed))))
	w.Flush()
	whole.Write(f.body.Bytes())
	err = errors.Join(err, write(w, []string{mark, f.say(rows)}))
	w.Flush()
	if err := errors.Join(err, w.Error()); err != nil {
		return nil, fmt.Errorf("write a file: %w", err)
	}
	return whole.Bytes(), nil
}

// byteOrderMark tells a spreadsheet that this is UTF-8.
const byteOrderMark = "\ufeff"

func write(w *csv.Writer, cells []string) error {
	for i := range cells {
		cells[i] = defused(cells[i])
	}
	return w.Write(cells)
}

// defused is a cell that no spreadsheet takes for a formula: those that begin as one does,
// in half or full width, get an apostrophe, which spreadsheets don't show.
func defused(cell string) string {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(cell, " \u00a0\u3000\ufeff"))
	if strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return "'" + cell
	}
	return cell
}

// cell is a value as people read it.
func (f *File) cell(field *form.Field, v syncproto.Value) string {
	if v.IsNull() {
		return ""
	}
	if m, ok := v.Masked(); ok {
		return m.Masked
	}
	if list, ok := v.Texts(); ok {
		for i := range list {
			list[i] = f.choice(field, list[i])
		}
		return strings.Join(list, "、")
	}
	if text, ok := v.Text(); ok {
		return f.choice(field, text)
	}
	switch {
	case v == "true":
		return f.say(textYes)
	case v == "false":
		return f.say(textNo)
	case field.Type == form.Time:
		var ms int64
		if _, err := fmt.Sscan(string(v), &ms); err == nil {
			return time.UnixMilli(ms).In(form.Zone).Format(time.DateTime)
		}
	}
	return string(v)
}

// choice is a choice by its label, and any other text as it is.
func (f *File) choice(field *form.Field, code string) string {
	for _, o := range field.Choices {
		if o.Code == code {
			return f.say(o.Label)
		}
	}
	return code
}
