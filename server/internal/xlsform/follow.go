package xlsform

import (
	"cmp"
	"slices"
	"strings"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// keepDay has the records of the next version count on the day that they counted on.
func (r *reader) keepDay(before *form.Form) {
	r.form.Moment = before.Moment
	r.day = before.Moment
	if r.day == "" {
		r.day = before.Measures[0].Day
	}
	if c := r.settings["gridsync_moment"]; c.text != "" && r.names.of[c.text] != r.day {
		r.problem(c.at, say("新版本仍按“%s”计入哪一天，不能更改", "records of the next version count on the day of %q as before", r.day))
	}
}

// follow makes the form the next version of another: what was recorded under that one must
// be shown and counted by this one.
func (r *reader) follow(before *form.Form, questions []*question) {
	places := map[string]place{}
	for _, q := range questions {
		places[q.name] = q.at
	}
	var retired []string
	for i := range before.Fields {
		was := &before.Fields[i]
		at := slices.IndexFunc(r.form.Fields, func(f form.Field) bool { return f.Name == was.Name })
		if at >= 0 {
			r.form.Fields[at] = r.followed(was, &r.form.Fields[at], places[was.Name])
			continue
		}
		kept := *was
		if !r.options.Extend && !r.counted(was.Name, before) && !was.Retired {
			kept.Retired, kept.Required = true, false
			retired = append(retired, was.Name)
		}
		r.form.Fields = append(r.form.Fields, kept)
	}
	if len(retired) > 0 {
		names := strings.Join(retired, ", ")
		r.remark(place{sheet: "survey"}, say("以下栏目不再询问，已有的记录仍保留：%s", "these are asked no more, and what was recorded stays: %s", names))
	}
	r.keepUses(before)
}

// counted says whether a field is what a record's day is taken from: without it records
// would no longer count.
func (r *reader) counted(name string, before *form.Form) bool {
	return name == before.Moment || slices.ContainsFunc(before.Measures, func(m form.Measure) bool { return m.Day == name })
}

// keepUses takes over what the workbook has no words for, and the flags and measures that it
// has no others for.
func (r *reader) keepUses(before *form.Form) {
	f := &r.form
	f.Decided, f.Sightings, f.Match, f.Checks, f.Ratios = before.Decided, before.Sightings, before.Match, before.Checks, before.Ratios
	for _, old := range before.Flags {
		if !slices.ContainsFunc(f.Flags, func(n form.Flag) bool { return n.Name == old.Name }) {
			f.Flags = append(f.Flags, old)
		}
	}
	for _, old := range before.Measures {
		if !slices.ContainsFunc(f.Measures, func(n form.Measure) bool { return n.Name == old.Name }) {
			f.Measures = append(f.Measures, old)
		}
	}
}

// followed is a field of the workbook as one that was there can go on.
func (r *reader) followed(was, is *form.Field, at place) form.Field {
	next := *is
	if next.Type == form.Text && slices.Contains([]form.Type{form.IDNumber, form.Mobile, form.AreaCode, form.Ref}, was.Type) {
		next.Type, next.Of, next.Rule = was.Type, was.Of, was.Rule
	}
	if next.Type != was.Type || next.Of != was.Of || next.Unit != was.Unit {
		r.problem(at, say("栏目“%s”的类型和单位不能更改，保留原样", "the type and unit of %q can't change; it stays as it was", was.Name))
		kept := *was
		kept.Label = labelled(was.Label, is.Label)
		return kept
	}
	if next.Rule != was.Rule {
		r.remark(at, say("栏目“%s”仍按 %s 合并", "%q is merged by %s as before", was.Name, was.Rule))
		next.Rule = was.Rule
	}
	if classes := []form.Class{form.Open, form.Personal, form.Secret}; slices.Index(classes, next.Class) < slices.Index(classes, was.Class) {
		r.remark(at, say("栏目“%s”的个人信息级别不能降低，保留原样", "%q can't become less personal and stays as it was", was.Name))
		next.Class = was.Class
	}
	next.Min, next.Max = cmp.Or(next.Min, was.Min), cmp.Or(next.Max, was.Max)
	next.Indexed = was.Indexed
	next.Label = labelled(was.Label, is.Label)
	next.Choices = r.choicesAfter(was, is, at)
	return next
}

// labelled is the label of a workbook; one in a single language doesn't take the other away.
func labelled(was, is syncproto.Text) syncproto.Text {
	if is.ZH == is.EN && (is.ZH == was.ZH || is.EN == was.EN) {
		return was
	}
	return is
}

// choicesAfter keeps every choice that there was. Where their order says how severe they are
// it stays, and what is new stands behind.
func (r *reader) choicesAfter(was, is *form.Field, at place) []form.Option {
	index := func(list []form.Option, code string) int {
		return slices.IndexFunc(list, func(o form.Option) bool { return o.Code == code })
	}
	next := slices.Clone(is.Choices)
	var gone []string
	last, moved := -1, false
	for _, o := range was.Choices {
		i := index(next, o.Code)
		if i < 0 {
			gone = append(gone, o.Code)
			continue
		}
		moved = moved || i < last
		last = max(last, i)
	}
	if len(gone) > 0 {
		r.remark(at, say("选项不能删除，保留：%s", "choices can't be removed and stay: %s", strings.Join(gone, ", ")))
	}
	severe := was.Rule == form.Severest && (moved || len(gone) > 0)
	if severe && moved {
		r.problem(at, say("栏目“%s”选项的轻重次序不能更改，保留原样", "the order of %q by severity can't change and stays as it was", was.Name))
	}
	if !severe {
		for _, code := range gone {
			next = append(next, was.Choices[index(was.Choices, code)])
		}
		return next
	}
	ordered := make([]form.Option, 0, len(was.Choices)+len(next))
	for _, o := range was.Choices {
		if i := index(next, o.Code); i >= 0 {
			o.Label = labelled(o.Label, next[i].Label)
		}
		ordered = append(ordered, o)
	}
	for _, o := range next {
		if index(was.Choices, o.Code) < 0 {
			ordered = append(ordered, o)
		}
	}
	return ordered
}
