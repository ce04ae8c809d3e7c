package xlsform

import (
	"context"
	"errors"
	"slices"
	"strings"

	wb "gridsync/server/internal/sheet"
	"gridsync/syncproto"
)

// sheet is one sheet of a workbook: the cells of row i stand in rows[i-1], as text.
type sheet struct {
	name string
	rows [][]string
}

// at is the place of a cell: row from 1, column from 0.
func (s *sheet) at(row, column int) place { return place{s.name, wb.Ref(column, row)} }

// limits bound a workbook: no survey that people answer comes near them.
var limits = wb.Limits{
	Bytes: MaxWorkbook, Inflated: 64 << 20, Parts: 1000, Rows: 10_000, Columns: 300, Cells: 200_000, Characters: 10_000, Listed: maxNotes,
}

// MaxWorkbook is how large a file may be.
const MaxWorkbook = 8 << 20

// headings are words by which the row of the headings is known.
var headings = []string{"type", "name", "label", "list_name", "list name", "form_title", "form_id"}

// sheets are those of a workbook that XLSForm knows.
type sheets struct {
	survey, choices, settings *sheet
}

// open reads the sheets that XLSForm knows, and names the others. It fails only when ctx
// ends.
func (r *reader) open(ctx context.Context, workbook []byte) (sheets, error) {
	var found sheets
	first, err := wb.Read(ctx, fileName, workbook, wb.Options{Limits: limits})
	if err != nil {
		return found, r.unread(place{}, err)
	}
	for _, name := range first.Sheets {
		var into **sheet
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "survey":
			into = &found.survey
		case "choices":
			into = &found.choices
		case "settings":
			into = &found.settings
		case "external_choices", "entities", "osm":
			err = r.refuseSheet(ctx, workbook, name)
		default:
			r.remark(place{sheet: name}, say("工作表 %s 不属于 XLSForm，没有读入", "the sheet %s is none of XLSForm's and was not read", name))
		}
		if into != nil {
			*into, err = r.readSheet(ctx, workbook, name)
		}
		if err != nil {
			return found, err
		}
	}
	return found, nil
}

// fileName is what a workbook goes by: what is in it decides, whatever it was called.
const fileName = "form.xlsx"

// readSheet reads a sheet with everything that is to be said of its cells.
func (r *reader) readSheet(ctx context.Context, workbook []byte, name string) (*sheet, error) {
	table, err := wb.Read(ctx, fileName, workbook, wb.Options{Limits: limits, Sheet: name, Known: headings, FillMerged: true})
	if err != nil {
		return nil, r.unread(place{sheet: name}, err)
	}
	for _, p := range table.Problems {
		r.problem(place{name, p.Cell}, p.Text)
	}
	for _, p := range table.Remarks {
		r.remark(place{name, p.Cell}, p.Text)
	}
	s := &sheet{name: name, rows: make([][]string, table.HeaderRow)}
	s.rows[table.HeaderRow-1] = withoutRepeats(table.Headers)
	for _, row := range table.Rows {
		for len(s.rows) < row.N {
			s.rows = append(s.rows, nil)
		}
		cells := make([]string, len(row.Cells))
		for i := range row.Cells {
			cells[i] = row.Cells[i].Text
		}
		s.rows[row.N-1] = cells
	}
	return s, nil
}

// withoutRepeats empties headings that stand twice: a problem names the second.
func withoutRepeats(names []string) []string {
	once := slices.Clone(names)
	for i, name := range once {
		if slices.Contains(once[:i], name) {
			once[i] = ""
		}
	}
	return once
}

// refuseSheet names a sheet whose contents mean something that isn't supported.
func (r *reader) refuseSheet(ctx context.Context, workbook []byte, name string) error {
	table, err := wb.Read(ctx, fileName, workbook, wb.Options{Limits: limits, Sheet: name})
	if err == nil && len(table.Rows) > 0 {
		r.problem(place{sheet: name}, say("不支持工作表 %s，其中的内容没有读入", "the sheet %s is not supported: nothing of it was read", name))
	}
	return ctx.Err()
}

// unread makes why a file or a sheet can't be read a problem; other errors stay errors.
func (r *reader) unread(at place, err error) error {
	var why *syncproto.Error
	if !errors.As(err, &why) {
		return err
	}
	text := why.Message()
	if zh, ok := syncproto.Problem(why.Detail); ok {
		text = syncproto.Text{ZH: zh, EN: why.Detail}
	}
	r.problem(at, text)
	return nil
}
