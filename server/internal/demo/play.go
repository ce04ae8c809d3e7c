package demo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/google/uuid"

	"gridsync/clientsdk"
	"gridsync/server/internal/demo/badnet"
	"gridsync/server/internal/demo/world"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// play is the story while it is told.
type play struct {
	opt    Options
	w      *world.World
	dir    string
	clock  *storyClock
	server *Server
	newID  func() (uuid.UUID, error)
	// screen reads for the county, by the token wall. secretary and township rule; office is
	// the township's.
	screen, secretary, township *reader

	wall   string
	office *clientsdk.Client
	phones []*phone // by the index of world.Phones; nil while not in use
	bar    *progress
	// docket is what was planted and what came of it, outcome what was settled, amiss
	// what was not as planted before anything was.
	docket  *docket
	outcome *outcome
	amiss   []string
}

// begin lets in those who record nothing: the county's screen, and the township's office,
// which rules where a community has no secretary of its own.
func (p *play) begin(ctx context.Context) (err error) {
	if p.wall, err = p.server.Screen(ctx, p.w.County); err != nil {
		return fmt.Errorf("the county's screen: %w", err)
	}
	p.screen = newReader(p.server.URL, func(context.Context) (string, error) { return p.wall, nil })
	if p.office, err = p.desk(ctx, "街道办公室", p.w.Township, identity.Township); err != nil {
		return err
	}
	p.township = newReader(p.server.URL, p.office.Access)
	p.phones = make([]*phone, len(p.w.Phones))
	return nil
}

// run plays every phase and then lets all phones sync over quiet links until
// nobody has anything new for anybody.
func (p *play) run(ctx context.Context) error {
	for i := range p.w.Phases {
		if err := p.phase(ctx, &p.w.Phases[i]); err != nil {
			return fmt.Errorf("%s: %w", p.w.Phases[i].Name.EN, err)
		}
	}
	return p.catchUp(ctx)
}

// catchUp lets all phones sync over quiet links: once to send what is left, once more to
// fetch what others sent.
func (p *play) catchUp(ctx context.Context) error {
	last := p.w.Phases[len(p.w.Phases)-1].Until
	for range 2 {
		if err := p.each(func(ph *phone, _ int) error {
			ph.quiet.Store(true)
			return ph.sync(ctx, last)
		}); err != nil {
			return fmt.Errorf("the last sync: %w", err)
		}
	}
	if err := p.server.Settle(ctx); err != nil {
		return fmt.Errorf("settling: %w", err)
	}
	return nil
}

// decide holds the open questions against the planted ones, lets the secretaries settle
// some, and lets everybody hear of it.
func (p *play) decide(ctx context.Context) error {
	p.bar.say(syncproto.Text{ZH: "书记在网页上裁定", EN: "The secretary settles some at the desk"})
	p.secretary = newReader(p.server.URL, p.phones[0].client.Access)
	var err error
	if p.docket, err = p.newDocket(ctx); err != nil {
		return err
	}
	open, _, err := p.questions(ctx)
	if err != nil {
		return err
	}
	p.amiss = p.docket.compare(open, func(i int) bool { return p.w.Planted[i].Question != "" && !p.w.Planted[i].Decided })
	if p.outcome, err = p.settle(ctx, p.docket); err != nil {
		return err
	}
	return p.catchUp(ctx)
}

// phase lets every phone in use record what it has to without signal, and sync at
// the end. Those that did so already change nothing for the others: nobody looks
// before the next phase.
func (p *play) phase(ctx context.Context, phase *world.Phase) error {
	p.clock.set(phase.Until)
	if err := p.handOut(ctx, phase.Until); err != nil {
		return err
	}
	p.bar.say(phase.Name)
	return p.each(func(ph *phone, i int) error {
		acts, err := p.signed(ctx, phase.Acts[i])
		if err != nil {
			return err
		}
		if err := ph.record(ctx, acts); err != nil {
			return err
		}
		if err := ph.sync(ctx, phase.Until); err != nil {
			return err
		}
		n := 0
		for _, act := range phase.Acts[i] {
			n += len(act.Writes)
		}
		p.bar.add(n)
		return nil
	})
}

// signed fills in the figures of a day that is signed, as the server tells them.
func (p *play) signed(ctx context.Context, acts []world.Act) ([]world.Act, error) {
	acts = slices.Clone(acts)
	for i := range acts {
		if acts[i].Signs == "" {
			continue
		}
		sum, err := p.screen.summary(ctx, p.w.Community, acts[i].Signs)
		if err != nil {
			return nil, fmt.Errorf("the figures of %s: %w", acts[i].Signs, err)
		}
		figures := make(map[string]int64, len(sum.Measures))
		for _, m := range sum.Measures {
			figures[m.Name] = m.Value
		}
		acts[i].Writes = slices.Clone(acts[i].Writes)
		for n := range acts[i].Writes {
			w := &acts[i].Writes[n]
			w.Fields = maps.Clone(w.Fields)
			w.Fields["figures"] = syncproto.TextValue(string(syncproto.ValueOf(figures)))
		}
	}
	return acts, nil
}

// handOut lets in the people whose phones are put to use by now: a whole shift at once,
// each over the phone's own link.
func (p *play) handOut(ctx context.Context, now syncproto.Instant) error {
	var which []int
	for i, ph := range p.w.Phones {
		if p.phones[i] == nil && ph.From <= now {
			which = append(which, i)
		}
	}
	return concurrently(p.opt.Workers, which, func(i int) (err error) {
		p.phones[i], err = p.openPhone(ctx, p.w.Phones[i], now)
		return err
	})
}

// each runs fn for every phone in use, a few at a time, and waits for all of them.
// Slow links come first: others work while they wait.
func (p *play) each(fn func(ph *phone, i int) error) error {
	order := make([]int, 0, len(p.phones))
	for _, slow := range []bool{true, false} {
		for i, ph := range p.phones {
			if ph != nil && ph.Slow == slow {
				order = append(order, i)
			}
		}
	}
	return concurrently(p.opt.Workers, order, func(i int) error { return fn(p.phones[i], i) })
}

// concurrently runs fn for each item on a number of goroutines and joins the errors.
func concurrently[T any](workers int, items []T, fn func(T) error) error {
	queue := make(chan T)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for range max(1, workers) {
		wg.Go(func() {
			for item := range queue {
				if err := fn(item); err != nil {
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
				}
			}
		})
	}
	for _, item := range items {
		queue <- item
	}
	close(queue)
	wg.Wait()
	return errors.Join(errs...)
}

// faults adds up what went wrong on all links.
func (p *play) faults() map[badnet.Fault]int {
	sum := make(map[badnet.Fault]int)
	for _, ph := range p.phones {
		for fault, n := range ph.link.Counts() {
			sum[fault] += n
		}
	}
	return sum
}

func (p *play) close() error {
	var errs []error
	if p.office != nil {
		errs = append(errs, p.office.Close())
	}
	for _, ph := range p.phones {
		if ph != nil {
			errs = append(errs, ph.close())
		}
	}
	return errors.Join(errs...)
}
