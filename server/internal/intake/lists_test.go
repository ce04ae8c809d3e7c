package intake_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/intake"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/watch"
)

// listOrder is a list that the county sends down.
func (w *world) listOrder(file []byte) intake.ListOrder {
	o := intake.ListOrder{Order: w.order("", "返乡.csv", file), Name: "返乡人员", Purpose: "expected_returnees", Deadline: 20200203, Note: "劝返"}
	o.Author, o.Area = county, "33"
	return o
}

// sent plans a list and sends it.
func (w *world) sent(o intake.ListOrder) *intake.Plan {
	w.Helper()
	p, err := w.PlanList(w.Context(), o)
	w.must(err)
	p, err = w.ApplyList(w.Context(), o, p.Token, true)
	w.must(err)
	return p
}

// taskOf is the task of a row.
func (w *world) taskOf(p *intake.Plan, row int) syncproto.RecordID {
	w.Helper()
	for _, l := range p.All() {
		if l.Row == row {
			return l.Record
		}
	}
	w.Fatalf("there is no row %d", row)
	return syncproto.RecordID{}
}

var returnees = []string{
	"姓名|身份证号|电话|地址|所属网格",
	"张三|" + number("19500101", 1) + "|||",
	"李四||99900000002|文昌路1号2幢301室|",
	"王五||99900000003||西网格",
	"赵六||99900000004|不知何处|",
	"||||",
}

func TestAListReachesWhereSomebodyCanFindOut(t *testing.T) {
	w := newWorld(t)
	home := w.writes(worker, "household", "g1", "address", "文昌路1-2-301")
	person := w.writes(county, "person", "g3", "name", "张三", "id_number", number("19500101", 1), "household", home.String())
	p := w.sent(w.listOrder(table(returnees...)))
	w.counts(p, intake.Counts{New: 4})
	if l := p.List; l.ByPerson != 1 || l.ByAddress != 1 || l.ByArea != 1 || l.Unrouted != 1 || l.Number != 1 || l.Family != l.ID {
		t.Errorf("%+v", l)
	}
	for row, want := range map[int]syncproto.AreaID{2: "g3", 3: "g1", 4: "g2", 5: "33"} {
		task := w.shows(w.taskOf(p, row))
		if task.Area != want || task.Fields["list"] != syncproto.TextValue(p.List.ID.String()) || task.Fields["title"] != `"返乡人员"` ||
			task.Fields["deadline"] != `"2020-02-03"` || task.Fields["what"] != `"check_person"` {
			t.Errorf("row %d lies in %s: %v", row, task.Area, task.Fields)
		}
	}
	if task := w.shows(w.taskOf(p, 2)); task.Fields["person"] != syncproto.TextValue(person.String()) || task.Fields["household"] != syncproto.TextValue(home.String()) {
		t.Errorf("%v", task.Fields)
	}
	if task := w.shows(w.taskOf(p, 3)); task.Fields["household"] != syncproto.TextValue(home.String()) {
		t.Errorf("%v", task.Fields)
	}
	list := w.shows(p.List.ID)
	if list.Area != "33" || list.Fields["rows"] != "4" || list.Fields["number"] != "1" {
		t.Errorf("%+v", list)
	}
	w.quiet()
}

func TestResultsFlowBackToTheListsOwner(t *testing.T) {
	w := newWorld(t)
	w.writes(county, "person", "g1", "name", "张三", "id_number", number("19500101", 1))
	p := w.sent(w.listOrder(table(returnees...)))
	id := w.taskOf(p, 2)
	w.now += day
	w.edits(worker, "task", "g1", id, w.shows(id).Version, "result", "moved", "result_note", "去了杭州")
	state, err := w.List(t.Context(), p.List.ID, []syncproto.AreaID{"33"}, 20200201)
	w.must(err)
	if state.Tasks != 4 || state.Open != 3 || state.Results["moved"] != 1 || state.Overdue != 0 || state.Unrouted != 2 || !state.Newest || state.Rows != 4 {
		t.Errorf("%+v", state)
	}
	areas := make(map[syncproto.AreaID]int)
	sum := 0
	for _, a := range state.Areas {
		areas[a.Area] = a.Tasks
		sum += a.Tasks
	}
	if areas["c1"] != 2 || areas["33"] != 2 || sum != state.Tasks {
		t.Errorf("%+v", state.Areas)
	}
	if late, err := w.List(t.Context(), p.List.ID, []syncproto.AreaID{"33"}, 20200204); err != nil || late.Overdue != 3 {
		t.Errorf("after the deadline %d are overdue, %v", late.Overdue, err)
	}
	rows, err := w.Rows(t.Context(), p.List.ID, []syncproto.AreaID{"33"}, "", 0)
	w.must(err)
	told := 0
	for _, row := range rows.Rows {
		if row.ID == id {
			told++
			if row.By != worker || row.ByName != "网格员" || row.When != w.now || row.AreaName != "东网格" || row.Fields["result_note"] != `"去了杭州"` {
				t.Errorf("%+v", row)
			}
		} else if !row.By.IsZero() || row.When != 0 {
			t.Errorf("a row without a result has one by somebody: %+v", row)
		}
	}
	if told != 1 || len(rows.Rows) != 4 || rows.Next != "" {
		t.Errorf("%d of %d rows", told, len(rows.Rows))
	}
	w.quiet()
}

func TestRowsComePageByPageAndEachOnce(t *testing.T) {
	w := newWorld(t)
	p := w.sent(w.listOrder(table(returnees...)))
	seen := make(map[syncproto.RecordID]bool)
	for after, pages := "", 0; ; pages++ {
		page, err := w.Rows(t.Context(), p.List.ID, []syncproto.AreaID{"33"}, after, 3)
		w.must(err)
		for _, row := range page.Rows {
			if seen[row.ID] {
				t.Errorf("%s came twice", row.ID)
			}
			seen[row.ID] = true
		}
		if after = page.Next; after == "" {
			if pages != 1 {
				t.Errorf("%d pages", pages+1)
			}
			break
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d rows", len(seen))
	}
}

func TestAGridSeesItsPartOfAListAndNoOther(t *testing.T) {
	w := newWorld(t)
	w.writes(county, "person", "g1", "name", "张三", "id_number", number("19500101", 1))
	p := w.sent(w.listOrder(table(returnees...)))
	g1 := []syncproto.AreaID{"g1"}
	lists, err := w.Lists(t.Context(), g1, 20200131)
	w.must(err)
	if len(lists.Lists) != 1 || lists.Lists[0].Tasks != 1 || lists.Lists[0].Unrouted != 0 {
		t.Errorf("%+v", lists)
	}
	rows, err := w.Rows(t.Context(), p.List.ID, g1, "", 0)
	w.must(err)
	if len(rows.Rows) != 1 || rows.Rows[0].ID != w.taskOf(p, 2) {
		t.Errorf("%+v", rows.Rows)
	}
	// One of another branch is nobody's business there.
	o := w.listOrder(table(returnees...))
	o.Area, o.Name = "c2", "二社区的名单"
	other := w.sent(o)
	if _, err := w.List(t.Context(), other.List.ID, g1, 20200131); !isCode(err, syncproto.CodeNotFound, "list") {
		t.Errorf("%v", err)
	}
	if _, err := w.Rows(t.Context(), other.List.ID, g1, "", 0); !isCode(err, syncproto.CodeNotFound, "list") {
		t.Errorf("%v", err)
	}
	if _, err := w.List(t.Context(), w.taskOf(p, 2), []syncproto.AreaID{"33"}, 20200131); !isCode(err, syncproto.CodeNotFound, "list") {
		t.Errorf("a task was taken for a list: %v", err)
	}
}

func TestANewVersionKeepsWhatWasFoundAndWithdrawsWhoIsGone(t *testing.T) {
	w := newWorld(t)
	w.writes(county, "person", "g1", "name", "张三", "id_number", number("19500101", 1))
	first := w.sent(w.listOrder(table(returnees...)))
	zhang, li, wang := w.taskOf(first, 2), w.taskOf(first, 3), w.taskOf(first, 4)
	w.edits(worker, "task", "g1", zhang, w.shows(zhang).Version, "result", "done")

	w.now += day
	o := w.listOrder(table(
		"姓名|身份证号|电话|地址|所属网格",
		"钱七||99900000007|文昌路3号|",
		"张三|"+number("19500101", 1)+"|99900000001||",
		"李四||99900000002|文昌路5号|"))
	o.Family = first.List.ID
	second := w.sent(o)
	w.counts(second, intake.Counts{New: 1, Differs: 2})
	if l := second.List; l.Number != 2 || l.Gone != 2 || l.Family != first.List.ID || l.ID == first.List.ID {
		t.Errorf("%+v", l)
	}
	id := syncproto.TextValue(second.List.ID.String())
	task := w.shows(zhang)
	if versions, _ := form.Members(task.Fields["lists"]); task.Fields["result"] != `"done"` || task.Fields["list"] != id || len(versions) != 2 ||
		task.Fields["mobile"] != `"99900000001"` || task.Area != "g1" || task.Fields["row"] != `"3"` || len(task.Disputed) > 0 {
		t.Errorf("%+v", task)
	}
	if task := w.shows(wang); task.Fields["withdrawn_on"] != `"2020-02-01"` || task.Fields["list"] != syncproto.TextValue(first.List.ID.String()) {
		t.Errorf("%v", task.Fields)
	}
	state, err := w.List(t.Context(), first.List.ID, []syncproto.AreaID{"33"}, 20200201)
	w.must(err)
	if state.Tasks != 4 || state.Withdrawn != 2 || state.Newest || len(state.Versions) != 2 {
		t.Errorf("the first version: %+v", state)
	}
	lists, err := w.Lists(t.Context(), []syncproto.AreaID{"33"}, 20200201)
	w.must(err)
	if len(lists.Lists) != 1 || lists.Lists[0].ID != second.List.ID || lists.Lists[0].Tasks != 3 || lists.Lists[0].Results["done"] != 1 {
		t.Errorf("%+v", lists)
	}
	// Who comes back is on the list again.
	w.now += day
	o.File, o.Today = table("姓名|电话|所属网格", "王五|99900000003|西网格"), 20200202
	third := w.sent(o)
	if third.List.Number != 3 || third.List.Gone != 3 || !w.shows(wang).Fields["withdrawn_on"].IsNull() || w.shows(li).Fields["withdrawn_on"] != `"2020-02-02"` {
		t.Errorf("%+v", third.List)
	}
	w.quiet()
}

func TestAListSentTwiceIsOne(t *testing.T) {
	w := newWorld(t)
	o := w.listOrder(table(returnees...))
	first := w.sent(o)
	second := w.sent(o)
	if !second.List.Known || second.List.ID != first.List.ID || second.Applied.Changes != 0 {
		t.Errorf("%+v %+v", second.List, second.Applied)
	}
	o.Family = first.List.ID
	if again := w.sent(o); !again.List.Known || again.Applied.Changes != 0 {
		t.Errorf("as a version of itself: %+v", again.List)
	}
	o.File = table("姓名|电话", "王五|99900000003")
	w.sent(o)
	if again := w.sent(o); !again.List.Known || again.List.Number != 2 || again.Applied.Changes != 0 {
		t.Errorf("a version sent twice: %+v", again.List)
	}
	if n := len(w.all("list", "33")); n != 2 {
		t.Errorf("%d lists", n)
	}
}

func TestAListSaysWhatIsWrongWithIt(t *testing.T) {
	w := newWorld(t)
	good := w.listOrder(table(returnees...))
	for field, spoil := range map[string]func(*intake.ListOrder){
		"name":    func(o *intake.ListOrder) { o.Name = " " },
		"purpose": func(o *intake.ListOrder) { o.Purpose = "nothing" },
		"what":    func(o *intake.ListOrder) { o.What = "nothing" },
	} {
		o := good
		spoil(&o)
		if _, err := w.PlanList(t.Context(), o); !isCode(err, syncproto.CodeBadRequest, field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	o := good
	o.Family = syncproto.RecordID{1}
	if _, err := w.PlanList(t.Context(), o); !isCode(err, syncproto.CodeNotFound, "family") {
		t.Errorf("%v", err)
	}
	p, err := w.PlanList(t.Context(), w.listOrder(table("颜色|地址", "红|文昌路1号")))
	w.must(err)
	if p.Token != "" || len(p.Missing) != 1 {
		t.Errorf("%+v", p)
	}
	p, err = w.PlanList(t.Context(), w.listOrder(table("姓名|身份证号|地址", "||文昌路1号", "张三|1.23E+17|", "李四||")))
	w.must(err)
	w.counts(p, intake.Counts{New: 1, Bad: 2})
}

func TestAPostKnowsWhoIsOnAListWithoutHavingIt(t *testing.T) {
	w := newWorld(t)
	p := w.sent(w.listOrder(table(returnees...)))
	lists, err := w.Watch(t.Context(), []syncproto.AreaID{"g3"}, w.now)
	w.must(err)
	if len(lists.Lists) != 1 {
		t.Fatalf("%+v", lists)
	}
	l := &lists.Lists[0]
	if l.List != p.List.ID || l.Note != "劝返" || len(l.Digests) != 4*watch.Size {
		t.Errorf("%+v", l)
	}
	for _, n := range []watch.Number{{Type: form.IDNumber, Text: number("19500101", 1)}, {Type: form.Mobile, Text: "+86 999 0000 0003"}} {
		if !l.Has(n) {
			t.Errorf("%v isn't found", n)
		}
	}
	if l.Has(watch.Number{Type: form.Mobile, Text: "99900000009"}) {
		t.Error("a stranger is found")
	}
	body, err := json.Marshal(lists)
	w.must(err)
	for _, secret := range []string{"张三", "李四", "王五", "赵六", number("19500101", 1), "9990000000", "文昌路"} {
		if strings.Contains(string(body), secret) {
			t.Errorf("%s is in what posts get: %s", secret, body)
		}
	}
	// The same number has another digest in another list.
	o := w.listOrder(table(returnees...))
	o.Name = "另一份"
	w.sent(o)
	lists, err = w.Watch(t.Context(), []syncproto.AreaID{"g3"}, w.now)
	w.must(err)
	if len(lists.Lists) != 2 || bytes.Equal(lists.Lists[0].Key, lists.Lists[1].Key) || bytes.Equal(lists.Lists[0].Digests, lists.Lists[1].Digests) {
		t.Errorf("%+v", lists)
	}
	if lists, err = w.Watch(t.Context(), []syncproto.AreaID{"g3"}, w.now+10*day); err != nil || len(lists.Lists) != 0 {
		t.Errorf("after its deadline: %+v, %v", lists, err)
	}
	if lists, err = w.Watch(t.Context(), nil, w.now); err != nil || len(lists.Lists) != 0 {
		t.Errorf("for somebody without an area: %+v, %v", lists, err)
	}
}

func TestAPostWatchesTheNewestVersion(t *testing.T) {
	w := newWorld(t)
	first := w.sent(w.listOrder(table(returnees...)))
	_, err := w.Watch(t.Context(), []syncproto.AreaID{"g3"}, w.now)
	w.must(err)
	o := w.listOrder(table("姓名|电话", "钱七|99900000007"))
	o.Family = first.List.ID
	second := w.sent(o)
	lists, err := w.Watch(t.Context(), []syncproto.AreaID{"g3"}, w.now)
	w.must(err)
	if len(lists.Lists) != 1 || lists.Lists[0].List != second.List.ID || lists.Lists[0].Number != 2 {
		t.Fatalf("%+v", lists)
	}
	if l := &lists.Lists[0]; l.Has(watch.Number{Type: form.Mobile, Text: "99900000003"}) || !l.Has(watch.Number{Type: form.Mobile, Text: "99900000007"}) {
		t.Error("it watches out for the version before")
	}
	// A number that was put right reaches posts in a few minutes.
	id := w.taskOf(second, 2)
	_, err = w.exchange.Enter(t.Context(), exchange.Entry{Author: county, Steps: []exchange.Step{{
		Record: id, Kind: "task", Area: "33", Base: w.shows(id).Version, Fields: syncproto.Fields{"mobile": `"99900000008"`},
	}}})
	w.must(err)
	lists, err = w.Watch(t.Context(), []syncproto.AreaID{"g3"}, w.now+5*60*1000)
	w.must(err)
	if !lists.Lists[0].Has(watch.Number{Type: form.Mobile, Text: "99900000008"}) {
		t.Error("the number that was put right isn't watched")
	}
}
