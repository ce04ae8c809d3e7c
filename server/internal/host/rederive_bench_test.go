package host_test

import (
	"runtime"
	"testing"

	"gridsync/server/internal/formbook"
	"gridsync/syncproto"
)

// BenchmarkDeriveAnew measures how long pushes wait when a threshold changes and so many
// people are registered: everything that follows from the log is worked out again.
func BenchmarkDeriveAnew(b *testing.B) {
	o := registerAll(b, builtIn(b))
	values := []syncproto.Value{"37.5", "37.3"}
	for i := 0; b.Loop(); i++ {
		change := formbook.Change{Name: "fever_threshold", From: "2020-01-01", Value: values[i%2]}
		if _, err := o.server.Forms().Set(b.Context(), "grid", []formbook.Change{change}, o.server.Operator()); err != nil {
			b.Fatal(err)
		}
		if err := o.server.Retry(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(*people), "µs/record")
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapSys)/(1<<20), "heap-MB")
	if err := o.server.Close(); err != nil {
		b.Error(err)
	}
}
