package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Package is one package of the module without its tests.
type Package struct {
	// Dir is its folder below the module's root: "server/internal/area".
	Dir string
	// Name is what its package clauses say.
	Name  string
	Files []File
}

// File is one Go file.
type File struct {
	// Path is its name below the module's root.
	Path string
	// Comment is the package comment, if this file has it.
	Comment string
	// Imports are the import paths.
	Imports []string
	// Uses are the mentions of what other packages export.
	Uses []Use
}

// Use is one mention of something exported: "time.Now", by import path.
type Use struct {
	Name string
	Line int
}

// Load reads the packages of a module from its root, in order of folders. What Go
// itself leaves out (testdata, names that start with a dot or an underscore,
// nested modules) and node_modules are left out.
func Load(root fs.FS) ([]Package, error) {
	var packages []Package
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return enter(root, name)
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		pkg, file, err := parse(root, name)
		if err != nil {
			return err
		}
		packages = insert(packages, path.Dir(name), pkg, file)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the source tree: %w", err)
	}
	slices.SortFunc(packages, func(a, b Package) int { return strings.Compare(a.Dir, b.Dir) })
	return packages, nil
}

// enter says whether a folder is part of the module.
func enter(root fs.FS, dir string) error {
	base := path.Base(dir)
	if dir == "." {
		return nil
	}
	if base == "testdata" || base == "node_modules" || base[0] == '.' || base[0] == '_' {
		return fs.SkipDir
	}
	if _, err := fs.Stat(root, path.Join(dir, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

func insert(packages []Package, dir, name string, f File) []Package {
	for i := range packages {
		if packages[i].Dir == dir {
			packages[i].Files = append(packages[i].Files, f)
			return packages
		}
	}
	return append(packages, Package{Dir: dir, Name: name, Files: []File{f}})
}

func parse(root fs.FS, name string) (pkg string, f File, err error) {
	source, err := fs.ReadFile(root, name)
	if err != nil {
		return "", File{}, err
	}
	positions := token.NewFileSet()
	syntax, err := parser.ParseFile(positions, name, source, parser.ParseComments)
	if err != nil {
		return "", File{}, err
	}
	f = File{Path: name, Comment: syntax.Doc.Text()}
	local := map[string]string{} // import path by the name that it has in this file
	for _, spec := range syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return "", File{}, fmt.Errorf("%s: import %s: %w", name, spec.Path.Value, err)
		}
		f.Imports = append(f.Imports, imported)
		if spec.Name != nil {
			local[spec.Name.Name] = imported
		} else {
			local[guessName(imported)] = imported
		}
	}
	ast.Inspect(syntax, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		// A variable of the same name as an import hides it; the parser has then
		// resolved the identifier.
		if x, ok := selector.X.(*ast.Ident); ok && x.Obj == nil && local[x.Name] != "" {
			line := positions.Position(selector.Pos()).Line
			f.Uses = append(f.Uses, Use{Name: local[x.Name] + "." + selector.Sel.Name, Line: line})
		}
		return true
	})
	return syntax.Name.Name, f, nil
}

// guessName is the name that a package most likely has: the last element of its
// path that isn't a major version.
func guessName(imported string) string {
	base := path.Base(imported)
	if len(base) > 1 && base[0] == 'v' && strings.Trim(base[1:], "0123456789") == "" {
		base = path.Base(path.Dir(imported))
	}
	return base
}
