package xlsform

import (
	"slices"
	"strings"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// flags reads the condition under which an answer alarms.
func (r *reader) flags(q *question, f *form.Field) {
	when := r.derives(q.cell("gridsync_flag"), q.asked)
	if when == "" {
		return
	}
	label, found := q.text("gridsync_flag_label", r.plain)
	if found.text == "" {
		label = f.Label
	}
	r.form.Flags = append(r.form.Flags, form.Flag{Name: q.name, Label: label, When: form.When{Formula: when}})
}

// units are those that a measure may be told to count in.
var units = []form.Unit{form.Households, form.People, form.Times, form.HouseholdTimes, form.Vehicles, form.Items}

// unit is what the form's records are counted in.
func (r *reader) unit() form.Unit {
	c := r.settings["gridsync_counts"]
	u := form.Unit(strings.ToLower(c.text))
	switch {
	case c.text == "":
		return form.Items
	case slices.Contains(units, u):
		return u
	}
	r.problem(c.at, say("gridsync_counts 不认识单位“%s”", "gridsync_counts: there is no unit %q", c.text))
	return form.Times
}

// countRecords counts the records of each day.
func (r *reader) countRecords() {
	records := form.Measure{
		Name: string(r.form.Kind) + "_records", Unit: r.unit(), Day: r.day,
		Label: syncproto.Text{ZH: r.form.Label.ZH + "：份数", EN: r.form.Label.EN + ": records"},
	}
	r.form.Measures = append(r.form.Measures, records)
}

// measures reads what is counted of an answer. Yes counts each choice, or what was agreed to,
// or adds whole numbers up; a unit does the same in that unit; a condition counts the
// records for which it holds.
func (r *reader) measures(q *question, f *form.Field) {
	c := q.cell("gridsync_measure")
	is, sure := yes(c.text)
	if sure && !is {
		return
	}
	m := form.Measure{
		Name: r.measureName(q.name), Unit: form.Items, Day: r.day,
		Label: syncproto.Text{ZH: r.form.Label.ZH + "：" + f.Label.ZH, EN: r.form.Label.EN + ": " + f.Label.EN},
	}
	if u := form.Unit(strings.ToLower(c.text)); slices.Contains(units, u) {
		m.Unit, sure = u, true
	}
	self := r.derives(cell{text: ".", at: c.at}, q.asked)
	switch {
	case self == "":
		return
	case !sure:
		if m.When.Formula = r.derives(c, q.asked); m.When.Formula == "" {
			return
		}
	case f.Type == form.Integer:
		m.Sum = self
	case f.Type == form.Boolean:
		m.When.Formula = self + " = true()"
	case f.Type == form.Choice || f.Type == form.Choices:
		r.countChoices(m, f, c)
		return
	default:
		r.problem(c.at, say("gridsync_measure：只能加总整数，或计数选项", "gridsync_measure adds up whole numbers and counts choices, and nothing else"))
		return
	}
	r.form.Measures = append(r.form.Measures, m)
}

func (r *reader) measureName(name string) string { return string(r.form.Kind) + "_" + name }

// countChoices counts the records with each choice.
func (r *reader) countChoices(m form.Measure, f *form.Field, c cell) {
	for _, o := range f.Choices {
		if strings.Contains(o.Code, "'") {
			r.problem(c.at, say("选项代码“%s”含引号，不能计数", "the code %q has a quote in it and can't be counted", o.Code))
			continue
		}
		each := m
		each.Name = m.Name + "_" + latin(o.Code)
		each.Label = syncproto.Text{ZH: m.Label.ZH + "：" + o.Label.ZH, EN: m.Label.EN + ": " + o.Label.EN}
		each.When.Formula = "selected(${" + f.Name + "}, '" + o.Code + "')"
		r.form.Measures = append(r.form.Measures, each)
	}
}
