package demo

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"gridsync/clientsdk"
	"gridsync/server/internal/demo/badnet"
	"gridsync/server/internal/demo/world"
	"gridsync/syncproto"
)

const (
	// slowLink is the bandwidth of a slow phone in bits a second.
	slowLink = 200_000
	// faultIn is how many requests there are to one fault.
	faultIn = 5
)

// phone is one SDK instance with its file, its link and its wrong clock.
type phone struct {
	world.Phone
	client *clientsdk.Client
	link   *badnet.Link
	base   *http.Transport
	// now is the true time as the phone lives it; its clock shows Skew more.
	now   atomic.Int64
	quiet atomic.Bool
}

// openPhone puts a phone into its people's hands at a moment of the story.
func (p *play) openPhone(ctx context.Context, of world.Phone, at syncproto.Instant) (*phone, error) {
	r := rand.New(rand.NewPCG(p.w.Seed, binary.BigEndian.Uint64(of.Authors[0].ID[8:])))
	ph := &phone{Phone: of, base: &http.Transport{MaxIdleConnsPerHost: 1}}
	ph.now.Store(int64(at))
	if of.Slow {
		ph.base.DialContext = badnet.Slow((&net.Dialer{}).DialContext, slowLink, time.Sleep)
	}
	plan := badnet.Seeded(rand.New(rand.NewPCG(r.Uint64(), 1)), faultIn)
	where := rand.New(rand.NewPCG(r.Uint64(), 2))
	ph.link = badnet.New(ph.base, func() badnet.Fault {
		if ph.quiet.Load() {
			return badnet.None
		}
		return plan()
	}, func() int { return where.IntN(256) })
	newID := ids(r, &ph.now)
	var err error
	ph.client, err = p.open(ctx, clientsdk.Options{
		Server: p.server.URL, Device: syncproto.DeviceID(newID()), AppName: "demo/1", Transport: ph.link,
		Now: ph.clock, NewID: newID, Rand: rand.New(rand.NewPCG(r.Uint64(), 3)).Float64,
		Wait: shortWait, Attempts: 50,
	}, of.Name, invitations(of))
	if err != nil {
		return nil, fmt.Errorf("%s is handed out: %w", of.Name, err)
	}
	return ph, nil
}

func (p *phone) clock() time.Time { return time.UnixMilli(p.now.Load() + p.Skew) }

// ids makes version 7 ids of the phone's time and its own seed, so that a run can
// be repeated.
func ids(r *rand.Rand, now *atomic.Int64) func() uuid.UUID {
	return func() uuid.UUID { return newUUID(r, now.Load()) }
}

func newUUID(r *rand.Rand, at int64) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(at)<<16|7<<12|r.Uint64()&0xfff)
	binary.BigEndian.PutUint64(id[8:], r.Uint64()>>2|1<<63)
	return id
}

// shortWait shortens waits between attempts: a day of the story lasts seconds.
func shortWait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d / 50):
		return nil
	}
}

// record does acts at their times, each as one commit. Who decides looks first at
// what is there.
func (p *phone) record(ctx context.Context, acts []world.Act) error {
	looked := false
	for _, act := range acts {
		if act.Decides && !looked {
			if err := p.sync(ctx, act.At); err != nil {
				return err
			}
			looked = true
		}
		p.now.Store(int64(act.At))
		edits := make([]clientsdk.Edit, len(act.Writes))
		for i, w := range act.Writes {
			edits[i] = clientsdk.Edit{
				Record: w.Record, Kind: w.Kind, Area: w.Area, Fields: w.Fields, Decides: act.Decides, Anyway: w.Anyway,
			}
		}
		if _, err := p.client.As(p.Authors[act.Author].ID).PutAll(ctx, edits); err != nil {
			return fmt.Errorf("%s records: %w", p.Name, err)
		}
	}
	return nil
}

// sync exchanges everything at a moment of the story.
func (p *phone) sync(ctx context.Context, at syncproto.Instant) error {
	p.now.Store(int64(at))
	if _, err := p.client.Sync(ctx); err != nil {
		return fmt.Errorf("%s syncs: %w", p.Name, err)
	}
	return nil
}

func (p *phone) close() error {
	p.base.CloseIdleConnections()
	return p.client.Close()
}
