package sheet

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"gridsync/syncproto"
)

// table finds the headings, and what below them is data.
func (g *grid) table(o *Options) (*Table, error) {
	if len(g.rows) == 0 {
		return nil, refuse(badEmpty)
	}
	at := g.heading(o)
	if at < 0 {
		return nil, refuse(badNoHeading)
	}
	head := g.rows[at]
	g.lower(&head)
	t := &Table{Sheet: g.sheet, Sheets: g.sheets, HeaderRow: head.N}
	for i := range head.Cells {
		t.Headers = append(t.Headers, heading(head.Cells[i].Text))
	}
	if at > 0 {
		g.notes.own(Problem{Row: head.N, col: -1, Text: say(
			"第 %d 行是表头，它上面的行当作标题，没有作为数据读入", "row %d holds the headings; what stands above it was taken for a title", head.N)}, g.limits.Listed)
	}
	if err := g.unmerge(at, o.FillMerged); err != nil {
		return nil, err
	}
	g.data(t, g.rows[at+1:])
	g.checkHeadings(t)
	t.Problems, t.Remarks, t.Unlisted = told(g.notes.problems, t.Headers), told(g.notes.remarks, t.Headers), g.notes.unlisted
	slices.SortStableFunc(t.Problems, func(a, b Problem) int { return a.Row - b.Row })
	return t, nil
}

// lower gives headings that are merged with cells above them what stands there.
func (g *grid) lower(head *Row) {
	for i := range g.merged {
		m := &g.merged[i]
		if m.top >= head.N || m.bottom < head.N || m.left >= g.limits.Columns {
			continue
		}
		at := slices.IndexFunc(g.rows, func(r Row) bool { return r.N == m.top })
		if at < 0 {
			continue
		}
		for len(head.Cells) <= m.left {
			head.Cells = append(head.Cells, Cell{})
		}
		if head.Cells[m.left].Kind == Empty {
			head.Cells[m.left] = g.rows[at].Cell(m.left)
		}
	}
}

// heading is a heading without the spaces and line ends that make it pretty.
func heading(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' || r == '\t' }), "")
	if strings.IndexFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) >= 0 {
		text = strings.ReplaceAll(strings.ReplaceAll(text, " ", ""), "\u3000", "")
	}
	return strings.TrimRight(text, "*＊:：")
}

// searched is how many rows may stand above the headings, titles and notes.
const searched = 20

// heading finds the row of the headings: the one that is named, or that has the most known
// words, or the first of which most cells are filled, with nothing but text.
func (g *grid) heading(o *Options) int {
	rows := g.rows[:min(len(g.rows), searched)]
	if o.HeaderRow > 0 {
		return slices.IndexFunc(g.rows, func(r Row) bool { return r.N == o.HeaderRow })
	}
	if best, most := g.known(rows, o.Known); most > 0 {
		return best
	}
	width := 0
	for i := range rows {
		width = max(width, filled(&rows[i]))
	}
	for i := range rows {
		if n := filled(&rows[i]); n*5 >= width*3 && (n > 1 || width == 1) && worded(&rows[i]) {
			return g.lowest(rows, i)
		}
	}
	return 0
}

// lowest is the last row of headings that stand in several: some of them are merged
// downwards into it.
func (g *grid) lowest(rows []Row, i int) int {
	for i+1 < len(rows) && worded(&rows[i+1]) && slices.ContainsFunc(g.merged, func(m region) bool {
		return m.top <= rows[i].N && m.bottom >= rows[i+1].N
	}) {
		i++
	}
	return i
}

// known is the row with the most of some words.
func (g *grid) known(rows []Row, words []string) (best, most int) {
	for i := range rows {
		n := 0
		for j := range rows[i].Cells {
			if slices.Contains(words, heading(rows[i].Cells[j].Text)) {
				n++
			}
		}
		if n > most {
			best, most = i, n
		}
	}
	return best, most
}

func filled(r *Row) int {
	n := 0
	for i := range r.Cells {
		if r.Cells[i].Kind != Empty {
			n++
		}
	}
	return n
}

// worded reports whether a row has words, and neither numbers nor dates.
func worded(r *Row) bool {
	for i := range r.Cells {
		c := &r.Cells[i]
		if c.Kind == Empty {
			continue
		}
		if c.Kind != Text || strings.IndexFunc(c.Text, unicode.IsLetter) < 0 {
			return false
		}
	}
	return true
}

// unmerge gives merged cells their values below the headings.
func (g *grid) unmerge(at int, fill bool) error {
	below := g.rows[at].N
	byRow := make(map[int]int, len(g.rows))
	if len(g.merged) > 0 {
		for i := range g.rows {
			byRow[g.rows[i].N] = i
		}
	}
	for i := range g.merged {
		m := &g.merged[i]
		if m.bottom <= below {
			continue
		}
		text := say("合并单元格：只有第一格 %s 有值，其余按空白读入", "merged cells: only the first, %s, has the value; the others were read as empty", Ref(m.left, m.top))
		if fill {
			text = say("合并单元格：各格都取第一格 %s 的值", "merged cells: each got the value of the first, %s", Ref(m.left, m.top))
			if err := g.fill(m, byRow); err != nil {
				return err
			}
		}
		if first, ok := byRow[m.top]; ok && m.left < len(g.rows[first].Cells) {
			g.notes.own(Problem{Row: m.top, Cell: m.String(), Text: text, col: m.left}, g.limits.Listed)
		}
	}
	return nil
}

// fill writes the first cell of merged ones into the others, in the rows that there are. No
// program merges a cell twice; a file that says so anyway is filled no more often than a
// sheet has cells.
func (g *grid) fill(m *region, byRow map[int]int) error {
	first, ok := byRow[m.top]
	if !ok {
		return nil
	}
	value := g.rows[first].Cell(m.left)
	right := min(m.right, g.limits.Columns-1)
	for i := first; i < len(g.rows) && g.rows[i].N <= m.bottom; i++ {
		row := &g.rows[i]
		if g.filled += max(0, right-m.left+1); g.filled > g.limits.Cells {
			return refuse(badCells)
		}
		for col := m.left; col <= right; col++ {
			for len(row.Cells) <= col {
				if g.cells++; g.cells > g.limits.Cells {
					return refuse(badCells)
				}
				row.Cells = append(row.Cells, Cell{})
			}
			row.Cells[col] = value
		}
	}
	return nil
}

var (
	totalWords = regexp.MustCompile(`^(?i)(合\s*计|总\s*计|小\s*计|共\s*计|本页合计|累计|total|sum)[:：]?$`)
	footWords  = regexp.MustCompile(`^(注|备注|说明|填表说明|填表人|填报人|填报单位|制表人?|审核人?|负责人|联系人|联系电话|填[表报]日期|报送日期|单位盖章)\s*[:：]`)
)

// data takes the rows that are records.
func (g *grid) data(t *Table, rows []Row) {
	for i := range rows {
		row := rows[i]
		if why := g.noRecord(&row, t); why != nil {
			g.notes.own(Problem{Row: row.N, Text: *why, col: -1}, g.limits.Listed)
			continue
		}
		t.Rows = append(t.Rows, row)
		for len(t.Headers) < len(row.Cells) {
			t.Headers = append(t.Headers, "")
		}
	}
}

// noRecord says why a row is none: it sums up, or is a line at the foot, or repeats the
// headings, or is the mark of a file of our own.
func (g *grid) noRecord(row *Row, t *Table) *syncproto.Text {
	at := slices.IndexFunc(row.Cells, func(c Cell) bool { return c.Kind != Empty })
	if at < 0 {
		return nil
	}
	first, few := row.Cells[at].Text, filled(row) <= 2
	var why syncproto.Text
	switch {
	case totalWords.MatchString(first) && numbersOnly(row.Cells[at+1:]):
		why = say("合计行，没有作为数据读入", "a row of totals; it was not read as data")
	case Marked(first):
		why = say("导出文件的水印行，没有作为数据读入", "the mark of an exported file; it was not read as data")
	case few && footWords.MatchString(first):
		why = say("表尾的说明，没有作为数据读入", "a note at the foot; it was not read as data")
	case g.repeats(row, t):
		why = say("重复的表头，没有作为数据读入", "the headings again; they were not read as data")
	default:
		return nil
	}
	return &why
}

func numbersOnly(cells []Cell) bool {
	for i := range cells {
		c := &cells[i]
		if c.Kind == Text && strings.Trim(c.Text, "0123456789.,%-/—") != "" {
			return false
		}
	}
	return true
}

// repeats reports whether a row is the headings again, as lists that were put together have
// them.
func (g *grid) repeats(row *Row, t *Table) bool {
	same := 0
	for i := range row.Cells {
		if row.Cells[i].Kind == Empty {
			continue
		}
		if i >= len(t.Headers) || heading(row.Cells[i].Text) != t.Headers[i] {
			return false
		}
		same++
	}
	return same > 1
}

// checkHeadings tells of headings that stand twice, and of columns without one.
func (g *grid) checkHeadings(t *Table) {
	first := make(map[string]int)
	for col, h := range t.Headers {
		if h == "" {
			for i := range t.Rows {
				if t.Rows[i].Cell(col).Kind != Empty {
					g.notes.problem(Problem{Row: t.HeaderRow, Cell: Ref(col, t.HeaderRow), col: col, Text: say(
						"这一列没有表头，但下面有内容（如 %s），没有读入", "this column has no heading, but there is something below it (such as %s); it was not read", t.Rows[i].Ref(col))}, g.limits.Listed)
					break
				}
			}
			continue
		}
		if before, twice := first[h]; twice {
			g.notes.problem(Problem{Row: t.HeaderRow, Cell: Ref(col, t.HeaderRow), col: col, Text: say(
				"表头与 %s 重复，这一列没有读入", "the same heading as %s; this column was not read", Ref(before, t.HeaderRow))}, g.limits.Listed)
			continue
		}
		first[h] = col
	}
}
