// Package bench measures the server beside a floor: the same rows through a bare
// Fiber handler into a bare table with the same durability. It drives both as
// processes of their own over loopback HTTP, with the same requests, in turns.
//
// It refuses to import the server's edges: main hands over how to prepare a data
// directory and how to serve it.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"gridsync/syncproto"
)

// Prepare makes a data directory that knows the areas, devices and their authors,
// each device's author being a volunteer for its area. It returns a token for
// each device, in order, good for some hours.
type Prepare func(ctx context.Context, dir string, areas []syncproto.Area, devices []Device) ([]string, error)

// Serve serves a data directory on an address until ctx is done, and then closes
// it in good order.
type Serve func(ctx context.Context, dir, listen string) error

// Databases are where the server keeps its data if that is in no folder: one for each folder.
type Databases interface {
	// Copy copies the database of one folder, which nobody uses, for another.
	Copy(ctx context.Context, from, to string) error
	// Size is the bytes of a folder's database on disk.
	Size(ctx context.Context, dir string) (int64, error)
	// Remove takes a folder's database away, if there is one.
	Remove(ctx context.Context, dir string) error
}

// Options says what to measure. Zero values take the defaults.
type Options struct {
	// Prepare makes the server's data directory.
	Prepare Prepare
	// Child is the command line, program first, of a process that calls Child with
	// the arguments appended to it; by default this program with "bench-child".
	Child []string
	// Databases hold what the server's folders don't; nil if the folders hold everything. Env
	// tells the children of them, as NAME=VALUE.
	Databases Databases
	Env       []string
	// Dir is where data is kept while measuring; a temporary directory by default.
	Dir string
	// Out gets the report: JSON if JSON is set, else a table.
	Out  io.Writer
	JSON bool
	// Progress gets a line for each step, and the table if Out gets JSON; nothing if nil.
	Progress io.Writer

	// Changes is how many temperatures are pushed in each measurement (100,000),
	// Batch how many of them go in one request (100).
	Changes, Batch int
	// Clients are the numbers of clients that push at the same time (1, 8, 64).
	Clients []int
	// People is how many people there are (100,000), Roster how many of them live in
	// one community (1,000).
	People, Roster int
	// Idle is how many syncs with nothing new are made in each measurement (20,000).
	Idle int
	// FirstSyncs is how many first syncs are made in each measurement (10).
	FirstSyncs int
	// Rounds is how often everything is measured (3).
	Rounds int
	// Limit bounds the whole run (15 min).
	Limit time.Duration
	// Seed makes the people and their temperatures.
	Seed uint64
}

func (o Options) withDefaults() (Options, error) {
	number := func(n *int, otherwise int) {
		if *n <= 0 {
			*n = otherwise
		}
	}
	number(&o.Changes, 100_000)
	number(&o.Batch, 100)
	number(&o.People, 100_000)
	number(&o.Roster, 1000)
	number(&o.Idle, 20_000)
	number(&o.FirstSyncs, 10)
	number(&o.Rounds, 3)
	if len(o.Clients) == 0 {
		o.Clients = []int{1, 8, 64}
	}
	if o.Limit <= 0 {
		o.Limit = 15 * time.Minute
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	if len(o.Child) == 0 {
		exe, err := os.Executable()
		if err != nil {
			return o, fmt.Errorf("bench: this program's path: %w", err)
		}
		o.Child = []string{exe, "bench-child"}
	}
	if o.Prepare == nil {
		return o, errors.New("bench: nobody said how to prepare the server's data")
	}
	return o, nil
}

// Run measures and writes the report. It ends only processes that it has started,
// and removes what it wrote. That a target was missed is in the report, and no error.
func Run(ctx context.Context, o Options) (Report, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Report{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.Limit)
	defer cancel()
	dir, err := os.MkdirTemp(o.Dir, "gridsync-bench-")
	if err != nil {
		return Report{}, fmt.Errorf("bench: %w", err)
	}
	r := &run{Options: o, dir: dir, began: time.Now()}
	err = r.all(ctx)
	if err := errors.Join(err, r.remove(ctx, r.template(serverSide)), os.RemoveAll(dir)); err != nil {
		return Report{}, fmt.Errorf("bench: %w", err)
	}
	report := r.report()
	return report, report.write(o)
}

// run is one run of the bench.
type run struct {
	Options
	dir    string
	began  time.Time
	world  world
	tokens map[syncproto.DeviceID]string
	taken  samples
	// changeBytes is the mean size of a temperature.
	changeBytes int
}

// Names of the two that are compared, and of the folders that they work in.
const (
	floorSide  = "floor"
	serverSide = "server"
)

var sides = []string{floorSide, serverSide}

// all prepares both sides with everybody on their rosters, and measures in rounds.
func (r *run) all(ctx context.Context) error {
	r.world = newWorld(r.Options, r.began)
	if err := r.prepare(ctx); err != nil {
		return err
	}
	for round := range r.Rounds {
		if err := r.round(ctx, round); err != nil {
			return fmt.Errorf("round %d: %w", round+1, err)
		}
	}
	return nil
}

// prepare makes a template of each side's data, with all people in it. Rounds work
// on copies of it.
func (r *run) prepare(ctx context.Context) error {
	for _, side := range sides {
		if err := os.MkdirAll(r.template(side), 0o700); err != nil {
			return err
		}
	}
	tokens, err := r.Prepare(ctx, r.template(serverSide), r.world.areas, r.world.devices)
	if err != nil {
		return fmt.Errorf("preparing the server's data: %w", err)
	}
	if len(tokens) != len(r.world.devices) {
		return fmt.Errorf("%d tokens for %d devices", len(tokens), len(r.world.devices))
	}
	r.tokens = make(map[syncproto.DeviceID]string, len(tokens))
	for i, d := range r.world.devices {
		r.tokens[d.ID] = tokens[i]
	}
	for _, side := range sides {
		if err := r.load(ctx, side); err != nil {
			return fmt.Errorf("loading people into the %s: %w", side, err)
		}
	}
	return nil
}

func (r *run) template(side string) string { return filepath.Join(r.dir, "template", side) }

// load pushes everybody to one side and keeps how large its data is then.
func (r *run) load(ctx context.Context, side string) error {
	began := time.Now()
	p, err := r.start(ctx, side, r.template(side))
	if err != nil {
		return err
	}
	_, err = r.push(ctx, p, r.world.loaders, r.world.people(r.Batch))
	if err := errors.Join(err, p.stop()); err != nil {
		return err
	}
	size, err := r.size(ctx, side, r.template(side))
	if err != nil {
		return err
	}
	r.taken.loaded(side, size)
	r.say("%-6s  %d people loaded in %.1f s, %.1f MB", side, r.People, time.Since(began).Seconds(), float64(size)/1e6)
	return nil
}

// round measures everything once on fresh copies of the data. Who goes first
// changes from round to round.
func (r *run) round(ctx context.Context, round int) (err error) {
	work := filepath.Join(r.dir, fmt.Sprintf("round%d", round+1))
	processes := map[string]*process{}
	defer func() {
		for _, p := range processes {
			err = errors.Join(err, p.stop())
		}
		err = errors.Join(err, r.remove(ctx, filepath.Join(work, serverSide)), os.RemoveAll(work))
	}()
	for _, side := range sides {
		dir := filepath.Join(work, side)
		if err := r.copy(ctx, side, dir); err != nil {
			return err
		}
		p, err := r.start(ctx, side, dir)
		if err != nil {
			return err
		}
		processes[side] = p
	}
	order := []*process{processes[floorSide], processes[serverSide]}
	if round%2 == 1 {
		order[0], order[1] = order[1], order[0]
	}
	// The floor answers to a sync with nothing new with as many bytes as the server.
	if err := r.prepareIdle(ctx, processes[serverSide]); err != nil {
		return fmt.Errorf("before idle syncs: %w", err)
	}
	if err := r.measure(ctx, order); err != nil {
		return err
	}
	return r.weigh(ctx, processes)
}

// measure makes every measurement on one side and then on the other.
func (r *run) measure(ctx context.Context, order []*process) error {
	for _, p := range order {
		if err := r.firstSyncs(ctx, p); err != nil {
			return fmt.Errorf("%s: first sync: %w", p.side, err)
		}
	}
	for _, p := range order {
		if err := r.idle(ctx, p); err != nil {
			return fmt.Errorf("%s: idle sync: %w", p.side, err)
		}
	}
	for _, clients := range r.Clients {
		load := r.world.temperatures(clients, r.Changes, r.Batch)
		r.changeBytes = meanSize(load)
		for _, p := range order {
			result, err := r.push(ctx, p, r.world.pushers[clients], load)
			if err != nil {
				return fmt.Errorf("%s: push from %d clients: %w", p.side, clients, err)
			}
			r.taken.pushed(p.side, clients, result)
			r.say("%-6s  push from %2d clients: %.0f/s, p99 %.0f ms", p.side, clients, result.rate(), milliseconds(result.percentile(99)))
		}
	}
	return nil
}

// weigh takes peak memory from the running processes, ends them, and takes the
// size of what they left on disk.
func (r *run) weigh(ctx context.Context, processes map[string]*process) error {
	for _, side := range sides {
		p := processes[side]
		peak, err := p.peakMemory()
		if err != nil {
			return err
		}
		delete(processes, side)
		if err := p.stop(); err != nil {
			return err
		}
		size, err := r.size(ctx, side, p.dir)
		if err != nil {
			return err
		}
		r.taken.weighed(side, peak, size)
		r.say("%-6s  peak memory %.0f MB, on disk %.1f MB", side, float64(peak)/1e6, float64(size)/1e6)
	}
	runtime.GC() // the bodies of this round go before the next is timed
	return nil
}

// copy copies a side's template to a folder.
func (r *run) copy(ctx context.Context, side, dir string) error {
	if side == serverSide && r.Databases != nil {
		if err := r.Databases.Copy(ctx, r.template(side), dir); err != nil {
			return err
		}
	}
	return copyDir(r.template(side), dir)
}

// size is all that a side has on disk.
func (r *run) size(ctx context.Context, side, dir string) (int64, error) {
	size, err := sizeOf(dir)
	if err != nil || side != serverSide || r.Databases == nil {
		return size, err
	}
	more, err := r.Databases.Size(ctx, dir)
	return size + more, err
}

// remove takes away what the server keeps outside of a folder.
func (r *run) remove(ctx context.Context, dir string) error {
	if r.Databases == nil {
		return nil
	}
	return r.Databases.Remove(context.WithoutCancel(ctx), dir)
}

// say tells of progress; there is nobody to tell that this failed.
func (r *run) say(format string, args ...any) { fmt.Fprintf(r.Progress, format+"\n", args...) }
