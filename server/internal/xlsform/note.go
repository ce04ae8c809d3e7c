package xlsform

import (
	"fmt"

	"gridsync/syncproto"
)

// place is a cell of a sheet.
type place struct{ sheet, cell string }

// notes are what was said so far.
type notes struct {
	problems, remarks []Note
}

func (n *notes) problem(at place, text syncproto.Text) { n.problems = add(n.problems, at, text) }

func (n *notes) remark(at place, text syncproto.Text) { n.remarks = add(n.remarks, at, text) }

// add keeps a list bounded, and says that it was.
func add(list []Note, at place, text syncproto.Text) []Note {
	switch {
	case len(list) > maxNotes:
		return list
	case len(list) == maxNotes:
		return append(list, Note{Text: textMore})
	}
	return append(list, Note{at.sheet, at.cell, text})
}

// say puts the same arguments into both languages.
func say(zh, en string, args ...any) syncproto.Text {
	return syncproto.Text{ZH: fmt.Sprintf(zh, args...), EN: fmt.Sprintf(en, args...)}
}

// Texts without arguments, Chinese first.
var (
	textMore        = syncproto.Text{ZH: "问题过多，其余未列出", EN: "there is more than is listed"}
	textNoSurvey    = syncproto.Text{ZH: "没有名为 survey 的工作表，这不是 XLSForm", EN: "there is no sheet called survey: this is no XLSForm"}
	textNoQuestions = syncproto.Text{ZH: "没有可用的问题", EN: "there is no question that could be asked"}
	textNoType      = syncproto.Text{ZH: "缺少 type 列", EN: "there is no column called type"}
	textNoKind      = syncproto.Text{ZH: "缺少 form_id，无法确定表单种类", EN: "there is no form_id to name the kind of form"}
)
