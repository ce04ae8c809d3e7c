package xlsform

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// compose makes the questions fields, and adds what a form of ours needs besides.
func (r *reader) compose(questions []*question) {
	fields := make([]*form.Field, len(questions))
	for i, q := range questions {
		fields[i] = r.shape(q)
		r.types[q.name] = fields[i].Type
	}
	for i, q := range questions {
		r.explain(q, fields[i])
	}
	var all []*form.Field
	for i, q := range questions {
		if q.silent {
			continue
		}
		all = append(all, fields[i])
		if q.orOther {
			all = append(all, r.otherField(q, fields[i]))
		}
	}
	if b := r.options.Before; b == nil || b.Moment == "" && len(b.Measures) == 0 {
		moment := r.moment(questions, fields)
		if moment == nil {
			moment = r.recordedAt()
			all = append(all, moment)
		}
		r.form.Moment, r.day = moment.Name, moment.Name
		r.countRecords()
	} else {
		r.keepDay(b)
	}
	for i, q := range questions {
		r.flags(q, fields[i])
		r.measures(q, fields[i])
	}
	r.sayWhatIsOpen(all)
	for _, f := range all {
		r.form.Fields = append(r.form.Fields, *f)
	}
	if r.options.Before != nil {
		r.follow(r.options.Before, questions)
	}
}

// shape says what a question's answers are.
func (r *reader) shape(q *question) *form.Field {
	f := &form.Field{Name: q.name, Type: q.as, Rule: form.Review}
	label, found := q.text("label", r.plain)
	if found.text == "" {
		label = syncproto.Text{ZH: q.asked, EN: q.asked}
		if !q.silent {
			r.remark(q.at, say("问题“%s”没有文字，显示其名称", "the question %q has no label; its name is shown", q.asked))
		}
	}
	f.Label = label
	if q.instead != nil {
		r.remark(q.at, *q.instead)
	}
	if mentions(f.Label) {
		r.remark(found.at, say("文字中的 ${…} 不会换成答案", "${…} in what people read is not replaced by the answer"))
	}
	switch q.asks {
	case selectsOne, selectsMany:
		f.Type = form.Choice
		if q.asks == selectsMany {
			f.Type, f.Rule = form.Choices, form.Union
		}
		options, ok := r.choicesOf(q.list, q.orOther, q.at)
		if !ok { // the answer is kept as text, and the problem says why
			f.Type, f.Rule = form.Text, form.Review
		}
		f.Choices = options
	case agrees:
		f.Type = form.Boolean
		r.remark(q.at, say("确认项改为是或否，“OK”即“是”", "the trigger is answered by yes or no; OK is yes"))
	case calculates:
		f.Rule = form.Latest
		if f.Type == "" {
			f.Type = form.Text
		}
	}
	if q.word == "range" {
		r.slide(q, f)
	}
	r.overrideType(q, f)
	f.Rule = r.rule(q, f)
	f.Class = r.class(q, f)
	f.Unit = q.cell("gridsync_unit").text
	return f
}

// slide takes the bounds of a range; they are 1 and 10 if it doesn't say.
func (r *reader) slide(q *question, f *form.Field) {
	bounds := map[string]float64{"start": 1, "end": 10, "step": 1}
	c := q.cell("parameters")
	for _, pair := range strings.FieldsFunc(c.text, func(c rune) bool { return c == ' ' || c == ';' || c == ',' }) {
		name, text, _ := strings.Cut(pair, "=")
		n, err := strconv.ParseFloat(text, 64)
		if _, known := bounds[name]; !known || err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
			r.problem(c.at, say("参数“%s”没有读入", "the parameter %q was not read", pair))
			continue
		}
		bounds[name] = n
	}
	least, most := bounds["start"], bounds["end"]
	f.Min, f.Max = &least, &most
	if least == math.Trunc(least) && bounds["step"] == math.Trunc(bounds["step"]) {
		f.Type = form.Integer
	}
}

// overrideType makes a text, or what is worked out, something that XLSForm has no type for.
func (r *reader) overrideType(q *question, f *form.Field) {
	c := q.cell("gridsync_type")
	if c.text == "" {
		return
	}
	word, of, _ := strings.Cut(strings.Join(strings.Fields(c.text), " "), " ")
	typ := form.Type(strings.ToLower(word))
	worked := slices.Contains([]form.Type{form.Integer, form.Decimal, form.Boolean, form.Date, form.Time, form.Text}, typ)
	special := slices.Contains([]form.Type{form.IDNumber, form.Mobile, form.AreaCode}, typ)
	refers := (typ == form.Ref || typ == form.Refs) && syncproto.Kind(of).Check() == nil
	switch {
	case q.asks == calculates && worked:
	case f.Type == form.Text && (special || refers):
		f.Of = syncproto.Kind(of)
		if typ == form.Refs {
			f.Rule = form.Union
		}
	default:
		r.problem(c.at, say("gridsync_type“%s”不能用于此问题", "the gridsync_type %q does not go with this question", c.text))
		return
	}
	f.Type = typ
}

// explain reads what a question says of itself in words and conditions.
func (r *reader) explain(q *question, f *form.Field) {
	r.hint(q, f)
	r.need(q, f)
	for _, c := range q.relevant {
		f.Relevant = both(f.Relevant, r.outside(c, q.asked))
	}
	f.Relevant = both(f.Relevant, r.outside(q.cell("relevant"), q.asked))
	r.constrain(q, f)
	r.calculation(q, f)
	r.appearance(q.cell("appearance"))
	if c := q.cell("choice_filter"); c.text != "" {
		r.problem(c.at, say("不支持选项联动（choice_filter），将列出全部选项", "choice_filter is not supported; all choices are offered"))
	}
	if c := q.cell("default"); c.text != "" {
		r.remark(c.at, say("不预填默认值“%s”，由人填写", "the default %q is not filled in; a person answers", c.text))
	}
	if c := q.cell("parameters"); c.text != "" && q.word != "range" {
		r.remark(c.at, say("没有用到参数“%s”", "the parameters %q are not used", c.text))
	}
}

func (r *reader) hint(q *question, f *form.Field) {
	hint, found := q.text("hint", r.plain)
	if mentions(hint) {
		r.remark(found.at, say("文字中的 ${…} 不会换成答案", "${…} in what people read is not replaced by the answer"))
	}
	f.Hint = lines(q.note, hint)
}

// need reads whether an answer must be given.
func (r *reader) need(q *question, f *form.Field) {
	c := q.cell("required")
	is, sure := yes(c.text)
	if !sure {
		r.problem(c.at, say("不支持有条件的必填“%s”，此问题不作必填", "a condition for being required is not supported (%q); the question may stay empty", c.text))
	}
	f.Required = is && q.asks != calculates
	if f.Required && q.asks == agrees {
		f.Constraint = ". = true()"
	}
}

// clockPattern is a time of day.
const clockPattern = `regex(., '([01][0-9]|2[0-3]):[0-5][0-9]')`

func (r *reader) constrain(q *question, f *form.Field) {
	f.Constraint = both(f.Constraint, r.expression(q.cell("constraint"), q.name))
	if q.word == "time" {
		f.Constraint = both(clockPattern, f.Constraint)
	}
	message, found := q.text("constraint_message", r.plain)
	if found.text == "" {
		return
	}
	if f.Constraint == "" {
		r.remark(found.at, say("没有约束条件，提示不会用到", "there is no constraint for this message"))
		return
	}
	f.ConstraintMessage = message
}

func (r *reader) calculation(q *question, f *form.Field) {
	fixed := q.cell("read_only")
	if s, ok := r.sums[q.asked]; ok {
		f.Calculate = r.worked(s)
	} else if q.asks == calculates {
		r.problem(q.at, say("计算“%s”没有算式", "there is nothing to calculate for %q", q.asked))
	}
	if is, _ := yes(fixed.text); is && f.Calculate == "" && q.asks != calculates {
		r.problem(fixed.at, say("不支持只读，此问题可以填写", "read_only is not supported; the question can be answered"))
	}
}

// otherField asks for what is not on a list.
func (r *reader) otherField(q *question, of *form.Field) *form.Field {
	f := &form.Field{
		Name: r.names.free(cut(q.name, maxName-len("_other")) + "_other"), Type: form.Text, Rule: form.Review, Class: form.Personal,
		Label:    syncproto.Text{ZH: of.Label.ZH + "：其他，请说明", EN: of.Label.EN + ": other, please specify"},
		Relevant: both(of.Relevant, "selected(${"+q.name+"}, '"+codeOther+"')"),
	}
	r.types[f.Name] = f.Type
	r.remark(q.at, say("“其他”另有一个问题 %s 填写说明", "what “other” means is asked in a question of its own, %s", f.Name))
	return f
}
