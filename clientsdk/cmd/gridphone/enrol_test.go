package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gridsync/syncproto"
)

// front is a server that lets people in and goes offline after.
func front(t *testing.T) *httptest.Server {
	t.Helper()
	box, err := syncproto.NewBoxKey(append(make([]byte, 31), 1))
	if err != nil {
		t.Fatal(err)
	}
	undertaking := syncproto.Undertaking{Version: 3, Text: syncproto.Text{ZH: "保密承诺：仅用于本项工作", EN: "Undertaking: for this work only"}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e syncproto.Enrolling
		_ = json.NewDecoder(r.Body).Decode(&e)
		var answer any
		switch {
		case r.URL.Path == "/v1/undertaking":
			answer = syncproto.Undertaking{Version: 4, Text: syncproto.Text{ZH: "新版保密承诺：不得转发", EN: "Undertaking: pass nothing on"}}
		case e.Code != "GOOD":
			w.WriteHeader(http.StatusNotFound)
			answer = &syncproto.Error{Code: syncproto.CodeInviteUnknown}
		case r.URL.Path == "/v1/enrol/look":
			answer = syncproto.Invited{AreaID: "330702001001", AreaName: "幸福社区一组", Role: "volunteer", Undertaking: undertaking}
		case r.URL.Path == "/v1/enrol" && e.Undertaking == 3:
			answer = syncproto.Enrolled{Author: syncproto.AuthorID(e.Device), Tokens: syncproto.Tokens{
				Access: "t", AccessUntil: 1 << 50, Refresh: "1", Now: 1, Box: box.Public(), State: syncproto.EnrolmentWaiting, Undertaking: 3,
			}}
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(s.Close)
	return s
}

// types lets the next commands read lines.
func types(t *testing.T, lines string) {
	t.Helper()
	before := stdin
	stdin = func() *bufio.Reader { return bufio.NewReader(strings.NewReader(lines)) }
	t.Cleanup(func() { stdin = before })
}

func TestNobodyComesInWithoutAcceptingTheUndertaking(t *testing.T) {
	t.Setenv("GRIDPHONE_LANG", "zh")
	s := front(t)
	d := desk{t, filepath.Join(t.TempDir(), "phone.db")}
	enrol := []string{"enrol", "GOOD", "-server", s.URL, "-name", "陈梅"}
	d.has(d.run(1, "enrol", "BAD", "-server", s.URL, "-name", "陈梅"), "invite_unknown")
	types(t, "以后再说\n")
	d.has(d.run(1, enrol...), "幸福社区一组", "网格员", "保密承诺：仅用于本项工作", "没有登记")
	if _, err := os.Stat(d.file + ".keys"); err == nil {
		t.Error("somebody came in")
	}
	types(t, "接受\n")
	d.has(d.run(0, enrol...), "已登记：陈梅", "等待社区确认")
	kept, err := os.Stat(d.file + ".keys")
	if err != nil || kept.Mode().Perm() != 0o600 {
		t.Errorf("the keys' file: %v, %v", kept, err)
	}
	d.run(0, "record", "household", "address=幸福路 1 号", "found_on=2020-02-03", "-area", "330702001001")
	d.has(d.run(0, "status"), "待上传 1", "等待社区确认")
	d.has(d.run(0, "status", "-lang", "en"), "waiting for the office")
}

func TestASealedFileAsksForItsPINBeforeItShowsAnything(t *testing.T) {
	t.Setenv("GRIDPHONE_LANG", "zh")
	s := front(t)
	d := desk{t, filepath.Join(t.TempDir(), "phone.db")}
	d.run(0, "enrol", "GOOD", "-server", s.URL, "-name", "陈梅", "-accept")
	d.run(0, "record", "household", "address=幸福路 1 号", "found_on=2020-02-03", "-area", "330702001001")
	types(t, "111111\n")
	d.has(d.run(1, "pin"), "不能全部相同")
	types(t, "135790\n")
	d.has(d.run(0, "pin"), "PIN 已设好")
	types(t, "")
	d.has(d.run(1, "list", "household"), "请输入 PIN")
	types(t, "246801\n")
	said := d.run(1, "list", "household")
	d.has(said, "PIN 不对，还可再试 4 次")
	if strings.Contains(said, "幸福路") {
		t.Error("it shows what is sealed")
	}
	d.has(d.run(0, "status"), "已上锁", "待上传 1")
	types(t, "135790\n246801\n") // the old one, and a new one
	d.has(d.run(0, "pin"), "PIN 已设好")
	t.Setenv("GRIDPHONE_PIN", "246801")
	d.has(d.run(0, "list", "household"), "幸福路 1 号")
	s.Close()
	t.Setenv("GRIDPHONE_PIN", "")
	d.has(d.run(1, "deliver"), "连不上服务器")
}

// typist sits at a terminal and types where nothing is shown.
type typist struct {
	lines    []string
	restored bool
}

func (p *typist) readLine() (string, error) {
	if len(p.lines) == 0 {
		select {} // thinks for ever
	}
	line := p.lines[0]
	p.lines = p.lines[1:]
	return line, nil
}

func (p *typist) restore() error { p.restored = true; return nil }

func sits(t *testing.T, p *typist) {
	t.Helper()
	before := terminal
	terminal = func() hidden { return p }
	t.Cleanup(func() { terminal = before })
}

func TestAPINThatIsTypedAtATerminalIsReadWhereNothingIsShown(t *testing.T) {
	t.Setenv("GRIDPHONE_LANG", "zh")
	s := front(t)
	d := desk{t, filepath.Join(t.TempDir(), "phone.db")}
	d.run(0, "enrol", "GOOD", "-server", s.URL, "-name", "陈梅", "-accept")
	types(t, "111111\n222222\n333333\n") // what is shown as it is typed
	sits(t, &typist{lines: []string{"135790"}})
	d.has(d.run(0, "pin"), "新 PIN", "PIN 已设好")
	sits(t, &typist{lines: []string{"135790", "246801"}})
	said := d.run(0, "pin")
	d.has(said, "PIN：", "新 PIN", "PIN 已设好")
	sits(t, &typist{lines: []string{"246801"}})
	said += d.run(0, "list", "household")
	for _, pin := range []string{"135790", "246801"} {
		if strings.Contains(said, pin) {
			t.Errorf("it shows %s", pin)
		}
	}
}

func TestWhoHasHadEnoughOfAQuestionLeavesTheTerminalAsItWas(t *testing.T) {
	at := &typist{}
	sits(t, at)
	ctx, enough := context.WithCancel(context.Background())
	enough()
	s := session{ctx: ctx, out: io.Discard, say: wordsFor(nil, "zh"), in: stdin()}
	if _, err := s.secret("pin_prompt"); !errors.Is(err, context.Canceled) {
		t.Errorf("broken off: %v", err)
	}
	if !at.restored {
		t.Error("what is typed isn't shown any more")
	}
}

func TestANewerUndertakingIsShownAskedForAndAccepted(t *testing.T) {
	t.Setenv("GRIDPHONE_LANG", "zh")
	s := front(t)
	d := desk{t, filepath.Join(t.TempDir(), "phone.db")}
	d.run(0, "enrol", "GOOD", "-server", s.URL, "-name", "陈梅", "-accept")
	d.has(d.run(0, "undertaking"), "没有需要接受的")
	keys, err := os.ReadFile(d.file + ".keys")
	if err != nil {
		t.Fatal(err)
	}
	newer := bytes.Replace(keys, []byte(`"undertaking":3},"offset"`), []byte(`"undertaking":4},"offset"`), 1) // as the server says by now
	if err := os.WriteFile(d.file+".keys", newer, 0o600); err != nil {
		t.Fatal(err)
	}
	d.has(d.run(0, "status"), "第 4 版", "undertaking")
	types(t, "不\n")
	d.has(d.run(1, "undertaking"), "保密承诺第 4 版", "不得转发", "未接受")
	d.has(d.run(0, "status"), "第 4 版")
	types(t, "accept\n")
	d.has(d.run(0, "undertaking", "-lang", "en"), "version 4", "pass nothing on", "the server is told")
	if said := d.run(0, "status"); strings.Contains(said, "第 4 版") {
		t.Errorf("still asked for:\n%s", said)
	}
	d.has(d.run(0, "undertaking"), "没有需要接受的")
}

func TestAFileOfAnotherDeviceIsNotEnrolledAndNoCodeIsSpentOnIt(t *testing.T) {
	t.Setenv("GRIDPHONE_LANG", "zh")
	s := front(t)
	d := desk{t, filepath.Join(t.TempDir(), "phone.db")}
	d.run(0, "init", "-server", s.URL, "-token", token())
	d.has(d.run(1, "enrol", "GOOD", "-server", s.URL, "-name", "陈梅", "-accept"), "--file")
	if _, err := os.Stat(d.file + ".keys"); err == nil {
		t.Error("a code was spent")
	}
}

func TestASharedPhoneIsUsedByName(t *testing.T) {
	t.Setenv("GRIDPHONE_LANG", "zh")
	s := front(t)
	d := desk{t, filepath.Join(t.TempDir(), "unused.db")}
	folder := filepath.Join(t.TempDir(), "phone")
	for name, pin := range map[string]string{"陈梅": "135790", "李强": "246801"} {
		t.Setenv("GRIDPHONE_PIN", pin)
		d.run(0, "enrol", "GOOD", "-server", s.URL, "-phone", folder, "-name", name, "-accept")
		d.run(0, "record", "household", "address="+name+"家", "found_on=2020-02-03", "-area", "330702001001", "-phone", folder, "-user", name)
	}
	d.has(d.run(0, "users", "-phone", folder), "陈梅", "李强", "待上传 1")
	d.has(d.run(1, "list", "household", "-phone", folder), "--user")
	t.Setenv("GRIDPHONE_PIN", "135790")
	d.has(d.run(1, "list", "household", "-phone", folder, "-user", "李强"), "PIN 不对")
	mine := d.run(0, "list", "household", "-phone", folder, "-user", "陈梅")
	d.has(mine, "陈梅家", "共 1 条")
	if strings.Contains(mine, "李强家") {
		t.Error("one sees what another wrote")
	}
	if _, err := os.Stat(d.file); err == nil {
		t.Error("a file outside the phone's folder was made")
	}
	d.has(d.run(1, "users"), "--phone")
}
