package host

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// phone is a device that goes on from its last answer.
type phone struct {
	*testing.T
	server *Server
	Enrolled
	n      uint64
	answer syncproto.Answer
	body   string
}

// newPhone adds a phone of somebody with a role in an area.
func newPhone(t *testing.T, s *Server, role identity.Role, area syncproto.AreaID) *phone {
	t.Helper()
	e, err := s.AddDevice(t.Context(), Device{Name: string(role), Areas: []syncproto.AreaID{area}, Role: role})
	if err != nil {
		t.Fatal(err)
	}
	return &phone{T: t, server: s, Enrolled: e}
}

// says pushes what the phone's author says of a person, and pulls.
func (p *phone) says(record byte, base syncproto.Version, area syncproto.AreaID, fields string) {
	p.Helper()
	p.n++
	p.sync(json.RawMessage(fmt.Sprintf(
		`{"id":%q,"n":%d,"author":%q,"kind":"person","record":%q,"area":%q,"base":%d,"fields":%s,"at":%d,"form":1}`,
		syncproto.ChangeID{p.ID[15], p.ID[14], byte(p.n), 3}, p.n, p.Authors[0].ID, syncproto.RecordID{record}, area, base, fields, time.Now().UnixMilli(),
	)))
	if v := p.answer.Verdicts[0]; !v.Verdict.Held() || v.Verdict == syncproto.Parked {
		p.Fatalf("%+v", v)
	}
}

// sync makes one round trip from where the phone is.
func (p *phone) sync(changes ...json.RawMessage) {
	p.Helper()
	req := syncproto.Request{
		Protocol: syncproto.Protocol, Device: p.ID, Clock: syncproto.Instant(time.Now().UnixMilli()),
		Cursor: p.answer.Cursor, High: p.n, Changes: changes,
	}
	body, err := json.Marshal(req)
	if err != nil {
		p.Fatal(err)
	}
	r, err := http.NewRequestWithContext(p.Context(), http.MethodPost, p.server.URL()+"/v1/sync", bytes.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.Token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		p.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		p.Fatal(err)
	}
	p.body, p.answer = b.String(), syncproto.Answer{}
	if err := json.Unmarshal(b.Bytes(), &p.answer); err != nil || res.StatusCode != http.StatusOK {
		p.Fatalf("%d %s %v", res.StatusCode, b.String(), err)
	}
}

// live returns every live value of a field of a record that came down.
func (p *phone) live(record byte, field string) []syncproto.Value {
	var values []syncproto.Value
	for i := range p.answer.Records {
		if r := &p.answer.Records[i]; r.ID == (syncproto.RecordID{record}) {
			for _, part := range r.Live {
				if v, ok := part.Fields[field]; ok {
					values = append(values, v)
				}
			}
		}
	}
	return values
}

const (
	aMobile = `10012345678`
	anID    = `999702199901011233`
	aPerson = `{"name":"王小芳","mobile":"10012345678","id_number":"999702199901011233","found_on":"2020-01-31"}`
)

func TestAVolunteersPhoneHoldsNoNumbersOfOthers(t *testing.T) {
	s := start(t, t.TempDir())
	secretary, volunteer := newPhone(t, s, identity.Secretary, "3307"), newPhone(t, s, identity.Volunteer, "g1")
	secretary.says(1, 0, "g1", aPerson)
	volunteer.sync()
	if got := volunteer.live(1, "name"); !slices.Equal(got, []syncproto.Value{`"王小芳"`}) {
		t.Errorf("name: %v", got)
	}
	for _, hidden := range []string{aMobile, anID, "12345", "0219990101"} {
		if strings.Contains(volunteer.body, hidden) {
			t.Errorf("it tells of %s: %s", hidden, volunteer.body)
		}
	}
	masked := volunteer.live(1, "mobile")
	if m, ok := masked[0].Masked(); !ok || m.Masked != "100****5678" || m.Tag == "" {
		t.Errorf("mobile: %v", masked)
	}
	version := volunteer.answer.Records[0].Version
	if version != secretary.answer.Verdicts[0].Version || volunteer.answer.Sums["g1"] == 0 {
		t.Errorf("version %d, sums %v", version, volunteer.answer.Sums)
	}
	if secretary.sync(); strings.Contains(secretary.body, "masked") {
		t.Errorf("the secretary sees a mask: %s", secretary.body)
	}
}

func TestWhatAVolunteerWroteStaysTheirsToSee(t *testing.T) {
	s := start(t, t.TempDir())
	secretary, volunteer := newPhone(t, s, identity.Secretary, "3307"), newPhone(t, s, identity.Volunteer, "g1")
	volunteer.says(1, 0, "g1", aPerson)
	// Somebody who hasn't seen it says the same mobile, written otherwise, and another number.
	secretary.says(1, 0, "g1", `{"mobile":"100 1234 5678","id_number":"999702199901011241"}`)
	volunteer.sync()
	if got := volunteer.live(1, "mobile"); !slices.Equal(got, []syncproto.Value{`"10012345678"`, `"100 1234 5678"`}) {
		t.Errorf("mobile: %v", got)
	}
	got := volunteer.live(1, "id_number")
	if len(got) != 2 || got[0] != `"`+anID+`"` {
		t.Fatalf("id: %v", got)
	}
	if m, ok := got[1].Masked(); !ok || m.Masked != "9997**********1241" {
		t.Errorf("the other's number: %v", got[1])
	}
}

func TestATownshipsPhoneMasksNumbersAndACountysNamesToo(t *testing.T) {
	s := start(t, t.TempDir())
	newPhone(t, s, identity.Secretary, "g1").says(1, 0, "g1", aPerson)
	for role, want := range map[identity.Role]string{identity.Township: "王小芳", identity.County: "王*芳"} {
		p := newPhone(t, s, role, "3307")
		p.sync()
		name := p.live(1, "name")
		shown, _ := name[0].Text()
		if m, ok := name[0].Masked(); ok {
			shown = m.Masked
		}
		if shown != want || strings.Contains(p.body, anID) || strings.Contains(p.body, aMobile) || !strings.Contains(p.body, `"2020-01-31"`) {
			t.Errorf("%s: %s", role, p.body)
		}
	}
}

func TestAnAreaOfWhichMoreIsSeenStartsAnew(t *testing.T) {
	s := start(t, t.TempDir())
	newPhone(t, s, identity.Secretary, "g1").says(1, 0, "g1", aPerson)
	p := newPhone(t, s, identity.Volunteer, "g1")
	p.sync()
	if p.sync(); len(p.answer.Records) > 0 || len(p.answer.Restarted) > 0 {
		t.Fatalf("nothing has changed: %s", p.body)
	}
	grant := identity.Grant{Author: p.Authors[0].ID, Area: "3307", Role: identity.Secretary, From: 1}
	give := func() {
		t.Helper()
		if err := s.store.AddIdentities(t.Context(), identity.Everyone{Grants: []identity.Grant{grant}}); err != nil {
			t.Fatal(err)
		}
		if err := s.Retry(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	give()
	p.sync()
	if !slices.Equal(p.answer.Restarted, []syncproto.AreaID{"g1"}) || !slices.Equal(p.live(1, "mobile"), []syncproto.Value{`"` + aMobile + `"`}) {
		t.Errorf("a secretary now: %s", p.body)
	}
	if p.sync(); len(p.answer.Restarted) > 0 {
		t.Errorf("again: %s", p.body)
	}
	grant.To = 2
	give()
	p.sync()
	if !slices.Equal(p.answer.Restarted, []syncproto.AreaID{"g1"}) || strings.Contains(p.body, aMobile) || !slices.Equal(p.answer.Left, []syncproto.AreaID{"3307"}) {
		t.Errorf("a volunteer again: %s", p.body)
	}
}
