//go:build ha

package hatest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gridsync/clientsdk"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/host"
	"gridsync/syncproto"
)

const (
	// ahead is how many changes a phone records before what it sent was answered.
	ahead = 40
	// answer is how long a phone waits for one: on a link that is dead without a word
	// this is what it costs to find out.
	answer = 5 * time.Second
)

// fleet is phones that record and push without end, to whichever server answers.
type fleet struct {
	phones []*phone
	book   *book
	// each server has connections of its own: one that is cut off keeps nobody waiting.
	links []*http.Transport
	at    []string
	// rewinds says that phones may have read what was rewound later: by an area's checksum
	// they find that they hold something else, and fetch it again.
	rewinds bool
}

type phone struct {
	name   string
	client *clientsdk.Client
	author syncproto.AuthorID
	random *rand.Rand
	fleet  *fleet
	// server is the one that it speaks with; another is tried when that doesn't answer.
	server atomic.Int64

	mu       sync.Mutex
	statuses map[int]int
	silent   int
	odd      []string
}

// enrol makes the one area that there is, and phones that work in it.
func (g *ground) enrol(t *testing.T, database string, phones int) *fleet {
	t.Helper()
	dir := t.TempDir()
	data := g.open(t, database)
	if _, problems, err := data.ImportAreas(t.Context(), strings.NewReader("code,name,parent\ngrid,网格,\n")); err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	f := &fleet{book: newBook()}
	for _, n := range g.nodes {
		dialer := &net.Dialer{Timeout: 2 * soon}
		f.links = append(f.links, &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: phones})
		f.at = append(f.at, n.at(front)+":"+port)
	}
	for i := range phones {
		p := &phone{name: fmt.Sprintf("phone-%d", i), fleet: f, random: rand.New(rand.NewPCG(1, uint64(i))), statuses: map[int]int{}}
		p.server.Store(int64(i))
		enrolled, err := data.AddDevice(t.Context(), host.Device{Name: p.name, Areas: []syncproto.AreaID{"grid"}})
		if err != nil {
			t.Fatal(err)
		}
		p.author = enrolled.Authors[0].ID
		p.client, err = clientsdk.Open(t.Context(), filepath.Join(dir, p.name+".db"), clientsdk.Options{
			Server: "http://server.invalid", Token: enrolled.Token, Device: enrolled.ID, Transport: p,
			Attempts: 3, FirstWait: 20 * time.Millisecond, MaxWait: soon, BatchChanges: 7, RequestTimeout: answer,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := p.client.Close(); err != nil {
				t.Error(err)
			}
		})
		f.phones = append(f.phones, p)
	}
	if err := data.Close(); err != nil {
		t.Fatal(err)
	}
	return f
}

// open opens the installation as a command does.
func (g *ground) open(t *testing.T, database string) *host.Data {
	t.Helper()
	data, err := host.Open(t.Context(), filepath.Join(g.dir, "commands"), host.Options{Keys: g.keys(), DB: database})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// RoundTrip sends a request to the phone's server, and turns to the next when that says
// nothing or can't do its work: what a load balancer does, and no more.
func (p *phone) RoundTrip(req *http.Request) (*http.Response, error) {
	which := p.server.Load() % int64(len(p.fleet.at))
	out := req.Clone(req.Context())
	out.URL.Scheme, out.URL.Host, out.Host = "http", p.fleet.at[which], p.fleet.at[which]
	res, err := p.fleet.links[which].RoundTrip(out)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.silent++
		p.server.Add(1)
		return nil, err
	}
	p.statuses[res.StatusCode]++
	if res.StatusCode != http.StatusOK {
		p.server.Add(1)
	}
	return res, nil
}

// work records and syncs until ctx ends.
func (p *phone) work(ctx context.Context) {
	waiting := 0
	for ctx.Err() == nil {
		for range min(1+p.random.IntN(5), ahead-waiting) {
			waiting++
			_, err := p.client.As(p.author).Put(context.WithoutCancel(ctx), clientsdk.Edit{
				Kind: "household", Area: "grid",
				Fields: syncproto.Fields{"address": syncproto.TextValue(p.name), "found_on": `"2020-01-27"`},
			})
			if err != nil {
				panic(err) // what a phone can't record is lost: nothing else matters then
			}
		}
		report, _ := p.client.Sync(ctx) // fails whenever nobody answers, which is the point
		p.judge(&report)
		for outcome, n := range report.Sent {
			waiting -= n
			for range n {
				if outcome.Held() {
					p.fleet.book.note(0)
				}
			}
		}
	}
}

// judge notes what is more than a retry: what a phone may only see when something was
// lost, or was said to be held and is not. Skipped changes are retried: a phone that gets
// no answer for one change alone tries the others first.
func (p *phone) judge(r *clientsdk.Report) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for outcome, n := range r.Sent {
		if !outcome.Held() {
			p.odd = append(p.odd, fmt.Sprintf("%d changes were %s", n, outcome))
		}
	}
	if len(r.Lost) > 0 || r.Reoffered || r.Reset || len(r.Drifted) > 0 || len(r.Restarted) > 0 && !p.fleet.rewinds {
		p.odd = append(p.odd, fmt.Sprintf("%+v", *r))
	}
}

// works lets all phones work until the function it returns is called.
func (f *fleet) works(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	for _, p := range f.phones {
		done.Go(func() { p.work(ctx) })
	}
	stop = sync.OnceFunc(func() {
		cancel()
		done.Wait()
	})
	t.Cleanup(stop)
	return stop
}

// settle lets every phone send what it has left, and see its receipt.
func (f *fleet) settle(t *testing.T, g *ground) {
	t.Helper()
	for _, p := range f.phones {
		g.await(t, p.name+" has sent everything", sure, func() bool {
			report, err := p.client.Sync(t.Context())
			p.judge(&report)
			return err == nil
		})
	}
}

// account holds what phones recorded and were told against what the installation holds.
func (f *fleet) account(t *testing.T, g *ground, database string) {
	t.Helper()
	data := g.open(t, database)
	defer func() {
		if err := data.Close(); err != nil {
			t.Error(err)
		}
	}()
	held := map[syncproto.ChangeID]int{}
	err := data.Histories(t.Context(), func(log []exchange.Logged, _ *syncproto.Record) error {
		for i := range log {
			held[log[i].Change.ID]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	difference, err := data.Rebuild(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !difference.None() {
		t.Errorf("rebuild: %v", difference.Found)
	}
	total, statuses, silent := 0, map[int]int{}, 0
	for _, p := range f.phones {
		log, err := p.client.Log(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range log {
			if held[e.ID] != 1 || e.State != clientsdk.Delivered {
				t.Errorf("%s: change %d was told %q, is %v here, and is held %d times", p.name, e.N, e.Outcome, e.State, held[e.ID])
			}
		}
		total += len(log)
		for _, odd := range p.odd {
			t.Errorf("%s saw more than a retry: %s", p.name, odd)
		}
		for status, n := range p.statuses {
			statuses[status] += n
			if status != http.StatusOK && status != http.StatusTooManyRequests {
				t.Errorf("%s was answered %d, %d times", p.name, status, n)
			}
		}
		silent += p.silent
	}
	if total != len(held) {
		t.Errorf("phones recorded %d changes, the installation holds %d", total, len(held))
	}
	t.Logf("%d changes of %d phones, each held once; answers %v, requests without one %d", total, len(f.phones), statuses, silent)
}
