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

// configures is a server that has published a kind and a template, for one of two areas.
func configures(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var req syncproto.Request
		if err := json.NewDecoder(must(gzip.NewReader(r.Body))).Decode(&req); err != nil {
			t.Error(err)
		}
		set := []syncproto.Setting{{Name: "template.poll", From: "2020-01-01", Value: `"quick"`}}
		a := syncproto.Answer{
			Protocol: syncproto.Protocol, Epoch: syncproto.Epoch{1}, Now: req.Clock, Cursor: "c",
			Areas: []syncproto.Area{{ID: "c1", Name: "社区", Above: true, Settings: set}, {ID: "g1", Name: "一网格", Settings: set}, {ID: "g2", Name: "二网格"}},
			Forms: []json.RawMessage{json.RawMessage(`{"kind":"poll","version":3,"label":{"zh":"问卷","en":"Poll"},"stream":"history",
				"fields":[{"name":"on","type":"date","rule":"latest","label":{"zh":"日","en":"Day"}}]}`)},
			Templates: []json.RawMessage{json.RawMessage(`{"name":"quick","version":2,"kind":"poll","label":{"zh":"快查","en":"Quick"},"fields":[{"name":"on"}]}`)},
		}
		if err := json.NewEncoder(w).Encode(a); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestFormsInForceAndWhatAreasAskAreListed(t *testing.T) {
	t.Setenv("GRIDPHONE_LANG", "zh")
	d := desk{t, filepath.Join(t.TempDir(), "phone.db")}
	d.run(0, "init", "-server", configures(t), "-token", token())
	before := d.run(0, "forms")
	d.has(before, "household/", "户")
	if strings.Contains(before, "poll") {
		t.Errorf("what was not heard yet: %s", before)
	}
	d.run(0, "sync")
	after := d.run(0, "forms")
	d.has(after, "poll/3  问卷", "一网格：问卷按“快查”（quick/2）填报")
	for _, not := range []string{"二网格", "社区", "%!"} {
		if strings.Contains(after, not) {
			t.Errorf("it tells of %s: %s", not, after)
		}
	}
	d.has(d.run(0, "forms", "-lang", "en"), "Poll is asked by “Quick” (quick/2)")
}
