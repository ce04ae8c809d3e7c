package xlsform

import (
	"slices"
	"strings"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// rule is how disagreement about an answer is merged: what the workbook says; or by union
// for lists, by the latest for remarks, and by a person for everything that is a fact.
func (r *reader) rule(q *question, f *form.Field) form.Rule {
	rule := f.Rule
	if f.Type == form.Text && (strings.EqualFold(q.cell("appearance").text, "multiline") || like(q, f, remarkWords)) {
		rule = form.Latest
	}
	c := q.cell("gridsync_rule")
	asked := form.Rule(strings.ToLower(c.text))
	ordered := f.Type == form.Choice || f.Type == form.Integer || f.Type == form.Decimal || f.Type == form.Boolean
	switch {
	case c.text == "":
		return rule
	case f.Rule == form.Union && asked == form.Union,
		f.Rule != form.Union && slices.Contains([]form.Rule{form.Latest, form.Review, form.Once}, asked),
		ordered && asked == form.Severest:
		return asked
	}
	r.problem(c.at, say("gridsync_rule“%s”不能用于此问题，改用 %s", "the gridsync_rule %q does not go with this question; it is %s", c.text, rule))
	return rule
}

// class is how personal an answer is: what the workbook says; or secret for numbers by which
// people are found, personal for dates of birth and whatever is typed freely, and open else.
func (r *reader) class(q *question, f *form.Field) form.Class {
	guess := form.Open
	switch {
	case f.Type == form.IDNumber || f.Type == form.Mobile || f.Type == form.Text && like(q, f, secretWords):
		guess = form.Secret
	case f.Type == form.Text && q.word != "time", f.Type == form.Date && like(q, f, birthWords):
		guess = form.Personal
	}
	c := q.cell("gridsync_class")
	switch asked := strings.ToLower(c.text); asked {
	case "":
	case "open":
		return form.Open
	case string(form.Personal), string(form.Secret):
		return form.Class(asked)
	default:
		r.problem(c.at, say("gridsync_class 只能是 open、personal 或 secret", "gridsync_class is open, personal or secret"))
	}
	if guess == form.Secret && f.Type == form.Text {
		r.remark(q.at, say("“%s”按身份证号或电话号码保密；gridsync_type 写 id_number 或 mobile 可检查格式", "%q is kept as an ID or telephone number; gridsync_type id_number or mobile would check it", q.asked))
	}
	return guess
}

// Words by which a question is known, in its name or its labels.
var (
	remarkWords = []string{"note", "remark", "comment", "observations", "备注", "说明", "意见"}
	secretWords = []string{"phone", "mobile", "telephone", "id_number", "id number", "national_id", "national id", "passport", "手机", "电话", "身份证", "证件号", "护照"}
	birthWords  = []string{"birth", "dob", "出生", "生日"}
)

func like(q *question, f *form.Field, words []string) bool {
	said := strings.ToLower(q.asked + "\n" + f.Label.ZH + "\n" + f.Label.EN)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(said, w) })
}

// sayWhatIsOpen lists what everybody sees who may see the form's records at all.
func (r *reader) sayWhatIsOpen(fields []*form.Field) {
	var open []string
	for _, f := range fields {
		if f.Class == form.Open {
			open = append(open, f.Name)
		}
	}
	if len(open) > 0 {
		names := strings.Join(open, ", ")
		r.remark(place{sheet: "survey"}, say("以下问题不作个人信息处理：%s。涉及个人的请在 gridsync_class 列写 personal", "these answers are not treated as personal: %s; write personal into the column gridsync_class where they are", names))
	}
}

// moment is the field that says when what was recorded took place: the one that the settings
// name, or the first date that must always be given and isn't personal; nil for none.
func (r *reader) moment(questions []*question, fields []*form.Field) *form.Field {
	asked := r.settings["gridsync_moment"]
	for i, q := range questions {
		f := fields[i]
		dated := (f.Type == form.Date || f.Type == form.Time) && f.Calculate == ""
		if asked.text == q.asked && asked.text != "" && dated {
			return f
		}
		if asked.text == "" && dated && f.Required && f.Relevant == "" && f.Class == form.Open {
			r.remark(q.at, say("按“%s”计入哪一天", "records count on the day of %q", q.asked))
			return f
		}
	}
	if asked.text != "" {
		r.problem(asked.at, say("gridsync_moment“%s”不是日期或时间问题", "the gridsync_moment %q is no question for a date or a time", asked.text))
	}
	return nil
}

// recordedAt asks when, where nothing else does.
func (r *reader) recordedAt() *form.Field {
	f := &form.Field{
		Name: r.names.free("recorded_at"), Type: form.Time, Rule: form.Review, Required: true,
		Label: syncproto.Text{ZH: "登记时间", EN: "Recorded at"},
	}
	r.types[f.Name] = f.Type
	r.remark(place{sheet: "survey"}, say("没有必填的日期问题，增加了“登记时间”（%s）", "no date must be given, so %q was added", f.Name))
	return f
}
