package intake_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"gridsync/server/internal/intake"
)

func TestHoweverManyCellsCannotBeReadNoRowGoesInWithoutThem(t *testing.T) {
	w := newWorld(t)
	rows := []string{"姓名|身份证号|网格"}
	for i := range 2100 {
		rows = append(rows, fmt.Sprintf("人%d|1.23E+17|g1", i))
	}
	w.counts(w.plan(w.order("person", "名单.csv", table(rows...))), intake.Counts{Bad: 2100})
	w.counts(w.sentNothing(table(rows...)), intake.Counts{Bad: 2100})
}

// sentNothing plans a list and does nothing.
func (w *world) sentNothing(file []byte) *intake.Plan {
	w.Helper()
	p, err := w.PlanList(w.Context(), w.listOrder(file))
	w.must(err)
	return p
}

func TestAMergedCellThatCannotBeReadStopsEachOfItsRows(t *testing.T) {
	w := newWorld(t)
	file := workbook(t, func(f *excelize.File, sheet string) {
		set(t, f, sheet, "A1", "姓名", "身份证号", "网格")
		set(t, f, sheet, "A2", "张三", 1.23e17, "g1")
		set(t, f, sheet, "A3", "李四", "", "g1")
		w.must(f.MergeCell(sheet, "B2", "B3"))
	})
	p := w.plan(w.order("person", "名单.xlsx", file))
	w.counts(p, intake.Counts{Bad: 2})
	if l := p.All()[1]; len(l.Problems) != 1 || l.Problems[0].Cell != "B3" || !strings.Contains(l.Problems[0].ZH, "读不出来") {
		t.Errorf("%+v", l)
	}
}

func TestARowThatIsLeftOutWithdrawsNobodysTask(t *testing.T) {
	w := newWorld(t)
	first := w.sent(w.listOrder(table("姓名|电话|网格|期限", "张三|99900000001|g1|", "李四|99900000002|g1|", "王五|99900000003|g1|", "赵六|99900000004|g1|")))
	o := w.listOrder(table("姓名|电话|网格|期限", "张三|99900000001|g1|", "李四|99900000002|g1|二月三日", "王五|9.99E+10|g1|"))
	o.Family = first.List.Family
	p := w.sent(o)
	if p.Counts.Bad != 2 || p.List.Gone != 1 {
		t.Errorf("%+v %+v", p.Counts, p.List)
	}
	for row, gone := range map[int]bool{2: false, 3: false, 4: false, 5: true} {
		task := w.shows(w.taskOf(first, row))
		if got := !task.Fields["withdrawn_on"].IsNull(); got != gone {
			t.Errorf("the task of row %d is withdrawn: %v", row, got)
		}
	}
	if n := len(p.Remarks); n == 0 || !strings.Contains(p.Remarks[n-1].ZH, "2 项任务") {
		t.Errorf("nobody is told: %+v", p.Remarks)
	}
}

func TestARowThatSaysMoreOfSomebodyIsNotPassedOver(t *testing.T) {
	w := newWorld(t)
	id := number("19500101", 1)
	p := w.plan(w.order("person", "名单.csv", table("姓名|身份证号|手机号|网格", "张三|"+id+"||g1", "张三|"+id+"|99900000001|g1", "张三|"+id+"||g1")))
	w.counts(p, intake.Counts{New: 1, Unsure: 1, Same: 1})
	if l := p.All()[1]; len(l.Problems) != 1 || !strings.Contains(l.Problems[0].ZH, "第 2 行") || !strings.Contains(l.Problems[0].ZH, "多") {
		t.Errorf("%+v", l)
	}
	w.counts(w.sentNothing(table("姓名|身份证号|电话|网格", "张三|"+id+"||g1", "张三|"+id+"|99900000001|g1")), intake.Counts{New: 1, Unsure: 1})
}

func TestAreasThatLieDeeperThanAnyRealOnesStayOut(t *testing.T) {
	w := newWorld(t)
	rows := []string{"编码|名称|上级编码"}
	above := "c1"
	for i := range 3000 {
		code := fmt.Sprintf("d%04d", i)
		rows, above = append(rows, code+"|"+code+"|"+above), code
	}
	p := w.plan(w.order(intake.KindArea, "区划.csv", table(rows...)))
	w.counts(p, intake.Counts{New: 32, Bad: 2968})
	if l := p.All()[32]; len(l.Problems) != 1 || !strings.Contains(l.Problems[0].ZH, "32 层") {
		t.Errorf("%+v", l)
	}
}
