package roster

import (
	"gridsync/server/internal/identity"
	"gridsync/server/internal/privacy"
	"gridsync/syncproto"
)

// Disclose implements privacy.Disclosed.
func (p *Page) Disclose(l *privacy.Lens) {
	for i := range p.Rows {
		row := &p.Rows[i]
		row.Disclose(l, l.Eyes(row.Area), "")
	}
}

// Disclose implements privacy.Disclosed. Rounds have names of their own, which are nobody's.
func (d *Diff) Disclose(l *privacy.Lens) {
	for i := range d.OnlyB {
		d.OnlyB[i].disclose(l)
	}
}

func (f *Found) disclose(l *privacy.Lens) {
	e := l.Eyes(f.Area)
	name, _ := l.Value(e, KindPerson, "name", syncproto.TextValue(f.Name))
	if m, ok := name.Masked(); ok {
		f.Name = m.Masked
	} else {
		f.Name, _ = name.Text()
	}
	f.Flags = l.Flags(e, KindPerson, f.Flags)
	l.Saw(f.Person, f.Area)
}

// Disclose leaves of a row what eyes see, and of the field named everything.
func (r *Row) Disclose(l *privacy.Lens, e identity.Eyes, except string) {
	r.Fields = l.Fields(e, r.Kind, r.Fields, except)
	r.Flags = l.Flags(e, r.Kind, r.Flags)
	if !e.Open {
		r.Exit = nil
	}
	var disputed map[string][]Claim
	for name, claims := range r.Disputed {
		seen := make([]Claim, 0, len(claims))
		for _, c := range claims {
			v, ok := c.Value, true
			if name != except {
				v, ok = l.Value(e, r.Kind, name, c.Value)
			}
			if c.Value = v; ok {
				seen = append(seen, c)
			}
		}
		if disputed == nil {
			disputed = make(map[string][]Claim, len(r.Disputed))
		}
		disputed[name] = seen // that there is a dispute is no secret
	}
	r.Disputed = disputed
	l.Saw(r.ID, r.Area)
	for _, id := range r.Absorbed {
		l.Saw(id, r.Area)
	}
}
