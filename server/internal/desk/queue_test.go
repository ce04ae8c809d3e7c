package desk

import (
	"errors"
	"slices"
	"testing"
	"time"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// conflict lets jia and yi disagree about a household's address, and asks.
func (w *world) conflict(n byte) review.Key {
	w.t.Helper()
	w.household(n, "一号")
	w.say(syncproto.Change{Author: yi, Kind: "household", Record: record(n)}, syncproto.Fields{
		"address": `"二号"`, "found_on": `"2020-01-27"`,
	})
	key := review.Key{Kind: review.Conflict, Record: record(n), Field: "address"}
	w.ask(key)
	return key
}

func TestTheOldestQuestionComesFirst(t *testing.T) {
	w := newWorld(t)
	w.conflict(1)
	w.conflict(2)
	w.items[0], w.items[1] = w.items[1], w.items[0]
	page, err := w.Open(t.Context(), "c1", Want{}, "", 0)
	if err != nil || len(page.Items) != 2 || page.Items[0].Record.ID != record(1) || page.Next != "" {
		t.Fatalf("%+v, %v", page, err)
	}
	line := page.Items[0]
	if line.Area != "c1" || line.Field != "address" || line.Due != line.At+syncproto.Instant((24*time.Hour).Milliseconds()) {
		t.Errorf("line %+v", line)
	}
	if line.Record.Fields["address"] != `"二号"` || len(line.Record.Disputed["address"]) != 2 {
		t.Errorf("record %+v", line.Record)
	}
}

func TestAPageEndsWhereTheNextBegins(t *testing.T) {
	w := newWorld(t)
	for n := range byte(5) {
		w.conflict(n + 1)
		w.items[n].Opened = 7 // one commit may open several
	}
	var seen []syncproto.RecordID
	for after, pages := "", 0; pages < 4; pages++ {
		page, err := w.Open(t.Context(), "town", Want{}, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range page.Items {
			if slices.Contains(seen, line.ID) {
				t.Errorf("%s comes twice", line.ID)
			}
			seen = append(seen, line.ID)
		}
		if page.Counts[review.Conflict] != 5 {
			t.Errorf("counts %v", page.Counts)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if len(seen) != 5 {
		t.Errorf("%d of 5", len(seen))
	}
}

func TestAQueueIsFilteredByKindAndAssignee(t *testing.T) {
	w := newWorld(t)
	w.conflict(1)
	w.conflict(2)
	w.items[1].Assignee = shu
	for want, n := range map[Want]int{
		{}: 2, {Kind: review.Conflict}: 2, {Kind: review.Exit}: 0, {Assignee: shu}: 1, {Assignee: jia}: 0,
	} {
		page, err := w.Open(t.Context(), "c1", want, "", 0)
		if err != nil || len(page.Items) != n || page.Counts[review.Conflict] != 2 {
			t.Errorf("%+v: %+v, %v", want, page, err)
		}
		if want.Assignee == shu && page.Items[0].Assignee.Name != "书" {
			t.Errorf("assignee %+v", page.Items[0].Assignee)
		}
	}
}

func TestAnEmptyQueueIsAList(t *testing.T) {
	page, err := newWorld(t).Open(t.Context(), "c2", Want{}, "", 0)
	if err != nil || page.Items == nil || page.Counts == nil {
		t.Errorf("%+v, %v", page, err)
	}
}

func TestACountySaysHowLongAQuestionMayLie(t *testing.T) {
	w := newWorld(t)
	w.Service = NewService(w, w, w.registry, Config{Due: map[review.Kind]time.Duration{review.Conflict: time.Hour}})
	w.conflict(1)
	w.ask(review.Key{Kind: review.Implausible, Record: record(1), Field: "odd"})
	page, err := w.Open(t.Context(), "c1", Want{}, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range page.Items {
		want := map[review.Kind]time.Duration{review.Conflict: time.Hour, review.Implausible: 72 * time.Hour}[line.Kind]
		if line.Due != line.At+syncproto.Instant(want.Milliseconds()) {
			t.Errorf("%s is due after %d ms", line.Kind, line.Due-line.At)
		}
	}
}

func TestAnAreaSaysHowLongItsOwnQuestionsMayLie(t *testing.T) {
	w := newWorld(t,
		registry.Setting{Area: "town", Name: "due_hours.conflict", From: day, Value: `6`},
		registry.Setting{Area: "c2", Name: "due_hours.conflict", From: day, Value: `2`},
		registry.Setting{Area: "c1", Name: "due_hours.implausible", From: day + 1, Value: `1`},
	)
	w.conflict(1)
	w.ask(review.Key{Kind: review.Implausible, Record: record(1), Field: "odd"})
	page, err := w.Open(t.Context(), "c1", Want{}, "", 0)
	if err != nil || len(page.Items) != 2 {
		t.Fatal(page, err)
	}
	for _, line := range page.Items {
		// The second arose on the day before what was set for it.
		want := map[review.Kind]time.Duration{review.Conflict: 6 * time.Hour, review.Implausible: 72 * time.Hour}[line.Kind]
		if line.Due != line.At+syncproto.Instant(want.Milliseconds()) {
			t.Errorf("%s is due after %d ms", line.Kind, line.Due-line.At)
		}
	}
}

func TestAQuestionAboutTwoShowsBoth(t *testing.T) {
	w := newWorld(t)
	w.person(1, jia, "grid-1", "张三")
	w.person(2, yi, "grid-2", "张三")
	w.person(3, yi, "grid-2", "张叁")
	w.ask(review.Pair(review.Duplicate, record(2), record(1))).Score = 80
	w.links = append(w.links, exchange.Link{Record: record(3), Into: record(2)})
	page, err := w.Open(t.Context(), "c1", Want{}, "", 0)
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	line := page.Items[0]
	if line.Record.ID != record(1) || line.Other.ID != record(2) || line.Score != 80 || line.Field != "" {
		t.Errorf("%+v", line)
	}
	if line.Other.Fields["name"] != `"张叁"` {
		t.Errorf("what was absorbed doesn't show: %+v", line.Other)
	}
}

func TestAPlaceThatNoPageGaveIsABadRequest(t *testing.T) {
	w := newWorld(t)
	id := record(1).String()
	for _, after := range []string{"5", "5.", "." + id, "a." + id, "-1." + id, "5." + id[1:], "5." + id + ".", "9223372036854775808." + id} {
		var refused *syncproto.Error
		if _, err := w.Open(t.Context(), "c1", Want{}, after, 0); !errors.As(err, &refused) || refused.Code != syncproto.CodeBadRequest || refused.Field != "after" {
			t.Errorf("%q: %v", after, err)
		}
	}
	if _, err := w.Open(t.Context(), "c1", Want{}, "5."+id, 0); err != nil {
		t.Errorf("a good one: %v", err)
	}
	if _, err := w.Open(t.Context(), "nowhere", Want{}, "", 0); !errors.Is(err, &syncproto.Error{Code: syncproto.CodeNotFound}) {
		t.Errorf("an area that isn't there: %v", err)
	}
	if _, err := w.Open(t.Context(), "c1", Want{Kind: "other"}, "", 0); !errors.Is(err, &syncproto.Error{Code: syncproto.CodeBadRequest}) {
		t.Errorf("a kind that is none: %v", err)
	}
}
