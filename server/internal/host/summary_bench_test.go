package host

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/rollup"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

var (
	countyGrids  = flag.Int("county-grids", 200, "how many grids BenchmarkCountySummary has; a whole county has 2000")
	countyPhones = flag.Int("county-phones", 500, "how many phones BenchmarkCountySummary has; a whole county has 5000")
)

// BenchmarkCountySummary measures the summary of a county, and of one of its townships,
// over HTTP, while phones push, after so many days on which every grid counted: 500 people
// stand in each grid, some come and some leave every day, and everybody's temperature is
// taken. The counters are written straight into the store; with -county-grids 2000 and
// -county-phones 5000 it is the county that one small server must carry.
func BenchmarkCountySummary(b *testing.B) {
	for _, days := range []int{30, 365, 1000} {
		b.Run(fmt.Sprintf("days=%d", days), func(b *testing.B) {
			c := newCounty(b, days)
			c.measure(b)
		})
	}
}

type benchCounty struct {
	*Server
	clerk  Enrolled
	phones []Enrolled
	last   form.Day
	client *http.Client
}

func newCounty(b *testing.B, days int) *benchCounty {
	b.Helper()
	s, err := Start(b.Context(), Config{Dir: b.TempDir(), Listen: "127.0.0.1:0", Poll: time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	c := &benchCounty{Server: s, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	nodes := []area.Node{{ID: "3307", Name: "县"}}
	for i := range 30 {
		nodes = append(nodes, area.Node{ID: townOf(i), Name: fmt.Sprint("镇", i), Parent: "3307"})
	}
	for i := range *countyGrids {
		nodes = append(nodes, area.Node{ID: gridOf(i), Name: fmt.Sprint("网格", i), Parent: townOf(i % 30)})
	}
	if err := s.PutAreas(b.Context(), nodes); err != nil {
		b.Fatal(err)
	}
	var devices []Device
	for i := range *countyPhones {
		devices = append(devices, Device{Name: fmt.Sprint("手机", i), Areas: []syncproto.AreaID{gridOf(i % *countyGrids)}})
	}
	if c.phones, err = s.AddDevices(b.Context(), devices); err != nil {
		b.Fatal(err)
	}
	if c.clerk, err = s.AddDevice(b.Context(), Device{Name: "县", Areas: []syncproto.AreaID{"3307"}, Role: identity.County}); err != nil {
		b.Fatal(err)
	}
	if err := s.Retry(b.Context()); err != nil {
		b.Fatal(err)
	}
	c.count(b, days)
	return c
}

func townOf(i int) syncproto.AreaID { return syncproto.AreaID(fmt.Sprintf("3307%02d", i)) }
func gridOf(i int) syncproto.AreaID { return syncproto.AreaID(fmt.Sprintf("3307%02d%04d", i%30, i)) }

// count writes the counters of so many days, as groups do.
func (c *benchCounty) count(b *testing.B, days int) {
	b.Helper()
	tree := rollup.TreeOf(c.registry.Current().Areas)
	var batch exchange.Batch
	save := func() {
		batch.Sums = tree.Sums(batch.Counts)
		if err := c.store.Commit(context.Background(), func(tx exchange.Tx) error { return tx.Save(&batch) }); err != nil {
			b.Fatal(err)
		}
		batch = exchange.Batch{}
	}
	first := time.Now().AddDate(0, 0, -days+1)
	for d := range days {
		day := form.DayOf(syncproto.Instant(first.AddDate(0, 0, d).UnixMilli()))
		for i := range *countyGrids {
			n, _ := c.registry.Current().Areas.Find(gridOf(i))
			add := func(measure string, count int64) {
				batch.Counts = append(batch.Counts, rollup.Count{Area: n.Key, Day: day, Measure: measure, N: count})
			}
			if d == 0 {
				add("persons", 500)
				add("households", 160)
			} else {
				add("persons", int64(i+d)%5-2)
			}
			add("temperatures", 480)
			if (i+d)%7 == 0 {
				add("fevers", 1)
			}
		}
		c.last = day
		if len(batch.Counts) > 100_000 {
			save()
		}
	}
	save()
}

// measure reads summaries while four phones push.
func (c *benchCounty) measure(b *testing.B) {
	b.Helper()
	ctx, stop := context.WithCancel(b.Context())
	var work sync.WaitGroup
	var pushed atomic.Int64
	for i := range 4 {
		work.Go(func() {
			for n := uint64(1); ctx.Err() == nil; n += 100 {
				if err := c.push(ctx, &c.phones[i], gridOf(i%*countyGrids), n); err != nil && ctx.Err() == nil {
					b.Errorf("push: %v", err)
					return
				}
				pushed.Add(100)
			}
		})
	}
	began := time.Now()
	var county, town []time.Duration
	for b.Loop() {
		county = append(county, c.read(b, "3307"))
		town = append(town, c.read(b, townOf(3)))
	}
	elapsed := time.Since(began)
	stop()
	work.Wait()
	for _, figure := range []struct {
		name string
		took []time.Duration
	}{{"county", county}, {"township", town}} {
		slices.Sort(figure.took)
		at := func(percent int) float64 {
			return float64(figure.took[len(figure.took)*percent/100]) / float64(time.Millisecond)
		}
		b.ReportMetric(at(50), figure.name+"-p50-ms")
		b.ReportMetric(at(95), figure.name+"-p95-ms")
	}
	b.ReportMetric(float64(pushed.Load())/elapsed.Seconds(), "pushed/s")
}

// push sends a hundred temperatures of somebody new.
func (c *benchCounty) push(ctx context.Context, phone *Enrolled, grid syncproto.AreaID, n uint64) error {
	now := time.Now().UnixMilli()
	changes := make([]json.RawMessage, 100)
	for i := range changes {
		number := n + uint64(i)
		id := syncproto.RecordID{1, phone.ID[0], phone.ID[1], phone.ID[2], phone.ID[3], byte(number >> 16), byte(number >> 8), byte(number)}
		changes[i] = json.RawMessage(fmt.Sprintf(
			`{"id":%q,"n":%d,"author":%q,"kind":"temperature","record":%q,"area":%q,"base":0,"fields":{"person":%q,"value":36.5,"slot":"am","taken_at":%d},"at":%d,"form":1}`,
			syncproto.ChangeID(id), number, phone.Authors[0].ID, id, grid, id, now, now,
		))
	}
	body, err := json.Marshal(syncproto.Request{
		Protocol: syncproto.Protocol, Device: phone.ID, Clock: syncproto.Instant(now), High: n + 99, Changes: changes, Deliver: true,
	})
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodPost, "/v1/sync", phone.Token, body)
}

func (c *benchCounty) read(b *testing.B, id syncproto.AreaID) time.Duration {
	b.Helper()
	start := time.Now()
	if err := c.do(b.Context(), http.MethodGet, "/v1/areas/"+string(id)+"/summary?day="+c.last.String(), c.clerk.Token, nil); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

func (c *benchCounty) do(ctx context.Context, method, path, token string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, method, c.URL()+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %d %.200s %w", path, res.StatusCode, text, err)
	}
	return nil
}
