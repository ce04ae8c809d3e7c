package api

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

func zipped(t *testing.T, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// push makes a sync request with an encoding.
func (w *world) push(t *testing.T, encoding string, body []byte) *http.Request {
	t.Helper()
	req := w.request(t, http.MethodPost, "/v1/sync", body)
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	return req
}

// without returns our good request without one of its members, given as text.
func without(text string) []byte { return bytes.Replace(syncBody(), []byte(text), nil, 1) }

// with returns our good request with a text replaced.
func with(text, by string) []byte { return bytes.Replace(syncBody(), []byte(text), []byte(by), 1) }

// bearing makes a GET with an Authorization header.
func bearing(path, authorization string) *http.Request {
	req := httptest.NewRequest(http.MethodGet, path, nil)
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	return req
}

// leaks are words of Go, of libraries and of the machine that no answer may hold.
var leaks = []string{
	"goroutine", ".go:", "runtime", "json:", "unmarshal", "Unmarshal", "struct", "invalid character", "unexpected", "EOF",
	"gzip: invalid", "flate:", "strconv", "parsing", "sqlite", "jwt", "token is mal", "signature is", "fasthttp", "fiber", "/work", "/srv", "0x", "secret-value",
}

func TestBadInputIsAnsweredInTheProtocolsWords(t *testing.T) {
	w := newWorld(t)
	w.answer = func(context.Context, syncproto.DeviceID, *syncproto.Request) (*syncproto.Answer, error) {
		t.Error("a bad request reaches the exchange")
		return nil, errors.New("no")
	}
	good := "Bearer " + w.token(t, ours)
	old, err := identity.NewSigner(w.key).Sign(ours, syncproto.AuthorID{1}, noon.Add(-time.Hour), noon)
	if err != nil {
		t.Fatal(err)
	}
	a, b := syncproto.RecordID{1}.String(), syncproto.RecordID{2}.String()
	bomb := zipped(t, append(syncBody(), make([]byte, 64<<20)...))
	many := `"changes":[` + strings.Repeat("0,", syncproto.MaxBatchChanges) + `0],"high"`
	whole := zipped(t, syncBody())

	for name, c := range map[string]struct {
		request *http.Request
		status  int
		code    syncproto.Code
		field   string
	}{
		"no body":                   {w.push(t, "", nil), 400, syncproto.CodeMalformed, ""},
		"not JSON":                  {w.push(t, "", []byte("secret-value")), 400, syncproto.CodeMalformed, ""},
		"JSON cut short":            {w.push(t, "", syncBody()[:40]), 400, syncproto.CodeMalformed, ""},
		"JSON and more":             {w.push(t, "", append(syncBody(), "secret-value"...)), 400, syncproto.CodeMalformed, ""},
		"nested too deep":           {w.push(t, "", []byte(strings.Repeat("[", 20_000))), 400, syncproto.CodeMalformed, ""},
		"a list":                    {w.push(t, "", []byte(`[]`)), 400, syncproto.CodeBadRequest, ""},
		"null":                      {w.push(t, "", []byte(`null`)), 400, syncproto.CodeBadRequest, "protocol"},
		"a device that is a number": {w.push(t, "", with(`"`+ours.String()+`"`, "7")), 400, syncproto.CodeBadRequest, "device"},
		"a device that is no id":    {w.push(t, "", with(ours.String(), "secret-value")), 400, syncproto.CodeBadRequest, ""},
		"a clock that is a word":    {w.push(t, "", with("1580443200000", `"secret-value"`)), 400, syncproto.CodeBadRequest, "clock"},
		"a clock with a fraction":   {w.push(t, "", with("1580443200000", "1.5")), 400, syncproto.CodeBadRequest, "clock"},
		"a negative high":           {w.push(t, "", with(`"high":0`, `"high":-1`)), 400, syncproto.CodeBadRequest, "high"},
		"a high beyond 64 bits":     {w.push(t, "", with(`"high":0`, `"high":99999999999999999999`)), 400, syncproto.CodeBadRequest, "high"},
		"changes that are no list":  {w.push(t, "", with(`"high"`, `"changes":{},"high"`)), 400, syncproto.CodeBadRequest, "changes"},
		"a cursor that is a list":   {w.push(t, "", with(`"high"`, `"cursor":["secret-value"],"high"`)), 400, syncproto.CodeBadRequest, "cursor"},
		"an epoch that is no id":    {w.push(t, "", with(`"high"`, `"epoch":"secret-value","high"`)), 400, syncproto.CodeBadRequest, ""},
		"areas that are numbers":    {w.push(t, "", with(`"high"`, `"restart":[1],"high"`)), 400, syncproto.CodeBadRequest, "restart"},
		"too many changes":          {w.push(t, "", with(`"high"`, many)), 413, syncproto.CodeTooManyChanges, "changes"},
		"no protocol":               {w.push(t, "", without(`"protocol":1,`)), 400, syncproto.CodeBadRequest, "protocol"},
		"a protocol to come":        {w.push(t, "", with(`"protocol":1`, `"protocol":99`)), 426, syncproto.CodeUnknownProtocol, "protocol"},
		"a protocol to come, in another shape": {
			w.push(t, "", with(`"protocol":1,"device"`, `"protocol":99,"clock":{},"device"`)), 426, syncproto.CodeUnknownProtocol, "protocol",
		},
		"a protocol to come, said last": {
			w.push(t, "", []byte(`{"device":"secret-value","protocol":99}`)), 426, syncproto.CodeUnknownProtocol, "protocol",
		},
		"a protocol that is a word": {w.push(t, "", with(`"protocol":1`, `"protocol":"secret-value"`)), 400, syncproto.CodeBadRequest, "protocol"},
		"another device's request":  {w.push(t, "", with(ours.String(), another.String())), 401, syncproto.CodeBadToken, "device"},
		"a bomb":                    {w.push(t, "gzip", bomb), 413, syncproto.CodeBodyTooLarge, ""},
		"gzip cut short":            {w.push(t, "gzip", whole[:len(whole)-9]), 400, syncproto.CodeMalformed, ""},
		"gzip without its sum":      {w.push(t, "gzip", whole[:len(whole)-8]), 400, syncproto.CodeMalformed, ""},
		"gzip and more":             {w.push(t, "gzip", append(bytes.Clone(whole), "secret-value"...)), 400, syncproto.CodeMalformed, ""},
		"not gzip":                  {w.push(t, "gzip", syncBody()), 400, syncproto.CodeMalformed, ""},
		"gzip of nothing":           {w.push(t, "gzip", zipped(t, nil)), 400, syncproto.CodeMalformed, ""},
		"brotli":                    {w.push(t, "br", syncBody()), 415, syncproto.CodeBadEncoding, ""},
		"two encodings":             {w.push(t, "gzip, gzip", syncBody()), 415, syncproto.CodeBadEncoding, ""},

		"no token":            {bearing("/v1/areas", ""), 401, syncproto.CodeNoToken, ""},
		"another scheme":      {bearing("/v1/areas", "Basic secret-value"), 401, syncproto.CodeNoToken, ""},
		"an empty token":      {bearing("/v1/areas", "Bearer "), 401, syncproto.CodeNoToken, ""},
		"a token of nonsense": {bearing("/v1/areas", "Bearer secret-value"), 401, syncproto.CodeBadToken, ""},
		"a forged token":      {bearing("/v1/areas", good[:len(good)-4]+"AAAA"), 401, syncproto.CodeBadToken, ""},
		"an expired token":    {bearing("/v1/areas", "Bearer "+old), 401, syncproto.CodeTokenExpired, ""},
		"an unknown device":   {bearing("/v1/areas", "Bearer "+w.token(t, unknown)), 401, syncproto.CodeBadToken, ""},
		"a revoked device":    {bearing("/v1/areas", "Bearer "+w.token(t, revoked)), 403, syncproto.CodeDeviceRevoked, ""},
		"no token for sync":   {httptest.NewRequest(http.MethodPost, "/v1/sync", bytes.NewReader(syncBody())), 401, syncproto.CodeNoToken, ""},

		"an unknown area":             {bearing("/v1/areas/99/summary", good), 403, syncproto.CodeForbidden, "area"},
		"an area of others":           {bearing("/v1/areas/34/summary", good), 403, syncproto.CodeForbidden, "area"},
		"the area above":              {bearing("/v1/areas/33/roster", good), 403, syncproto.CodeForbidden, "area"},
		"an area of others to review": {bearing("/v1/areas/34/review", good), 403, syncproto.CodeForbidden, "area"},
		"rounds of others":            {bearing("/v1/rounds/"+a+"/diff/"+b+"?area=34", good), 403, syncproto.CodeForbidden, "area"},
		"rounds of an unknown area":   {bearing("/v1/rounds/"+a+"/diff/"+b+"?area=99", good), 403, syncproto.CodeForbidden, "area"},
		"an area that is no code":     {bearing("/v1/areas/a%20b/summary", good), 400, syncproto.CodeBadRequest, "area"},
		"an area with a slash":        {bearing("/v1/areas/g1%2F..%2F34/summary", good), 400, syncproto.CodeBadRequest, "area"},
		"an area escaped wrongly":     {unescaped("/v1/areas/g%zz/summary", good), 400, syncproto.CodeBadRequest, "area"},
		"an area too long":            {bearing("/v1/areas/"+strings.Repeat("3", 33)+"/summary", good), 400, syncproto.CodeBadRequest, "area"},
		"a day that is none":          {bearing("/v1/areas/g1/summary?day=2020-02-30", good), 400, syncproto.CodeBadRequest, "day"},
		"a day in words":              {bearing("/v1/areas/g1/summary?day=secret-value", good), 400, syncproto.CodeBadRequest, "day"},
		"a limit of nothing":          {bearing("/v1/areas/g1/roster?limit=0", good), 400, syncproto.CodeBadRequest, "limit"},
		"a limit too great":           {bearing("/v1/areas/g1/roster?limit=501", good), 400, syncproto.CodeBadRequest, "limit"},
		"a limit in words":            {bearing("/v1/areas/g1/review?limit=secret-value", good), 400, syncproto.CodeBadRequest, "limit"},
		"a limit beyond numbers":      {bearing("/v1/rounds/"+a+"/diff/"+b+"?limit=9999999999999999999999", good), 400, syncproto.CodeBadRequest, "limit"},
		"a kind that is no name":      {bearing("/v1/areas/g1/roster?kind=secret-value%27--", good), 400, syncproto.CodeBadRequest, "kind"},
		"a round that is no id":       {bearing("/v1/rounds/secret-value/diff/"+b, good), 400, syncproto.CodeBadRequest, "a"},
		"a second round that is none": {bearing("/v1/rounds/"+a+"/diff/secret-value", good), 400, syncproto.CodeBadRequest, "b"},
		"which of two areas":          {bearing("/v1/rounds/"+a+"/diff/"+b, "Bearer "+w.token(t, two)), 400, syncproto.CodeBadRequest, "area"},

		"a kind of question that is none": {bearing("/v1/areas/g1/review?kind=secret-value", good), 400, syncproto.CodeBadRequest, "kind"},
		"an assignee that is no id":       {bearing("/v1/areas/g1/review?assignee=secret-value", good), 400, syncproto.CodeBadRequest, "assignee"},
		"a question that is no id":        {bearing("/v1/review/secret-value", good), 400, syncproto.CodeBadRequest, "item"},
		"a question without a token":      {bearing("/v1/review/"+a, ""), 401, syncproto.CodeNoToken, ""},
		"revisits of others":              {bearing("/v1/areas/34/revisits", good), 403, syncproto.CodeForbidden, "area"},
		"revisits on no day":              {bearing("/v1/areas/g1/revisits?day=secret-value", good), 400, syncproto.CodeBadRequest, "day"},
		"revisits of none":                {bearing("/v1/areas/g1/revisits?size=0", good), 400, syncproto.CodeBadRequest, "size"},
		"revisits of too many":            {bearing("/v1/areas/g1/revisits?size=101", good), 400, syncproto.CodeBadRequest, "size"},
		"a history of no id":              {bearing("/v1/records/secret-value/history", good), 400, syncproto.CodeBadRequest, "record"},
		"a log of nobody":                 {bearing("/v1/log", good), 400, syncproto.CodeBadRequest, "author"},
		"a log of no id":                  {bearing("/v1/log?author=secret-value", good), 400, syncproto.CodeBadRequest, "author"},
		"a log of somebody else":          {bearing("/v1/log?author="+others, good), 403, syncproto.CodeForbidden, "author"},
		"a log before nothing":            {bearing("/v1/log?author="+own+"&before=0", good), 400, syncproto.CodeBadRequest, "before"},
		"a log before a word":             {bearing("/v1/log?author="+own+"&before=secret-value", good), 400, syncproto.CodeBadRequest, "before"},
		"a log too long":                  {bearing("/v1/log?author="+own+"&limit=501", good), 400, syncproto.CodeBadRequest, "limit"},

		"no orders":                    {w.decide(t, `{"author":"`+own+`","orders":[]}`), 400, syncproto.CodeBadRequest, "orders"},
		"orders of nobody":             {w.decide(t, `{"orders":[{}]}`), 400, syncproto.CodeBadRequest, "author"},
		"orders of somebody else":      {w.decide(t, strings.Replace(order(), own, others, 1)), 403, syncproto.CodeForbidden, "author"},
		"orders of no id":              {w.decide(t, strings.Replace(order(), own, "secret-value", 1)), 400, syncproto.CodeBadRequest, ""},
		"orders that are no list":      {w.decide(t, `{"author":"`+own+`","orders":{}}`), 400, syncproto.CodeBadRequest, "orders"},
		"orders that are no JSON":      {w.decide(t, "secret-value"), 400, syncproto.CodeMalformed, ""},
		"orders and more":              {w.decide(t, order()+"{}"), 400, syncproto.CodeMalformed, ""},
		"nothing to order":             {w.decide(t, ""), 400, syncproto.CodeMalformed, ""},
		"orders in a list":             {w.decide(t, "[]"), 400, syncproto.CodeBadRequest, ""},
		"too many orders":              {w.decide(t, `{"author":"`+own+`","orders":[`+strings.Repeat("{},", 200)+`{}]}`), 413, syncproto.CodeTooManyChanges, "orders"},
		"an order about no id":         {w.decide(t, strings.Replace(order(), item, "secret-value", 1)), 400, syncproto.CodeBadRequest, ""},
		"an act that is a number":      {w.decide(t, strings.Replace(order(), `"accept"`, "7", 1)), 400, syncproto.CodeBadRequest, "orders"},
		"fields that are a list":       {w.decide(t, order(`"fields":[]`)), 400, syncproto.CodeBadRequest, "orders"},
		"seen that is a word":          {w.decide(t, order(`"seen":"secret-value"`)), 400, syncproto.CodeBadRequest, "orders"},
		"a version that is a fraction": {w.decide(t, order(`"seen":{"records":[{"record":"`+item+`","version":1.5}]}`)), 400, syncproto.CodeBadRequest, "orders"},
		"a number below none":          {w.decide(t, order(`"seen":{"waits":[{"device":"`+item+`","n":-1}]}`)), 400, syncproto.CodeBadRequest, "orders"},
		"an assignee that is a list":   {w.decide(t, order(`"assignee":[]`)), 400, syncproto.CodeBadRequest, "orders"},
		"orders in brotli":             {encoded(w.decide(t, order()), "br"), 415, syncproto.CodeBadEncoding, ""},
		"orders as a bomb":             {encoded(w.request(t, http.MethodPost, "/v1/review", bomb), "gzip"), 413, syncproto.CodeBodyTooLarge, ""},
		"orders in gzip cut short":     {encoded(w.request(t, http.MethodPost, "/v1/review", whole[:len(whole)-9]), "gzip"), 400, syncproto.CodeMalformed, ""},
		"PUT of an order":              {w.request(t, http.MethodPut, "/v1/review", []byte(order())), 405, syncproto.CodeMethod, ""},

		"no such path":          {bearing("/v1/secret-value", good), 404, syncproto.CodeNotFound, ""},
		"no such path, outside": {bearing("/secret-value", ""), 404, syncproto.CodeNotFound, ""},
		"a path in capitals":    {bearing("/V1/AREAS", good), 404, syncproto.CodeNotFound, ""},
		"a slash at the end":    {bearing("/v1/areas/", good), 404, syncproto.CodeNotFound, ""},
		"a wrong method":        {w.request(t, http.MethodPut, "/v1/sync", syncBody()), 405, syncproto.CodeMethod, ""},
		"GET of sync":           {bearing("/v1/sync", good), 405, syncproto.CodeMethod, ""},
		"DELETE of an area":     {w.request(t, http.MethodDelete, "/v1/areas/g1/summary", nil), 405, syncproto.CodeMethod, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w.now = noon
			r := w.do(t, c.request)
			p := r.problem(t)
			if r.status != c.status || p.Code != c.code || p.Field != c.field {
				t.Errorf("got %d %+v, want %d %s %q", r.status, p, c.status, c.code, c.field)
			}
			if p.Message.ZH == "" || p.Message.EN == "" {
				t.Error("no message in one of the languages")
			}
			if w.asked != "" {
				t.Errorf("a bad request reaches a service: %s", w.asked)
				w.asked = ""
			}
			if p.Reference != "" {
				t.Error("a bad request is logged as a failure")
			}
			shown := string(r.body) + r.header.Get("Content-Type")
			for _, word := range leaks {
				if strings.Contains(shown, word) {
					t.Errorf("it shows %q: %s", word, shown)
				}
			}
			if r.header.Get("X-Content-Type-Options") != "nosniff" || r.header.Get("Cache-Control") != "no-store" {
				t.Errorf("headers %v", r.header)
			}
		})
	}
}

// encoded says how a request's body is encoded.
func encoded(req *http.Request, encoding string) *http.Request {
	req.Header.Set("Content-Encoding", encoding)
	return req
}

// unescaped makes a request for a path that a URL can't be made of.
func unescaped(path, authorization string) *http.Request {
	req := bearing("/", authorization)
	req.URL.Opaque = path
	req.RequestURI = path
	return req
}

// Who asks while another machine takes over is told to come back, and of no fault.
func TestAStoreThatIsAwayIsBusy(t *testing.T) {
	w := newWorld(t)
	gone := errors.New("read tcp 10.0.0.1: secret-value")
	w.Away = func(err error) bool { return errors.Is(err, gone) }
	w.answer = func(context.Context, syncproto.DeviceID, *syncproto.Request) (*syncproto.Answer, error) {
		return nil, fmt.Errorf("group: %w", gone)
	}
	r := w.do(t, w.push(t, "", syncBody()))
	if p := r.problem(t); r.status != http.StatusTooManyRequests || p.Code != syncproto.CodeBusy || p.Reference != "" || r.header.Get("Retry-After") == "" {
		t.Errorf("%d %+v, come back after %q", r.status, p, r.header.Get("Retry-After"))
	}
	if strings.Contains(string(r.body), "secret-value") || !strings.Contains(w.log.String(), "secret-value") {
		t.Errorf("it shows %s and logs %s", r.body, w.log)
	}
}

func TestWhatGoesWrongInsideIsNotShown(t *testing.T) {
	for name, fail := range map[string]func() error{
		"an error":                  func() error { return errors.New("sqlite: secret-value in /srv/data") },
		"a deeper error":            func() error { return errors.Join(errors.New("secret-value"), errors.New("x.go:12")) },
		"a code of a single change": func() error { return &syncproto.Error{Code: syncproto.CodeNReused, Detail: "secret-value"} },
		"an internal code": func() error {
			return &syncproto.Error{Code: syncproto.CodeInternal, Field: "secret-value", Detail: "secret-value"}
		},
		"a code that is in no table": func() error { return &syncproto.Error{Code: "secret-value"} },
		"a panic":                    func() error { panic("secret-value") },
		"a nil pointer":              func() error { var s *services; return s.ping },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.answer = func(context.Context, syncproto.DeviceID, *syncproto.Request) (*syncproto.Answer, error) {
				return nil, fail()
			}
			r := w.do(t, w.push(t, "", syncBody()))
			p := r.problem(t)
			want := Problem{Code: syncproto.CodeInternal, Message: (&syncproto.Error{Code: syncproto.CodeInternal}).Message(), Reference: "ref-1"}
			if r.status != http.StatusInternalServerError || p != want {
				t.Errorf("%d %+v", r.status, p)
			}
			for _, word := range leaks {
				if strings.Contains(string(r.body), word) {
					t.Errorf("it shows %q: %s", word, r.body)
				}
			}
			if !strings.Contains(w.log.String(), "reference=ref-1") {
				t.Errorf("the reference leads nowhere: %s", w.log)
			}
			if after := w.get(t, "/v1/areas"); after.status != http.StatusOK {
				t.Errorf("the next request: %d", after.status)
			}
		})
	}
}

func TestAPanicsValueStaysOutOfTheLog(t *testing.T) {
	w := newWorld(t)
	w.answer = func(context.Context, syncproto.DeviceID, *syncproto.Request) (*syncproto.Answer, error) {
		panic("张三 110")
	}
	w.do(t, w.push(t, "", syncBody()))
	if log := w.log.String(); strings.Contains(log, "张三") || !strings.Contains(log, "panic: string") {
		t.Errorf("log: %s", log)
	}
}

func TestABombIsNotUnpackedToItsEnd(t *testing.T) {
	bomb := zipped(t, make([]byte, 64<<20))
	var b bytes.Buffer
	if err := inflate(&b, bomb); !errors.Is(err, &syncproto.Error{Code: syncproto.CodeBodyTooLarge}) {
		t.Errorf("got %v", err)
	}
	if b.Len() > syncproto.MaxBodyBytes+1 {
		t.Errorf("%d bytes were unpacked", b.Len())
	}
	most := zipped(t, make([]byte, syncproto.MaxBodyBytes))
	b.Reset()
	if err := inflate(&b, most); err != nil || b.Len() != syncproto.MaxBodyBytes {
		t.Errorf("the limit itself: %v", err)
	}
}

// A body over the limit never gets to a route: the server answers the header and
// hangs up. The test speaks HTTP by hand, as a client may see the reset alone.
func TestABodyTooLargeIsRefusedByItsHeader(t *testing.T) {
	w := newWorld(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- w.Serve(ln) }()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(conn, "POST /v1/sync HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n{", syncproto.MaxBodyBytes+1)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	var p Problem
	if err := json.NewDecoder(res.Body).Decode(&p); err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusRequestEntityTooLarge || p.Code != syncproto.CodeBodyTooLarge || p.Message.ZH == "" || p.Message.EN == "" {
		t.Errorf("%d %+v", res.StatusCode, p)
	}
	if err := errors.Join(res.Body.Close(), conn.Close(), w.Shutdown(context.Background()), <-served); err != nil {
		t.Error(err)
	}
}

func TestARequestThatIsNoHTTPIsAnsweredInTheProtocolsWords(t *testing.T) {
	w := newWorld(t)
	for name, err := range map[string]error{
		"unreadable": fiber.NewError(fiber.StatusBadRequest, "secret-value"),
		"too slow":   fiber.ErrRequestTimeout,
		"cut off":    fiber.ErrBadGateway,
		"headers":    fiber.ErrRequestHeaderFieldsTooLarge,
	} {
		if got := w.refusal(err); got.Code != syncproto.CodeBadRequest || got.Detail != "" {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := w.refusal(fiber.ErrTeapot); got.Code != syncproto.CodeBadRequest {
		t.Errorf("any other of the client's: %v", got)
	}
	if got := w.refusal(fiber.ErrServiceUnavailable); got.Code != syncproto.CodeBusy {
		t.Errorf("unavailable: %v", got)
	}
	if got := w.refusal(fiber.ErrNotImplemented); got.Code != syncproto.CodeInternal {
		t.Errorf("any other of the server's: %v", got)
	}
}
