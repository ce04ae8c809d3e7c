package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const pollForm = `{"kind":"poll","label":{"zh":"问卷","en":"Poll"},"stream":"history",
"fields":[{"name":"on","type":"date","rule":"latest","label":{"zh":"日","en":"Day"}}]}`

const pollTemplate = `{"name":"quick","version":1,"kind":"poll","label":{"zh":"快查","en":"Quick"},"fields":[{"name":"on","required":true}]}`

func TestFormsArePublishedAndSettingsSetByCommands(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if code, _, told := command(t, county, "areas", "import", "-", "-data", dir); code != 0 {
		t.Fatal(told)
	}
	form, template, wrong := file("poll.json", pollForm), file("quick.json", pollTemplate), file("wrong.json", `{"kind":"poll"}`)
	for _, c := range []struct {
		args string
		code int
		has  []string // in what is written, in both streams
		not  []string
	}{
		{"forms", 0, []string{"form  household/1  户 / Household", "template  "}, []string{"poll", "[有草稿"}},
		{"forms publish poll", 1, []string{"not_found", " / "}, nil},
		{"forms draft " + wrong, 1, []string{"bad_form", "表单定义有误"}, nil},
		{"forms draft " + form, 0, []string{"已存为草稿 poll", "kept as a draft of poll"}, nil},
		{"forms list", 0, []string{"form  poll  [有草稿 / a draft]"}, nil},
		{"forms publish poll", 0, []string{"已发布 poll 第 1 版", "published poll, version 1"}, nil},
		{"forms list", 0, []string{"form  poll/1  问卷 / Poll", "本机 / at the machine"}, []string{"[有草稿"}},
		{"forms show poll", 0, []string{`"version": 1`, `"on"`}, nil},
		{"forms show poll -version 2", 1, []string{"not_found"}, nil},
		{"forms draft " + template, 0, []string{"quick"}, nil},
		{"forms publish -template quick", 0, []string{"published quick, version 1"}, nil},
		{"forms import " + form, 1, []string{" / "}, []string{"kept as a draft"}},
		{"settings 3307", 0, []string{"fever_threshold = 37.3", "默认 / by default", "closing_hour = \"18:00\""}, []string{"本区域设置"}},
		{
			"settings 33 fever_threshold=37.5 closing_hour=17:30 template.poll=quick -from 2020-01-31", 0,
			[]string{"fever_threshold = 37.5", "set here", "2020-01-31  closing_hour", "本机"},
			nil,
		},
		{"settings 3307 -from 2020-01-30", 0, []string{"fever_threshold = 37.3"}, []string{"quick"}},
		{"settings 3307 -from 2020-01-31", 0, []string{"fever_threshold = 37.5", "(33)", "template.poll = \"quick\""}, []string{"set here"}},
		{"settings 3307 fever_threshold=99", 1, []string{"bad_setting (fever_threshold)", "超出允许范围"}, nil},
		{"settings 3307 fever=38", 1, []string{"bad_setting (fever)"}, nil},
		{"settings 3307 fever", 1, []string{"bad_setting (fever)"}, nil},
		{"settings 9 fever_threshold=38", 1, []string{"not_found (area)"}, nil},
		{"settings 33 fever_threshold= -from 2020-01-31", 0, []string{"fever_threshold = 37.3"}, nil},
	} {
		code, out, told := command(t, "", append(strings.Fields(c.args), "-data", dir)...)
		if code != c.code {
			t.Fatalf("%s: %d %s%s", c.args, code, out, told)
		}
		for _, has := range c.has {
			if !strings.Contains(out+told, has) {
				t.Errorf("%s: doesn't say %q: %s%s", c.args, has, out, told)
			}
		}
		for _, not := range c.not {
			if strings.Contains(out+told, not) {
				t.Errorf("%s: says %q: %s%s", c.args, not, out, told)
			}
		}
		if strings.Contains(out+told, "%!") {
			t.Errorf("%s: %s%s", c.args, out, told)
		}
	}
}
