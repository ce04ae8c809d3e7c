package area

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"gridsync/syncproto"
)

// Problem is what is wrong with one line of a file, for whoever must mend it.
type Problem struct {
	Line int
	syncproto.Text
}

// Texts of problems, Chinese first.
var (
	textEncoding  = syncproto.Text{ZH: "不是 UTF-8 编码，请在表格软件中另存为“CSV UTF-8”", EN: "not UTF-8: save the file as “CSV UTF-8”"}
	textQuotes    = syncproto.Text{ZH: "引号不成对", EN: "quotes do not match"}
	textColumns   = syncproto.Text{ZH: "应为 3 列：编码、名称、上级编码", EN: "there must be 3 columns: code, name, parent"}
	textCode      = syncproto.Text{ZH: "编码应为 1 至 32 位字母、数字、点、横线或下划线", EN: "a code is 1 to 32 letters, digits, dots, hyphens or underscores"}
	textName      = syncproto.Text{ZH: "缺少名称，或名称超过 100 字", EN: "the name is missing or longer than 100 characters"}
	textTwice     = syncproto.Text{ZH: "编码在文件中重复", EN: "the code is in the file twice"}
	textParent    = syncproto.Text{ZH: "上级编码不存在", EN: "there is no area with the parent's code"}
	textCircle    = syncproto.Text{ZH: "上级关系成环", EN: "the parents form a circle"}
	textNoAreas   = syncproto.Text{ZH: "文件中没有区域", EN: "there is no area in the file"}
	textMoreWrong = syncproto.Text{ZH: "问题过多，其余未列出", EN: "there is more wrong than is listed"}
)

// Limits on a file.
const (
	// MaxCSV is how large a file may be: some 400,000 areas.
	MaxCSV = 32 << 20
	// maxName bounds a name, in characters.
	maxName = 100
	// maxProblems bounds the list of what is wrong.
	maxProblems = 200
)

// ReadCSV reads areas from lines of code, name and parent's code, the last one
// empty for a root. A first line that names the columns may change their order.
// Parents may stand after their children, or be in the tree that is there
// already. When there is any problem no nodes are returned.
func ReadCSV(r io.Reader, there *Tree) ([]Node, []Problem, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxCSV+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read areas: %w", err)
	}
	if len(text) > MaxCSV {
		return nil, nil, fmt.Errorf("read areas: more than %d MB", MaxCSV>>20)
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	f := csvFile{lineOf: make(map[syncproto.AreaID]int)}
	if line := firstNotUTF8(text); line > 0 {
		f.problem(line, textEncoding)
		return nil, f.problems, nil
	}
	if err := f.read(text); err != nil {
		return nil, nil, err
	}
	f.checkParents(there)
	if len(f.nodes) == 0 && len(f.problems) == 0 {
		f.problem(1, textNoAreas)
	}
	if len(f.problems) > 0 {
		slices.SortStableFunc(f.problems, func(a, b Problem) int { return a.Line - b.Line })
		return nil, f.problems, nil
	}
	return f.nodes, nil, nil
}

// firstNotUTF8 returns the number of the first line that isn't UTF-8; 0 for none.
func firstNotUTF8(text []byte) int {
	line := 0
	for part := range bytes.Lines(text) {
		line++
		if !utf8.Valid(part) {
			return line
		}
	}
	return 0
}

// csvFile is a file as far as it was read.
type csvFile struct {
	nodes    []Node
	lineOf   map[syncproto.AreaID]int
	problems []Problem
}

func (f *csvFile) problem(line int, text syncproto.Text) {
	if len(f.problems) == maxProblems {
		text = textMoreWrong
	}
	if len(f.problems) <= maxProblems {
		f.problems = append(f.problems, Problem{line, text})
	}
}

func (f *csvFile) read(text []byte) error {
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord = -1
	columns := columns{0, 1, 2}
	for first := true; ; first = false {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var wrong *csv.ParseError
		if errors.As(err, &wrong) {
			f.problem(wrong.StartLine, textQuotes)
			continue
		}
		if err != nil {
			return fmt.Errorf("read areas: %w", err)
		}
		line, _ := r.FieldPos(0)
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if named, ok := header(cells); ok && first {
			columns = named
			continue
		}
		f.take(line, cells, columns)
	}
}

// columns says which cell holds the code, the name and the parent.
type columns [3]int

// headers are the names that columns go by.
var headers = map[string]int{
	"code": 0, "id": 0, "编码": 0, "代码": 0, "区域编码": 0,
	"name": 1, "名称": 1, "区域名称": 1,
	"parent": 2, "上级": 2, "上级编码": 2, "上级代码": 2,
}

func header(cells []string) (columns, bool) {
	var c columns
	seen := 0
	for i, cell := range cells {
		which, ok := headers[strings.ToLower(cell)]
		if !ok || seen&(1<<which) != 0 {
			return c, false
		}
		c[which] = i
		seen |= 1 << which
	}
	return c, seen == 0b111
}

func (f *csvFile) take(line int, cells []string, c columns) {
	if len(cells) == 1 && cells[0] == "" {
		return
	}
	if len(cells) == 2 && c == (columns{0, 1, 2}) {
		cells = append(cells, "")
	}
	if len(cells) != 3 {
		f.problem(line, textColumns)
		return
	}
	n := Node{ID: syncproto.AreaID(cells[c[0]]), Name: cells[c[1]], Parent: syncproto.AreaID(cells[c[2]])}
	switch {
	case n.ID.Check() != nil:
		f.problem(line, textCode)
		return
	case f.lineOf[n.ID] > 0:
		f.problem(line, textTwice)
		return
	case n.Name == "" || utf8.RuneCountInString(n.Name) > maxName:
		f.problem(line, textName)
	}
	f.lineOf[n.ID] = line
	f.nodes = append(f.nodes, n)
}

// checkParents finds parents that are nowhere, and circles: in the file, or
// between the file and the tree that is there.
func (f *csvFile) checkParents(there *Tree) {
	parents := make(map[syncproto.AreaID]syncproto.AreaID, len(f.nodes))
	if there != nil {
		for id, n := range there.nodes {
			parents[id] = n.Parent
		}
	}
	for _, n := range f.nodes {
		parents[n.ID] = n.Parent
	}
	for _, n := range f.nodes {
		if _, ok := parents[n.Parent]; n.Parent != "" && !ok {
			f.problem(f.lineOf[n.ID], textParent)
			continue
		}
		if circular(parents, n.ID) {
			f.problem(f.lineOf[n.ID], textCircle)
		}
	}
}

// circular says whether id is its own ancestor. Each step doubles the place at
// which it compares, so that a circle further up ends the walk too.
func circular(parents map[syncproto.AreaID]syncproto.AreaID, id syncproto.AreaID) bool {
	mark, steps, most := id, 0, 1
	for at := parents[id]; at != ""; at = parents[at] {
		if at == id {
			return true
		}
		if at == mark {
			return false
		}
		if steps++; steps == most {
			mark, steps, most = at, 0, 2*most
		}
	}
	return false
}
