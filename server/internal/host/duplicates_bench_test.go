package host_test

import (
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"gridsync/server/internal/host"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// people is how many are registered before the search for duplicates is measured.
var people = flag.Int("people", 20_000, "how many people BenchmarkDuplicateSearch registers first; make bench takes 1000000")

// BenchmarkDuplicateSearch measures what it adds to a commit to look for duplicates of
// every person in it, with so many registered already: two servers side by side, one of
// them with a form that says nothing of duplicates, take the same batches in turns. A
// hundredth of the people are somebody registered before.
func BenchmarkDuplicateSearch(b *testing.B) {
	with, without := registerAll(b, builtIn(b)), registerAll(b, without(b, "person", "match"))
	var took [2]time.Duration
	for b.Loop() {
		for i, o := range []*office{with, without} {
			start := time.Now()
			o.register(b, 100)
			took[i] += time.Since(start)
		}
	}
	entries := float64(b.N * 100)
	b.ReportMetric(float64(took[0]-took[1])/float64(time.Microsecond)/entries, "added-µs/person")
	b.ReportMetric(float64(took[0])/float64(took[1]), "×-commit-without")
	b.ReportMetric(float64(with.size(b)-without.size(b))/float64(with.sent), "added-bytes/person")
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "heap-MB-both")
	for _, o := range []*office{with, without} {
		if err := o.server.Close(); err != nil {
			b.Error(err)
		}
	}
}

// office is a server and the phones that register people at it.
type office struct {
	dir    string
	server *host.Server
	phones []host.Enrolled
	n      []uint64
	at     int
	sent   int
	rng    *rand.Rand
}

func registerAll(b *testing.B, forms form.Set) *office {
	b.Helper()
	const phones = 16
	o := &office{dir: b.TempDir(), n: make([]uint64, phones), rng: rand.New(rand.NewPCG(1, 2))}
	var err error
	if o.server, err = host.Start(b.Context(), host.Config{Dir: o.dir, Listen: "127.0.0.1:0", Forms: &forms}); err != nil {
		b.Fatal(err)
	}
	if _, _, err := o.server.ImportAreas(b.Context(), strings.NewReader("code,name,parent\ngrid,网格,\n")); err != nil {
		b.Fatal(err)
	}
	devices := make([]host.Device, phones)
	for i := range devices {
		devices[i] = host.Device{Name: fmt.Sprint("phone-", i), Areas: []syncproto.AreaID{"grid"}}
	}
	if o.phones, err = o.server.AddDevices(b.Context(), devices); err != nil {
		b.Fatal(err)
	}
	var each sync.WaitGroup
	for phone := range phones {
		batches := make([][]json.RawMessage, 0, *people/phones/500+1)
		for len(batches) < cap(batches) {
			batches = append(batches, o.batch(phone, 500))
		}
		each.Go(func() {
			for _, changes := range batches {
				o.push(b, phone, changes)
			}
		})
	}
	each.Wait()
	return o
}

// register pushes a batch from the next phone.
func (o *office) register(b *testing.B, n int) {
	o.at = (o.at + 1) % len(o.phones)
	o.push(b, o.at, o.batch(o.at, n))
}

func (o *office) push(b *testing.B, phone int, changes []json.RawMessage) {
	answer, err := o.server.Exchange().Sync(b.Context(), o.phones[phone].ID, &syncproto.Request{
		Protocol: syncproto.Protocol, Device: o.phones[phone].ID, Changes: changes, PageBytes: syncproto.MinPageBytes,
		Clock: syncproto.Instant(time.Now().UnixMilli()),
	})
	if err != nil {
		b.Error(err)
		return
	}
	for _, v := range answer.Verdicts {
		if v.Verdict != syncproto.Applied {
			b.Errorf("a person was %s: %v", v.Verdict, v.Reason)
			return
		}
	}
}

// batch writes new people. Names, births, mobiles and households come from ranges as
// large as those of a county, so that blocks are as full as they would be there.
func (o *office) batch(phone, n int) []json.RawMessage {
	changes := make([]json.RawMessage, n)
	for i := range changes {
		o.n[phone]++
		o.sent++
		who := o.sent
		if o.sent%100 == 0 {
			who = o.rng.IntN(o.sent) + 1
		}
		var id [16]byte
		binary.BigEndian.PutUint64(id[8:], uint64(o.sent))
		id[6], id[8] = 0x70, 0x80
		fields := person(who)
		fields["name"] = syncproto.TextValue(name(who))
		c := syncproto.Change{
			ID: syncproto.ChangeID(id), Device: o.phones[phone].ID, N: o.n[phone], Author: o.phones[phone].Authors[0].ID,
			Kind: "person", Record: syncproto.RecordID(id), Area: "grid", Fields: fields.Encode(), Form: 1,
			At: syncproto.Instant(time.Now().UnixMilli()),
		}
		raw, err := c.MarshalJSON()
		if err != nil {
			panic(err) // a change that this program made
		}
		changes[i] = raw
	}
	return changes
}

func person(who int) syncproto.Fields {
	rng := rand.New(rand.NewPCG(uint64(who), 3))
	birth := time.Date(1935, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rng.IntN(85*365))
	return syncproto.Fields{
		"birth": syncproto.TextValue(birth.Format(time.DateOnly)), "found_on": `"2020-01-27"`,
		"mobile":    syncproto.TextValue(fmt.Sprintf("999%08d", who)),
		"household": syncproto.TextValue(fmt.Sprintf("%08d-0000-7000-8000-000000000000", who/3)),
	}
}

// name makes a name of three characters, out of some 100 × 200 × 200.
func name(who int) string {
	rng := rand.New(rand.NewPCG(uint64(who), 4))
	return string([]rune{rune(0x4e00 + rng.IntN(100)*7), rune(0x5e00 + rng.IntN(200)*5), rune(0x6e00 + rng.IntN(200)*5)})
}

func (o *office) size(b *testing.B) int64 {
	info, err := os.Stat(o.dir + "/gridsync.db")
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}

func builtIn(b *testing.B) form.Set {
	b.Helper()
	forms, err := form.BuiltIn()
	if err != nil {
		b.Fatal(err)
	}
	return forms
}

// without leaves a member out of a form.
func without(b *testing.B, kind syncproto.Kind, member string) form.Set {
	b.Helper()
	forms := builtIn(b)
	var source map[string]json.RawMessage
	if err := json.Unmarshal(forms.Newest(kind).Source(), &source); err != nil {
		b.Fatal(err)
	}
	delete(source, member)
	source["version"] = json.RawMessage("1")
	again, err := json.Marshal(source)
	if err != nil {
		b.Fatal(err)
	}
	f, err := form.Parse(again)
	if err != nil {
		b.Fatal(err)
	}
	return forms.With(f)
}
