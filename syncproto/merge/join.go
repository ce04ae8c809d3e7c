package merge

import (
	"bytes"
	"maps"
	"slices"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Join returns the live parts of records that are one, as the one record that people
// see: all of the survivor's, and of the others what they say about the person, the
// household or the event. What belongs to a record as such (area, exit, same_as,
// residences) is the survivor's alone. A write of one record replaces one of another
// only if its author was shown both as one (syncproto.Part.With).
//
// Each part names its record (syncproto.Part.Of). It is for Show, Glance and Outcome, and
// for no store and no message: Fold is never given it together with new changes. A
// survivor without others is given back as it is.
func Join(f *form.Form, survivor *syncproto.Record, absorbed []*syncproto.Record) []syncproto.Part {
	if len(absorbed) == 0 {
		return survivor.Live
	}
	parts := slices.Clone(survivor.Live)
	for i := range parts {
		parts[i].Of = survivor.ID
	}
	for _, r := range absorbed {
		parts = append(parts, contribution(r)...)
	}
	live := Fold(f, parts)
	for i := range live {
		live[i].Spent = nil
	}
	return slices.DeleteFunc(live, func(p syncproto.Part) bool { return len(p.Fields) == 0 })
}

// contribution returns what an absorbed record says besides where it belongs; parts of
// which nothing is left stay away.
func contribution(r *syncproto.Record) []syncproto.Part {
	parts := make([]syncproto.Part, 0, len(r.Live))
	for _, p := range r.Live {
		p.Of = r.ID
		p.Fields = maps.Clone(p.Fields)
		maps.DeleteFunc(p.Fields, func(name string, _ syncproto.Value) bool { return isStanding(name) })
		if len(p.Fields)+len(p.Spent) > 0 {
			parts = append(parts, p)
		}
	}
	return parts
}

// isStanding reports whether a field says where a record as such belongs, rather than
// anything about what is recorded.
func isStanding(name string) bool {
	switch name {
	case syncproto.FieldArea, syncproto.FieldExit, syncproto.FieldSameAs, syncproto.FieldResidences:
		return true
	}
	return false
}

// Root follows what records turned out to be, from id to the one that survives. into
// returns what a record turned out to be, and false for one that stands for itself.
// Records that name each other in a circle survive as the least of them.
func Root(id syncproto.RecordID, into func(syncproto.RecordID) (syncproto.RecordID, bool)) syncproto.RecordID {
	path := []syncproto.RecordID{id}
	for {
		next, ok := into(path[len(path)-1])
		if !ok {
			return path[len(path)-1]
		}
		for i, seen := range path {
			if seen == next {
				return least(path[i:])
			}
		}
		path = append(path, next)
	}
}

func least(ids []syncproto.RecordID) syncproto.RecordID {
	low := ids[0]
	for _, id := range ids[1:] {
		if bytes.Compare(id[:], low[:]) < 0 {
			low = id
		}
	}
	return low
}
