package host

import (
	"github.com/prometheus/client_golang/prometheus"

	"gridsync/server/internal/exchange"
)

// collectors are the metrics of what stands behind the API. Pushes by groups is
// how well the writer groups; a log of the database that only grows means that a
// reader holds it open.
func collectors(x *exchange.Service, b berth, e engine) []prometheus.Collector {
	counter := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value)
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	all := []prometheus.Collector{
		counter("gridsync_groups_total", "Groups of pushes committed.", func() float64 { return float64(x.Stats().Groups) }),
		counter("gridsync_pushes_total", "Pushes committed in groups.", func() float64 { return float64(x.Stats().Pushes) }),
		gauge("gridsync_parked", "Changes that wait for a cause to go or for a person.", func() float64 { return float64(x.Stats().Parked) }),
		gauge("gridsync_servers", "Servers that work on the database.", func() float64 { return float64(b.Servers()) }),
	}
	if kept, ok := e.(walled); ok {
		all = append(all, gauge("gridsync_wal_bytes", "Size of the database's write-ahead log.", func() float64 { return walBytes(kept) }))
	}
	return all
}

// walled is an engine whose log lies beside the database, where only we look after it.
type walled interface{ WALSize() (int64, error) }

// walBytes is the log's size; -1 if it can't be read, which a graph shows.
func walBytes(store walled) float64 {
	size, err := store.WALSize()
	if err != nil {
		return -1
	}
	return float64(size)
}
