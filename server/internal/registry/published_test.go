package registry_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gridsync/server/internal/registry"
	"gridsync/syncproto/form"
)

const formOf = `{"kind":"check","version":%d,"label":{"zh":"检查","en":"%s"},"stream":"history","fields":[
	{"name":"on","type":"date","rule":"latest","label":{"zh":"日","en":"Day"}},{"name":"n","type":"decimal","rule":"latest","label":{"zh":"数","en":"N"}}],
	"moment":"on","measures":[{"name":"checks","label":{"zh":"数","en":"Checks"},"unit":"time","day":"on","when":"${n} >= %s"}]}`

func published(version int, label, least string) registry.Published {
	return registry.Published{Sort: registry.FormSort, Name: "check", Version: version, Source: fmt.Appendf(nil, formOf, version, label, least)}
}

func TestWhatIsPublishedLiesOverWhatTheProgramBrings(t *testing.T) {
	mine, err := form.Parse(fmt.Appendf(nil, formOf, 2, "program's", "1"))
	if err != nil {
		t.Fatal(err)
	}
	s := &folder{revision: 1, published: []registry.Published{published(1, "first", "1"), published(2, "here", "1")}}
	r, err := registry.Open(t.Context(), s, form.Set{}.With(mine))
	if err != nil {
		t.Fatal(err)
	}
	if newest := r.Current().Forms.Newest("check"); newest.Label.EN != "here" || newest.Version != 2 {
		t.Errorf("newest %+v", newest.Label)
	}
	if first := r.Current().Forms.Version("check", 1); first == nil || first.Label.EN != "first" {
		t.Error("an old version isn't there")
	}
	before := r.Current()
	s.published, s.revision = append(s.published, published(3, "third", "1")), 2
	refresh(t, r)
	if r.Current().Forms.Newest("check").Version != 3 || before.Forms.Newest("check").Version != 2 {
		t.Error("the next is not there, or it is in a snapshot that somebody holds")
	}
	if r.Current().Forms.Version("check", 2) != before.Forms.Version("check", 2) {
		t.Error("what has not changed was read anew")
	}
}

func TestADefinitionThatThisProgramCannotReadIsNoSnapshot(t *testing.T) {
	s := &folder{revision: 1, published: []registry.Published{{Sort: registry.FormSort, Name: "check", Version: 1, Source: []byte(`{"newer":1}`)}}}
	if _, err := registry.Open(t.Context(), s, form.Set{}); err == nil || !strings.Contains(err.Error(), "check/1") {
		t.Error(err)
	}
}

// rules are those of a folder with these definitions and settings.
func rules(t *testing.T, published []registry.Published, said ...registry.Setting) (*registry.Rules, *registry.Snapshot) {
	t.Helper()
	snap := open(t, &folder{revision: 1, nodes: province, published: published, said: said}).Current()
	return snap.Rules, snap
}

func TestRulesDifferWhereAnythingFollowsFromThem(t *testing.T) {
	plain := []registry.Published{published(1, "a", "1")}
	asking := []registry.Published{published(1, "a", "setting('fever_threshold')")}
	fever := registry.Setting{Area: "c1", Name: "fever_threshold", From: 20200101, Value: "38"}
	later := fever
	later.From = 20200102
	repeated := fever
	repeated.From = 20200103
	base, snap := rules(t, plain)
	for _, c := range []struct {
		what      string
		published []registry.Published
		said      []registry.Setting
		with      []registry.Published // what it is held against
		withSaid  []registry.Setting
		same      bool
	}{
		{"another label", []registry.Published{published(2, "b", "1")}, nil, plain, nil, true},
		{"another condition", []registry.Published{published(1, "a", "2")}, nil, plain, nil, false},
		{"a setting that no form asks for", plain, []registry.Setting{fever}, plain, nil, true},
		{"a setting that a form asks for", asking, []registry.Setting{fever}, asking, nil, false},
		{"another day", asking, []registry.Setting{later}, asking, []registry.Setting{fever}, false},
		{"the same said again", asking, []registry.Setting{fever, repeated}, asking, []registry.Setting{fever}, true},
		{"said where nothing lies", asking, []registry.Setting{{Area: "nowhere", Name: "fever_threshold", From: 1, Value: "38"}}, asking, nil, true},
	} {
		a, _ := rules(t, c.published, c.said...)
		b, _ := rules(t, c.with, c.withSaid...)
		if (a.Print() == b.Print()) != c.same || a.Same(b, snap.Areas) != c.same || b.Same(a, snap.Areas) != c.same {
			t.Errorf("%s: prints %x and %x, same %v and %v", c.what, a.Print(), b.Print(), a.Same(b, snap.Areas), b.Same(a, snap.Areas))
		}
	}
	if base.Same(nil, snap.Areas) {
		t.Error("nothing is the same as no rules")
	}
}

func TestAnAreaThatComesIsDerivedByRulesThatAreTheSame(t *testing.T) {
	asking := []registry.Published{published(1, "a", "setting('fever_threshold')")}
	fever := registry.Setting{Area: "c1", Name: "fever_threshold", From: 20200101, Value: "38"}
	s := &folder{revision: 1, nodes: province[:3], published: asking, said: []registry.Setting{fever}}
	r := open(t, s)
	before := r.Current()
	s.put(province...)
	refresh(t, r)
	after := r.Current()
	if !after.Rules.Same(before.Rules, before.Areas) || after.Rules.Print() == before.Rules.Print() {
		t.Error("g2 has come, of which nothing was ever said")
	}
	moved := slices.Clone(province[:3])
	moved[2].Parent = "33"
	s.put(moved...)
	refresh(t, r)
	if r.Current().Rules.Same(before.Rules, before.Areas) {
		t.Error("g1 has another threshold now")
	}
}
