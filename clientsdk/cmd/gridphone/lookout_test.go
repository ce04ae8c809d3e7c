package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"gridsync/clientsdk"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/watch"
)

func TestAPostIsToldThatAnArrivalIsOnAList(t *testing.T) {
	t.Setenv("GRIDPHONE_LANG", "zh")
	d := desk{t, filepath.Join(t.TempDir(), "phone.db")}
	d.run(0, "init", "-server", "http://127.0.0.1:1", "-token", token())
	key := bytes.Repeat([]byte{9}, watch.KeySize)
	list := watch.List{
		List: syncproto.RecordID{0: 7, 6: 0x70, 8: 0x80}, Name: "返乡名单", Number: 2, Note: "请劝返", Key: key,
		Digests: watch.Digests(key, []watch.Number{{Type: form.Mobile, Text: "99900000001"}}),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(watch.Lists{Lists: []watch.List{list}})
	}))
	defer server.Close()
	phone, err := clientsdk.Open(t.Context(), d.file, clientsdk.Options{Server: server.URL, Token: token()})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := phone.FetchWatch(t.Context()); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if err := phone.Close(); err != nil {
		t.Fatal(err)
	}
	record := func(mobile string) string {
		return d.run(0, "record", "passage", "mobile="+mobile, "passed_at=1580443200000", "direction=in", "-area", "330702001001")
	}
	if said := record("99900000002"); bytes.Contains([]byte(said), []byte("返乡名单")) {
		t.Errorf("a stranger is on a list: %s", said)
	}
	d.has(record("999-0000-0001"), "返乡名单", "第 2 版", "请劝返")
	d.has(d.run(0, "list", "passage"), list.List.String())
}
