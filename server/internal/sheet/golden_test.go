package sheet

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"gridsync/syncproto"
)

var update = flag.Bool("update", false, "write the golden workbooks anew")

const goldenDir = "../../../testdata/fixtures/sheets"

// goldens are the reports that are kept as files: their names, and what is in them.
func goldens() map[string]*paper {
	zone := time.FixedZone("", 8*60*60)
	people := &paper{
		title: syncproto.Text{ZH: "人员花名册", EN: "People"}, columns: heads("档案编号", "姓名", "身份证号", "手机号", "体温", "出生日期", "登记时间", "备注"), closing: syncproto.Text{ZH: "截至版本 412", EN: "up to version 412"},
		rows: [][]Value{
			{TextOf("0190a0c0-0000-7000-8000-000000000001"), TextOf("王*芳"), TextOf("999701199001011233"), TextOf("10012345678"), NumberOf("37.3"), DateOf("1990-01-01"), MomentOf(time.Date(2020, 1, 31, 8, 5, 9, 0, zone)), {}},
			{TextOf("0190a0c0-0000-7000-8000-000000000002"), TextOf("𠮷田&<b>"), TextOf("00123"), TextOf("0571-999"), NumberOf("36"), DateOf("1900-03-01"), MomentOf(time.Date(2020, 2, 29, 23, 59, 59, 0, zone)), TextOf("第一行\n第二行，“引号”,\"x\"")},
			{{}, TextOf("李 四"), TextOf("99970119900101123X"), {}, NumberOf("-0.5"), DateOf("不详"), {}, TextOf("有_x0041_的文字")},
		},
	}
	formulas := &paper{title: syncproto.Text{ZH: "危险的内容", EN: "Dangerous"}, columns: heads("内容", "序号")}
	for i, text := range dangerous {
		if !strings.ContainsAny(text, "\r\ufeff") { // LibreOffice drops these in CSV
			formulas.rows = append(formulas.rows, []Value{TextOf(text), NumberOf(string(rune('0' + i%10)))})
		}
	}
	daily := &paper{title: syncproto.Text{ZH: "日报 2020-01-31", EN: "Daily report"}, columns: heads("区域", "户数", "见面率"), batch: 3}
	for i := range 150 { // several pages
		daily.rows = append(daily.rows, []Value{TextOf("网格" + string(rune('一'+i))), NumberOf("163"), NumberOf("69.8")})
	}
	return map[string]*paper{"people": people, "formulas": formulas, "daily": daily}
}

var goldenMark = Mark{Words: "导出人 郑某；时间 2020-01-31 18:00:00；区域 D社区 330702001003"}

// contents are a workbook's parts, unpacked.
func contents(t *testing.T, data []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	must(t, err)
	parts := make(map[string]string)
	for _, f := range z.File {
		r, err := f.Open()
		must(t, err)
		b, err := io.ReadAll(r)
		must(t, err, r.Close())
		parts[f.Name] = string(b)
	}
	return parts
}

// Whoever changes what a workbook looks like sees it here, and looks at it once.
func TestWorkbooksAreTheGoldenOnes(t *testing.T) {
	for name, p := range goldens() {
		fresh, path := written(t, XLSX, p, goldenMark), filepath.Join(goldenDir, name+".xlsx")
		if *update {
			must(t, os.MkdirAll(goldenDir, 0o755), os.WriteFile(path, fresh, 0o644))
		}
		kept, err := os.ReadFile(path)
		must(t, err)
		want, got := contents(t, kept), contents(t, fresh)
		if len(want) != len(got) {
			t.Errorf("%s has %d parts, and had %d", name, len(got), len(want))
		}
		for part := range want {
			if got[part] != want[part] {
				t.Errorf("%s: %s has changed:\n%.2000s\nwas\n%.2000s", name, part, got[part], want[part])
			}
		}
	}
}

// What we write, two programs of others read as it was meant, cell by cell.
func TestOtherProgramsReadTheSameCells(t *testing.T) {
	office := libreOffice(t)
	dir := t.TempDir()
	var files []string
	for name := range goldens() {
		b, err := os.ReadFile(filepath.Join(goldenDir, name+".xlsx"))
		path := filepath.Join(dir, name+".xlsx")
		must(t, err, os.WriteFile(path, b, 0o600))
		files = append(files, path)
	}
	convert(t, office, dir, files)
	for name, p := range goldens() {
		want := shownCells(p)
		if got := csvCells(t, filepath.Join(dir, name+".csv")); !alike(got, want) {
			t.Errorf("%s in LibreOffice:\n%q\nwant\n%q", name, got, want)
		}
		f, err := excelize.OpenFile(filepath.Join(dir, name+".xlsx"))
		must(t, err)
		got, err := f.GetRows(f.GetSheetName(0))
		if must(t, err, f.Close()); !alike(got, want) {
			t.Errorf("%s in excelize:\n%q\nwant\n%q", name, got, want)
		}
		ours, err := os.ReadFile(filepath.Join(dir, name+".xlsx"))
		must(t, err)
		if got := read(t, name+".xlsx", ours, Options{HeaderRow: 2}); len(got.Rows) != len(p.rows) {
			t.Errorf("%s by ourselves: %d rows, want %d", name, len(got.Rows), len(p.rows))
		}
	}
}

// shownCells are the cells that a reader of a report is to see.
func shownCells(p *paper) [][]string {
	var head []string
	for _, c := range p.columns {
		head = append(head, c.Head.ZH)
	}
	rows := [][]string{{goldenMark.Line()}, head}
	for _, row := range p.rows {
		var texts []string
		for _, v := range row {
			texts = append(texts, v.text)
		}
		rows = append(rows, texts)
	}
	return append(rows, []string{goldenMark.Line(), goldenMark.end(len(p.rows), p.closing)})
}

func csvCells(t *testing.T, path string) [][]string {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte(byteOrderMark))))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	must(t, err)
	return rows
}

// alike compares rows, and doesn't count empty cells at their ends.
func alike(a, b [][]string) bool {
	return slices.EqualFunc(a, b, func(x, y []string) bool { return slices.Equal(ends(x), ends(y)) })
}

func ends(row []string) []string {
	for len(row) > 0 && row[len(row)-1] == "" {
		row = row[:len(row)-1]
	}
	return row
}

// libreOffice finds the program; `make test` installs it where it may.
func libreOffice(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"soffice", "libreoffice"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("LibreOffice isn't there, and nobody can say whether it opens what we write. Debian: apt-get install --no-install-recommends libreoffice-calc-nogui")
	return ""
}

// convert has workbooks written as CSV, as they are shown.
func convert(t *testing.T, office, dir string, files []string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Minute)
	defer stop()
	args := append([]string{
		"-env:UserInstallation=file://" + filepath.Join(dir, "profile"), "--headless", "--norestore",
		"--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false", "--outdir", dir,
	}, files...)
	cmd := exec.CommandContext(ctx, office, args...)
	cmd.Env = append(os.Environ(), "HOME="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatal(errors.Join(err, errors.New(string(out))))
	}
}
