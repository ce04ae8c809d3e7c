package fieldwork

import (
	"gridsync/server/internal/privacy"
	"gridsync/syncproto"
)

// Disclose implements privacy.Disclosed.
func (p *HouseholdPage) Disclose(l *privacy.Lens) {
	for i := range p.Households {
		h := &p.Households[i]
		h.Address = seen(l, h.Area, kindHousehold, "address", h.Address)
		h.Head = seen(l, h.Area, kindHousehold, "head", h.Head)
		l.Saw(h.Household, h.Area)
	}
}

// Disclose implements privacy.Disclosed. What rounds, notices and tasks are called is
// nobody's. A name is shown as where the record lies that it was read from.
func (d *Duties) Disclose(l *privacy.Lens) {
	for i := range d.Duties {
		one := &d.Duties[i]
		if one.Name == "" {
			continue
		}
		if one.where != "" {
			one.Name = seen(l, one.where, one.SubjectKind, nameOf[one.SubjectKind], one.Name)
			l.Saw(*one.Subject, one.where)
			continue
		}
		one.Name = seen(l, one.Area, one.RecordKind, nameOf[one.RecordKind], one.Name)
		l.Saw(one.Record, one.Area)
	}
}

// Disclose implements privacy.Disclosed.
func (l *Ledger) Disclose(lens *privacy.Lens) {
	for i := range l.Issued {
		issue := &l.Issued[i]
		if issue.To != "" {
			issue.To = seen(lens, issue.where, issue.kind, nameOf[issue.kind], issue.To)
			lens.Saw(issue.subject, issue.where)
		}
	}
}

// seen is what the reader sees of a text in a field of a record that lies in an area.
func seen(l *privacy.Lens, in syncproto.AreaID, kind syncproto.Kind, field, text string) string {
	if text == "" {
		return ""
	}
	v, ok := l.Value(l.Eyes(in), kind, field, syncproto.TextValue(text))
	if !ok {
		return ""
	}
	if m, masked := v.Masked(); masked {
		return m.Masked
	}
	shown, _ := v.Text()
	return shown
}
