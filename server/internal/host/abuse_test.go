package host

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"gridsync/syncproto"
)

// abuse is one thing that somebody tries.
type abuse struct {
	request string
	status  int
	code    syncproto.Code
	field   string
}

// squeezed is text as gzip.
func squeezed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// abuses are all that is tried and must come to nothing.
func (s *siege) abuses(t *testing.T) map[string]abuse {
	t.Helper()
	all := make(map[string]abuse)
	for _, list := range []map[string]abuse{s.withTokens(), s.withOthersThings(), s.withPaths(), s.withBodies(t), s.withFraming()} {
		for name, a := range list {
			if _, twice := all[name]; twice {
				t.Fatalf("two are called %q", name)
			}
			all[name] = a
		}
	}
	return all
}

// withTokens: whoever has no good token gets neither in nor a word of what is wrong with it.
func (s *siege) withTokens() map[string]abuse {
	list := map[string]abuse{
		"no token":                           {get("/v1/areas", ""), 401, syncproto.CodeNoToken, ""},
		"another scheme":                     {get("/v1/areas", "", "Authorization: Basic YTpi"), 401, syncproto.CodeNoToken, ""},
		"reading with a lost phone":          {get("/v1/areas", s.lost.Token), 403, syncproto.CodeDeviceRevoked, ""},
		"a token in the query":               {get("/v1/areas?token="+s.ours.Token, ""), 401, syncproto.CodeNoToken, ""},
		"another site's form":                {post("/v1/review", "", `{}`, "Cookie: gridsync=x", "Origin: https://evil.example"), 403, syncproto.CodeCrossSite, ""},
		"another site's form without cookie": {post("/v1/review", "", `{}`, "Origin: https://evil.example"), 401, syncproto.CodeNoToken, ""},
		"another site signs somebody in":     {post("/v1/session", "", `{"login":"a","password":"b"}`), 403, syncproto.CodeCrossSite, ""},
		"a guessed cookie":                   {get("/v1/areas", "", "Cookie: gridsync=AAAA"), 401, syncproto.CodeNoToken, ""},
		"a phone's token at a desk":          {get("/v1/session", s.secretary.Token), 401, syncproto.CodeNoToken, ""},
	}
	for name, c := range s.tokens(&s.ours) {
		list["reading with a token "+name] = abuse{get("/v1/areas", c.token), 401, c.code, c.field}
		list["pushing with a token "+name] = abuse{post("/v1/sync", c.token, push(s.ours.ID, "")), 401, c.code, c.field}
	}
	return list
}

// withOthersThings: what is somebody else's looks as if it weren't there.
func (s *siege) withOthersThings() map[string]abuse {
	token, secretary := s.ours.Token, s.secretary.Token
	item, author := syncproto.RecordID{7}.String(), s.theirs.Authors[0].ID.String()
	order := `{"author":"` + author + `","orders":[{"item":"` + item + `","act":"accept"}]}`
	return map[string]abuse{
		"a sync in another phone's name":       {post("/v1/sync", token, push(s.theirs.ID, "")), 401, syncproto.CodeBadToken, "device"},
		"a sync in nobody's name":              {post("/v1/sync", token, push(syncproto.DeviceID{}, "")), 401, syncproto.CodeBadToken, "device"},
		"two names, one of them another's":     {post("/v1/sync", token, push(s.ours.ID, `,"device":"`+s.theirs.ID.String()+`"`)), 401, syncproto.CodeBadToken, "device"},
		"another grid's totals":                {get("/v1/areas/g2/summary", token), 403, syncproto.CodeForbidden, "area"},
		"another grid's roster":                {get("/v1/areas/g2/roster", secretary), 403, syncproto.CodeForbidden, "area"},
		"the county's roster":                  {get("/v1/areas/3307/roster", secretary), 403, syncproto.CodeForbidden, "area"},
		"a grid that there is not":             {get("/v1/areas/g7/roster", secretary), 403, syncproto.CodeForbidden, "area"},
		"another grid's questions":             {get("/v1/areas/g2/review", secretary), 403, syncproto.CodeForbidden, "area"},
		"another grid's visits":                {get("/v1/areas/g2/revisits", secretary), 403, syncproto.CodeForbidden, "area"},
		"another grid's household":             {get("/v1/records/"+s.household.String()+"/history", secretary), 404, syncproto.CodeNotFound, "record"},
		"a household that there is not":        {get("/v1/records/"+item+"/history", secretary), 404, syncproto.CodeNotFound, "record"},
		"a question that there is not":         {get("/v1/review/"+item, secretary), 404, syncproto.CodeNotFound, "item"},
		"what somebody else has said":          {get("/v1/log?author="+author, secretary), 403, syncproto.CodeForbidden, "author"},
		"rounds of another grid":               {get("/v1/rounds/"+item+"/diff/"+item+"?area=g2", secretary), 403, syncproto.CodeForbidden, "area"},
		"a decision in somebody else's name":   {post("/v1/review", secretary, order), 403, syncproto.CodeForbidden, "author"},
		"invitations with a volunteer's phone": {get("/v1/areas/g1/invites", token), 403, syncproto.CodeForbidden, "area"},
		"another grid's invitations":           {get("/v1/areas/g2/invites", secretary), 403, syncproto.CodeForbidden, "area"},
		"another grid's enrolments":            {get("/v1/areas/g2/enrolments", secretary), 403, syncproto.CodeForbidden, "area"},
		"another grid's phones":                {get("/v1/areas/g2/devices", secretary), 403, syncproto.CodeForbidden, "area"},
		"another grid's people":                {get("/v1/areas/g2/people", secretary), 403, syncproto.CodeForbidden, "area"},
	}
}

// withPaths: no way of writing a path leads around the table of routes.
func (s *siege) withPaths() map[string]abuse {
	token := s.ours.Token
	return map[string]abuse{
		"up, escaped":                 {get("/v1/%2e%2e/%2e%2e/keys", token), 404, syncproto.CodeNotFound, ""},
		"up":                          {get("/v1/areas/g1/../../../keys/token-0001.pem", token), 404, syncproto.CodeNotFound, ""},
		"up, from the page":           {get("/app.js/../../../../etc/passwd", ""), 404, syncproto.CodeNotFound, ""},
		"up, escaped slashes":         {get("/..%2f..%2fetc%2fpasswd", ""), 404, syncproto.CodeNotFound, ""},
		"up, backslashes":             {get(`/..\..\etc\passwd`, ""), 404, syncproto.CodeNotFound, ""},
		"a page's file that is none":  {get("/page/keys.pem", ""), 404, syncproto.CodeNotFound, ""},
		"a page's file, up":           {get("/page/..%2f..%2fkeys.pem", ""), 404, syncproto.CodeNotFound, ""},
		"a page's file, then more":    {get("/page/app.js%00.pem", ""), 404, syncproto.CodeNotFound, ""},
		"up into another grid":        {get("/v1/areas/g1/../g2/roster", token), 404, syncproto.CodeNotFound, ""},
		"an area with slashes":        {get("/v1/areas/g1%2f..%2fg2/summary", token), 400, syncproto.CodeBadRequest, "area"},
		"an area escaped twice":       {get("/v1/areas/%2567%31/summary", token), 400, syncproto.CodeBadRequest, "area"},
		"an area with a zero byte":    {get("/v1/areas/g1%00/summary", token), 400, syncproto.CodeBadRequest, "area"},
		"an area that is not UTF-8":   {get("/v1/areas/%ff%fe/summary", token), 400, syncproto.CodeBadRequest, "area"},
		"an area in capitals":         {get("/v1/areas/G1/summary", token), 403, syncproto.CodeForbidden, "area"},
		"a path in capitals":          {get("/V1/areas", token), 404, syncproto.CodeNotFound, ""},
		"a slash at the end":          {get("/v1/areas/g1/summary/", token), 404, syncproto.CodeNotFound, ""},
		"a very long path":            {get("/v1/areas/"+strings.Repeat("g", 3000)+"/summary", token), 400, syncproto.CodeBadRequest, "area"},
		"a path longer than a header": {get("/"+strings.Repeat("g", 8000), token), 400, syncproto.CodeBadRequest, ""},
		"a path of bytes":             {get("/v1/\xff\xfe", token), 404, syncproto.CodeNotFound, ""},
		"a path of no ASCII":          {get("/v1/网格", token), 404, syncproto.CodeNotFound, ""},
		"SQL in a kind":               {get("/v1/areas/g1/roster?kind=x'%20OR%201=1--", token), 400, syncproto.CodeBadRequest, "kind"},
		"a wrong method":              {"DELETE /v1/sync HTTP/1.1\r\nHost: x\r\n\r\n", 405, syncproto.CodeMethod, ""},
		"a method that there is not":  {"STEAL /v1/areas HTTP/1.1\r\nHost: x\r\n\r\n", 405, syncproto.CodeMethod, ""},
	}
}

// withBodies: no body costs more than a body may.
func (s *siege) withBodies(t *testing.T) map[string]abuse {
	t.Helper()
	sync := func(body string, headers ...string) string { return post("/v1/sync", s.ours.Token, body, headers...) }
	zeros := squeezed(t, strings.Repeat("\x00", 1<<20))
	changes := func(list string) string { return push(s.ours.ID, `,"changes":[`+list+`]`) }
	return map[string]abuse{
		"a body too large":              {sync(strings.Repeat(" ", syncproto.MaxBodyBytes+1)), 413, syncproto.CodeBodyTooLarge, ""},
		"a gigabyte of zeros, squeezed": {sync(strings.Repeat(zeros, 1024), "Content-Encoding: gzip"), 413, syncproto.CodeBodyTooLarge, ""},
		"gzip in gzip":                  {sync(squeezed(t, squeezed(t, push(s.ours.ID, ""))), "Content-Encoding: gzip"), 400, syncproto.CodeMalformed, ""},
		"gzip twice, as it says":        {sync(squeezed(t, squeezed(t, push(s.ours.ID, ""))), "Content-Encoding: gzip, gzip"), 415, syncproto.CodeBadEncoding, ""},
		"a coding that there is not":    {sync(push(s.ours.ID, ""), "Content-Encoding: br"), 415, syncproto.CodeBadEncoding, ""},
		"what is not gzip":              {sync(push(s.ours.ID, ""), "Content-Encoding: gzip"), 400, syncproto.CodeMalformed, ""},
		"a hundred thousand brackets":   {sync(strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)), 400, syncproto.CodeMalformed, ""},
		"brackets in a change":          {sync(changes(strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000))), 400, syncproto.CodeMalformed, ""},
		"a million changes":             {sync(changes(strings.Repeat("0,", 1_000_000) + "0")), 413, syncproto.CodeTooManyChanges, "changes"},
		"a clock beyond all numbers":    {sync(strings.Replace(push(s.ours.ID, ""), `"clock":`, `"clock":1e999,"x":`, 1)), 400, syncproto.CodeBadRequest, "clock"},
		"a number of many digits":       {sync(push(s.ours.ID, `,"high":`+strings.Repeat("9", 100_000))), 400, syncproto.CodeBadRequest, "high"},
		"a body that is not UTF-8":      {sync("\xff\xfe{}"), 400, syncproto.CodeMalformed, ""},
		"a protocol to come":            {sync(`{"protocol":99}`), 426, syncproto.CodeUnknownProtocol, "protocol"},
	}
}

// withFraming: no two readings of where a request ends.
func (s *siege) withFraming() map[string]abuse {
	hidden := get("/v1/areas", s.ours.Token)
	return map[string]abuse{
		"two lengths": {
			fmt.Sprintf("POST /v1/sync HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: %d\r\n\r\n%s", len(hidden), hidden), 400, syncproto.CodeBadRequest, "",
		},
		"a length and chunks": {
			"POST /v1/sync HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, 400, syncproto.CodeBadRequest, "",
		},
		"a length below none":   {"POST /v1/sync HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400, syncproto.CodeBadRequest, ""},
		"what is no HTTP":       {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, syncproto.CodeBadRequest, ""},
		"a header of much text": {get("/v1/areas", "", "X-Much: "+strings.Repeat("x", 100_000)), 400, syncproto.CodeBadRequest, ""},
	}
}

func TestNothingThatSomebodyTriesChangesAnything(t *testing.T) {
	s := newSiege(t)
	before := s.standing(t)
	for name, a := range s.abuses(t) {
		t.Run(name, func(t *testing.T) {
			r := s.raw(t, a.request)
			if p := r.problem(); r.status != a.status || p.Code != a.code || p.Field != a.field {
				t.Errorf("got %d %+v, want %d %s %q", r.status, p, a.status, a.code, a.field)
			}
			if r.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("headers %v", r.header)
			}
			if after := s.standing(t); after != before {
				t.Errorf("before %s\nafter  %s", before, after)
			}
		})
	}
	if status, answer := exchangeWith(t, s.Server, &s.ours, visit(&s.ours, 1, "g1")); status != http.StatusOK || answer.Receipt.Held != 1 {
		t.Errorf("afterwards: %d %+v", status, answer)
	}
	s.oneLineEach(t)
}

// oneLineEach holds the log to what a log is: a line for each event, without control bytes.
func (s *siege) oneLineEach(t *testing.T) {
	t.Helper()
	for line := range strings.Lines(s.log.String()) {
		if !strings.HasPrefix(line, "time=") {
			t.Errorf("a line that is no event: %q", line)
		}
		for _, c := range strings.TrimSuffix(line, "\n") {
			if c < ' ' || c == 0x7f || c == 0xfffd {
				t.Errorf("a control byte in %q", line)
			}
		}
	}
}
