package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"gridsync/clientsdk"
	"gridsync/syncproto"
)

var anID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

// givesBack is a server that parks every first statement, and gives it back to its
// author in its next answer.
func givesBack(t *testing.T) string {
	t.Helper()
	var held syncproto.Receipt
	var told []syncproto.Told
	epoch := must(syncproto.ParseID[syncproto.Epoch]("0170086b-0000-7000-8000-000000000901"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var req syncproto.Request
		if err := json.NewDecoder(must(gzip.NewReader(r.Body))).Decode(&req); err != nil {
			t.Error(err)
		}
		a := syncproto.Answer{Protocol: syncproto.Protocol, Epoch: epoch, Now: req.Clock, Cursor: "c", Told: told}
		for _, raw := range req.Changes {
			c := must(syncproto.DecodeChange(raw, req.Device))
			held.Through, held.Held, held.Digest = c.N, held.Held+1, held.Digest.Add(c.Hash())
			code := syncproto.CodeReturned
			if !must(c.Answers()).IsZero() {
				held.Parked[0].Code, code = syncproto.CodeResubmitted, syncproto.CodeOutOfArea
			}
			held.Parked = append(held.Parked, syncproto.Waiting{N: c.N, Code: code})
			told = append(told, syncproto.Told{
				Version: syncproto.Version(c.N), At: req.Clock, N: c.N, Author: c.Author, Kind: c.Kind, Record: c.Record,
				Item: syncproto.ItemParked, Said: syncproto.SaidReturned, Reason: "请补门牌号",
			})
			a.Verdicts = append(a.Verdicts, syncproto.Verdict{N: c.N, Verdict: syncproto.Parked, Reason: &syncproto.Error{Code: syncproto.CodeOutOfArea}})
		}
		a.Receipt = held
		if err := json.NewEncoder(w).Encode(a); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

func TestReturnedWorkIsListedReadAndSubmittedAnew(t *testing.T) {
	t.Setenv("GRIDPHONE_LANG", "zh")
	d := desk{t, filepath.Join(t.TempDir(), "phone.db")}
	d.run(0, "init", "-server", givesBack(t), "-token", token())
	d.has(d.run(0, "told"), "没有处理结果")
	d.has(d.run(0, "returned"), "没有退回的内容")
	d.has(d.run(1, "resubmit", "1", "note=x"), "本机没有")
	d.run(0, "record", "household", "address=幸福路", "headcount=3", "found_on=2020-02-03", "-area", "330702001001")
	d.run(0, "sync")
	d.has(d.run(0, "sync"), "有 1 项处理结果")
	d.has(d.run(0, "status"), "退回待核实 1", "未读处理结果 1")
	d.has(d.run(0, "returned"), "1  ", "已退回", "请补门牌号")
	d.has(d.run(0, "told", "-read", "-mine"), "* 1", "待处理记录", "请补门牌号")
	d.has(d.run(0, "told"), "  1  ")
	d.has(d.run(0, "status"), "未读处理结果 0")
	d.has(d.run(1, "resubmit", "1", "headcount=three"), "未保存", "应为数字")
	d.has(d.run(0, "resubmit", "1", "headcount=4"), "已保存在本机")
	d.has(d.run(1, "resubmit", "1", "headcount=4"), "已经重新提交过")
	d.has(d.run(0, "log"), "已用第 2 号重新提交", "请补门牌号")
	d.has(d.run(0, "log", "-mine", "-lang", "en"), "delivered, kept aside, returned", "submitted anew as number 2")
	d.run(0, "sync")
	d.has(d.run(0, "returned"), "没有退回的内容")
}

func TestASecretarysDeskDecides(t *testing.T) {
	t.Setenv("GRIDPHONE_LANG", "zh")
	d := desk{t, filepath.Join(t.TempDir(), "phone.db")}
	d.run(0, "init", "-server", "http://127.0.0.1:1", "-token", token())
	var ids []string
	for range 3 {
		said := d.run(0, "record", "household", "address=幸福路 1 号", "found_on=2020-02-03", "-area", "330702001001")
		ids = append(ids, anID.FindString(said))
	}
	d.has(d.run(0, "merge", ids[1], ids[0]), "裁定已保存")
	d.has(d.run(1, "merge", ids[0], ids[1]), "已经是同一条")
	d.has(d.run(0, "list", "household"), "共 2 条", "已并入 1 条档案")
	d.has(d.run(0, "show", ids[1]), ids[1]+" 已并入 "+ids[0], "+ "+ids[1])
	d.has(d.run(0, "merge", ids[2], "0170086b-0000-7000-8000-000000000999"), "裁定已保存")
	d.has(d.run(0, "list", "household", "-lang", "en"), "merged into 0170086b-0000-7000-8000-000000000999")
	d.has(d.run(0, "different", ids[0], ids[2], "-reason", "门牌不同"), "裁定已保存")
	d.has(d.run(0, "list", "review"), "门牌不同", "共 1 条")
	d.has(d.run(0, "undo", ids[1]), device+" 4", ids[0])
	d.has(d.run(0, "undo", ids[0]), "没有可撤回的裁定")
	d.has(d.run(0, "undo", ids[1], "-", "4"), "同步之后")
	d.has(d.run(1, "undo", "0170086b-0000-7000-8000-000000000999", "-", "4"), "本机没有")
}

func TestASecretaryAcceptsWhatWaitsOrReturnsIt(t *testing.T) {
	t.Setenv("GRIDPHONE_LANG", "zh")
	d := desk{t, filepath.Join(t.TempDir(), "phone.db")}
	d.run(0, "init", "-server", "http://127.0.0.1:1", "-token", token())
	const record, other = "0170086b-0000-7000-8000-000000000701", "0170086b-0000-7000-8000-000000000102"
	d.has(d.run(1, "accept", record, other, "7"), "--area")
	d.has(d.run(2, "return", record, other, "7", "-area", "330702001001"), "--reason")
	d.has(d.run(1, "accept", "x", other, "7", "-area", "330702001001"), "x")
	d.has(d.run(0, "list", "review"), "共 0 条")
	d.has(d.run(0, "accept", record, other, "7", "-area", "330702001001", "-reason", "属实", "-without", "head,note"), "裁定已保存")
	d.has(d.run(0, "list", "review"), "accept", "属实", "head", "note", "共 1 条")
	d.has(d.run(0, "return", record, other, "7", "-reason", "请补门牌号"), "裁定已保存") // where it lies is known by now
	d.has(d.run(0, "list", "review"), "return", "请补门牌号", "共 1 条")
	d.has(d.run(0, "return", record, other, "8", "-area", "330702001001", "-reason", "重复", "-lang", "en"), "the decision is kept")
	d.has(d.run(0, "list", "review"), "共 2 条")
	d.has(d.run(0, "status"), "待上传 3")
}

func TestAMaskedValueSaysThatThereIsMoreToIt(t *testing.T) {
	t.Setenv("GRIDPHONE_LANG", "zh")
	person := must(syncproto.ParseID[syncproto.RecordID]("0170086b-0000-7000-8000-000000000701"))
	r := syncproto.Record{ID: person, Kind: "person", Area: "330702001001", Version: 2}
	for i, tag := range []string{"a1", "b2"} {
		device := must(syncproto.ParseID[syncproto.DeviceID](fmt.Sprintf("0170086b-0000-7000-8000-00000000030%d", i)))
		r.Live = append(r.Live, syncproto.Part{Device: device, N: 1, Author: syncproto.AuthorID(device), Version: syncproto.Version(i + 1), Fields: syncproto.Fields{
			"area": `"330702001001"`, "mobile": syncproto.Masked{}.Value(),
			"id_number": syncproto.Masked{Masked: "9990**********0012", Tag: tag}.Value(),
		}})
	}
	epoch := must(syncproto.ParseID[syncproto.Epoch]("0170086b-0000-7000-8000-000000000901"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(syncproto.Answer{Protocol: syncproto.Protocol, Epoch: epoch, Cursor: "c", Records: []syncproto.Record{r}})
	}))
	t.Cleanup(server.Close)
	d := desk{t, filepath.Join(t.TempDir(), "phone.db")}
	d.run(0, "init", "-server", server.URL, "-token", token())
	d.run(0, "sync")
	list := d.run(0, "list", "person")
	d.has(list, "9990**********0012 [已遮盖", "=[已遮盖]")
	show := d.run(0, "show", person.String(), "-lang", "en")
	d.has(show, "? 9990**********0012 [masked a1]", "? 9990**********0012 [masked b2]", ": [masked]")
	for _, text := range []string{"{", "tag", `"masked"`} {
		if strings.Contains(list+show, text) {
			t.Errorf("it shows %s:\n%s%s", text, list, show)
		}
	}
	d.has(d.run(1, "record", "person", "id_number=9990**********0012", "-record", person.String(), "-anyway"), "已遮盖")
}

func TestWhatTheServerRemarkedIsToldOnce(t *testing.T) {
	t.Setenv("GRIDPHONE_LANG", "zh")
	epoch := must(syncproto.ParseID[syncproto.Epoch]("0170086b-0000-7000-8000-000000000901"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(syncproto.Answer{
			Protocol: syncproto.Protocol, Epoch: epoch, Cursor: "c", Notice: &syncproto.Error{Code: syncproto.CodeClockOff},
		})
	}))
	t.Cleanup(server.Close)
	d := desk{t, filepath.Join(t.TempDir(), "phone.db")}
	d.run(0, "init", "-server", server.URL, "-token", token())
	d.run(0, "sync")
	if said := d.run(0, "status"); strings.Count(said, "手机时钟与服务器相差较大") != 1 {
		t.Errorf("told not once:\n%s", said)
	}
}

// What a code, an ending or an outcome is called is looked up by its name.
func TestEveryEndingHasItsText(t *testing.T) {
	var keys []string
	for _, said := range []syncproto.Said{
		syncproto.SaidKept, syncproto.SaidOther, syncproto.SaidMerged, syncproto.SaidDifferent,
		syncproto.SaidAccepted, syncproto.SaidReturned, syncproto.SaidUndone, syncproto.SaidSettled,
	} {
		keys = append(keys, "said_"+string(said))
	}
	for _, o := range []syncproto.Outcome{
		syncproto.Applied, syncproto.Merged, syncproto.Disputed, syncproto.Parked, syncproto.Duplicate, syncproto.Refused,
	} {
		keys = append(keys, "outcome_"+string(o))
	}
	for _, item := range []string{"conflict", "duplicate", "double_visit", "parked", "implausible", "exit", "restated"} {
		keys = append(keys, "item_"+item)
	}
	for _, s := range []clientsdk.State{
		clientsdk.Unsent, clientsdk.Sent, clientsdk.Delivered, clientsdk.NeedsAttention, clientsdk.Superseded, clientsdk.Resolved,
	} {
		keys = append(keys, "state_"+string(s))
	}
	for _, key := range keys {
		if _, ok := texts[key]; !ok {
			t.Errorf("%s has no text", key)
		}
	}
}

func TestALockedDeskThatWasGivenItsTokenSaysWhatItCantDeliver(t *testing.T) {
	t.Setenv("GRIDPHONE_LANG", "zh")
	d := desk{t, filepath.Join(t.TempDir(), "phone.db")}
	d.run(0, "init", "-server", givesBack(t), "-token", token())
	d.run(0, "record", "household", "address=幸福路", "found_on=2020-02-03", "-area", "330702001001")
	t.Setenv("GRIDPHONE_PIN", "135790")
	d.run(0, "pin")
	d.has(d.run(0, "deliver"), "上传 0 条", "另有 1 条要解锁后才能上传")
	d.run(0, "sync")
	if said := d.run(0, "deliver"); strings.Contains(said, "解锁") {
		t.Errorf("all is delivered:\n%s", said)
	}
}
