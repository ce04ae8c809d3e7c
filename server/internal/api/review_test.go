package api

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"

	"gridsync/server/internal/desk"
	"gridsync/syncproto"
)

var (
	item   = syncproto.RecordID{7}.String()
	own    = syncproto.AuthorID{1}.String() // records on our device
	others = syncproto.AuthorID{2}.String()
)

// order is a good request of our author; the texts are more members of its one order.
func order(members ...string) string {
	return `{"author":"` + own + `","orders":[{` + strings.Join(append([]string{`"item":"` + item + `","act":"accept"`}, members...), ",") + `}]}`
}

func (w *world) decide(t *testing.T, body string) *http.Request {
	t.Helper()
	return w.request(t, http.MethodPost, "/v1/review", []byte(body))
}

func TestOrdersReachTheDeskAsTheyWereGiven(t *testing.T) {
	w := newWorld(t)
	w.results = []desk.Result{{Version: 9}}
	r := w.do(t, w.decide(t, order(
		`"seen":{"records":[{"record":"`+item+`","version":7}],"waits":[{"device":"`+ours.String()+`","n":3}]}`,
		`"fields":{"value":36.50},"survivor":"`+item+`","left":"2020-01-27","area":"g1"`,
		`"without":["note"],"assignee":"`+others+`","reason":"<看过>"`,
	)))
	if r.status != http.StatusOK || string(r.body) != `{"results":[{"item":"00000000-0000-0000-0000-000000000000","version":9}]}` {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if want := "order " + own + " 1 " + ours.String() + " 04:00:00"; w.asked != want {
		t.Errorf("asked %q, want %q", w.asked, want)
	}
	o := w.orders[0]
	if o.Item.String() != item || o.Act != desk.Accept || o.Fields["value"] != "36.50" || o.Survivor.String() != item ||
		o.Left != "2020-01-27" || o.Area != "g1" || len(o.Without) != 1 || o.Assignee.String() != others || o.Reason != "<看过>" {
		t.Errorf("%+v", o)
	}
	if o.Seen == nil || o.Seen.Records[0].Version != 7 || o.Seen.Waits[0].N != 3 {
		t.Errorf("seen %+v", o.Seen)
	}
}

func TestOrdersComeCompressedToo(t *testing.T) {
	w := newWorld(t)
	w.results = []desk.Result{{}}
	req := w.request(t, http.MethodPost, "/v1/review", zipped(t, []byte(order())))
	req.Header.Set("Content-Encoding", "gzip")
	if r := w.do(t, req); r.status != http.StatusOK || len(w.orders) != 1 {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestWhatAnOrderHeldOutlivesItsRequest(t *testing.T) {
	w := newWorld(t)
	w.results = []desk.Result{{}}
	var kept []desk.Order
	for _, letter := range []string{"a", "b"} {
		w.do(t, w.decide(t, order(`"fields":{"note":"`+strings.Repeat(letter, 40)+`"},"reason":"`+strings.Repeat(letter, 40)+`"`)))
		kept = append(kept, w.orders...)
	}
	if want := strings.Repeat("a", 40); kept[0].Reason != want || kept[0].Fields["note"] != syncproto.TextValue(want) {
		t.Errorf("%+v", kept[0])
	}
}

func TestAFailureInsideHidesNoOtherResult(t *testing.T) {
	w := newWorld(t)
	w.results = []desk.Result{{Version: 9}, {Error: &syncproto.Error{Code: syncproto.CodeInternal}}}
	w.fails = errors.New("sqlite: secret-value")
	r := w.do(t, w.decide(t, order()))
	if r.status != http.StatusOK || !bytes.Contains(r.body, []byte(`"version":9`)) || !bytes.Contains(r.body, []byte(`"reference ref-1"`)) {
		t.Errorf("%d %s", r.status, r.body)
	}
	if bytes.Contains(r.body, []byte("secret-value")) || !strings.Contains(w.log.String(), "reference=ref-1") {
		t.Errorf("%s\n%s", r.body, w.log)
	}
}

func TestAResultSaysWhyInBothLanguages(t *testing.T) {
	w := newWorld(t)
	w.results = []desk.Result{{Error: &syncproto.Error{Code: syncproto.CodeMovedOn}, Now: &desk.Line{State: "closed"}}}
	r := w.do(t, w.decide(t, order()))
	for _, text := range []string{`"code":"moved_on"`, `"zh":"情况已有变化`, `"en":"This has changed`, `"state":"closed"`} {
		if !bytes.Contains(r.body, []byte(text)) {
			t.Errorf("no %s in %s", text, r.body)
		}
	}
}

func TestAQuestionElsewhereIsAnsweredLikeNone(t *testing.T) {
	w := newWorld(t)
	w.fails = &syncproto.Error{Code: syncproto.CodeNotFound, Field: "item"}
	for _, path := range []string{"/v1/review/" + item, "/v1/records/" + item + "/history"} {
		if r := w.get(t, path); r.status != http.StatusNotFound || r.problem(t).Code != syncproto.CodeNotFound {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
}
