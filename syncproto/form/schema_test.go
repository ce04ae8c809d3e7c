package form_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"gridsync/syncproto/form"
)

func compiled(t *testing.T, source []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func fits(t *testing.T, schema *jsonschema.Schema, source []byte) error {
	t.Helper()
	x, err := jsonschema.UnmarshalJSON(bytes.NewReader(source))
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return schema.Validate(x)
}

func TestEveryDefinitionThatComesWithTheProgramFitsItsSchema(t *testing.T) {
	set, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	forms := compiled(t, form.Schema())
	for _, f := range set.All() {
		if err := fits(t, forms, f.Source()); err != nil {
			t.Errorf("%s/%d: %v", f.Kind, f.Version, err)
		}
	}
	templates, err := form.BuiltInTemplates()
	if err != nil {
		t.Fatal(err)
	}
	schema := compiled(t, form.TemplateSchema())
	for _, x := range templates {
		if err := fits(t, schema, x.Source()); err != nil {
			t.Errorf("%s: %v", x.Name, err)
		}
		if err := fits(t, forms, x.Source()); err == nil {
			t.Errorf("%s passes for a form", x.Name)
		}
	}
	if len(set.All()) < 10 || len(templates) < 4 {
		t.Errorf("only %d forms and %d templates", len(set.All()), len(templates))
	}
}

// Every definition among the vectors that is taken fits the schema, too.
func TestWhatParseTakesFitsTheSchema(t *testing.T) {
	schema := compiled(t, form.Schema())
	paths, err := filepath.Glob("../../testdata/vectors/*.json")
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var v struct {
			Kind, Expect string
			Input        struct{ Definition string }
		}
		if json.Unmarshal(text, &v) != nil || v.Kind != "parse" || v.Expect != "accepted" {
			continue
		}
		held++
		if err := fits(t, schema, []byte(v.Input.Definition)); err != nil {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
	}
	if held < 5 {
		t.Errorf("only %d definitions", held)
	}
}

func TestWhatHasTheWrongShapeFitsNoSchema(t *testing.T) {
	schema := compiled(t, form.Schema())
	label := `"label":{"zh":"热","en":"fever"}`
	good := definition(field("n", "decimal", "severest", ""), `,"flags":[{"name":"x",`+label+`,"when":"${n} > 1"}]`)
	if err := fits(t, schema, []byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, source := range map[string]string{
		"an unknown member":            definition("", `,"colour":"red"`),
		"an unknown type":              definition(field("a", "float", "latest", ""), ""),
		"a choice without choices":     definition(field("a", "choice", "latest", ""), ""),
		"a ref of nothing":             definition(field("a", "ref", "latest", ""), ""),
		"a list by latest":             definition(field("a", "refs", "latest", `,"of":"person"`), ""),
		"a text by union":              definition(field("a", "text", "union", ""), ""),
		"a text by severest":           definition(field("a", "text", "severest", ""), ""),
		"retired and required":         definition(field("a", "text", "latest", `,"retired":true,"required":true`), ""),
		"a message without constraint": definition(field("a", "text", "latest", `,"constraint_message":{"zh":"一","en":"a"}`), ""),
		"an empty formula":             definition(field("a", "text", "latest", ""), `,"flags":[{"name":"x",`+label+`,"when":""}]`),
		"a condition with two tests":   definition(field("a", "text", "latest", ""), `,"flags":[{"name":"x",`+label+`,"when":[{"field":"a","set":true,"has":"x"}]}]`),
		"a label in one language":      strings.Replace(good, `"en":"fever"`, `"en":1`, 1),
		"members and a sum":            definition(field("d", "date", "once", ""), `,"measures":[{"name":"x",`+label+`,"unit":"item","day":"d","sum":"1","per_member":"d"}]`),
		"something secret broadcast":   strings.Replace(definition(field("a", "text", "latest", `,"class":"secret"`), ""), "roster", "broadcast", 1),
	} {
		if fits(t, schema, []byte(source)) == nil {
			t.Errorf("%s: it fits: %s", name, source)
		}
		if _, err := form.Parse([]byte(source)); err == nil {
			t.Errorf("%s: taken: %s", name, source)
		}
	}
}

// A member that is added to a definition is added to its schema.
func TestTheSchemaHasEveryMember(t *testing.T) {
	for _, one := range []struct {
		source []byte
		types  map[string]any // "" is the definition itself
	}{
		{form.Schema(), map[string]any{
			"": form.Form{}, "field": form.Field{}, "option": form.Option{}, "flag": form.Flag{}, "measure": form.Measure{}, "ratio": form.Ratio{},
			"condition": form.Condition{}, "sightings": form.Sightings{}, "match": form.Match{}, "check": form.Check{},
		}},
		{form.TemplateSchema(), map[string]any{"": form.Template{}, "ask": form.Ask{}}},
	} {
		var schema struct {
			Properties map[string]any
			Defs       map[string]struct{ Properties map[string]any } `json:"$defs"`
		}
		if err := json.Unmarshal(one.source, &schema); err != nil {
			t.Fatal(err)
		}
		for name, x := range one.types {
			said := schema.Defs[name].Properties
			if name == "" {
				said = schema.Properties
			}
			var have, want []string
			for member := range said {
				have = append(have, member)
			}
			typ := reflect.TypeOf(x)
			for i := range typ.NumField() {
				if member, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ","); member != "" {
					want = append(want, member)
				}
			}
			slices.Sort(have)
			slices.Sort(want)
			if !slices.Equal(have, want) {
				t.Errorf("%q: the schema has %v, the type %v", name, have, want)
			}
		}
	}
}
