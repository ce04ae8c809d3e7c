package exchange

import (
	"bytes"
	"slices"

	"gridsync/syncproto"
	"gridsync/syncproto/merge"
)

// links holds in memory which records are one: those that turned out to be others
// (same_as), and the twins of open double visits, which count as one meanwhile. They
// are few, and every record that is touched is asked about.
//
// A group works on a view of its own, over what was committed.
type links struct {
	into map[syncproto.RecordID]syncproto.RecordID
	from map[syncproto.RecordID][]syncproto.RecordID
	twin map[syncproto.RecordID][]syncproto.RecordID
}

func newLinks(boot Boot) *links {
	l := &links{
		into: make(map[syncproto.RecordID]syncproto.RecordID),
		from: make(map[syncproto.RecordID][]syncproto.RecordID),
		twin: make(map[syncproto.RecordID][]syncproto.RecordID),
	}
	for _, link := range boot.Links {
		l.link(link)
	}
	for _, pair := range boot.Twins {
		l.pair(pair, true)
	}
	return l
}

// link notes what a record turned out to be; nothing if Into is zero.
func (l *links) link(link Link) {
	if old, ok := l.into[link.Record]; ok {
		l.from[old] = slices.DeleteFunc(l.from[old], func(id syncproto.RecordID) bool { return id == link.Record })
		if len(l.from[old]) == 0 {
			delete(l.from, old)
		}
		delete(l.into, link.Record)
	}
	if !link.Into.IsZero() {
		l.into[link.Record] = link.Into
		l.from[link.Into] = append(l.from[link.Into], link.Record)
	}
}

// pair notes that two records are twins, or no longer.
func (l *links) pair(pair Link, twins bool) {
	for _, p := range []Link{pair, {Record: pair.Into, Into: pair.Record}} {
		others := slices.DeleteFunc(l.twin[p.Record], func(id syncproto.RecordID) bool { return id == p.Into })
		if twins {
			others = append(others, p.Into)
		}
		if l.twin[p.Record] = others; len(others) == 0 {
			delete(l.twin, p.Record)
		}
	}
}

// clone copies the links, for a group that alters them.
func (l *links) clone() *links {
	c := &links{
		into: make(map[syncproto.RecordID]syncproto.RecordID, len(l.into)),
		from: make(map[syncproto.RecordID][]syncproto.RecordID, len(l.from)),
		twin: make(map[syncproto.RecordID][]syncproto.RecordID, len(l.twin)),
	}
	for id, into := range l.into {
		c.into[id] = into
	}
	for id, others := range l.from {
		c.from[id] = slices.Clone(others)
	}
	for id, others := range l.twin {
		c.twin[id] = slices.Clone(others)
	}
	return c
}

// alone reports whether a record is one with no other.
func (l *links) alone(id syncproto.RecordID) bool {
	if len(l.into) == 0 && len(l.twin) == 0 {
		return true
	}
	_, absorbed := l.into[id]
	return !absorbed && len(l.from[id]) == 0 && len(l.twin[id]) == 0
}

// root returns the record that survives of those that a record is one with.
func (l *links) root(id syncproto.RecordID) syncproto.RecordID {
	return merge.Root(id, func(id syncproto.RecordID) (syncproto.RecordID, bool) {
		into, ok := l.into[id]
		return into, ok
	})
}

// same returns all records that are one with a record by decision, itself among
// them: the survivor first, the others in order.
func (l *links) same(id syncproto.RecordID) []syncproto.RecordID {
	return ordered(l.root(id), l.reach(id, false))
}

// counted returns all records that count as one with a record: those that are one
// with it, and the twins of any of them. The first stands for all.
func (l *links) counted(id syncproto.RecordID) []syncproto.RecordID {
	all := l.reach(id, true)
	head := l.root(id)
	for _, other := range all {
		if root := l.root(other); bytes.Compare(root[:], head[:]) < 0 {
			head = root
		}
	}
	return ordered(head, all)
}

// reach walks the links in both directions.
func (l *links) reach(id syncproto.RecordID, twins bool) []syncproto.RecordID {
	found := []syncproto.RecordID{id}
	for i := 0; i < len(found); i++ {
		next := l.from[found[i]]
		if into, ok := l.into[found[i]]; ok {
			next = append(slices.Clone(next), into)
		}
		if twins {
			next = slices.Concat(next, l.twin[found[i]])
		}
		for _, other := range next {
			if !slices.Contains(found, other) {
				found = append(found, other)
			}
		}
	}
	return found
}

// ordered puts head first and the others in order of their ids.
func ordered(head syncproto.RecordID, all []syncproto.RecordID) []syncproto.RecordID {
	slices.SortFunc(all, func(a, b syncproto.RecordID) int {
		switch {
		case a == b:
			return 0
		case a == head:
			return -1
		case b == head:
			return 1
		}
		return bytes.Compare(a[:], b[:])
	})
	return all
}
