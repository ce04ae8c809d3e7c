package roster

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"gridsync/syncproto"
)

// read makes a file of rows and reads it as a spreadsheet does.
func read(t *testing.T, english bool, rows ...Row) [][]string {
	t.Helper()
	snap := open(t).Current()
	f := NewFile(snap, snap.Forms.Newest("person"), english)
	if err := f.Add(rows); err != nil {
		t.Fatal(err)
	}
	whole, err := f.Whole("导出人 =甲")
	if err != nil {
		t.Fatal(err)
	}
	text, marked := bytes.CutPrefix(whole, []byte("\xef\xbb\xbf"))
	if !marked {
		t.Error("no byte order mark")
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord = -1
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return lines
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

func TestNoCellIsAFormula(t *testing.T) {
	for _, value := range []string{
		"=1+1", "+86", "-1", "@sum", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠1", " =1", "\u3000=1", "\ufeff=1",
	} {
		got := cell(read(t, false, somebody("name", value)), "姓名")
		if !strings.HasPrefix(got, "'") || strings.TrimSpace(strings.ReplaceAll(got[1:], "\r", "")) != strings.TrimSpace(strings.ReplaceAll(value, "\r", "")) {
			t.Errorf("%q became %q", value, got)
		}
	}
	row := somebody("name", "x")
	row.Fields["name"] = "-5"
	if got := cell(read(t, false, row), "姓名"); got != "'-5" {
		t.Errorf("a number in place of a text: %q", got)
	}
	for _, plain := range []string{"王芳", "", "a=b", "'x", `他说"好"`, "一,二", "上\n下"} {
		if got := cell(read(t, false, somebody("name", plain)), "姓名"); got != plain {
			t.Errorf("%q became %q", plain, got)
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

func TestBothEndsOfAFileSayWhoseItIs(t *testing.T) {
	lines := read(t, false, somebody("name", "甲"), somebody("name", "乙"))
	last := lines[len(lines)-1]
	if len(lines) != 5 || lines[0][0] != "导出人 =甲" || last[0] != "导出人 =甲" || last[1] != "2 行" {
		t.Errorf("%q … %q", lines[0], last)
	}
	if lines := read(t, true); len(lines) != 3 || lines[2][1] != "0 rows" {
		t.Errorf("nobody: %q", lines)
	}
}
