package merge

import (
	"slices"

	"gridsync/syncproto"
)

// standing returns the parts that nobody withdrew, in their order. What is withdrawn
// counts as never written: it neither lives nor replaces, so that all that it had
// replaced is as it was.
func standing(parts []syncproto.Part) []syncproto.Part {
	undoes := func(p syncproto.Part) bool { return p.Decides && len(p.Undoes) > 0 }
	if !slices.ContainsFunc(parts, undoes) { // by far the most
		return parts
	}
	u := undoing{parts: parts, found: make([]verdict, len(parts))}
	kept := make([]syncproto.Part, 0, len(parts))
	for i := range parts {
		if !u.withdrawn(i) {
			kept = append(kept, parts[i])
		}
	}
	return kept
}

// undoing finds out which parts are withdrawn. As an undo may be undone, each waits for
// what is found of those that name it.
type undoing struct {
	parts []syncproto.Part
	found []verdict
}

type verdict byte

const (
	notAsked verdict = iota
	// asked is found of a part while those that withdraw it are looked at. It is met again
	// only if authors claim to have seen each other; it then counts as standing.
	asked
	stands
	withdrawn
)

func (u *undoing) withdrawn(i int) bool {
	if u.found[i] != notAsked {
		return u.found[i] == withdrawn
	}
	u.found[i] = asked
	v := stands
	for j := range u.parts {
		if withdraws(&u.parts[j], &u.parts[i]) && !u.withdrawn(j) {
			v = withdrawn
		}
	}
	u.found[i] = v
	return v == withdrawn
}

// withdraws reports whether p is a decision that undoes the decision d: one about the
// same record, which p names and whose effect its author had seen.
func withdraws(p, d *syncproto.Part) bool {
	names := func(o syncproto.Origin) bool { return o.Device == d.Device && o.N == d.N }
	return p.Decides && d.Decides && p.Of == d.Of && slices.ContainsFunc(p.Undoes, names) && Saw(p, d)
}
