package postgres_test

import (
	"fmt"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgtest"
	"gridsync/server/internal/store/storetest"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// BenchmarkSpread compares a log in one table with one that is spread over 90 counties, of
// which sixteen write, in what is asked most: a group of 1,500 temperatures with a look at when
// 1,500 versions were committed, a page of 1,000 records, a record's history, and a retry of a
// batch of 100.
func BenchmarkSpread(b *testing.B) {
	for _, counties := range []int{0, 90} {
		b.Run(fmt.Sprintf("counties=%d", counties), func(b *testing.B) {
			store := open(b, pgtest.New(b, pgtest.Options{Durable: true}).Database(b))
			b.Cleanup(func() {
				if err := store.Close(); err != nil {
					b.Error(err)
				}
			})
			var nodes []area.Node
			for i := range 90 {
				nodes = append(nodes, area.Node{ID: syncproto.AreaID(fmt.Sprintf("330702001%03d", i)), Name: "县"})
			}
			if err := store.PutAreas(b.Context(), nodes); err != nil {
				b.Fatal(err)
			}
			for i := range counties {
				if err := store.AddPartition(b.Context(), nodes[i].ID, postgres.Spot{}); err != nil {
					b.Fatal(err)
				}
			}
			spread(b, store)
		})
	}
}

func spread(b *testing.B, store *postgres.Store) {
	const devices, each = 15, 100
	var first *exchange.Batch
	group := 0
	push := func() {
		batch := storetest.Load(b, group, devices, each)
		if first == nil {
			first = batch
		}
		group++
		storetest.Push(b, store, batch)
	}
	for range 40 {
		push()
	}
	if err := store.Sweep(b.Context()); err != nil {
		b.Fatal(err)
	}
	in := func(b *testing.B, ask func(exchange.Tx) error) {
		for b.Loop() {
			if err := store.Commit(b.Context(), ask); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("group", func(b *testing.B) {
		for range b.N {
			b.StopTimer()
			batch := storetest.Load(b, group, devices, each)
			group++
			b.StartTimer()
			storetest.Push(b, store, batch)
		}
	})
	b.Run("nothing", func(b *testing.B) { in(b, func(exchange.Tx) error { return nil }) })
	b.Run("moments", func(b *testing.B) {
		versions := make([]syncproto.Version, devices*each)
		for i := range versions {
			versions[i] = syncproto.Version(i*37 + 1)
		}
		in(b, func(tx exchange.Tx) error { _, err := tx.CommittedAt(versions); return err })
	})
	b.Run("page", func(b *testing.B) {
		for b.Loop() {
			rows, err := store.Page(b.Context(), exchange.Feed{Area: 1, Stream: form.History}, 500, 1000, 1<<24)
			if err != nil || len(rows) != 1000 {
				b.Fatal(len(rows), err)
			}
		}
	})
	b.Run("history", func(b *testing.B) {
		for b.Loop() {
			if _, err := store.LogOf(b.Context(), []syncproto.RecordID{first.Log[7].Change.Record}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("retry", func(b *testing.B) {
		ns := make([]uint64, each)
		for i := range ns {
			ns[i] = uint64(i + 1)
		}
		in(b, func(tx exchange.Tx) error { _, err := tx.Prior(first.Log[0].Change.Device, ns); return err })
	})
}
