package sheet

import "gridsync/syncproto"

// notes collect what is to be said, each remark once for a column.
type notes struct {
	problems []Problem
	remarks  []Problem
	unlisted int
	at       map[noteKey]int
}

type noteKey struct {
	col int
	zh  string
}

func (n *notes) problem(p Problem, limit int) {
	if len(n.problems) >= limit {
		n.unlisted++
		return
	}
	n.problems = append(n.problems, p)
}

// remark says something of a cell; of a whole row where col is -1.
func (n *notes) remark(col, row int, text syncproto.Text) {
	key := noteKey{col, text.ZH}
	if i, ok := n.at[key]; ok {
		n.remarks[i].N++
		return
	}
	if n.at == nil {
		n.at = make(map[noteKey]int)
	}
	n.at[key] = len(n.remarks)
	p := Problem{Row: row, Text: text, N: 1, col: col}
	if col >= 0 {
		p.Cell = Ref(col, row)
	}
	n.remarks = append(n.remarks, p)
}

// own says something that stands by itself.
func (n *notes) own(p Problem, limit int) {
	if len(n.remarks) >= limit {
		n.unlisted++
		return
	}
	p.N = 1
	n.remarks = append(n.remarks, p)
}

// told are problems or remarks with the headings above them.
func told(list []Problem, headers []string) []Problem {
	for i := range list {
		p := &list[i]
		if p.col >= 0 && p.col < len(headers) {
			p.Column = headers[p.col]
		}
		if p.N == 1 {
			p.N = 0
		}
	}
	return list
}
