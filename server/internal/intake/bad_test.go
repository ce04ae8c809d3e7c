package intake_test

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"gridsync/server/internal/intake"
	"gridsync/syncproto"
)

// workbook builds an .xlsx in which fill has written.
func workbook(t testing.TB, fill func(f *excelize.File, sheet string)) []byte {
	t.Helper()
	f := excelize.NewFile()
	fill(f, "Sheet1")
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// set writes cells of a row, from column A.
func set(t testing.TB, f *excelize.File, sheet, from string, cells ...any) {
	t.Helper()
	if err := f.SetSheetRow(sheet, from, &cells); err != nil {
		t.Fatal(err)
	}
}

func TestABadRowStopsNoOther(t *testing.T) {
	w := newWorld(t)
	file := workbook(t, func(f *excelize.File, sheet string) {
		set(t, f, sheet, "A1", "姓名", "身份证号", "手机号", "出生日期", "性别", "网格", "到达日期")
		set(t, f, sheet, "A2", "张三", number("19500101", 1), "99900000001", "1950-01-01", "男", "东网格", "2020年1月20日")
		set(t, f, sheet, "A3", "李四", 1.23e17, "99900000002", "", "", "g1", "")   // an ID number that became a number
		set(t, f, sheet, "A4", "王五", "9990011950010100１Ｘ", "", "", "", "g1", "") // a slip in the check character
		set(t, f, sheet, "A5", "", number("19500101", 5), "", "", "", "g1", "")
		set(t, f, sheet, "A6", "赵六", "", "", "1月31日", "", "g1", "")
		set(t, f, sheet, "A7", "钱七", "", "", "", "不详", "g1", "")
		set(t, f, sheet, "A8", "孙八", "", "", "", "", "北网格", "")
		set(t, f, sheet, "A9", "周九", "", "９９９０００００００９", "1960/2/3", "女", "ｇ１", "20200121")
		set(t, f, sheet, "A10", "吴十", "1.23E+17", "", "", "", "g1", "")
	})
	o := w.order("person", "名单.xlsx", file)
	p := w.plan(o)
	w.counts(p, intake.Counts{New: 2, Bad: 7})
	for row, want := range map[int][2]string{
		3: {"B3", "丢"}, 4: {"B4", "校验"}, 5: {"", "姓名"}, 6: {"D6", "1月31日"}, 7: {"E7", "男、女"}, 8: {"F8", "北网格"}, 10: {"B10", "丢"},
	} {
		l := p.All()[row-2]
		if l.Row != row || len(l.Problems) != 1 || l.Problems[0].Cell != want[0] || !strings.Contains(l.Problems[0].ZH, want[1]) || l.Problems[0].EN == "" {
			t.Errorf("row %d: %+v", row, l.Problems)
		}
	}
	if _, err := w.Apply(t.Context(), o, p.Token, false); !isCode(err, syncproto.CodeBadRequest, "leave_out") {
		t.Errorf("the rest was imported without anybody's choosing so: %v", err)
	}
	done := w.applied(o, true)
	if done.Applied.New != 2 || done.Applied.Left != 7 {
		t.Errorf("%+v", done.Applied)
	}
	names := make(map[string]bool)
	for _, row := range w.all("person", "c1") {
		name, _ := row.Fields["name"].Text()
		names[name] = true
		if name == "周九" && (row.Fields["mobile"] != `"99900000009"` || row.Fields["birth"] != `"1960-02-03"` || row.Fields["sex"] != `"female"` || row.Area != "g1") {
			t.Errorf("%+v", row.Fields)
		}
	}
	if len(names) != 2 || !names["张三"] || !names["周九"] {
		t.Errorf("%v", names)
	}
}

func TestAFileThatCannotBeReadIsRefusedAndNothingIsTaken(t *testing.T) {
	w := newWorld(t)
	good := workbook(t, func(f *excelize.File, sheet string) {
		set(t, f, sheet, "A1", "姓名")
		set(t, f, sheet, "A2", "张三")
	})
	var bomb bytes.Buffer
	z := zip.NewWriter(&bomb)
	part, err := z.Create("xl/worksheets/sheet1.xml")
	w.must(err)
	for range 400 {
		_, err = part.Write(make([]byte, 1<<20))
		w.must(err)
	}
	w.must(z.Close())
	for name, file := range map[string][]byte{
		"broken.xlsx": good[:len(good)/2], "macros.xlsm": good, "empty.csv": nil, "bomb.xlsx": bomb.Bytes(),
		"old.xls": append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 600)...), "page.xls": []byte("<html><table><tr><td>姓名"),
	} {
		_, err := w.Plan(t.Context(), w.order("person", name, file))
		if !isCode(err, syncproto.CodeBadFile, "") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(w.all("", "33")); n != 0 {
		t.Errorf("%d records", n)
	}
}

func TestWhatSpreadsheetsDoToAFileIsUnderstood(t *testing.T) {
	w := newWorld(t)
	gbk, err := simplifiedchinese.GBK.NewEncoder().Bytes(table("姓名|联系电话|网格", "张三|99900000001|东网格"))
	w.must(err)
	for name, file := range map[string][]byte{
		"gbk.csv": gbk,
		"bom.csv": append([]byte("\xef\xbb\xbf"), table("姓名|联系电话|网格", "张三|99900000001|东网格")...),
		"title.xlsx": workbook(t, func(f *excelize.File, sheet string) {
			set(t, f, sheet, "A1", "东网格人员登记表（2020年1月）")
			set(t, f, sheet, "A2", "姓 名", "联系电话（必填）", "＊网格")
			set(t, f, sheet, "A3", " 张三 ", 99900000001, "东网格")
			set(t, f, sheet, "A4", "合计", 1)
		}),
		"merged.xlsx": workbook(t, func(f *excelize.File, sheet string) {
			set(t, f, sheet, "A1", "网格", "姓名", "电话")
			set(t, f, sheet, "A2", "东网格", "李四", "99900000002")
			set(t, f, sheet, "B3", "张三", "99900000001")
			w.must(f.MergeCell(sheet, "A2", "A3"))
		}),
	} {
		p := w.plan(w.order("person", name, file))
		if p.Token == "" || p.Counts.Bad > 0 {
			t.Errorf("%s: %+v %+v %+v", name, p.Counts, p.Problems, p.Lines)
			continue
		}
		last := p.All()[len(p.All())-1]
		if last.Name != "张三" || last.Area != "g1" {
			t.Errorf("%s: %+v", name, last)
		}
	}
}

func TestColumnsThatCannotBeToldApartAreNamed(t *testing.T) {
	w := newWorld(t)
	p := w.plan(w.order("person", "a.csv", table("姓名|电话|手机", "张三|1|2")))
	if p.Token != "" || len(p.Problems) != 1 || p.Problems[0].Column != "手机" || !strings.Contains(p.Problems[0].ZH, "“电话”和“手机”") {
		t.Errorf("%+v", p.Problems)
	}
	o := w.order("person", "a.csv", table("姓名|电话|手机|花名", "张三|99900000001|99900000002|小张"))
	o.Mapping = map[string]string{"电话": "", "花名": "note"}
	p = w.applied(o, false)
	row := w.shows(p.All()[0].Record)
	if row.Fields["mobile"] != `"99900000002"` || row.Fields["note"] != `"小张"` {
		t.Errorf("%+v", row.Fields)
	}
	o.Mapping["花名"] = "no_such_field"
	if p := w.plan(o); p.Token != "" || len(p.Problems) != 1 {
		t.Errorf("%+v", p.Problems)
	}
	p = w.plan(w.order("person", "a.csv", table("电话|网格", "99900000001|g1")))
	if p.Token != "" || len(p.Missing) != 1 || p.Missing[0].ZH != "姓名" {
		t.Errorf("%+v", p)
	}
	if _, err := w.Apply(t.Context(), w.order("person", "a.csv", table("电话|网格", "99900000001|g1")), "", true); !isCode(err, syncproto.CodeBadRequest, "file") {
		t.Errorf("%v", err)
	}
}

func TestAreasComeBelowTheChosenOneOnly(t *testing.T) {
	w := newWorld(t)
	o := w.order(intake.KindArea, "网格.csv", table("编码|名称|上级编码",
		"g9|新网格|c1", "g91|一号楼|g9", "g1|东网格|c1", "g2|西大网格|c1", "g3|南网格|c1", "c1|一社区|33",
		"g92|无上级|nowhere", "g93|它的下级|g92", "g9|重复|c1", "坏码|名称|c1", "g94||c1", "g95|环|g96", "g96|环|g95", "g97|直属|"))
	p := w.plan(o)
	w.counts(p, intake.Counts{New: 3, Same: 1, Differs: 1, Bad: 9})
	for row, want := range map[int]string{
		6: "所选区域之外", 7: "所选区域本身", 8: "nowhere", 9: "g92", 10: "第 2 行", 11: "编码应为", 12: "缺少名称", 13: "", 14: "",
	} {
		l := p.All()[row-2]
		if l.Status != intake.Bad || want != "" && !strings.Contains(l.Problems[0].ZH, want) {
			t.Errorf("row %d: %+v", row, l)
		}
	}
	done := w.applied(o, true)
	if done.Applied.New != 3 || done.Applied.Differs != 1 {
		t.Errorf("%+v", done.Applied)
	}
	tree := w.registry.Current().Areas
	for id, want := range map[syncproto.AreaID]string{"g9": "c1 新网格", "g91": "g9 一号楼", "g2": "c1 西大网格", "g97": "c1 直属", "g3": "c2 南网格"} {
		if n, _ := tree.Find(id); string(n.Parent)+" "+n.Name != want {
			t.Errorf("%s: %+v", id, n)
		}
	}
	w.counts(w.plan(o), intake.Counts{Same: 5, Bad: 9})
}
