package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"gridsync/syncproto"
)

// announces is a server whose county says two things.
func announces(t *testing.T) string {
	t.Helper()
	said := func(n byte, title, level string) syncproto.Record {
		return syncproto.Record{
			ID: syncproto.RecordID{1, 0, 0, 0, 0, 0, 0x70, 0, 0x80, n}, Kind: "notice", Area: "c1", Version: syncproto.Version(n),
			Live: []syncproto.Part{{
				Device: syncproto.DeviceID{9}, N: uint64(n), Author: syncproto.AuthorID{9}, Version: syncproto.Version(n),
				Fields: syncproto.Fields{
					"area": `"c1"`, "title": syncproto.TextValue(title), "level": syncproto.TextValue(level), "issued_on": `"2020-01-2` + syncproto.Value('0'+n) + `"`,
				},
			}},
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var req syncproto.Request
		if err := json.NewDecoder(must(gzip.NewReader(r.Body))).Decode(&req); err != nil {
			t.Error(err)
		}
		a := syncproto.Answer{
			Protocol: syncproto.Protocol, Epoch: syncproto.Epoch{1}, Now: req.Clock, Cursor: "c",
			Areas:   []syncproto.Area{{ID: "c1", Name: "县", Above: true}, {ID: "g1", Name: "一网格", Parent: "c1"}, {ID: "s1", Name: "一楼道", Parent: "g1"}},
			Records: []syncproto.Record{said(7, "明日降温", "urgent"), said(8, "今晚停水", "info")},
		}
		if err := json.NewEncoder(w).Encode(a); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestANoticeIsReadOnceAndSaysSo(t *testing.T) {
	t.Setenv("GRIDPHONE_LANG", "zh")
	d := desk{t, filepath.Join(t.TempDir(), "phone.db")}
	d.run(0, "init", "-server", announces(t), "-token", token())
	d.has(d.run(0, "notices"), "通知0则，未读0则")
	d.run(0, "sync")
	list := d.run(0, "notices")
	d.has(list, "通知2则，未读2则", "2  2020-01-27  c1  【紧急】 【未读】 明日降温")
	if strings.Index(list, "今晚停水") > strings.Index(list, "明日降温") {
		t.Errorf("the latest is not the first: %s", list)
	}
	d.has(d.run(0, "read", "2"), "已登记：已阅读“明日降温”")
	d.run(0, "read", "2")
	d.has(d.run(0, "notices", "-lang", "en"), "2 notices, 1 unread", "2  2020-01-27  c1  [urgent] 明日降温")
	log := d.run(0, "log")
	d.has(log, `"notice":"01000000-0000-7000-8007-000000000000"`)
	if strings.Count(log, string(syncproto.KindNoticeRead)) != 1 {
		t.Errorf("it was not read once: %s", log)
	}
	if out := d.run(1, "read", "3"); strings.Contains(out, "%!") {
		t.Error(out)
	}
}
