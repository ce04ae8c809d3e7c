package exchange

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
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

	// Only the writer's goroutine touches these. waiting are the records of which
	// something is parked.
	last    syncproto.Version
	now     syncproto.Instant
	waiting map[syncproto.RecordID]struct{}
	parked  int
	links   *links
	signed  *signatures
	chain   syncproto.Hash
	// shape is a fingerprint of the tree of areas as the last retry found it, planted that of
	// the tree by which the sums were last moved, and trees the tree itself.
	shape   int64
	planted int64
	trees   trees
	// snap is what groups work with, seen the registry's newest snapshot that was looked at,
	// rules the print of the rules by which everything derived was derived: see follow.
	snap, seen *registry.Snapshot
	rules      uint64
	// behind says that it could not be derived by the newest, stopping that it isn't worth
	// the time any more.
	behind, stopping bool
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
		now: boot.Now, parked: boot.Parked, chain: boot.Chain, rules: boot.Rules, snap: snap, seen: snap,
		waiting: make(map[syncproto.RecordID]struct{}, len(boot.WaitingFor)),
		stats:   Stats{Verdicts: make(map[syncproto.Outcome]int64), Parked: boot.Parked},
		size:    1,
	}
	for _, id := range boot.WaitingFor {
		w.waiting[id] = struct{}{}
	}
	w.take(&boot)
	return w
}

// take holds in memory what is derived, as it is stored now.
func (w *writer) take(boot *Boot) {
	w.last, w.links, w.signed = boot.Last, newLinks(*boot), newSignatures(*boot)
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
	if states := w.service.devices.unwritten(); len(states) > 0 {
		w.commit(nil)
	}
}

// commit runs one group and tells its callers.
func (w *writer) commit(jobs []*job) {
	w.follow(len(jobs) == 1 && jobs[0].retry)
	began := time.Now() // the pace of groups is of this machine, whatever Now says
	ctx := context.Background()
	var g *group
	err := w.service.store.Commit(ctx, func(tx Tx) (err error) {
		// A bug that one push sets off must not take the others' server away.
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("group: panic: %v", r)
			}
		}()
		g = newGroup(w, tx)
		return g.run(ctx, jobs)
	})
	var refusal *syncproto.Error
	var misstep *Misstep
	switch {
	case err == nil:
		w.published(g, jobs)
	case len(jobs) == 1 && jobs[0].decision != nil && errors.As(err, &refusal):
		err = refusal // an answer, and no failure
	case errors.As(err, &misstep):
		err = misstep // another
	default:
		w.service.log.Error("a group was not committed", "pushes", len(jobs), "error", err)
	}
	if err != nil && len(jobs) > 1 {
		// One by one, so that whoever set it off fails alone.
		for _, j := range jobs {
			w.commit([]*job{j})
		}
		return
	}
	w.measure(time.Since(began), len(jobs), g, err)
	for _, j := range jobs {
		j.done <- err
	}
}

// published moves what is held in memory on to what was committed.
func (w *writer) published(g *group, jobs []*job) {
	w.last, w.now, w.parked = g.batch.Last, g.batch.Now, g.parked
	for id := range g.nowWaiting {
		w.waiting[id] = struct{}{}
	}
	for id := range g.noLongerWaiting {
		delete(w.waiting, id)
	}
	w.links, w.chain = g.links, g.chain
	if g.reshaped {
		w.shape = g.snap.Areas.Shape()
	}
	w.planted = g.planted
	w.signed.publish(g.batch.Signatures)
	w.service.heads.publish(&g.batch)
	w.service.devices.publish(g.batch.Devices)
	if len(jobs) > 0 || g.batch.Tree != nil { // else only contacts were written down
		w.service.subscribed.tell(&g.batch)
	}
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
	w.stats.Parked = g.parked
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
