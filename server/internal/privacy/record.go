package privacy

import (
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// Record is what a device of the reader's gets of a record: whatever the reader wrote, and
// every value equal to it in the same field, as it is; of the rest what the reader's eyes
// see in the record's area (R92). The record given is not altered.
func (l *Lens) Record(r *syncproto.Record) syncproto.Record {
	e := l.Eyes(r.Area)
	seen := *r
	if everything(e) {
		return seen
	}
	own := l.own(r)
	seen.Live = make([]syncproto.Part, len(r.Live))
	for i := range r.Live {
		p := r.Live[i]
		if !l.Own(p.Author) {
			p.Fields = l.others(e, r.Kind, p.Fields, own)
			p.Spent = l.others(e, r.Kind, p.Spent, own)
		}
		seen.Live[i] = p
	}
	return seen
}

// said is a field and a value of it, folded.
type said struct{ field, folded string }

// own are the reader's own live values of fields that aren't open.
func (l *Lens) own(r *syncproto.Record) map[said]struct{} {
	var own map[said]struct{}
	for i := range r.Live {
		if !l.Own(r.Live[i].Author) {
			continue
		}
		for name, v := range r.Live[i].Fields {
			if own == nil {
				own = make(map[said]struct{})
			}
			field, _ := l.field(r.Kind, name)
			own[said{name, field.Fold(v)}] = struct{}{}
		}
	}
	return own
}

func (l *Lens) others(e identity.Eyes, kind syncproto.Kind, fields syncproto.Fields, own map[said]struct{}) syncproto.Fields {
	if fields == nil {
		return nil
	}
	seen := make(syncproto.Fields, len(fields))
	for name, v := range fields {
		field, class := l.field(kind, name)
		sight := e.Of(class)
		if sight != identity.Clear && own != nil {
			if _, same := own[said{name, field.Fold(v)}]; same {
				sight = identity.Clear
			}
		}
		if v, ok := l.through(sight, kind, field, v); ok {
			seen[name] = v
		}
	}
	return seen
}
