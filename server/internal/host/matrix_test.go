package host

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"gridsync/server/internal/api"
	"gridsync/server/internal/audit"
	"gridsync/server/internal/console"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// side is one of two towns of a county: everybody who asks belongs to one of them.
type side struct {
	town, grid                               syncproto.AreaID
	person, household, visit                 byte
	name, address, idNumber, mobile, another string
	question                                 syncproto.RecordID
	maker                                    *phone
	target                                   Enrolled // a volunteer's phone that things are done to
	rounds                                   [2]syncproto.RecordID
}

// asker is somebody of the first town who asks.
type asker struct {
	name  string
	role  identity.Role // "" for somebody who has none any more
	phone *Enrolled     // nil for nobody
	lost  bool
	// desk says that they are signed in at a desk, without their phone.
	desk bool
}

// request is what is asked about one of the towns.
type request struct {
	path, body string
}

// rule is what a route must answer to whom.
type rule struct {
	make func(m *matrix, s *side, a *asker) request
	// may says who is allowed, for routes that the document's right doesn't say it of.
	may func(identity.Role) bool
	// allowed and denied are the statuses; 200 and 403 if there are none.
	allowed, denied []int
	// open routes are for anybody, and desk routes for nobody with a token.
	open, desk bool
	// whoever is admitted is allowed, wherever.
	anywhere bool
}

type matrix struct {
	*testing.T
	*Server
	near, far *side
	askers    []asker
	signed    uint64
}

const matrixAreas = "3307,金华市,\nt1,一镇,3307\ng1,一网格,t1\nt2,二镇,3307\ng2,二网格,t2\n"

func within(format string) func(*matrix, *side, *asker) request {
	return func(_ *matrix, s *side, _ *asker) request { return request{path: fmt.Sprintf(format, s.town)} }
}

func fixed(path, body string) func(*matrix, *side, *asker) request {
	return func(*matrix, *side, *asker) request { return request{path, body} }
}

var notThere = []int{http.StatusNotFound}

func nobody(identity.Role) bool { return false }

// rules has a line for every route that there is: whoever adds a route says here who may
// use it.
var rules = map[string]rule{
	"areas":       {make: fixed("/v1/areas", ""), anywhere: true},
	"summary":     {make: within("/v1/areas/%s/summary?day=2020-01-31")},
	"series":      {make: within("/v1/areas/%s/series?from=2020-01-30&to=2020-01-31")},
	"live":        {make: within("/v1/areas/%s/live?seconds=0")},
	"measureRows": {make: within("/v1/areas/%s/measures/persons/rows?day=2020-01-31")},
	"published":   {make: within("/v1/areas/%s/published?day=2020-01-31")},
	"roster":      {make: within("/v1/areas/%s/roster")},
	"rosterFile":  {make: within("/v1/areas/%s/roster.csv?kind=person")},
	"report":      {make: within("/v1/areas/%s/reports/ledger?kind=person&from=2000-01-01&to=2100-01-01&format=csv")},
	"review":      {make: within("/v1/areas/%s/review")},
	"day":         {make: within("/v1/areas/%s/days/2020-01-31")},
	"feed":        {make: within("/v1/areas/%s/feed")},
	"hooks":       {make: within("/v1/areas/%s/hooks")},
	"addHook": {make: func(_ *matrix, s *side, _ *asker) request {
		return request{fmt.Sprintf("/v1/areas/%s/hooks", s.town), `{"url":"https://example.org/in","events":["fever"]}`}
	}},
	"endHook": {allowed: notThere, make: func(_ *matrix, s *side, _ *asker) request {
		return request{path: fmt.Sprintf("/v1/areas/%s/hooks/00000000-0000-7000-8000-000000000001", s.town)}
	}},
	"deliveries": {allowed: notThere, make: func(_ *matrix, s *side, _ *asker) request {
		return request{path: fmt.Sprintf("/v1/areas/%s/hooks/00000000-0000-7000-8000-000000000001/deliveries", s.town)}
	}},
	"retryDeliveries": {allowed: notThere, make: func(_ *matrix, s *side, _ *asker) request {
		return request{fmt.Sprintf("/v1/areas/%s/hooks/00000000-0000-7000-8000-000000000001/retry", s.town), `{}`}
	}},
	"signDay": {allowed: []int{http.StatusConflict}, make: func(_ *matrix, s *side, _ *asker) request {
		return request{fmt.Sprintf("/v1/areas/%s/days/2020-01-31/sign", s.town), `{"seen":{"version":1,"hash":"x","record":0}}`}
	}},
	// t1 lies below 3307, where nobody here decides.
	"returnDay": {allowed: []int{http.StatusForbidden}, make: func(_ *matrix, s *side, _ *asker) request {
		return request{fmt.Sprintf("/v1/areas/%s/days/2020-01-31/return", s.town), `{"record":0,"reason":"x"}`}
	}},
	"revisits":   {make: within("/v1/areas/%s/revisits?day=2020-01-31")},
	"audit":      {make: within("/v1/audit?area=%s")},
	"invites":    {make: within("/v1/areas/%s/invites")},
	"enrolments": {make: within("/v1/areas/%s/enrolments")},
	"people":     {make: within("/v1/areas/%s/people")},
	"devices":    {make: within("/v1/areas/%s/devices")},
	"question": {denied: notThere, make: func(_ *matrix, s *side, _ *asker) request {
		return request{path: "/v1/review/" + s.question.String()}
	}},
	"decide": {anywhere: true, make: func(_ *matrix, s *side, a *asker) request {
		return request{"/v1/review", fmt.Sprintf(
			`{"author":%q,"orders":[{"item":%q,"act":"choose","value":"x","seen":{"records":[]}}]}`, a.author(), s.question)}
	}},
	"enter": {anywhere: true, make: func(_ *matrix, s *side, a *asker) request {
		return request{"/v1/entries", fmt.Sprintf(
			`{"author":%q,"steps":[{"record":%q,"kind":"nothing","area":%q,"base":0,"fields":{"x":1}}]}`, a.author(), syncproto.RecordID{s.person}, s.grid)}
	}},
	"history": {denied: notThere, make: func(_ *matrix, s *side, _ *asker) request {
		return request{path: "/v1/records/" + syncproto.RecordID{s.person}.String() + "/history"}
	}},
	"seen": {
		denied: notThere, may: func(r identity.Role) bool { return r.May(identity.Audit) || r.May(identity.Decide) },
		make: func(_ *matrix, s *side, _ *asker) request {
			return request{path: "/v1/records/" + syncproto.RecordID{s.person}.String() + "/seen"}
		},
	},
	"log": {may: func(identity.Role) bool { return true }, make: func(m *matrix, s *side, a *asker) request {
		author := a.author()
		if s == m.far {
			author = s.maker.Authors[0].ID // somebody else
		}
		return request{path: "/v1/log?author=" + author.String()}
	}},
	"diff": {make: func(_ *matrix, s *side, _ *asker) request {
		return request{path: fmt.Sprintf("/v1/rounds/%s/diff/%s?area=%s", s.rounds[0], s.rounds[1], s.town)}
	}},
	"rounds": {make: within("/v1/areas/%s/rounds")},
	"round": {make: func(_ *matrix, s *side, _ *asker) request {
		return request{path: fmt.Sprintf("/v1/areas/%s/rounds/%s", s.town, s.rounds[0])}
	}},
	"roundHouseholds": {make: func(_ *matrix, s *side, _ *asker) request {
		return request{path: fmt.Sprintf("/v1/areas/%s/rounds/%s/households", s.town, s.rounds[0])}
	}},
	"roundTurns": {make: func(_ *matrix, s *side, _ *asker) request {
		return request{path: fmt.Sprintf("/v1/areas/%s/rounds/%s/turns/%s", s.town, s.rounds[0], s.rounds[1])}
	}},
	"duties":  {make: within("/v1/areas/%s/duties?day=2020-01-31")},
	"notices": {make: within("/v1/areas/%s/notices")},
	"receipts": {allowed: notThere, make: func(_ *matrix, s *side, _ *asker) request {
		return request{path: fmt.Sprintf("/v1/notices/00000000-0000-7000-8000-000000000001/receipts?area=%s", s.town)}
	}},
	"supplies": {make: within("/v1/areas/%s/supplies?day=2020-01-31")},
	"import": {make: func(_ *matrix, s *side, _ *asker) request {
		return request{fmt.Sprintf("/v1/areas/%s/import?kind=person", s.town), "姓名\n甲\n"}
	}},
	"sendList": {make: func(_ *matrix, s *side, _ *asker) request {
		return request{fmt.Sprintf("/v1/areas/%s/lists?name=x", s.town), "姓名\n甲\n"}
	}},
	"lists":    {make: fixed("/v1/lists", ""), anywhere: true},
	"list":     {make: fixed("/v1/lists/00000000-0000-7000-8000-000000000001", ""), allowed: notThere, denied: notThere},
	"listRows": {make: fixed("/v1/lists/00000000-0000-7000-8000-000000000001/rows", ""), allowed: notThere, denied: notThere},
	"watch":    {make: fixed("/v1/watch", ""), anywhere: true},
	"sync": {anywhere: true, make: func(_ *matrix, _ *side, a *asker) request {
		id := syncproto.DeviceID{}
		if a.phone != nil {
			id = a.phone.ID
		}
		return request{"/v1/sync", fmt.Sprintf(`{"protocol":%d,"device":%q,"clock":%d,"high":0,"unsent":0}`, syncproto.Protocol, id, time.Now().UnixMilli())}
	}},

	"invite": {make: func(_ *matrix, s *side, _ *asker) request {
		return request{"/v1/invites", fmt.Sprintf(`{"area":%q,"role":"volunteer"}`, s.grid)}
	}},
	"withdrawInvite": {denied: []int{http.StatusForbidden, http.StatusNotFound}, make: func(m *matrix, s *side, _ *asker) request {
		var made struct {
			ID syncproto.RecordID `json:"id"`
		}
		r := m.ask(http.MethodPost, request{"/v1/invites", fmt.Sprintf(`{"area":%q,"role":"volunteer"}`, s.grid)}, &s.maker.Enrolled)
		if err := json.Unmarshal([]byte(r.body), &made); err != nil || r.status != http.StatusOK {
			m.Fatal(r.status, r.body)
		}
		return request{path: "/v1/invites/" + made.ID.String() + "/withdraw", body: "{}"}
	}},
	"settleEnrolments": {anywhere: true, make: fixed("/v1/enrolments", `{"ids":["00000000-0000-7000-8000-000000000001"],"state":"active"}`)},
	"grant": {make: func(_ *matrix, s *side, _ *asker) request {
		return request{"/v1/grants", fmt.Sprintf(`{"author":%q,"area":%q,"role":"volunteer"}`, s.target.Authors[0].ID, s.town)}
	}},
	"endGrant": {allowed: []int{http.StatusOK, http.StatusNotFound}, make: func(_ *matrix, s *side, _ *asker) request {
		return request{"/v1/grants/end", fmt.Sprintf(`{"author":%q,"area":%q,"role":"volunteer"}`, s.target.Authors[0].ID, s.town)}
	}},
	"handOver": {make: func(_ *matrix, s *side, _ *asker) request {
		return request{"/v1/handover", fmt.Sprintf(`{"from":%q,"to":%q,"area":%q,"dry_run":true}`, s.target.Authors[0].ID, s.maker.Authors[0].ID, s.grid)}
	}},
	"setDevice": {denied: []int{http.StatusForbidden, http.StatusNotFound}, make: func(_ *matrix, s *side, _ *asker) request {
		return request{"/v1/devices/" + s.target.ID.String() + "/status", `{"status":"retired"}`}
	}},

	"whoAmI":         {desk: true, make: fixed("/v1/session", "")},
	"signOut":        {desk: true, make: fixed("/v1/session", "")},
	"sessions":       {desk: true, make: fixed("/v1/sessions", "")},
	"endSession":     {desk: true, make: fixed("/v1/sessions/end", `{"all":true}`)},
	"changePassword": {desk: true, make: fixed("/v1/account/password", `{}`)},
	"makeLink":       {desk: true, make: fixed("/v1/accounts", `{}`)},

	"settings": {make: within("/v1/areas/%s/settings?day=2020-01-31")},
	"set": {make: func(_ *matrix, s *side, _ *asker) request {
		return request{fmt.Sprintf("/v1/areas/%s/settings", s.town), `{"changes":[{"name":"closing_hour","from":"2020-01-31","value":"17:30"}]}`}
	}},
	// What holds everywhere is said where there is nothing above, which is neither town.
	"forms":             {anywhere: true, make: fixed("/v1/forms", "")},
	"form":              {anywhere: true, make: fixed("/v1/forms/visit?version=1", "")},
	"formDraft":         {may: nobody, make: fixed("/v1/forms/visit/draft", "")},
	"formPutDraft":      {may: nobody, make: fixed("/v1/forms/visit/draft", "{}")},
	"formDropDraft":     {may: nobody, make: fixed("/v1/forms/visit/draft", "")},
	"formPublish":       {may: nobody, make: fixed("/v1/forms/visit/publish", "")},
	"importForm":        {may: nobody, make: fixed("/v1/forms/import", "PK")},
	"templates":         {anywhere: true, make: fixed("/v1/templates", "")},
	"template":          {anywhere: true, make: fixed("/v1/templates/seven_musts", ""), allowed: []int{http.StatusOK, http.StatusNotFound}},
	"templateDraft":     {may: nobody, make: fixed("/v1/templates/seven_musts/draft", "")},
	"templatePutDraft":  {may: nobody, make: fixed("/v1/templates/seven_musts/draft", "{}")},
	"templateDropDraft": {may: nobody, make: fixed("/v1/templates/seven_musts/draft", "")},
	"templatePublish":   {may: nobody, make: fixed("/v1/templates/seven_musts/publish", "")},

	"formSchema":     {open: true, make: fixed("/v1/forms/schema", "")},
	"templateSchema": {open: true, make: fixed("/v1/templates/schema", "")},

	"lookAtInvite": {open: true, make: fixed("/v1/enrol/look", `{"code":"x"}`)},
	"enrol":        {open: true, make: fixed("/v1/enrol", `{}`)},
	"token":        {open: true, make: fixed("/v1/token", `{}`)},
	"signIn":       {open: true, make: fixed("/v1/session", `{}`)},
	"useLink":      {open: true, make: fixed("/v1/account", `{}`)},
	"openapi":      {open: true, make: fixed("/v1/openapi.json", "")},
	"undertaking":  {open: true, make: fixed("/v1/undertaking", "")},
	"healthz":      {open: true, make: fixed("/healthz", "")},
	"readyz":       {open: true, make: fixed("/readyz", "")},
	"metrics":      {open: true, make: fixed("/metrics", "")},
	"page":         {open: true, make: fixed("/", "")},
	"pageFile":     {open: true, make: fixed("/page/app.js", "")},
}

func (a *asker) author() syncproto.AuthorID {
	if a.phone == nil {
		return syncproto.AuthorID{1}
	}
	return a.phone.Authors[0].ID
}

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	m := &matrix{T: t, Server: start(t, t.TempDir())}
	if _, problems, err := m.ImportAreas(t.Context(), strings.NewReader(matrixAreas)); err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	m.near = &side{
		town: "t1", grid: "g1", person: 0x11, household: 0x12, visit: 0x13,
		name: "王小芳", address: "幸福里12号", idNumber: "999702199901011233", mobile: "10012345678", another: "10012340000",
	}
	m.far = &side{
		town: "t2", grid: "g2", person: 0x21, household: 0x22, visit: 0x23,
		name: "李大明", address: "和平巷9号", idNumber: "999702199901011241", mobile: "10087654321", another: "10087650000",
	}
	for i, s := range []*side{m.near, m.far} {
		m.fill(s, byte(0x30+16*i))
	}
	for _, role := range identity.Roles {
		e := newPhone(t, m.Server, role, "t1").Enrolled
		m.askers = append(m.askers, asker{name: string(role), role: role, phone: &e})
	}
	lost, gone := newPhone(t, m.Server, identity.Secretary, "t1").Enrolled, newPhone(t, m.Server, identity.Secretary, "t1").Enrolled
	lost.Device.Standing = identity.Standing{Status: identity.Lost, Since: 1}
	over := identity.Grant{Author: gone.Authors[0].ID, Area: "t1", Role: identity.Secretary}
	for _, g := range m.registry.Current().People.Grants(over.Author) {
		over.From, over.To = g.From, g.From+1
	}
	if err := m.store.AddIdentities(t.Context(), identity.Everyone{Devices: []identity.Device{lost.Device}, Grants: []identity.Grant{over}}); err != nil {
		t.Fatal(err)
	}
	if err := m.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, a := range slices.Clone(m.askers) {
		a.name, a.desk = a.name+" at a desk", true
		m.askers = append(m.askers, a)
	}
	m.askers = append(m.askers, asker{name: "nobody"}, asker{name: "lost phone", phone: &lost, lost: true}, asker{name: "ended grant", phone: &gone})
	return m
}

// fill has people of a town say what there is to see.
func (m *matrix) fill(s *side, rounds byte) {
	m.Helper()
	s.maker = newPhone(m.T, m.Server, identity.Secretary, s.town)
	other := newPhone(m.T, m.Server, identity.Secretary, s.town)
	s.target = newPhone(m.T, m.Server, identity.Volunteer, s.grid).Enrolled
	day := `"found_on":"2020-01-31"`
	for i := range s.rounds {
		s.rounds[i] = syncproto.RecordID{rounds + byte(i)}
		s.maker.tells("round", rounds+byte(i), s.grid, fmt.Sprintf(`{"name":"第%d轮","number":%d,"starts":"2020-01-31"}`, i+1, i+1))
	}
	s.maker.tells("household", s.household, s.grid, fmt.Sprintf(`{"address":%q,"head":%q,%s}`, s.address, s.name, day))
	s.maker.tells("person", s.person, s.grid, fmt.Sprintf(`{"name":%q,"id_number":%q,"mobile":%q,"household":%q,%s}`,
		s.name, s.idNumber, s.mobile, syncproto.RecordID{s.household}, day))
	s.maker.tells("visit", s.visit, s.grid, fmt.Sprintf(`{"round":%q,"household":%q,"outcome":"met","found":[%q],"visited_at":1580443200000}`,
		s.rounds[1], syncproto.RecordID{s.household}, syncproto.RecordID{s.person}))
	other.tells("person", s.person, s.grid, fmt.Sprintf(`{"mobile":%q}`, s.another))
	var page struct {
		Items []struct {
			ID   syncproto.RecordID `json:"id"`
			Kind string             `json:"kind"`
		} `json:"items"`
	}
	r := m.ask(http.MethodGet, request{path: fmt.Sprintf("/v1/areas/%s/review?kind=conflict", s.town)}, &s.maker.Enrolled)
	if err := json.Unmarshal([]byte(r.body), &page); err != nil || len(page.Items) != 1 {
		m.Fatal(r.status, r.body)
	}
	s.question = page.Items[0].ID
}

// tells pushes what the phone's author says of a new record of any kind.
func (p *phone) tells(kind string, record byte, area syncproto.AreaID, fields string) {
	p.Helper()
	p.n++
	p.sync(json.RawMessage(fmt.Sprintf(
		`{"id":%q,"n":%d,"author":%q,"kind":%q,"record":%q,"area":%q,"base":0,"fields":%s,"at":%d,"form":1}`,
		syncproto.ChangeID{p.ID[15], p.ID[14], p.ID[13], byte(p.n), 4}, p.n, p.Authors[0].ID, kind, syncproto.RecordID{record}, area, fields, time.Now().UnixMilli(),
	)))
	if v := p.answer.Verdicts[0]; !v.Verdict.Held() || v.Verdict == syncproto.Parked {
		p.Fatalf("%s: %+v", kind, v)
	}
}

// heard is an answer with everything in it.
type heard struct {
	status     int
	body, head string
}

// hear asks as somebody does, by their phone or at a desk: signed in anew each time, as
// some of what is asked ends it.
func (m *matrix) hear(method string, r request, a *asker) heard {
	m.Helper()
	if !a.desk {
		return m.ask(method, r, a.phone)
	}
	var random [32]byte
	m.signed++
	binary.BigEndian.PutUint64(random[:], m.signed)
	now := syncproto.Instant(time.Now().UnixMilli())
	session := console.Session{ID: sha256.Sum256(random[:]), Author: a.author(), Made: now, Seen: now, Expires: now + 3_600_000}
	if err := m.store.Console(m.Context(), func(tx console.Tx) error { return tx.AddSession(&session) }); err != nil {
		m.Fatal(err)
	}
	req := httptest.NewRequestWithContext(m.Context(), method, r.path, strings.NewReader(r.body))
	req.Header.Set(api.PageHeader, "1")
	req.AddCookie(&http.Cookie{Name: api.SessionCookie, Value: base64.RawURLEncoding.EncodeToString(random[:])})
	return m.do(req)
}

func (m *matrix) ask(method string, r request, e *Enrolled) heard {
	m.Helper()
	req := httptest.NewRequestWithContext(m.Context(), method, r.path, strings.NewReader(r.body))
	if e != nil {
		req.Header.Set("Authorization", "Bearer "+e.Token)
	}
	return m.do(req)
}

func (m *matrix) do(req *http.Request) heard {
	m.Helper()
	res, err := m.API().Test(req)
	if err != nil {
		m.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		m.Fatal(err)
	}
	return heard{res.StatusCode, string(body), fmt.Sprint(res.Header)}
}

// operation is a line of the table of routes as the document shows it.
type operation struct {
	method, path, id string
	right            identity.Right
}

func (m *matrix) operations() []operation {
	m.Helper()
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string         `json:"operationId"`
			Right       identity.Right `json:"x-right"`
		} `json:"paths"`
	}
	if err := json.Unmarshal([]byte(m.ask(http.MethodGet, request{path: "/v1/openapi.json"}, nil).body), &document); err != nil {
		m.Fatal(err)
	}
	var all []operation
	for path, methods := range document.Paths {
		for method, op := range methods {
			all = append(all, operation{strings.ToUpper(method), path, op.OperationID, op.Right})
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.id, b.id) })
	return all
}

// want is which statuses an asker may get.
func (r *rule) want(op operation, a *asker, near bool) []int {
	may := r.may
	if may == nil {
		may = func(role identity.Role) bool { return role.May(op.right) }
	}
	allowed, denied := r.allowed, r.denied
	if allowed == nil {
		allowed = []int{http.StatusOK}
	}
	if denied == nil {
		denied = []int{http.StatusForbidden}
	}
	switch {
	case r.desk && a.desk: // what the console answers is tested there
		return []int{http.StatusOK, http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusUnauthorized}
	case r.desk, a.phone == nil, a.desk && op.id == "sync":
		return []int{http.StatusUnauthorized}
	case a.lost && op.id != "sync":
		return []int{http.StatusForbidden}
	case r.anywhere, near && may(a.role):
		return allowed
	}
	return denied
}

// leaks lists what of a record an answer tells that its reader isn't to see.
func (m *matrix) leaks(op operation, a *asker, s *side, h heard) []string {
	var eyes identity.Eyes
	if a.phone != nil && !a.lost {
		snap := m.registry.Current()
		eyes = snap.People.Eyes(snap.Areas, a.phone.Device.Authors, s.grid, syncproto.Instant(time.Now().UnixMilli()))
	}
	var hidden []string
	if !eyes.Open || eyes.Personal != identity.Clear {
		hidden = append(hidden, s.name, s.address)
	}
	if !eyes.Open || eyes.Secret != identity.Clear {
		hidden = append(hidden, s.idNumber)
		if op.id != "question" || s != m.near || !a.role.May(identity.Decide) { // whoever decides sees what is asked about
			hidden = append(hidden, s.mobile, s.another)
		}
	}
	return slices.DeleteFunc(hidden, func(text string) bool { return !strings.Contains(h.body, text) && !strings.Contains(h.head, text) })
}

func TestEveryRouteAnswersEverybodyAsTheTableOfPowersSays(t *testing.T) {
	m := newMatrix(t)
	for _, op := range m.operations() {
		r, known := rules[op.id]
		if !known {
			t.Errorf("%s %s (%s): nobody has said who may use it: add a rule", op.method, op.path, op.id)
			continue
		}
		for i := range m.askers {
			a := &m.askers[i]
			for _, s := range []*side{m.near, m.far} {
				h := m.hear(op.method, r.make(m, s, a), a)
				if want := r.want(op, a, s == m.near); !r.open && !slices.Contains(want, h.status) {
					t.Errorf("%s for %s about %s: %d, want %v: %.200s", op.id, a.name, s.town, h.status, want, h.body)
				}
				for _, of := range []*side{m.near, m.far} {
					for _, told := range m.leaks(op, a, of, h) {
						t.Errorf("%s for %s about %s tells %s of %s: %.600s", op.id, a.name, s.town, told, of.town, h.body)
					}
				}
			}
		}
	}
	for id, r := range rules {
		if !r.open && !slices.ContainsFunc(m.operations(), func(op operation) bool { return op.id == id }) {
			t.Errorf("there is no route %s any more", id)
		}
	}
}

func TestWhoeverMaySeeSees(t *testing.T) {
	m := newMatrix(t)
	for _, c := range []struct {
		role  identity.Role
		sees  []string
		masks bool
	}{
		{identity.Secretary, []string{"王小芳", "999702199901011233", "10012345678"}, false},
		{identity.Volunteer, []string{"王小芳", "9997**********1233", "100****5678"}, true},
		{identity.Township, []string{"王小芳", "9997**********1233", "100****5678"}, true},
		{identity.County, []string{"王*芳", "9997**********1233", "幸***"}, true},
	} {
		a := m.askers[slices.IndexFunc(m.askers, func(a asker) bool { return a.role == c.role })]
		h := m.ask(http.MethodGet, request{path: "/v1/areas/t1/roster"}, a.phone)
		for _, text := range c.sees {
			if !strings.Contains(h.body, text) {
				t.Errorf("%s doesn't see %s: %s", c.role, text, h.body)
			}
		}
		if masked := strings.Contains(h.body, `"masked"`); masked != c.masks {
			t.Errorf("%s: masked %v", c.role, masked)
		}
	}
	township := m.askers[slices.IndexFunc(m.askers, func(a asker) bool { return a.role == identity.Township })]
	h := m.ask(http.MethodGet, request{path: "/v1/review/" + m.near.question.String()}, township.phone)
	if !strings.Contains(h.body, m.near.mobile) || !strings.Contains(h.body, m.near.another) || strings.Contains(h.body, m.near.idNumber) {
		t.Errorf("what is to be decided: %s", h.body)
	}
}

func TestWhoSawARecordIsKnown(t *testing.T) {
	m := newMatrix(t)
	by := func(role identity.Role) *Enrolled {
		return m.askers[slices.IndexFunc(m.askers, func(a asker) bool { return a.role == role })].phone
	}
	m.ask(http.MethodGet, request{path: "/v1/areas/t1/roster"}, by(identity.County))
	m.ask(http.MethodGet, request{path: "/v1/areas/t1/roster.csv?kind=person"}, by(identity.Township))
	path := "/v1/records/" + syncproto.RecordID{m.near.person}.String() + "/seen"
	h := m.ask(http.MethodGet, request{path: path}, by(identity.Auditor))
	var seen audit.Seen
	if err := json.Unmarshal([]byte(h.body), &seen); err != nil || h.status != http.StatusOK {
		t.Fatal(h)
	}
	var got []string
	for _, l := range seen.Lines {
		got = append(got, fmt.Sprintf("%s %s %s %s", l.Act, l.Role, l.Area, l.Detail))
	}
	want := []string{"asked_who auditor g1 ", "exported township t1 person 1", "looked county t1 roster"}
	if len(got) < 3 || !slices.Equal(got[:3], want) {
		t.Errorf("%q", got)
	}
	phones := fmt.Sprint(seen.Phones)
	if !strings.Contains(phones, by(identity.Volunteer).ID.String()) || strings.Contains(phones, by(identity.Administrator).ID.String()) {
		t.Errorf("phones %v", phones)
	}
	for _, hidden := range []string{m.near.name, m.near.mobile, m.near.idNumber} {
		if strings.Contains(h.body, hidden) {
			t.Errorf("it tells %s", hidden)
		}
	}
	far := "/v1/records/" + syncproto.RecordID{m.far.person}.String() + "/seen"
	nowhere := "/v1/records/" + syncproto.RecordID{0xEE}.String() + "/seen"
	one, other := m.ask(http.MethodGet, request{path: far}, by(identity.Auditor)), m.ask(http.MethodGet, request{path: nowhere}, by(identity.Auditor))
	if one.status != http.StatusNotFound || one.body != other.body {
		t.Errorf("a record elsewhere and one that isn't there: %s and %s", one.body, other.body)
	}
}

func TestAFileIsMarkedAndMasked(t *testing.T) {
	m := newMatrix(t)
	county := m.askers[slices.IndexFunc(m.askers, func(a asker) bool { return a.role == identity.County })]
	h := m.ask(http.MethodGet, request{path: "/v1/areas/t1/roster.csv?kind=person"}, county.phone)
	lines := strings.Split(strings.TrimSpace(strings.TrimPrefix(h.body, "\ufeff")), "\r\n")
	if h.status != http.StatusOK || len(lines) != 4 || !strings.HasPrefix(h.body, "\ufeff") {
		t.Fatal(h.status, h.body)
	}
	who := county.author().String()
	if !strings.Contains(lines[0], who) || !strings.Contains(lines[3], who) || !strings.Contains(lines[3], "1 行") || !strings.Contains(lines[1], "身份证号") {
		t.Errorf("%q", lines)
	}
	if !strings.Contains(lines[2], "王*芳") || !strings.Contains(lines[2], "9997**********1233") || !strings.Contains(h.head, "X-Gridsync-Mark") {
		t.Errorf("%q %s", lines[2], h.head)
	}
	for _, bad := range []string{"", "?kind=rumour", "?kind=person&lang=fr"} {
		if h := m.ask(http.MethodGet, request{path: "/v1/areas/t1/roster.csv" + bad}, county.phone); h.status != http.StatusBadRequest {
			t.Errorf("%q: %d", bad, h.status)
		}
	}
}
