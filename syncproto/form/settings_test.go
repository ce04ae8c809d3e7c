package form_test

import (
	"slices"
	"strings"
	"testing"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

func TestEverySettingHasALabelAndADefaultThatPasses(t *testing.T) {
	var names []string
	for i := range form.Settings {
		d := &form.Settings[i]
		names = append(names, d.Name)
		if strings.TrimSpace(d.Label.ZH) == "" || strings.TrimSpace(d.Label.EN) == "" {
			t.Errorf("%s: label %+v", d.Name, d.Label)
		}
		if problem := d.Check(d.Name, d.Default); problem != nil {
			t.Errorf("%s: its default %s fails: %v", d.Name, d.Default, problem)
		}
		if d.Default.IsNull() != (d.Name == "template.") {
			t.Errorf("%s: default %s", d.Name, d.Default)
		}
	}
	if !slices.IsSorted(names) || len(slices.Compact(names)) != len(form.Settings) {
		t.Errorf("not in order, or one twice: %v", names)
	}
}

func TestASettingIsFoundByItsNameAlone(t *testing.T) {
	for name, want := range map[string]string{
		"fever_threshold": "fever_threshold", "due_hours.visit": "due_hours.", "template.passage": "template.",
		"fever": "", "due_hours": "", "due_hours.": "", "due_hours.a b": "", "": "",
	} {
		got := ""
		if d, ok := form.SettingOf(name); ok {
			got = d.Name
		}
		if got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

func TestAValueThatASettingCannotHaveIsTurnedAway(t *testing.T) {
	for name, cases := range map[string]struct{ good, bad []syncproto.Value }{
		"fever_threshold":  {[]syncproto.Value{"37.3", "38", "null"}, []syncproto.Value{"34.9", "42.1", `"37.3"`, "[]", "true"}},
		"slots_per_day":    {[]syncproto.Value{"1", "6"}, []syncproto.Value{"0", "7", "1.5"}},
		"observation_days": {[]syncproto.Value{"14", "60"}, []syncproto.Value{"0", "61"}},
		"closing_hour":     {[]syncproto.Value{`"00:00"`, `"23:59"`}, []syncproto.Value{`"24:00"`, `"18:60"`, `"8:00"`, `"18.00"`, "18", `"ab:cd"`}},
		"area_colours":     {[]syncproto.Value{`["green","red"]`}, []syncproto.Value{`["green"]`, `["green","green"]`, `["green","pink"]`, `"green"`, "[]"}},
		"due_hours.visit":  {[]syncproto.Value{"1", "720"}, []syncproto.Value{"0", "721"}},
		"template.passage": {[]syncproto.Value{`"qigebi"`}, []syncproto.Value{`"七个必"`, "1", `""`}},
	} {
		d, ok := form.SettingOf(name)
		if !ok {
			t.Fatalf("no setting %s", name)
		}
		for _, v := range cases.good {
			if problem := d.Check(name, v); problem != nil {
				t.Errorf("%s %s: %v", name, v, problem)
			}
		}
		for _, v := range cases.bad {
			if problem := d.Check(name, v); problem == nil || problem.Field != name || problem.Code != syncproto.CodeFailsForm {
				t.Errorf("%s %s: %v", name, v, problem)
			}
		}
	}
}

func TestWhatNobodyHasSetIsTheDefault(t *testing.T) {
	d, _ := form.SettingOf("fever_threshold")
	if got := d.Set(nil, d.Name, 0); got != "37.3" {
		t.Errorf("without an area: %s", got)
	}
	if got := d.Set(thresholds("null"), d.Name, 0); got != "37.3" {
		t.Errorf("where it was taken back: %s", got)
	}
	if got := d.Set(thresholds("38"), d.Name, 0); got != "38" {
		t.Errorf("where it was set: %s", got)
	}
}
