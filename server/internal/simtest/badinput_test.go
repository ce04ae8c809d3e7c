package simtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"gridsync/server/internal/host"
	"gridsync/syncproto"
)

// desk is a server with one enrolled device whose requests are written by hand.
type desk struct {
	url    string
	phone  host.Enrolled
	server *host.Server
	now    time.Time
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{now: time.Date(2020, 1, 27, 8, 0, 0, 0, time.UTC)}
	server, err := host.Start(t.Context(), host.Config{
		Dir: t.TempDir(), Listen: "127.0.0.1:0", Now: func() time.Time { return d.now }, Poll: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, problems, err := server.ImportAreas(t.Context(), strings.NewReader("code,name,parent\ngrid,网格,\nother,别处,\n")); err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	d.phone, err = server.AddDevice(t.Context(), host.Device{Name: "手机", Areas: []syncproto.AreaID{"grid"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.url, d.server = server.URL(), server
	return d
}

// household writes a good change with number n, after which edit may spoil it.
func (d *desk) household(n int, edit func(map[string]any)) json.RawMessage {
	c := map[string]any{
		"id": uuid.NewSHA1(uuid.Nil, fmt.Append(nil, "change", n)), "n": n, "author": d.phone.Authors[0].ID, "kind": "household",
		"record": uuid.NewSHA1(uuid.Nil, fmt.Append(nil, "record", n)), "area": "grid", "base": 0,
		"fields": map[string]any{"address": "某路1号", "found_on": "2020-01-27"}, "at": d.now.UnixMilli(), "form": 1,
	}
	if edit != nil {
		edit(c)
	}
	return json.RawMessage(syncproto.ValueOf(c))
}

func (d *desk) request(changes ...json.RawMessage) *syncproto.Request {
	return &syncproto.Request{
		Protocol: syncproto.Protocol, Device: d.phone.ID, Clock: syncproto.Instant(d.now.UnixMilli()), Changes: changes,
	}
}

func (d *desk) sync(t *testing.T, req *syncproto.Request) *syncproto.Answer {
	t.Helper()
	body, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	out, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url+"/v1/sync", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	out.Header.Set("Authorization", "Bearer "+d.phone.Token)
	out.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(out)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s %s %v", res.Status, got, err)
	}
	var answer syncproto.Answer
	if err := json.Unmarshal(got, &answer); err != nil {
		t.Fatal(err)
	}
	return &answer
}

// Each bad change gets its code, in words that a volunteer understands, and the
// good ones before and after it are applied.
func TestABadChangeGetsItsCodeAndStopsNoOther(t *testing.T) {
	set := func(name string, v any) func(map[string]any) {
		return func(c map[string]any) { c[name] = v }
	}
	field := func(name string, v any) func(map[string]any) {
		return func(c map[string]any) { c["fields"].(map[string]any)[name] = v }
	}
	stranger := uuid.NewSHA1(uuid.Nil, []byte("a stranger"))
	for name, test := range map[string]struct {
		spoil   func(map[string]any)
		verdict syncproto.Outcome
		code    syncproto.Code
	}{
		"no id":                         {func(c map[string]any) { delete(c, "id") }, syncproto.Refused, syncproto.CodeBadChange},
		"an id that is none":            {set("id", "x"), syncproto.Refused, syncproto.CodeBadChange},
		"a number that is a text":       {set("at", "yesterday"), syncproto.Refused, syncproto.CodeBadChange},
		"fields that are a list":        {set("fields", []int{1}), syncproto.Refused, syncproto.CodeBadChange},
		"a negative base":               {set("base", -1), syncproto.Refused, syncproto.CodeBadChange},
		"an area that is no code":       {set("area", "../grid"), syncproto.Refused, syncproto.CodeBadChange},
		"another device's":              {set("device", stranger), syncproto.Refused, syncproto.CodeWrongDevice},
		"too large":                     {field("note", strings.Repeat("长", 30_000)), syncproto.Refused, syncproto.CodeChangeTooLarge},
		"an unknown author":             {set("author", stranger), syncproto.Parked, syncproto.CodeUnknownAuthor},
		"out of the author's area":      {set("area", "other"), syncproto.Parked, syncproto.CodeOutOfArea},
		"an unknown area":               {set("area", "nowhere"), syncproto.Parked, syncproto.CodeUnknownArea},
		"an unknown kind":               {set("kind", "spaceship"), syncproto.Parked, syncproto.CodeUnknownKind},
		"an unknown form version":       {set("form", 99), syncproto.Parked, syncproto.CodeUnknownForm},
		"an edit of an unknown record":  {set("base", 7), syncproto.Parked, syncproto.CodeUnknownRecord},
		"a required field missing":      {set("fields", map[string]any{"note": "x"}), syncproto.Parked, syncproto.CodeFailsForm},
		"a value of the wrong type":     {field("headcount", "many"), syncproto.Parked, syncproto.CodeFailsForm},
		"a decision without the right":  {set("decides", true), syncproto.Parked, syncproto.CodeNotEntitled},
		"an unknown field":              {field("colour", "blue"), syncproto.Applied, syncproto.CodeUnknownField},
		"a member from a newer program": {set("mood", "good"), syncproto.Applied, ""},
		"a clock in 1970":               {set("at", 0), syncproto.Applied, ""},
		"a clock in 2030":               {set("at", 1_900_000_000_000), syncproto.Applied, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			answer := d.sync(t, d.request(d.household(1, nil), d.household(2, test.spoil), d.household(3, nil)))
			v := answer.Verdicts
			if len(v) != 3 || v[1].Verdict != test.verdict || v[1].N != 2 {
				t.Fatalf("verdicts %+v", v)
			}
			if v[0].Verdict != syncproto.Applied || v[2].Verdict != syncproto.Applied {
				t.Errorf("its neighbours were %s and %s", v[0].Verdict, v[2].Verdict)
			}
			expectCode(t, v[1].Reason, test.code)
			if held := answer.Receipt.Covers(2); held != test.verdict.Held() {
				t.Errorf("%s, and the receipt covers it: %v", test.verdict, held)
			}
			if !answer.Receipt.Covers(1) || !answer.Receipt.Covers(3) {
				t.Errorf("receipt %+v", answer.Receipt)
			}
		})
	}
}

func expectCode(t *testing.T, reason *syncproto.Error, code syncproto.Code) {
	t.Helper()
	if reason == nil {
		if code != "" {
			t.Errorf("no reason, want %s", code)
		}
		return
	}
	if reason.Code != code {
		t.Errorf("code %s, want %s", reason.Code, code)
	}
	if m := reason.Message(); m.ZH == "" || m.EN == "" {
		t.Errorf("%s has no message", reason.Code)
	}
}

func TestANumberUsedTwiceIsRefusedAndTheFirstStays(t *testing.T) {
	d := newDesk(t)
	d.sync(t, d.request(d.household(1, nil)))
	other := d.household(1, func(c map[string]any) { c["fields"] = map[string]any{"address": "另一处", "found_on": "2020-01-27"} })
	answer := d.sync(t, d.request(other, d.household(1, nil), d.household(2, nil)))
	v := answer.Verdicts
	if v[0].Verdict != syncproto.Refused || v[1].Verdict != syncproto.Duplicate || v[1].First != syncproto.Applied || v[2].Verdict != syncproto.Applied {
		t.Fatalf("verdicts %+v", v)
	}
	expectCode(t, v[0].Reason, syncproto.CodeNReused)
	if answer.Receipt.Held != 2 || answer.Receipt.Through != 2 {
		t.Errorf("receipt %+v", answer.Receipt)
	}
}

func TestANumberTwiceInOneBatchIsTakenOnce(t *testing.T) {
	d := newDesk(t)
	v := d.sync(t, d.request(d.household(1, nil), d.household(1, nil))).Verdicts
	if v[0].Verdict != syncproto.Applied || v[1].Verdict != syncproto.Duplicate || v[1].Version != v[0].Version {
		t.Fatalf("verdicts %+v", v)
	}
}

func TestAHoleIsKeptAndNamed(t *testing.T) {
	d := newDesk(t)
	answer := d.sync(t, d.request(d.household(1, nil), d.household(5, nil)))
	v := answer.Verdicts
	if v[1].Verdict != syncproto.Applied {
		t.Fatalf("verdicts %+v", v)
	}
	expectCode(t, v[1].Reason, syncproto.CodeAfterGap)
	if m := answer.Receipt.Missing; len(m) != 1 || m[0] != (syncproto.Span{From: 2, To: 4}) {
		t.Fatalf("missing %v", m)
	}
	answer = d.sync(t, d.request(d.household(3, nil)))
	if m := answer.Receipt.Missing; len(m) != 2 || m[0] != (syncproto.Span{From: 2, To: 2}) || m[1] != (syncproto.Span{From: 4, To: 4}) {
		t.Fatalf("missing %v", m)
	}
}

func TestACursorOfAnotherServerBeginsAnew(t *testing.T) {
	d, other := newDesk(t), newDesk(t)
	d.sync(t, d.request(d.household(1, nil)))
	foreign := other.sync(t, other.request()).Cursor
	for cursor, code := range map[string]syncproto.Code{
		foreign:        syncproto.CodeCursorForeign,
		"no cursor":    syncproto.CodeCursorInvalid,
		foreign + "AA": syncproto.CodeCursorInvalid,
	} {
		req := d.request()
		req.Cursor = cursor
		answer := d.sync(t, req)
		if !answer.Reset || len(answer.Records) != 1 {
			t.Errorf("%s: reset %v with %d records", cursor, answer.Reset, len(answer.Records))
		}
		expectCode(t, answer.Notice, code)
	}
}

func TestAClockThatIsOffIsSaid(t *testing.T) {
	d := newDesk(t)
	for _, clock := range []int64{0, 1_900_000_000_000} {
		req := d.request()
		req.Clock = syncproto.Instant(clock)
		expectCode(t, d.sync(t, req).Notice, syncproto.CodeClockOff)
	}
	if notice := d.sync(t, d.request()).Notice; notice != nil {
		t.Errorf("a right clock got %v", notice)
	}
}

// Nothing new is a short answer.
func TestAnIdleSyncIsShort(t *testing.T) {
	d := newDesk(t)
	first := d.sync(t, d.request(d.household(1, nil)))
	req := d.request()
	req.Cursor, req.Epoch, req.High = first.Cursor, &first.Epoch, 1
	answer := d.sync(t, req)
	body, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Records)+len(answer.Areas)+len(answer.Forms) != 0 || len(body) > 400 {
		t.Fatalf("%d bytes: %s", len(body), body)
	}
}

// However small the pages, a first sync brings every record, and says when it has.
func TestSmallPagesBringEverything(t *testing.T) {
	d := newDesk(t)
	const households = 60
	var changes []json.RawMessage
	for n := range households {
		changes = append(changes, d.household(n+1, nil))
	}
	d.sync(t, d.request(changes...))
	got, cursor := 0, ""
	for range households {
		req := d.request()
		req.Cursor, req.PageBytes = cursor, syncproto.MinPageBytes
		answer := d.sync(t, req)
		got, cursor = got+len(answer.Records), answer.Cursor
		if !answer.More {
			break
		}
	}
	if got != households {
		t.Fatalf("%d of %d households came", got, households)
	}
}

// What was parked and taken up within one commit is told as it ended.
func TestAChangeThatWaitedForItsOwnBatchIsNotCalledParked(t *testing.T) {
	d := newDesk(t)
	early := d.household(2, func(c map[string]any) {
		c["n"], c["base"], c["fields"] = 1, 7, map[string]any{"note": "x"}
	})
	answer := d.sync(t, d.request(early, d.household(2, nil)))
	v := answer.Verdicts
	if !slices.Contains([]syncproto.Outcome{syncproto.Applied, syncproto.Merged}, v[0].Verdict) || v[0].Version == 0 || v[0].Reason != nil {
		t.Fatalf("verdicts %+v", v)
	}
	if len(answer.Receipt.Parked) != 0 {
		t.Fatalf("receipt %+v", answer.Receipt)
	}
}
