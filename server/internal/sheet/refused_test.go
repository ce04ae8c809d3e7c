package sheet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"
)

func TestAFileThatCannotBeReadSaysWhy(t *testing.T) {
	good := workbookOf(t, [][]any{{"姓名"}, {"甲"}})
	locked := func() []byte {
		f := excelize.NewFile()
		var b bytes.Buffer
		must(t, f.Write(&b, excelize.Options{Password: "x"}))
		return b.Bytes()
	}()
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"空.xlsx", nil, badEmpty},
		{"空白.csv", []byte("  \r\n \n"), badEmpty},
		{"半个.xlsx", good[:len(good)/2], badBroken},
		{"旧.xls", []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 600)), badOld},
		{"加密.xlsx", locked, badLocked},
		{"宏.xlsm", good, badMacros},
		{"改名的宏.xlsx", rawBook(t, `<worksheet/>`, "xl/vbaProject.bin", "x"), badMacros},
		{"改名的宏2.xlsx", pack(t, "[Content_Types].xml", `<Types><Override ContentType="application/vnd.ms-excel.sheet.macroEnabled.main+xml"/></Types>`), badMacros},
		{"老宏.xlsx", rawBook(t, `<worksheet/>`, "xl/macrosheets/sheet1.xml", "x"), badMacros},
		{"二进制.xlsb", pack(t, "[Content_Types].xml", partTypes, "xl/workbook.bin", "x"), badBinary},
		{"开放.ods", pack(t, "mimetype", "application/vnd.oasis.opendocument.spreadsheet", "content.xml", "<x/>"), badOpen},
		{"文档.xlsx", pack(t, "[Content_Types].xml", partTypes, "word/document.xml", "<x/>"), badOther},
		{"压缩包.xlsx", pack(t, "a.txt", "x"), badOther},
		{"网页.xls", []byte("\ufeff\r\n<html><table><tr><td>姓名</td></tr></table>"), badPage},
		{"图.xlsx", []byte("\x89PNG\r\n\x1a\n0000"), badOther},
		{"图.csv", []byte("姓名,\x00\x01\x02"), badOther},
		{"文件.pdf", []byte("%PDF-1.7"), badOther},
		{"没有表.xlsx", rawBook(t, `<worksheet><sheetData/></worksheet>`), badEmpty},
		{"坏表.xlsx", rawBook(t, `<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c>`+"<"), badBroken},
		{"倒行.xlsx", rawBook(t, `<worksheet><sheetData><row r="2"><c r="A2"><v>1</v></c></row><row r="1"/></sheetData></worksheet>`), badBroken},
		{"倒格.xlsx", rawBook(t, `<worksheet><sheetData><row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>1</v></c></row></sheetData></worksheet>`), badBroken},
		{"宽.xlsx", rawBook(t, `<worksheet><sheetData><row r="1"><c r="XFD1"><v>1</v></c></row></sheetData></worksheet>`), badColumns},
		{"宽.csv", []byte(strings.Repeat("甲,", 400) + "甲"), badColumns},
		{"长.csv", []byte("姓名\n" + strings.Repeat("甲\n", 200_000)), badRows},
	} {
		if got := refused(t, c.name, c.data, Options{}); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if got := refused(t, "x.xlsx", good, Options{Sheet: "别的"}); got != badNoSheet {
		t.Errorf("another sheet: %q", got)
	}
	if got := refused(t, "x.xlsx", good, Options{HeaderRow: 9}); got != badNoHeading {
		t.Errorf("headings in row 9: %q", got)
	}
	if got := refused(t, "x.xlsx", good, Options{Limits: Limits{Bytes: 10}}); got != badLarge {
		t.Errorf("ten bytes: %q", got)
	}
}

// What a part says of its size is one thing, and what comes out of it another.
func TestAPackedFloodIsStoppedEarly(t *testing.T) {
	flood := `<worksheet><sheetData>` + strings.Repeat(`<row/>`, 40<<20/6) + `</sheetData></worksheet>`
	honest := rawBook(t, flood)
	long := rawBook(t, `<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>`+strings.Repeat("長", 1<<20)+`</t></is></c></row></sheetData></worksheet>`)
	bombs := map[string][]byte{
		"packed to a thousandth":   honest,
		"a lie about its size":     lying(t, honest, "xl/worksheets/sheet1.xml", 1000),
		"one token of 3 MB":        long,
		"shared texts":             rawBook(t, `<worksheet/>`, "xl/sharedStrings.xml", strings.Repeat(`<si/>`, 8<<20)),
		"parts without number":     pack(t, append([]string{"[Content_Types].xml", partTypes}, many(3000)...)...),
		"entities within entities": rawBook(t, `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><worksheet><sheetData><row r="1"><c r="A1" t="str"><v>&b;</v></c></row></sheetData></worksheet>`),
	}
	for name, data := range bombs {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := refused(t, "x.xlsx", data, Options{})
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; got != badBomb && got != badBroken || grown > 24<<20 {
			t.Errorf("%s: %q after %d MB", name, got, grown>>20)
		}
	}
	if got := refused(t, "x.xlsx", lying(t, honest, "xl/worksheets/sheet1.xml", 1000), Options{Limits: Limits{
		Bytes: 1 << 20, Inflated: 1 << 20, Parts: 20, Rows: 10, Columns: 10, Cells: 100, Characters: 100, Listed: 10,
	}}); got != badBomb && got != badBroken {
		t.Errorf("more than may be unpacked: %q", got)
	}
}

// A small part that is named a hundred times is unpacked a hundred times, if nobody counts.
func TestAPartThatIsReadAgainCountsAgain(t *testing.T) {
	var sheets strings.Builder
	for i := range 100 {
		fmt.Fprintf(&sheets, `<sheet name="s%d" sheetId="%d" r:id="rId1"/>`, i, i)
	}
	data := pack(t, "[Content_Types].xml", partTypes, "_rels/.rels", partRels, "xl/_rels/workbook.xml.rels", partBook2, "xl/styles.xml", partStyles,
		"xl/workbook.xml", `<workbook xmlns:r="r"><sheets>`+sheets.String()+`</sheets></workbook>`,
		"xl/worksheets/sheet1.xml", `<worksheet><sheetData>`+strings.Repeat("<row/>", 100_000)+`</sheetData></worksheet>`)
	limits := DefaultLimits
	limits.Inflated = 2 << 20
	if got := refused(t, "x.xlsx", data, Options{Limits: limits}); got != badBomb {
		t.Errorf("%q", got)
	}
}

func many(n int) []string {
	var parts []string
	for i := range n {
		parts = append(parts, fmt.Sprintf("p%d", i), "")
	}
	return parts
}

func TestNothingElseInAWorkbookIsOpened(t *testing.T) {
	data := rawBook(t, `<worksheet><sheetData><row r="1"><c r="A1" t="str"><f>[1]Sheet1!A1</f><v>姓名</v></c></row>`+
		`<row r="2"><c r="A2" t="str"><f>WEBSERVICE("http://127.0.0.1:1/")</f><v>甲</v></c></row></sheetData></worksheet>`,
		"xl/externalLinks/externalLink1.xml", "this is no XML <<<", "xl/media/image1.png", "x", "xl/worksheets/sheet2.xml", "<<<")
	table := read(t, "x.xlsx", data, Options{})
	if got := cells(table); got != "2:甲" || table.Sheet != "名单" {
		t.Errorf("%s of %s", got, table.Sheet)
	}
}

func TestAReaderWhoLeavesIsNotWorkedFor(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	leave()
	for name, data := range map[string][]byte{
		"x.csv":  []byte("姓名\n" + strings.Repeat("甲\n", 2000)),
		"x.xlsx": rawBook(t, `<worksheet><sheetData>`+strings.Repeat(`<row><c t="str"><v>x</v></c></row>`, 2000)+`</sheetData></worksheet>`),
	} {
		if _, err := Read(ctx, name, data, Options{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever comes in, what comes out is a table or a code: never a panic.
func FuzzNoFileIsTooStrange(f *testing.F) {
	f.Add("a.csv", []byte("姓名,电话\n甲,\"100\n乙"))
	f.Add("a.csv", []byte("\xff\xfe1\x00,\x002\x00"))
	f.Add("a.xlsx", []byte("PK\x03\x04"))
	f.Add("a.csv", []byte("\xd5\xc5\xc8\xfd,1.23E+17\n,"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		_, err := Read(t.Context(), name, data, Options{})
		if err != nil {
			refused(t, name, data, Options{})
		}
	})
}

// A sheet whose XML was damaged anywhere gives a table or a code, too.
func TestADamagedSheetHarmsNobody(t *testing.T) {
	sheet := `<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="1"><v>43861</v></c></row>` +
		`<row r="2" hidden="1"><c r="A2" t="inlineStr"><is><r><t>x</t></r><rPh><t>y</t></rPh></is></c><c r="C2"><f>A1</f></c></row></sheetData>` +
		`<mergeCells><mergeCell ref="A1:B2"/></mergeCells></worksheet>`
	rapid.Check(t, func(r *rapid.T) {
		damaged := []byte(sheet)
		for range rapid.IntRange(1, 4).Draw(r, "times") {
			at := rapid.IntRange(0, len(damaged)-1).Draw(r, "at")
			switch rapid.IntRange(0, 2).Draw(r, "how") {
			case 0:
				damaged[at] = rapid.Byte().Draw(r, "byte")
			case 1:
				damaged = append(damaged[:at], damaged[min(at+rapid.IntRange(1, 30).Draw(r, "cut"), len(damaged)):]...)
			default:
				damaged = append(damaged[:at], append([]byte(rapid.SampledFrom([]string{"9", "1048577", "<row>", "</c>", `r="A1"`, "-"}).Draw(r, "more")), damaged[at:]...)...)
			}
			if len(damaged) == 0 {
				return
			}
		}
		_, err := Read(t.Context(), "x.xlsx", rawBook(t, string(damaged)), Options{FillMerged: true})
		if err != nil {
			refused(t, "x.xlsx", rawBook(t, string(damaged)), Options{})
		}
	})
}
