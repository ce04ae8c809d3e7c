package sheet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"gridsync/syncproto"
)

// Read reads a file by what is in it; its name only tells what it wants to be. It fails
// with code bad_file, and a detail that says why, for a file of which nothing can be read;
// what is wrong with single cells stands in the table.
func Read(ctx context.Context, name string, data []byte, o Options) (*Table, error) {
	if o.Limits == (Limits{}) {
		o.Limits = DefaultLimits
	}
	if int64(len(data)) > o.Limits.Bytes {
		return nil, refuse(badLarge)
	}
	if bad := suspect(name, data); bad != "" {
		return nil, refuse(bad)
	}
	g := &grid{limits: &o.Limits}
	var err error
	if bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		err = readWorkbook(ctx, g, data, &o)
	} else {
		err = readList(ctx, g, data)
	}
	if err != nil {
		var known *syncproto.Error
		if errors.As(err, &known) || ctx.Err() != nil {
			return nil, err
		}
		return nil, &syncproto.Error{Code: syncproto.CodeBadFile, Detail: badBroken}
	}
	return g.table(&o)
}

// suspect says what is wrong with a file that is none of those which are read.
func suspect(name string, data []byte) string {
	head := data[:min(len(data), 4<<10)]
	text := strings.ToLower(strings.TrimLeft(string(bytes.TrimPrefix(head, []byte(byteOrderMark))), " \t\r\n"))
	starts := func(marks ...string) bool {
		for _, m := range marks {
			if strings.HasPrefix(text, m) {
				return true
			}
		}
		return false
	}
	switch {
	case len(bytes.TrimSpace(head)) == 0 && len(data) == len(head):
		return badEmpty
	case strings.EqualFold(path.Ext(name), ".xlsm"):
		return badMacros
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
		if bytes.Contains(data, wide("EncryptedPackage")) {
			return badLocked
		}
		return badOld
	case starts("<!doctype html", "<html", "<table", "<meta", "<head"):
		return badPage
	case starts("<?xml", "%pdf", "{\\rtf"), otherKind(head):
		return badOther
	}
	return ""
}

// otherKind reports whether a file begins as pictures, archives and programs do.
func otherKind(head []byte) bool {
	for _, mark := range []string{"\x89PNG", "\xff\xd8\xff", "GIF8", "Rar!", "7z\xbc\xaf", "\x1f\x8b", "\x7fELF", "MZ\x90"} {
		if bytes.HasPrefix(head, []byte(mark)) {
			return true
		}
	}
	return false
}

// wide is a text as UTF-16 has it, little end first.
func wide(s string) []byte {
	var b []byte
	for _, c := range []byte(s) {
		b = append(b, c, 0)
	}
	return b
}

// grid is what a file holds before anybody has looked for headings.
type grid struct {
	limits *Limits
	sheet  string
	sheets []string
	rows   []Row
	merged []region
	cells  int
	filled int // cells that merged ones gave their value
	notes  notes
}

// region are merged cells, from 0.
type region struct{ left, top, right, bottom int }

func (r *region) String() string { return Ref(r.left, r.top) + ":" + Ref(r.right, r.bottom) }

// add takes a row with something in it; its cells must be the caller's no more.
func (g *grid) add(n int, cells []Cell) error {
	for len(cells) > 0 && cells[len(cells)-1].Kind == Empty {
		cells = cells[:len(cells)-1]
	}
	if len(cells) == 0 {
		return nil
	}
	if len(cells) > g.limits.Columns {
		return refuse(badColumns)
	}
	if g.cells += len(cells); g.cells > g.limits.Cells {
		return refuse(badCells)
	}
	if len(g.rows) == g.limits.Rows {
		return refuse(badRows)
	}
	g.rows = append(g.rows, Row{N: n, Cells: cells})
	return nil
}

// text makes a cell of a text.
func (g *grid) text(col, row int, raw string, csv bool) Cell {
	if len(raw) > 8*g.limits.Characters { // one text may stand in a million cells
		return g.unreadable(col, row, textTooLong, "")
	}
	c := clean(raw)
	switch {
	case c.text == "":
		return Cell{}
	case len(c.text) > g.limits.Characters && len([]rune(c.text)) > g.limits.Characters:
		return g.unreadable(col, row, textTooLong, "")
	case strings.ContainsRune(c.text, '\uFFFD'):
		return g.unreadable(col, row, textBadLetters, c.text)
	}
	if digits, ok := scientific(c.text); ok {
		if digits == "" {
			return g.unreadable(col, row, textRounded, c.text)
		}
		g.notes.remark(col, row, textExpanded)
		c.text = digits
	}
	if csv && roundedID(c.text) {
		g.notes.remark(col, row, textZeros)
	}
	for _, note := range []struct {
		is   bool
		text *syncproto.Text
	}{{c.wide, &textWide}, {c.spaces, &textSpaces}, {c.apostrophe, &textApostrophe}} {
		if note.is {
			g.notes.remark(col, row, *note.text)
		}
	}
	return Cell{Text: c.text, Kind: Text}
}

// unreadable makes a cell that can't be used.
func (g *grid) unreadable(col, row int, why syncproto.Text, shown string) Cell {
	if runes := []rune(shown); len(runes) > 40 {
		shown = string(runes[:40]) + "…"
	}
	g.notes.problem(Problem{Row: row, Cell: Ref(col, row), Text: why, Shown: shown, col: col}, g.limits.Listed)
	return Cell{Kind: Unreadable}
}

// broken is an error whose words nobody is shown.
func broken(format string, args ...any) error { return fmt.Errorf(format, args...) }
