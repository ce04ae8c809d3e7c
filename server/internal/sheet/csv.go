package sheet

import (
	"encoding/csv"
	"fmt"
	"io"
)

// lines writes a report as CSV for a spreadsheet: UTF-8 with a byte order mark, lines that
// end as Windows ends them, and no cell that could be taken for a formula.
type lines struct {
	w     *csv.Writer
	cells []string
}

func openCSV(w io.Writer, r Report, m *Mark) (*lines, error) {
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return nil, fmt.Errorf("begin a list: %w", err)
	}
	l := &lines{w: csv.NewWriter(w)}
	l.w.UseCRLF = true
	head := make([]Value, 0, len(r.Columns()))
	for _, c := range r.Columns() {
		head = append(head, TextOf(m.say(c.Head)))
	}
	for _, cells := range [][]Value{{TextOf(m.Line())}, head} {
		if err := l.row(cells); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *lines) row(cells []Value) error {
	l.cells = l.cells[:0]
	for i := range cells {
		text := cells[i].text
		if cells[i].as == Text {
			text = defused(text)
		}
		l.cells = append(l.cells, text)
	}
	if err := l.w.Write(l.cells); err != nil {
		return fmt.Errorf("write a line: %w", err)
	}
	return nil
}

func (l *lines) close(mark, end string) error {
	if err := l.row([]Value{TextOf(mark), TextOf(end)}); err != nil {
		return err
	}
	l.w.Flush()
	return l.w.Error() //nolint:wrapcheck // Write says what was being done
}

// defused is a cell that no spreadsheet takes for a formula: those that begin as one does,
// in half or full width, get an apostrophe. One that has such an apostrophe already gets
// another, so that reading gives back what was written.
func defused(text string) string {
	if formulaic(text) || text != "" && text[0] == '\'' && guarded(text[1:]) {
		return "'" + text
	}
	return text
}
