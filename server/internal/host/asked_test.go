package host

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"gridsync/syncproto"
)

// tells pushes a new record by a version of its form, from a phone whose clock is off by so
// much.
func (s *station) tells(kind string, version int, area syncproto.AreaID, fields string, off time.Duration) syncproto.Verdict {
	s.Helper()
	s.n++
	clock := time.Now().Add(off).UnixMilli()
	answer, err := s.exchange.Sync(s.Context(), s.phone.ID, &syncproto.Request{
		Protocol: syncproto.Protocol, Device: s.phone.ID, Clock: syncproto.Instant(clock), High: s.n,
		Changes: []json.RawMessage{json.RawMessage(fmt.Sprintf(
			`{"id":%q,"n":%d,"author":%q,"kind":%q,"record":%q,"area":%q,"base":0,"fields":%s,"at":%d,"form":%d}`,
			syncproto.ChangeID{byte(s.n), 8}, s.n, s.phone.Authors[0].ID, kind, syncproto.RecordID{byte(s.n), 8}, area, fields, clock, version,
		))},
	})
	s.must(err)
	return answer.Verdicts[0]
}

func (s *station) verdict(v syncproto.Verdict, want syncproto.Outcome, code syncproto.Code, field string) {
	s.Helper()
	var why syncproto.Error
	if v.Reason != nil {
		why = *v.Reason
	}
	if v.Verdict != want || why.Code != code || why.Field != field {
		s.Errorf("%s, %s (%s); want %s, %s (%s)", v.Verdict, why.Code, why.Field, want, code, field)
	}
}

func TestWhatAPlaceAsksForIsRemarkedOnAndStopsNothing(t *testing.T) {
	s := newStation(t)
	const passed = `{"passed_at":1580400000000%s}`
	s.verdict(s.tells("passage", 2, "g1", fmt.Sprintf(passed, ""), 0), syncproto.Applied, "", "")
	s.sets("c1", "template.passage", "2020-01-01", `"liangcha-liangwen"`)
	s.verdict(s.tells("passage", 2, "g1", fmt.Sprintf(passed, ""), 0), syncproto.Applied, syncproto.CodeNotAnswered, "temperature")
	s.verdict(s.tells("passage", 2, "g1", fmt.Sprintf(passed, `,"temperature":36.5,"health_code":"green","from":"甲县"`), 0), syncproto.Applied, syncproto.CodeNotAnswered, "to")
	s.verdict(s.tells("passage", 2, "g1", fmt.Sprintf(passed, `,"temperature":36.5,"health_code":"green","from":"甲县","to":"乙县"`), 0), syncproto.Applied, "", "")
	// Another place asks for nothing, nor does this one of another kind.
	s.verdict(s.tells("passage", 2, "g2", fmt.Sprintf(passed, ""), 0), syncproto.Applied, "", "")
	s.verdict(s.tells("household", 1, "g1", `{"address":"一号","found_on":"2020-01-31"}`, 0), syncproto.Applied, "", "")
	s.expect("passages", "33", 20200131, 5)
	s.sound()
}

func TestConditionsOfAFormAreHeldByTheTrueTime(t *testing.T) {
	s := newStation(t)
	next := s.alters("household", func(definition map[string]any) {
		fields, _ := definition["fields"].([]any)
		for _, x := range fields {
			field, _ := x.(map[string]any)
			switch field["name"] {
			case "found_on":
				field["constraint"] = ". <= today()"
			case "note":
				field["relevant"] = "${headcount} > 1"
			}
		}
	})
	s.follows()
	day := func(off time.Duration) string { return time.Now().Add(off).Format(time.DateOnly) }
	const year = 365 * 24 * time.Hour
	says := func(off time.Duration, found, more string) syncproto.Verdict {
		return s.tells("household", next.Version, "g1", fmt.Sprintf(`{"address":"一号","found_on":%q%s}`, found, more), off)
	}
	s.verdict(says(0, day(-year), ""), syncproto.Applied, "", "")
	s.verdict(says(0, day(year), ""), syncproto.Parked, syncproto.CodeFailsForm, "found_on")
	// A phone whose clock is ten years ahead, or behind, changes nothing of that.
	s.verdict(says(10*year, day(year), ""), syncproto.Parked, syncproto.CodeFailsForm, "found_on")
	s.verdict(says(-10*year, day(-year), ""), syncproto.Applied, "", "")
	// What isn't asked is taken and remarked on.
	s.verdict(says(0, day(-year), `,"headcount":1,"note":"x"`), syncproto.Applied, syncproto.CodeNotAsked, "note")
	s.verdict(says(0, day(-year), `,"headcount":2,"note":"x"`), syncproto.Applied, "", "")
	s.verdict(says(0, day(-year), `,"note":"x"`), syncproto.Applied, "", "")
	s.sound()
}
