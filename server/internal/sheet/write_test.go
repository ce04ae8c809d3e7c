package sheet

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"gridsync/syncproto"
)

// paper is a report of some rows.
type paper struct {
	title   syncproto.Text
	columns []Column
	rows    [][]Value
	closing syncproto.Text
	failed  error
	batch   int
}

func (p *paper) Title() syncproto.Text   { return p.title }
func (p *paper) Columns() []Column       { return p.columns }
func (p *paper) Closing() syncproto.Text { return p.closing }

func (p *paper) Next() ([][]Value, error) {
	if len(p.rows) == 0 {
		return nil, p.failed
	}
	n := min(max(p.batch, 1), len(p.rows))
	batch := p.rows[:n]
	p.rows = p.rows[n:]
	return batch, nil
}

func heads(names ...string) []Column {
	var columns []Column
	for _, n := range names {
		columns = append(columns, Column{Head: syncproto.Text{ZH: n, EN: "en-" + n}})
	}
	return columns
}

func written(t testing.TB, f Format, r Report, m Mark) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := Write(&b, f, r, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func opened(t testing.TB, data []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

var dangerous = []string{
	"=1+1", "+86", "-1", "@sum", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠1", " =1", "\u3000=1", "\ufeff=1",
	`=HYPERLINK("http://x","y")`, "=cmd|' /C calc'!A0", "'=1", "''=1", "'0571",
}

func one(text string) *paper {
	return &paper{title: syncproto.Text{ZH: "名单", EN: "list"}, columns: heads("姓名"), rows: [][]Value{{TextOf(text)}}}
}

func TestNoCellIsAFormula(t *testing.T) {
	for _, text := range dangerous {
		r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(written(t, CSV, one(text), Mark{}), []byte(byteOrderMark))))
		r.FieldsPerRecord = -1
		lines, err := r.ReadAll()
		must(t, err)
		if got := lines[2][0]; !strings.HasPrefix(got, "'") {
			t.Errorf("CSV: %q became %q", text, got)
		}
		f := opened(t, written(t, XLSX, one(text), Mark{}))
		formula, err := f.GetCellFormula("名单", "A3")
		must(t, err)
		kind, err := f.GetCellType("名单", "A3")
		must(t, err)
		value, err := f.GetCellValue("名单", "A3")
		if must(t, err); formula != "" || kind != excelize.CellTypeInlineString || value != text {
			t.Errorf("xlsx: %q became %q, formula %q, type %d", text, value, formula, kind)
		}
	}
	for _, plain := range []string{"王芳", "a=b", "'x", `他说"好"`, "一,二", "上\n下"} {
		if got := defused(plain); got != plain {
			t.Errorf("%q became %q", plain, got)
		}
	}
}

func TestAWorkbookHoldsWhatWasWritten(t *testing.T) {
	at := time.Date(2020, 1, 31, 13, 5, 9, 0, time.FixedZone("", 8*60*60))
	p := &paper{
		title: syncproto.Text{ZH: "D社区/人员 [一]", EN: "people"}, columns: heads("姓名", "身份证号", "体温", "日期", "时间", "空"), closing: syncproto.Text{ZH: "截至版本 7", EN: "up to version 7"},
		rows: [][]Value{
			{TextOf("王芳"), TextOf("999701199001011233"), NumberOf("37.3"), DateOf("2020-01-31"), MomentOf(at), {}},
			{TextOf("a<b>&\"c\"_x0041_\x01\r\n末"), TextOf("00123"), NumberOf("999701199001011233"), DateOf("不详"), MomentOf(time.Time{}), TextOf("")},
		},
	}
	f := opened(t, written(t, XLSX, p, Mark{Words: "导出人 甲；区域 g1"}))
	const name = "D社区 人员  一"
	if got := f.GetSheetList(); len(got) != 1 || got[0] != name {
		t.Fatalf("sheets %q", got)
	}
	rows, err := f.GetRows(name)
	must(t, err)
	want := [][]string{
		{"内部资料｜导出人 甲；区域 g1"},
		{"姓名", "身份证号", "体温", "日期", "时间", "空"},
		{"王芳", "999701199001011233", "37.3", "2020-01-31", "2020-01-31 13:05:09"},
		{"a<b>&\"c\"_x0041_\x01\r\n末", "00123", "999701199001011233", "不详"},
		{"内部资料｜导出人 甲；区域 g1", "共 2 行；截至版本 7"},
	}
	for i := range want {
		for len(rows[i]) > 0 && rows[i][len(rows[i])-1] == "" {
			rows[i] = rows[i][:len(rows[i])-1]
		}
		if !slices.Equal(rows[i], want[i]) {
			t.Errorf("row %d: %q, want %q", i+1, rows[i], want[i])
		}
	}
	for cell, want := range map[string]excelize.CellType{"B3": excelize.CellTypeInlineString, "C3": excelize.CellTypeUnset, "C4": excelize.CellTypeInlineString, "D3": excelize.CellTypeUnset} {
		if got, err := f.GetCellType(name, cell); err != nil || got != want {
			t.Errorf("%s is of type %d, want %d (%v)", cell, got, want, err)
		}
	}
	raw, err := f.GetCellValue(name, "D3", excelize.Options{RawCellValue: true})
	if err != nil || raw != "43861" {
		t.Errorf("a day is %q, %v", raw, err)
	}
}

func TestAWorkbookIsPrintedWithItsHeadingsAndItsMark(t *testing.T) {
	p := one("甲")
	f := opened(t, written(t, XLSX, p, Mark{Words: "导出人 R&D；时间 2020-01-31"}))
	pages, err := f.GetPageLayout("名单")
	must(t, err)
	props, err := f.GetSheetProps("名单")
	must(t, err)
	edge, err := f.GetHeaderFooter("名单")
	must(t, err)
	panes, err := f.GetPanes("名单")
	must(t, err)
	if *pages.Orientation != "landscape" || *pages.Size != 9 || *pages.FitToWidth != 1 || *pages.FitToHeight != 0 || !*props.FitToPage {
		t.Errorf("pages %+v", pages)
	}
	if !strings.Contains(edge.OddFooter, "内部资料｜导出人 R&&D；时间 2020-01-31") || !strings.Contains(edge.OddFooter, "第 &P 页，共 &N 页") || !strings.Contains(edge.OddHeader, "名单") {
		t.Errorf("edges %+v", edge)
	}
	if !panes.Freeze || panes.YSplit != 2 {
		t.Errorf("panes %+v", panes)
	}
	titles := f.GetDefinedName()
	if len(titles) != 1 || titles[0].Name != "_xlnm.Print_Titles" || titles[0].RefersTo != "'名单'!$1:$2" {
		t.Errorf("titles %+v", titles)
	}
	english := opened(t, written(t, XLSX, one("x"), Mark{Words: "taken by x", English: true}))
	rows, err := english.GetRows("list")
	if must(t, err); rows[0][0] != "Internal | taken by x" || rows[1][0] != "en-姓名" || rows[3][1] != "1 rows" {
		t.Errorf("in English: %q", rows)
	}
	for title, want := range map[string]string{"": "Sheet1", "'[]'": "Sheet1", "a:b?c*d": "a b c d", strings.Repeat("长", 40): strings.Repeat("长", 25)} {
		if got := sheetName(title); got != want {
			t.Errorf("a sheet for %q is called %q", title, got)
		}
	}
}

func TestBothEndsOfAListSayWhoseItIs(t *testing.T) {
	for _, n := range []int{0, 1, 3} {
		p := &paper{columns: heads("姓名", "电话"), batch: 2}
		for i := range n {
			p.rows = append(p.rows, []Value{TextOf(fmt.Sprint(i)), {}})
		}
		text := string(written(t, CSV, p, Mark{Words: "导出人 =甲"}))
		lines := strings.Split(strings.TrimSuffix(strings.TrimPrefix(text, byteOrderMark), "\r\n"), "\r\n")
		if !strings.HasPrefix(text, byteOrderMark) || len(lines) != n+3 || lines[0] != "内部资料｜导出人 =甲" || lines[1] != "姓名,电话" || lines[n+2] != fmt.Sprintf("内部资料｜导出人 =甲,共 %d 行", n) {
			t.Errorf("%d rows: %q", n, lines)
		}
	}
}

func TestAFileThatFailsIsNoFile(t *testing.T) {
	gone := errors.New("the store is gone")
	for _, format := range []Format{XLSX, CSV} {
		var b bytes.Buffer
		p := one("甲")
		p.failed = gone
		rows, err := Write(&b, format, p, Mark{})
		if !errors.Is(err, gone) || rows != 1 {
			t.Errorf("%s: %d rows, %v", format, rows, err)
		}
		if format == XLSX {
			if _, err := excelize.OpenReader(bytes.NewReader(b.Bytes())); err == nil {
				t.Error("half a workbook opens")
			}
		}
		for limit := range 3 {
			if _, err := Write(&closing{left: limit * 40}, format, numbered(5000), Mark{}); err == nil {
				t.Errorf("%s: nobody noticed that the reader left", format)
			}
		}
	}
}

// closing is a connection that closes after so many bytes.
type closing struct{ left int }

func (c *closing) Write(b []byte) (int, error) {
	if c.left -= len(b); c.left < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(b), nil
}

func numbered(n int) *paper {
	p := &paper{columns: heads("号"), batch: 100}
	for i := range n {
		p.rows = append(p.rows, []Value{TextOf(fmt.Sprintf("%d-%d", i, i*7919%10007))})
	}
	return p
}

// What was written is read again, whatever it is, in both formats; what a spreadsheet's
// cell can't keep apart (spaces at the ends, full and half width) is alike before.
func TestWhatWasWrittenIsReadAgain(t *testing.T) {
	text := rapid.StringOf(rapid.OneOf(
		rapid.SampledFrom([]rune("=+-@'\"|,;\t\n 0159１Ａａ王芳𠮷_x<>&\u200b＝")), rapid.Rune(),
	))
	rapid.Check(t, func(r *rapid.T) {
		want := rapid.SliceOfN(rapid.SliceOfN(text, 2, 2), 1, 4).Draw(r, "rows")
		for _, format := range []Format{XLSX, CSV} {
			p := &paper{columns: heads("第一栏", "第二栏")}
			for _, row := range want {
				p.rows = append(p.rows, []Value{TextOf("#" + row[0]), TextOf("#" + row[1])})
			}
			table, err := Read(t.Context(), "x", written(t, format, p, Mark{Words: "甲"}), Options{Known: []string{"第一栏"}})
			if err != nil || len(table.Rows) != len(want) {
				r.Fatalf("%s: %v, %+v", format, err, table)
			}
			for i, row := range want {
				for j := range row {
					same(r, format, table.Rows[i].Cell(j), "#"+row[j])
				}
			}
		}
	})
}

func same(r *rapid.T, format Format, got Cell, text string) {
	want := clean(strings.ToValidUTF8(text, "\uFFFD"))
	if strings.ContainsRune(want.text, '\uFFFD') || strings.Contains(text, "\r") {
		return // no cell keeps these: the one is named, and CSV drops the other
	}
	if got.Text != want.text {
		r.Fatalf("%s: %q came back as %q", format, text, got.Text)
	}
}

func TestGuardedTextsComeBackAsTheyWere(t *testing.T) {
	for _, text := range dangerous {
		for _, format := range []Format{XLSX, CSV} {
			if strings.ContainsRune(text, '\r') && format == CSV {
				continue
			}
			table, err := Read(t.Context(), "x", written(t, format, one(text), Mark{Words: "甲"}), Options{Known: []string{"姓名"}})
			must(t, err)
			want := strings.TrimFunc(text, invisible)
			if format == XLSX { // an apostrophe in a workbook may be its own or a person's
				want = clean(text).text
			}
			if len(table.Rows) != 1 || table.Rows[0].Cell(0).Text != want {
				t.Errorf("%s: %q came back as %+v", format, text, table.Rows)
			}
		}
	}
}

// flood gives rows without end and holds none.
type flood struct {
	paper
	left int
	peak uint64
}

func (f *flood) Next() ([][]Value, error) {
	if f.left == 0 {
		return nil, nil
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	f.peak = max(f.peak, m.HeapAlloc)
	batch := make([][]Value, 500)
	for i := range batch {
		f.left--
		for j := range 20 {
			batch[i] = append(batch[i], TextOf(fmt.Sprintf("第%d行第%d栏的内容", f.left, j)))
		}
	}
	return batch, nil
}

// 50,000 rows of 20 columns are 60 MB as XML.
func TestRowsAreNotHeld(t *testing.T) {
	for _, format := range []Format{XLSX, CSV} {
		var before runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		f := &flood{left: 50_000}
		f.columns = heads(strings.Split("一二三四五六七八九十甲乙丙丁戊己庚辛壬癸", "")...)
		n, err := Write(io.Discard, format, f, Mark{})
		if err != nil || n != 50_000 {
			t.Fatalf("%d rows, %v", n, err)
		}
		if grown := int64(f.peak) - int64(before.HeapAlloc); grown > 8<<20 {
			t.Errorf("%s: %d MB are held", format, grown>>20)
		}
	}
}

func TestASheetThatIsFullSaysSo(t *testing.T) {
	p := one("甲")
	b, err := openWorkbook(io.Discard, p, &Mark{})
	must(t, err)
	b.n = lastRow - 1
	must(t, b.row([]Value{TextOf("x")}))
	if err := b.row([]Value{TextOf("x")}); !errors.Is(err, errTooLong) {
		t.Errorf("one more: %v", err)
	}
}

func TestATextLongerThanACellSaysThatItIsCut(t *testing.T) {
	f := opened(t, written(t, XLSX, one(strings.Repeat("长", 40_000)), Mark{}))
	value, err := f.GetCellValue("名单", "A3")
	if must(t, err); !strings.HasSuffix(value, cut) || utf8.RuneCountInString(value) > maxUnits {
		t.Errorf("%d characters, ending in %q", utf8.RuneCountInString(value), value[max(0, len(value)-40):])
	}
	if text := string(written(t, CSV, one(strings.Repeat("长", 40_000)), Mark{})); strings.Count(text, "长") != 40_000 {
		t.Error("CSV was cut, too")
	}
}

func TestNumbersThatLoseNothingAreNumbers(t *testing.T) {
	for text, want := range map[string]Kind{
		"0": Number, "37.3": Number, "-5": Number, "123456789012345": Number, "1234567890123456": Text, "007": Text, "1e3": Text, "": Empty, "0.1234567890123456": Text,
	} {
		if got := NumberOf(text).as; got != want {
			t.Errorf("%q is of kind %d, want %d", text, got, want)
		}
	}
}

func TestASheetIsWellFormed(t *testing.T) {
	data := written(t, XLSX, one("a\x00b\ufffe\uffff<&>"), Mark{Words: "<&>"})
	p, err := openParts(data, &DefaultLimits)
	must(t, err)
	for name := range p.byName {
		must(t, p.read(name, func(d *decoder) error {
			return d.each(func(*xml.StartElement) error { return nil })
		}))
	}
}
