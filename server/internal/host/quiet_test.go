package host

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"gridsync/server/internal/api"
	"gridsync/server/internal/console"
	"gridsync/syncproto"
)

// What is planted, and must turn up in no log, no metric and no error. The ID number has an
// area code that there is not.
const (
	plantedName     = "密守珍"
	plantedID       = "999702199001011238"
	plantedMobile   = "10098761234"
	plantedAddress  = "静默路七十七号"
	plantedNote     = "咳嗽不愿声张"
	plantedPassword = "correct-horse-battery-staple"
)

// control is what would break a log's lines, or paint a terminal.
const control = "\x1b[31m\u2028\u0085"

// quiet is a siege with something to keep to oneself.
type quiet struct {
	*siege
	person syncproto.RecordID
	cookie string
	// planted is all that must stay where it is, by what it is.
	planted map[string]string
	// errors are the answers that turned something away.
	errors strings.Builder
	asked  int
}

func newQuiet(t *testing.T) *quiet {
	t.Helper()
	q := &quiet{siege: newSiege(t), person: syncproto.RecordID{7, 1}}
	q.planted = map[string]string{
		"name": plantedName, "ID number": plantedID, "mobile": plantedMobile, "address": plantedAddress, "note": plantedNote,
		"password": plantedPassword, "phone's token": q.ours.Token, "secretary's token": q.secretary.Token,
	}
	fields := fmt.Sprintf(`{"name":%q,"id_number":%q,"mobile":%q,"contact_history":%q,"found_on":"2020-01-31"}`,
		plantedName, plantedID, plantedMobile, plantedNote)
	if q.says(t, 1, "person", q.person, fields); !strings.Contains(q.errors.String(), "applied") {
		t.Fatal(q.errors.String())
	}
	q.says(t, 2, "household", syncproto.RecordID{8, 1}, fmt.Sprintf(`{"address":%q,"found_on":"2020-01-31"}`, plantedAddress))
	q.says(t, 3, "person", syncproto.RecordID{9, 1}, strings.Replace(fields, plantedID, plantedNote, 1)) // fails its form
	q.says(t, 2, "person", q.person, fields)                                                             // a number that is used
	q.letsIn(t)
	q.signsIn(t)
	return q
}

// says lets the secretary's phone say something; verdicts count as errors do.
func (q *quiet) says(t *testing.T, n uint64, kind string, record syncproto.RecordID, fields string) {
	t.Helper()
	change := fmt.Sprintf(`{"id":%q,"n":%d,"author":%q,"kind":%q,"record":%q,"area":"g1","base":0,"fields":%s,"at":%d,"form":1}`,
		syncproto.ChangeID{byte(n), 7}, n, q.secretary.Authors[0].ID, kind, record, fields, time.Now().UnixMilli())
	status, answer := exchangeWith(t, q.Server, &q.secretary, json.RawMessage(change))
	if status != http.StatusOK {
		t.Fatalf("%d", status)
	}
	fmt.Fprintln(&q.errors, syncproto.ValueOf(answer.Verdicts))
}

// letsIn lets a phone in, and plants what it was given.
func (q *quiet) letsIn(t *testing.T) {
	t.Helper()
	var invite api.NewInvite
	q.ask(t, "/v1/invites", q.secretary.Token, map[string]any{"area": "g1", "role": "volunteer", "uses": 2}, &invite)
	guest := newComer("guest")
	e := guest.enrolling(invite.Code)
	e.Name = plantedName
	e.Phone, e.App = plantedNote, control
	var enrolled syncproto.Enrolled
	q.ask(t, "/v1/enrol", "", e, &enrolled)
	q.planted["invitation"], q.planted["access token"], q.planted["refresh token"] = invite.Code, enrolled.Access, enrolled.Refresh
}

// signsIn signs an administrator in.
func (q *quiet) signsIn(t *testing.T) {
	t.Helper()
	welcome, err := q.Begin(t.Context(), console.First{Name: plantedName, Login: "plantedlogin"})
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := &office{Server: q.Server, t: t}
	o.at.Store(time.Now().Add(-30 * time.Second).UnixNano())
	o.welcome(welcome.Token, plantedPassword)
	if code := o.ask(http.MethodPost, "/v1/session", console.Credentials{Login: "plantedlogin", Password: plantedPassword, TOTP: o.code()}, nil); code != "" {
		t.Fatal(code)
	}
	q.cookie, q.planted["link"], q.planted["login"], q.planted["cookie"] = o.cookie, welcome.Token, "plantedlogin", o.cookie
}

// try sends a request, and keeps the answer if it turns it away.
func (q *quiet) try(t *testing.T, request string) {
	t.Helper()
	r := q.raw(t, request)
	q.asked++
	if r.status >= http.StatusBadRequest {
		fmt.Fprintf(&q.errors, "%d %v %s\n", r.status, r.header, r.body)
	}
}

// callers are the headers of everybody who may ask, and of some who may not.
func (q *quiet) callers() [][]string {
	var all [][]string
	for _, authorization := range []string{"", q.ours.Token, q.secretary.Token, q.lost.Token, plantedNote} {
		all = append(all, []string{"Authorization: Bearer " + authorization})
	}
	return append(all,
		[]string{"Cookie: gridsync=" + q.cookie, api.PageHeader + ": 1"}, []string{"Cookie: gridsync=" + q.cookie},
		[]string{"Cookie: gridsync=" + plantedNote, api.PageHeader + ": 1", "User-Agent: " + plantedName + "\x1b[31m", "X-Forwarded-For: " + plantedMobile},
	)
}

// bodies are requests' bodies with all that is planted, as texts and as what no member is.
func (q *quiet) bodies() []string {
	members, wrong := map[string]any{}, map[string]any{}
	for i, name := range []string{"code", "login", "password", "totp", "token", "refresh", "name", "label", "reason", "id", "area", "role", "note", "old"} {
		values := []string{plantedName, plantedPassword, plantedMobile, plantedNote + control, q.planted["invitation"], q.planted["refresh token"]}
		members[name] = values[i%len(values)]
		wrong[name] = []any{values[i%len(values)]}
	}
	author := map[string]any{"author": q.secretary.Authors[0].ID, "device": q.ours.ID, "orders": []any{map[string]any{"item": q.person, "act": plantedNote, "note": plantedNote}}}
	return []string{
		string(syncproto.ValueOf(members)), string(syncproto.ValueOf(wrong)), string(syncproto.ValueOf(author)),
		plantedNote, `{"` + plantedNote + `":"` + plantedID,
	}
}

// everything asks every route that the server describes, as everybody, for what is there and
// for what is not.
func (q *quiet) everything(t *testing.T) {
	t.Helper()
	var described struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(q.raw(t, get("/v1/openapi.json", "")).body, &described); err != nil || len(described.Paths) < 10 {
		t.Fatalf("%d paths, %v", len(described.Paths), err)
	}
	query := url.Values{}
	for _, name := range []string{"kind", "after", "assignee", "author", "before", "day", "limit", "size", "state", "lang", "who", "record", "seconds"} {
		query.Set(name, plantedNote+control)
	}
	for path, methods := range described.Paths {
		if path == "/v1/session" {
			delete(methods, "delete") // which would end the session
		}
		for _, id := range []string{"g1", q.person.String(), url.PathEscape(plantedName + control)} {
			at := fill(path, id)
			for method := range methods {
				for _, headers := range q.callers() {
					q.askAll(t, strings.ToUpper(method), at, query.Encode(), headers)
				}
			}
			if at == path {
				break
			}
		}
	}
}

// fill writes an id for each parameter of a path.
func fill(path, id string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			parts[i] = id
		}
	}
	return strings.Join(parts, "/")
}

func (q *quiet) askAll(t *testing.T, method, path, query string, headers []string) {
	t.Helper()
	if method == http.MethodGet {
		plain := path
		if strings.HasSuffix(path, "/live") {
			plain += "?seconds=0" // a stream would be read until it ends
		}
		q.try(t, get(plain, "", headers...))
		q.try(t, get(path+"?"+query, "", headers...))
		return
	}
	for _, body := range q.bodies() {
		q.try(t, strings.Replace(post(path, "", body, headers...), "POST", method, 1))
	}
}

func TestNothingOfAnybodyIsInLogsMetricsOrErrors(t *testing.T) {
	q := newQuiet(t)
	q.everything(t)
	for _, a := range q.abuses(t) {
		q.try(t, a.request)
	}
	if r := q.raw(t, get("/v1/session", "", "Cookie: gridsync="+q.cookie)); r.status != http.StatusOK {
		t.Fatalf("nobody was signed in: %d %s", r.status, r.body)
	}
	metrics := string(q.raw(t, get("/metrics", "")).body)
	// The store goes away under it all: what goes wrong inside says no more than the rest.
	if err := q.store.Close(); err != nil {
		t.Fatal(err)
	}
	q.broken = true
	q.everything(t)
	q.try(t, post("/v1/sync", q.secretary.Token, push(q.secretary.ID, `,"changes":[`+string(visit(&q.secretary, 9, "g1"))+`]`)))

	log := q.log.String()
	if q.asked < 1000 || !strings.Contains(log, "route=sync") || !strings.Contains(log, `level=ERROR msg="request failed"`) {
		t.Fatalf("%d requests, and a log of %d bytes: too little was tried", q.asked, len(log))
	}
	t.Logf("%d requests; a log of %d bytes, errors of %d", q.asked, len(log), q.errors.Len())
	for where, text := range map[string]string{"the log": log, "the metrics": metrics, "an error": q.errors.String()} {
		for what, planted := range q.planted {
			for _, form := range forms(planted) {
				if at := strings.Index(text, form); at >= 0 {
					t.Errorf("%s holds the %s: …%s…", where, what, text[max(0, at-200):min(len(text), at+len(form)+100)])
				}
			}
		}
	}
	q.oneLineEach(t)
}

// forms are the ways in which a text may be written.
func forms(text string) []string {
	list := []string{text, url.QueryEscape(text), url.PathEscape(text), strings.Trim(fmt.Sprintf("%+q", text), `"`)}
	slices.Sort(list)
	return slices.Compact(list)
}
