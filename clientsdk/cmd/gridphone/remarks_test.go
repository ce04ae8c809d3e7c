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

// asks is a server that says what its area asks: a form of its own, and a template for
// checkpoints.
func asks(t *testing.T) string {
	t.Helper()
	const definition = `{"kind":"needs","version":1,"label":{"zh":"需求","en":"Needs"},"stream":"history","fields":[
		{"name":"ill","type":"boolean","label":{"zh":"患病","en":"Ill"},"rule":"latest","required":true},
		{"name":"since","type":"date","label":{"zh":"起始日期","en":"Since"},"rule":"latest","relevant":"${ill}","required":true,
		 "constraint":". <= today()","constraint_message":{"zh":"不能晚于今天","en":"not after today"}}]}`
	epoch := must(syncproto.ParseID[syncproto.Epoch]("0170086b-0000-7000-8000-000000000901"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var req syncproto.Request
		if err := json.NewDecoder(must(gzip.NewReader(r.Body))).Decode(&req); err != nil {
			t.Error(err)
		}
		a := syncproto.Answer{
			Protocol: syncproto.Protocol, Epoch: epoch, Now: req.Clock, Cursor: "c", Forms: []json.RawMessage{json.RawMessage(definition)},
			Areas: []syncproto.Area{{ID: "gate", Settings: []syncproto.Setting{{Name: "template.passage", From: "2020-01-01", Value: `"qigebi"`}}}},
		}
		if err := json.NewEncoder(w).Encode(a); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestWhatAPlaceAsksIsAskedBeforeItIsSaved(t *testing.T) {
	t.Setenv("GRIDPHONE_LANG", "zh")
	d := desk{t, filepath.Join(t.TempDir(), "phone.db")}
	d.run(0, "init", "-server", asks(t), "-token", token())
	d.run(0, "sync")

	entry := []string{"record", "passage", "name=某人", "passed_at=1580400000000", "from=武汉", "-area", "gate"}
	said := d.run(1, entry...)
	d.has(said, "未保存", "体温（体温必测） (temperature)", "已签承诺（承诺必签） (promise)", "去往（去向必明） (to)", "--anyway")
	if strings.Contains(said, "(from)") || strings.Contains(said, "(plate)") {
		t.Errorf("what was answered, or needn't be, is asked:\n%s", said)
	}
	d.has(d.run(0, "list", "passage"), "共 0 条")
	d.run(0, append(entry, "-anyway")...)
	d.has(d.run(0, "list", "passage"), "共 1 条")
	d.run(0, "record", "passage", "name=某人", "passed_at=1580400000000", "-area", "elsewhere")
	d.has(d.run(0, "list", "passage"), "共 2 条")
}

func TestAnswersAreHeldAgainstEachOtherBeforeTheyAreSaved(t *testing.T) {
	t.Setenv("GRIDPHONE_LANG", "zh")
	d := desk{t, filepath.Join(t.TempDir(), "phone.db")}
	d.run(0, "init", "-server", asks(t), "-token", token())
	d.run(0, "sync")

	d.has(d.run(1, "record", "needs", "ill=true", "-area", "gate"), "还没有填写：起始日期 (since)")
	d.has(d.run(1, "record", "needs", "ill=false", "since=2020-01-01", "-area", "gate"), "不必填写：起始日期 (since)")
	d.has(d.run(1, "record", "needs", "ill=true", "since=9999-01-01", "-area", "gate"), "不符合填写条件：起始日期 (since)：不能晚于今天")
	d.has(d.run(1, "record", "needs", "ill=true", "-area", "gate", "-lang", "en"), "still to be answered: Since (since)")
	d.has(d.run(0, "list", "needs"), "共 0 条")

	id := anID.FindString(d.run(0, "record", "needs", "ill=false", "-area", "gate"))
	// What is told of an edit is what it brings about: it makes the date asked.
	d.has(d.run(1, "record", "needs", "ill=true", "-record", id), "还没有填写：起始日期 (since)")
	d.run(0, "record", "needs", "ill=true", "since=2020-01-01", "-record", id)
	d.has(d.run(0, "show", id), "起始日期 (since): 2020-01-01")
}
