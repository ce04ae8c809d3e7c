package desk

import (
	"errors"
	"testing"

	"gridsync/server/internal/exchange"
	"gridsync/syncproto"
)

func TestAHistoryTellsWhatWasAbsorbedToo(t *testing.T) {
	w := newWorld(t)
	w.person(1, jia, "grid-1", "张三")
	w.person(2, yi, "grid-1", "张叁")
	w.person(3, yi, "grid-1", "他人")
	w.links = []exchange.Link{{Record: record(2), Into: record(1)}}
	w.park(syncproto.Change{Author: yi, Kind: "person", Record: record(1), Base: 1}, syncproto.CodeFailsForm, syncproto.Fields{"birth": `"昨天"`})
	h, err := w.History(t.Context(), record(1), office)
	if err != nil || len(h.Statements) != 3 || h.Older != 0 {
		t.Fatalf("%+v, %v", h, err)
	}
	if h.Statements[0].Record != record(1) || h.Statements[1].Record != record(2) || h.Statements[1].Author.Name != "乙" {
		t.Errorf("%+v", h.Statements)
	}
	if last := h.Statements[2]; last.Verdict != syncproto.Parked || last.Reason.Code != syncproto.CodeFailsForm || last.Version != 0 {
		t.Errorf("what waits: %+v", last)
	}
	for what, ask := range map[string]func() (*Statements, error){
		"elsewhere": func() (*Statements, error) { return w.History(t.Context(), record(1), outside) },
		"nothing":   func() (*Statements, error) { return w.History(t.Context(), record(9), office) },
	} {
		if h, err := ask(); h != nil || !errors.Is(err, &syncproto.Error{Code: syncproto.CodeNotFound}) {
			t.Errorf("%s: %+v, %v", what, h, err)
		}
	}
}

func TestWhatOnlyWaitsHasAHistoryWhereItsAuthorPutIt(t *testing.T) {
	w := newWorld(t)
	w.park(syncproto.Change{Author: jia, Kind: "household", Record: record(1), Area: "grid-2"}, syncproto.CodeOutOfArea, syncproto.Fields{"address": `"一号"`})
	if h, err := w.History(t.Context(), record(1), office); err != nil || len(h.Statements) != 1 {
		t.Errorf("%+v, %v", h, err)
	}
	if _, err := w.History(t.Context(), record(1), outside); !errors.Is(err, &syncproto.Error{Code: syncproto.CodeNotFound}) {
		t.Errorf("elsewhere: %v", err)
	}
}

func TestAVeryLongHistoryShowsItsNewestPart(t *testing.T) {
	w := newWorld(t)
	w.household(1, "一号")
	for range maxHistory + 9 {
		l := w.log[0]
		l.Seq++
		w.log = append(w.log, l)
	}
	h, err := w.History(t.Context(), record(1), office)
	if err != nil || len(h.Statements) != maxHistory || h.Older != 10 {
		t.Errorf("%d statements, %d older, %v", len(h.Statements), h.Older, err)
	}
}

func TestAnAuthorsLogGoesBackPageByPage(t *testing.T) {
	w := newWorld(t)
	for n := range byte(5) {
		w.household(n+1, "一号")
		w.person(n+10, yi, "grid-1", "张三")
	}
	var seen []syncproto.RecordID
	before := syncproto.Version(0)
	for range 4 {
		page, err := w.Log(t.Context(), jia, before, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.Statements {
			seen = append(seen, s.Record)
		}
		if before = page.Next; before == 0 {
			break
		}
	}
	if len(seen) != 5 || seen[0] != record(5) || seen[4] != record(1) {
		t.Errorf("%v", seen)
	}
	if page, err := w.Log(t.Context(), wai, 0, 0); err != nil || page.Statements == nil {
		t.Errorf("a log of nothing: %+v, %v", page, err)
	}
}

func TestAnAnswerNamesWhatItAnswers(t *testing.T) {
	w := newWorld(t)
	c := syncproto.Change{Author: jia, Kind: "household", Record: record(1)}
	c.SetAnswers(syncproto.ChangeID{15: 7})
	w.say(c, syncproto.Fields{"address": `"一号"`})
	page, err := w.Log(t.Context(), jia, 0, 0)
	if err != nil || page.Statements[0].Answers == nil || *page.Statements[0].Answers != (syncproto.ChangeID{15: 7}) {
		t.Errorf("%+v, %v", page, err)
	}
}
