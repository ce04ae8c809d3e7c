package host

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"gridsync/server/internal/area"
	"gridsync/server/internal/dayclose"
	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

func TestWhoeverWatchesTotalsHearsThatAThresholdOrTheTreeHasMovedThem(t *testing.T) {
	s := newStation(t)
	s.temperature(1, "g1", "2020-01-31", "37.4")
	news := s.exchange.Subscribe()
	defer news.End()
	s.temperature(2, "g1", "2020-01-31", "37.5")
	if took := news.Take(); took.Anew {
		t.Errorf("a push moves what it says: %+v", took)
	}
	s.sets("c1", "fever_threshold", "2020-01-01", "38")
	s.follows()
	s.derivedAnew(1)
	if took := news.Take(); !took.Anew {
		t.Errorf("another threshold: %+v", took)
	}
	s.sets("c1", "fever_threshold", "2020-01-01", syncproto.Null)
	s.follows()
	news.Take()
	s.must(s.PutAreas(t.Context(), []area.Node{{ID: "g1", Name: "一网格", Parent: "c2"}}))
	s.follows()
	if took := news.Take(); !took.Anew {
		t.Errorf("a grid lies elsewhere: %+v", took)
	}
}

// A day is told of when it is signed, also where the signature had to wait for its area.
func TestASignatureThatWaitedIsToldOfWhenItIsTakenUp(t *testing.T) {
	o := newClosing(t)
	p := o.secretary
	p.n++
	p.sync(json.RawMessage(fmt.Sprintf(
		`{"id":%q,"n":%d,"author":%q,"kind":"day_close","record":%q,"area":"c1","base":0,"fields":{"day":"2020-01-31","figures":"{\"fevers\":0}","area":"c9"},"at":%d,"form":1,"decides":true}`,
		syncproto.ChangeID{9, 9, 7}, p.n, p.Authors[0].ID, dayclose.RecordOf("c1", 20200131), time.Now().UnixMilli(),
	)))
	if v := p.answer.Verdicts[0]; v.Verdict != syncproto.Parked {
		t.Fatalf("%+v", v)
	}
	closed := func() (n int) {
		alerts, err := o.store.Alerts(t.Context(), 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		for i := range alerts {
			if alerts[i].What == exchange.AlertClosed {
				n++
			}
		}
		return n
	}
	if closed() != 0 {
		t.Error("told of before it is taken up")
	}
	if err := o.PutAreas(t.Context(), []area.Node{{ID: "c9", Name: "九社区", Parent: "c1"}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := o.Retry(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := closed(); n != 1 {
		t.Errorf("told of %d times", n)
	}
}
