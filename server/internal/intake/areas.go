package intake

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"gridsync/server/internal/area"
	"gridsync/server/internal/sheet"
	"gridsync/syncproto"
)

// maxAreaName bounds an area's name, in characters.
const maxAreaName = 100

// areaRow is a row of a file of areas.
type areaRow struct {
	line  *Line
	node  area.Node
	cells [3]string // of code, name and parent
}

// planAreas plans an import of areas: only below the one that was chosen, whose own name
// and place are others' to change. An area without a parent lies directly below it.
func (s *Service) planAreas(o *Order, p *Plan, table *sheet.Table) {
	tree := s.registry.Current().Areas
	words := vocabularyOf(KindArea, nil)
	l := words.layOut(p, table.Headers, o.Mapping)
	l.need(p, words, []string{colCode}, []string{colName})
	if len(p.Missing) > 0 || len(p.Problems) > 0 {
		return
	}
	unreadable := problemsByRow(table)
	p.all = make([]Line, len(table.Rows))
	rows := make([]areaRow, len(table.Rows))
	first := make(map[syncproto.AreaID]int, len(rows))
	for i := range table.Rows {
		row := &table.Rows[i]
		p.all[i] = Line{Row: row.N, Problems: unreadable[row.N]}
		for col, t := range l.targets {
			unread(&p.all[i], t, row.Cell(col), row.Ref(col), table.Headers[col])
		}
		rows[i] = readArea(l, row, &p.all[i], o.Area)
		if twin, twice := first[rows[i].node.ID]; twice {
			rows[i].wrong(0, sayf(textAreaTwice, twin))
			continue
		}
		first[rows[i].node.ID] = row.N
	}
	place(rows, tree, o.Area)
	for i := range rows {
		if p.all[i].Status = statusOfArea(&rows[i], tree); p.all[i].Status == New || p.all[i].Status == Differs {
			p.nodes = append(p.nodes, rows[i].node)
		}
	}
}

func readArea(l layout, row *sheet.Row, line *Line, root syncproto.AreaID) areaRow {
	cell := func(name string) (text, ref string) {
		col, there := l.at[name]
		if !there {
			return "", ""
		}
		return strings.TrimSpace(row.Cell(col).Text), row.Ref(col)
	}
	r := areaRow{line: line}
	var code, name, parent string
	code, r.cells[0] = cell(colCode)
	name, r.cells[1] = cell(colName)
	parent, r.cells[2] = cell(colParent)
	r.node = area.Node{ID: syncproto.AreaID(code), Name: name, Parent: syncproto.AreaID(parent)}
	if parent == "" {
		r.node.Parent = root
	}
	line.Name, line.Area = name, r.node.ID
	if r.node.ID.Check() != nil {
		r.wrong(0, textAreaCode)
	}
	if name == "" || utf8.RuneCountInString(name) > maxAreaName {
		r.wrong(1, textAreaName)
	}
	return r
}

func (r *areaRow) wrong(cell int, text syncproto.Text) {
	r.line.Problems = append(r.line.Problems, Problem{Row: r.line.Row, Cell: r.cells[cell], Text: text})
}

// place holds the rows' parents against tree and file. A row whose parent is wrong takes
// those below it with it, so that leaving it out leaves no hole.
func place(rows []areaRow, tree *area.Tree, root syncproto.AreaID) {
	for i := range rows {
		r := &rows[i]
		if _, there := tree.Find(r.node.ID); r.node.ID == root {
			r.wrong(0, textItself)
		} else if there && !tree.Within(r.node.ID, root) {
			r.wrong(0, textForeign)
		}
	}
	for again := true; again; {
		good := make(map[syncproto.AreaID]syncproto.AreaID, len(rows))
		for i := range rows {
			if len(rows[i].line.Problems) == 0 {
				good[rows[i].node.ID] = rows[i].node.Parent
			}
		}
		again = false
		w := &way{parents: good, tree: tree, root: root, known: make(map[syncproto.AreaID]end)}
		for i := range rows {
			r := &rows[i]
			if len(r.line.Problems) > 0 {
				continue
			}
			switch w.up(r.node.ID).reach {
			case lost:
				r.wrong(2, sayf(textNoParent, r.node.Parent))
				again = true
			case circular:
				r.wrong(2, textCircle)
				again = true
			case tooDeep:
				r.wrong(2, sayf(textTooDeep, maxDeep))
				again = true
			case atRoot:
			}
		}
	}
}

// maxDeep is how many areas may lie on the way from one that comes in to the chosen one:
// whoever asks for an area's totals or people goes that way. Real ones lie six deep.
const maxDeep = 32

// reach is where the way up from an area ends.
type reach int

const (
	atRoot reach = iota // at the chosen area
	lost
	circular
	tooDeep
)

// end is a reach, and how far off it is.
type end struct {
	reach
	deep int
}

// way goes up from areas, by the file's parents and by the tree's where the file says none.
// Where it has been it doesn't go again.
type way struct {
	parents map[syncproto.AreaID]syncproto.AreaID
	tree    *area.Tree
	root    syncproto.AreaID
	known   map[syncproto.AreaID]end
}

func (w *way) up(id syncproto.AreaID) end {
	var trail []syncproto.AreaID
	on := make(map[syncproto.AreaID]bool)
	var e end
	for id != w.root {
		if before, known := w.known[id]; known {
			e = before
			break
		}
		if on[id] {
			e = end{reach: circular}
			break
		}
		on[id], trail = true, append(trail, id)
		next, inFile := w.parents[id]
		if !inFile {
			n, there := w.tree.Find(id)
			if !there || n.Parent == "" {
				e = end{reach: lost}
				break
			}
			next = n.Parent
		}
		id = next
	}
	for _, id := range slices.Backward(trail) {
		if e.deep++; e.reach == atRoot && e.deep > maxDeep {
			e.reach = tooDeep
		}
		w.known[id] = e
	}
	return e
}

func statusOfArea(r *areaRow, tree *area.Tree) Status {
	if len(r.line.Problems) > 0 {
		return Bad
	}
	there, ok := tree.Find(r.node.ID)
	if !ok {
		return New
	}
	r.node.From, r.node.To = there.From, there.To
	for _, part := range [][3]string{
		{"name", there.Name, r.node.Name}, {"parent", string(there.Parent), string(r.node.Parent)},
	} {
		if part[1] != part[2] {
			r.line.Differs = append(r.line.Differs, Difference{
				Field: part[0], Label: areaLabels[part[0]], File: syncproto.TextValue(part[2]), Roster: syncproto.TextValue(part[1]),
			})
		}
	}
	if len(r.line.Differs) > 0 {
		return Differs
	}
	return Same
}

var areaLabels = map[string]syncproto.Text{
	"name":   {ZH: "名称", EN: "Name"},
	"parent": {ZH: "上级编码", EN: "Parent"},
}

// enterAreas adds areas, and gives those that are there the names and places of the file.
// Areas have no registers that could disagree: whoever may bring them in may rename them.
func (s *Service) enterAreas(ctx context.Context, p *Plan) error {
	p.Applied = &Applied{Changes: len(p.nodes), New: p.Counts.New, Differs: p.Counts.Differs, Left: p.Counts.Bad + p.Counts.Unsure}
	if len(p.nodes) == 0 {
		return nil
	}
	if err := s.store.PutAreas(ctx, p.nodes); err != nil {
		return fmt.Errorf("bring areas in: %w", err)
	}
	if _, err := s.registry.Refresh(ctx); err != nil {
		return fmt.Errorf("bring areas in: %w", err)
	}
	return nil
}
