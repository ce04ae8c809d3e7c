package simtest

import (
	"maps"
	"slices"
	"strings"

	"gridsync/server/internal/identity"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// unmasked puts what the server holds in place of what the replica isn't shown, where that
// is rightly so: any other difference stays, and is found.
func (r *replica) unmasked(kind syncproto.Kind, live, stored []syncproto.Part) []syncproto.Part {
	live = slices.Clone(live)
	for i := range live {
		if i >= len(stored) {
			break
		}
		fields := maps.Clone(live[i].Fields)
		for name, v := range fields {
			if _, is := v.Masked(); is && r.fits(kind, name, v, stored[i].Fields[name]) {
				fields[name] = stored[i].Fields[name]
			}
		}
		live[i].Fields = fields
	}
	return live
}

// fits reports whether a replica shows what it must: the value, or, where its people may
// not see it, a mask that is the value's.
func (r *replica) fits(kind syncproto.Kind, name string, shown, value syncproto.Value) bool {
	masked, is := shown.Masked()
	if !is || !r.hides(kind, name) {
		return shown == value
	}
	text, ok := value.Text()
	first, _, _ := strings.Cut(masked.Masked, "*")
	last := masked.Masked[strings.LastIndex(masked.Masked, "*")+1:]
	return ok && masked.Masked != text && strings.HasPrefix(text, first) && strings.HasSuffix(text, last)
}

// hides reports whether the replica's role is shown a field masked.
func (r *replica) hides(kind syncproto.Kind, name string) bool {
	field, known := r.client.Forms().Newest(kind).Field(name)
	power := r.role.Power()
	return !known && power.Secret == identity.Masked ||
		field.Class == form.Secret && power.Secret == identity.Masked ||
		field.Class == form.Personal && power.Personal == identity.Masked
}
