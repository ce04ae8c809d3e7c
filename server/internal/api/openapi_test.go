package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"gridsync/syncproto"
)

// doc is the served document as far as the tests look at it.
type doc struct {
	OpenAPI string `json:"openapi"`
	Info    struct {
		Title, Version string
	} `json:"info"`
	Paths      map[string]map[string]op `json:"paths"`
	Components struct {
		Schemas         map[string]map[string]any
		SecuritySchemes map[string]map[string]string
	} `json:"components"`
	Codes map[syncproto.Code]struct {
		Status  int
		Message syncproto.Text
	} `json:"x-codes"`
}

type op struct {
	OperationID string                `json:"operationId"`
	Summary     string                `json:"summary"`
	Security    []map[string][]string `json:"security"`
	Parameters  []struct {
		Name, In, Description string
		Required              bool
		Schema                map[string]any
	} `json:"parameters"`
	RequestBody *bodies           `json:"requestBody"`
	Responses   map[string]bodies `json:"responses"`
}

type bodies struct {
	Description string
	Content     map[string]struct{ Schema map[string]any }
}

func served(t *testing.T) (*world, doc) {
	t.Helper()
	w := newWorld(t)
	r := w.do(t, httptest.NewRequest(http.MethodGet, "/v1/openapi.json", nil))
	var d doc
	if err := json.Unmarshal(r.body, &d); err != nil || r.status != http.StatusOK {
		t.Fatal(r.status, err)
	}
	return w, d
}

var pathParam = regexp.MustCompile(`:(\w+)`)

func TestEveryRouteIsInTheDocumentAndTheOtherWayRound(t *testing.T) {
	w, d := served(t)
	var routed, written []string
	for _, r := range w.app.GetRoutes(true) {
		if r.Method != http.MethodHead {
			routed = append(routed, r.Method+" "+pathParam.ReplaceAllString(r.Path, "{$1}"))
		}
	}
	for path, item := range d.Paths {
		for method := range item {
			written = append(written, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(routed)
	slices.Sort(written)
	if !slices.Equal(routed, written) {
		t.Errorf("routes   %q\ndocument %q", routed, written)
	}
	if len(routed) != len(routes()) {
		t.Errorf("%d routes for %d lines of the table", len(routed), len(routes()))
	}
}

// unguarded are the routes for which nobody needs to be known yet.
var unguarded = []string{
	"get /v1/openapi.json", "get /v1/undertaking", "get /v1/forms/schema", "get /v1/templates/schema", "post /v1/enrol", "post /v1/enrol/look", "post /v1/token", "post /v1/session", "post /v1/account",
}

func TestTheDocumentIsOpenAPI31(t *testing.T) {
	_, d := served(t)
	if !strings.HasPrefix(d.OpenAPI, "3.1.") || d.Info.Title == "" || d.Info.Version != strconv.Itoa(syncproto.Protocol) {
		t.Errorf("%s %+v", d.OpenAPI, d.Info)
	}
	if s := d.Components.SecuritySchemes["device"]; s["type"] != "http" || s["scheme"] != "bearer" {
		t.Errorf("security scheme %v", s)
	}
	seen := make(map[string]bool)
	for path, item := range d.Paths {
		for method, o := range item {
			where := method + " " + path
			if o.OperationID == "" || seen[o.OperationID] || o.Summary == "" {
				t.Errorf("%s: operation id %q, summary %q", where, o.OperationID, o.Summary)
			}
			seen[o.OperationID] = true
			if guarded := len(o.Security) > 0; guarded != (strings.HasPrefix(path, "/v1/") && !slices.Contains(unguarded, where)) {
				t.Errorf("%s: guarded %v", where, guarded)
			}
			checkParameters(t, where, path, o)
			checkResponses(t, where, d, o)
		}
	}
}

func checkParameters(t *testing.T, where, path string, o op) {
	t.Helper()
	var inPath []string
	for _, p := range o.Parameters {
		if p.Name == "" || p.Description == "" || p.Schema["type"] == nil || p.Required != (p.In == "path") {
			t.Errorf("%s: parameter %+v", where, p)
		}
		if p.In == "path" {
			inPath = append(inPath, "{"+p.Name+"}")
		}
	}
	if found := regexp.MustCompile(`\{\w+\}`).FindAllString(path, -1); !slices.Equal(found, inPath) {
		t.Errorf("%s: the path has %v, the parameters %v", where, found, inPath)
	}
}

func checkResponses(t *testing.T, where string, d doc, o op) {
	t.Helper()
	if _, ok := o.Responses["200"]; !ok {
		t.Errorf("%s: no answer", where)
	}
	for status, r := range o.Responses {
		if r.Description == "" || len(r.Content) != 1 {
			t.Errorf("%s: %s: %+v", where, status, r)
		}
		for _, c := range r.Content {
			checkRefs(t, where+" "+status, d, c.Schema)
		}
		if status == "200" {
			continue
		}
		if got := r.Content[fiber.MIMEApplicationJSON].Schema["$ref"]; got != "#/components/schemas/Problem" {
			t.Errorf("%s: %s: schema %v", where, status, got)
		}
		for _, code := range strings.Split(r.Description, ", ") {
			if line, ok := d.Codes[syncproto.Code(code)]; !ok || strconv.Itoa(line.Status) != status {
				t.Errorf("%s: %s: code %s has status %d", where, status, code, line.Status)
			}
		}
	}
}

// checkRefs follows every reference of a schema, once.
func checkRefs(t *testing.T, where string, d doc, schema any) {
	t.Helper()
	switch s := schema.(type) {
	case map[string]any:
		if to, ok := s["$ref"].(string); ok && d.Components.Schemas[strings.TrimPrefix(to, "#/components/schemas/")] == nil {
			t.Errorf("%s: %s leads nowhere", where, to)
		}
		for _, inner := range s {
			checkRefs(t, where, d, inner)
		}
	case []any:
		for _, inner := range s {
			checkRefs(t, where, d, inner)
		}
	}
}

func TestReferencesOfSchemasLeadSomewhere(t *testing.T) {
	_, d := served(t)
	for name, s := range d.Components.Schemas {
		checkRefs(t, name, d, s)
	}
}

func TestTheDocumentHasEveryCode(t *testing.T) {
	_, d := served(t)
	if got := slices.Sorted(maps.Keys(d.Codes)); !slices.Equal(got, syncproto.Codes()) {
		t.Errorf("got %v", got)
	}
	for code, line := range d.Codes {
		if line.Message.ZH == "" || line.Message.EN == "" {
			t.Errorf("%s: %+v", code, line)
		}
	}
}

// Each type that travels is filled to the last member, written as the server
// writes it, and held against the document: every member that is written stands
// there, every required one is written, each with its type.
func TestWhatIsWrittenFitsTheDocument(t *testing.T) {
	_, d := served(t)
	for _, r := range routes() {
		for _, value := range []any{r.body, r.answer} {
			if value == nil {
				continue
			}
			name := nameOf(reflect.TypeOf(value))
			full := reflect.New(reflect.TypeOf(value))
			fill(full.Elem(), 0)
			for what, v := range map[string]any{"full": full.Interface(), "empty": value} {
				for _, wrong := range d.fits(ref(name), asJSON(t, v), name) {
					t.Errorf("%s %s: %s", r.id, what, wrong)
				}
			}
			required := fmt.Sprint(d.Components.Schemas[name]["required"])
			for member := range asObject(t, value) {
				if !strings.Contains(" "+strings.Trim(required, "[]")+" ", " "+member+" ") {
					t.Errorf("%s: %s.%s is always written and isn't required", r.id, name, member)
				}
			}
			for _, missing := range d.unwritten(ref(name), asJSON(t, full.Interface()), name) {
				t.Errorf("%s: the document has %s, which is never written", r.id, missing)
			}
		}
	}
}

func TestTheSchemaOfAChangeIsWhatChangesLookLike(t *testing.T) {
	_, d := served(t)
	got := asJSON(t, json.RawMessage(sampleChange()))
	for _, wrong := range append(d.fits(ref("Change"), got, "Change"), d.unwritten(ref("Change"), got, "Change")...) {
		t.Error(wrong)
	}
	problem := asJSON(t, Problem{Code: "c", Field: "f", Detail: "d", Reference: "r"})
	remark := asJSON(t, &syncproto.Error{Code: "c", Field: "f", Detail: "d"})
	for _, wrong := range slices.Concat(
		d.fits(ref("Problem"), problem, "Problem"), d.unwritten(ref("Problem"), problem, "Problem"),
		d.fits(ref("Remark"), remark, "Remark"), d.unwritten(ref("Remark"), remark, "Remark"),
	) {
		t.Error(wrong)
	}
}

// sampleChange is a change with every member, as a device writes it.
func sampleChange() []byte {
	id := [16]byte{1}
	text, err := json.Marshal(syncproto.Change{
		ID: id, Device: id, N: 1, Author: id, Kind: "visit", Record: id, Area: "g1", Base: 1,
		Fields: json.RawMessage(`{"name":"x"}`), Amid: []string{"name"}, Decides: true, At: 1, Form: 1,
	})
	if err != nil {
		panic(err)
	}
	return text
}

func asJSON(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func asObject(t *testing.T, v any) map[string]any {
	t.Helper()
	o, ok := asJSON(t, v).(map[string]any)
	if !ok {
		t.Fatalf("%T is no object", v)
	}
	return o
}

// fill sets every member of a value to something that isn't zero.
func fill(v reflect.Value, depth int) {
	switch v.Interface().(type) {
	case json.RawMessage:
		v.SetBytes(sampleChange())
		return
	case syncproto.Value:
		v.SetString(`"x"`)
		return
	case syncproto.Outcome:
		v.SetString(string(syncproto.Parked))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(1)
	case reflect.Float64:
		v.SetFloat(1.5)
	case reflect.String:
		v.SetString(map[string]string{"review.Kind": "exit", "desk.Act": "merge", "fieldwork.DutyKind": "task"}[v.Type().String()])
		if v.Len() == 0 {
			v.SetString("x")
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), depth+1)
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), depth+1)
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, depth+1)
		fill(value, depth+1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), depth+1)
			}
		}
	}
}

func (d doc) resolve(schema map[string]any) map[string]any {
	if to, ok := schema["$ref"].(string); ok {
		return d.Components.Schemas[strings.TrimPrefix(to, "#/components/schemas/")]
	}
	return schema
}

// fits says what of a JSON value isn't as a schema has it.
func (d doc) fits(schema map[string]any, v any, at string) (wrong []string) {
	schema = d.resolve(schema)
	kind, _ := schema["type"].(string)
	if v == nil && kind != "" && kind != "array" && kind != "object" {
		return []string{at + " is null"}
	}
	switch v := v.(type) {
	case map[string]any:
		if kind != "object" && kind != "" {
			return []string{at + " is no " + kind}
		}
		return d.objectFits(schema, v, at)
	case []any:
		if kind != "array" {
			return []string{at + " is no " + kind}
		}
		items, _ := schema["items"].(map[string]any)
		for _, item := range v {
			wrong = append(wrong, d.fits(items, item, at+"[]")...)
		}
	case string:
		if kind != "string" && kind != "" {
			return []string{at + " is no " + kind}
		}
		return textFits(schema, v, at)
	case float64:
		if (kind != "integer" || v != math.Trunc(v)) && kind != "number" && kind != "" {
			return []string{at + " is no " + kind}
		}
	case bool:
		if kind != "boolean" && kind != "" {
			return []string{at + " is no " + kind}
		}
	}
	return wrong
}

func (d doc) objectFits(schema, v map[string]any, at string) (wrong []string) {
	properties, _ := schema["properties"].(map[string]any)
	others, open := schema["additionalProperties"].(map[string]any)
	for name, value := range v {
		member, ok := properties[name].(map[string]any)
		switch {
		case ok:
			wrong = append(wrong, d.fits(member, value, at+"."+name)...)
		case open:
			wrong = append(wrong, d.fits(others, value, at+"{}")...)
		case properties != nil:
			wrong = append(wrong, at+"."+name+" isn't in the document")
		}
	}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if _, ok := v[fmt.Sprint(name)]; !ok {
			wrong = append(wrong, fmt.Sprintf("%s.%v is required and isn't written", at, name))
		}
	}
	return wrong
}

func textFits(schema map[string]any, v, at string) []string {
	if pattern, ok := schema["pattern"].(string); ok && v != "" && !regexp.MustCompile(pattern).MatchString(v) {
		return []string{fmt.Sprintf("%s: %q doesn't match %s", at, v, pattern)}
	}
	if choice, ok := schema["enum"].([]any); ok && v != "" && !slices.Contains(choice, any(v)) {
		return []string{fmt.Sprintf("%s: %q is none of %v", at, v, choice)}
	}
	if schema["format"] == "uuid" {
		if _, err := syncproto.ParseID[syncproto.RecordID](v); err != nil {
			return []string{fmt.Sprintf("%s: %q is no id", at, v)}
		}
	}
	return nil
}

// unwritten lists members that the document has and a full value doesn't.
func (d doc) unwritten(schema map[string]any, v any, at string) (missing []string) {
	schema = d.resolve(schema)
	switch v := v.(type) {
	case map[string]any:
		properties, _ := schema["properties"].(map[string]any)
		for name, member := range properties {
			value, ok := v[name]
			if !ok {
				missing = append(missing, at+"."+name)
				continue
			}
			m, _ := member.(map[string]any)
			missing = append(missing, d.unwritten(m, value, at+"."+name)...)
		}
	case []any:
		items, _ := schema["items"].(map[string]any)
		for _, item := range v {
			missing = append(missing, d.unwritten(items, item, at+"[]")...)
		}
	}
	return missing
}
