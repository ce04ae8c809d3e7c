package intake_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"gridsync/server/internal/intake"
	"gridsync/syncproto"
)

var people = table(
	"姓名|身份证号码|联系电话|家庭住址|户主|网格|人员分类|备注|最喜欢的颜色",
	"张三|"+number("19500101", 1)+"|99900000001|文昌路1号2幢301室|张三|东网格|武汉返回、密切接触|从武汉回|蓝",
	"李四|"+number("19600101", 2)+"|99900000002|文昌路1号2幢301室|张三|g1|||",
	"王五||99900000003|文昌路9号|王五|西网格|||",
)

func TestADryRunSaysWhatAFileWouldDoAndDoesNothing(t *testing.T) {
	w := newWorld(t)
	p := w.plan(w.order("person", "名单.csv", people))
	w.counts(p, intake.Counts{New: 3, Households: 2})
	if p.Token == "" || len(p.Problems) > 0 || len(p.Missing) > 0 {
		t.Errorf("%+v", p)
	}
	var columns []string
	for _, c := range p.Columns {
		columns = append(columns, c.Header+"="+c.Field)
	}
	if got := strings.Join(columns, " "); got != "姓名=name 身份证号码=id_number 联系电话=mobile 家庭住址=address 户主=head 网格=area 人员分类=classes 备注=note" {
		t.Error(got)
	}
	if len(p.Ignored) != 1 || p.Ignored[0] != "最喜欢的颜色" {
		t.Errorf("ignored: %q", p.Ignored)
	}
	if first := p.Lines[0]; first.Row != 2 || first.Name != "张三" || first.Area != "g1" || !first.NewHousehold {
		t.Errorf("%+v", first)
	}
	if n := len(w.all("", "33")); n != 0 {
		t.Errorf("a dry run made %d records", n)
	}
}

func TestWhatWasShownIsWhatIsDone(t *testing.T) {
	w := newWorld(t)
	o := w.order("person", "名单.csv", people)
	p := w.applied(o, false)
	if a := p.Applied; a == nil || a.New != 3 || a.Households != 2 || a.Changes != 5 || a.Left != 0 {
		t.Fatalf("%+v", p.Applied)
	}
	for _, l := range p.All() {
		row := w.shows(l.Record)
		if row.Area != l.Area {
			t.Errorf("%s lies in %s, not %s", l.Name, row.Area, l.Area)
		}
		home := w.shows(l.Household)
		if text, _ := row.Fields["household"].Text(); text != home.ID.String() || home.Area != l.Area {
			t.Errorf("%s lives in %q of %s", l.Name, text, home.Area)
		}
	}
	zhang := w.shows(p.All()[0].Record)
	for name, want := range map[string]syncproto.Value{
		"name": `"张三"`, "mobile": `"99900000001"`, "classes": `["close_contact","wuhan_return"]`, "found_on": `"2020-01-31"`, "note": `"从武汉回"`,
	} {
		if zhang.Fields[name] != want {
			t.Errorf("%s is %s, not %s", name, zhang.Fields[name], want)
		}
	}
	if len(w.all("household", "c1")) != 2 || len(w.all("person", "c1")) != 3 {
		t.Error("two households and three people were to be there")
	}
	w.quiet()
}

func TestTheSameFileTwiceIsTheSame(t *testing.T) {
	w := newWorld(t)
	o := w.order("person", "名单.csv", people)
	w.applied(o, false)
	for _, who := range []syncproto.AuthorID{secretary, mate} { // whoever brings it
		o.Author = who
		p := w.applied(o, false)
		w.counts(p, intake.Counts{Same: 3})
		if p.Applied.Changes != 0 {
			t.Errorf("%+v", p.Applied)
		}
	}
	if n := len(w.all("", "33")); n != 5 {
		t.Errorf("%d records", n)
	}
}

func TestAValueThatDiffersIsAskedAboutAndOverwritesNothing(t *testing.T) {
	w := newWorld(t)
	id := w.writes(worker, "person", "g1", "name", "张三", "id_number", number("19500101", 1), "mobile", "99900000009", "employer", "甲厂")
	file := table("姓名|身份证|手机|工作单位|来自|性别", "张三|"+number("19500101", 1)+"|99900000001|乙厂|武汉|男")
	p := w.applied(w.order("person", "a.csv", file), false)
	w.counts(p, intake.Counts{Differs: 1})
	line := p.All()[0]
	said := make(map[string]intake.Difference)
	for _, d := range line.Differs {
		said[d.Field] = d
	}
	if d := said["mobile"]; d.File != `"99900000001"` || d.Roster != `"99900000009"` || d.Kept {
		t.Errorf("%+v", d)
	}
	if d := said["employer"]; !d.Kept {
		t.Errorf("the newest word shows for an employer, so that the file's would stand over the roster's unasked: %+v", d)
	}
	if d := said["came_from"]; d.Roster != "" || d.File != `"武汉"` {
		t.Errorf("%+v", d)
	}
	if len(said) != 4 || line.Record != id {
		t.Errorf("%+v", line)
	}
	row := w.shows(id)
	if claims := row.Disputed["mobile"]; len(claims) != 2 {
		t.Errorf("both numbers must be heard: %+v", claims)
	}
	if _, asked := row.Disputed["came_from"]; asked || row.Fields["came_from"] != `"武汉"` || row.Fields["employer"] != `"甲厂"` {
		t.Errorf("%+v %+v", row.Fields, row.Disputed)
	}
	// Brought again, nothing is left to say: a person is asked already.
	again := w.applied(w.order("person", "a.csv", file), false)
	if again.Applied.Changes != 0 || len(again.All()[0].Differs) != 1 {
		t.Errorf("%+v %+v", again.Applied, again.All()[0])
	}
	// Nor when the other value shows since.
	w.now += 3600 * 1000
	w.edits(worker, "person", "g1", id, 0, "mobile", "99900000009")
	if row := w.shows(id); row.Fields["mobile"] != `"99900000009"` || len(row.Disputed["mobile"]) != 2 {
		t.Fatalf("%+v", row)
	}
	if again := w.plan(w.order("person", "a.csv", file)).All()[0]; len(again.Differs) != 1 {
		t.Errorf("%+v", again)
	}
	w.quiet()
}

func TestWhoHasLeftAndIsListedIsAskedAbout(t *testing.T) {
	w := newWorld(t)
	id := w.writes(worker, "person", "g1", "name", "张三", "id_number", number("19500101", 1))
	_, err := w.enterExit(id)
	w.must(err)
	o := w.order("person", "a.csv", table("姓名|身份证", "张三|"+number("19500101", 1)))
	p := w.applied(o, false)
	w.counts(p, intake.Counts{Differs: 1})
	if d := p.All()[0].Differs; len(d) != 1 || d[0].Field != "exit" {
		t.Errorf("%+v", d)
	}
	if _, asked := w.shows(id).Disputed["exit"]; !asked {
		t.Error("nobody is asked whether they left")
	}
	w.counts(w.plan(o), intake.Counts{Same: 1})
}

func TestAPersonIsFoundByWhatTellsPeopleApart(t *testing.T) {
	w := newWorld(t)
	home := w.writes(worker, "household", "g1", "address", "文昌路１号2栋301")
	a := w.writes(worker, "person", "g1", "name", "張國強", "birth", "1950-01-01", "household", home.String())
	b := w.writes(mate, "person", "g2", "name", "李明", "mobile", "99900000002")
	for row, want := range map[string]syncproto.RecordID{
		"张国强|1950年1月1日||":        a,
		"张国强||文昌路1号2幢301室|g1":    a,
		"张国强||文昌路1号2幢301室|":      a,
		"李 明|||86-999-0000-0002": b,
		"李明|||９９９００００００02":       b,
		"张国强||文昌路2号|":            {},
		"李明|1950/1/1||":          {},
	} {
		cells := strings.Split(row, "|")
		file := table("姓名|出生年月日|住址|电话|网格", strings.Join([]string{cells[0], cells[1], cells[2], "", ""}, "|"))
		if strings.HasPrefix(cells[3], "g") {
			file = table("姓名|出生年月日|住址|网格", strings.Join(cells, "|"))
		} else if cells[3] != "" {
			file = table("姓名|电话", cells[0]+"|"+cells[3])
		}
		line := w.plan(w.order("person", "a.csv", file)).All()[0]
		if found := line.Status != intake.New; found != !want.IsZero() || found && line.Record != want {
			t.Errorf("%s: %+v", row, line)
		}
	}
}

func TestWhoMatchesTwoIsNotGuessed(t *testing.T) {
	w := newWorld(t)
	a := w.writes(worker, "person", "g1", "name", "张三", "mobile", "99900000001")
	b := w.writes(mate, "person", "g2", "name", "张三", "mobile", "99900000001")
	o := w.order("person", "a.csv", table("姓名|手机|备注", "张三|99900000001|x", "李四|99900000004|y"))
	p := w.plan(o)
	w.counts(p, intake.Counts{New: 1, Unsure: 1})
	if m := p.All()[0].Matches; len(m) != 2 || m[0] != a && m[0] != b {
		t.Errorf("%v", m)
	}
	if _, err := w.Apply(t.Context(), o, p.Token, false); !isCode(err, syncproto.CodeBadRequest, "leave_out") {
		t.Errorf("rows that can't be entered didn't stand in the way: %v", err)
	}
	if n := len(w.all("person", "c1")); n != 2 {
		t.Errorf("%d people: half was imported", n)
	}
	done := w.applied(o, true)
	if done.Applied.New != 1 || done.Applied.Left != 1 || len(w.all("person", "c1")) != 3 {
		t.Errorf("%+v", done.Applied)
	}
}

func TestAnIDNumberDecidesBetweenNamesakes(t *testing.T) {
	w := newWorld(t)
	w.writes(worker, "person", "g1", "name", "张三", "mobile", "99900000001")
	b := w.writes(mate, "person", "g2", "name", "张三", "mobile", "99900000001", "id_number", number("19500101", 1))
	line := w.plan(w.order("person", "a.csv", table("姓名|手机|身份证", "张三|99900000001|"+number("19500101", 1)))).All()[0]
	if line.Record != b || line.Status != intake.Same {
		t.Errorf("%+v", line)
	}
}

func TestTwoRowsAboutOnePersonAreOne(t *testing.T) {
	w := newWorld(t)
	p := w.plan(w.order("person", "a.csv", table("姓名|身份证|手机",
		"张三|"+number("19500101", 1)+"|99900000001",
		"张三|"+number("19500101", 1)+"|",
		"张三|"+number("19500101", 1)+"|99900000002",
		"张三||99900000001",
	)))
	w.counts(p, intake.Counts{New: 1, Same: 2, Unsure: 1})
	if l := p.All()[2]; l.Twin != 2 || !strings.Contains(l.Problems[0].ZH, "第 2 行") {
		t.Errorf("%+v", l)
	}
}

func TestARowThatMovedOnIsShownAgain(t *testing.T) {
	w := newWorld(t)
	id := w.writes(worker, "person", "g1", "name", "张三", "id_number", number("19500101", 1))
	o := w.order("person", "a.csv", table("姓名|身份证|手机", "张三|"+number("19500101", 1)+"|99900000001"))
	p := w.plan(o)
	w.edits(worker, "person", "g1", id, w.shows(id).Version, "mobile", "99900000005")
	if _, err := w.Apply(t.Context(), o, p.Token, false); !isCode(err, syncproto.CodeMovedOn, "token") {
		t.Fatalf("%v", err)
	}
	other := o
	other.File = append([]byte{}, o.File...)
	other.File[len(other.File)-2] = '2'
	if _, err := w.Apply(t.Context(), other, w.plan(o).Token, false); !isCode(err, syncproto.CodeMovedOn, "token") {
		t.Errorf("another file was imported with this one's token: %v", err)
	}
	if _, err := w.Apply(t.Context(), o, "", false); !isCode(err, syncproto.CodeMovedOn, "token") {
		t.Errorf("without a token: %v", err)
	}
	// What happens elsewhere meanwhile is no reason to ask again.
	p = w.plan(o)
	w.writes(worker, "person", "g1", "name", "李四")
	if _, err := w.Apply(t.Context(), o, p.Token, false); err != nil {
		t.Errorf("somebody else's record stood in the way: %v", err)
	}
}

func TestNothingHalfIsImported(t *testing.T) {
	w := newWorld(t)
	o := w.order("person", "a.csv", table("姓名|网格", "张三|g1", "李四|g2"))
	o.Author = worker // may write in g1 alone
	_, err := w.Apply(t.Context(), o, w.plan(o).Token, false)
	var why *syncproto.Error
	if !errors.As(err, &why) || why.Code != syncproto.CodeForbidden || !strings.Contains(why.Detail, "row 3: out_of_area") || !strings.Contains(why.Message().ZH, "第 3 行") {
		t.Errorf("%v", err)
	}
	if n := len(w.all("", "33")); n != 0 {
		t.Errorf("%d records", n)
	}
}

func TestRowsStayWithinTheChosenArea(t *testing.T) {
	w := newWorld(t)
	far := w.writes(county, "person", "g3", "name", "张三", "id_number", number("19500101", 1))
	p := w.plan(w.order("person", "a.csv", table("姓名|身份证|网格|档案编号",
		"张三|"+number("19500101", 1)+"||", "李四||南网格|", "王五||g3|", "赵六||重名|", "钱七||c1 一社区|", "张三||| "+far.String())))
	w.counts(p, intake.Counts{New: 2, Bad: 4})
	for i, want := range []string{"", "没有“南网格”", "没有“g3”", "有 2 个“重名”", "", "没有编号为"} {
		l := p.All()[i]
		if want == "" != (len(l.Problems) == 0) || want != "" && !strings.Contains(l.Problems[0].ZH, want) {
			t.Errorf("row %d: %+v", l.Row, l.Problems)
		}
	}
	if p.All()[0].Record == far {
		t.Error("a record of another community was touched")
	}
}

func TestHouseholdsComeByTheirDoors(t *testing.T) {
	w := newWorld(t)
	there := w.writes(worker, "household", "g1", "address", "文昌路1-2-301", "head", "张三")
	p := w.applied(w.order("household", "户.csv", table("地址|户主姓名|人口数|居住性质|网格编码",
		"文昌路1号2幢301室|张三|３|户籍|g1", "文昌路1号2幢302室|李四|2人|租住|g1", "文昌路1号2幢302室|李四|2|租住|g1")), false)
	w.counts(p, intake.Counts{New: 1, Same: 1, Differs: 1})
	if p.All()[0].Record != there {
		t.Errorf("%+v", p.All()[0])
	}
	if row := w.shows(there); row.Fields["headcount"] != "3" || row.Fields["tenure"] != `"registered"` {
		t.Errorf("%v", row.Fields)
	}
	if row := w.shows(there); len(row.Disputed) > 0 || row.Fields["address"] != `"文昌路1-2-301"` {
		t.Errorf("one door written in two ways was asked about: %+v", row)
	}
}

func isCode(err error, code syncproto.Code, field string) bool {
	var e *syncproto.Error
	return errors.As(err, &e) && e.Code == code && e.Field == field
}

func TestHouseholdsMadeForPeopleCountAsSuchOrThePlanSaysThatTheyDoNot(t *testing.T) {
	w := newWorld(t)
	remarked := func(p *intake.Plan, words string) bool {
		return slices.ContainsFunc(p.Remarks, func(r intake.Problem) bool { return strings.Contains(r.ZH, words) })
	}
	p := w.plan(w.order("person", "名单.csv", people))
	if !remarked(p, "2 户没有居住性质") || strings.Contains(p.Remarks[0].EN, "%") {
		t.Errorf("%+v", p.Remarks)
	}
	told := table("姓名|联系电话|家庭住址|网格|居住性质",
		"张三|99900000001|文昌路1号|g1|租住", "李四|99900000002|文昌路1号|g1|", "王五|99900000003|文昌路9号|g1|户籍",
		"赵六|99900000004|文昌路9号|g1|租住", "孙七|99900000005|文昌路7号|g1|别墅")
	p = w.applied(w.order("person", "名单.csv", told), true)
	w.counts(p, intake.Counts{New: 3, Households: 2, Bad: 2})
	if remarked(p, "居住性质") {
		t.Errorf("%+v", p.Remarks)
	}
	for i, want := range []syncproto.Value{`"rented"`, `"rented"`, `"registered"`} {
		if got := w.shows(p.All()[i].Household).Fields["tenure"]; got != want {
			t.Errorf("row %d: the household's tenure is %s, not %s", p.All()[i].Row, got, want)
		}
	}
	for row, words := range map[int]string{3: "第 4 行", 4: "户籍"} {
		if l := p.All()[row]; l.Status != intake.Bad || len(l.Problems) != 1 || !strings.Contains(l.Problems[0].ZH, words) {
			t.Errorf("%+v", l)
		}
	}
	p = w.plan(w.order("person", "名单.csv", table("姓名|联系电话|家庭住址|网格|居住性质", "周八|99900000006|文昌路1号|g1|户籍")))
	if p.Counts.Households != 0 || !remarked(p, "1 户已有档案") {
		t.Errorf("%+v %+v", p.Counts, p.Remarks)
	}
}
