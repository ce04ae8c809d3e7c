package host

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gridsync/server/internal/dayclose"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// closing is a township with a community of one grid, and those who work there.
type closing struct {
	*matrix
	township, secretary, worker *phone
	day                         string
	fevers                      byte
}

// closingAreas are a county, a township, two communities and a grid.
const closingAreas = "3307,金华市,\nt1,一镇,3307\nc1,甲社区,t1\nc2,乙社区,t1\np1,卡点,t1\nq1,居民组,c1\ng1,一网格,q1\n"

func newClosing(t *testing.T) *closing {
	t.Helper()
	o := &closing{matrix: &matrix{T: t, Server: start(t, t.TempDir())}}
	if _, problems, err := o.ImportAreas(t.Context(), strings.NewReader(closingAreas)); err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	o.township = newPhone(t, o.Server, identity.Township, "t1")
	o.secretary = newPhone(t, o.Server, identity.Secretary, "c1")
	o.worker = newPhone(t, o.Server, identity.Volunteer, "g1")
	if err := o.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.day = "2020-01-31"
	return o
}

// fever records a temperature of the day, at nine.
func (o *closing) fever() syncproto.RecordID {
	o.fevers++
	o.worker.tells("temperature", o.fevers, "g1", fmt.Sprintf(`{"person":%q,"value":38.6,"slot":"am","taken_at":1580432400000}`, syncproto.RecordID{0x99}))
	return syncproto.RecordID{o.fevers}
}

// fetch reads an answer.
func fetch[T any](m *matrix, e *Enrolled, method, path, body string, status int) T {
	m.Helper()
	r := m.ask(method, request{path, body}, e)
	var answer T
	if r.status != status {
		m.Fatalf("%s %s: %d, not %d: %s", method, path, r.status, status, r.body)
	}
	if err := json.Unmarshal([]byte(r.body), &answer); err != nil {
		m.Fatal(err, r.body)
	}
	return answer
}

type turnedAway struct {
	Code   syncproto.Code `json:"code"`
	Field  string         `json:"field"`
	Detail string         `json:"detail"`
}

func (o *closing) look(p *phone, area string) dayclose.Day {
	o.Helper()
	return fetch[dayclose.Day](o.matrix, &p.Enrolled, http.MethodGet, "/v1/areas/"+area+"/days/"+o.day, "", http.StatusOK)
}

func signing(d *dayclose.Day, zero bool) string {
	seen, _ := json.Marshal(d.Seen)
	return fmt.Sprintf(`{"seen":%s,"zero":%v,"note":"已核对"}`, seen, zero)
}

func (o *closing) sign(p *phone, area string, zero bool) dayclose.Day {
	o.Helper()
	d := o.look(p, area)
	return fetch[dayclose.Day](o.matrix, &p.Enrolled, http.MethodPost, "/v1/areas/"+area+"/days/"+o.day+"/sign", signing(&d, zero), http.StatusOK)
}

func (o *closing) refused(p *phone, path, body string, status int) turnedAway {
	o.Helper()
	return fetch[turnedAway](o.matrix, &p.Enrolled, http.MethodPost, "/v1/areas/"+path, body, status)
}

func figure(d *dayclose.Day, name string) int64 {
	i := slices.IndexFunc(d.Figures, func(f dayclose.Figure) bool { return f.Name == name })
	return d.Figures[i].Value
}

func TestZeroMustBeSaid(t *testing.T) {
	o := newClosing(t)
	d := o.look(o.secretary, "c1")
	if d.State != dayclose.Open || !d.Nothing || !d.Late || d.Seen.Record != 0 {
		t.Fatalf("%+v", d)
	}
	path := "c1/days/" + o.day + "/sign"
	if p := o.refused(o.secretary, path, signing(&d, false), http.StatusBadRequest); p.Field != "zero" {
		t.Errorf("zero need not be said: %+v", p)
	}
	if o.look(o.secretary, "c1").State != dayclose.Open {
		t.Error("a day was signed without saying zero")
	}
	signed := o.sign(o.secretary, "c1", true)
	if signed.State != dayclose.Signed || signed.Signed == nil || !signed.Signed.Zero || !signed.Signed.Holds || signed.Late {
		t.Errorf("%+v", signed.Signed)
	}
	if n := len(signed.Signed.Figures); n != len(signed.Figures) || n == 0 {
		t.Errorf("%d figures were signed of %d: 0 is a figure", n, len(signed.Figures))
	}
	if got := signed.Signed; got.Note != "已核对" || got.By != o.secretary.Authors[0].ID || got.AsOf != d.Seen.Version || got.Hash != d.Seen.Hash {
		t.Errorf("%+v", got)
	}
	o.fever()
	again := o.look(o.secretary, "c1")
	if p := o.refused(o.secretary, path, signing(&again, true), http.StatusBadRequest); p.Field != "zero" {
		t.Errorf("zero may be said of a day with a fever: %+v", p)
	}
}

func TestADayIsSignedAsItWasSeenOrNotAtAll(t *testing.T) {
	o := newClosing(t)
	o.fever()
	seen := o.look(o.secretary, "c1")
	o.fever()
	path := "c1/days/" + o.day + "/sign"
	if p := o.refused(o.secretary, path, signing(&seen, false), http.StatusConflict); p.Code != syncproto.CodeMovedOn {
		t.Errorf("%+v", p)
	}
	seen = o.look(o.secretary, "c1")
	o.sign(o.secretary, "c1", false)
	if p := o.refused(o.secretary, path, signing(&seen, false), http.StatusConflict); p.Code != syncproto.CodeMovedOn {
		t.Errorf("the same figures were signed twice: %+v", p)
	}
	seen = o.look(o.secretary, "c1")
	seen.Seen.Version += 1000
	o.refused(o.secretary, path, signing(&seen, false), http.StatusBadRequest)
	o.refused(o.worker, path, signing(&seen, false), http.StatusForbidden)
	o.refused(o.secretary, "t1/days/"+o.day+"/sign", signing(&seen, false), http.StatusForbidden)
	o.day = time.Now().AddDate(0, 0, 3).Format(time.DateOnly)
	seen = o.look(o.secretary, "c1")
	o.refused(o.secretary, "c1/days/"+o.day+"/sign", signing(&seen, true), http.StatusBadRequest)
	if got := o.look(o.secretary, "c1"); got.State != dayclose.Open || got.Late {
		t.Errorf("a day to come is %s, late %v", got.State, got.Late)
	}
}

func TestADayIsRestatedByItsChangesReturnedAndSignedAgain(t *testing.T) {
	o := newClosing(t)
	o.fever()
	first := o.sign(o.secretary, "c1", false)
	late := o.fever()
	d := o.look(o.secretary, "c1")
	if d.State != dayclose.Restated || len(d.Changes) != 1 || d.Changes[0].Record != late || d.Changes[0].Area != "g1" || len(d.Otherwise) != 0 || d.More {
		t.Fatalf("%s %+v otherwise %+v", d.State, d.Changes, d.Otherwise)
	}
	moved := make(map[string]int64)
	for _, m := range d.Changes[0].Moves {
		moved[m.Name] += m.N
	}
	for _, m := range d.Delta {
		if m.Now-m.Signed != moved[m.Name] || m.Now != figure(&d, m.Name) || m.Signed != first.Signed.Figures[m.Name] {
			t.Errorf("%+v, its changes %d", m, moved[m.Name])
		}
		delete(moved, m.Name)
	}
	if len(moved) > 0 || len(d.Delta) == 0 {
		t.Errorf("moved besides: %v; delta %v", moved, d.Delta)
	}
	if !d.Signed.Holds || d.Signed.Figures["fevers"] != 1 {
		t.Errorf("the old figure is gone: %+v", d.Signed)
	}

	back := func(p *phone, status int, reason string) turnedAway {
		return o.refused(p, "c1/days/"+o.day+"/return", fmt.Sprintf(`{"record":%d,"reason":%q}`, d.Seen.Record, reason), status)
	}
	back(o.secretary, http.StatusForbidden, "自己退回")
	back(o.township, http.StatusBadRequest, " ")
	back(o.township, http.StatusOK, "少报一例，请核实")
	back(o.township, http.StatusConflict, "再退一次")
	d = o.look(o.secretary, "c1")
	if d.State != dayclose.Returned || d.Returned == nil || d.Returned.Reason != "少报一例，请核实" || d.Returned.By != o.township.Authors[0].ID || !d.Late {
		t.Fatalf("%s %+v", d.State, d.Returned)
	}
	if above := o.look(o.township, "t1"); above.Unsigned != 1 || above.Below[0].Reason != "少报一例，请核实" {
		t.Errorf("the township sees %+v", above.Below)
	}
	o.fever() // of a day that is returned nothing is restated
	again := o.sign(o.secretary, "c1", false)
	if again.State != dayclose.Signed || again.Returned != nil || again.Signed.Figures["fevers"] != 3 || !again.Signed.Holds || len(again.Changes) != 0 {
		t.Fatalf("%s %+v", again.State, again.Signed)
	}
	var acts []string
	for _, act := range again.History {
		acts = append(acts, fmt.Sprint(act.What, act.Figures["fevers"], act.Reason))
	}
	if got := strings.Join(acts, " "); got != "signed1 returned0少报一例，请核实 signed3" {
		t.Errorf("history: %s", got)
	}
	if again.Signed.Record != dayclose.RecordOf("c1", 20200131) || again.History[0].Hash != first.Signed.Hash {
		t.Error("the first signature is not in the history as it was")
	}
}

func TestATownshipSeesWhoHasNotSignedAndSignsOverThem(t *testing.T) {
	o := newClosing(t)
	other := newPhone(t, o.Server, identity.Secretary, "c2")
	if err := o.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.fever()
	community := o.sign(o.secretary, "c1", false)
	d := o.look(o.township, "t1")
	if len(d.Below) != 2 || d.Unsigned != 1 || d.Below[0].State != dayclose.Signed || d.Below[0].Hash != community.Signed.Hash || d.Below[1].State != dayclose.Open || !d.Below[1].Late {
		t.Fatalf("%+v", d.Below)
	}
	if below := o.look(o.secretary, "c1").Below; len(below) != 0 {
		t.Errorf("residents' groups, of whom nobody signs, sign no days: %+v", below)
	}
	seen := o.look(o.township, "t1")
	o.sign(other, "c2", true)
	path := "t1/days/" + o.day + "/sign"
	if p := o.refused(o.township, path, signing(&seen, false), http.StatusConflict); p.Code != syncproto.CodeMovedOn {
		t.Errorf("signed over a community that signed meanwhile: %+v", p)
	}
	signed := o.sign(o.township, "t1", false)
	if got := signed.Signed; !got.Holds || len(got.Below) != 2 || got.Below[0].Hash != community.Signed.Hash || !strings.Contains(got.Text, "below c1 signed ") || !strings.Contains(got.Text, community.Signed.Hash) {
		t.Errorf("%+v", got)
	}
	o.fever()
	if d := o.look(o.township, "t1"); d.State != dayclose.Restated || d.Below[0].State != dayclose.Restated || len(d.Changes) != 1 {
		t.Errorf("%s, below %s, %d changes", d.State, d.Below[0].State, len(d.Changes))
	}
}

// Who may see totals only, sees how a day stands, and none of the records behind it.
func TestWhatRestatedADayIsForReadersOfRecords(t *testing.T) {
	o := newClosing(t)
	auditor := newPhone(t, o.Server, identity.Auditor, "t1")
	if err := o.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.fever()
	o.sign(o.secretary, "c1", false)
	late := o.fever()
	r := o.ask(http.MethodGet, request{path: "/v1/areas/c1/days/" + o.day}, &auditor.Enrolled)
	if r.status != http.StatusOK || strings.Contains(r.body, late.String()) || strings.Contains(r.body, `"changes"`) || !strings.Contains(r.body, `"more_changes":true`) {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := o.ask(http.MethodGet, request{path: "/v1/areas/c1/days/" + o.day}, &o.secretary.Enrolled); !strings.Contains(r.body, late.String()) {
		t.Error("the secretary isn't told either")
	}
}
