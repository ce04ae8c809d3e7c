package desk

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
)

// order gives one order of the secretary about a question that was just opened.
func (w *world) order(key review.Key, o Order) Result {
	w.t.Helper()
	seen := w.open(key, office).Seen
	o.Item, o.Seen = key.ID(), &seen
	results, err := w.Order(w.t.Context(), shu, []Order{o}, office)
	if err != nil || len(results) != 1 || results[0].Item != key.ID() {
		w.t.Fatalf("%+v, %v", results, err)
	}
	return results[0]
}

// taken gives an order that must be taken, and returns the decision.
func (w *world) taken(key review.Key, o Order) exchange.Decision {
	w.t.Helper()
	w.decided = nil
	r := w.order(key, o)
	if r.Error != nil || r.Version != 99 || len(w.decided) != 1 {
		w.t.Fatalf("%+v %v", r, r.Error)
	}
	d := w.decided[0]
	if d.Author != shu {
		w.t.Errorf("decided by %s", d.Author)
	}
	return d
}

func steps(t *testing.T, got []exchange.Step, want ...exchange.Step) {
	t.Helper()
	if a, b := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); a != b {
		t.Errorf("got  %s\nwant %s", a, b)
	}
}

// said is the first thing that is said of a question, on the community's desk.
func said(key review.Key, fields syncproto.Fields) exchange.Step {
	fields["item"] = syncproto.TextValue(string(key.Kind))
	if !key.Record.IsZero() {
		fields["about"] = syncproto.TextValue(key.Record.String())
	}
	if key.Field != "" {
		fields["subject"] = syncproto.TextValue(key.Field)
	}
	return exchange.Step{Record: key.ID(), Kind: "review", Area: "c1", Fields: fields}
}

func TestAChoiceIsADecisionOnTheRecord(t *testing.T) {
	w := newWorld(t)
	key := w.conflict(1)
	d := w.taken(key, Order{Act: Choose, Fields: syncproto.Fields{"address": `"三号"`}})
	steps(t, d.Steps, exchange.Step{
		Record: record(1), Kind: "household", Area: "grid-1", Base: 2, Fields: syncproto.Fields{"address": `"三号"`},
	})
	if !slices.Equal(d.Seen, w.open(key, office).Seen.Records) || d.Waits != nil {
		t.Errorf("seen %+v", d)
	}
}

func TestAChoiceAboutRecordsThatAreOneNamesThemAll(t *testing.T) {
	w := newWorld(t)
	w.person(1, jia, "grid-1", "张三")
	w.person(2, yi, "grid-2", "张叁")
	w.links = []exchange.Link{{Record: record(2), Into: record(1)}}
	key := review.Key{Kind: review.Conflict, Record: record(1), Field: "name"}
	w.ask(key)
	d := w.taken(key, Order{Act: Choose, Fields: syncproto.Fields{"name": `"张三"`}})
	if len(d.Steps) != 1 || d.Steps[0].Record != record(1) || !slices.Equal(d.Steps[0].With, []syncproto.Beside{{Record: record(2), Version: 2}}) {
		t.Errorf("%+v", d.Steps)
	}
}

func TestTheRecordMadeFirstSurvivesUnlessSomebodySaysOtherwise(t *testing.T) {
	w := newWorld(t)
	w.person(2, jia, "grid-1", "张三")
	w.person(1, yi, "grid-2", "张三")
	key := review.Pair(review.Duplicate, record(1), record(2))
	w.ask(key)
	into := func(of, survivor byte, area syncproto.AreaID, base syncproto.Version) exchange.Step {
		return exchange.Step{
			Record: record(of), Kind: "person", Area: area, Base: base,
			Fields: syncproto.Fields{"same_as": syncproto.TextValue(record(survivor).String())},
		}
	}
	steps(t, w.taken(key, Order{Act: Merge}).Steps, into(2, 1, "grid-1", 1))
	steps(t, w.taken(key, Order{Act: Merge, Survivor: record(1)}).Steps, into(2, 1, "grid-1", 1))
	steps(t, w.taken(key, Order{Act: Merge, Survivor: record(2)}).Steps, into(1, 2, "grid-2", 2))
	steps(t, w.taken(key, Order{Act: Merge, Survivor: record(2), Left: "2020-01-29"}).Steps, into(1, 2, "grid-2", 2), exchange.Step{
		Record: record(2), Kind: "person", Area: "grid-1", Base: 1, Fields: syncproto.Fields{"residences": `["2020-01-29 grid-2"]`},
		With: []syncproto.Beside{{Record: record(1), Version: 2}},
	})
}

func TestAMergeAsksNothingOfWhatTwoRecordsAlwaysDifferIn(t *testing.T) {
	w := newWorld(t)
	visit := func(n byte, by syncproto.AuthorID, at, outcome string) {
		w.say(syncproto.Change{Record: record(n), Kind: "visit", Area: "grid-1", Author: by}, syncproto.Fields{
			"round": syncproto.TextValue(record(8).String()), "household": syncproto.TextValue(record(9).String()),
			"outcome": syncproto.TextValue(outcome), "visited_at": syncproto.Value(at),
		})
	}
	visit(1, jia, "1580083200000", "met")
	visit(2, yi, "1580083800000", "refused")
	key := review.Pair(review.DoubleVisit, record(1), record(2))
	w.ask(key)
	with := []syncproto.Beside{{Record: record(2), Version: 2}}
	into := exchange.Step{
		Record: record(2), Kind: "visit", Area: "grid-1", Base: 2,
		Fields: syncproto.Fields{"same_as": syncproto.TextValue(record(1).String())},
	}
	steps(t, w.taken(key, Order{Act: Merge}).Steps, into, exchange.Step{
		Record: record(1), Kind: "visit", Area: "grid-1", Base: 1, Fields: syncproto.Fields{"visited_at": "1580083200000"}, With: with,
	})
	steps(t, w.taken(key, Order{Act: Merge, Fields: syncproto.Fields{"outcome": `"met"`, "visited_at": "1580083800000"}}).Steps, into, exchange.Step{
		Record: record(1), Kind: "visit", Area: "grid-1", Base: 1, With: with,
		Fields: syncproto.Fields{"visited_at": "1580083800000", "outcome": `"met"`},
	})
	if why := w.order(key, Order{Act: Merge, Fields: syncproto.Fields{"round": `"x"`}}).Error; why == nil || why.Field != "fields" {
		t.Errorf("a value for what nobody doubts: %v", why)
	}
}

func TestWhatIsSaidOfAQuestionGoesToItsOwnRecord(t *testing.T) {
	w := newWorld(t)
	w.person(1, jia, "grid-1", "张三")
	w.person(2, yi, "grid-2", "张三")
	pair := review.Pair(review.Duplicate, record(1), record(2))
	w.ask(pair)
	odd := review.Key{Kind: review.Implausible, Record: record(1), Field: "birth"}
	w.ask(odd)
	steps(t, w.taken(pair, Order{Act: Different}).Steps, said(pair, syncproto.Fields{"verdict": `"different"`}))
	steps(t, w.taken(odd, Order{Act: Accept, Reason: "已看证件"}).Steps, said(odd, syncproto.Fields{"verdict": `"accept"`, "reason": `"已看证件"`}))
	steps(t, w.taken(odd, Order{Act: Return, Reason: "请再看"}).Steps, said(odd, syncproto.Fields{"verdict": `"return"`, "reason": `"请再看"`}))
	steps(t, w.taken(pair, Order{Act: Assign, Assignee: zhen}).Steps, said(pair, syncproto.Fields{"assignee": syncproto.TextValue(zhen.String())}))
	steps(t, w.taken(pair, Order{Act: Assign}).Steps, said(pair, syncproto.Fields{"assignee": "null"}))
	steps(t, w.taken(pair, Order{Act: Route, Area: "town"}).Steps, said(pair, syncproto.Fields{"area": `"town"`}))
}

func TestWhatIsSaidNextIsSaidOfWhatStands(t *testing.T) {
	w := newWorld(t)
	key := w.conflict(1)
	w.say(syncproto.Change{Author: shu, Kind: "review", Record: key.ID(), Area: "c1", Decides: true}, syncproto.Fields{"item": `"conflict"`, "area": `"town"`})
	steps(t, w.taken(key, Order{Act: Assign, Assignee: shu}).Steps, exchange.Step{
		Record: key.ID(), Kind: "review", Area: "town", Base: 3, Fields: syncproto.Fields{"assignee": syncproto.TextValue(shu.String())},
	})
}

func TestAReasonIsKeptWhateverTheAct(t *testing.T) {
	w := newWorld(t)
	key := w.conflict(1)
	d := w.taken(key, Order{Act: Choose, Fields: syncproto.Fields{"address": `"一号"`}, Reason: "已核实"})
	if len(d.Steps) != 2 {
		t.Fatalf("%+v", d.Steps)
	}
	steps(t, d.Steps[:1], said(key, syncproto.Fields{"reason": `"已核实"`}))
}

func TestAParkedChangeIsTakenAsItIsOrOtherwise(t *testing.T) {
	w := newWorld(t)
	key := w.park(syncproto.Change{Author: jia, Kind: "household", Record: record(1), Area: "grid-2"}, syncproto.CodeOutOfArea, syncproto.Fields{
		"address": `"一号"`, "note": `"x"`, "found_on": `"2020-01-27"`,
	})
	w.ask(key)
	d := w.taken(key, Order{Act: Accept})
	steps(t, d.Steps, said(key, syncproto.Fields{"verdict": `"accept"`}))
	if !slices.Equal(d.Waits, []syncproto.Origin{originOf(&w.log[0])}) {
		t.Errorf("waits %+v", d.Waits)
	}
	steps(t, w.taken(key, Order{Act: Accept, Area: "grid-1", Without: []string{"note"}}).Steps,
		said(key, syncproto.Fields{"verdict": `"accept"`, "area": `"grid-1"`, "without": `"note"`}))
	steps(t, w.taken(key, Order{Act: Route, Area: "c2"}).Steps, said(key, syncproto.Fields{"area": `"c2"`}))
	corrected := syncproto.Fields{"address": `"二号"`, "phone": `"99900000001"`}
	steps(t, w.taken(key, Order{Act: Accept, Without: []string{"note"}, Fields: corrected}).Steps,
		said(key, syncproto.Fields{"verdict": `"accept"`, "without": `"address note"`}),
		exchange.Step{Record: record(1), Kind: "household", Area: "grid-2", Fields: corrected})
	if d := w.taken(key, Order{Act: Accept, Area: "grid-1", Fields: corrected}); d.Steps[1].Area != "grid-1" {
		t.Errorf("the correction of a change that is routed goes to %s", d.Steps[1].Area)
	}
}

func TestACorrectionOfWhatIsThereIsMadeOnIt(t *testing.T) {
	w := newWorld(t)
	w.household(1, "一号")
	key := w.park(syncproto.Change{Author: yi, Kind: "household", Record: record(1), Base: 1}, syncproto.CodeFailsForm, syncproto.Fields{"found_on": `"昨天"`})
	w.ask(key)
	d := w.taken(key, Order{Act: Accept, Fields: syncproto.Fields{"found_on": `"2020-01-26"`}})
	steps(t, d.Steps[1:], exchange.Step{Record: record(1), Kind: "household", Area: "grid-1", Base: 1, Fields: syncproto.Fields{"found_on": `"2020-01-26"`}})
}

func TestADayIsSignedAgainWithItsFiguresAsTheyAreNow(t *testing.T) {
	w := newWorld(t)
	key := w.signed(`{"visits":10,"fevers":1}`)
	w.totals = []rollup.Count{{Area: 3, Day: day, Measure: "visits", N: 12}, {Area: 3, Day: day, Measure: "persons", N: 4}}
	steps(t, w.taken(key, Order{Act: Accept}).Steps, exchange.Step{
		Record: record(1), Kind: "day_close", Area: "c1", Base: 1, Fields: syncproto.Fields{
			"figures": syncproto.TextValue(`{"fevers":0,"visits":12}`), "as_of": "0", "below": `"[]"`, "returned": syncproto.Null,
			"zero": "false", // whatever was said before
			// sha256sum of "gridsync day 1\narea c1\nday 2020-01-31\nas of 0\nfigure fevers 0\nfigure visits 12\n"
			"hash": `"f5ea14d72c141446631faf2533a9be098616809b72c0d7e5e293b6372dcf5e83"`,
		},
	})
}

func TestUndoingWithdrawsEveryChangeOfTheLatestDecision(t *testing.T) {
	w := newWorld(t)
	w.person(1, jia, "grid-1", "张三")
	w.person(2, yi, "grid-2", "张三")
	key := review.Pair(review.Duplicate, record(1), record(2))
	w.ask(key).State = review.Closed
	same := w.say(syncproto.Change{Author: shu, Kind: "person", Record: record(2), Area: "grid-2", Base: 2, Decides: true}, syncproto.Fields{"same_as": syncproto.TextValue(record(1).String())})
	lived := w.say(syncproto.Change{Author: shu, Kind: "person", Record: record(1), Base: 1, Decides: true}, syncproto.Fields{"residences": `["2020-01-29 grid-2"]`})
	w.happened(key, review.WasClosed, same, lived)
	w.links = []exchange.Link{{Record: record(2), Into: record(1)}}
	steps(t, w.taken(key, Order{Act: Undo}).Steps,
		exchange.Step{Record: record(2), Kind: "person", Area: "grid-2", Base: 3, Fields: syncproto.Fields{}, Undoes: []syncproto.Origin{originOf(&w.log[2])}},
		exchange.Step{Record: record(1), Kind: "person", Area: "grid-1", Base: 4, Fields: syncproto.Fields{}, Undoes: []syncproto.Origin{originOf(&w.log[3])}},
	)
}

func TestUndoingARulingLeavesWhichQuestionItWas(t *testing.T) {
	w := newWorld(t)
	key := w.conflict(1)
	rule := func(base syncproto.Version, fields syncproto.Fields) *exchange.Logged {
		t.Helper()
		l := w.say(syncproto.Change{Author: shu, Kind: "review", Record: key.ID(), Area: "c1", Base: base, Decides: true}, fields)
		w.happened(key, review.WasRouted, l)
		return l
	}
	routed := rule(0, said(key, syncproto.Fields{"area": `"town"`}).Fields)
	undo := said(key, syncproto.Fields{"area": `"c1"`})
	undo.Area, undo.Base, undo.Undoes = "town", 3, []syncproto.Origin{originOf(routed)}
	steps(t, w.taken(key, Order{Act: Undo}).Steps, undo)

	again := rule(3, syncproto.Fields{"verdict": `"accept"`})
	undo = said(key, syncproto.Fields{})
	undo.Area, undo.Base, undo.Undoes = "town", 4, []syncproto.Origin{originOf(again)}
	steps(t, w.taken(key, Order{Act: Undo}).Steps, undo)

	w = newWorld(t)
	key = w.conflict(1)
	first := rule(0, said(key, syncproto.Fields{"verdict": `"accept"`}).Fields)
	w.say(syncproto.Change{Author: shu, Kind: "review", Record: key.ID(), Area: "c1", Base: 3, Decides: true}, syncproto.Fields{"area": `"town"`})
	undo = said(key, syncproto.Fields{})
	undo.Area, undo.Base, undo.Undoes = "town", 4, []syncproto.Origin{originOf(first)}
	steps(t, w.taken(key, Order{Act: Undo}).Steps, undo)
}

func TestUndoingReachesRecordsThatNobodyAskedAbout(t *testing.T) {
	w := newWorld(t)
	key := w.conflict(1)
	w.household(2, "一号")
	made := w.say(syncproto.Change{Author: shu, Kind: "household", Record: record(2), Base: 3, Decides: true}, syncproto.Fields{"address": `"三号"`})
	w.happened(key, review.WasClosed, made)
	d := w.taken(key, Order{Act: Undo})
	if len(d.Steps) != 1 || d.Steps[0].Record != record(2) || !slices.Contains(d.Seen, syncproto.Beside{Record: record(2), Version: 4}) {
		t.Errorf("%+v", d)
	}
}

func TestAnOrderThatMakesNoSenseIsABadRequest(t *testing.T) {
	w := newWorld(t)
	doubt := w.conflict(1)
	w.person(2, jia, "grid-1", "张三")
	w.person(3, yi, "grid-1", "张三")
	pair := review.Pair(review.Duplicate, record(2), record(3))
	w.ask(pair)
	odd := review.Key{Kind: review.Implausible, Record: record(2), Field: "birth"}
	w.ask(odd)
	waits := w.park(syncproto.Change{Author: jia, Kind: "household", Record: record(4)}, syncproto.CodeFailsForm, syncproto.Fields{"address": `"一号"`})
	w.ask(waits)
	large := syncproto.Fields{"address": syncproto.TextValue(strings.Repeat("号", syncproto.MaxChangeBytes/4))}
	for name, c := range map[string]struct {
		key   review.Key
		order Order
		field string
	}{
		"no act":                         {doubt, Order{}, "act"},
		"an unknown act":                 {doubt, Order{Act: "forget"}, "act"},
		"merging one record":             {doubt, Order{Act: Merge}, "act"},
		"accepting a conflict":           {doubt, Order{Act: Accept}, "act"},
		"choosing in a pair":             {pair, Order{Act: Choose, Fields: syncproto.Fields{"name": `"x"`}}, "act"},
		"returning a pair":               {pair, Order{Act: Return, Reason: "x"}, "act"},
		"choosing nothing":               {doubt, Order{Act: Choose}, "fields"},
		"choosing what nobody doubts":    {doubt, Order{Act: Choose, Fields: syncproto.Fields{"address": `"x"`, "note": `"x"`}}, "fields"},
		"choosing what is no field":      {doubt, Order{Act: Choose, Fields: syncproto.Fields{"a b": `"x"`}}, "fields"},
		"choosing too much":              {doubt, Order{Act: Choose, Fields: large}, "fields"},
		"a third survivor":               {pair, Order{Act: Merge, Survivor: record(1)}, "survivor"},
		"leaving on no day":              {pair, Order{Act: Merge, Left: "2020-02-30"}, "left"},
		"leaving for the same area":      {pair, Order{Act: Merge, Left: "2020-01-29"}, "left"},
		"a return without a reason":      {waits, Order{Act: Return}, "reason"},
		"a return with a blank reason":   {waits, Order{Act: Return, Reason: "\u3000 "}, "reason"},
		"without what isn't in it":       {waits, Order{Act: Accept, Without: []string{"note"}}, "without"},
		"accepted into no area":          {waits, Order{Act: Accept, Area: "nowhere"}, "area"},
		"routed nowhere":                 {doubt, Order{Act: Route}, "area"},
		"routed to no area":              {doubt, Order{Act: Route, Area: "nowhere"}, "area"},
		"assigned to a stranger":         {doubt, Order{Act: Assign, Assignee: author(9)}, "assignee"},
		"correcting what doesn't wait":   {odd, Order{Act: Accept, Fields: syncproto.Fields{"birth": `"2000-01-01"`}}, "fields"},
		"a part of what doesn't wait":    {odd, Order{Act: Accept, Without: []string{"birth"}}, "act"},
		"undoing what nobody decided":    {doubt, Order{Act: Undo}, "act"},
		"undoing with nothing but words": {doubt, Order{Act: Undo, Reason: "x"}, "act"},
	} {
		r := w.order(c.key, c.order)
		if r.Error == nil || r.Error.Code != syncproto.CodeBadRequest || r.Error.Field != c.field || r.Version != 0 {
			t.Errorf("%s: %+v %v", name, r, r.Error)
		}
	}
	if len(w.decided) != 0 {
		t.Errorf("decided %+v", w.decided)
	}
}

func TestWhatHasMovedOnIsShownAndNothingIsDone(t *testing.T) {
	w := newWorld(t)
	key := w.conflict(1)
	old := w.open(key, office).Seen
	w.say(syncproto.Change{Author: yi, Kind: "household", Record: record(1), Base: 2}, syncproto.Fields{"note": `"有狗"`})
	choice := Order{Item: key.ID(), Act: Choose, Fields: syncproto.Fields{"address": `"一号"`}}
	movedOn := func(what string, seen *Seen) {
		t.Helper()
		choice.Seen = seen
		r, err := w.Order(t.Context(), shu, []Order{choice}, office)
		if err != nil || r[0].Error == nil || r[0].Error.Code != syncproto.CodeMovedOn || r[0].Now == nil || r[0].Now.Record.Version != 3 {
			t.Errorf("%s: %+v, %v", what, r, err)
		}
	}
	movedOn("another version", &old)
	movedOn("nothing", &Seen{})
	seen := w.open(key, office).Seen
	movedOn("a part", &Seen{Records: seen.Records[:1]})
	movedOn("what doesn't wait", &Seen{Records: seen.Records, Waits: []syncproto.Origin{originOf(&w.log[0])}})
	if len(w.decided) != 0 {
		t.Fatalf("decided %+v", w.decided)
	}
	w.refuse = &syncproto.Error{Code: syncproto.CodeMovedOn, Field: "seen"} // between our look and the commit
	movedOn("a moment later", &seen)
	w.refuse = nil
	w.items[0].State = review.Closed
	movedOn("a question that is closed", &seen)
	slices.Reverse(seen.Records)
	w.items[0].State = review.Open
	choice.Seen = &seen
	if r, err := w.Order(t.Context(), shu, []Order{choice}, office); err != nil || r[0].Error != nil {
		t.Errorf("in another order: %+v, %v", r, err)
	}
}

func TestOrdersAreTakenEachByItself(t *testing.T) {
	w := newWorld(t)
	good, bad, elsewhere := w.conflict(1), w.conflict(2), w.conflict(3)
	seen := func(key review.Key) *Seen { s := w.open(key, office).Seen; return &s }
	choose := syncproto.Fields{"address": `"一号"`}
	orders := []Order{
		{Item: bad.ID(), Act: Choose, Seen: seen(bad)},
		{Item: elsewhere.ID(), Act: Choose, Fields: choose, Seen: seen(elsewhere)},
		{Item: record(99), Act: Choose, Fields: choose, Seen: &Seen{}},
		{Item: good.ID(), Act: Choose, Fields: choose, Seen: seen(good)},
	}
	w.items[2].Area = 5
	moved := w.records[record(3)]
	moved.Area = "c2"
	w.records[record(3)] = moved
	results, err := w.Order(t.Context(), shu, orders, office)
	if err != nil || len(results) != 4 {
		t.Fatalf("%+v, %v", results, err)
	}
	for i, want := range []syncproto.Code{syncproto.CodeBadRequest, syncproto.CodeNotFound, syncproto.CodeNotFound} {
		if results[i].Error == nil || results[i].Error.Code != want || results[i].Item != orders[i].Item {
			t.Errorf("order %d: %+v", i, results[i])
		}
	}
	if results[3].Error != nil || results[3].Version != 99 || len(w.decided) != 1 {
		t.Errorf("the good one: %+v", results[3])
	}
}

func TestWhatTheExchangeRefusesIsPassedOn(t *testing.T) {
	w := newWorld(t)
	key := w.conflict(1)
	choice := Order{Act: Choose, Fields: syncproto.Fields{"address": `"一号"`}}
	w.refuse = fmt.Errorf("decide: %w", &syncproto.Error{Code: syncproto.CodeOwnWork, Field: "author"})
	if r := w.order(key, choice); r.Error == nil || r.Error.Code != syncproto.CodeOwnWork || r.Version != 0 || r.Now != nil {
		t.Errorf("%+v", r)
	}
	seen := w.open(key, office).Seen
	choice.Item, choice.Seen = key.ID(), &seen
	w.refuse = errors.New("disk full")
	results, err := w.Order(t.Context(), shu, []Order{choice}, office)
	if err == nil || len(results) != 1 || results[0].Error.Code != syncproto.CodeInternal {
		t.Errorf("what goes wrong inside: %+v, %v", results, err)
	}
}

func TestOnlySeveralAlikeAreDecidedUnseen(t *testing.T) {
	w := newWorld(t)
	one, two := w.conflict(1), w.conflict(2)
	odd := review.Key{Kind: review.Implausible, Record: record(1), Field: "birth"}
	w.ask(odd)
	assign := func(key review.Key) Order { return Order{Item: key.ID(), Act: Assign, Assignee: shu} }
	route := Order{Item: two.ID(), Act: Route, Area: "town"}
	for name, c := range map[string]struct {
		orders []Order
		taken  bool
	}{
		"one":               {[]Order{assign(one)}, false},
		"two alike":         {[]Order{assign(one), assign(two)}, true},
		"two acts":          {[]Order{assign(one), route}, false},
		"two kinds":         {[]Order{assign(one), assign(odd)}, false},
		"and one not there": {[]Order{assign(one), assign(two), {Item: record(99), Act: Assign}}, true},
	} {
		w.decided = nil
		results, err := w.Order(t.Context(), shu, c.orders, office)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			unseen := r.Error != nil && r.Error.Code == syncproto.CodeBadRequest && r.Error.Field == "seen"
			if unseen == c.taken && r.Item != record(99) {
				t.Errorf("%s: %+v %v", name, r, r.Error)
			}
		}
		if (len(w.decided) == 2) != c.taken || !c.taken && len(w.decided) > 0 {
			t.Errorf("%s: decided %+v", name, w.decided)
		}
		for _, d := range w.decided {
			if len(d.Seen) != 2 {
				t.Errorf("%s: what stands now isn't held against the commit: %+v", name, d)
			}
		}
	}
}
