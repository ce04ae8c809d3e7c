package roster

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"gridsync/server/internal/sheet"
	"gridsync/syncproto"
)

// rows are a roster's rows as a report.
type rows struct {
	*Sheet
	rows []Row
}

func (r *rows) Title() syncproto.Text   { return syncproto.Text{ZH: "人员", EN: "people"} }
func (r *rows) Closing() syncproto.Text { return syncproto.Text{} }

func (r *rows) Next() ([][]sheet.Value, error) {
	var cells [][]sheet.Value
	for i := range r.rows {
		cells = append(cells, r.Cells(&r.rows[i]))
	}
	r.rows = nil
	return cells, nil
}

// read makes a file of rows and reads it as a spreadsheet does.
func read(t *testing.T, english bool, list ...Row) [][]string {
	t.Helper()
	snap := open(t).Current()
	var b bytes.Buffer
	r := &rows{NewSheet(snap, snap.Forms.Newest("person"), english), list}
	if _, err := sheet.Write(&b, sheet.CSV, r, sheet.Mark{Words: "甲", English: english}); err != nil {
		t.Fatal(err)
	}
	lines := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b.Bytes(), []byte("\xef\xbb\xbf"))))
	lines.FieldsPerRecord = -1
	all, err := lines.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// cell finds a record's cell by its heading.
func cell(lines [][]string, heading string) string {
	at := slices.Index(lines[1], heading)
	if at < 0 {
		return "no such heading"
	}
	return lines[2][at]
}

func somebody(name, value string) Row {
	return Row{ID: syncproto.RecordID{1}, Kind: "person", Area: "grid-1", Version: 7, Fields: syncproto.Fields{name: syncproto.TextValue(value)}}
}

func TestNoValueIsAFormula(t *testing.T) {
	row := somebody("name", "=1+1")
	row.Fields["employer"], row.Fields["id_number"] = `"＝x"`, "-5"
	lines := read(t, false, row)
	for heading, want := range map[string]string{"姓名": "'=1+1", "工作单位": "'＝x", "身份证号": "'-5"} {
		if got := cell(lines, heading); got != want {
			t.Errorf("%s: %q, want %q", heading, got, want)
		}
	}
}

func TestAFileReadsAsPeopleRead(t *testing.T) {
	row := Row{
		ID: syncproto.RecordID{1}, Kind: "person", Area: "grid-1", Version: 7,
		Fields: syncproto.Fields{
			"sex": `"female"`, "mobile": syncproto.Masked{Masked: "100****5678", Tag: "x"}.Value(), "classes": `["wuhan_return"]`, "employer": syncproto.Null,
		},
		Disputed: map[string][]Claim{"mobile": nil}, Exit: &syncproto.Exit{Reason: "moved", Date: "2020-02-01"},
	}
	lines := read(t, false, row)
	for heading, want := range map[string]string{
		"档案编号": row.ID.String(), "区域代码": "grid-1", "性别": "女", "手机号": "100****5678", "工作单位": "",
		"离开登记": "2020-02-01 moved", "待核查栏目": "手机号",
	} {
		if got := cell(lines, heading); got != want {
			t.Errorf("%s: %q, want %q", heading, got, want)
		}
	}
	if got := cell(lines, "人员分类"); got == "" || strings.Contains(got, "wuhan_return") {
		t.Errorf("a choice by its code: %q", got)
	}
	if got := cell(read(t, true, row), "Mobile"); got != "100****5678" {
		t.Errorf("in English: %q", got)
	}
}
