package formbook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/audit"
	"gridsync/server/internal/formbook"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// cabinet is a store in memory.
type cabinet struct {
	revision  int64
	published []registry.Published
	said      []registry.Setting
	drafts    []formbook.Draft
	lines     []audit.Entry
	// during is called amid a write, before anything is kept.
	during func()
}

func (c *cabinet) Revision(context.Context) (int64, error) { return c.revision, nil }

func (c *cabinet) Areas(context.Context) ([]area.Node, error) {
	return []area.Node{{Key: 1, ID: "33", Name: "县"}, {Key: 2, ID: "c1", Name: "社区", Parent: "33"}}, nil
}

func (c *cabinet) Identities(context.Context) (identity.Everyone, error) {
	return identity.Everyone{Authors: []identity.Author{{ID: officer.Author, Name: "王主任"}}}, nil
}

func (c *cabinet) PutAreas(context.Context, []area.Node) error { return errors.ErrUnsupported }
func (c *cabinet) AddIdentities(context.Context, identity.Everyone) error {
	return errors.ErrUnsupported
}

func (c *cabinet) Published(context.Context) ([]registry.Published, error) { return c.published, nil }
func (c *cabinet) Settings(context.Context) ([]registry.Setting, error)    { return c.said, nil }
func (c *cabinet) Drafts(context.Context) ([]formbook.Draft, error)        { return c.drafts, nil }
func (c *cabinet) SaveForms(_ context.Context, w *formbook.Write) error {
	if during := c.during; during != nil {
		c.during = nil
		during()
	}
	for _, p := range w.Publish {
		if w.Known != len(c.published) || slices.ContainsFunc(c.published, func(old registry.Published) bool {
			return old.Sort == p.Sort && old.Name == p.Name && old.Version == p.Version
		}) {
			return &syncproto.Error{Code: syncproto.CodeMovedOn, Field: "version"}
		}
	}
	for _, d := range w.Dropped {
		if len(d.Source) > 0 && !slices.ContainsFunc(c.drafts, func(now formbook.Draft) bool {
			return now.Sort == d.Sort && now.Name == d.Name && bytes.Equal(now.Source, d.Source)
		}) {
			return &syncproto.Error{Code: syncproto.CodeMovedOn, Field: "draft"}
		}
	}
	for _, d := range slices.Concat(w.Dropped, w.Drafts) {
		c.drafts = slices.DeleteFunc(c.drafts, func(old formbook.Draft) bool { return old.Sort == d.Sort && old.Name == d.Name })
	}
	c.drafts = append(c.drafts, w.Drafts...)
	c.published, c.said, c.lines = append(c.published, w.Publish...), append(c.said, w.Settings...), append(c.lines, w.Lines...)
	c.revision++
	return nil
}

var officer = formbook.Editor{Author: syncproto.AuthorID{7}, Device: syncproto.DeviceID{8}, At: 1_580_443_200_000}

type office struct {
	*testing.T
	*formbook.Service
	store *cabinet
	reg   *registry.Registry
}

func newOffice(t *testing.T) *office {
	t.Helper()
	forms, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	store := &cabinet{revision: 1}
	reg, err := registry.Open(t.Context(), store, forms)
	if err != nil {
		t.Fatal(err)
	}
	return &office{t, formbook.NewService(store, reg), store, reg}
}

func (o *office) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

// next is the newest definition of a kind, altered.
func (o *office) next(kind string, alter func(map[string]any)) []byte {
	o.Helper()
	d, err := o.Definition(registry.FormSort, kind, 0)
	o.must(err)
	var definition map[string]any
	o.must(json.Unmarshal(d.Source, &definition))
	alter(definition)
	source, err := json.Marshal(definition)
	o.must(err)
	return source
}

func fields(definition map[string]any) []any {
	list, _ := definition["fields"].([]any)
	return list
}

func field(definition map[string]any, i int) map[string]any {
	f, _ := fields(definition)[i].(map[string]any)
	return f
}

func asks(name string) func(map[string]any) {
	return func(definition map[string]any) {
		definition["fields"] = append(fields(definition), map[string]any{
			"name": name, "type": "text", "rule": "latest", "label": map[string]any{"zh": "问", "en": "Question"},
		})
	}
}

func (o *office) puts(kind string, source []byte) (*formbook.Definition, error) {
	return o.PutDraft(o.Context(), registry.FormSort, kind, source, officer)
}

func isCode(err error, code syncproto.Code, field string) bool {
	var typed *syncproto.Error
	return errors.As(err, &typed) && typed.Code == code && typed.Field == field
}

const survey = `{ "kind": "survey", "label": {"zh": "问卷", "en": "Survey"}, "stream": "history",
  "fields": [{"name": "on", "type": "date", "rule": "latest", "label": {"zh": "日", "en": "Day"}}]%s }`

func TestADraftBecomesTheNextVersionForGood(t *testing.T) {
	o := newOffice(t)
	draft, err := o.puts("household", o.next("household", asks("pets")))
	o.must(err)
	if draft.DraftAt != officer.At || draft.ByName != "王主任" || o.reg.Current().Forms.Newest("household").Version != 1 {
		t.Errorf("%+v", draft)
	}
	done, err := o.Publish(t.Context(), registry.FormSort, "household", officer)
	o.must(err)
	if done.Version != 2 || done.BuiltIn || done.By != officer.Author || done.At != officer.At || !slices.Equal(done.Versions, []int{1, 2}) {
		t.Errorf("%+v", done)
	}
	if _, ok := o.reg.Current().Forms.Newest("household").Field("pets"); !ok {
		t.Error("it is not in force")
	}
	if first, err := o.Definition(registry.FormSort, "household", 1); err != nil || !first.BuiltIn || bytes.Contains(first.Source, []byte("pets")) {
		t.Errorf("the version before: %+v, %v", first, err)
	}
	if _, err := o.Publish(t.Context(), registry.FormSort, "household", officer); !isCode(err, syncproto.CodeNotFound, "draft") {
		t.Errorf("published twice: %v", err)
	}
	var acts []string
	for _, line := range o.store.lines {
		acts = append(acts, string(line.Act)+" "+line.Detail)
		if line.Who != officer.Author || line.Device != officer.Device || line.At != officer.At {
			t.Errorf("%+v", line)
		}
	}
	if !slices.Equal(acts, []string{"drafted form household", "published form household/2"}) {
		t.Errorf("audit %q", acts)
	}
}

func TestAKindOfOnesOwnBeginsWithTheFirstVersion(t *testing.T) {
	o := newOffice(t)
	if _, err := o.Definition(registry.FormSort, "survey", 0); !isCode(err, syncproto.CodeNotFound, "form") {
		t.Errorf("before: %v", err)
	}
	_, err := o.puts("survey", fmt.Appendf(nil, survey, ""))
	o.must(err)
	list, err := o.Forms(t.Context())
	o.must(err)
	i := slices.IndexFunc(list.Definitions, func(d formbook.Definition) bool { return d.Name == "survey" })
	if i < 0 || list.Definitions[i].Version != 0 || list.Definitions[i].DraftAt == 0 {
		t.Errorf("a draft is not listed: %+v", list.Definitions)
	}
	done, err := o.Publish(t.Context(), registry.FormSort, "survey", officer)
	o.must(err)
	want := `{"version": 1,` + strings.TrimPrefix(fmt.Sprintf(survey, ""), "{")
	if done.Version != 1 || string(done.Source) != want {
		t.Errorf("version %d: %s", done.Version, done.Source)
	}
	_, err = o.puts("survey", fmt.Appendf(nil, survey, `, "version": 77`))
	o.must(err)
	if done, err = o.Publish(t.Context(), registry.FormSort, "survey", officer); err != nil || done.Version != 2 || !bytes.Contains(done.Source, []byte(`"version": 2 }`)) {
		t.Errorf("the next: %+v, %v", done, err)
	}
}

func TestWhatCannotBePublishedIsNotKept(t *testing.T) {
	o := newOffice(t)
	for what, c := range map[string]struct {
		kind   string
		source []byte
		code   syncproto.Code
		field  string
	}{
		"no JSON":           {"survey", []byte(`{"kind":`), syncproto.CodeBadForm, ""},
		"a list":            {"survey", []byte(`[]`), syncproto.CodeBadForm, ""},
		"two versions":      {"survey", []byte(`{"version":1,"version":2}`), syncproto.CodeBadForm, ""},
		"text behind":       {"survey", append(fmt.Appendf(nil, survey, ""), '1'), syncproto.CodeBadForm, ""},
		"an unknown member": {"survey", fmt.Appendf(nil, survey, `, "colour": 1`), syncproto.CodeBadForm, ""},
		"another kind":      {"poll", fmt.Appendf(nil, survey, ""), syncproto.CodeBadForm, "kind"},
		"a route's name":    {"schema", []byte(strings.Replace(fmt.Sprintf(survey, ""), `"survey"`, `"schema"`, 1)), syncproto.CodeBadForm, "kind"},
		"too large":         {"survey", fmt.Appendf(nil, survey, strings.Repeat(" ", formbook.MaxSource)), syncproto.CodeBadForm, ""},
		"what is decided":   {"survey", fmt.Appendf(nil, survey, `, "decided": true`), syncproto.CodeBadForm, "decided"},
		"another's measure": {"survey", fmt.Appendf(nil, survey, `, "measures": [{"name":"households","label":{"zh":"户","en":"H"},"unit":"household","day":"on"}]`), syncproto.CodeBadForm, "households"},
		"a ref to nothing": {"household", o.next("household", func(d map[string]any) {
			asks("x")(d)
			f := field(d, len(fields(d))-1)
			f["type"], f["of"] = "ref", "ghost"
		}), syncproto.CodeBadForm, "x"},
		"a program's own":       {"review", o.next("review", asks("x")), syncproto.CodeBadForm, "decided"},
		"a field that goes":     {"household", o.next("household", func(d map[string]any) { d["fields"] = slices.Delete(fields(d), 6, 7) }), syncproto.CodeFormIncompatible, "note"},
		"another type":          {"household", o.next("household", func(d map[string]any) { field(d, 1)["type"] = "date"; delete(field(d, 1), "max") }), syncproto.CodeFormIncompatible, "building"},
		"less personal":         {"household", o.next("household", func(d map[string]any) { delete(field(d, 0), "class") }), syncproto.CodeFormIncompatible, "address"},
		"a formula of no sense": {"household", o.next("household", func(d map[string]any) { field(d, 1)["relevant"] = "${nothing} >" }), syncproto.CodeBadForm, ""},
	} {
		if _, err := o.puts(c.kind, c.source); !isCode(err, c.code, c.field) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if len(o.store.drafts)+len(o.store.lines) != 0 {
		t.Errorf("kept %+v", o.store.drafts)
	}
	var typed *syncproto.Error
	_, err := o.puts("household", o.next("household", func(d map[string]any) { delete(field(d, 0), "class") }))
	if !errors.As(err, &typed) || !strings.Contains(typed.Message().ZH, "个人信息级别") {
		t.Errorf("why, in Chinese: %v", err)
	}
}

func TestTwoWhoPublishAtOnceDoNotOverwriteEachOther(t *testing.T) {
	o := newOffice(t)
	_, err := o.puts("household", o.next("household", asks("mine")))
	o.must(err)
	// Another process publishes its own second version amid ours.
	o.store.during = func() {
		o.store.published = append(o.store.published, registry.Published{
			Sort: registry.FormSort, Name: "household", Version: 2, Source: bytes.Replace(o.next("household", asks("theirs")), []byte(`"version":1`), []byte(`"version":2`), 1),
		})
		o.store.revision++
	}
	if _, err := o.Publish(t.Context(), registry.FormSort, "household", officer); !isCode(err, syncproto.CodeMovedOn, "version") {
		t.Errorf("%v", err)
	}
	// The draft is there still; it lacks what they ask, and so can't follow.
	if _, err := o.Publish(t.Context(), registry.FormSort, "household", officer); !isCode(err, syncproto.CodeFormIncompatible, "theirs") {
		t.Errorf("again: %v", err)
	}
	o.must(o.DropDraft(t.Context(), registry.FormSort, "household", officer))
	if _, err := o.Draft(t.Context(), registry.FormSort, "household"); !isCode(err, syncproto.CodeNotFound, "draft") {
		t.Errorf("thrown away: %v", err)
	}
}

func TestADraftThatIsAlteredAmidItsPublicationIsNotLost(t *testing.T) {
	o := newOffice(t)
	_, err := o.puts("household", o.next("household", asks("mine")))
	o.must(err)
	other := formbook.NewService(o.store, o.reg) // as on another server: they share no lock
	var newer *formbook.Definition
	o.store.during = func() {
		newer, err = other.PutDraft(t.Context(), registry.FormSort, "household", o.next("household", asks("theirs")), officer)
		o.must(err)
	}
	if _, err := o.Publish(t.Context(), registry.FormSort, "household", officer); !isCode(err, syncproto.CodeMovedOn, "draft") {
		t.Errorf("%v", err)
	}
	draft, err := o.Draft(t.Context(), registry.FormSort, "household")
	if err != nil || !bytes.Equal(draft.Source, newer.Source) || len(o.store.published) != 0 {
		t.Errorf("%+v, %v, published %+v", draft, err, o.store.published)
	}
}

func TestWhatIsPublishedElsewhereMeanwhileIsLookedAtAgain(t *testing.T) {
	for what, c := range map[string]struct {
		theirs, field string
		code          syncproto.Code
	}{
		"it has nothing to do with ours": {theirs: "theirs"},
		"it has a measure of our name":   {theirs: "ours", field: "ours", code: syncproto.CodeBadForm},
	} {
		o := newOffice(t)
		kind := func(name, measure string) []byte {
			source := fmt.Sprintf(survey, `, "measures": [{"name":"`+measure+`","label":{"zh":"次","en":"N"},"unit":"time","day":"on"}]`)
			return []byte(strings.Replace(source, `"survey"`, `"`+name+`"`, 1))
		}
		_, err := o.puts("survey", kind("survey", "ours"))
		o.must(err)
		other := formbook.NewService(o.store, o.reg)
		_, err = other.PutDraft(t.Context(), registry.FormSort, "poll", kind("poll", c.theirs), officer)
		o.must(err)
		o.store.during = func() {
			_, err := other.Publish(t.Context(), registry.FormSort, "poll", officer)
			o.must(err)
		}
		done, err := o.Publish(t.Context(), registry.FormSort, "survey", officer)
		switch {
		case c.code != "" && (!isCode(err, c.code, c.field) || len(o.store.published) != 1 || len(o.store.drafts) != 1):
			t.Errorf("%s: %v, published %d", what, err, len(o.store.published))
		case c.code == "" && (err != nil || done.Version != 1 || len(o.store.published) != 2 || len(o.store.drafts) != 0):
			t.Errorf("%s: %+v, %v", what, done, err)
		}
	}
}

const template = `{"name":"two_checks","version":9,"kind":"%s","label":{"zh":"两查","en":"Two checks"},"fields":[{"name":"%s","required":true}]}`

func TestATemplateIsPublishedAndAskedForByAnArea(t *testing.T) {
	o := newOffice(t)
	put := func(kind, field string) error {
		_, err := o.PutDraft(t.Context(), registry.TemplateSort, "two_checks", fmt.Appendf(nil, template, kind, field), officer)
		return err
	}
	set := func(value syncproto.Value) error {
		_, err := o.Set(t.Context(), "c1", []formbook.Change{{Name: "template.household", Value: value}}, officer)
		return err
	}
	if err := put("household", "nothing"); !isCode(err, syncproto.CodeBadForm, "fields") {
		t.Errorf("a field that is not there: %v", err)
	}
	if err := put("ghost", "head"); !isCode(err, syncproto.CodeBadForm, "fields") {
		t.Errorf("a kind that is not there: %v", err)
	}
	if err := set(`"two_checks"`); !isCode(err, syncproto.CodeBadSetting, "template.household") {
		t.Errorf("a template that is not there: %v", err)
	}
	o.must(put("household", "head"))
	done, err := o.Publish(t.Context(), registry.TemplateSort, "two_checks", officer)
	o.must(err)
	if done.Version != 1 || done.Kind != "household" || o.reg.Current().Templates.Newest("two_checks") == nil {
		t.Errorf("%+v", done)
	}
	o.must(set(`"two_checks"`))
	if err := put("person", "name"); !isCode(err, syncproto.CodeFormIncompatible, "kind") {
		t.Errorf("of another kind: %v", err)
	}
	if _, err := o.Set(t.Context(), "c1", []formbook.Change{{Name: "template.person", Value: `"two_checks"`}}, officer); !isCode(err, syncproto.CodeBadSetting, "template.person") {
		t.Errorf("for another kind: %v", err)
	}
}

func TestSettingsSayWhatHoldsAndWhereItWasSet(t *testing.T) {
	o := newOffice(t)
	_, err := o.Set(t.Context(), "33", []formbook.Change{
		{Name: "fever_threshold", From: "2020-01-20", Value: "37.5"}, {Name: "closing_hour", From: "2020-01-20", Value: `"17:30"`},
	}, officer)
	o.must(err)
	in, err := o.Set(t.Context(), "c1", []formbook.Change{{Name: "fever_threshold", Value: "37.6"}}, officer) // from today
	o.must(err)
	held := func(in *formbook.InArea, name string) formbook.Held {
		i := slices.IndexFunc(in.Held, func(h formbook.Held) bool { return h.Name == name })
		if i < 0 {
			t.Fatalf("%s is not told", name)
		}
		return in.Held[i]
	}
	if h := held(in, "fever_threshold"); h.Value != "37.6" || !h.Own || h.From != "c1" || h.Default != "37.3" {
		t.Errorf("%+v", h)
	}
	if h := held(in, "closing_hour"); h.Value != `"17:30"` || h.Own || h.From != "33" {
		t.Errorf("%+v", h)
	}
	if h := held(in, "slots_per_day"); h.Value != "2" || h.From != "" || h.Own {
		t.Errorf("%+v", h)
	}
	if len(in.History) != 1 || in.History[0].ByName != "王主任" || in.History[0].From != "2020-01-31" {
		t.Errorf("history %+v", in.History)
	}
	before, err := o.Settings("c1", 20200130)
	o.must(err)
	if h := held(before, "fever_threshold"); h.Value != "37.5" || h.Own || h.From != "33" {
		t.Errorf("the day before %+v", h)
	}
	if len(o.store.lines) != 3 || o.store.lines[2].Act != audit.SetSetting || o.store.lines[2].Area != "c1" {
		t.Errorf("audit %+v", o.store.lines)
	}
}

func TestWhatCannotBeSetIsNotSetAndNothingBesideIt(t *testing.T) {
	o := newOffice(t)
	good := formbook.Change{Name: "closing_hour", Value: `"17:30"`}
	for what, c := range map[string]formbook.Change{
		"a name that is not there": {Name: "fever", Value: "38"},
		"a text for a number":      {Name: "fever_threshold", Value: `"38"`},
		"out of bounds":            {Name: "fever_threshold", Value: "99"},
		"an hour that is none":     {Name: "closing_hour", Value: `"25:00"`},
		"a fraction of a slot":     {Name: "slots_per_day", Value: "1.5"},
		"a colour that is none":    {Name: "area_colours", Value: `["green","pink"]`},
		"a day that is none":       {Name: "fever_threshold", Value: "38", From: "2020-02-30"},
		"a day in another age":     {Name: "fever_threshold", Value: "38", From: "1020-01-30"},
		"a kind that is none":      {Name: "due_hours.", Value: "3"},
	} {
		if _, err := o.Set(t.Context(), "c1", []formbook.Change{good, c}, officer); !isCode(err, syncproto.CodeBadSetting, c.Name) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := o.Set(t.Context(), "elsewhere", []formbook.Change{good}, officer); !isCode(err, syncproto.CodeNotFound, "area") {
		t.Errorf("nowhere: %v", err)
	}
	if _, err := o.Set(t.Context(), "c1", nil, officer); !isCode(err, syncproto.CodeBadRequest, "changes") {
		t.Errorf("nothing: %v", err)
	}
	if _, err := o.Settings("elsewhere", 20200131); !isCode(err, syncproto.CodeNotFound, "area") {
		t.Errorf("nowhere: %v", err)
	}
	if len(o.store.said)+len(o.store.lines) != 0 {
		t.Errorf("set %+v", o.store.said)
	}
}
