package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const (
	device = "0170086b-0000-7000-8000-000000000101"
	author = "0170086b-0000-7000-8000-000000000501"
)

// desk runs commands on one file.
type desk struct {
	t    *testing.T
	file string
}

func (d desk) run(want int, args ...string) string {
	d.t.Helper()
	var out, errOut bytes.Buffer
	code := realMain(context.Background(), append([]string{"-file", d.file}, args...), &out, &errOut)
	if code != want {
		d.t.Fatalf("%v: exit %d, want %d: %s%s", args, code, want, out.String(), errOut.String())
	}
	return out.String() + errOut.String()
}

func (d desk) has(text string, parts ...string) {
	d.t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			d.t.Errorf("%q is missing in:\n%s", p, text)
		}
	}
}

func token() string {
	claims := `{"sub":"` + device + `","author":"` + author + `"}`
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
}

func TestADayAtADeskWithoutASignal(t *testing.T) {
	t.Setenv("GRIDPHONE_LANG", "zh")
	d := desk{t, filepath.Join(t.TempDir(), "phone.db")}
	d.has(d.run(1, "status"), "请先用 enrol 登记本机")
	if _, err := os.Stat(d.file); err == nil {
		t.Error("a file that stands in the way of enrolling was made")
	}
	d.has(d.run(1, "init", "-server", "http://127.0.0.1:1"), "--token")
	d.has(d.run(0, "init", "-server", "http://127.0.0.1:1", "-token", token()), device, author)
	kept, err := os.Stat(configPath(d.file))
	if err != nil || kept.Mode().Perm() != 0o600 {
		t.Fatalf("the token's file: %v, %v", kept.Mode(), err)
	}

	said := d.run(0, "record", "household", "address=幸福路 1 号", "headcount=3", "found_on=2020-02-03", "-area", "330702001001")
	id := regexp.MustCompile(`[0-9a-f-]{36}`).FindString(said)
	d.run(0, "record", "household", "note=有狗", "-record", id)
	d.has(d.run(1, "record", "household", "headcount=three", "-record", id), "未保存", "应为数字", "headcount")
	d.has(d.run(0, "list", "household"), "住址=幸福路 1 号", "人数=3", "备注=有狗", "待上传", "共 1 条")
	d.has(d.run(0, "list", "household", "-area", "elsewhere"), "共 0 条")
	d.has(d.run(0, "show", id, "-lang", "en"), "Address (address)", "not sent")
	d.has(d.run(0, "status"), "待上传 2", "还没有同步过")
	d.has(d.run(0, "log"), "1  待上传", "2  待上传")
	d.has(d.run(0, "attention"), "没有需要处理的内容")
	d.has(d.run(1, "sync"), "连不上服务器")
	d.has(d.run(0, "status", "-lang=en"), "unsent 2")
}

func TestEveryTextIsInBothLanguages(t *testing.T) {
	for key, text := range texts {
		if text[0] == "" || text[1] == "" {
			t.Errorf("%s lacks a language", key)
		}
		if strings.Count(text[0], "%") != strings.Count(text[1], "%") {
			t.Errorf("%s: the languages say different things", key)
		}
	}
}

func TestABadCommandLineIsToldAndExitsTwo(t *testing.T) {
	d := desk{t, filepath.Join(t.TempDir(), "phone.db")}
	d.run(2, "fly")
	d.has(d.run(0, "--help"), "gridphone")
}

func TestWhatTheFormRejectsIsNotKeptAndSaysWhy(t *testing.T) {
	d := desk{t, filepath.Join(t.TempDir(), "phone.db")}
	d.run(0, "init", "-server", "http://127.0.0.1:1", "-token", token())
	entry := []string{"record", "person", "name=某人", "found_on=2020-02-03", "id_number=123", "-area", "grid"}
	d.has(d.run(1, append(entry, "-lang", "zh")...), "未保存", "身份证号", "校验位不符", "--anyway")
	d.has(d.run(1, append(entry, "-lang", "en")...), "not kept", "the check character does not fit", "--anyway")
	d.has(d.run(0, "list", "person", "-lang", "zh"), "共 0 条")
	d.run(0, append(entry, "-anyway")...)
	d.has(d.run(0, "list", "person", "-lang", "zh"), "共 1 条")
}
