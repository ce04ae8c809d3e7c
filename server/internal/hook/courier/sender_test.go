package courier

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gridsync/server/internal/hook"
	"gridsync/syncproto"
)

func TestOnlyMachinesOfTheOpenInternetAreTold(t *testing.T) {
	for _, address := range []string{
		"http://example.org/in", "https://127.0.0.1/in", "https://10.1.2.3/in", "https://192.168.0.9", "https://172.16.0.1:8443/",
		"https://169.254.169.254/latest/meta-data", "https://[::1]/", "https://[fe80::1]/", "https://[fd00::1]/", "https://0.0.0.0/",
		"https://100.64.0.1/", "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://224.0.0.1/", "https://255.255.255.255/",
		"https://user:secret@example.org/", "ftp://example.org/", "https:///in", "//example.org", "nonsense", "https://example.org/#x",
		"https://example.org/" + strings.Repeat("x", 2000),
	} {
		var why *syncproto.Error
		if _, err := (Policy{}).Allows(address); !errors.As(err, &why) || why.Code != syncproto.CodeBadRequest || why.Field != "url" {
			t.Errorf("%.60s: %v", address, err)
		}
	}
	for _, address := range []string{"https://example.org/in?key=1", "https://example.org:8443", "https://1.1.1.1/", "https://[2606:4700::1111]/"} {
		if _, err := (Policy{}).Allows(address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	if host, err := (Policy{Private: true}).Allows("http://127.0.0.1:9/in?key=1"); err != nil || host != "127.0.0.1:9" {
		t.Errorf("%q, %v", host, err)
	}
}

// A name may lead anywhere by the time it is called: it is looked at again when it is dialled.
func TestANameThatLeadsInsideIsNotCalled(t *testing.T) {
	called := false
	inside := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer inside.Close()
	address := strings.Replace(inside.URL, "127.0.0.1", "localhost", 1) + "/in"
	s := NewSender(Policy{}, time.Now)
	defer s.Close()
	if _, err := (Policy{}).Allows(address); err != nil {
		t.Fatal(err) // a name says nothing yet
	}
	reply := s.Send(t.Context(), hook.Parcel{URL: address})
	if called || reply.Status != 0 || reply.Failure != errAddress.Error() {
		t.Errorf("called %v: %+v", called, reply)
	}
}

func TestWhereAReceiverPointsIsNotFollowed(t *testing.T) {
	followed := false
	mux := http.NewServeMux()
	mux.HandleFunc("/in", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/secret", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/secret", func(http.ResponseWriter, *http.Request) { followed = true })
	there := httptest.NewServer(mux)
	defer there.Close()
	s := NewSender(Policy{Private: true}, time.Now)
	defer s.Close()
	if reply := s.Send(t.Context(), hook.Parcel{URL: there.URL + "/in"}); followed || reply.Status != http.StatusTemporaryRedirect {
		t.Errorf("followed %v: %+v", followed, reply)
	}
}

func TestAParcelArrivesAsItIs(t *testing.T) {
	var body, header string
	after := ""
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		read, _ := io.ReadAll(r.Body)
		body, header = string(read), r.Header.Get("Webhook-Id")+r.Method
		w.Header().Set("Retry-After", after)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer there.Close()
	now := time.Date(2020, 1, 31, 9, 0, 0, 0, time.UTC)
	s := NewSender(Policy{Private: true}, func() time.Time { return now })
	defer s.Close()
	for text, want := range map[string]time.Duration{
		"": 0, "17": 17 * time.Second, "-4": 0, "soon": 0,
		now.Add(time.Hour).Format(http.TimeFormat): time.Hour, now.Add(-time.Hour).Format(http.TimeFormat): 0,
	} {
		after = text
		reply := s.Send(t.Context(), hook.Parcel{URL: there.URL, Body: []byte("{}"), Headers: map[string]string{"webhook-id": "a"}})
		if reply.Status != 503 || reply.RetryAfter != want || body != "{}" || header != "aPOST" {
			t.Errorf("%q: %+v, %q %q", text, reply, body, header)
		}
	}
}

// What went wrong is said in words of ours: an address may hold a key.
func TestAFailureDoesNotSayWhere(t *testing.T) {
	gone := httptest.NewServer(nil)
	address := gone.URL + "/in?key=topsecret"
	gone.Close()
	s := NewSender(Policy{Private: true}, time.Now)
	defer s.Close()
	if got := s.Send(t.Context(), hook.Parcel{URL: address}).Failure; got != "nobody listens there" {
		t.Errorf("%q", got)
	}
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }))
	defer broken.Close()
	if got := s.Send(t.Context(), hook.Parcel{URL: broken.URL}).Failure; got != "the connection broke off" {
		t.Errorf("%q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := s.Send(ctx, hook.Parcel{URL: broken.URL}).Failure; got == "" || strings.Contains(got, "127") {
		t.Errorf("%q", got)
	}
	if got := s.Send(t.Context(), hook.Parcel{URL: "https://nobody.invalid/in"}).Failure; strings.Contains(got, "invalid") || got == "" {
		t.Errorf("%q", got)
	}
}

func TestWaitsGrowToAnHour(t *testing.T) {
	want := []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second}
	for i, w := range want {
		if got := Wait(i + 1); got != w {
			t.Errorf("after attempt %d: %s", i+1, got)
		}
	}
	for _, attempt := range []int{15, 30, 1 << 30} {
		if got := Wait(attempt); got != time.Hour {
			t.Errorf("after attempt %d: %s", attempt, got)
		}
	}
}
