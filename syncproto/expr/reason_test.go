package expr

import (
	"go/ast"
	goparser "go/parser"
	gotoken "go/token"
	"os"
	"strconv"
	"strings"
	"testing"
)

// Whoever writes a formula in a browser reads of the same faults, in the same words.
func TestBrowsersGiveTheSameReasons(t *testing.T) {
	browser, err := os.ReadFile("../../clientsdk/web/src/expr/problem.ts")
	if err != nil {
		t.Fatal(err)
	}
	file, err := goparser.ParseFile(gotoken.NewFileSet(), "reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	ast.Inspect(file, func(n ast.Node) bool {
		member, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		literal, ok := member.Value.(*ast.BasicLit)
		if !ok {
			return true
		}
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		if text == notUTF8.ZH || text == notUTF8.EN {
			return true // no text of a browser is
		}
		held++
		if !strings.Contains(string(browser), `"`+strings.ReplaceAll(text, `"`, `\"`)+`"`) {
			t.Errorf("problem.ts lacks %q", text)
		}
		return true
	})
	if held < 30 {
		t.Errorf("only %d texts", held)
	}
}
