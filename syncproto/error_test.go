package syncproto_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gridsync/syncproto"
)

// declared reads the Code constants out of the source, as nothing else knows
// them all.
func declared(t *testing.T) []syncproto.Code {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "error.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var codes []syncproto.Code
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); !ok || typ.Name != "Code" {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, syncproto.Code(text))
		return true
	})
	slices.Sort(codes)
	return codes
}

func TestEveryCodeIsInTheCatalogueInBothLanguages(t *testing.T) {
	codes := declared(t)
	if len(codes) < 30 || !slices.Equal(codes, syncproto.Codes()) {
		t.Fatalf("declared %v\nin the catalogue %v", codes, syncproto.Codes())
	}
	chinese := regexp.MustCompile(`\p{Han}`)
	for _, code := range codes {
		e := &syncproto.Error{Code: code}
		m := e.Message()
		if !chinese.MatchString(m.ZH) || m.EN == "" || chinese.MatchString(m.EN) {
			t.Errorf("%s: %+v", code, m)
		}
		if s := e.Status(); s < 400 || s > 599 || http.StatusText(s) == "" {
			t.Errorf("%s: status %d", code, s)
		}
	}
}

func TestTheSpecificationListsEveryCode(t *testing.T) {
	spec, err := os.ReadFile("SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(spec), "## Codes")
	if !found {
		t.Fatal("SPEC.md has no section Codes")
	}
	var listed []syncproto.Code
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(table, -1) {
		listed = append(listed, syncproto.Code(row[1]))
	}
	slices.Sort(listed)
	if !slices.Equal(listed, syncproto.Codes()) {
		t.Errorf("SPEC.md lists %v\nthe catalogue %v", listed, syncproto.Codes())
	}
}

func TestAnErrorIsComparedByItsCode(t *testing.T) {
	e := &syncproto.Error{Code: syncproto.CodeBusy, Field: "x", Detail: "y"}
	if !errors.Is(e, &syncproto.Error{Code: syncproto.CodeBusy}) || errors.Is(e, &syncproto.Error{Code: syncproto.CodeInternal}) {
		t.Error("codes are not what errors.Is compares")
	}
	if errors.Is(e, errors.ErrUnsupported) {
		t.Error("another error passes for this one")
	}
	if e.Error() != "busy (x): y" {
		t.Errorf("reads %q", e.Error())
	}
}

// A phone that is older than its server still shows what the server says.
func TestAnErrorFromANewerServerKeepsItsWords(t *testing.T) {
	const wire = `{"code":"too_hot","field":"t","detail":"d","message":{"zh":"太热","en":"Too hot"}}`
	var e syncproto.Error
	if err := json.Unmarshal([]byte(wire), &e); err != nil {
		t.Fatal(err)
	}
	if e.Code != "too_hot" || e.Field != "t" || e.Detail != "d" || e.Message().ZH != "太热" {
		t.Errorf("read %+v, which says %+v", e, e.Message())
	}
	if again, err := json.Marshal(&e); err != nil || string(again) != wire {
		t.Errorf("%s (%v)", again, err)
	}
	if err := json.Unmarshal([]byte(`{"code":"busy","message":{"zh":"x","en":"x"}}`), &e); err != nil || e.Message().EN == "x" {
		t.Errorf("a code of the table speaks other words: %+v (%v)", e.Message(), err)
	}
}

func TestAReasonIsReadAfterTheCodesText(t *testing.T) {
	plain := &syncproto.Error{Code: syncproto.CodeBadForm, Field: "name"}
	with := plain.Because(syncproto.Text{ZH: "类型不能更改", EN: "its type can't change"})
	if got, want := with.Message(), plain.Message(); got.ZH != want.ZH+"：类型不能更改" || got.EN != want.EN+": its type can't change" {
		t.Errorf("%+v", got)
	}
	if with.Field != "name" || !errors.Is(with, plain) || plain.Message().ZH == with.Message().ZH {
		t.Errorf("%+v beside %+v", with, plain)
	}
}
