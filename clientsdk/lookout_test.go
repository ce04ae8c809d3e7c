package clientsdk_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gridsync/clientsdk"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/watch"
)

// post is a server that knows what is watched for, and counts what it sends.
type post struct {
	*httptest.Server
	lists atomic.Pointer[watch.Lists]
	down  atomic.Bool
	bytes atomic.Int64
}

func newPost(t *testing.T) *post {
	p := &post{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.down.Load() {
			http.Error(w, `{"code":"busy"}`, http.StatusServiceUnavailable)
			return
		}
		body, err := json.Marshal(p.lists.Load())
		tag := `W/"` + string(rune('a'+len(body)%26)) + `"`
		if r.URL.Path != "/v1/watch" || r.Header.Get("Authorization") != "Bearer token" || err != nil {
			http.Error(w, `{"code":"not_found"}`, http.StatusNotFound)
			return
		}
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		p.bytes.Add(int64(len(body)))
		_, _ = w.Write(body)
	}))
	t.Cleanup(p.Close)
	return p
}

func mobileOf(text string) watch.Number { return watch.Number{Type: form.Mobile, Text: text} }

func listed(name, deadline string, mobiles ...string) watch.List {
	key := bytes.Repeat([]byte{9}, watch.KeySize)
	var numbers []watch.Number
	for _, m := range mobiles {
		numbers = append(numbers, mobileOf(m))
	}
	return watch.List{List: syncproto.RecordID{7}, Name: name, Number: 1, Note: "劝返", Deadline: deadline, Key: key, Digests: watch.Digests(key, numbers)}
}

func TestAPostFindsWhoIsOnAListWithoutASignal(t *testing.T) {
	server, file := newPost(t), filepath.Join(t.TempDir(), "phone.db")
	server.lists.Store(&watch.Lists{Lists: []watch.List{listed("甲", "", "99900000001"), listed("乙", "2020-01-30", "99900000001")}})
	open := func() *clientsdk.Client {
		c, err := clientsdk.Open(t.Context(), file, clientsdk.Options{
			Server: server.URL, Token: "token", Device: syncproto.DeviceID{1},
			Now: func() time.Time { return time.Date(2020, 1, 31, 4, 0, 0, 0, time.UTC) },
		})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := open()
	if n, err := c.FetchWatch(t.Context()); n != 2 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	sent := server.bytes.Load()
	if n, err := c.FetchWatch(t.Context()); n != 2 || err != nil || server.bytes.Load() != sent {
		t.Errorf("nothing new cost %d bytes: %d, %v", server.bytes.Load()-sent, n, err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	server.down.Store(true)
	c = open()
	defer c.Close()
	hits, err := c.OnWatch(t.Context(), mobileOf("+86 999 0000 0001"))
	if err != nil || len(hits) != 1 || hits[0].Name != "甲" || hits[0].Note != "劝返" || hits[0].Key != nil || hits[0].Digests != nil {
		t.Errorf("%+v, %v (the second list's deadline has passed)", hits, err)
	}
	if hits, err := c.OnWatch(t.Context(), mobileOf("99900000002")); len(hits) != 0 || err != nil {
		t.Errorf("a stranger: %+v, %v", hits, err)
	}
	if _, err := c.FetchWatch(t.Context()); err == nil {
		t.Error("a server that is down gave an answer")
	}
	if hits, err := c.OnWatch(t.Context(), mobileOf("99900000001")); len(hits) != 1 || err != nil {
		t.Errorf("a failed fetch took away what was kept: %+v, %v", hits, err)
	}
	for _, name := range []string{file, file + "-wal"} {
		body, err := os.ReadFile(name)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if bytes.Contains(body, []byte("99900000001")) {
			t.Errorf("%s holds the number", filepath.Base(name))
		}
	}
}

func TestWhatIsNoLongerWatchedForGoes(t *testing.T) {
	server := newPost(t)
	c, err := clientsdk.Open(t.Context(), filepath.Join(t.TempDir(), "phone.db"), clientsdk.Options{Server: server.URL, Token: "token", Device: syncproto.DeviceID{1}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	server.lists.Store(&watch.Lists{Lists: []watch.List{listed("甲", "", "99900000001")}})
	if _, err := c.FetchWatch(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.lists.Store(&watch.Lists{Lists: []watch.List{}})
	if n, err := c.FetchWatch(t.Context()); n != 0 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	if hits, err := c.OnWatch(t.Context(), mobileOf("99900000001")); len(hits) != 0 || err != nil {
		t.Errorf("%+v, %v", hits, err)
	}
}

func TestTheNumbersOfAPassageAreThoseOfTheArrival(t *testing.T) {
	forms, err := form.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	numbers := clientsdk.NumbersOf(forms.Newest("passage"), syncproto.Fields{
		"mobile": `"99900000001"`, "id_number": `"99900119500101001X"`, "plate": `"浙G99900000001"`, "note": `"99900000009"`, "from": `null`,
	})
	var said []string
	for _, n := range numbers {
		said = append(said, string(n.Type)+" "+n.Text)
	}
	if got := strings.Join(said, ","); len(numbers) != 2 || !strings.Contains(got, "mobile 99900000001") || !strings.Contains(got, "id_number 99900119500101001X") {
		t.Error(got)
	}
}

func TestASealedPhoneKeepsWhatItWatchesForSealed(t *testing.T) {
	f := newFake(t)
	rest := f.http.Config.Handler
	body, err := json.Marshal(&watch.Lists{Lists: []watch.List{listed("绝无仅有的名单", "", "99900000001")}})
	if err != nil {
		t.Fatal(err)
	}
	f.http.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/watch" {
			rest.ServeHTTP(w, r)
			return
		}
		_, _ = w.Write(body)
	})
	p, _ := enrolledPhone(t, f, 1)
	fetch := func() {
		t.Helper()
		if n, err := p.FetchWatch(t.Context()); n != 1 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	fetch()
	equal(t, "before it is sealed", p.shows(t, "绝无仅有的名单"), true)
	if err := p.Seal(background, pin); err != nil {
		t.Fatal(err)
	}
	if hits, err := p.OnWatch(t.Context(), mobileOf("99900000001")); err != nil || len(hits) != 0 {
		t.Errorf("what was kept in the clear is kept: %+v, %v", hits, err)
	}
	fetch()
	equal(t, "a sealed file shows it", p.shows(t, "绝无仅有的名单"), false)
	if hits := must(p.OnWatch(t.Context(), mobileOf("99900000001"))); len(hits) != 1 {
		t.Errorf("%+v", hits)
	}
	p.Lock()
	if _, err := p.OnWatch(t.Context(), mobileOf("99900000001")); !errors.Is(err, clientsdk.ErrLocked) {
		t.Errorf("a locked phone tells who is on a list: %v", err)
	}
}
