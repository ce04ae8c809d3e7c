package sqlite_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/match"
	"gridsync/server/internal/store/storetest"
)

// BenchmarkBlocks looks for neighbours among 1,000,000 lines of the index: for each of
// 100 records five ranges, of which none, one or all hold somebody. An operation is one
// range.
func BenchmarkBlocks(b *testing.B) {
	store := open(b, b.TempDir())
	defer func() {
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	}()
	storetest.Push(b, store, storetest.Load(b, 0, storetest.LoadDevices, storetest.LoadBatch))
	seeded := rand.New(rand.NewPCG(1, 1))
	records := storetest.Load(b, 0, storetest.LoadDevices, storetest.LoadBatch).Records
	keys := make([]match.Key, 0, 1_000_000)
	batch := &exchange.Batch{}
	for i := range cap(keys) {
		keys = append(keys, match.Key(seeded.Uint64()))
		batch.Indexed = append(batch.Indexed, match.Entry{Key: keys[i], Record: records[i%len(records)].Record.ID})
	}
	began := time.Now()
	storetest.Push(b, store, batch)
	b.Logf("1,000,000 lines written in %v", time.Since(began))
	for _, bench := range []struct {
		name string
		full int // of five
	}{{"AllEmpty", 0}, {"OneOfFive", 1}, {"AllFull", 5}} {
		b.Run(bench.name, func(b *testing.B) {
			looked := 0
			for looked < b.N {
				ranges := make([]match.Range, 500)
				for i := range ranges {
					key := match.Key(seeded.Uint64())
					if i%5 < bench.full {
						key = keys[seeded.IntN(len(keys))]
					}
					ranges[i] = match.Range{From: key, To: key}
				}
				err := store.Commit(b.Context(), func(tx exchange.Tx) error {
					_, err := tx.Blocks(ranges, match.Block+1)
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
				looked += len(ranges)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/1000/float64(looked), "µs/range")
		})
	}
}
