// Package privacy decides how much of a value its reader is shown: as it is, masked, or
// not at all. Whatever leaves the server with records in it goes through a Lens.
//
// It refuses to know who asks by which door, and to be gone around: an answer says itself
// what of it is to be masked (Disclosed), and the edges send none that has not been.
package privacy

import (
	"slices"

	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Disclosed is an answer that has records in it. Disclose takes out of it what the lens's
// reader isn't shown, and tells the lens whose records are left. It is called once, before
// the answer leaves.
type Disclosed interface {
	Disclose(l *Lens)
}

// Lens is what some people together see at one moment. It is for one answer, and for one
// goroutine.
type Lens struct {
	snap    *registry.Snapshot
	authors []syncproto.AuthorID
	now     syncproto.Instant
	tags    *Tagger
	eyes    map[syncproto.AreaID]identity.Eyes
	saw     []syncproto.RecordID
	known   map[syncproto.RecordID]struct{}
	where   syncproto.AreaID
}

// Maker makes lenses with the installation's own tags.
type Maker func(snap *registry.Snapshot, authors []syncproto.AuthorID, now syncproto.Instant) *Lens

// NewMaker makes a maker. Without a tagger what is masked has no tags.
func NewMaker(tags *Tagger) Maker {
	return func(snap *registry.Snapshot, authors []syncproto.AuthorID, now syncproto.Instant) *Lens {
		return &Lens{snap: snap, authors: authors, now: now, tags: tags}
	}
}

// Eyes is how much the reader sees in an area.
func (l *Lens) Eyes(area syncproto.AreaID) identity.Eyes {
	if e, ok := l.eyes[area]; ok {
		return e
	}
	e := l.snap.People.Eyes(l.snap.Areas, l.authors, area, l.now)
	if l.eyes == nil {
		l.eyes = make(map[syncproto.AreaID]identity.Eyes)
	}
	l.eyes[area] = e
	return e
}

// Widest is the most that the reader sees in any of some areas: of what is known of a
// record, as much is seen as where the record stands.
func (l *Lens) Widest(areas ...syncproto.AreaID) identity.Eyes {
	var widest identity.Eyes
	for _, area := range areas {
		e := l.Eyes(area)
		widest = identity.Eyes{
			Open: widest.Open || e.Open, Personal: max(widest.Personal, e.Personal), Secret: max(widest.Secret, e.Secret),
		}
	}
	return widest
}

// Beside is how much the reader sees of a record that lies in an area and is one side of a
// question put to the reader: where it is none of theirs, what is masked, and so whether
// the two agree.
func (l *Lens) Beside(area syncproto.AreaID) identity.Eyes {
	if e := l.Eyes(area); e.Open {
		return e
	}
	return identity.Eyes{Open: true, Personal: identity.Masked, Secret: identity.Masked}
}

// May reports whether the reader has a right in an area.
func (l *Lens) May(right identity.Right, area syncproto.AreaID) bool {
	return l.snap.People.May(l.snap.Areas, l.authors, right, area, l.now)
}

// Own reports whether an author is the reader.
func (l *Lens) Own(author syncproto.AuthorID) bool { return slices.Contains(l.authors, author) }

// Saw notes that the reader is shown something of a record that lies in an area.
func (l *Lens) Saw(id syncproto.RecordID, area syncproto.AreaID) {
	if id.IsZero() {
		return
	}
	if _, known := l.known[id]; known {
		return
	}
	if l.known == nil {
		l.known = make(map[syncproto.RecordID]struct{})
		l.where = area
	}
	l.known[id] = struct{}{}
	l.saw = append(l.saw, id)
}

// Shown returns the records that were shown, and where the first of them lies.
func (l *Lens) Shown() ([]syncproto.RecordID, syncproto.AreaID) { return l.saw, l.where }

// Value is what eyes see of a value of a field; false if nothing.
func (l *Lens) Value(e identity.Eyes, kind syncproto.Kind, name string, v syncproto.Value) (syncproto.Value, bool) {
	field, class := l.field(kind, name)
	return l.through(e.Of(class), kind, field, v)
}

// Fields is what eyes see of some fields, in a map of its own; except names a field that is
// shown as it is.
func (l *Lens) Fields(e identity.Eyes, kind syncproto.Kind, fields syncproto.Fields, except string) syncproto.Fields {
	if fields == nil || everything(e) {
		return fields
	}
	seen := make(syncproto.Fields, len(fields))
	for name, v := range fields {
		if name == except && name != "" {
			seen[name] = v
			continue
		}
		if v, ok := l.Value(e, kind, name, v); ok {
			seen[name] = v
		}
	}
	return seen
}

// Flags is what eyes see of a record's flags: those that follow from nothing but what is
// seen as it is.
func (l *Lens) Flags(e identity.Eyes, kind syncproto.Kind, flags []string) []string {
	if len(flags) == 0 || everything(e) {
		return flags
	}
	var seen []string
	f := l.snap.Forms.Newest(kind)
	if f == nil {
		return nil
	}
	for i := range f.Flags {
		flag := &f.Flags[i]
		hidden := slices.ContainsFunc(flag.When.Fields(), func(name string) bool {
			_, class := l.field(kind, name)
			return e.Of(class) != identity.Clear
		})
		if !hidden && slices.Contains(flags, flag.Name) {
			seen = append(seen, flag.Name)
		}
	}
	return seen
}

// everything reports whether eyes see all there is.
func everything(e identity.Eyes) bool {
	return e.Open && e.Personal == identity.Clear && e.Secret == identity.Clear
}

// field finds a field and its class. What no form knows may be anything, and counts as the
// most personal there is.
func (l *Lens) field(kind syncproto.Kind, name string) (*form.Field, form.Class) {
	field, known := l.snap.Forms.Newest(kind).Field(name)
	if !known {
		return field, form.Secret
	}
	return field, field.Class
}

func (l *Lens) through(s identity.Sight, kind syncproto.Kind, field *form.Field, v syncproto.Value) (syncproto.Value, bool) {
	switch s {
	case identity.Clear:
		return v, true
	case identity.Masked:
		return l.masked(kind, field, v)
	}
	return "", false
}

// masked is a value as it may be seen. A cleared one is no secret. What isn't a text can't
// be shown in part, and isn't shown.
func (l *Lens) masked(kind syncproto.Kind, field *form.Field, v syncproto.Value) (syncproto.Value, bool) {
	if v.IsNull() {
		return v, true
	}
	text, ok := v.Text()
	if !ok {
		return "", false
	}
	shown, ok := mask(field, l.names(kind, field), text)
	if !ok {
		return "", false
	}
	return syncproto.Masked{Masked: shown, Tag: l.tags.tag(field, v)}.Value(), true
}

// names reports whether a field holds a person's name: the one by which people are
// matched, or one that a form calls so.
func (l *Lens) names(kind syncproto.Kind, field *form.Field) bool {
	if field.Type != form.Text || field.Name == "" {
		return false
	}
	f := l.snap.Forms.Newest(kind)
	return f != nil && f.Match != nil && f.Match.Name == field.Name || slices.Contains(nameFields, field.Name)
}

// nameFields are what the fields of the built-in forms are called that hold names.
var nameFields = []string{"name", "head", "landlord"}
