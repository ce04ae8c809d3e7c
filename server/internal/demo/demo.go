package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gridsync/server/internal/demo/world"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
)

// ErrDisagrees says that the end is not what it must be: something was lost or
// doubled, or replicas, rebuild or planted disagreements don't agree.
var ErrDisagrees = errors.New("the demo's end does not agree")

// Run plays the story and tells what came of it. When the figures contradict each
// other, it fails with ErrDisagrees after telling everything. Without Once it tells
// of the contradictions instead and leaves the server up until ctx ends, so that
// somebody can look.
func Run(ctx context.Context, opt Options) (Result, error) {
	began := time.Now()
	opt = opt.withDefaults()
	dir, remove, err := folder(opt.Dir)
	if err != nil {
		return Result{}, err
	}
	result, err := run(ctx, opt, dir, began)
	return result, errors.Join(err, remove())
}

func (o Options) withDefaults() Options {
	if o.Workers == 0 {
		o.Workers = 12
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.Notes == nil {
		o.Notes = io.Discard
	}
	return o
}

// folder makes the folders for the data, and says how to remove those that nobody
// asked for.
func folder(dir string) (string, func() error, error) {
	remove := func() error { return nil }
	if dir == "" {
		temp, err := os.MkdirTemp("", "gridsync-demo-")
		if err != nil {
			return "", nil, fmt.Errorf("a folder for the demo: %w", err)
		}
		dir, remove = temp, func() error { return os.RemoveAll(temp) }
	}
	for _, sub := range []string{"server", "phones"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return "", nil, errors.Join(fmt.Errorf("a folder for the demo: %w", err), remove())
		}
	}
	return dir, remove, nil
}

func run(ctx context.Context, opt Options, dir string, began time.Time) (Result, error) {
	w := world.New(opt.Seed, world.Whole.Divided(opt.Scale))
	clock := &storyClock{}
	clock.set(world.Begins)
	newID := seededIDs(opt.Seed)
	server, err := opt.Start(ctx, Setup{Dir: filepath.Join(dir, "server"), Areas: nodes(w), Now: clock.Now, NewID: newID})
	if err != nil {
		return Result{}, fmt.Errorf("starting the server: %w", err)
	}
	p := &play{
		opt: opt, w: w, dir: dir, clock: clock, server: server, newID: newID,
		bar: &progress{out: opt.Notes, bar: opt.Bar, colour: opt.Colour, whole: w.Writes()},
	}
	result, err := p.tell(ctx, began)
	return result, errors.Join(err, p.close(), server.Close())
}

// tell plays, measures, prints, and waits.
func (p *play) tell(ctx context.Context, began time.Time) (Result, error) {
	if err := p.begin(ctx); err != nil {
		return Result{}, err
	}
	if err := p.run(ctx); err != nil {
		return Result{}, err
	}
	if err := p.decide(ctx); err != nil {
		return Result{}, err
	}
	p.bar.say(syncproto.Text{ZH: "逐条核对", EN: "Checking everything"})
	end, err := p.measure(ctx)
	if err != nil {
		return Result{}, err
	}
	end.Seconds = float64(time.Since(began).Round(100*time.Millisecond)) / float64(time.Second)
	p.bar.end()
	if err := p.report(ctx, end); err != nil {
		return end.Result, err
	}
	disagrees := end.agrees()
	if p.opt.Once {
		return end.Result, disagrees
	}
	if disagrees != nil {
		fmt.Fprintf(p.opt.Notes, "\n结果自相矛盾 %v\n", disagrees)
	}
	p.stay(ctx)
	return end.Result, nil
}

// stay leaves the server and its page up until ctx ends.
func (p *play) stay(ctx context.Context) {
	p.clock.letGo()
	out := p.opt.Out
	if p.opt.JSON { // has one object on Out and nothing else
		out = p.opt.Notes
	}
	fmt.Fprintf(out, "\n网页 Page  %s/#token=%s\n按 Ctrl-C 结束 Press Ctrl-C to stop\n", p.server.URL, p.wall)
	<-ctx.Done()
}

// ending is the result with what it was measured from.
type ending struct {
	Result
	*findings
	// differ lists contradictions.
	differ []string
}

// measure asks the server and the phones what came of it.
func (p *play) measure(ctx context.Context) (*ending, error) {
	e := &ending{}
	if err := p.questionsEnd(ctx, e); err != nil {
		return nil, err
	}
	found, err := p.secretary.findings(ctx, p.w.Community, p.outcome.into)
	if err != nil {
		return nil, fmt.Errorf("reading the rounds: %w", err)
	}
	e.findings = found
	for _, r := range found.rounds {
		e.Rounds = append(e.Rounds, RoundFigures{Round: r.number, Met: r.met})
	}
	if e.Late, err = found.late(); err != nil {
		return nil, err
	}
	return e, p.prove(ctx, e)
}

// questionsEnd asks what is open and what was settled, and who heard of it.
func (p *play) questionsEnd(ctx context.Context, e *ending) error {
	open, counts, err := p.questions(ctx)
	if err != nil {
		return err
	}
	missing := p.docket.compare(open, func(i int) bool { return p.w.Planted[i].Question != "" && !p.outcome.closed[i] })
	settled, unsettled, err := p.settled(ctx, p.docket, p.outcome)
	if err != nil {
		return fmt.Errorf("reading what was settled: %w", err)
	}
	told, untold, err := p.told(ctx, p.outcome)
	if err != nil {
		return err
	}
	e.Review, e.Settled, e.Told = counts, settled, told
	e.Disputed = counts[review.Conflict] + counts[review.Exit]
	e.differ = slices.Concat(p.amiss, missing, unsettled, untold)
	return nil
}

// prove compares logs, replicas and the rebuild.
func (p *play) prove(ctx context.Context, e *ending) error {
	l, err := readLedger(ctx, p.server)
	if err != nil {
		return err
	}
	e.Result.Parked = l.parked
	if e.Changes, err = p.changes(ctx, l); err != nil {
		return err
	}
	replicas, err := p.replicas(ctx, l)
	if err != nil {
		return fmt.Errorf("comparing replicas: %w", err)
	}
	rebuild, err := p.server.Rebuild(ctx)
	if err != nil {
		return fmt.Errorf("rebuilding: %w", err)
	}
	e.ReplicasAgree, e.RebuildAgrees = len(replicas) == 0, len(rebuild) == 0
	e.differ = slices.Concat(e.differ, replicas, rebuild)
	if e.Changes.Lost+e.Changes.Doubled > 0 || e.Changes.Recorded != e.Changes.Held {
		e.differ = append(e.differ, fmt.Sprintf("changes: %+v", e.Changes))
	}
	if e.Result.Parked != e.Review[review.Parked] {
		e.differ = append(e.differ, fmt.Sprintf("%d changes wait, and the desk asks about %d", e.Result.Parked, e.Review[review.Parked]))
	}
	return nil
}

func (e *ending) agrees() error {
	if len(e.differ) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrDisagrees, strings.Join(e.differ[:min(len(e.differ), 10)], "; "))
}

// report prints the result.
func (p *play) report(ctx context.Context, e *ending) error {
	if p.opt.JSON {
		text, err := json.Marshal(e.Result)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.opt.Out, "%s\n", text)
		return err
	}
	return p.tables(ctx, e)
}
