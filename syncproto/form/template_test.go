package form_test

import (
	"slices"
	"strings"
	"testing"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

func TestEveryTemplateThatComesWithTheProgramFitsItsForm(t *testing.T) {
	set, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	templates, err := form.BuiltInTemplates()
	if err != nil {
		t.Fatal(err)
	}
	var labels []string
	for _, x := range templates {
		labels = append(labels, x.Label.ZH)
		f := set.Newest(x.Kind)
		if err := x.Check(f); err != nil {
			t.Error(err)
		}
		said := []syncproto.Text{x.Label, x.Origin}
		for _, a := range x.Fields {
			if a.Label != (syncproto.Text{}) {
				said = append(said, a.Label)
			}
			if a.Hint != (syncproto.Text{}) {
				said = append(said, a.Hint)
			}
		}
		for _, text := range said {
			if strings.TrimSpace(text.ZH) == "" || strings.TrimSpace(text.EN) == "" {
				t.Errorf("%s: %+v", x.Name, text)
			}
		}
		// Of an empty record everything that must be asked is missing, and of a full one nothing.
		full, required := syncproto.Fields{}, []string{}
		for _, a := range x.Fields {
			full[a.Name] = `"x"`
			if a.Required {
				required = append(required, a.Name)
			}
		}
		if got := x.Missing(f, syncproto.Fields{}, form.Occasion{}); !slices.Equal(got, required) || len(required) < 4 {
			t.Errorf("%s misses %v, want %v", x.Name, got, required)
		}
		if got := x.Missing(f, full, form.Occasion{}); len(got) > 0 {
			t.Errorf("%s misses %v of a full record", x.Name, got)
		}
	}
	slices.Sort(labels)
	if want := []string{"七个必", "三问三登记一测一消毒", "两查两问", "五查二测"}; !slices.Equal(labels, want) {
		t.Errorf("templates %v", labels)
	}
}

const ask = `{"name":"t","version":1,"kind":"thing","label":{"zh":"板","en":"T"},"fields":[{"name":"a","required":true}]}`

func TestATemplateThatMakesNoSenseIsTurnedAway(t *testing.T) {
	if _, err := form.ParseTemplate([]byte(ask)); err != nil {
		t.Fatal(err)
	}
	for name, source := range map[string]string{
		"no JSON":           `{`,
		"text behind it":    ask + "x",
		"an unknown member": strings.Replace(ask, `"kind"`, `"sort":"x","kind"`, 1),
		"no name":           strings.Replace(ask, `"name":"t"`, `"name":""`, 1),
		"version 0":         strings.Replace(ask, `"version":1`, `"version":0`, 1),
		"no kind":           strings.Replace(ask, `thing`, ``, 1),
		"nothing asked":     strings.Replace(ask, `{"name":"a","required":true}`, ``, 1),
		"a field twice":     strings.Replace(ask, `{"name":"a","required":true}`, `{"name":"a"},{"name":"a"}`, 1),
	} {
		if _, err := form.ParseTemplate([]byte(source)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestATemplateAsksNothingThatItsFormHasNot(t *testing.T) {
	x, err := form.ParseTemplate([]byte(ask))
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Check(define(t, field("a", "text", "latest", ""), "")); err != nil {
		t.Error(err)
	}
	for name, f := range map[string]*form.Form{
		"no form":         nil,
		"another field":   define(t, field("b", "text", "latest", ""), ""),
		"a retired field": define(t, field("a", "text", "latest", `,"retired":true`), ""),
	} {
		if x.Check(f) == nil {
			t.Errorf("%s: it fits", name)
		}
	}
	var none *form.Template
	if _, asks := none.Asks("a"); asks || none.Missing(define(t, field("a", "text", "latest", ""), ""), nil, form.Occasion{}) != nil {
		t.Error("no template asks for something")
	}
	if a, asks := x.Asks("a"); !asks || !a.Required {
		t.Error("the template doesn't ask for its field")
	}
}
