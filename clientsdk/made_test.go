package clientsdk_test

import (
	"reflect"
	"slices"
	"testing"

	"gridsync/syncproto"
)

// leaveOut takes records out of an answer that are one change of the batch and
// nothing else, and tells their stamps in the verdicts instead (R71).
func leaveOut(a *syncproto.Answer) {
	a.Records = slices.DeleteFunc(a.Records, func(r syncproto.Record) bool {
		if len(r.Live) != 1 {
			return false
		}
		for i := range a.Verdicts {
			if v := &a.Verdicts[i]; v.Version == r.Version && v.Verdict == syncproto.Applied {
				v.Stamp = &r.Live[0].Stamp
				return true
			}
		}
		return false
	})
}

func TestARecordOfOneOwnChangeIsMadeFromItsOwnBytes(t *testing.T) {
	f := newFake(t)
	f.lie = leaveOut
	a, b := newPhone(t, f, 1), newPhone(t, f, 2)
	h := a.household(t, "幸福路 1 号 <&>")
	edited := a.household(t, "幸福路 2 号")
	a.sync(t)
	b.sync(t)
	edit(t, b.bob, edited, "note", "外出")
	report := b.sync(t)
	equal(t, "no copy drifted", len(report.Restarted)+len(report.Drifted), 0)
	report = a.sync(t)
	equal(t, "no copy of the maker's drifted", len(report.Restarted)+len(report.Drifted), 0)
	for _, id := range []syncproto.RecordID{h, edited} {
		got := a.get(t, id)
		equal(t, "still pending", got.Pending, false)
		equal(t, "version", got.Version, f.records[id].Version)
		if !reflect.DeepEqual(got.Live(), f.records[id].Live) {
			t.Errorf("alive: %+v, on the server %+v", got.Live(), f.records[id].Live)
		}
	}
}

func TestARecordIsNotMadeWhenEverythingComesAgain(t *testing.T) {
	f := newFake(t)
	a := newPhone(t, f, 1)
	a.household(t, "幸福路 1 号")
	a.sync(t)
	h := a.household(t, "幸福路 2 号")
	f.lie = func(answer *syncproto.Answer) {
		answer.Verdicts[0].Stamp = &syncproto.Stamp{}
		answer.Reset, answer.Records, answer.Cursor, answer.Sums = true, nil, "", nil
		f.lie, answer.More = nil, true
	}
	a.sync(t)
	if got := a.get(t, h); !reflect.DeepEqual(got.Live(), f.records[h].Live) {
		t.Errorf("alive: %+v, on the server %+v", got.Live(), f.records[h].Live)
	}
}
