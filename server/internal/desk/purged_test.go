package desk

import (
	"testing"

	"gridsync/syncproto"
)

// purge takes away what was said of a record so far, as a store does.
func (w *world) purge(id syncproto.RecordID) {
	for i := range w.log {
		if l := &w.log[i]; l.Change.Record == id {
			l.Purged = l.Change.Hash()
			l.Change.Fields, l.Change.ID = []byte("{}"), syncproto.ChangeID{}
		}
	}
	delete(w.records, id)
}

func TestWhatWasPurgedIsShownAsSuchAndNotAsSilence(t *testing.T) {
	w := newWorld(t)
	w.household(1, "一号")
	w.household(2, "二号")
	w.purge(record(1))
	for n, gone := range map[byte]bool{1: true, 2: false} {
		h, err := w.History(t.Context(), record(n), office)
		if err != nil || len(h.Statements) != 1 || h.Statements[0].Purged != gone || (len(h.Statements[0].Fields) == 0) != gone {
			t.Errorf("household %d: %+v %v", n, h, err)
		}
	}
}

func TestNothingIsDecidedAboutWhatWasPurgedButWhatBecomesOfWhatCameLate(t *testing.T) {
	w := newWorld(t)
	settled := w.conflict(1)
	w.purge(record(1))
	late := w.park(syncproto.Change{Author: jia, Kind: "household", Record: record(1), Base: 1, Area: "grid-1"},
		syncproto.CodePurged, syncproto.Fields{"address": `"四号"`})
	delete(w.records, record(1)) // which nothing makes again
	w.ask(late)
	for _, act := range []Act{Undo, Choose} {
		if r := w.order(settled, Order{Act: act, Fields: syncproto.Fields{"address": `"三号"`}}); r.Error == nil || r.Error.Code != syncproto.CodePurged {
			t.Errorf("%s: %+v", act, r)
		}
	}
	if r := w.order(late, Order{Act: Accept}); r.Error == nil || r.Error.Code != syncproto.CodePurged {
		t.Errorf("accept what came late: %+v", r)
	}
	if len(w.decided) != 0 {
		t.Errorf("decided %+v", w.decided)
	}
	w.taken(late, Order{Act: Return, Reason: "已过保存期限"})
}
