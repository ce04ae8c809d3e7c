package intake_test

import (
	"fmt"
	"runtime"
	"testing"

	"gridsync/server/internal/intake"
)

// crowd is a file of so many people in households of four.
func crowd(rows int) []byte {
	lines := make([]string, 0, rows+1)
	lines = append(lines, "姓名|身份证号|联系电话|家庭住址|户主|网格")
	for i := range rows {
		lines = append(lines, fmt.Sprintf("张%c%c|%s|999%08d|文昌路%d号%d室|户主%d|g%d",
			0x4e00+i%2000, 0x5000+i/2000, number(fmt.Sprintf("19%02d%02d%02d", i%80+10, i/80%12+1, i/960%28+1), i/26880), i, i/400+1, i/4%100+1, i/4, i/4%2+1))
	}
	return table(lines...)
}

// BenchmarkImport measures the plan of 50,000 rows, having it done, and the plan of the same
// file again.
func BenchmarkImport(b *testing.B) {
	const rows = intake.MaxRows
	file := crowd(rows)
	for b.Loop() {
		w := newWorld(b)
		o := w.order("person", "a.csv", file)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		began := w.clock()
		p := w.plan(o)
		planned := w.clock()
		done, err := w.Apply(b.Context(), o, p.Token, false)
		w.must(err)
		applied := w.clock()
		again := w.plan(o)
		ended := w.clock()
		runtime.ReadMemStats(&after)
		if done.Applied.New != rows || again.Counts.Same != rows {
			b.Fatalf("%+v %+v", done.Applied, again.Counts)
		}
		b.ReportMetric(planned.Sub(began).Seconds(), "s/plan")
		b.ReportMetric(applied.Sub(planned).Seconds(), "s/apply")
		b.ReportMetric(ended.Sub(applied).Seconds(), "s/again")
		b.ReportMetric(float64(after.Sys)/(1<<20), "MB/sys")
	}
}
