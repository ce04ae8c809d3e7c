package sheet

import (
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
)

func TestAWorkbookIsReadCellByCell(t *testing.T) {
	data := workbookOf(t, [][]any{
		{"姓名", "身份证号", "手机号", "体温", "日期", "在家"},
		{"王小明", "999701199001011233", 10012345678, 37.3, nil, true},
		{"  李 四　", "９９９７０１１９９００１０１１２３Ｘ", "\u202d10012345679\u202c", "36.50", "2020年1月31日", false},
	}, func(f *excelize.File) {
		day, err := f.NewStyle(&excelize.Style{NumFmt: 14})
		must(t, err, f.SetCellValue("Sheet1", "E2", 43861), f.SetCellStyle("Sheet1", "E2", "E2", day))
	})
	table := read(t, "名单.xlsx", data, Options{})
	want := "2:王小明|999701199001011233|10012345678|37.3|2020-01-31|true\n3:李 四|99970119900101123X|10012345679|36.50|2020年1月31日|false"
	if got := cells(table); got != want || table.HeaderRow != 1 || strings.Join(table.Headers, "|") != "姓名|身份证号|手机号|体温|日期|在家" {
		t.Errorf("%v\n%s", table.Headers, got)
	}
	kinds := []Kind{Text, Text, Number, Number, Date, Bool}
	for col, want := range kinds {
		if got := table.Rows[0].Cell(col).Kind; got != want {
			t.Errorf("%s is of kind %d, want %d", table.Rows[0].Ref(col), got, want)
		}
	}
	remarks := "A3 姓名 去掉了首尾空格和看不见的字符\nB3 身份证号 全角数字、字母按半角读入\nC3 手机号 去掉了首尾空格和看不见的字符"
	if got := list(table.Remarks); got != remarks || len(table.Problems) > 0 {
		t.Errorf("remarks\n%s\nproblems %v", got, table.Problems)
	}
	if table.Column("电话", "手机号") != 2 || table.Column("电话") != -1 || table.Rows[0].Cell(9) != (Cell{}) || table.Rows[0].Cell(-1) != (Cell{}) {
		t.Error("a column that isn't there")
	}
}

// What a spreadsheet has lost is never guessed: the cell has no text, and its name is told.
func TestANumberThatLostItsDigitsIsNamed(t *testing.T) {
	table := read(t, "x.xlsx", workbookOf(t, [][]any{
		{"姓名", "身份证号"},
		{"甲", 999701199001011233.0},
		{"乙", "1.23E+17"},
		{"丙", "9.99701E+17"},
		{"丁", "999701199001011233"},
		{"戊", 123456789012345.0},
		{"己", "1E10"},
		{"庚", "1.0012345678E+10"},
	}), Options{})
	if got, want := cells(table), "2:甲|\n3:乙|\n4:丙|\n5:丁|999701199001011233\n6:戊|123456789012345\n7:己|1E10\n8:庚|10012345678"; got != want {
		t.Errorf("%s", got)
	}
	want := "B2 身份证号 " + textLost.ZH + "\nB3 身份证号 " + textRounded.ZH + "\nB4 身份证号 " + textRounded.ZH
	if got := list(table.Problems); got != want {
		t.Errorf("%s", got)
	}
	if table.Problems[1].Shown != "1.23E+17" || !strings.HasPrefix(table.Problems[0].Shown, "9.9970119900101") || table.Rows[0].Cells[1].Kind != Unreadable {
		t.Errorf("shown %+v", table.Problems)
	}
	csv := read(t, "x.csv", []byte("身份证号,车牌\n1.23E+17,浙A00001\n999701199001011000,x\n"), Options{})
	if got := list(csv.Problems); got != "A2 身份证号 "+textRounded.ZH {
		t.Error(got)
	}
	if got := list(csv.Remarks); got != "A3 身份证号 "+textZeros.ZH {
		t.Error(got)
	}
}

func TestDatesAreReadInBothSystems(t *testing.T) {
	sheet := `<worksheet><sheetData><row r="1"><c r="A1" t="str"><v>日期</v></c></row>` +
		`<row r="2"><c r="A2" s="1"><v>43861</v></c></row>` +
		`<row r="3"><c r="A3" s="2"><v>1</v></c></row>` +
		`<row r="4"><c r="A4" s="3"><v>43861.5451388889</v></c></row>` +
		`<row r="5"><c r="A5" s="4"><v>0.5</v></c></row>` +
		`<row r="6"><c r="A6" s="1"><v>60</v></c></row>` +
		`<row r="7"><c r="A7" s="1"><v>-1</v></c></row>` +
		`<row r="8"><c r="A8" s="1"><v>9999999</v></c></row>` +
		`<row r="9"><c r="A9" t="d"><v>2020-01-31T13:05:00</v></c></row>` +
		`<row r="10"><c r="A10" s="0"><v>43861</v></c></row>` +
		`<row r="11"><c r="A11" s="1"><v>61</v></c></row></sheetData></worksheet>`
	table := read(t, "x.xlsx", rawBook(t, sheet), Options{})
	want := "2:2020-01-31\n3:1900-01-01\n4:2020-01-31 13:05:00\n5:12:00:00\n6:\n7:\n8:\n9:2020-01-31 13:05:00\n10:43861\n11:1900-03-01"
	if got := cells(table); got != want {
		t.Errorf("%s", got)
	}
	if got := list(table.Problems); strings.Count(got, textBadDate.ZH) != 3 {
		t.Errorf("%s", got)
	}
	parts := []string{
		"[Content_Types].xml", partTypes, "_rels/.rels", partRels, "xl/_rels/workbook.xml.rels", partBook2, "xl/styles.xml", partStyles,
		"xl/workbook.xml", strings.Replace(partBook, "<sheets>", `<workbookPr date1904="1"/><sheets>`, 1), "xl/worksheets/sheet1.xml", sheet,
	}
	if got := cells(read(t, "x.xlsx", pack(t, parts...), Options{})); !strings.HasPrefix(got, "2:2024-02-01\n3:1904-01-02\n") {
		t.Errorf("since 1904: %s", got)
	}
}

func TestFormatsTellDatesFromNumbers(t *testing.T) {
	for code, want := range map[string]format{
		"yyyy-mm-dd": {date: true}, `yyyy"年"m"月"d"日"`: {date: true}, "m/d/yy h:mm": {date: true, hour: true}, "[$-804]aaaa;@": {},
		"h:mm:ss": {hour: true}, "[h]:mm": {hour: true}, "mm:ss": {hour: true}, `0.0"天"`: {}, "General": {}, "0.00E+00": {}, "000000": {zeros: 6},
		`#,##0;[Red]-#,##0`: {}, `"d"0`: {}, `\d0`: {}, "mmm": {date: true}, "@": {}, "0": {}, `0"日"`: {},
	} {
		if got := formatOf(code); got != want {
			t.Errorf("%s: %+v, want %+v", code, got, want)
		}
	}
}

func TestTheRowOfTheHeadingsIsFound(t *testing.T) {
	rows := [][]any{
		{"D社区返乡人员登记表"},
		{"填报单位：D社区", nil, nil, "2020年2月"},
		nil,
		{"序号", " 姓 名 *", "手机号\n（本人）", "备注"},
		{1, "甲", "10012345678"},
		{2, "乙", "10012345679", "x"},
		{"合 计", nil, "2"},
		{"备注：以上为初步排查结果"},
	}
	table := read(t, "x.xlsx", workbookOf(t, rows), Options{})
	if table.HeaderRow != 4 || strings.Join(table.Headers, "|") != "序号|姓名|手机号（本人）|备注" {
		t.Fatalf("row %d: %q", table.HeaderRow, table.Headers)
	}
	if got := cells(table); got != "5:1|甲|10012345678\n6:2|乙|10012345679|x" {
		t.Errorf("%s", got)
	}
	if got := list(table.Remarks); !strings.Contains(got, "第7行  合计行，没有作为数据读入") || !strings.Contains(got, "第8行  表尾的说明，没有作为数据读入") || !strings.Contains(got, "第 4 行是表头") {
		t.Errorf("%s", got)
	}
	if table := read(t, "x.xlsx", workbookOf(t, rows), Options{HeaderRow: 5}); table.HeaderRow != 5 || table.Headers[1] != "甲" {
		t.Errorf("the row that was named: %d %q", table.HeaderRow, table.Headers)
	}
	known := [][]any{{"说明", "请如实", "填写"}, {"户主", "2020", "地址"}, {"甲", "x", "一号"}}
	if table := read(t, "x.xlsx", workbookOf(t, known), Options{Known: []string{"户主", "地址"}}); table.HeaderRow != 2 {
		t.Errorf("known headings: %d", table.HeaderRow)
	}
	one := read(t, "x.csv", []byte("姓名\n甲\n"), Options{})
	if one.HeaderRow != 1 || cells(one) != "2:甲" {
		t.Errorf("one column: %d %s", one.HeaderRow, cells(one))
	}
}

// A person who is called 合计, or a household with a remark, is no row of totals.
func TestOnlyARowOfTotalsIsLeftOut(t *testing.T) {
	table := read(t, "x.csv", []byte("姓名,地址\n合计,一号楼\n总计,3\n备注：搬走,一号楼\n姓名,地址\n姓名,一号\n"), Options{})
	if got := cells(table); got != "2:合计|一号楼\n6:姓名|一号" {
		t.Errorf("%s\n%s", got, list(table.Remarks))
	}
}

func TestHeadingsThatCannotBeToldApartAreNamed(t *testing.T) {
	table := read(t, "x.csv", []byte("姓名,电话,,姓名,\n甲,1,x,乙,\n,,,,\n丙,2,,,\n"), Options{})
	want := "C1  这一列没有表头，但下面有内容（如 C2），没有读入\nD1 姓名 表头与 A1 重复，这一列没有读入"
	if got := list(table.Problems); got != want {
		t.Errorf("%s", got)
	}
	if got := cells(table); got != "2:甲|1|x|乙\n4:丙|2" || table.Column("姓名") != 0 {
		t.Errorf("%s", got)
	}
	beyond := read(t, "x.csv", []byte("姓名,电话\n甲,1,多\n乙,2,多\n"), Options{})
	if got := list(beyond.Problems); got != "C1  这一列没有表头，但下面有内容（如 C2），没有读入" {
		t.Errorf("%s", got)
	}
}

func TestMergedCellsAreNamedAndFilledOnlyWhenAllowed(t *testing.T) {
	data := workbookOf(t, [][]any{{"D社区", nil, nil}, {"地址", "人员", nil}, {nil, "姓名", "电话"}, {"一号", "甲", "1"}, {nil, "乙", "2"}, {"三号", "丙", "3"}},
		func(f *excelize.File) {
			must(t, f.MergeCell("Sheet1", "A1", "C1"), f.MergeCell("Sheet1", "A2", "A3"), f.MergeCell("Sheet1", "B2", "C2"), f.MergeCell("Sheet1", "A4", "A5"))
		})
	table := read(t, "x.xlsx", data, Options{})
	if table.HeaderRow != 3 || strings.Join(table.Headers, "|") != "地址|姓名|电话" {
		t.Errorf("headings in two rows: %d %q", table.HeaderRow, table.Headers)
	}
	if got := cells(table); got != "4:一号|甲|1\n5:|乙|2\n6:三号|丙|3" {
		t.Errorf("%s", got)
	}
	if got := list(table.Remarks); !strings.Contains(got, "A4:A5 地址 合并单元格：只有第一格 A4 有值，其余按空白读入") || strings.Contains(got, "A2:A3") {
		t.Errorf("%s", got)
	}
	filled := read(t, "x.xlsx", data, Options{FillMerged: true})
	if got := cells(filled); got != "4:一号|甲|1\n5:一号|乙|2\n6:三号|丙|3" || !strings.Contains(list(filled.Remarks), "各格都取第一格 A4 的值") {
		t.Errorf("%s\n%s", got, list(filled.Remarks))
	}
	huge := `<worksheet><sheetData><row r="1"><c r="A1" t="str"><v>姓名</v></c></row><row r="2"><c r="A2" t="str"><v>甲</v></c></row>` +
		`<row r="1048576"><c r="A1048576" t="str"><v>乙</v></c></row></sheetData><mergeCells><mergeCell ref="A2:XFD1048576"/></mergeCells></worksheet>`
	if got := read(t, "x.xlsx", rawBook(t, huge), Options{FillMerged: true}); len(got.Rows) != 2 || len(got.Rows[0].Cells) != DefaultLimits.Columns {
		t.Errorf("merged to the sheet's end: %d rows of %d", len(got.Rows), len(got.Rows[0].Cells))
	}
}

func TestFormulasGiveTheirLastResult(t *testing.T) {
	table := read(t, "x.xlsx", rawBook(t, `<worksheet><sheetData><row r="1"><c r="A1" t="str"><v>编号</v></c><c r="B1" t="str"><v>人数</v></c></row>`+
		`<row r="2"><c r="A2"><v>1</v></c><c r="B2"><f>1+2</f><v>3</v></c></row>`+
		`<row r="3"><c r="A3"><v>2</v></c><c r="B3"><f>1+2</f></c></row>`+
		`<row r="4"><c r="A4"><v>3</v></c><c r="B4" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>`+
		`<row r="5"><c r="A5"><v>4</v></c><c r="B5" t="str"><f>""</f><v></v></c></row>`+
		`<row r="6" hidden="1"><c r="A6"><v>5</v></c><c r="B6"><v>0.1</v></c></row></sheetData></worksheet>`), Options{})
	if got := cells(table); got != "2:1|3\n3:2|\n4:3|\n5:4\n6:5|0.1" {
		t.Errorf("%s", got)
	}
	if got := list(table.Problems); got != "B3 人数 "+textNoResult.ZH+"\nB4 人数 "+textErrorValue.ZH {
		t.Errorf("%s", got)
	}
	if got := list(table.Remarks); got != "B2 人数 "+textFormula.ZH+" ×2\n第6行  "+textHidden.ZH {
		t.Errorf("%s", got)
	}
}

func TestOfSeveralSheetsItIsSaidWhichWasRead(t *testing.T) {
	data := workbookOf(t, [][]any{{"姓名"}, {"甲"}}, func(f *excelize.File) {
		for _, name := range []string{"填表说明", "第二期"} {
			_, err := f.NewSheet(name)
			must(t, err)
		}
		must(t, f.SetCellValue("第二期", "A1", "姓名"), f.SetCellValue("第二期", "A2", "乙"), f.SetSheetVisible("Sheet1", true), f.SetSheetName("Sheet1", "名单"))
	})
	table := read(t, "x.xlsx", data, Options{})
	if cells(table) != "2:甲" || table.Sheet != "名单" || len(table.Sheets) != 3 || !strings.Contains(list(table.Remarks), "工作簿有 3 张工作表，读入的是“名单”，其余没有读") {
		t.Errorf("%+v", table)
	}
	chosen := read(t, "x.xlsx", data, Options{Sheet: "第二期"})
	if cells(chosen) != "2:乙" || len(chosen.Remarks) > 0 {
		t.Errorf("%+v", chosen)
	}
	hidden := read(t, "x.xlsx", workbookOf(t, [][]any{{"姓名"}, {"甲"}}, func(f *excelize.File) {
		_, err := f.NewSheet("空")
		must(t, err, f.SetSheetVisible("Sheet1", false))
		f.SetActiveSheet(1)
		must(t, f.SetSheetVisible("Sheet1", false))
	}), Options{})
	if cells(hidden) != "2:甲" {
		t.Errorf("a hidden sheet, as no other has anything in it: %s", cells(hidden))
	}
}

func TestListsAreReadInTheEncodingsOfOffices(t *testing.T) {
	text := "姓名,地址\r\n张三,一号楼\r\n"
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(text)
	must(t, err)
	wide16 := []byte("\xff\xfe")
	for _, r := range text {
		wide16 = append(wide16, byte(r), byte(r>>8))
	}
	for name, c := range map[string]struct {
		data   string
		remark string
	}{
		"UTF-8": {text, ""}, "with a mark": {byteOrderMark + text, ""}, "GBK": {gbk, textGBK.ZH}, "UTF-16": {string(wide16), textUTF16.ZH},
		"semicolons": {strings.ReplaceAll(text, ",", ";"), ""}, "tabs": {strings.ReplaceAll(text, ",", "\t"), ""},
		"old line ends": {strings.ReplaceAll(text, "\r\n", "\r"), ""}, "declared": {"sep=|\r\n" + strings.ReplaceAll(text, ",", "|"), ""},
		"quoted": {"\"姓名\",\"地址\"\n\"张三\",\"一号楼\"", ""},
	} {
		table := read(t, "x.csv", []byte(c.data), Options{})
		row := "2:张三|一号楼"
		if name == "declared" {
			row = "3:张三|一号楼"
		}
		if got := cells(table); got != row || strings.Join(table.Headers, "|") != "姓名|地址" {
			t.Errorf("%s: %q %s", name, table.Headers, got)
		}
		if got := list(table.Remarks); (c.remark == "") != (got == "") || !strings.Contains(got, c.remark) {
			t.Errorf("%s: %s", name, got)
		}
	}
	broken := read(t, "x.csv", []byte("姓名,地址\n张三三三三三三三三三三,一号\n李\xff四,二号\n"), Options{})
	if got := list(broken.Problems); got != "A3 姓名 "+textBadLetters.ZH {
		t.Errorf("%s", got)
	}
}

func TestAMissingQuotationMarkSwallowsNothing(t *testing.T) {
	table := read(t, "x.csv", []byte("姓名,备注\n甲,\"住\"\"一号\"\"楼\n三层\"\n乙,\"没有结尾\n丙,x\n丁,\"a\"b\n"), Options{})
	if got := cells(table); got != "2:甲|住\"一号\"楼\n三层\n3:乙|\"没有结尾\n4:丙|x\n5:丁|\"a\"b" {
		t.Errorf("%s", got)
	}
	if got := list(table.Problems); got != "B3 备注 "+textOpenQuote.ZH+"\nB5 备注 "+textOpenQuote.ZH {
		t.Errorf("%s", got)
	}
}

func TestProblemsBeyondTheListAreCounted(t *testing.T) {
	limits := DefaultLimits
	limits.Listed = 3
	table := read(t, "x.csv", []byte("号\n"+strings.Repeat("1.23E+17\n", 10)), Options{Limits: limits})
	if len(table.Problems) != 3 || table.Unlisted != 7 || table.Rows[9].Cells[0].Kind != Unreadable {
		t.Errorf("%d listed, %d not", len(table.Problems), table.Unlisted)
	}
	long := strings.Repeat("长", DefaultLimits.Characters+1)
	if got := list(read(t, "x.csv", []byte("姓名\n"+long+"\n"), Options{}).Problems); got != "A2 姓名 "+textTooLong.ZH {
		t.Errorf("%s", got)
	}
}

// Not every program writes where a cell stands: then the empty ones count as well.
func TestCellsWithoutTheirNameStandBehindTheEmptyOnes(t *testing.T) {
	data := rawBook(t, `<worksheet><sheetData><row><c t="str"><v>姓名</v></c><c t="str"><v>身份证号</v></c><c t="str"><v>手机号</v></c></row>`+
		`<row><c t="str"><v>甲</v></c><c/><c t="str"><v>99900000001</v></c></row></sheetData></worksheet>`)
	row := read(t, "x.xlsx", data, Options{}).Rows[0]
	if row.Cell(1).Kind != Empty || row.Cell(2).Text != "99900000001" {
		t.Errorf("%+v", row)
	}
}
