package exchange

import (
	"context"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"gridsync/server/internal/registry"
	"gridsync/syncproto"
	"gridsync/syncproto/clock"
)

// job is what the writer does for one caller: a push of changes, or a retry of
// what is parked.
type job struct {
	device  syncproto.DeviceID
	contact clock.Contact
	high    uint64
	unsent  int
	app     string
	changes []decoded
	// foreign says that the device speaks of another history than this one.
	foreign bool
	retry   bool
	// decision is one to take; the job is then a group of its own.
	decision *Decision
	decided  Decided
	// entry is one to take; the job is then a group of its own.
	entry   *Entry
	entered Entered
	// purge is content to take away; the job is then a group of its own, too.
	purge *purgeJob

	// These are set when done has delivered nil.
	verdicts []syncproto.Verdict
	state    DeviceState
	// areas are where the records belong that the device makes itself, and skips the
	// feeds in which the group wrote nothing but them.
	areas map[syncproto.RecordID]syncproto.AreaID
	skips map[Feed]skip
	done  chan error
}

// isPush reports whether the job is a device's push.
func (j *job) isPush() bool { return !j.retry && !j.alone() }

// alone reports whether the job is a group by itself.
func (j *job) alone() bool { return j.decision != nil || j.entry != nil || j.purge != nil }

// skip says that what happened in a feed after from and up to to is known to the
// device.
type skip struct{ from, to syncproto.Version }

// maxGroup is how many changes fill a transaction. Everything that waits goes into
// one until it is full; beyond that the next group is read on the other processors
// while this one is written, which is worth more than the sync to disk that it
// costs (DESIGN.md).
const maxGroup = 1500

// writer commits groups: everything that waits goes into one transaction, and
// nobody gets an answer before it is durable.
type writer struct {
	service *Service
	jobs    chan *job
	stop    chan struct{}
	stopped chan struct{}
	closing sync.Once

	// memory is held by whoever moves what follows on, and by a group from when nobody else
	// can write until its own turn is taken up. turn is the last that was, taken the same for
	// those who don't wait.
	memory sync.Mutex
	turn   Mark
	taken  atomic.Pointer[Mark]
	// waiting are the records of which something is parked, rules the print of the rules by
	// which everything derived was derived.
	last    syncproto.Version
	now     syncproto.Instant
	waiting map[syncproto.RecordID]struct{}
	parked  int
	links   *links
	signed  *signatures
	chain   syncproto.Hash
	rules   uint64
	// shape is a fingerprint of the tree of areas as the last retry found it, planted that of
	// the tree by which the sums were last moved.
	shape   int64
	planted int64

	// Only the writer's goroutine touches these. trees is the tree of areas, snap what groups
	// work with, print that of its rules, seen the registry's newest snapshot that was looked
	// at: see follow. current is the one that abreast found, and that of now for as long as
	// nobody else can write, whatever the registry is led to read meanwhile.
	trees               trees
	snap, seen, current *registry.Snapshot
	print               uint64
	// behind says that it could not be derived by the newest, stopping that it isn't worth
	// the time any more, away that the store was away when it was last asked.
	behind, stopping, away bool
	// next is a job that was taken from the queue and is not of the group before it.
	next *job

	mu    sync.Mutex
	stats Stats
	pace  time.Duration // of one group, smoothed
	size  float64       // jobs in one group, smoothed
}

func newWriter(s *Service, boot Boot, snap *registry.Snapshot, maxQueue int) *writer {
	w := &writer{
		service: s, jobs: make(chan *job, maxQueue), stop: make(chan struct{}), stopped: make(chan struct{}),
		snap: snap, seen: snap, print: snap.Rules.Print(),
		stats: Stats{Verdicts: make(map[syncproto.Outcome]int64)},
		size:  1,
	}
	w.hold(&boot)
	return w
}

// errClosed tells a caller that the service is going down: nothing was kept.
var errClosed = errors.New("the service is closing")

// submit queues a job and waits for its group's commit. A full queue is code busy.
// When ctx ends first the job may still be committed: a retry finds it known.
func (w *writer) submit(ctx context.Context, j *job) error {
	select {
	case <-w.stop:
		return errClosed
	default:
	}
	select {
	case w.jobs <- j:
	default:
		return &syncproto.Error{Code: syncproto.CodeBusy}
	}
	select {
	case err := <-j.done:
		return err
	case <-w.stopped:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *writer) close(ctx context.Context) error {
	w.closing.Do(func() { close(w.stop) })
	select {
	case <-w.stopped:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run commits groups until the writer is stopped, and then what is queued.
func (w *writer) run(flush time.Duration) {
	defer close(w.stopped)
	tick := time.NewTicker(flush)
	defer tick.Stop()
	for {
		select {
		case j := <-w.jobs:
			w.commitAll(j)
		case <-tick.C:
			w.look()
			w.follow(true)
			w.flush()
		case <-w.stop:
			w.stopping = true
			for len(w.jobs) > 0 {
				w.commitAll(<-w.jobs)
			}
			w.flush()
			return
		}
	}
}

// commitAll commits the group of a job, and that of a job that did not belong to it.
func (w *writer) commitAll(first *job) {
	w.commit(w.gather(first))
	for w.next != nil {
		first, w.next = w.next, nil
		w.commit(w.gather(first))
	}
}

// gather takes everything that waits, up to maxGroup changes. A decision, an entry or a purge is a
// group by itself, so that nothing of it is kept when one of its changes can't be.
func (w *writer) gather(first *job) []*job {
	jobs, changes := []*job{first}, len(first.changes)
	for changes < maxGroup && !first.alone() {
		select {
		case j := <-w.jobs:
			if j.alone() {
				w.next = j
				return jobs
			}
			jobs = append(jobs, j)
			changes += len(j.changes)
		default:
			return jobs
		}
	}
	return jobs
}

// flush writes down the contacts that came with nothing to push.
func (w *writer) flush() {
	if len(w.service.devices.unwritten()) > 0 {
		w.commit(nil)
	}
}

// look takes up what others did, where nobody has told of it.
func (w *writer) look() {
	// The next group tries again before it does anything.
	if err := w.service.TakeUp(context.Background()); err != nil && !w.isAway(err) {
		w.service.log.Error("what other servers did could not be read", "error", err)
	}
}

// isAway reports whether something failed because the store is away, or leads elsewhere: so
// would everything, whoever asks for it. It is said once, until the store is back.
func (w *writer) isAway(err error) bool {
	if !w.service.away(err) && !errors.Is(err, errElsewhere) {
		return false
	}
	if !w.away {
		w.service.log.Warn("the store is away; pushes are turned away until it is back", "error", err)
	}
	w.away = true
	return true
}

// isBack notes that the store answers.
func (w *writer) isBack() {
	if w.away {
		w.service.log.Info("the store is back")
	}
	w.away = false
}

// commit runs one group and tells its callers.
func (w *writer) commit(jobs []*job) {
	began := time.Now() // the pace of groups is of this machine, whatever Now says
	g, err := w.attempt(jobs)
	var refusal *syncproto.Error
	var misstep *Misstep
	away := false
	switch {
	case err == nil:
	case len(jobs) == 1 && jobs[0].decision != nil && errors.As(err, &refusal):
		err = refusal // an answer, and no failure
	case errors.As(err, &misstep):
		err = misstep // another
	case w.isAway(err):
		away = true // all of them fail at once: whoever asks again finds out what was kept
	default:
		w.service.log.Error("a group was not committed", "pushes", len(jobs), "error", err)
	}
	if !away {
		w.isBack()
	}
	if err != nil && !away && len(jobs) > 1 {
		// One by one, so that whoever set it off fails alone.
		for _, j := range jobs {
			w.commit([]*job{j})
		}
		return
	}
	if !away { // else it says nothing of how long a group takes, and phones needn't wait for so long
		w.measure(time.Since(began), len(jobs), g, err)
	}
	for _, j := range jobs {
		j.done <- err
	}
}

// followed is how often a group begins again because the rules have changed meanwhile.
const followed = 5

// attempt runs one group, by the rules by which everything is derived when it begins.
func (w *writer) attempt(jobs []*job) (g *group, err error) {
	ctx := context.Background()
	again := len(jobs) == 1 && jobs[0].retry
	for range followed {
		w.follow(again)
		again = false
		err = w.locked(ctx, func(tx Tx) error {
			if err := w.upToDate(); err != nil {
				return err
			}
			g = newGroup(w, tx)
			g.quiet = len(jobs) == 0
			return g.run(jobs)
		}, func() {
			if g.saved != nil {
				w.took(g.saved, g.batch.Devices)
			}
		})
		if !errors.Is(err, errRules) {
			break
		}
	}
	return g, err
}

func (w *writer) measure(took time.Duration, jobs int, g *group, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pace += (took - w.pace) / 8
	w.size += (float64(jobs) - w.size) / 8
	if err != nil {
		return
	}
	w.stats.Groups++
	w.stats.Pushes += int64(jobs)
	for outcome, n := range g.outcomes {
		w.stats.Verdicts[outcome] += n
	}
}

func (w *writer) queue() (int, time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	waiting := len(w.jobs)
	groups := float64(waiting) / max(w.size, 1)
	return waiting, time.Duration(groups+1) * w.pace
}

// countParked notes how many changes are parked.
func (w *writer) countParked(n int) {
	w.parked = n
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stats.Parked = n
}

func (w *writer) waitingNow() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stats.Parked
}

func (w *writer) statsCopy() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.stats
	s.Verdicts = maps.Clone(s.Verdicts)
	return s
}
