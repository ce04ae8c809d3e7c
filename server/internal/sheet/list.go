package sheet

import (
	"bytes"
	"context"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"gridsync/syncproto"
)

// byteOrderMark tells a spreadsheet that this is UTF-8.
const byteOrderMark = "\ufeff"

// Remarks on a whole list.
var (
	textGBK   = say("文件是 GBK（GB18030）编码，已按此读入", "the file is in GBK (GB18030) and was read as such")
	textUTF16 = say("文件是 UTF-16 编码，已按此读入", "the file is in UTF-16 and was read as such")
)

// readList reads a list in text: values between commas, semicolons or tabs.
func readList(ctx context.Context, g *grid, data []byte) error {
	text, note, err := decode(data)
	if err != nil {
		return err
	}
	if note != nil {
		g.notes.own(Problem{Text: *note, col: -1}, g.limits.Listed)
	}
	s := splitter{text: text, separator: separatorOf(text)}
	if declared, rest, ok := declaredSeparator(text); ok {
		s.text, s.separator, s.row = rest, declared, 1
	}
	for s.more() {
		if s.row%1000 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		cells, err := s.next(g)
		if err != nil {
			return err
		}
		if err := g.add(s.row, cells); err != nil {
			return err
		}
	}
	return nil
}

// decode gives a list's text, and what is to be said about how it was written.
func decode(data []byte) (string, *syncproto.Text, error) {
	if text, ok := bytes.CutPrefix(data, []byte(byteOrderMark)); ok {
		return strings.ToValidUTF8(string(text), "\uFFFD"), nil, nil
	}
	if order, ok := wideOrder(data); ok {
		return fromWide(data[2:], order), &textUTF16, nil
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return "", nil, refuse(badOther)
	}
	if mostlyUTF8(data) {
		return strings.ToValidUTF8(string(data), "\uFFFD"), nil, nil
	}
	text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(data)
	if err != nil {
		return "", nil, refuse(badOther)
	}
	return string(text), &textGBK, nil
}

func wideOrder(data []byte) (bigEnd, ok bool) {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		return false, true
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		return true, true
	}
	return false, false
}

func fromWide(data []byte, bigEnd bool) string {
	units := make([]uint16, 0, len(data)/2)
	for i := 0; i+1 < len(data); i += 2 {
		low, high := data[i], data[i+1]
		if bigEnd {
			low, high = high, low
		}
		units = append(units, uint16(low)|uint16(high)<<8)
	}
	return string(utf16.Decode(units))
}

// mostlyUTF8 reports whether a list is in UTF-8, with at most a few broken characters: GBK
// hardly ever looks like one character of it, let alone like ten for each that doesn't.
func mostlyUTF8(data []byte) bool {
	good, bad := 0, 0
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && size == 1:
			bad++
		case size > 2:
			good++
		}
		data = data[size:]
	}
	return bad == 0 || good > 10*bad
}

// separatorOf is what separates the values: what the first lines have as often as each other,
// or, failing that, most often.
func separatorOf(text string) byte {
	best, most := byte(','), 0
	for _, c := range []byte{',', ';', '\t', '|'} {
		n, lines, same := 0, 0, -1
		for line := range strings.Lines(text) {
			if strings.TrimSpace(line) == "" {
				continue
			}
			here := countOutside(line, c)
			if same == -1 && here > 0 {
				same = here
			}
			if here > 0 && here == same {
				n += 10
			}
			n += min(here, 5)
			if lines++; lines == 20 {
				break
			}
		}
		if n > most {
			best, most = c, n
		}
	}
	return best
}

// countOutside counts a separator outside of quotation marks.
func countOutside(line string, c byte) int {
	n, quoted := 0, false
	for i := range len(line) {
		switch {
		case line[i] == '"':
			quoted = !quoted
		case line[i] == c && !quoted:
			n++
		}
	}
	return n
}

// declaredSeparator reads the line sep=; that some spreadsheets begin a list with.
func declaredSeparator(text string) (separator byte, rest string, ok bool) {
	line, rest, _ := strings.Cut(text, "\n")
	line = strings.TrimRight(line, "\r")
	if len(line) == 5 && strings.EqualFold(line[:4], "sep=") {
		return line[4], rest, true
	}
	return 0, "", false
}

// splitter takes a list apart, row by row as a spreadsheet counts them: a line end within
// quotation marks begins no row.
type splitter struct {
	text      string
	at        int
	separator byte
	row       int
	// wasted counts what was looked through for quotation marks that weren't there.
	wasted int
}

func (s *splitter) more() bool { return s.at < len(s.text) }

// next reads one row.
func (s *splitter) next(g *grid) ([]Cell, error) {
	s.row++
	var cells []Cell
	for {
		raw, ended := s.value(g, len(cells))
		if len(cells) >= lastColumn {
			return nil, refuse(badColumns)
		}
		cells = append(cells, g.text(len(cells), s.row, raw, true))
		if ended {
			return cells, nil
		}
	}
}

// value reads one value, and whether the row ends behind it.
func (s *splitter) value(g *grid, col int) (raw string, ended bool) {
	if s.at < len(s.text) && s.text[s.at] == '"' {
		if raw, end, ok := s.quoted(); ok {
			s.at = end
			return raw, s.boundary()
		}
		g.notes.problem(Problem{Row: s.row, Cell: Ref(col, s.row), Text: textOpenQuote, col: col}, g.limits.Listed)
	}
	start := s.at
	for s.at < len(s.text) && s.text[s.at] != s.separator && s.text[s.at] != '\n' && s.text[s.at] != '\r' {
		s.at++
	}
	return s.text[start:s.at], s.boundary()
}

// maxQuoted bounds what stands between quotation marks: beyond it one of them is missing.
// maxWasted bounds how long such marks are looked for in all: then they are ordinary.
const (
	maxQuoted = 128 << 10
	maxWasted = 64 << 20
)

// quoted reads a value in quotation marks; false where none ends it: before a separator or
// a line end.
func (s *splitter) quoted() (raw string, end int, ok bool) {
	var b strings.Builder
	limit := min(len(s.text), s.at+maxQuoted)
	if s.wasted > maxWasted {
		limit = s.at
	}
	for i := s.at + 1; i < limit; i++ {
		if s.text[i] != '"' {
			b.WriteByte(s.text[i])
			continue
		}
		if i+1 < len(s.text) && s.text[i+1] == '"' {
			b.WriteByte('"')
			i++
			continue
		}
		if i+1 == len(s.text) || s.text[i+1] == s.separator || s.text[i+1] == '\n' || s.text[i+1] == '\r' {
			return b.String(), i + 1, true
		}
		s.wasted += i - s.at
		return "", 0, false
	}
	s.wasted += max(limit-s.at, 0)
	return "", 0, false
}

// boundary steps over a separator or a line end, and reports whether it was the row's end.
func (s *splitter) boundary() bool {
	if s.at >= len(s.text) {
		return true
	}
	c := s.text[s.at]
	s.at++
	if c == '\r' && s.at < len(s.text) && s.text[s.at] == '\n' {
		s.at++
	}
	return c == '\n' || c == '\r'
}
