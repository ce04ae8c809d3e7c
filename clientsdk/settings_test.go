package clientsdk_test

import (
	"encoding/json"
	"slices"
	"testing"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// county lies above both grids.
const county syncproto.AreaID = "3307"

// sets tells of areas in which something was set.
func (f *fake) sets(areas ...syncproto.Area) {
	f.lie = func(a *syncproto.Answer) {
		if len(a.Areas) > 0 || len(areas) > 0 {
			a.Areas = areas
		}
	}
}

func fever(t *testing.T, p *phone, area syncproto.AreaID, day form.Day) string {
	t.Helper()
	return string(p.Settings(area).Setting("fever_threshold", day))
}

func TestWhatIsSetAboveHoldsBelowFromItsDayOn(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	equal(t, "before anything was heard", fever(t, p, grid1, 20200131), "null")
	above := syncproto.Area{ID: county, Name: "县", Above: true, Settings: []syncproto.Setting{
		{Name: "fever_threshold", From: "2020-01-20", Value: "37.5"}, {Name: "fever_threshold", From: "2020-02-01", Value: "37.20"},
	}}
	own := syncproto.Area{ID: grid1, Parent: county, Settings: []syncproto.Setting{
		{Name: "fever_threshold", From: "2020-01-25", Value: "37"},
		{Name: "fever_threshold", From: "2020-01-28", Value: syncproto.Null},
		{Name: "fever_threshold", From: "some day", Value: "99"},
	}}
	f.sets(above, own, syncproto.Area{ID: grid2, Parent: county})
	p.sync(t)
	for _, c := range []struct {
		area syncproto.AreaID
		day  form.Day
		want string
	}{
		{grid1, 20200119, "null"},
		{grid1, 20200120, "37.5"},
		{grid1, 20200124, "37.5"},
		{grid1, 20200125, "37"},
		{grid1, 20200127, "37"},
		{grid1, 20200128, "37.5"},
		{grid1, 20200201, "37.20"},
		{grid2, 20200126, "37.5"},
		{county, 20200126, "37.5"},
		{"elsewhere", 20200126, "null"},
		{grid1, 0, "null"},
	} {
		equal(t, string(c.area)+" on "+c.day.String(), fever(t, p, c.area, c.day), c.want)
	}
	equal(t, "of another name", string(p.Settings(grid1).Setting("closing_hour", 20200201)), "null")
	_ = p.Close()
	p.open(t)
	equal(t, "after a restart", fever(t, p, grid1, 20200125), "37")

	own.Settings = own.Settings[1:2]
	f.sets(above, own)
	p.sync(t)
	equal(t, "what is told anew replaces what was", fever(t, p, grid1, 20200126), "37.5")
	f.sets(syncproto.Area{ID: grid1, Parent: grid2}, syncproto.Area{ID: grid2, Parent: grid1})
	p.sync(t)
	equal(t, "areas that lie in each other", fever(t, p, grid1, 20200126), "null")
}

func TestTheNewestVersionOfAnAreasTemplateAsks(t *testing.T) {
	f := newFake(t)
	p := newPhone(t, f, 1)
	template := func(name string, version, kind string) json.RawMessage {
		return json.RawMessage(`{"name":"` + name + `","version":` + version + `,"kind":"` + kind + `","label":{"zh":"查","en":"x"},"fields":[{"name":"head","required":true}]}`)
	}
	f.lie = func(a *syncproto.Answer) {
		if len(a.Areas) == 0 {
			return
		}
		a.Templates = []json.RawMessage{
			template("check", "2", "household"), template("check", "1", "household"), template("other", "1", "person"), json.RawMessage(`{"name":3}`),
		}
		a.Areas[0].Settings = []syncproto.Setting{
			{Name: "template.household", From: "2020-01-20", Value: `"check"`}, {Name: "template.person", From: "2020-01-20", Value: `"check"`},
		}
	}
	report := p.sync(t)
	equal(t, "unread", report.UnreadForms, 1)
	for range 2 {
		asks := p.Template("household", grid1, 20200131)
		if asks == nil || asks.Version != 2 {
			t.Fatalf("asks by %+v", asks)
		}
		equal(t, "before it is so", p.Template("household", grid1, 20200101) == nil, true)
		equal(t, "elsewhere", p.Template("household", grid2, 20200131) == nil, true)
		equal(t, "one of another kind", p.Template("person", grid1, 20200131) == nil, true)
		equal(t, "each once", len(slices.CompactFunc(p.Templates(), func(a, b *form.Template) bool { return a.Name == b.Name })), len(p.Templates()))
		_ = p.Close()
		p.open(t)
	}
}
