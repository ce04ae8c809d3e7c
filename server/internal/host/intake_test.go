package host

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/intake"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/watch"
)

// fileOf is a CSV of one person, whose ID number and mobile are nobody's.
func fileOf(birth string) (file, idNumber string) {
	digits := "999001" + birth + "001"
	check, _ := form.IDCheck(digits)
	idNumber = digits + string(check)
	return "姓名,身份证号,联系电话,网格\n张三," + idNumber + ",99900000001,g1\n", idNumber
}

// asks sends a request as a phone does, and reads its answer into out.
func asks(t *testing.T, s *Server, as *phone, method, path, body string, out any) (status int, text string) {
	t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+as.Token)
	resp, err := s.API().Test(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if out != nil && resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(raw, out); err != nil {
			t.Fatal(err, string(raw))
		}
	}
	return resp.StatusCode, string(raw)
}

func TestAFileComesInByTheAPIAndIsNoted(t *testing.T) {
	s := twoTowns(t)
	secretary, volunteer := newPhone(t, s, identity.Secretary, "t1"), newPhone(t, s, identity.Volunteer, "g1")
	file, idNumber := fileOf("19500101")
	path := "/v1/areas/t1/import?kind=person&file=" + url.QueryEscape("名单.csv")
	if status, _ := asks(t, s, volunteer, http.MethodPost, path, file, nil); status != http.StatusForbidden {
		t.Errorf("a volunteer brings files in: %d", status)
	}
	if status, _ := asks(t, s, secretary, http.MethodPost, strings.Replace(path, "t1", "t2", 1), file, nil); status != http.StatusForbidden {
		t.Errorf("a secretary brings files into another town: %d", status)
	}
	var plan intake.Plan
	if status, text := asks(t, s, secretary, http.MethodPost, path, file, &plan); status != http.StatusOK || plan.Counts.New != 1 || plan.Applied != nil {
		t.Fatal(status, text)
	}
	if status, text := asks(t, s, secretary, http.MethodPost, path+"&token=0000", file, nil); status != http.StatusConflict {
		t.Error(status, text)
	}
	if status, text := asks(t, s, secretary, http.MethodPost, path+"&token="+plan.Token, file, &plan); status != http.StatusOK || plan.Applied == nil || plan.Applied.Changes != 1 {
		t.Fatal(status, text)
	}
	lines, _, err := audit.NewKeeper(s.store).AuditLines(t.Context(), audit.Want{Act: audit.Imported}, 0, 10)
	if err != nil || len(lines) != 1 || lines[0].Who != secretary.Authors[0].ID || lines[0].Area != "t1" || !strings.Contains(lines[0].Detail, "person rows 1 entered 1 file "+plan.Digest[:16]) {
		t.Errorf("%+v, %v", lines, err)
	}
	if strings.Contains(lines[0].Detail, "名单") || strings.Contains(lines[0].Detail, idNumber) {
		t.Errorf("the audit holds what somebody typed: %s", lines[0].Detail)
	}
	for _, c := range []struct {
		path, body string
		status     int
	}{
		{"/v1/areas/t1/import", file, http.StatusBadRequest},
		{"/v1/areas/t1/import?kind=visit", file, http.StatusBadRequest},
		{path + "&author=" + volunteer.Authors[0].ID.String(), file, http.StatusForbidden},
		{path + "&status=odd", file, http.StatusBadRequest},
		{path + "&after=-1", file, http.StatusBadRequest},
		{path + "&map=x", file, http.StatusBadRequest},
		{path, "", http.StatusBadRequest},
		{path, "PK\x03\x04broken", http.StatusBadRequest},
		{"/v1/areas/t1/lists?name=x&deadline=tomorrow", file, http.StatusBadRequest},
		{"/v1/areas/t1/lists?name=x&family=y", file, http.StatusBadRequest},
		{"/v1/areas/t1/lists", file, http.StatusBadRequest},
	} {
		if status, text := asks(t, s, secretary, http.MethodPost, c.path, c.body, nil); status != c.status || !strings.Contains(text, `"zh"`) {
			t.Errorf("%s: %d %s", c.path, status, text)
		}
	}
}

func TestWhatTheRosterSaysIsMaskedInAPlan(t *testing.T) {
	s := twoTowns(t)
	secretary, county := newPhone(t, s, identity.Secretary, "t1"), newPhone(t, s, identity.County, "3307")
	file, idNumber := fileOf("19500101")
	var plan intake.Plan
	path := "/v1/areas/t1/import?kind=person"
	asks(t, s, secretary, http.MethodPost, path, file, &plan)
	if status, text := asks(t, s, secretary, http.MethodPost, path+"&token="+plan.Token, file, nil); status != http.StatusOK {
		t.Fatal(status, text)
	}
	other := "姓名,身份证号,联系电话\n张三," + idNumber + ",99900000002\n"
	if _, text := asks(t, s, secretary, http.MethodPost, path, other, nil); !strings.Contains(text, "99900000001") {
		t.Errorf("who may see it isn't shown what differs: %s", text)
	}
	status, text := asks(t, s, county, http.MethodPost, path, other, nil)
	if status != http.StatusOK || strings.Contains(text, "99900000001") || !strings.Contains(text, "99900000002") || !strings.Contains(text, `"masked"`) {
		t.Errorf("%d %s", status, text)
	}
}

func TestAListGoesDownAndItsResultsComeUp(t *testing.T) {
	s := twoTowns(t)
	county, volunteer, far := newPhone(t, s, identity.County, "3307"), newPhone(t, s, identity.Volunteer, "g1"), newPhone(t, s, identity.Volunteer, "g2")
	file, idNumber := fileOf("19500101")
	path := "/v1/areas/3307/lists?name=" + url.QueryEscape("返乡") + "&purpose=expected_returnees&deadline=2999-01-01"
	var plan intake.Plan
	if status, text := asks(t, s, county, http.MethodPost, path, file, &plan); status != http.StatusOK {
		t.Fatal(status, text)
	}
	if status, text := asks(t, s, county, http.MethodPost, path+"&token="+plan.Token, file, &plan); status != http.StatusOK || plan.Applied.New != 1 {
		t.Fatal(status, text)
	}
	list := "/v1/lists/" + plan.List.ID.String()
	var state intake.ListState
	if status, text := asks(t, s, county, http.MethodGet, list, "", &state); status != http.StatusOK || state.Tasks != 1 || state.Open != 1 || state.Unrouted != 0 || len(state.Areas) != 1 || state.Areas[0].Area != "t1" {
		t.Error(status, text)
	}
	var rows intake.ListRows
	_, text := asks(t, s, county, http.MethodGet, list+"/rows", "", &rows)
	if len(rows.Rows) != 1 || rows.Rows[0].Area != "g1" || strings.Contains(text, idNumber) || strings.Contains(text, "99900000001") || strings.Contains(text, "张三") {
		t.Errorf("a county sees names and numbers masked: %s", text)
	}
	if _, text := asks(t, s, volunteer, http.MethodGet, list+"/rows", "", &rows); len(rows.Rows) != 1 || strings.Contains(text, idNumber) || !strings.Contains(text, "张三") {
		t.Errorf("a volunteer sees the name and no number: %s", text)
	}
	if _, text := asks(t, s, far, http.MethodGet, list+"/rows", "", &rows); len(rows.Rows) != 0 {
		t.Errorf("the other town's grid sees it: %s", text)
	}
	// The same leaves as a file, for whoever may take files away.
	report := "/v1/areas/3307/reports/list?format=csv&list=" + plan.List.ID.String()
	if status, _ := asks(t, s, volunteer, http.MethodGet, strings.Replace(report, "3307", "g1", 1), "", nil); status != http.StatusForbidden {
		t.Errorf("a volunteer takes a list away: %d", status)
	}
	if status, text := asks(t, s, county, http.MethodGet, report, "", nil); status != http.StatusOK || !strings.Contains(text, "名单结果") && !strings.Contains(text, "结果填写人") || strings.Contains(text, idNumber) || strings.Contains(text, "张三") {
		t.Errorf("%d %s", status, text)
	}
	if status, text := asks(t, s, county, http.MethodGet, "/v1/areas/3307/reports/list", "", nil); status != http.StatusBadRequest {
		t.Error(status, text)
	}
	var lists intake.Lists
	if status, text := asks(t, s, volunteer, http.MethodGet, "/v1/lists", "", &lists); status != http.StatusOK || len(lists.Lists) != 1 || lists.Lists[0].Tasks != 1 {
		t.Error(status, text)
	}
	var watched watch.Lists
	status, text := asks(t, s, far, http.MethodGet, "/v1/watch", "", &watched)
	if status != http.StatusOK || len(watched.Lists) != 1 || !watched.Lists[0].Has(watch.Number{Type: form.IDNumber, Text: idNumber}) {
		t.Fatal(status, text)
	}
	for _, secret := range []string{"张三", idNumber, "99900000001", idNumber[6:14]} {
		if strings.Contains(text, secret) {
			t.Errorf("posts get %q: %s", secret, text)
		}
	}
	req := httptest.NewRequest(http.MethodGet, "/v1/watch", nil)
	req.Header.Set("Authorization", "Bearer "+far.Token)
	resp, err := s.API().Test(req)
	if err != nil {
		t.Fatal(err)
	}
	tag := resp.Header.Get("ETag")
	_ = resp.Body.Close()
	req = httptest.NewRequest(http.MethodGet, "/v1/watch", nil)
	req.Header.Set("Authorization", "Bearer "+far.Token)
	req.Header.Set("If-None-Match", tag)
	if resp, err = s.API().Test(req); err != nil || resp.StatusCode != http.StatusNotModified || tag == "" {
		t.Errorf("nothing new: %v, %v, tag %q", resp.StatusCode, err, tag)
	}
	_ = resp.Body.Close()
	if status, text := asks(t, s, volunteer, http.MethodGet, "/v1/lists/"+syncproto.RecordID{1}.String(), "", nil); status != http.StatusNotFound {
		t.Error(status, text)
	}
}
