package host

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"gridsync/server/internal/dayclose"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// claims makes a record under an id that somebody else's is to have.
func (p *phone) claims(kind syncproto.Kind, id syncproto.RecordID, area syncproto.AreaID, fields string) {
	p.Helper()
	p.n++
	p.sync(json.RawMessage(fmt.Sprintf(
		`{"id":%q,"n":%d,"author":%q,"kind":%q,"record":%q,"area":%q,"base":0,"fields":%s,"at":%d,"form":1,"decides":%v}`,
		syncproto.ChangeID{p.ID[15], p.ID[14], byte(p.n), 7}, p.n, p.Authors[0].ID, kind, id, area, fields, time.Now().UnixMilli(), kind == "day_close",
	)))
	if v := p.answer.Verdicts[0]; !v.Verdict.Held() || v.Verdict == syncproto.Parked {
		p.Fatalf("%s: %+v", kind, v)
	}
}

// The id of a day's record can be worked out by everybody. Whoever makes one under it
// elsewhere, or of another kind, signs nothing and keeps nobody from signing.
func TestADayIsSignedInItsOwnAreaOnly(t *testing.T) {
	o := newClosing(t)
	other := newPhone(t, o.Server, identity.Secretary, "c2")
	if err := o.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.fever()
	other.claims("day_close", dayclose.RecordOf("c1", 20200131), "c2", `{"day":"2020-01-31","figures":"{\"fevers\":0}"}`)
	d := o.look(o.secretary, "c1")
	if d.State != dayclose.Open || d.Signed != nil || len(d.History) != 0 || d.Seen.Record != 0 {
		t.Errorf("the neighbour signed it: %s %+v", d.State, d.Signed)
	}
	if above := o.look(o.township, "t1"); above.Below[0].State != dayclose.Open || above.Below[0].Hash != "" {
		t.Errorf("the township sees %+v", above.Below)
	}
	signed := o.sign(o.secretary, "c1", false)
	if signed.State != dayclose.Signed || signed.Signed.By != o.secretary.Authors[0].ID || !signed.Signed.Holds || signed.Signed.Figures["fevers"] != 1 {
		t.Fatalf("%+v", signed.Signed)
	}
	o.fever()
	if again := o.sign(o.secretary, "c1", false); again.Signed.Record != signed.Signed.Record || again.Signed.Figures["fevers"] != 2 {
		t.Errorf("%+v", again.Signed)
	}

	o.day = "2020-02-01"
	o.worker.claims("temperature", dayclose.RecordOf("c1", 20200201), "g1",
		fmt.Sprintf(`{"person":%q,"value":36.6,"slot":"am","taken_at":1580432400000}`, syncproto.RecordID{0x99}))
	if d := o.look(o.secretary, "c1"); d.State != dayclose.Open || d.Seen.Record != 0 || len(d.History) != 0 {
		t.Errorf("%s %+v", d.State, d.History)
	}
	if signed := o.sign(o.secretary, "c1", true); signed.State != dayclose.Signed {
		t.Errorf("%+v", signed)
	}
	above := o.sign(o.township, "t1", true)
	if got := above.Signed; len(got.Below) != 2 || got.Below[0].State != dayclose.Signed || !strings.Contains(got.Text, "below c1 signed ") {
		t.Errorf("%+v", got)
	}
}

// A day that was sent back is signed again with its figures: a phone that only takes the
// reason away signs nothing.
func TestAReturnedDayIsNotSignedByTakingTheReasonAway(t *testing.T) {
	o := newClosing(t)
	o.fever()
	o.sign(o.secretary, "c1", false)
	d := o.look(o.township, "c1")
	o.refused(o.township, "c1/days/"+o.day+"/return", fmt.Sprintf(`{"record":%d,"reason":"核实"}`, d.Seen.Record), http.StatusOK)
	d = o.look(o.secretary, "c1")
	p := o.secretary
	p.n++
	p.sync(json.RawMessage(fmt.Sprintf(
		`{"id":%q,"n":%d,"author":%q,"kind":"day_close","record":%q,"area":"c1","base":%d,"fields":{"returned":null},"at":%d,"form":2,"decides":true}`,
		syncproto.ChangeID{p.ID[15], p.ID[14], byte(p.n), 7}, p.n, p.Authors[0].ID, d.Signed.Record, d.Seen.Record, time.Now().UnixMilli(),
	)))
	if v := p.answer.Verdicts[0]; v.Verdict != syncproto.Parked || v.Reason == nil || v.Reason.Code != syncproto.CodeNotEntitled {
		t.Errorf("%+v", v)
	}
	if d = o.look(o.township, "c1"); d.State != dayclose.Returned || d.Returned == nil {
		t.Errorf("it is %s", d.State)
	}
	if d = o.sign(o.secretary, "c1", false); d.State != dayclose.Signed || d.Returned != nil {
		t.Errorf("it is %s", d.State)
	}
}
