package exchange

import (
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// remark says what is unusual about a change that was applied. It stands in nobody's way.
func (g *group) remark(l *Logged, d *decoded, gap bool) *syncproto.Error {
	switch missing := g.missing(l, d); {
	case len(d.unknown) > 0:
		l.Reason, l.Field = syncproto.CodeUnknownField, d.unknown[0]
	case len(d.unasked) > 0:
		l.Reason, l.Field = syncproto.CodeNotAsked, d.unasked[0]
	case missing != "":
		l.Reason, l.Field = syncproto.CodeNotAnswered, missing
	case gap:
		l.Reason, l.Field = syncproto.CodeAfterGap, "n"
	default:
		return nil
	}
	return &syncproto.Error{Code: l.Reason, Field: l.Field}
}

// missing is the first field that the template of its area asks for and that a change which
// makes a record lacks; empty if there is none.
func (g *group) missing(l *Logged, d *decoded) string {
	c := &l.Change
	env := envOf(g.snap.Settings, c.Area)
	if env == nil || c.Base != 0 {
		return ""
	}
	name, ok := env.Setting("template."+string(c.Kind), form.DayOf(l.Stamp.Time)).Text()
	if !ok {
		return ""
	}
	t := g.snap.Templates.Newest(name)
	if t == nil || t.Kind != c.Kind {
		return ""
	}
	missing := t.Missing(d.checked, d.fields, form.Occasion{At: l.Stamp.Time, Env: env})
	if len(missing) == 0 {
		return ""
	}
	return missing[0]
}
