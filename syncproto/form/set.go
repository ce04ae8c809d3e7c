package form

import (
	"embed"
	"fmt"
	"sort"

	"gridsync/syncproto"
)

//go:embed forms/*.json
var builtIn embed.FS

// Set is the forms known to a replica: every version of every kind. The zero Set
// is empty. A Set is never altered: With returns another one.
type Set struct {
	forms map[syncproto.Kind][]*Form // by version, ascending
}

// BuiltIn returns the forms that come with the program.
func BuiltIn() (Set, error) {
	entries, err := builtIn.ReadDir("forms")
	if err != nil {
		return Set{}, fmt.Errorf("built-in forms: %w", err)
	}
	var set Set
	for _, e := range entries {
		source, err := builtIn.ReadFile("forms/" + e.Name())
		if err != nil {
			return Set{}, fmt.Errorf("built-in forms: %w", err)
		}
		f, err := Parse(source)
		if err != nil {
			return Set{}, fmt.Errorf("built-in %s: %w", e.Name(), err)
		}
		set = set.With(f)
	}
	return set, nil
}

// With returns the set with f added, in place of a form of the same kind and version.
func (s Set) With(f *Form) Set {
	next := Set{forms: make(map[syncproto.Kind][]*Form, len(s.forms)+1)}
	for kind, versions := range s.forms {
		next.forms[kind] = versions
	}
	var versions []*Form
	for _, old := range s.forms[f.Kind] {
		if old.Version != f.Version {
			versions = append(versions, old)
		}
	}
	versions = append(versions, f)
	sort.Slice(versions, func(i, j int) bool { return versions[i].Version < versions[j].Version })
	next.forms[f.Kind] = versions
	return next
}

// Has reports whether the set has any form of the kind.
func (s Set) Has(kind syncproto.Kind) bool { return len(s.forms[kind]) > 0 }

// Version returns one version of a kind's form, or nil.
func (s Set) Version(kind syncproto.Kind, version int) *Form {
	for _, f := range s.forms[kind] {
		if f.Version == version {
			return f
		}
	}
	return nil
}

// Newest returns the newest form of a kind, or nil. Its rules, measures and flags
// are those by which a record of the kind is shown and counted, whichever
// versions its changes were filled in with.
func (s Set) Newest(kind syncproto.Kind) *Form {
	versions := s.forms[kind]
	if len(versions) == 0 {
		return nil
	}
	return versions[len(versions)-1]
}

// Kinds returns the kinds in order.
func (s Set) Kinds() []syncproto.Kind {
	kinds := make([]syncproto.Kind, 0, len(s.forms))
	for k := range s.forms {
		kinds = append(kinds, k)
	}
	sort.Slice(kinds, func(i, j int) bool { return kinds[i] < kinds[j] })
	return kinds
}

// All returns every form, by kind and version.
func (s Set) All() []*Form {
	var all []*Form
	for _, k := range s.Kinds() {
		all = append(all, s.forms[k]...)
	}
	return all
}
