package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gridsync/server/internal/demo/world"
	"gridsync/server/internal/review"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// units are the units as people say them.
var units = map[form.Unit]string{
	form.Households: "户", form.People: "人", form.Times: "人次", form.HouseholdTimes: "户次", form.Vehicles: "辆次", form.Items: "件",
}

// tables prints the views of the community, the township and the county, the
// rounds, and what agrees.
func (p *play) tables(ctx context.Context, e *ending) error {
	out := &pen{out: p.opt.Out, colour: p.opt.Colour}
	days := p.days()
	last := days[len(days)-1]
	for _, view := range []struct {
		id     syncproto.AreaID
		zh, en string
	}{{p.w.Community, "社区", "community"}, {p.w.Township, "街道", "township"}, {p.w.County, "县", "county"}} {
		sum, err := p.screen.summary(ctx, view.id, last)
		if err != nil {
			return err
		}
		out.title(fmt.Sprintf("%s（%s） %s", sum.Name, view.zh, sum.Day), fmt.Sprintf("%s, by the areas below it", view.en))
		byChild(sum).print(out)
		watermark(out, &sum.Watermark)
	}
	if err := p.byDay(ctx, out, days); err != nil {
		return err
	}
	p.rounds(out, e)
	p.queue(out, e)
	p.agreement(out, e)
	return out.err
}

// days lists the days of the story's second half, on which something happened.
func (p *play) days() []string {
	var days []string
	for _, phase := range p.w.Phases[1:] {
		if day := form.DayOf(phase.Until).String(); !slices.Contains(days, day) {
			days = append(days, day)
		}
	}
	return days
}

func label(m *rollup.Measure) cell {
	return cell{fmt.Sprintf("%s %s（%s）", m.Label.ZH, m.Label.EN, units[m.Unit]), ""}
}

func number(n int64, measure string) cell {
	switch {
	case n == 0:
		return cell{"0", dim}
	case slices.Contains([]string{"fevers", "passage_fevers", "returnees"}, measure):
		return cell{thousands(n), red}
	case slices.Contains([]string{"visits_refused", "visits_not_home", "turned_back"}, measure):
		return cell{thousands(n), yellow}
	}
	return cell{thousands(n), ""}
}

func byChild(sum *rollup.Summary) *table {
	t := &table{}
	head := []cell{{"", ""}, {"合计 Total", ""}}
	for _, child := range sum.Children {
		name := child.Name
		if child.Direct {
			name += "（直属）"
		}
		head = append(head, cell{name, ""})
	}
	t.add(head...)
	for i := range sum.Measures {
		m := &sum.Measures[i]
		row := []cell{label(m), number(m.Value, m.Name)}
		for _, child := range sum.Children {
			row = append(row, number(child.Values[i], m.Name))
		}
		t.add(row...)
	}
	return t
}

func watermark(out *pen, w *rollup.Watermark) {
	at := time.UnixMilli(int64(w.At)).In(form.Zone).Format("2006-01-02 15:04")
	out.print("%s\n", out.paint(dim, fmt.Sprintf(
		"截至 as of %s · 版本 version %d · 设备 devices %d/%d · 未上传 unsent %d · 待核查 questions %d · 其中等待 of them waiting %d",
		at, w.Version, w.Heard, w.Expected, w.Unsent, w.Disputes, w.Parked)))
}

// byDay prints the community's measures day by day.
func (p *play) byDay(ctx context.Context, out *pen, days []string) error {
	t := &table{}
	head := []cell{{"", ""}}
	var rows [][]cell
	for _, day := range days {
		sum, err := p.screen.summary(ctx, p.w.Community, day)
		if err != nil {
			return err
		}
		head = append(head, cell{day[5:], ""})
		for i := range sum.Measures {
			m := &sum.Measures[i]
			if i == len(rows) {
				rows = append(rows, []cell{label(m)})
			}
			rows[i] = append(rows[i], number(m.Value, m.Name))
		}
	}
	t.add(head...)
	t.rows = append(t.rows, rows...)
	out.title("D社区 逐日", "community, day by day")
	t.print(out)
	return nil
}

// lateShown is how many of the late finds are printed.
const lateShown = 12

func (p *play) rounds(out *pen, e *ending) {
	out.title("两轮排查比较", "the rounds compared")
	t := &table{}
	t.add(cell{"", ""}, cell{"居民 Residents", ""}, cell{"武汉返回 Returnees", ""})
	for _, r := range e.findings.rounds {
		t.add(cell{r.name, ""}, number(int64(r.met.Residents), ""), number(int64(r.met.Returnees), "returnees"))
	}
	late := e.Late
	second := e.Rounds[len(e.Rounds)-1]
	t.add(cell{"仅第二轮发现 Only in the second", bold}, number(int64(late.Residents), ""), number(int64(late.Returnees), "returnees"))
	t.add(cell{"占第二轮 Of the second", dim}, share(late.Residents, second.Residents), share(late.Returnees, second.Returnees))
	t.print(out)

	names := make(map[syncproto.AreaID]string)
	for _, a := range p.w.Areas {
		names[a.ID] = a.Name
	}
	list := &table{}
	list.add(cell{"晚发现的武汉返回人员 Late returnees", ""}, cell{"网格 Grid", ""}, cell{"发现人 Finder", ""}, cell{"时间 When", ""})
	for _, found := range e.diff.OnlyB {
		if len(list.rows) > lateShown {
			break
		}
		if slices.Contains(found.Flags, "returnee") {
			at := time.UnixMilli(int64(found.At)).In(form.Zone).Format("01-02 15:04")
			list.add(cell{found.Name, ""}, cell{names[found.Area], ""}, cell{found.FinderName, ""}, cell{at, dim})
		}
	}
	out.print("\n")
	list.print(out)
	if more := late.Returnees - (len(list.rows) - 1); more > 0 {
		out.print("%s\n", out.paint(dim, fmt.Sprintf("… 另有 %d 人，见网页 and %d more, on the page", more, more)))
	}
}

func share(part, whole int) cell {
	if whole == 0 {
		return cell{"—", dim}
	}
	return cell{fmt.Sprintf("%.1f %%", 100*float64(part)/float64(whole)), dim}
}

// kinds are the kinds of questions as people say them.
var kinds = map[review.Kind]syncproto.Text{
	review.Conflict: {ZH: "填写不一致", EN: "Differing entries"}, review.Duplicate: {ZH: "疑似重复", EN: "Duplicates"},
	review.DoubleVisit: {ZH: "重复入户", EN: "Double visits"}, review.Parked: {ZH: "待处理记录", EN: "Waiting entries"},
	review.Implausible: {ZH: "数据存疑", EN: "Implausible"}, review.Exit: {ZH: "离开存疑", EN: "Left, and edited"},
	review.Restated: {ZH: "日结变动", EN: "Restated days"},
}

// queue prints what people must settle, and what they have.
func (p *play) queue(out *pen, e *ending) {
	out.title("核查", "questions")
	t := &table{}
	t.add(cell{"", ""}, cell{"待处理 Open", ""}, cell{"已处理 Settled", ""})
	for _, kind := range review.Kinds {
		t.add(cell{kinds[kind].ZH + " " + kinds[kind].EN, ""}, number(int64(e.Review[kind]), ""), number(int64(e.Settled[kind]), ""))
	}
	t.print(out)
}

// agreement prints what was checked at the end.
func (p *play) agreement(out *pen, e *ending) {
	out.title("核对", "checked")
	yes := func(ok bool) cell {
		if ok {
			return cell{"✓ 一致 agree", green}
		}
		return cell{"✗ 不一致 differ", red}
	}
	count := func(n int, bad bool) cell {
		if bad && n > 0 {
			return cell{thousands(int64(n)), red}
		}
		return cell{thousands(int64(n)), ""}
	}
	t := &table{}
	t.add(cell{"手机日志与服务器日志 Phones' logs against the server's", ""}, cell{"", ""})
	t.add(cell{"手机记录 Recorded on phones", ""}, count(e.Changes.Recorded, false))
	t.add(cell{"服务器保存 Held by the server", ""}, count(e.Changes.Held, false))
	t.add(cell{"丢失 Lost", ""}, count(e.Changes.Lost, true))
	t.add(cell{"重复 Doubled", ""}, count(e.Changes.Doubled, true))
	t.add(cell{"书记在服务器上的裁定 Rulings at the desk", ""}, count(e.Changes.Ruled, false))
	t.add(cell{"告知填写人 Authors told", ""}, count(e.Told.Heard, false))
	t.add(cell{"各手机副本与服务器 Replicas", ""}, yes(e.ReplicasAgree))
	t.add(cell{"由日志重算 Rebuild from the log", ""}, yes(e.RebuildAgrees))
	t.print(out)
	staff, cadres := 0, 0
	for _, ph := range p.w.Phones {
		switch ph.Role {
		case world.Staff:
			staff++
		case world.Cadre:
			cadres++
		}
	}
	faults := 0
	for _, n := range p.faults() {
		faults += n
	}
	out.print("%s\n", out.paint(dim, fmt.Sprintf(
		"%d 部手机（社区干部 %d，下沉干部 %d），链路故障 %d 次，用时 %.1f 秒 · %d phones (staff %d, cadres %d), %d link faults, %.1f s",
		len(p.phones), staff, cadres, faults, e.Seconds, len(p.phones), staff, cadres, faults, e.Seconds)))
}
