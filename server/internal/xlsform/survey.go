package xlsform

import (
	"slices"
	"strings"

	"gridsync/syncproto"
)

// question is a row of the survey that becomes a field.
type question struct {
	row
	kindOfQuestion
	asked string // its name in the survey
	name  string // the field's
	at    place
	// relevant is what the groups around it ask for.
	relevant []cell
	// note is what stood before it and asks nothing.
	note syncproto.Text
	// silent questions are worked out and shown to nobody.
	silent bool
}

// group is one that was begun and not ended yet.
type group struct {
	asked    string
	at       place
	relevant cell
}

// surveyColumns are those that are read somewhere.
var surveyColumns = map[string]bool{
	"type": true, "name": true, "label": true, "hint": true, "required": true, "relevant": true, "constraint": true,
	"constraint_message": true, "calculation": true, "default": true, "read_only": true, "appearance": true, "parameters": true,
	"choice_filter": true, "repeat_count": true, "disabled": true,
	"gridsync_type": true, "gridsync_rule": true, "gridsync_class": true, "gridsync_unit": true, "gridsync_measure": true,
	"gridsync_flag": true, "gridsync_flag_label": true,
}

var surveyInstead = map[string]syncproto.Text{
	"required_message": {ZH: "必填的提示用本系统的说法", EN: "what is said when an answer is missing is said in this system's own words"},
	"guidance_hint":    {ZH: "培训提示没有保留，请写入 hint", EN: "guidance is not kept: write it as a hint"},
	"image":            textNoMedia, "audio": textNoMedia, "video": textNoMedia, "big-image": textNoMedia,
	"trigger": {ZH: "计算随答案随时更新，不需要触发", EN: "calculations follow the answers and need no trigger"},
}

// readSurvey reads the rows of the survey. Questions within a repeat are left out, and
// named with it.
func (r *reader) readSurvey(s *sheet) []*question {
	h := r.readHeader(s)
	if !slices.ContainsFunc(h.columns, func(c column) bool { return c.name == "type" }) {
		r.problem(place{sheet: s.name}, textNoType)
		return nil
	}
	r.unused(s, h, func(name string) (bool, *syncproto.Text) {
		why, ok := surveyInstead[name]
		if !ok {
			return surveyColumns[name], nil
		}
		return false, &why
	})
	w := walk{reader: r}
	for _, l := range s.below(h) {
		w.take(l)
	}
	w.end()
	return w.questions
}

// walk is the way down the survey's rows.
type walk struct {
	*reader
	questions []*question
	groups    []group
	// repeat is the outermost repeat that is open, and within the questions in it.
	repeat *group
	depth  int
	within []string
	// told is what was said since the last question.
	told []told
}

// told is a note, and where it stands.
type told struct {
	text  syncproto.Text
	at    place
	group int
}

func (w *walk) take(l row) {
	typed, asked := l.cell("type"), l.cell("name")
	if off, _ := yes(l.cell("disabled").text); off {
		w.remark(l.cell("disabled").at, say("“%s”已停用，没有读入", "%q is disabled and was not read", asked.text))
		return
	}
	if typed.text == "" {
		w.problem(typed.at, say("此行缺少 type，没有读入", "this row has no type and was not read"))
		return
	}
	q := readType(typed.text)
	if w.repeat != nil {
		w.takeRepeated(q, asked)
		return
	}
	switch q.asks {
	case beginGroup:
		w.begin(l, asked)
	case endGroup:
		if len(w.groups) == 0 {
			w.problem(typed.at, say("end_group 没有对应的 begin_group", "this end_group has no begin_group"))
			return
		}
		w.groups = w.groups[:len(w.groups)-1]
	case beginRepeat:
		w.repeat, w.depth = &group{asked: asked.text, at: typed.at}, 1
	case endRepeat:
		w.problem(typed.at, say("end_repeat 没有对应的 begin_repeat", "this end_repeat has no begin_repeat"))
	case tells:
		w.tell(l, typed)
	case knows:
		w.know(q.word, asked, typed)
	case hides:
		w.hide(l, q, asked, typed)
	case unsupported:
		w.lose(asked.text)
		w.problem(typed.at, unsupportedText(q, asked.text))
	default:
		w.ask(l, q, asked, typed)
	}
}

// unsupportedText names what a type asks for, and what may be done.
func unsupportedText(q kindOfQuestion, asked string) syncproto.Text {
	instead := syncproto.Text{ZH: "", EN: ""}
	switch q.word {
	case "image", "photo", "audio", "video", "file", "background-audio":
		instead = syncproto.Text{ZH: "；本系统不收图片、录音和文件", EN: "; pictures, sound and files are not collected"}
	case "geopoint", "geotrace", "geoshape", "start-geopoint", "start-geotrace", "start-geoshape", "osm":
		instead = syncproto.Text{ZH: "；位置以所属区域表示", EN: "; a place is told by the record's area"}
	case "select_one_from_file", "select_multiple_from_file", "select_one_external", "csv-external", "xml-external":
		instead = syncproto.Text{ZH: "；请把选项写入 choices 工作表", EN: "; write the choices into the sheet choices"}
	case "rank":
		instead = syncproto.Text{ZH: "；可改为每个名次一个 select_one", EN: "; ask a select_one for each rank instead"}
	}
	return say("不支持类型 %s，问题“%s”没有读入"+instead.ZH, "the type %s is not supported, and %q was not read"+instead.EN, q.word, asked)
}

func (w *walk) begin(l row, asked cell) {
	label, _ := l.text("label", w.plain)
	w.groups = append(w.groups, group{asked: asked.text, at: l.cell("type").at, relevant: l.cell("relevant")})
	title := label.ZH
	if title == "" {
		title = asked.text
	}
	w.remark(l.cell("type").at, say("分组“%s”已展开：其中的问题依次排列，分组的显示条件归入每个问题", "the group %q was flattened: its questions follow each other, and each has the group's condition", title))
	w.appearance(l.cell("appearance"))
}

func (w *walk) takeRepeated(q kindOfQuestion, asked cell) {
	switch q.asks {
	case beginRepeat:
		w.depth++
	case endRepeat:
		if w.depth--; w.depth == 0 {
			w.endRepeat()
		}
	case beginGroup, endGroup, tells:
	default:
		w.lose(asked.text)
		w.within = append(w.within, asked.text)
	}
}

func (w *walk) endRepeat() {
	w.problem(w.repeat.at, say(
		"不支持重复组“%s”，其中 %d 个问题没有读入：%s；请为其中的内容另建一种表单，用 gridsync_type“ref %s”指向本表单",
		"the repeat %q is not supported, and its %d questions were not read: %s; make a form of its own for what it lists, with a question of gridsync_type “ref %s”",
		w.repeat.asked, len(w.within), strings.Join(w.within, ", "), w.form.Kind,
	))
	w.lose(w.repeat.asked)
	w.repeat, w.within = nil, nil
}

// tell keeps a note for the next question, if it is shown whenever that is.
func (w *walk) tell(l row, typed cell) {
	text, found := l.text("label", w.plain)
	if found.text == "" {
		return
	}
	if condition := l.cell("relevant"); condition.text != "" {
		w.remark(condition.at, say("说明带有显示条件，没有保留：“%s”", "a note with a condition is not kept: %q", found.text))
		return
	}
	w.told = append(w.told, told{text, typed.at, len(w.groups)})
}

// know remembers a question that needs no asking.
func (w *walk) know(word string, asked, typed cell) {
	w.metas[asked.text] = word
	w.remark(typed.at, metaInstead(word))
}

// hide treats a hidden value that is worked out as a calculation, and names others.
func (w *walk) hide(l row, q kindOfQuestion, asked, typed cell) {
	if l.cell("calculation").text != "" {
		q.asks = calculates
		w.ask(l, q, asked, typed)
		return
	}
	w.lose(asked.text)
	w.problem(typed.at, say("隐藏的值“%s”由别的程序填写，没有读入", "the hidden value %q is filled in by another program and was not read", asked.text))
}

// ask takes a question.
func (w *walk) ask(l row, k kindOfQuestion, asked, typed cell) {
	switch {
	case asked.text == "":
		w.problem(asked.at, say("问题缺少 name，没有读入", "this question has no name and was not read"))
		return
	case w.names.of[asked.text] != "":
		w.problem(asked.at, say("name“%s”重复，后一个没有读入", "the name %q is there twice; the second was not read", asked.text))
		return
	case len(w.questions) == maxQuestions:
		w.problem(asked.at, say("问题超过 %d 个，其余没有读入", "more than %d questions; the rest was not read", maxQuestions))
		w.lose(asked.text)
		return
	case len(w.questions) > maxQuestions:
		w.lose(asked.text)
		return
	}
	q := &question{row: l, kindOfQuestion: k, asked: asked.text, at: typed.at}
	q.name = w.names.give(asked.text)
	if q.name != asked.text {
		w.remark(asked.at, say("name“%s”改为“%s”", "the name %q became %q", asked.text, q.name))
	}
	for _, g := range w.groups {
		if g.relevant.text != "" {
			q.relevant = append(q.relevant, g.relevant)
		}
	}
	if c := l.cell("calculation"); c.text != "" && k.asks != selectsMany {
		w.calculate(q, c)
	}
	if !q.silent {
		q.note = w.heard()
	}
	if k.asks == agrees {
		w.agreed[q.name] = true
	}
	w.questions = append(w.questions, q)
}

// calculate takes a question whose answer is worked out.
func (w *walk) calculate(q *question, c cell) {
	w.sums[q.asked] = &sum{asked: q.asked, cell: c}
	_, label := q.text("label", w.plain)
	q.asks, q.silent = calculates, label.text == ""
	if q.silent {
		w.remark(q.at, say("“%s”没有文字，只在用到处计算，不显示", "%q has no label: it is worked out where it is used and not shown", q.asked))
		return
	}
	w.remark(q.at, say("“%s”随时算出并显示，不作为答案保存", "%q is worked out and shown, and not kept as an answer", q.asked))
}

// heard is what was told before a question, as its hint says it.
func (w *walk) heard() syncproto.Text {
	var all syncproto.Text
	for _, t := range w.told {
		w.remark(t.at, say("说明并入下一个问题的提示", "the note became part of the next question's hint"))
		all = lines(all, t.text)
	}
	w.told = nil
	return all
}

// lines puts one text below another.
func lines(a, b syncproto.Text) syncproto.Text {
	join := func(a, b string) string { return strings.TrimSpace(a + "\n" + b) }
	return syncproto.Text{ZH: join(a.ZH, b.ZH), EN: join(a.EN, b.EN)}
}

// lose remembers a question that was not read, for expressions that speak of it.
func (r *reader) lose(asked string) { r.lost[asked] = true }

// end says what was begun and not ended, and what was told last.
func (w *walk) end() {
	if w.repeat != nil {
		w.problem(w.repeat.at, say("begin_repeat 没有对应的 end_repeat", "this begin_repeat has no end_repeat"))
		w.endRepeat()
	}
	for _, g := range w.groups {
		w.problem(g.at, say("begin_group 没有对应的 end_group", "this begin_group has no end_group"))
	}
	for _, t := range w.told {
		w.remark(t.at, syncproto.Text{ZH: "最后的说明没有保留：“" + t.text.ZH + "”", EN: "the note at the end is not kept: “" + t.text.EN + "”"})
	}
}

// appearance remarks on how a question was to look.
func (r *reader) appearance(c cell) {
	switch {
	case c.text == "" || strings.EqualFold(c.text, "multiline"):
	case strings.Contains(c.text, "search("):
		r.problem(c.at, say("选项取自外部文件（search），没有读入", "the choices come from a file (search), which was not read"))
	default:
		r.remark(c.at, say("外观“%s”由手机自己决定", "the phone decides on the appearance, not %q", c.text))
	}
}
