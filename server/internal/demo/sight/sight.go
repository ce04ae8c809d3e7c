// Package sight holds copies of records in which values are masked against the records
// themselves, for those who compare replicas.
//
// It refuses to take the server's word for a mask: what may be seen of a value is read off
// the value.
package sight

import (
	"maps"
	"slices"
	"strings"

	"gridsync/server/internal/identity"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Eyes are how much a replica's people see of a kind of record, in one area: see
// identity.Eyes.
type Eyes struct {
	identity.Eyes
	Forms form.Set
}

// Of returns the eyes of somebody with one role.
func Of(role identity.Role, forms form.Set) Eyes {
	p := role.Power()
	return Eyes{identity.Eyes{Open: role.May(identity.Read), Personal: p.Personal, Secret: p.Secret}, forms}
}

// Unmasked puts what a record holds in place of what a copy of it shows masked, where that
// is rightly so. Any other difference stays, and is found.
func (e Eyes) Unmasked(kind syncproto.Kind, live, whole []syncproto.Part) []syncproto.Part {
	live = slices.Clone(live)
	for i := range min(len(live), len(whole)) {
		fields := maps.Clone(live[i].Fields)
		for name, v := range fields {
			if _, is := v.Masked(); is && e.Fits(kind, name, v, whole[i].Fields[name]) {
				fields[name] = whole[i].Fields[name]
			}
		}
		live[i].Fields = fields
	}
	return live
}

// Fits reports whether a copy shows of a field what it must: the value, or a mask that is
// the value's where the eyes don't see it.
func (e Eyes) Fits(kind syncproto.Kind, name string, shown, value syncproto.Value) bool {
	masked, is := shown.Masked()
	if !is || !e.Masks(kind, name) {
		return shown == value
	}
	field, _ := e.Forms.Newest(kind).Field(name)
	text, ok := syncproto.Value(field.Fold(value)).Text()
	first, _, hidden := strings.Cut(masked.Masked, "*")
	last := masked.Masked[strings.LastIndex(masked.Masked, "*")+1:]
	return ok && hidden && masked.Masked != text && strings.HasPrefix(text, first) && strings.HasSuffix(text, last)
}

// Masks reports whether the eyes are shown a field masked.
func (e Eyes) Masks(kind syncproto.Kind, name string) bool {
	class := form.Secret
	if field, known := e.Forms.Newest(kind).Field(name); known {
		class = field.Class
	}
	return e.Eyes.Of(class) == identity.Masked
}
