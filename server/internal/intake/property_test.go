package intake_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gridsync/server/internal/intake"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
)

// file draws a file of people of whom some are one another, some there, some bad.
func file(t *rapid.T) []byte {
	rows := []string{"姓名|身份证|手机|住址|户主|网格|工作单位|人员分类"}
	for range rapid.IntRange(1, 12).Draw(t, "rows") {
		pick := func(what string, from ...string) string { return rapid.SampledFrom(from).Draw(t, what) }
		// Somebody with what tells them apart, or without some of it. Who is known by a mobile
		// alone, about which two rows disagree, may be somebody else the second time.
		who := rapid.SampledFrom([][3]string{
			{"张三", number("19500101", 1), "99900000001"},
			{"張三", number("19500101", 1), "+86 999-0000-0001"},
			{"李四", "", "99900000002"},
			{"王五", number("19700101", 3), ""},
			{"王伍", number("19700101", 3), ""},
			{"赵六", "", ""},
		}).Draw(t, "who")
		rows = append(rows, strings.Join([]string{
			pick("name", who[0], who[0], who[0], ""),
			pick("id", who[1], who[1], "1.2E+17"),
			pick("mobile", who[2], who[2], who[2], "x"),
			pick("address", "", "文昌路1号", "文昌路1-2-301", "三里村"),
			pick("head", "", "张三", "李四"),
			pick("area", "", "g1", "西网格", "g1", "g3"),
			pick("employer", "", "甲厂", "乙厂"),
			pick("classes", "", "武汉返回", "武汉返回、境外", "火星"),
		}, "|"))
	}
	return table(rows...)
}

// worlds is how many are played: each has a database of its own.
const worlds = 10

// What a dry run said is what is done; done again, nothing is left to do; and whatever was
// there before is heard still.
func TestWhatADryRunSaysIsWhatHappens(t *testing.T) {
	files := rapid.Custom(file)
	for seed := range worlds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := newWorld(t)
			w.writes(worker, "person", "g1", "name", "张三", "id_number", number("19500101", 1), "mobile", "99900000001", "employer", "甲厂")
			w.writes(mate, "person", "g2", "name", "李四", "mobile", "99900000002")
			w.writes(worker, "household", "g1", "address", "文昌路１号", "head", "张三")
			before := w.all("", "33")
			for round, who := range []syncproto.AuthorID{secretary, county} {
				o := w.order("person", "a.csv", files.Example(2*seed+round))
				o.Author = who
				had := len(w.all("person", "33"))
				p := w.plan(o)
				done, err := w.Apply(t.Context(), o, p.Token, true)
				w.must(err)
				if got := len(w.all("person", "33")) - had; got != p.Counts.New || done.Applied.New != p.Counts.New {
					t.Fatalf("%d new people, %d were said", got, p.Counts.New)
				}
				for _, l := range p.All() {
					said(t, w, &l)
				}
				again, err := w.Apply(t.Context(), o, w.plan(o).Token, true)
				w.must(err)
				if again.Applied.Changes != 0 || again.Counts.New != 0 {
					t.Fatalf("the same file again: %+v %+v\n%s", again.Applied, again.Counts, o.File)
				}
			}
			for i := range before {
				heard(t, &before[i], w.shows(before[i].ID))
			}
			w.quiet()
		})
	}
}

// said holds what a line said against what its record shows now.
func said(t *testing.T, w *world, l *intake.Line) {
	if l.Status == intake.Bad || l.Status == intake.Unsure {
		return
	}
	row := w.shows(l.Record)
	for _, d := range l.Differs {
		if d.Kept || d.Field == "exit" {
			continue
		}
		if !among(row, d.Field, d.File) {
			t.Fatalf("row %d said %s of %s, which shows %s", l.Row, d.File, d.Field, row.Fields[d.Field])
		}
	}
}

// heard holds that every value of before shows still, or is one of those in dispute.
func heard(t *testing.T, before, now *roster.Row) {
	for name, v := range before.Fields {
		if !among(now, name, v) {
			t.Fatalf("%s was %s and shows %s: it was overwritten", name, v, now.Fields[name])
		}
	}
}

// among reports whether a record shows a value, or disputes it, or has it in a list.
func among(row *roster.Row, name string, v syncproto.Value) bool {
	if row.Fields[name] == v {
		return true
	}
	if members, ok := v.Texts(); ok {
		there, _ := row.Fields[name].Texts()
		return !slices.ContainsFunc(members, func(m string) bool { return !slices.Contains(there, m) })
	}
	for _, c := range row.Disputed[name] {
		if c.Value == v {
			return true
		}
	}
	return false
}

// An export brought in again says nothing new.
func TestAnExportBroughtInAgainIsAllTheSame(t *testing.T) {
	w := newWorld(t)
	w.applied(w.order("person", "名单.csv", people), false)
	rows := w.all("person", "c1")
	export := []string{"档案编号|区域代码|区域名称|姓名|性别|身份证号|手机号|所在户|户籍性质|人员分类|备注|首次登记日期|离开登记|待核查栏目"}
	for i := range rows {
		r := &rows[i]
		text := func(name string) string { s, _ := r.Fields[name].Text(); return s }
		classes, _ := r.Fields["classes"].Texts()
		for j, c := range classes {
			classes[j] = map[string]string{"wuhan_return": "武汉返回", "close_contact": "密切接触"}[c]
		}
		n, _ := w.registry.Current().Areas.Find(r.Area)
		export = append(export, strings.Join([]string{
			r.ID.String(), string(r.Area), n.Name, text("name"), "", text("id_number"), text("mobile"), text("household"), "",
			strings.Join(classes, "、"), text("note"), text("found_on"), "", "",
		}, "|"))
	}
	p := w.plan(w.order("person", "导出.csv", table(export...)))
	w.counts(p, intake.Counts{Same: 3})
	// Masked numbers, as an office above is given them, say nothing.
	export[1] = strings.Replace(export[1], number("19500101", 1), "9990**********0010", 1)
	export[1] = strings.Replace(export[1], number("19600101", 2), "9990**********0010", 1)
	w.counts(w.plan(w.order("person", "导出.csv", table(export...))), intake.Counts{Same: 3})
}
