package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gridsync/server/internal/host"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// looked is a folder in which a person was recorded on one phone and looked at on another.
func looked(t *testing.T) (dir string, record syncproto.RecordID) {
	t.Helper()
	dir, record = t.TempDir(), syncproto.RecordID{9}
	s, err := host.Start(t.Context(), host.Config{Dir: dir, Listen: "127.0.0.1:0", Poll: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.ImportAreas(t.Context(), strings.NewReader(county)); err != nil {
		t.Fatal(err)
	}
	ask := func(e host.Enrolled, method, path, body string) {
		t.Helper()
		req := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+e.Token)
		res, err := s.API().Test(req)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatal(res, err)
		}
		_ = res.Body.Close()
	}
	phones, err := s.AddDevices(t.Context(), []host.Device{
		{Name: "网格员手机", Areas: []syncproto.AreaID{"3307"}, Authors: []identity.Author{{Name: "甲"}}},
		{Name: "书记手机", Areas: []syncproto.AreaID{"3307"}, Role: identity.Secretary, Authors: []identity.Author{{Name: "乙"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UnixMilli()
	ask(phones[0], http.MethodPost, "/v1/sync", fmt.Sprintf(
		`{"protocol":1,"device":%q,"clock":%d,"high":1,"changes":[{"id":%q,"n":1,"author":%q,"kind":"person","record":%q,"area":"3307","base":0,"fields":{"name":"王小芳","found_on":"2020-01-31"},"at":%d,"form":1}]}`,
		phones[0].ID, now, syncproto.ChangeID{1}, phones[0].Authors[0].ID, record, now))
	ask(phones[1], http.MethodGet, "/v1/areas/3307/roster", "")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, record
}

func TestWhoSawARecordIsToldAtTheMachineToo(t *testing.T) {
	dir, record := looked(t)
	code, out, told := command(t, "", "seen", record.String(), "-data", dir)
	if code != 0 {
		t.Fatal(code, told)
	}
	for _, want := range []string{"looked", "乙", "secretary", "书记手机", "3307", "roster", "网格员手机", "甲", "volunteer", "至今"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s: %s", want, out)
		}
	}
	if strings.Contains(out, "王小芳") {
		t.Errorf("it tells what was seen: %s", out)
	}
	if _, again, _ := command(t, "", "seen", record.String(), "-data", dir); !strings.Contains(again, "asked_who") {
		t.Errorf("nobody knows that it was asked: %s", again)
	}
	if code, out, _ := command(t, "", "seen", record.String(), "-json", "-data", dir); code != 0 || !strings.Contains(out, `"on_phones_of"`) {
		t.Errorf("%d %s", code, out)
	}
	if code, _, told := command(t, "", "seen", syncproto.RecordID{1}.String(), "-data", dir); code != 1 || !strings.Contains(told, "没有关于该档案") {
		t.Errorf("nothing said: %d %s", code, told)
	}
	if code, _, told := command(t, "", "seen", "x", "-data", dir); code != 2 || !strings.Contains(told, "档案编号") {
		t.Errorf("no id: %d %s", code, told)
	}
}

func TestTheAuditIsReadAtTheMachine(t *testing.T) {
	dir, _ := looked(t)
	code, out, told := command(t, "", "audit", "-data", dir)
	if lines := strings.Split(strings.TrimSpace(out), "\n"); code != 0 || !strings.Contains(lines[0], "read_audit") || !strings.Contains(out, "looked") || !strings.Contains(out, "×1") {
		t.Errorf("%d %s %s", code, out, told)
	}
	for args, want := range map[string]int{"-act looked": 1, "-area 3307": 1, "-area 99": 0, "-lines 1": 1} {
		_, out, _ := command(t, "", append(append([]string{"audit"}, strings.Fields(args)...), "-data", dir)...)
		if got := strings.Count(out, "\n"); got != want {
			t.Errorf("%s: %d lines: %s", args, got, out)
		}
	}
	if code, _, told := command(t, "", "audit", "-who", "x", "-data", dir); code != 2 || !strings.Contains(told, "人员编号") {
		t.Errorf("no id: %d %s", code, told)
	}
}
