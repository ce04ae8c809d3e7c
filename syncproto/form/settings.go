package form

import (
	"slices"
	"strings"

	"gridsync/syncproto"
)

// SettingDef defines a setting: what an area decides for itself and those below it. No
// document gives a fever threshold, a colour table or an hour of the day, so all of these
// are an installation's own to say.
type SettingDef struct {
	// Name is the setting's. One that ends in a point stands for all that begin with it:
	// the kind of a form stands behind.
	Name  string
	Label syncproto.Text
	// Type is Text, Integer, Decimal or Choices; Choices is a list of codes in order.
	Type Type
	// Default holds where nobody has set anything; null is none.
	Default syncproto.Value
	// Min and Max bound a number, and the members of a list.
	Min, Max *float64
	Unit     string
	// Clock says that a text is an hour of the day such as 18:00.
	Clock bool
	// Options are all codes that a list may have, in their usual order.
	Options []Option
}

func at(x float64) *float64 { return &x }

// Settings are all that there are, in order of their names.
var Settings = []SettingDef{
	{
		Name: "area_colours", Type: Choices, Default: `["blue","green","yellow","orange","red"]`, Min: at(2), Max: at(7), Options: colours,
		Label: syncproto.Text{ZH: "区域风险颜色（由低到高）", EN: "Colours of an area's risk, from low to high"},
	},
	{
		Name: "closing_hour", Type: Text, Default: `"18:00"`, Clock: true,
		Label: syncproto.Text{ZH: "日结时间", EN: "Hour at which a day is closed"},
	},
	{
		Name: "control_colours", Type: Choices, Default: `["green","blue","orange"]`, Min: at(2), Max: at(7), Options: colours,
		Label: syncproto.Text{ZH: "最小单元管控颜色（由宽到严）", EN: "Colours of control of the smallest unit, from loose to strict"},
	},
	{
		Name: "due_hours.", Type: Integer, Default: `24`, Min: at(1), Max: at(720), Unit: "h",
		Label: syncproto.Text{ZH: "办理时限", EN: "Hours in which it is due"},
	},
	{
		Name: "fever_threshold", Type: Decimal, Default: `37.3`, Min: at(35), Max: at(42), Unit: "°C",
		Label: syncproto.Text{ZH: "发热阈值", EN: "Fever from"},
	},
	{
		Name: "observation_days", Type: Integer, Default: `14`, Min: at(1), Max: at(60), Unit: "d",
		Label: syncproto.Text{ZH: "隔离观察天数", EN: "Days of observation"},
	},
	{
		Name: "person_colours", Type: Choices, Default: `["green","yellow","orange","red"]`, Min: at(2), Max: at(7), Options: colours,
		Label: syncproto.Text{ZH: "人员预警颜色（由轻到重）", EN: "Colours of warning about people, from mild to severe"},
	},
	{
		Name: "slots_per_day", Type: Integer, Default: `2`, Min: at(1), Max: at(6),
		Label: syncproto.Text{ZH: "每日测温次数", EN: "Temperatures a day"},
	},
	{
		Name: "template.", Type: Text, Default: syncproto.Null,
		Label: syncproto.Text{ZH: "填报模板", EN: "Template"},
	},
}

var colours = []Option{
	{Code: "blue", Label: syncproto.Text{ZH: "蓝", EN: "blue"}},
	{Code: "green", Label: syncproto.Text{ZH: "绿", EN: "green"}},
	{Code: "yellow", Label: syncproto.Text{ZH: "黄", EN: "yellow"}},
	{Code: "orange", Label: syncproto.Text{ZH: "橙", EN: "orange"}},
	{Code: "red", Label: syncproto.Text{ZH: "红", EN: "red"}},
	{Code: "purple", Label: syncproto.Text{ZH: "紫", EN: "purple"}},
	{Code: "grey", Label: syncproto.Text{ZH: "灰", EN: "grey"}},
}

// SettingOf returns the definition of a setting, and whether there is one: due_hours.visit
// is defined by due_hours., as a setting of each kind.
func SettingOf(name string) (*SettingDef, bool) {
	for i := range Settings {
		d := &Settings[i]
		if d.Name == name && !strings.HasSuffix(name, ".") {
			return d, true
		}
		if kind, of := strings.CutPrefix(name, d.Name); of && strings.HasSuffix(d.Name, ".") && syncproto.Kind(kind).Check() == nil {
			return d, true
		}
	}
	return nil, false
}

// defaultOf returns what a setting is where nobody has set it.
func defaultOf(name string) (syncproto.Value, bool) {
	d, ok := SettingOf(name)
	if !ok {
		return syncproto.Null, false
	}
	return d.Default, true
}

// Set returns what a setting is in an area on a day: what env says, or else its default.
func (d *SettingDef) Set(env Env, name string, day Day) syncproto.Value {
	if env != nil {
		if v := env.Setting(name, day); !v.IsNull() {
			return v
		}
	}
	return d.Default
}

// Check says what is wrong with a value for a setting, as an error with code fails_form
// whose field is the setting's name; nil if nothing is. Null passes: what holds above then
// holds here.
func (d *SettingDef) Check(name string, v syncproto.Value) *syncproto.Error {
	if v.IsNull() {
		return nil
	}
	if problem := d.valueProblem(v); problem != "" {
		return fails(name, problem)
	}
	return nil
}

func (d *SettingDef) valueProblem(v syncproto.Value) string {
	switch {
	case d.Type == Choices:
		return d.listProblem(v)
	case d.Clock:
		if s, _ := v.Text(); !validClock(s) {
			return "an hour such as 18:00"
		}
		return ""
	case d.Type == Text:
		name, ok := v.Text()
		if !ok || syncproto.CheckField(name) != nil {
			return "the name of a template"
		}
		return ""
	}
	field := Field{Type: d.Type, Min: d.Min, Max: d.Max}
	return field.numberProblem(v)
}

func (d *SettingDef) listProblem(v syncproto.Value) string {
	codes, ok := v.Texts()
	if !ok {
		return "a list of codes"
	}
	if n := float64(len(codes)); n < *d.Min || n > *d.Max {
		return "too few codes, or too many"
	}
	for i, code := range codes {
		if !slices.ContainsFunc(d.Options, func(o Option) bool { return o.Code == code }) {
			return "not one of the choices"
		}
		if slices.Contains(codes[:i], code) {
			return "a code is there twice"
		}
	}
	return ""
}

// validClock reads 18:00.
func validClock(s string) bool {
	if len(s) != 5 || s[2] != ':' {
		return false
	}
	for _, i := range []int{0, 1, 3, 4} {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s[:2] < "24" && s[3:] < "60"
}
