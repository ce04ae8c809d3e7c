// Package sheet reads the workbooks and lists that offices send, and writes those that they
// ask for: .xlsx and CSV, row by row, with a name for everything that is wrong with a cell.
//
// It refuses to know what a row means, to run or fetch anything that a file names, and to
// guess a digit that a spreadsheet has lost.
package sheet

import (
	"strconv"

	"gridsync/syncproto"
)

// Table is what was read: the rows below a row of headings.
type Table struct {
	// Sheet is the one that was read, of those that the file has; "" for CSV.
	Sheet  string   `json:"sheet,omitempty"`
	Sheets []string `json:"sheets,omitempty"`
	// HeaderRow is the row of the headings, as the spreadsheet counts; 0 if there is none.
	HeaderRow int      `json:"header_row"`
	Headers   []string `json:"headers"`
	// Rows have at most as many cells as there are headings. Empty rows, rows of totals and
	// lines at the foot aren't among them: the remarks name those that were left out.
	Rows []Row `json:"-"`
	// Problems are cells and headings that can't be used as they stand. Those cells are
	// Unreadable, and have no text.
	Problems []Problem `json:"problems,omitempty"`
	// Remarks say how something was read that could have been read otherwise. One that holds
	// for many cells of a column stands once, with their number.
	Remarks []Problem `json:"remarks,omitempty"`
	// Unlisted counts the problems and remarks that there was no room for.
	Unlisted int `json:"unlisted,omitempty"`
}

// Row is one row of data.
type Row struct {
	// N is the row's number as the spreadsheet shows it, from 1.
	N     int
	Cells []Cell
}

// Cell is what stands in a cell: trimmed, its full-width digits and letters in half width.
type Cell struct {
	Text string
	Kind Kind
}

// Kind is what a cell holds.
type Kind uint8

// The kinds.
const (
	Empty Kind = iota
	// Text as it was typed. In CSV everything is text.
	Text
	// Number in plain decimal digits, as many as the spreadsheet itself keeps (15).
	Number
	// Date is "2020-01-31", Moment "2020-01-31 13:05:00", Hour "13:05:00".
	Date
	Moment
	Hour
	// Bool is "true" or "false".
	Bool
	// Unreadable cells have no text; a problem says why.
	Unreadable
)

// Problem is what is to be said about a cell, a row, or, without either, the file.
type Problem struct {
	Row int `json:"row,omitempty"`
	// Cell is such as "B7" or, for merged ones, "B7:B9"; Column is the heading above it.
	Cell   string         `json:"cell,omitempty"`
	Column string         `json:"column,omitempty"`
	Text   syncproto.Text `json:"text"`
	// Shown is what the cell shows, where its text can't be used.
	Shown string `json:"shown,omitempty"`
	// N is for how many cells of the column this holds, where it is more than one.
	N int `json:"n,omitempty"`

	col int // from 0; -1 for none
}

// Cell returns the cell in a column, which is Empty where the row is shorter.
func (r *Row) Cell(col int) Cell {
	if col < 0 || col >= len(r.Cells) {
		return Cell{}
	}
	return r.Cells[col]
}

// Ref is the name of a row's cell, such as "B7", for columns from 0.
func (r *Row) Ref(col int) string { return Ref(col, r.N) }

// Ref names a cell: columns from 0, rows from 1.
func Ref(col, row int) string { return letters(col) + strconv.Itoa(row) }

// letters is a column's name: A, B, … Z, AA.
func letters(col int) string {
	var name [8]byte
	at := len(name)
	for col++; col > 0 && at > 0; col = (col - 1) / 26 {
		at--
		name[at] = byte('A' + (col-1)%26)
	}
	return string(name[at:])
}

// parseRef reads "B7" as column 1, row 7; false for what names no cell.
func parseRef(s string) (col, row int, ok bool) {
	i := 0
	for ; i < len(s) && (s[i] >= 'A' && s[i] <= 'Z' || s[i] >= 'a' && s[i] <= 'z'); i++ {
		if i == 3 {
			return 0, 0, false
		}
		col = col*26 + int(s[i]|0x20-'a') + 1
	}
	row, err := strconv.Atoi(s[i:])
	if i == 0 || err != nil || row < 1 || row > lastRow || col > lastColumn {
		return 0, 0, false
	}
	return col - 1, row, true
}

// A worksheet has no more rows and columns than these (ECMA-376, and every program).
const (
	lastRow    = 1 << 20
	lastColumn = 1 << 14
)

// Column finds the first of some headings that the table has; -1 for none.
func (t *Table) Column(names ...string) int {
	for _, name := range names {
		for i, h := range t.Headers {
			if h == name {
				return i
			}
		}
	}
	return -1
}

// Limits bound what is read of one file, and so the memory that reading takes: some ten
// times Bytes, or 100 bytes a cell, whichever is more.
type Limits struct {
	// Bytes is the size of the file, Inflated of everything in it unpacked.
	Bytes, Inflated int64
	// Parts is how many files a workbook may consist of.
	Parts int
	// Rows with something in them, columns, and cells up to the last one of each row.
	Rows, Columns, Cells int
	// Characters of a cell.
	Characters int
	// Listed is how many problems, and how many remarks, are told one by one.
	Listed int
}

// DefaultLimits are far above any list of a county's that people keep in a spreadsheet.
var DefaultLimits = Limits{
	Bytes: 32 << 20, Inflated: 160 << 20, Parts: 2_000,
	Rows: 200_000, Columns: 300, Cells: 4_000_000, Characters: 32_767, Listed: 2_000,
}

// Options say how a file is to be read. The zero value finds out by itself.
type Options struct {
	Limits Limits // DefaultLimits where it is zero
	// Sheet is the sheet to read; the first that can be seen and has something in it if "".
	Sheet string
	// HeaderRow is the row of the headings, from 1; it is looked for if 0.
	HeaderRow int
	// Known are headings by which their row is found.
	Known []string
	// FillMerged gives every cell of merged ones the value of the first; else the others
	// are empty.
	FillMerged bool
}
