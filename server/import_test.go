package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gridsync/server/internal/host"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

func TestARosterIsBroughtInByACommand(t *testing.T) {
	dir := t.TempDir()
	if code, _, told := command(t, county, "areas", "import", "-", "-data", dir); code != 0 {
		t.Fatal(told)
	}
	var who host.Enrolled
	err := withData(t.Context(), dataFlag{Data: dir}, func(d *host.Data) (err error) {
		who, err = d.AddDevice(t.Context(), host.Device{Name: "书记", Areas: []syncproto.AreaID{"3307"}, Role: identity.Secretary})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "名单.csv")
	if err := os.WriteFile(file, []byte("姓名,出生日期,联系电话,颜色\n张三,1950/1/1,99900000001,红\n李四,不知道,99900000002,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	author := who.Authors[0].ID.String()
	for _, c := range []struct {
		args string
		code int
		has  []string
		not  []string
	}{
		{"-area 3307", 0, []string{"B3", "不知道", "共 2 行：新增 1", "颜色", "只是预览"}, []string{"已写入"}},
		{"-area 3307 -apply", 2, []string{"-who"}, []string{"已写入"}},
		{"-area 3307 -apply -author " + author, 1, []string{"B3"}, []string{"已写入"}},
		{"-area 3307 -apply -skip-bad -author " + author, 0, []string{"已写入 1 条"}, []string{"只是预览"}},
		{"-area 3307", 0, []string{"新增 0，相同 1"}, nil},
		{"-area nowhere", 1, []string{"区域"}, []string{"共 2 行", "档案"}},
		{"-area 3307 -apply -json -author " + author, 1, []string{"什么也没有导入"}, []string{"applied"}},
	} {
		code, out, told := command(t, "", append(append([]string{"import", file}, strings.Fields(c.args)...), "-data", dir)...)
		if code != c.code {
			t.Errorf("%s: %d, not %d: %s%s", c.args, code, c.code, out, told)
		}
		for _, has := range c.has {
			if !strings.Contains(out+told, has) {
				t.Errorf("%s: doesn't say %q: %s%s", c.args, has, out, told)
			}
		}
		for _, not := range append(c.not, "%!") {
			if strings.Contains(out+told, not) {
				t.Errorf("%s: says %q: %s%s", c.args, not, out, told)
			}
		}
	}
	broken := filepath.Join(dir, "坏.xlsx")
	if err := os.WriteFile(broken, []byte("PK\x03\x04cut"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, told := command(t, "", "import", broken, "-area", "3307", "-data", dir); code != 1 || !strings.Contains(told, "损坏") {
		t.Errorf("a broken file: %d %s", code, told)
	}
	if code, out, told := command(t, "", "audit", "-act", "imported", "-data", dir); code != 0 || !strings.Contains(out, "person rows 2 entered 1") {
		t.Errorf("%d %s%s", code, out, told)
	}
	if code, out, told := command(t, "", "rebuild", "-check", "-data", dir); code != 0 {
		t.Errorf("%d %s%s", code, out, told)
	}
}
