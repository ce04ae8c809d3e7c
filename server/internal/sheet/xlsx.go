package sheet

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
)

// workbook writes a report as .xlsx. The library makes a workbook of one empty sheet, with
// its styles, widths and pages; the rows are written into the midst of that sheet while
// everything is already on its way. So nothing is held, and nothing of what people are
// called lies about in a temporary file.
type workbook struct {
	zip    *zip.Writer
	sheet  *bufio.Writer
	after  []byte      // what follows the rows in the sheet
	others []*zip.File // the parts that are written after it
	styles styles
	n      int // rows written
	line   []byte
}

// styles are the numbers of the styles of cells.
type styles struct{ mark, head, text, number, date, moment int }

// errTooLong says that a sheet is full: CSV has no such end.
var errTooLong = errors.New("more rows than a worksheet can have")

const sheetPart = "xl/worksheets/sheet1.xml"

var (
	rowsGoHere = regexp.MustCompile(`<sheetData>\s*</sheetData>|<sheetData\s*/>`)
	dimensions = regexp.MustCompile(`<dimension [^>]*(?:/>|></dimension>)`)
)

func openWorkbook(w io.Writer, r Report, m *Mark) (*workbook, error) {
	b := &workbook{zip: zip.NewWriter(w)}
	frame, err := b.frame(r, m)
	if err != nil {
		return nil, fmt.Errorf("begin a workbook: %w", err)
	}
	z, err := zip.NewReader(bytes.NewReader(frame), int64(len(frame)))
	if err != nil {
		return nil, fmt.Errorf("begin a workbook: %w", err)
	}
	var sheet []byte
	for _, f := range z.File {
		switch {
		case f.Name == sheetPart:
			if sheet, err = unpacked(f); err != nil {
				return nil, err
			}
		case f.Name == "[Content_Types].xml": // some look for it at the front
			if err := b.zip.Copy(f); err != nil {
				return nil, fmt.Errorf("begin a workbook: %w", err)
			}
		default:
			b.others = append(b.others, f)
		}
	}
	sheet = dimensions.ReplaceAll(sheet, nil)
	at := rowsGoHere.FindIndex(sheet)
	if at == nil {
		return nil, errors.New("begin a workbook: its sheet has no place for rows")
	}
	b.after = sheet[at[1]:]
	part, err := b.zip.CreateHeader(&zip.FileHeader{Name: sheetPart, Method: zip.Deflate})
	if err != nil {
		return nil, fmt.Errorf("begin a workbook: %w", err)
	}
	b.sheet = bufio.NewWriterSize(part, 32<<10)
	_, err = b.sheet.Write(append(slices.Clip(sheet[:at[0]]), "<sheetData>"...))
	if err != nil {
		return nil, fmt.Errorf("begin a workbook: %w", err)
	}
	if err := b.top(r, m); err != nil {
		return nil, fmt.Errorf("begin a workbook: %w", err)
	}
	return b, nil
}

func unpacked(f *zip.File) (content []byte, err error) {
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", f.Name, err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return io.ReadAll(r)
}

// frame is a workbook without rows.
func (b *workbook) frame(r Report, m *Mark) (frame []byte, err error) {
	f := excelize.NewFile()
	defer func() { err = errors.Join(err, f.Close()) }()
	name := sheetName(m.say(r.Title()))
	if err := f.SetSheetName("Sheet1", name); err != nil {
		return nil, err
	}
	if err := b.addStyles(f); err != nil {
		return nil, err
	}
	for i, c := range r.Columns() {
		column := letters(i)
		if err := f.SetColWidth(name, column, column, columnWidth(c, m)); err != nil {
			return nil, err
		}
	}
	if err := layPages(f, name, r, m); err != nil {
		return nil, err
	}
	buffer, err := f.WriteToBuffer()
	if err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}

// layPages has a sheet printed on A4, as wide as it is, the headings on every page and under
// each whose copy it is.
func layPages(f *excelize.File, name string, r Report, m *Mark) error {
	yes, landscape, a4, wide, high := true, "landscape", 9, 1, 0
	half, narrow := 0.5, 0.3
	pages := "第 &P 页，共 &N 页"
	if m.English {
		pages = "page &P of &N"
	}
	return errors.Join(
		f.SetPanes(name, &excelize.Panes{Freeze: true, YSplit: 2, TopLeftCell: "A3", ActivePane: "bottomLeft"}),
		f.SetSheetProps(name, &excelize.SheetPropsOptions{FitToPage: &yes}),
		f.SetPageLayout(name, &excelize.PageLayoutOptions{Size: &a4, Orientation: &landscape, FitToWidth: &wide, FitToHeight: &high}),
		f.SetPageMargins(name, &excelize.PageLayoutMarginsOptions{Left: &half, Right: &half, Top: &half, Bottom: &half, Header: &narrow, Footer: &narrow}),
		f.SetHeaderFooter(name, &excelize.HeaderFooterOptions{
			OddHeader: "&C " + printed(m.say(r.Title()), 60) + "&R " + printed(m.kind(), 20),
			OddFooter: "&L " + printed(m.Line(), 150) + "&R " + pages,
		}),
		f.SetDefinedName(&excelize.DefinedName{
			Name: "_xlnm.Print_Titles", RefersTo: fmt.Sprintf("'%s'!$1:$2", strings.ReplaceAll(name, "'", "''")), Scope: name,
		}),
		f.SetDocProps(&excelize.DocProperties{Title: m.say(r.Title()), Creator: "gridsync", Description: m.Line()}),
	)
}

func (m *Mark) kind() string {
	if m.English {
		return internalEN
	}
	return internalZH
}

// printed is a text for the edge of a page: & begins a code there, and 255 characters are
// all there is room for.
func printed(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most-1]) + "…"
	}
	return strings.ReplaceAll(text, "&", "&&")
}

// sheetName is a title as far as a sheet can be called so.
func sheetName(title string) string {
	name := strings.Trim(strings.Map(func(r rune) rune {
		if strings.ContainsRune(`[]:*?/\`, r) || r < ' ' {
			return ' '
		}
		return r
	}, title), " '")
	runes := []rune(name)
	if len(runes) > 25 {
		name = strings.TrimRight(string(runes[:25]), " '")
	}
	if name == "" {
		return "Sheet1"
	}
	return name
}

// columnWidth is a column's width: of its heading, if it isn't said.
func columnWidth(c Column, m *Mark) float64 {
	if c.Width > 0 {
		return float64(min(c.Width, 80))
	}
	n := 2
	for _, r := range m.say(c.Head) {
		if n++; r > 0x2e80 {
			n++
		}
	}
	return float64(min(max(n, 8), 40))
}

func (b *workbook) addStyles(f *excelize.File) error {
	line := []excelize.Border{
		{Type: "left", Style: 1, Color: "999999"},
		{Type: "right", Style: 1, Color: "999999"},
		{Type: "top", Style: 1, Color: "999999"},
		{Type: "bottom", Style: 1, Color: "999999"},
	}
	day, moment := "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
	const text = 49 // "@": what is typed over stays text, too
	for _, s := range []struct {
		into  *int
		style excelize.Style
	}{
		{&b.styles.mark, excelize.Style{NumFmt: text, Font: &excelize.Font{Color: "777777", Size: 9}}},
		{&b.styles.head, excelize.Style{
			NumFmt: text, Border: line, Font: &excelize.Font{Bold: true},
			Fill:      excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E8EEF4"}},
			Alignment: &excelize.Alignment{Horizontal: "center", Vertical: "center", WrapText: true},
		}},
		{&b.styles.text, excelize.Style{NumFmt: text, Border: line, Alignment: &excelize.Alignment{Vertical: "top", WrapText: true}}},
		{&b.styles.number, excelize.Style{Border: line, Alignment: &excelize.Alignment{Vertical: "top"}}},
		{&b.styles.date, excelize.Style{CustomNumFmt: &day, Border: line, Alignment: &excelize.Alignment{Vertical: "top"}}},
		{&b.styles.moment, excelize.Style{CustomNumFmt: &moment, Border: line, Alignment: &excelize.Alignment{Vertical: "top"}}},
	} {
		id, err := f.NewStyle(&s.style)
		if err != nil {
			return err
		}
		*s.into = id
	}
	return nil
}

// top writes the mark and the headings.
func (b *workbook) top(r Report, m *Mark) error {
	head := make([]Value, 0, len(r.Columns()))
	for _, c := range r.Columns() {
		head = append(head, TextOf(m.say(c.Head)))
	}
	return errors.Join(b.write([]Value{TextOf(m.Line())}, b.styles.mark), b.write(head, b.styles.head))
}

func (b *workbook) row(cells []Value) error { return b.write(cells, b.styles.text) }

// write writes a row; text has its style.
func (b *workbook) write(cells []Value, text int) error {
	if b.n++; b.n > lastRow {
		return errTooLong
	}
	l := b.line[:0]
	l = append(l, `<row r="`...)
	l = strconv.AppendInt(l, int64(b.n), 10)
	l = append(l, `">`...)
	for i := range cells {
		l = b.cell(l, &cells[i], i, text)
	}
	l = append(l, "</row>"...)
	b.line = l
	_, err := b.sheet.Write(b.line)
	return err //nolint:wrapcheck // Write says what was being done
}

func (b *workbook) cell(l []byte, v *Value, col, text int) []byte {
	style := text
	switch v.as {
	case Number:
		style = b.styles.number
	case Date:
		style = b.styles.date
	case Moment:
		style = b.styles.moment
	}
	l = append(l, `<c r="`...)
	l = append(append(l, letters(col)...), strconv.Itoa(b.n)...)
	l = append(l, `" s="`...)
	l = append(strconv.AppendInt(l, int64(style), 10), '"')
	switch v.as {
	case Empty:
		return append(l, "/>"...)
	case Number:
		l = append(append(l, "><v>"...), v.text...)
		return append(l, "</v></c>"...)
	case Date, Moment:
		l = append(l, "><v>"...)
		l = strconv.AppendFloat(l, serialOf(v.at), 'f', -1, 64)
		return append(l, "</v></c>"...)
	}
	l = append(l, ` t="inlineStr"><is><t xml:space="preserve">`...)
	l = appendText(l, v.text)
	return append(l, "</t></is></c>"...)
}

// serialOf is an instant as a spreadsheet counts, by its own zone's clock. Before March
// 1900 spreadsheets are a day apart.
func serialOf(at time.Time) float64 {
	wall := time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
	days := wall.Sub(time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)).Seconds() / (24 * 60 * 60)
	if days < 61 {
		days--
	}
	return days
}

// A cell holds so many units of UTF-16 and no more.
const maxUnits = 32_767

const cut = "…（太长，全文请导出 CSV / too long, see the CSV）"

// appendText writes a text as XML has it. What XML can't hold is written as _x0001_, and
// what only looks like that as well.
func appendText(l []byte, s string) []byte {
	if len(s) > maxUnits && len(utf16.Encode([]rune(s))) > maxUnits {
		runes := []rune(s)
		s = string(runes[:min(len(runes), maxUnits/2-len(cut))]) + cut
	}
	for i, r := range s {
		switch {
		case r == '&':
			l = append(l, "&amp;"...)
		case r == '<':
			l = append(l, "&lt;"...)
		case r == '>':
			l = append(l, "&gt;"...)
		case r < ' ' && r != '\t' && r != '\n', r == '\ufffe', r == '\uffff':
			l = fmt.Appendf(l, "_x%04X_", r)
		case r == '_' && escaped.MatchString(s[i:min(i+7, len(s))]):
			l = append(l, "_x005F_"...)
		default:
			l = append(l, string(r)...)
		}
	}
	return l
}

func (b *workbook) close(mark, end string) error {
	if err := b.write([]Value{TextOf(mark), TextOf(end)}, b.styles.mark); err != nil {
		return err
	}
	_, err := b.sheet.Write(append([]byte("</sheetData>"), b.after...))
	if err := errors.Join(err, b.sheet.Flush()); err != nil {
		return err
	}
	for _, f := range b.others {
		if err := b.zip.Copy(f); err != nil {
			return err //nolint:wrapcheck // Write says what was being done
		}
	}
	return b.zip.Close() //nolint:wrapcheck // Write says what was being done
}

var numericForm = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$`)

// numeric reads a number that a spreadsheet keeps to its last digit.
func numeric(text string) (float64, bool) {
	if !numericForm.MatchString(text) {
		return 0, false
	}
	digits := strings.TrimLeft(strings.NewReplacer("-", "", ".", "").Replace(text), "0")
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil && len(digits) <= 15 && v < exact && v > -exact
}
