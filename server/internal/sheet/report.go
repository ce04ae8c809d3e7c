package sheet

import (
	"fmt"
	"io"
	"strings"
	"time"

	"gridsync/syncproto"
)

// Report is a list that is written to a file, row by row: whoever makes one says what its
// columns are and gives the rows, and never holds them all.
type Report interface {
	// Title is what the list is called; it is printed above it.
	Title() syncproto.Text
	Columns() []Column
	// Next gives the next rows, in the order of the columns; none at the end. They leave as
	// soon as it returns, so whoever has to note what is taken away does so before.
	Next() ([][]Value, error)
	// Closing is said at the end of the last row: what is known only when all has been
	// written, such as the version that the rows go up to.
	Closing() syncproto.Text
}

// Column is one column of a report.
type Column struct {
	Head syncproto.Text
	// Width in characters of half width; found from the heading if 0.
	Width int
}

// Value is what goes into a cell. The zero value is an empty cell.
type Value struct {
	text   string
	number float64
	at     time.Time
	as     Kind
}

// TextOf is a text: names, codes, numbers of identity cards, and whatever begins with a
// zero. No spreadsheet takes it for anything else.
func TextOf(s string) Value {
	if s == "" {
		return Value{}
	}
	return Value{text: s, as: Text}
}

// NumberOf is a number to reckon with; text is how it is written, with no more than 15
// digits. What is no such number is a text.
func NumberOf(text string) Value {
	if v, ok := numeric(text); ok {
		return Value{text: text, number: v, as: Number}
	}
	return TextOf(text)
}

// DateOf is a day such as 2020-01-31; what is none is a text.
func DateOf(text string) Value {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil || at.Year() < 1900 {
		return TextOf(text)
	}
	return Value{text: text, at: at, as: Date}
}

// MomentOf is an instant, by the clock of the zone that it stands in.
func MomentOf(at time.Time) Value {
	if at.IsZero() {
		return Value{}
	}
	return Value{text: at.Format(time.DateTime), at: at, as: Moment}
}

// Mark says whose copy a file is. It stands above and below the rows of every copy that
// anybody makes, and on every page that is printed.
type Mark struct {
	// Words say who took it, when, and of what.
	Words string
	// English has headings and marks in English.
	English bool
}

// The mark's first words, by which a file of ours is known when it comes back.
const (
	internalZH = "内部资料"
	internalEN = "Internal"
)

// Line is the mark as it stands in the first row.
func (m *Mark) Line() string {
	if m.English {
		return internalEN + " | " + m.Words
	}
	return internalZH + "｜" + m.Words
}

func (m *Mark) say(t syncproto.Text) string {
	if m.English {
		return t.EN
	}
	return t.ZH
}

// Marked reports whether a text is the mark of a file that was taken away from here.
func Marked(text string) bool {
	return strings.HasPrefix(text, internalZH+"｜") || strings.HasPrefix(text, internalEN+" | ")
}

// end is the last row's second cell.
func (m *Mark) end(rows int, closing syncproto.Text) string {
	text := say("共 %d 行", "%d rows", rows)
	if closing != (syncproto.Text{}) {
		text.ZH, text.EN = text.ZH+"；"+closing.ZH, text.EN+"; "+closing.EN
	}
	return m.say(text)
}

// Format is how a file is written.
type Format string

// The formats.
const (
	XLSX Format = "xlsx"
	CSV  Format = "csv"
)

// Media is what a file of the format calls itself.
func (f Format) Media() string {
	if f == XLSX {
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	}
	return "text/csv; charset=utf-8"
}

// Write writes a report, a batch of its rows at a time, and returns how many there were.
// Where it fails, what was written is no whole file, and no program takes it for one but a
// list in CSV, which lacks its last line.
func Write(w io.Writer, f Format, r Report, m Mark) (rows int, err error) {
	out, err := open(w, f, r, &m)
	if err != nil {
		return 0, err
	}
	for {
		batch, err := r.Next()
		if err != nil {
			return rows, fmt.Errorf("rows of a report: %w", err)
		}
		if len(batch) == 0 {
			break
		}
		for _, row := range batch {
			if err := out.row(row); err != nil {
				return rows, fmt.Errorf("write a row: %w", err)
			}
			rows++
		}
	}
	if err := out.close(m.Line(), m.end(rows, r.Closing())); err != nil {
		return rows, fmt.Errorf("end a file: %w", err)
	}
	return rows, nil
}

// writer is a format's way to write.
type writer interface {
	row(cells []Value) error
	// close writes the last row.
	close(mark, end string) error
}

func open(w io.Writer, f Format, r Report, m *Mark) (writer, error) {
	if f == XLSX {
		return openWorkbook(w, r, m)
	}
	return openCSV(w, r, m)
}
