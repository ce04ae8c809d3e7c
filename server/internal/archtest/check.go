package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// Breach is one place where the tree differs from the rules.
type Breach struct {
	// Where is a folder, a file, or a file with a line.
	Where string
	// What was found there, and Why it isn't right.
	What, Why string
}

func (b Breach) String() string { return b.Where + ": " + b.What + "\n    because " + b.Why }

// Check holds packages against the layout and returns every breach.
func Check(packages []Package) []Breach {
	var breaches []Breach
	for _, p := range packages {
		breaches = append(breaches, checkSelf(p)...)
		layers := layersOf(p.Dir)
		if len(layers) != 1 {
			breaches = append(breaches, Breach{
				Where: p.Dir, What: fmt.Sprintf("stands in %d layers of the layout", len(layers)),
				Why: "every package stands in exactly one, so that somebody has decided what it may know (rules.go)",
			})
			continue
		}
		for _, f := range p.Files {
			breaches = append(breaches, checkImports(layers[0], f)...)
			breaches = append(breaches, checkUses(layers[0], p, f)...)
		}
	}
	return breaches
}

// checkSelf looks at what a package says of itself.
func checkSelf(p Package) []Breach {
	var breaches []Breach
	if !slices.ContainsFunc(p.Files, func(f File) bool { return f.Comment != "" }) {
		breaches = append(breaches, Breach{
			Where: p.Dir, What: "has no package comment",
			Why: "one sentence says what a package is, and one what it refuses to do",
		})
	}
	base := p.Dir[strings.LastIndexByte(p.Dir, '/')+1:]
	for _, name := range []string{base, p.Name} {
		if slices.Contains(badNames, name) {
			breaches = append(breaches, Breach{
				Where: p.Dir, What: "is called " + name,
				Why: "such a name says nothing of what is inside, and so everything ends up there",
			})
			break
		}
	}
	return breaches
}

func layersOf(dir string) []Layer {
	var found []Layer
	for _, l := range Layout {
		if matchesAny(l.Packages, dir) {
			found = append(found, l)
		}
	}
	return found
}

func checkImports(l Layer, f File) []Breach {
	var breaches []Breach
	for _, imported := range f.Imports {
		if !l.allows(imported) && !excepted(f, imported) {
			breaches = append(breaches, Breach{Where: f.Path, What: fmt.Sprintf("imports %s, which %s may not", imported, l.Name), Why: l.Why})
		}
	}
	return breaches
}

func (l Layer) allows(imported string) bool {
	if ours, ok := strings.CutPrefix(imported, Module+"/"); ok {
		return matchesAny(l.Packages, ours) || matchesAny(l.May, ours)
	}
	if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") {
		return matchesAny(l.May, imported)
	}
	return !matchesAny(l.MayNot, imported) // the standard library
}

func checkUses(l Layer, p Package, f File) []Breach {
	var breaches []Breach
	for _, u := range f.Uses {
		where := fmt.Sprintf("%s:%d", f.Path, u.Line)
		switch {
		case excepted(f, u.Name):
		case l.Pure && slices.Contains(impure, u.Name):
			breaches = append(breaches, Breach{Where: where, What: fmt.Sprintf("uses %s, which %s may not", u.Name, l.Name), Why: l.Why})
		case u.Name == "time.Now" && p.Name != "main":
			breaches = append(breaches, Breach{
				Where: where, What: "reads the clock",
				Why: "time comes in as a value; only main packages and the exceptions in rules.go default to the real one",
			})
		}
	}
	return breaches
}

// excepted reports whether a file may import or use what its layer may not.
func excepted(f File, what string) bool {
	return slices.ContainsFunc(exceptions, func(e Exception) bool {
		return matches(e.Where, f.Path) && slices.Contains(e.What, what)
	})
}

func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, name) })
}

// matches reports whether name is what pattern says, or, if it ends in "/...",
// that or anything below it.
func matches(pattern, name string) bool {
	root, deep := strings.CutSuffix(pattern, "/...")
	return name == root || deep && strings.HasPrefix(name, root+"/")
}
