package sheet

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// book is what the cells of a workbook refer to.
type book struct {
	parts     *parts
	sheets    []worksheet
	since1904 bool
	texts     []string
	formats   []format // by a cell's style
	// textsAt and formatsAt are the parts that hold them.
	textsAt, formatsAt string
}

// worksheet is one sheet of a workbook.
type worksheet struct {
	name, part string
	hidden     bool
}

// readWorkbook reads one sheet of a workbook. Nothing else in it is opened: no links to
// elsewhere, pictures or programs.
func readWorkbook(ctx context.Context, g *grid, data []byte, o *Options) error {
	p, err := openParts(data, g.limits)
	if err != nil {
		return err
	}
	b := &book{parts: p}
	if err := b.open(); err != nil {
		return err
	}
	for _, s := range b.sheets {
		g.sheets = append(g.sheets, s.name)
	}
	if err := b.readFormats(); err != nil {
		return err
	}
	if err := b.readTexts(g.limits); err != nil {
		return err
	}
	return b.choose(ctx, g, o)
}

// choose reads the sheet that is asked for, or the first that has something in it.
func (b *book) choose(ctx context.Context, g *grid, o *Options) error {
	for _, hidden := range []bool{false, true} {
		for i := range b.sheets {
			s := &b.sheets[i]
			if o.Sheet != "" && s.name != o.Sheet || o.Sheet == "" && s.hidden != hidden {
				continue
			}
			g.sheet, g.rows, g.merged, g.cells, g.notes = s.name, nil, nil, 0, notes{}
			if err := b.readSheet(ctx, g, s); err != nil {
				return err
			}
			if len(g.rows) == 0 && o.Sheet == "" {
				continue
			}
			if len(b.sheets) > 1 && o.Sheet == "" {
				g.notes.own(Problem{col: -1, Text: say(
					"工作簿有 %d 张工作表，读入的是“%s”，其余没有读", "the workbook has %d sheets; “%s” was read and no other", len(b.sheets), s.name)}, g.limits.Listed)
			}
			return nil
		}
	}
	if o.Sheet != "" {
		return refuse(badNoSheet)
	}
	return refuse(badEmpty)
}

// open finds the sheets.
func (b *book) open() error {
	main := "xl/workbook.xml"
	if b.parts.byName["_rels/.rels"] != nil {
		err := b.relations("_rels/.rels", "", func(kind, _, target string) {
			if kind == "officeDocument" {
				main = target
			}
		})
		if err != nil {
			return err
		}
	}
	dir, file := path.Split(main)
	targets := make(map[string]string)
	err := b.relations(dir+"_rels/"+file+".rels", dir, func(kind, id, target string) {
		targets[id] = target
		switch kind {
		case "sharedStrings":
			b.textsAt = target
		case "styles":
			b.formatsAt = target
		}
	})
	if err != nil {
		return err
	}
	return b.parts.read(main, func(d *decoder) error {
		return d.each(func(e *xml.StartElement) error {
			switch e.Name.Local {
			case "workbookPr":
				b.since1904 = truth(attr(e, "date1904"))
			case "sheet":
				target, state := "", attr(e, "state")
				for i := range e.Attr { // r:id, beside sheetId
					if e.Attr[i].Name.Local == "id" {
						target = targets[e.Attr[i].Value]
					}
				}
				if strings.Contains(target, "worksheets/") || b.parts.byName[strings.ToLower(target)] != nil {
					b.sheets = append(b.sheets, worksheet{name: attr(e, "name"), part: target, hidden: state == "hidden" || state == "veryHidden"})
				}
			}
			return nil
		})
	})
}

// relations visits what a part refers to within the workbook, by the last word of its kind.
func (b *book) relations(name, dir string, visit func(kind, id, target string)) error {
	return b.parts.read(name, func(d *decoder) error {
		return d.each(func(e *xml.StartElement) error {
			if e.Name.Local != "Relationship" || attr(e, "TargetMode") == "External" {
				return nil
			}
			target := attr(e, "Target")
			if rooted, ok := strings.CutPrefix(target, "/"); ok {
				target = rooted
			} else {
				target = path.Join(dir, target)
			}
			visit(path.Base(attr(e, "Type")), attr(e, "Id"), target)
			return nil
		})
	})
}

// readTexts reads the texts that cells share.
func (b *book) readTexts(limits *Limits) error {
	if b.textsAt == "" || b.parts.byName[strings.ToLower(b.textsAt)] == nil {
		return nil
	}
	return b.parts.read(b.textsAt, func(d *decoder) error {
		return d.each(func(e *xml.StartElement) error {
			if e.Name.Local != "si" {
				return nil
			}
			if len(b.texts) == limits.Cells {
				return refuse(badCells)
			}
			text, err := d.runs("si")
			b.texts = append(b.texts, text)
			return err
		})
	})
}

// runs reads a text up to the end of an element: its pieces joined, without the readings
// that stand above characters.
func (d *decoder) runs(end string) (string, error) {
	var b strings.Builder
	phonetic, inside := 0, false
	for {
		token, err := d.RawToken()
		if err != nil {
			return "", ended(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "rPh":
				phonetic++
			case "t":
				inside = true
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "rPh":
				phonetic--
			case "t":
				inside = false
			case end:
				return unescape(b.String()), nil
			}
		case xml.CharData:
			if inside && phonetic == 0 {
				b.Write(t)
			}
		}
	}
}

// ended is an error for what stops in its midst.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

var escaped = regexp.MustCompile(`_x([0-9A-Fa-f]{4})_`)

// unescape reads the characters that XML can't hold, which workbooks write as _x000D_.
func unescape(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	return escaped.ReplaceAllStringFunc(s, func(m string) string {
		n, err := strconv.ParseUint(m[2:6], 16, 32)
		if err != nil || n >= 0xd800 && n < 0xe000 {
			return m
		}
		return string(rune(n))
	})
}

// format is what a number format makes of a number.
type format struct {
	date, hour bool
	// zeros is how many digits it fills up to.
	zeros int
}

// readFormats reads how the styles of cells show numbers.
func (b *book) readFormats() error {
	if b.formatsAt == "" || b.parts.byName[strings.ToLower(b.formatsAt)] == nil {
		return nil
	}
	own := make(map[int]format)
	within := false
	return b.parts.read(b.formatsAt, func(d *decoder) error {
		return d.each(func(e *xml.StartElement) error {
			switch e.Name.Local {
			case "numFmt":
				if id, err := strconv.Atoi(attr(e, "numFmtId")); err == nil && !within {
					own[id] = formatOf(attr(e, "formatCode"))
				}
			case "cellXfs":
				within = true
			case "cellStyles", "dxfs":
				within = false
			case "xf":
				if within {
					id, err := strconv.Atoi(attr(e, "numFmtId"))
					f, known := own[id]
					if err == nil && !known {
						f = builtIn(id)
					}
					b.formats = append(b.formats, f)
				}
			}
			return nil
		})
	})
}

// builtIn are the formats without a definition (ECMA-376, 18.8.30), those of Chinese
// programs included.
func builtIn(id int) format {
	switch {
	case id >= 14 && id <= 17, id >= 27 && id <= 31, id == 36, id >= 50 && id <= 54, id >= 57 && id <= 58:
		return format{date: true}
	case id == 22:
		return format{date: true, hour: true}
	case id >= 18 && id <= 21, id >= 32 && id <= 35, id >= 45 && id <= 47, id == 55, id == 56:
		return format{hour: true}
	}
	return format{}
}

// formatOf reads the first section of a format: y, d and an m not beside h or s are a day.
func formatOf(code string) format {
	var f format
	months := false
	zeros := len(code) > 1 && strings.Trim(code, "0") == ""
	if zeros {
		return format{zeros: len(code)}
	}
	for i := 0; i < len(code); i++ {
		switch c := code[i]; c {
		case ';':
			i = len(code)
		case '"':
			for i++; i < len(code) && code[i] != '"'; i++ {
			}
		case '[':
			start := i
			for i++; i < len(code) && code[i] != ']'; i++ {
			}
			if i-start == 2 && slices.Contains([]byte("hHmMsS"), code[i-1]) { // [h] is elapsed time
				f.hour = true
			}
		case '\\', '_', '*':
			i++
		case 'y', 'Y', 'd', 'D', 'e', 'E':
			if (c == 'e' || c == 'E') && (i+1 < len(code) && (code[i+1] == '+' || code[i+1] == '-')) {
				return format{} // 0.00E+00
			}
			f.date = true
		case 'm', 'M':
			months = true
		case 'h', 'H', 's', 'S':
			f.hour = true
		case 'G', 'g':
			if len(code) >= i+7 && strings.EqualFold(code[i:i+7], "general") {
				i += 6
			}
		}
	}
	if months && !f.hour {
		f.date = true
	}
	return f
}

// number makes a cell of a number.
func (b *book) number(g *grid, col, row int, raw string, style int) Cell {
	v, err := strconv.ParseFloat(strings.TrimSpace(raw), 64)
	if err != nil || !finite(v) {
		return g.unreadable(col, row, textBadNumber, "")
	}
	var f format
	if style >= 0 && style < len(b.formats) {
		f = b.formats[style]
	}
	switch {
	case f.date || f.hour:
		return b.moment(g, col, row, v, f)
	case v >= exact || v <= -exact:
		return g.unreadable(col, row, textLost, strconv.FormatFloat(v, 'g', 15, 64))
	}
	text := plain(v)
	if f.zeros > len(text) && v >= 0 && !strings.Contains(text, ".") {
		text = strings.Repeat("0", f.zeros-len(text)) + text
	}
	return Cell{Text: text, Kind: Number}
}

func (b *book) moment(g *grid, col, row int, v float64, f format) Cell {
	day, hour := serial(v, b.since1904)
	switch {
	case v >= 0 && v < 1 && !f.date:
		if hour == "" {
			break
		}
		return Cell{Text: hour, Kind: Hour}
	case day == "" || v < 1 && !b.since1904:
	case f.hour || hour != "00:00:00":
		return Cell{Text: day + " " + hour, Kind: Moment}
	default:
		return Cell{Text: day, Kind: Date}
	}
	return g.unreadable(col, row, textBadDate, plain(v))
}

// errorValue is a cell whose formula failed.
func (g *grid) errorValue(col, row int, raw string) Cell {
	return g.unreadable(col, row, textErrorValue, raw)
}
