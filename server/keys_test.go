package main

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKeysAreListedByNumberAndNeverShown(t *testing.T) {
	dir := installation(t)
	code, out, told := command(t, "", "keys", "list", "-data", dir)
	if code != 0 || told != "" || !strings.Contains(out, "数据密钥 1 ") || !strings.Contains(out, "用于加密") || !strings.Contains(out, "比对密钥") {
		t.Errorf("%d %s %s", code, out, told)
	}
	for _, name := range []string{"data-0001.key", "digest.key"} {
		key, err := os.ReadFile(filepath.Join(dir, "keys", name))
		if err != nil {
			t.Fatal(err)
		}
		bytes, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(key)))
		if err != nil || len(bytes) != 32 {
			t.Errorf("%s holds %d bytes, %v", name, len(bytes), err)
		}
		if strings.Contains(out, strings.TrimSpace(string(key))) || strings.Contains(out, string(bytes)) {
			t.Errorf("%s is shown", name)
		}
	}
}

func TestKeysAreChangedAndTheOldOneMayGo(t *testing.T) {
	dir := installation(t)
	first := filepath.Join(dir, "keys", "data-0001.key")
	code, out, told := command(t, "", "keys", "rotate", "-data", dir)
	if code != 0 || out != "" || !strings.Contains(told, "现由数据密钥 2 加密") || !strings.Contains(told, "已不需要 "+first) {
		t.Errorf("%d %s %s", code, out, told)
	}
	if code, out, _ := command(t, "", "keys", "list", "-data", dir); code != 0 || !strings.Contains(out, "数据密钥 2 ") || !strings.Contains(out, "已无用") {
		t.Errorf("%d %s", code, out)
	}
	if err := os.Remove(first); err != nil {
		t.Fatal(err)
	}
	if code, out, told := command(t, "", "verify", "-data", dir); code != 0 {
		t.Errorf("%d %s %s", code, out, told)
	}
	code, _, told = command(t, "", "keys", "rotate", "-drop", "-data", dir)
	if code != 0 || !strings.Contains(told, "已删除") {
		t.Errorf("%d %s", code, told)
	}
}

func TestWithoutItsKeysTheServerSaysWhatToDo(t *testing.T) {
	dir := installation(t)
	keys := filepath.Join(dir, "keys")
	if err := os.Rename(keys, keys+"-away"); err != nil {
		t.Fatal(err)
	}
	if code, _, told := command(t, "", "verify", "-data", dir); code != 1 || !strings.Contains(told, "请把原来的 data-*.key 文件放回") || !strings.Contains(told, "put the data-*.key files back") {
		t.Errorf("%d %s", code, told)
	}
	if code, _, told := command(t, "", "verify", "-data", dir, "-keys", keys+"-away"); code != 0 {
		t.Errorf("%d %s", code, told)
	}
	if err := os.Rename(filepath.Join(keys+"-away", "data-0001.key"), filepath.Join(keys+"-away", "data-0002.key")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GRIDSYNC_KEYS", keys+"-away")
	if code, _, told := command(t, "", "verify", "-data", dir); code != 1 || !strings.Contains(told, "缺少一把数据密钥") || !strings.Contains(told, "data key 1 is missing") {
		t.Errorf("%d %s", code, told)
	}
}
