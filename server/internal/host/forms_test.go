package host

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"gridsync/server/internal/api"
	"gridsync/server/internal/audit"
	"gridsync/server/internal/formbook"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

const clinic = `{"kind":"clinic","label":{"zh":"发热门诊","en":"Clinic"},"stream":"history",
"fields":[{"name":"on","type":"date","rule":"latest","label":{"zh":"日","en":"Day"}}],
"measures":[{"name":"clinics","label":{"zh":"门诊","en":"Clinics"},"unit":"time","day":"on"}]}`

func TestWhatACountyPublishesIsOnEveryPhone(t *testing.T) {
	s := start(t, t.TempDir())
	officer, volunteer := newPhone(t, s, identity.County, "33"), newPhone(t, s, identity.Volunteer, "g1")
	volunteer.sync()
	var d formbook.Definition
	if a := ask(t, s, http.MethodPut, "/v1/forms/clinic/draft", volunteer.Token, json.RawMessage(clinic), nil); a.status != http.StatusForbidden {
		t.Errorf("a volunteer drafts: %d", a.status)
	}
	if a := ask(t, s, http.MethodPut, "/v1/forms/clinic/draft", officer.Token, json.RawMessage(clinic), &d); a.status != http.StatusOK || d.DraftAt == 0 {
		t.Fatalf("%d %+v", a.status, d)
	}
	volunteer.sync()
	if strings.Contains(volunteer.body, "clinic") {
		t.Error("a phone hears of a draft")
	}
	if a := ask(t, s, http.MethodGet, "/v1/forms/clinic", volunteer.Token, nil, nil); a.status != http.StatusNotFound {
		t.Errorf("a draft is in force: %d", a.status)
	}
	if a := ask(t, s, http.MethodPost, "/v1/forms/clinic/publish", officer.Token, nil, &d); a.status != http.StatusOK || d.Version != 1 {
		t.Fatalf("%d %+v", a.status, d)
	}
	volunteer.sync()
	if !slices.ContainsFunc(volunteer.answer.Forms, func(source json.RawMessage) bool {
		f, err := form.Parse(source)
		return err == nil && f.Kind == "clinic" && f.Version == 1
	}) {
		t.Error("a phone doesn't hear of what was published")
	}
	volunteer.tells("clinic", 5, "g1", `{"on":"2020-01-31"}`)
	var sum struct {
		Measures []struct {
			Name  string `json:"name"`
			Value int64  `json:"value"`
		} `json:"measures"`
	}
	ask(t, s, http.MethodGet, "/v1/areas/33/summary?day=2020-01-31", officer.Token, nil, &sum)
	if !slices.ContainsFunc(sum.Measures, func(m struct {
		Name  string `json:"name"`
		Value int64  `json:"value"`
	},
	) bool {
		return m.Name == "clinics" && m.Value == 1
	}) {
		t.Errorf("totals %+v", sum.Measures)
	}
	if a := ask(t, s, http.MethodDelete, "/v1/forms/clinic/draft", officer.Token, nil, nil); a.status != http.StatusOK {
		t.Errorf("%d", a.status)
	}
	for _, wrong := range []string{"/v1/forms/clinic?version=2", "/v1/forms/ghost", "/v1/forms/clinic/draft", "/v1/templates/ghost"} {
		if a := ask(t, s, http.MethodGet, wrong, officer.Token, nil, nil); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", wrong, a.status)
		}
	}
	if a := ask(t, s, http.MethodGet, "/v1/forms/clinic?version=x", officer.Token, nil, nil); a.status != http.StatusBadRequest {
		t.Errorf("%d", a.status)
	}
}

func TestWhatAnAreaSetsIsOnItsPhonesAndOnNoOthers(t *testing.T) {
	s := start(t, t.TempDir())
	officer := newPhone(t, s, identity.County, "33")
	near := newPhone(t, s, identity.Volunteer, "g1")
	const set = `{"changes":[{"name":"fever_threshold","from":"2020-01-31","value":37.5},{"name":"closing_hour","from":"2020-01-31","value":"17:30"}]}`
	near.sync()
	if a := ask(t, s, http.MethodPut, "/v1/areas/3307/settings", near.Token, json.RawMessage(set), nil); a.status != http.StatusForbidden {
		t.Errorf("a volunteer sets: %d", a.status)
	}
	var in formbook.InArea
	if a := ask(t, s, http.MethodPut, "/v1/areas/3307/settings", officer.Token, json.RawMessage(set), &in); a.status != http.StatusOK || len(in.History) != 2 {
		t.Fatalf("%d %+v", a.status, in)
	}
	near.sync()
	told := func(p *phone) []syncproto.Setting {
		for _, a := range p.answer.Areas {
			if a.ID == "3307" {
				return a.Settings
			}
		}
		return nil
	}
	want := []syncproto.Setting{{Name: "closing_hour", From: "2020-01-31", Value: `"17:30"`}, {Name: "fever_threshold", From: "2020-01-31", Value: "37.5"}}
	if !slices.Equal(told(near), want) {
		t.Errorf("told %+v", near.answer.Areas)
	}
	near.sync()
	if near.answer.Areas != nil {
		t.Error("it is told again though nothing has changed")
	}
	if a := ask(t, s, http.MethodGet, "/v1/areas/g1/settings?day=2020-01-31", near.Token, nil, &in); a.status != http.StatusOK || in.Area != "g1" || len(in.History) != 0 {
		t.Errorf("%d %+v", a.status, in)
	}
	if a := ask(t, s, http.MethodGet, "/v1/areas/3307/settings", near.Token, nil, nil); a.status != http.StatusForbidden {
		t.Errorf("an area above: %d", a.status)
	}
	for _, wrong := range []string{
		`{"changes":[]}`, `{"changes":[{"name":"fever_threshold","value":"hot"}]}`, `{"changes":[{"name":"ghost","value":1}]}`, `{"changes":3}`,
		`{"changes":[{"name":"slots_per_day","value":3},{"name":"fever_threshold","value":99}]}`,
	} {
		if a := ask(t, s, http.MethodPut, "/v1/areas/3307/settings", officer.Token, json.RawMessage(wrong), nil); a.status != http.StatusBadRequest {
			t.Errorf("%s: %d", wrong, a.status)
		}
	}
	ask(t, s, http.MethodGet, "/v1/areas/3307/settings", officer.Token, nil, &in)
	if len(in.History) != 2 {
		t.Errorf("something of what was turned away was set: %+v", in.History)
	}
	lines, _, err := s.store.AuditLines(t.Context(), audit.Want{Act: audit.SetSetting}, 0, 10)
	if err != nil || len(lines) != 2 || lines[0].Who != officer.Authors[0].ID || lines[0].Area != "3307" {
		t.Errorf("audit %+v, %v", lines, err)
	}
}

func TestAWorkbookThatIsNoneIsNoDraft(t *testing.T) {
	s := start(t, t.TempDir())
	officer := newPhone(t, s, identity.County, "33")
	var imported api.ImportedForm
	if a := ask(t, s, http.MethodPost, "/v1/forms/import", officer.Token, "not a workbook", &imported); a.status != http.StatusOK && a.status != http.StatusBadRequest || imported.Draft != nil {
		t.Errorf("%d %+v", a.status, imported)
	}
	if a := ask(t, s, http.MethodPost, "/v1/forms/import?kind=%2F", officer.Token, "x", nil); a.status != http.StatusBadRequest {
		t.Errorf("a kind that is none: %d", a.status)
	}
	var list formbook.List
	ask(t, s, http.MethodGet, "/v1/forms", officer.Token, nil, &list)
	if slices.ContainsFunc(list.Definitions, func(d formbook.Definition) bool { return d.DraftAt != 0 }) {
		t.Errorf("%+v", list)
	}
}
