package sheet

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
)

// scan is one worksheet on its way through.
type scan struct {
	*book
	g   *grid
	d   *decoder
	row int
	// cells of the row so far, and what the cell at hand consists of.
	cells  []Cell
	next   int // the column of a cell that doesn't say its own: empty ones count, too
	hidden bool
	cell   rawCell
}

// rawCell is a cell as it stands in the file.
type rawCell struct {
	col               int
	kind, value       string
	style             int
	formula, hasValue bool
	inline            string
}

// readSheet reads the rows of a sheet one after the other.
func (b *book) readSheet(ctx context.Context, g *grid, s *worksheet) error {
	return b.parts.read(s.part, func(d *decoder) error {
		in := scan{book: b, g: g, d: d}
		for {
			token, err := d.RawToken()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			switch t := token.(type) {
			case xml.StartElement:
				err = in.start(&t)
			case xml.EndElement:
				err = in.end(t.Name.Local)
				if in.row%1000 == 0 && ctx.Err() != nil {
					return ctx.Err()
				}
			}
			if err != nil {
				return err
			}
		}
	})
}

func (in *scan) start(e *xml.StartElement) error {
	switch e.Name.Local {
	case "row":
		n := in.row + 1
		if r := attr(e, "r"); r != "" {
			var err error
			if n, err = strconv.Atoi(r); err != nil || n <= in.row || n > lastRow {
				return broken("row %q after row %d", r, in.row)
			}
		}
		in.row, in.cells, in.next, in.hidden = n, nil, 0, truth(attr(e, "hidden"))
	case "c":
		return in.begin(e)
	case "f":
		in.cell.formula = true
		_, err := in.content("f")
		return err
	case "v":
		v, err := in.content("v")
		in.cell.value, in.cell.hasValue = v, true
		return err
	case "is":
		text, err := in.d.runs("is")
		in.cell.inline, in.cell.hasValue = text, true
		return err
	case "mergeCell":
		return in.merge(attr(e, "ref"))
	}
	return nil
}

// begin starts a cell.
func (in *scan) begin(e *xml.StartElement) error {
	in.cell = rawCell{col: in.next, kind: attr(e, "t"), style: -1}
	if ref := attr(e, "r"); ref != "" {
		col, row, ok := parseRef(ref)
		if !ok || row != in.row || col < in.next {
			return broken("cell %q in row %d", ref, in.row)
		}
		in.cell.col = col
	}
	in.next = in.cell.col + 1
	if s := attr(e, "s"); s != "" {
		if n, err := strconv.Atoi(s); err == nil {
			in.cell.style = n
		}
	}
	return nil
}

// content is the text up to the end of an element.
func (in *scan) content(end string) (string, error) {
	var text strings.Builder
	for {
		token, err := in.d.RawToken()
		if err != nil {
			return "", ended(err)
		}
		switch t := token.(type) {
		case xml.CharData:
			if text.Len()+len(t) > maxToken {
				return "", refuse(badBomb)
			}
			text.Write(t)
		case xml.EndElement:
			if t.Name.Local == end {
				return text.String(), nil
			}
		}
	}
}

func (in *scan) end(name string) error {
	switch name {
	case "c":
		made := in.make()
		if made.Kind == Empty {
			return nil
		}
		if in.cell.col >= in.g.limits.Columns {
			return refuse(badColumns)
		}
		for len(in.cells) < in.cell.col {
			in.cells = append(in.cells, Cell{})
		}
		in.cells = append(in.cells, made)
	case "row":
		if in.hidden && len(in.cells) > 0 {
			in.g.notes.remark(-1, in.row, textHidden)
		}
		cells := in.cells
		in.cells = nil
		return in.g.add(in.row, cells)
	}
	return nil
}

// make is the cell at hand as it is read.
func (in *scan) make() Cell {
	c, g, row := &in.cell, in.g, in.row
	if c.formula && c.value == "" && c.kind != "str" {
		return g.unreadable(c.col, row, textNoResult, "")
	}
	if !c.hasValue {
		return Cell{}
	}
	if c.formula && c.kind != "e" {
		g.notes.remark(c.col, row, textFormula)
	}
	switch c.kind {
	case "s":
		i, err := strconv.Atoi(strings.TrimSpace(c.value))
		if err != nil || i < 0 || i >= len(in.texts) {
			return g.unreadable(c.col, row, textBadLetters, "")
		}
		return g.text(c.col, row, in.texts[i], false)
	case "inlineStr":
		return g.text(c.col, row, c.inline, false)
	case "str":
		return g.text(c.col, row, unescape(c.value), false)
	case "b":
		return Cell{Text: strconv.FormatBool(truth(strings.TrimSpace(c.value))), Kind: Bool}
	case "e":
		return g.errorValue(c.col, row, c.value)
	case "d":
		return in.isoDate()
	}
	if strings.TrimSpace(c.value) == "" {
		return Cell{}
	}
	return in.number(g, c.col, row, c.value, c.style)
}

// isoDate is a date that a workbook writes as text (ISO 8601).
func (in *scan) isoDate() Cell {
	day, hour, fault := moment(in.cell.value)
	switch {
	case fault != nil:
		return in.g.unreadable(in.cell.col, in.row, textBadDate, in.cell.value)
	case hour == "" || hour == "00:00:00":
		return Cell{Text: day, Kind: Date}
	}
	return Cell{Text: day + " " + hour, Kind: Moment}
}

// maxMerged bounds how many merged cells are remembered of a sheet. One with more is turned
// away: without them its rows would lack what stands in the first of each.
const maxMerged = 200_000

func (in *scan) merge(ref string) error {
	first, last, _ := strings.Cut(ref, ":")
	left, top, ok := parseRef(first)
	right, bottom, ok2 := parseRef(last)
	if !ok || !ok2 || right < left || bottom < top || left == right && top == bottom {
		return nil
	}
	if len(in.g.merged) == maxMerged {
		return refuse(badCells)
	}
	in.g.merged = append(in.g.merged, region{left, top, right, bottom})
	return nil
}
