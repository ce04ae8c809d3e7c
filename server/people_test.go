package main

import (
	"strings"
	"testing"

	"gridsync/server/internal/host"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

func TestPeopleAndPhonesAreLookedAfterByCommands(t *testing.T) {
	dir := t.TempDir()
	if code, _, told := command(t, county, "areas", "import", "-", "-data", dir); code != 0 {
		t.Fatal(told)
	}
	var leaves, comes host.Enrolled
	err := withData(t.Context(), dataFlag{Data: dir}, func(d *host.Data) (err error) {
		if leaves, err = d.AddDevice(t.Context(), host.Device{Name: "甲手机", Authors: []identity.Author{{Name: "王芳"}}, Areas: []syncproto.AreaID{"3307"}}); err != nil {
			return err
		}
		comes, err = d.AddDevice(t.Context(), host.Device{Name: "乙手机", Authors: []identity.Author{{Name: "李伟"}}, Areas: []syncproto.AreaID{"33"}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	from, to, phone := leaves.Authors[0].ID.String(), comes.Authors[0].ID.String(), leaves.ID.String()
	for _, c := range []struct {
		args string
		has  []string // in what is written, in both streams
		not  []string
	}{
		{"people -area 3307", []string{from, "王芳", "3307", "volunteer", phone, "in_use"}, []string{"李伟"}},
		{"devices -area 3307", []string{phone, "甲手机", "王芳", "从未/never"}, []string{"乙手机"}},
		{"devices list -area 33", []string{"甲手机", "乙手机"}, nil},
		{"handover -from " + from + " -to " + to + " -area 33 -dry-run", []string{"dry run: 1 grants", "甲手机"}, nil},
		{"devices set -device " + phone + " -status lost -reason stolen", []string{"lost", "王芳"}, nil},
		{"handover -from " + from + " -to " + to + " -area 33", []string{"1 grants have passed"}, []string{"dry run"}},
		{"people -area 3307", []string{"王芳", "李伟", "lost"}, nil},
		{"devices set -device " + phone + " -status in_use", []string{"in_use"}, nil},
	} {
		code, out, told := command(t, "", append(strings.Fields(c.args), "-data", dir)...)
		if code != 0 {
			t.Fatalf("%s: %d %s", c.args, code, told)
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
	// There is nothing left to hand over.
	if code, _, told := command(t, "", "handover", "-from", from, "-to", to, "-area", "33", "-data", dir); code != 1 || !strings.Contains(told, " / ") {
		t.Errorf("again: %d %s", code, told)
	}
}
