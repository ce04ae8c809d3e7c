package form

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gridsync/syncproto"
)

// Whatever a form finds wrong, a volunteer reads it in Chinese.
func TestEveryProblemHasItsChinese(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var decls []ast.Decl
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		decls = append(decls, file.Decls...)
	}
	found := 0
	for _, decl := range decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || !strings.HasSuffix(strings.ToLower(f.Name.Name), "problem") {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			result, ok := n.(*ast.ReturnStmt)
			if !ok || len(result.Results) != 1 {
				return true
			}
			literal, ok := result.Results[0].(*ast.BasicLit)
			if !ok || literal.Value == `""` {
				return true
			}
			detail, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			found++
			if zh, ok := syncproto.Problem(detail); !ok || zh == "" {
				t.Errorf("%s: %q has no Chinese", f.Name.Name, detail)
			}
			return true
		})
	}
	if found < 20 {
		t.Fatalf("only %d problems found: the functions have other names now", found)
	}
}
