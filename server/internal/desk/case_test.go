package desk

import (
	"errors"
	"slices"
	"testing"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/plausible"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
)

func (w *world) open(key review.Key, caller Caller) *Case {
	w.t.Helper()
	c, err := w.Case(w.t.Context(), key.ID(), caller)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func TestAQuestionIsSeenFromItsDeskAndFromWhereItsRecordIs(t *testing.T) {
	w := newWorld(t)
	key := w.conflict(1)
	w.open(key, office)
	w.open(key, township)
	hidden := func(what string, id syncproto.RecordID, caller Caller) {
		t.Helper()
		if c, err := w.Case(t.Context(), id, caller); c != nil || !errors.Is(err, &syncproto.Error{Code: syncproto.CodeNotFound}) {
			t.Errorf("%s: %+v, %v", what, c, err)
		}
	}
	hidden("elsewhere", key.ID(), outside)
	hidden("no such question", record(9), office)
	w.items[0].Area = 5
	w.open(key, outside)
	w.open(key, Caller{Authors: []syncproto.AuthorID{jia}, Now: now}) // grid-1, where the record is
	if len(w.open(key, later).Acts) != 0 {
		t.Error("whose grant has ended may act")
	}
}

func TestEveryValueStandsBesideItsWitnesses(t *testing.T) {
	w := newWorld(t)
	key := w.conflict(1)
	w.say(syncproto.Change{Author: zhen, Kind: "household", Record: record(1)}, syncproto.Fields{"address": `"一号"`})
	c := w.open(key, office)
	if len(c.Records) != 1 || len(c.Records[0].Values) < 3 {
		t.Fatalf("%+v", c.Records)
	}
	first := c.Records[0].Values[0]
	if first.Name != "address" || !first.Disputed || first.Label.ZH == "" || first.Rule != "review" || len(first.Values) != 2 {
		t.Fatalf("first field %+v", first)
	}
	shown := first.Values[0]
	if shown.Value != `"一号"` || len(shown.Witnesses) != 2 {
		t.Fatalf("what shows %+v", shown)
	}
	other := first.Values[1].Witnesses[0]
	want := w.log[1]
	if other.Author.Name != "乙" || other.Role != "volunteer" || other.Post != "一网格" || other.DeviceName != "乙的手机" ||
		other.Change != want.Change.ID || other.Record != record(1) || other.Origin != originOf(&want) ||
		other.Entered != want.Stamp || other.At != want.Change.At || other.Received != want.Received || other.Version != 2 {
		t.Errorf("witness %+v", other)
	}
	if c.Records[0].Values[1].Disputed {
		t.Error("a field that nobody doubts comes before one in doubt")
	}
}

func TestWhenSomethingWasObservedIsToldFromWhenItWasEntered(t *testing.T) {
	w := newWorld(t)
	w.say(syncproto.Change{Author: jia, Kind: "temperature", Record: record(1)}, syncproto.Fields{
		"person": syncproto.TextValue(record(9).String()), "value": "36.5", "taken_at": "1580440000000",
	})
	w.say(syncproto.Change{Author: yi, Kind: "temperature", Record: record(1), Base: 1, Amid: []string{"value"}}, syncproto.Fields{"value": "38.5"})
	key := review.Key{Kind: review.Conflict, Record: record(1), Field: "value"}
	w.ask(key)
	for _, v := range w.open(key, office).Records[0].Values[0].Values {
		if got := v.Witnesses[0].Observed; got != 1_580_440_000_000 {
			t.Errorf("%s was observed at %d", v.Value, got)
		}
	}
}

func TestBothSidesOfADisputedExitAreHeard(t *testing.T) {
	w := newWorld(t)
	w.household(1, "一号")
	w.say(syncproto.Change{Author: yi, Kind: "household", Record: record(1), Base: 1}, syncproto.Fields{"exit": `{"reason":"moved","date":"2020-01-30"}`})
	w.say(syncproto.Change{Author: jia, Device: device(3), Kind: "household", Record: record(1), Base: 1}, syncproto.Fields{"note": `"有狗"`})
	key := review.Key{Kind: review.Exit, Record: record(1), Field: "exit"}
	w.ask(key)
	exit := w.open(key, office).Records[0].Values[0]
	if exit.Name != "exit" || !exit.Disputed || len(exit.Values) != 2 {
		t.Fatalf("%+v", exit)
	}
	if exit.Values[0].Witnesses[0].Author.Name != "乙" {
		t.Errorf("whoever says that it left: %+v", exit.Values[0])
	}
	if stays := exit.Values[1]; !stays.Value.IsNull() || len(stays.Witnesses) != 1 || stays.Witnesses[0].Author.Name != "甲" {
		t.Errorf("whoever says that it is there: %+v", stays)
	}
}

func TestRecordsThatAreOneAreShownAsOne(t *testing.T) {
	w := newWorld(t)
	w.person(1, jia, "grid-1", "张三")
	w.person(2, yi, "grid-2", "张叁")
	w.links = []exchange.Link{{Record: record(2), Into: record(1)}}
	key := review.Key{Kind: review.Conflict, Record: record(1), Field: "name"}
	w.ask(key)
	c := w.open(key, office)
	asked := c.Records[0]
	if len(asked.Values[0].Values) != 2 || asked.Area != "grid-1" || !slices.Equal(asked.Absorbed, []syncproto.RecordID{record(2)}) {
		t.Errorf("%+v", asked)
	}
	var of []syncproto.RecordID
	for _, v := range asked.Values[0].Values {
		of = append(of, v.Witnesses[0].Record)
	}
	if !slices.Contains(of, record(1)) || !slices.Contains(of, record(2)) {
		t.Errorf("witnesses of %v", of)
	}
	want := []syncproto.Beside{{Record: record(1), Version: 1}, {Record: record(2), Version: 2}, {Record: key.ID()}}
	for _, b := range want {
		if !slices.Contains(c.Seen.Records, b) {
			t.Errorf("seen %+v has no %+v", c.Seen, b)
		}
	}
	if len(c.Seen.Records) != len(want) || c.Seen.Waits != nil {
		t.Errorf("seen %+v", c.Seen)
	}
}

func TestWhoWroteWhatIsInDoubtMayOnlyHandItOn(t *testing.T) {
	w := newWorld(t)
	key := w.conflict(1)
	acts := w.open(key, office).Acts
	if !slices.Equal(acts[shu.String()], []Act{Choose, Route, Assign}) {
		t.Errorf("the secretary may %v", acts[shu.String()])
	}
	if len(acts[jia.String()]) != 0 {
		t.Errorf("a volunteer may %v", acts[jia.String()])
	}
	w.say(syncproto.Change{Author: shu, Kind: "household", Record: record(1), Base: 2}, syncproto.Fields{"note": `"有狗"`})
	if acts := w.open(key, office).Acts; !slices.Contains(acts[shu.String()], Choose) {
		t.Errorf("who wrote what nobody doubts may %v", acts[shu.String()])
	}
	w.say(syncproto.Change{Author: shu, Kind: "household", Record: record(1)}, syncproto.Fields{"address": `"三号"`})
	if acts := w.open(key, office).Acts; !slices.Equal(acts[shu.String()], []Act{Route, Assign}) {
		t.Errorf("a party to it may %v", acts[shu.String()])
	}
	if acts := w.open(key, township).Acts; !slices.Equal(acts[zhen.String()], []Act{Choose, Route, Assign}) {
		t.Errorf("the township may %v", acts[zhen.String()])
	}
}

func TestADecisionIsNobodysOwnWork(t *testing.T) {
	w := newWorld(t)
	key := w.conflict(1)
	w.say(syncproto.Change{Author: shu, Kind: "household", Record: record(1), Base: 1, Decides: true}, syncproto.Fields{"address": `"三号"`})
	if acts := w.open(key, office).Acts; !slices.Contains(acts[shu.String()], Choose) {
		t.Errorf("a decider may %v", acts[shu.String()])
	}
}

func TestAParkedChangeIsShownWithWhyItWaits(t *testing.T) {
	w := newWorld(t)
	key := w.park(syncproto.Change{Author: jia, Kind: "household", Record: record(1), Area: "grid-2"}, syncproto.CodeOutOfArea, syncproto.Fields{"address": `"一号"`})
	w.ask(key)
	c := w.open(key, office)
	if c.Waiting == nil || c.Waiting.Reason.Code != syncproto.CodeOutOfArea || c.Waiting.Reason.Message().ZH == "" ||
		c.Waiting.Fields["address"] != `"一号"` || c.Waiting.Role != "volunteer" || c.Waiting.Post != "一网格" {
		t.Fatalf("%+v", c.Waiting)
	}
	if !slices.Equal(c.Seen.Waits, []syncproto.Origin{originOf(&w.log[0])}) {
		t.Errorf("seen %+v", c.Seen)
	}
	if acts := c.Acts[shu.String()]; !slices.Equal(acts, []Act{Accept, Return, Route, Assign}) {
		t.Errorf("the secretary may %v", acts)
	}
	key = w.park(syncproto.Change{Author: shu, Kind: "household", Record: record(2)}, syncproto.CodeFailsForm, syncproto.Fields{"address": `"一号"`})
	w.ask(key)
	if acts := w.open(key, office).Acts[shu.String()]; !slices.Equal(acts, []Act{Route, Assign}) {
		t.Errorf("its author may %v", acts)
	}
}

func TestTheHouseholdAndWhoLivesThereAreNeighbours(t *testing.T) {
	w := newWorld(t)
	w.household(100, "一号")
	w.person(1, jia, "grid-1", "张三")
	w.person(2, yi, "grid-1", "李四")
	w.say(syncproto.Change{Author: yi, Kind: "person", Record: record(3)}, syncproto.Fields{"name": `"他户"`})
	w.household(101, "壹号")
	w.say(syncproto.Change{Author: yi, Kind: "person", Record: record(4)}, syncproto.Fields{
		"name": `"王五"`, "household": syncproto.TextValue(record(101).String()),
	})
	w.links = []exchange.Link{{Record: record(101), Into: record(100)}}
	key := review.Key{Kind: review.Implausible, Record: record(1), Field: "birth"}
	w.ask(key)
	var ids []syncproto.RecordID
	for _, row := range w.open(key, office).Neighbours {
		ids = append(ids, row.ID)
	}
	if !slices.Equal(ids, []syncproto.RecordID{record(100), record(2), record(4)}) {
		t.Errorf("neighbours %v", ids)
	}
}

func TestASignedDayShowsWhatHasMoved(t *testing.T) {
	w := newWorld(t)
	key := w.signed(`{"visits":10,"fevers":0,"persons":3}`)
	w.totals = []rollup.Count{
		{Area: 3, Day: day, Measure: "visits", N: 8},
		{Area: 4, Day: day, Measure: "visits", N: 4},
		{Area: 5, Day: day, Measure: "visits", N: 50},
		{Area: 2, Day: day, Measure: "persons", N: 3},
		{Area: 2, Day: day, Measure: "temperatures", N: 7},
	}
	drift := w.open(key, office).Drift
	if len(drift) != 1 || drift[0].Measure != "visits" || drift[0].Signed != 10 || drift[0].Now != 12 || drift[0].Label.ZH == "" {
		t.Errorf("%+v", drift)
	}
}

// signed lets the secretary sign a day, and asks about it.
func (w *world) signed(figures string) review.Key {
	w.t.Helper()
	w.say(syncproto.Change{Author: shu, Kind: review.DayCloseKind, Record: record(1), Area: "c1", Decides: true}, syncproto.Fields{
		"day": `"2020-01-31"`, "figures": syncproto.TextValue(figures),
	})
	key := review.Key{Kind: review.Restated, Record: record(1)}
	w.ask(key)
	return key
}

func TestAWindowShowsWhatWasEnteredInIt(t *testing.T) {
	w := newWorld(t)
	check := checkOf(w.snap.Forms.Newest("temperature"), "hasty_temperatures")
	start := check.Start(now - 3_600_000)
	for n, at := range []syncproto.Instant{start - 1, start, start + 1, check.Start(start+600_000) - 1, start + 600_000} {
		w.say(syncproto.Change{Author: jia, Kind: "temperature", Record: record(byte(n + 1))}, syncproto.Fields{
			"person": syncproto.TextValue(record(9).String()), "value": "36.5", "taken_at": syncproto.ValueOf(at),
		})
	}
	bucket := plausible.Bucket{Kind: "temperature", Rule: check.Name, Area: 3, Who: jia.String(), Start: start}
	key := review.Key{Kind: review.Implausible, Field: bucket.String()}
	w.ask(key).Sample = record(2)
	window := w.open(key, office).Window
	if window == nil || window.Who != "甲" || window.Count != 3 || len(window.Entered) != 3 || window.End-window.Start != 600_000 || window.Label.ZH == "" {
		t.Fatalf("%+v", window)
	}
	if window.Entered[0].Record != record(4) || window.Entered[0].Observed != start+599_999 {
		t.Errorf("the newest is %+v", window.Entered[0])
	}
	burst := checkOf(w.snap.Forms.Newest("temperature"), "burst_of_temperatures")
	bucket = plausible.Bucket{Kind: "temperature", Rule: burst.Name, Area: 3, Who: device(1).String(), Start: burst.Start(w.log[1].Time)}
	key = review.Key{Kind: review.Implausible, Field: bucket.String()}
	w.ask(key).Sample = record(2)
	if window = w.open(key, office).Window; window == nil || window.Who != "甲的手机" || window.Count != 5 || window.Entered[0].Record != record(5) {
		t.Errorf("of a device: %+v", window)
	}
}

func TestTheLatestDecisionThatStandsCanBeUndone(t *testing.T) {
	w := newWorld(t)
	key := w.conflict(1)
	first := w.say(syncproto.Change{Author: shu, Kind: "household", Record: record(1), Base: 2, Decides: true}, syncproto.Fields{"address": `"一号"`})
	w.happened(key, review.WasOpened)
	w.happened(key, review.WasRouted)
	w.happened(key, review.WasClosed, first)
	w.happened(key, review.WasAssigned, w.say(syncproto.Change{Author: shu, Kind: "review", Record: key.ID(), Area: "c1", Decides: true}, syncproto.Fields{"item": `"conflict"`}))
	w.items[0].State = review.Closed
	undoable := func() (marked []int) {
		for i, h := range w.open(key, office).History {
			if h.Undo {
				marked = append(marked, i)
			}
		}
		return marked
	}
	c := w.open(key, office)
	if got := undoable(); !slices.Equal(got, []int{2}) || c.History[2].By.Name != "书" || c.History[0].By != nil {
		t.Errorf("history %+v", c.History)
	}
	if !slices.Equal(c.Acts[shu.String()], []Act{Undo}) {
		t.Errorf("acts %v", c.Acts)
	}
	if len(c.Earlier) != 1 || c.Earlier[0].Undone || c.Earlier[0].Author.Name != "书" {
		t.Errorf("earlier %+v", c.Earlier)
	}
	undo := syncproto.Change{Author: shu, Kind: "household", Record: record(1), Base: 3, Decides: true}
	undo.SetUndoes([]syncproto.Origin{originOf(&w.log[2])})
	w.say(undo, syncproto.Fields{})
	w.happened(key, review.WasUndone)
	if got := undoable(); got != nil {
		t.Errorf("what was undone can be undone again: %v", got)
	}
	if c := w.open(key, office); !c.Earlier[0].Undone {
		t.Errorf("earlier %+v", c.Earlier)
	}
	again := syncproto.Change{Author: shu, Kind: "household", Record: record(1), Base: 4, Decides: true}
	again.SetUndoes([]syncproto.Origin{originOf(&w.log[4])})
	w.say(again, syncproto.Fields{})
	if got := undoable(); !slices.Equal(got, []int{2}) {
		t.Errorf("after the withdrawal was withdrawn: %v", got)
	}
}

func TestTwoExitsThatDifferAreNobodysClaimThatItIsThere(t *testing.T) {
	w := newWorld(t)
	w.household(1, "一号")
	w.say(syncproto.Change{Author: jia, Kind: "household", Record: record(1), Base: 1}, syncproto.Fields{"exit": `{"reason":"moved","date":"2020-01-30"}`, "note": `"有狗"`})
	w.say(syncproto.Change{Author: yi, Kind: "household", Record: record(1), Base: 1}, syncproto.Fields{"exit": `{"reason":"died","date":"2020-01-30"}`})
	key := review.Key{Kind: review.Exit, Record: record(1), Field: "exit"}
	w.ask(key)
	exit := w.open(key, office).Records[0].Values[0]
	if len(exit.Values) != 2 || exit.Values[0].Value.IsNull() || exit.Values[1].Value.IsNull() {
		t.Errorf("%+v", exit.Values)
	}
}
