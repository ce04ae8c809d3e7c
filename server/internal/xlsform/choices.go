package xlsform

import (
	"slices"
	"strings"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// list is one list of choices.
type list struct {
	name    string
	at      place
	options []form.Option
	used    bool
}

// choiceColumns are those that are read; other columns are what choice_filter looks at.
var choiceColumns = map[string]bool{"list_name": true, "name": true, "label": true}

var choiceInstead = map[string]syncproto.Text{
	"image": textNoMedia, "audio": textNoMedia, "video": textNoMedia, "big-image": textNoMedia,
}

var textNoMedia = syncproto.Text{ZH: "不支持图片、录音和录像，只保留文字", EN: "pictures and sound are not supported; the words are kept"}

// readLists reads the lists of choices.
func (r *reader) readLists(s *sheet) map[string]*list {
	lists := map[string]*list{}
	if s == nil {
		return lists
	}
	h := r.readHeader(s)
	r.unused(s, h, func(name string) (bool, *syncproto.Text) {
		why, ok := choiceInstead[name]
		if !ok {
			return choiceColumns[name], nil
		}
		return false, &why
	})
	count := 0
	for _, l := range s.below(h) {
		if count++; count > maxChoices {
			r.problem(l.cell("list_name").at, say("选项超过 %d 个，其余没有读入", "more than %d choices; the rest was not read", maxChoices))
			break
		}
		r.addChoice(lists, l)
	}
	return lists
}

func (r *reader) addChoice(lists map[string]*list, l row) {
	name, code := l.cell("list_name"), l.cell("name")
	label, found := l.text("label", r.plain)
	switch {
	case name.text == "" && code.text == "" && found.text == "":
		return
	case name.text == "":
		r.problem(name.at, say("选项缺少 list_name", "this choice has no list_name"))
		return
	case code.text == "":
		r.problem(code.at, say("选项缺少 name", "this choice has no name"))
		return
	}
	into := lists[name.text]
	if into == nil {
		into = &list{name: name.text, at: name.at}
		lists[name.text] = into
	}
	if slices.ContainsFunc(into.options, func(o form.Option) bool { return o.Code == code.text }) {
		r.problem(code.at, say("选项“%s”在列表“%s”中重复，后一个没有读入", "the choice %q is in the list %q twice; the second was left out", code.text, name.text))
		return
	}
	if found.text == "" {
		r.remark(code.at, say("选项“%s”没有文字，显示代码", "the choice %q has no label; its code is shown", code.text))
		label = syncproto.Text{ZH: code.text, EN: code.text}
	}
	into.options = append(into.options, form.Option{Code: code.text, Label: label})
}

// choicesOf returns the choices of a question of type select. orOther adds one for whatever
// is not on the list.
func (r *reader) choicesOf(name string, orOther bool, at place) ([]form.Option, bool) {
	l := r.lists[name]
	if l == nil {
		r.problem(at, say("choices 工作表中没有列表“%s”", "there is no list %q among the choices", name))
		return nil, false
	}
	l.used = true
	options := slices.Clone(l.options)
	if orOther && !slices.ContainsFunc(options, func(o form.Option) bool { return o.Code == codeOther }) {
		options = append(options, form.Option{Code: codeOther, Label: syncproto.Text{ZH: "其他", EN: "Other"}})
	}
	return options, true
}

// codeOther is the choice that or_other adds.
const codeOther = "other"

// unusedLists remarks on the lists that no question uses.
func (r *reader) unusedLists() {
	var unused []*list
	for _, l := range r.lists {
		if !l.used {
			unused = append(unused, l)
		}
	}
	slices.SortFunc(unused, func(a, b *list) int { return strings.Compare(a.name, b.name) })
	for _, l := range unused {
		r.remark(l.at, say("没有问题用到列表“%s”", "no question uses the list %q", l.name))
	}
}
