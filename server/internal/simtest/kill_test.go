//go:build !race

package simtest_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gridsync/clientsdk"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/host"
	"gridsync/server/internal/simtest"
	"gridsync/syncproto"
)

const (
	kills         = 10
	killedPhones  = 6
	acksPerKill   = 60 // acknowledged changes between two kills
	maxWaiting    = 40 // changes that a phone records ahead of what was answered
	killTestLimit = 4 * time.Minute
)

// The server is killed with no warning ten times while phones push. After each
// kill, everything that a phone has been told is held is in the log, once.
func TestEveryAcknowledgedChangeSurvivesKill9(t *testing.T) {
	binary := build(t)
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), killTestLimit)
			defer cancel()
			survive(ctx, t, binary, e.place(t))
		})
	}
}

func survive(ctx context.Context, t *testing.T, binary string, place simtest.Place) {
	t.Helper()
	f := &fleet{binary: binary, data: filepath.Join(place.Dir, "server"), acked: make(chan struct{}, 1)}
	if place.DB != nil {
		f.db = place.DB.Address()
	}
	f.enrol(t, place.Dir)
	f.start(t)

	working, stop := context.WithCancel(ctx)
	var done sync.WaitGroup
	for _, phone := range f.phones {
		done.Go(func() { phone.work(working, f) })
	}
	for kill := range kills {
		f.awaitAcks(ctx, t, int64((kill+1)*acksPerKill))
		f.kill(t)
		f.verify(ctx, t, kill+1)
		f.start(t)
	}
	stop()
	done.Wait()

	for _, phone := range f.phones {
		if _, err := phone.client.Sync(ctx); err != nil {
			t.Fatalf("%s: last sync: %v", phone.name, err)
		}
	}
	f.kill(t)
	f.verify(ctx, t, kills+1)
	held := f.held(ctx, t)
	total := 0
	for _, phone := range f.phones {
		for _, e := range phone.log(ctx, t) {
			if held[e.ID] != 1 {
				t.Errorf("%s: after all, change %d is held %d times", phone.name, e.N, held[e.ID])
			}
			total++
		}
	}
	if total != len(held) || total < kills*acksPerKill {
		t.Errorf("phones recorded %d changes, the server holds %d", total, len(held))
	}
	t.Logf("%d changes of %d phones, %d kills", total, len(f.phones), kills)
}

// fleet is a server process and the phones that push to it.
type fleet struct {
	binary, data string
	db           string // as -db has it
	address      atomic.Pointer[url.URL]
	process      *exec.Cmd
	phones       []*phone
	// serving are arguments of its own.
	serving []string
	count   atomic.Int64
	acked   chan struct{}
}

type phone struct {
	name   string
	client *clientsdk.Client
	author syncproto.AuthorID
	random *rand.Rand
}

// build makes the program that the README tells people to run.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "gridsync-server")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "gridsync/server").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

func (f *fleet) enrol(t *testing.T, dir string) {
	t.Helper()
	data, err := host.Open(t.Context(), f.data, host.Options{DB: f.db})
	if err != nil {
		t.Fatal(err)
	}
	raise(t, data)
	for i := range killedPhones {
		name := fmt.Sprintf("phone-%d", i)
		enrolled, err := data.AddDevice(t.Context(), host.Device{Name: name, Areas: []syncproto.AreaID{"grid"}})
		if err != nil {
			t.Fatal(err)
		}
		client, err := clientsdk.Open(t.Context(), filepath.Join(dir, name+".db"), clientsdk.Options{
			Server: "http://server.invalid", Token: enrolled.Token, Device: enrolled.ID, Transport: f,
			Attempts: 2, FirstWait: time.Millisecond, MaxWait: 10 * time.Millisecond, BatchChanges: 7,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := client.Close(); err != nil {
				t.Error(err)
			}
		})
		f.phones = append(f.phones, &phone{name, client, enrolled.Authors[0].ID, rand.New(rand.NewPCG(1, uint64(i)))})
	}
	if err := data.Close(); err != nil {
		t.Fatal(err)
	}
}

// raise makes the one area that there is.
func raise(t *testing.T, data *host.Data) {
	t.Helper()
	if _, problems, err := data.ImportAreas(t.Context(), strings.NewReader("code,name,parent\ngrid,网格,\n")); err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
}

// RoundTrip sends a request to wherever the server is now.
func (f *fleet) RoundTrip(req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context())
	to := f.address.Load()
	out.URL.Scheme, out.URL.Host, out.Host = to.Scheme, to.Host, to.Host
	return http.DefaultTransport.RoundTrip(out)
}

// start starts the server and waits until it says where it is.
func (f *fleet) start(t *testing.T) {
	t.Helper()
	// These phones sync as fast as they can, and wait for nobody.
	args := []string{"serve", "-data", f.data, "-db", f.db, "-listen", "127.0.0.1:0", "-limit", "sync=100000/1000"}
	f.process = exec.Command(f.binary, append(args, f.serving...)...)
	f.process.Stderr = os.Stderr
	out, err := f.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.process.Start(); err != nil {
		t.Fatal(err)
	}
	process := f.process
	t.Cleanup(func() { _ = process.Process.Kill() }) // dead already unless the test failed
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the server did not say where it is: %v", err)
	}
	to, err := url.Parse(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	f.address.Store(to)
}

// kill ends the server as a power cut would.
func (f *fleet) kill(t *testing.T) {
	t.Helper()
	if err := f.process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := f.process.Wait(); err == nil {
		t.Fatal("the server ended by itself before it was killed")
	}
}

// work records and syncs until ctx ends. What waits to be sent is bounded, so that
// a slow look at the dead server leaves it no more to look at the next time.
func (p *phone) work(ctx context.Context, f *fleet) {
	waiting := 0
	for ctx.Err() == nil {
		for range min(1+p.random.IntN(5), maxWaiting-waiting) {
			waiting++
			_, err := p.client.As(p.author).Put(context.WithoutCancel(ctx), clientsdk.Edit{
				Kind: "household", Area: "grid",
				Fields: syncproto.Fields{"address": syncproto.TextValue(p.name), "found_on": `"2020-01-27"`},
			})
			if err != nil {
				panic(err) // what a phone can't record is lost: nothing else matters then
			}
		}
		report, _ := p.client.Sync(ctx) // fails whenever the server is dead, which is the point
		for outcome, n := range report.Sent {
			waiting -= n
			if outcome.Held() {
				f.count.Add(int64(n))
			}
		}
		select {
		case f.acked <- struct{}{}:
		default:
		}
	}
}

// awaitAcks waits until phones have been told of so many changes that they are held.
func (f *fleet) awaitAcks(ctx context.Context, t *testing.T, want int64) {
	t.Helper()
	for f.count.Load() < want {
		select {
		case <-f.acked:
		case <-ctx.Done():
			t.Fatalf("only %d of %d changes were acknowledged in time", f.count.Load(), want)
		}
	}
}

func (p *phone) log(ctx context.Context, t *testing.T) []clientsdk.Entry {
	t.Helper()
	log, err := p.client.Log(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// held counts the changes in the dead server's log by id.
func (f *fleet) held(ctx context.Context, t *testing.T) map[syncproto.ChangeID]int {
	t.Helper()
	data, err := host.Open(ctx, f.data, host.Options{DB: f.db})
	if err != nil {
		t.Fatal(err)
	}
	held := make(map[syncproto.ChangeID]int)
	err = data.Histories(ctx, func(log []exchange.Logged, _ *syncproto.Record) error {
		for i := range log {
			held[log[i].Change.ID]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	difference, err := data.Rebuild(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if !difference.None() {
		t.Errorf("rebuild: %v", difference.Found)
	}
	if err := data.Close(); err != nil {
		t.Fatal(err)
	}
	return held
}

// verify holds what phones were told against the dead server's log.
func (f *fleet) verify(ctx context.Context, t *testing.T, kill int) {
	t.Helper()
	held := f.held(ctx, t)
	for _, phone := range f.phones {
		for _, e := range phone.log(ctx, t) {
			if n := held[e.ID]; n > 1 || n == 0 && e.Outcome.Held() && e.Outcome != "" {
				t.Errorf("kill %d: %s: change %d was told %q and is held %d times", kill, phone.name, e.N, e.Outcome, n)
			}
		}
	}
}
