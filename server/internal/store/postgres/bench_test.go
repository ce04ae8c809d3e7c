package postgres_test

import (
	"testing"

	"gridsync/server/internal/store/postgres/pgtest"
	"gridsync/server/internal/store/storetest"
)

// BenchmarkCommit commits groups of 6,400 temperatures as the service does, to a cluster
// that waits for its disk: compare with SQLite's of the same name.
func BenchmarkCommit(b *testing.B) {
	cluster := pgtest.New(b, pgtest.Options{Durable: true, Settings: []string{"shared_buffers='512MB'", "max_wal_size='4GB'"}})
	store := open(b, cluster.Database(b))
	defer func() {
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	}()
	rows := storetest.BenchmarkCommit(b, store)
	size, err := store.Size(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(size)/float64(rows), "bytes/row")
}
