package api

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"gridsync/syncproto"
)

// metrics is what the API counts. Labels are routes, statuses and verdicts:
// closed sets, and never an area, a device or a person.
type metrics struct {
	registry *prometheus.Registry
	handler  http.Handler
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	changes  *prometheus.CounterVec
}

func newMetrics(x Exchange, others []prometheus.Collector) (*metrics, error) {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gridsync_requests_total", Help: "Requests answered, by route and status.",
		}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "gridsync_request_seconds", Help: "How long requests took, by route.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 9),
		}, []string{"route"}),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gridsync_changes_total", Help: "Changes answered, by verdict.",
		}, []string{"verdict"}),
	}
	waiting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "gridsync_queue_waiting", Help: "Pushes that wait for the writer.",
	}, func() float64 { n, _ := x.Queue(); return float64(n) })
	all := []prometheus.Collector{
		m.requests, m.seconds, m.changes, waiting,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	}
	for _, c := range append(all, others...) {
		if err := m.registry.Register(c); err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	m.handler = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
	return m, nil
}

// observer holds one route's metrics, looked up once.
type observer struct {
	m       *metrics
	route   string
	seconds prometheus.Observer
}

func (m *metrics) observer(route string) observer {
	return observer{m: m, route: route, seconds: m.seconds.WithLabelValues(route)}
}

func (o observer) done(status int, took time.Duration) {
	o.m.requests.WithLabelValues(o.route, statusText(status)).Inc()
	o.seconds.Observe(took.Seconds())
}

func statusText(status int) string { return strconv.Itoa(status) }

// count counts the verdicts of an answer.
func (m *metrics) count(verdicts []syncproto.Verdict) {
	by := make(map[syncproto.Outcome]int, 6)
	for i := range verdicts {
		by[verdicts[i].Verdict]++
	}
	for outcome, n := range by {
		m.changes.WithLabelValues(string(outcome)).Add(float64(n))
	}
}
