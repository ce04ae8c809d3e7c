package merge

import (
	"slices"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// spent returns those writes of parts[i] that don't live, of which left is what does,
// and that still hold against other records.
//
// A write that replaced another record's must go on doing so when it is itself replaced
// by somebody who knew of its own record alone; else what was settled in one record
// would come back from the other. Join sees no more than what Fold left, so Fold leaves
// that too. A later write of the same device that holds against the same records at
// least, and as strongly, stands for it.
func spent(f *form.Form, parts []syncproto.Part, i int, left syncproto.Fields) syncproto.Fields {
	p := &parts[i]
	if len(p.With) == 0 {
		return nil
	}
	kept := make(syncproto.Fields)
	keep := func(name string, v syncproto.Value) {
		field, _ := f.Field(name)
		if isStanding(name) || field.Rule != form.Union && stoodFor(parts, i, name, field.Rule) {
			return
		}
		if kept[name] = v; field.Rule != form.Union {
			kept[name] = syncproto.Null
		}
	}
	for name, v := range p.Fields {
		if left[name] != v {
			keep(name, v)
		}
	}
	for name, v := range p.Spent {
		keep(name, v)
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

// stoodFor reports whether a later write to the field, by the same device, replaces
// whatever parts[i] replaces of other records.
func stoodFor(parts []syncproto.Part, i int, name string, rule form.Rule) bool {
	return slices.ContainsFunc(parts, func(w syncproto.Part) bool {
		return w.Device == parts[i].Device && writes(&w, name) && replaces(&w, &parts[i], name, rule) &&
			(w.Decides || !slices.Contains(w.Amid, name)) && covers(w.With, parts[i].With)
	})
}

// covers reports whether all names every record that some names, at no lower a version.
func covers(all, some []syncproto.Beside) bool {
	for _, s := range some {
		if !slices.ContainsFunc(all, func(b syncproto.Beside) bool { return b.Record == s.Record && b.Version >= s.Version }) {
			return false
		}
	}
	return true
}
