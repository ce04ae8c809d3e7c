package exchange

import (
	"fmt"

	"gridsync/server/internal/registry"
	"gridsync/server/internal/review"
	"gridsync/syncproto"
	"gridsync/syncproto/clock"
)

// group is one transaction's work: the pushes that waited, applied one after the
// other to a working set in memory, and written in one batch.
type group struct {
	w        *writer
	tx       Tx
	snap     *registry.Snapshot
	now      syncproto.Instant
	next     syncproto.Version
	devices  map[syncproto.DeviceID]*DeviceState
	records  map[syncproto.RecordID]*working
	order    []*working // records in the order in which they were first touched
	log      []*Logged  // new rows, in order
	released []*Logged  // rows of earlier groups that this one settled
	prior    map[origin]*Logged
	commits  map[syncproto.Version]syncproto.Instant
	batch    Batch
	outcomes map[syncproto.Outcome]int64
	parked   int
	// links are those of the world that the group leaves: the committed ones until it
	// alters one. relinked are the records whose links it altered.
	links    *links
	relinked []syncproto.RecordID
	// answers are rows that answer returned changes, pulsed the windows that became hard
	// to believe.
	answers []*Logged
	pulsed  []raised
	// pulses are the devices whose pulse is the group's own.
	pulses map[syncproto.DeviceID]bool
	// ruledPairs are questions about two records on which the group says something;
	// followed is how many of order have been looked at for rulings on parked changes.
	ruledPairs []review.Key
	// ruledDays are days signed on which it says something; reasked are rows whose desk
	// may be another one now; reshaped says that the tree of areas has another shape.
	ruledDays []syncproto.RecordID
	reasked   []*Logged
	reshaped  bool
	// planted is the shape of the tree by which the group leaves the sums.
	planted int64
	// twins are what the group does to which records count as one, saved its turn once it is
	// written down; quiet says that there is nothing but contacts.
	twins    []Twins
	saved    *Turn
	quiet    bool
	followed int
	chain    syncproto.Hash
	failure  error
	// nowWaiting and noLongerWaiting are what this group does to writer.waiting.
	nowWaiting, noLongerWaiting map[syncproto.RecordID]struct{}
}

// origin is the retry key.
type origin struct {
	device syncproto.DeviceID
	n      uint64
}

func newGroup(w *writer, tx Tx) *group {
	return &group{
		w: w, tx: tx, snap: w.snap,
		now:             max(w.service.instant(), w.now),
		next:            w.last,
		devices:         make(map[syncproto.DeviceID]*DeviceState),
		records:         make(map[syncproto.RecordID]*working),
		prior:           make(map[origin]*Logged),
		commits:         make(map[syncproto.Version]syncproto.Instant),
		outcomes:        make(map[syncproto.Outcome]int64),
		parked:          w.parked,
		links:           w.links,
		planted:         w.planted,
		pulses:          make(map[syncproto.DeviceID]bool),
		chain:           w.chain,
		nowWaiting:      make(map[syncproto.RecordID]struct{}),
		noLongerWaiting: make(map[syncproto.RecordID]struct{}),
	}
}

// run does the jobs and saves what they changed.
func (g *group) run(jobs []*job) error {
	devices := g.w.service.devices.unwritten()
	for _, j := range jobs {
		if j.isPush() {
			devices = append(devices, j.device)
		}
	}
	if err := g.loadDevices(devices); err != nil {
		return err
	}
	if len(jobs) == 1 && jobs[0].purge != nil {
		return g.purge(jobs[0].purge)
	}
	if err := g.replant(); err != nil {
		return err
	}
	if err := g.load(jobs); err != nil {
		return err
	}
	for _, j := range jobs {
		if err := g.push(j); err != nil {
			return err
		}
		if err := g.make(j); err != nil {
			return err
		}
	}
	if err := g.release(jobs); err != nil {
		return err
	}
	for _, j := range jobs {
		if j.isPush() {
			j.state = *g.devices[j.device]
			g.conclude(j)
			g.stamp(j)
		}
	}
	g.skip()
	return g.save()
}

// make takes what a job makes at the server.
func (g *group) make(j *job) error {
	switch {
	case j.decision != nil:
		return g.decide(j)
	case j.entry != nil:
		return g.enter(j)
	}
	return nil
}

// load fetches, in one batch each, what the jobs will ask for.
func (g *group) load(jobs []*job) error {
	known := make(map[syncproto.DeviceID][]uint64)
	var ids []syncproto.RecordID
	var bases []syncproto.Version
	for _, j := range jobs {
		if !j.isPush() {
			continue
		}
		state, err := g.device(j.device)
		if err != nil {
			return err
		}
		for i := range j.changes {
			d := &j.changes[i]
			switch {
			case d.err != nil:
			case state.holds(d.change.N):
				known[j.device] = append(known[j.device], d.change.N)
			default:
				ids = append(ids, d.change.Record)
				if d.change.Base > 0 {
					bases = append(bases, d.change.Base)
				}
			}
		}
	}
	for device, ns := range known {
		if err := g.loadPrior(device, ns); err != nil {
			return err
		}
	}
	if err := g.loadCommits(bases); err != nil {
		return err
	}
	return g.loadRecords(ids)
}

func (g *group) loadPrior(device syncproto.DeviceID, ns []uint64) error {
	rows, err := g.tx.Prior(device, ns)
	if err != nil {
		return fmt.Errorf("group: known changes: %w", err)
	}
	for i := range rows {
		g.prior[origin{device, rows[i].Change.N}] = &rows[i]
	}
	return nil
}

func (g *group) loadCommits(bases []syncproto.Version) error {
	if len(bases) == 0 {
		return nil
	}
	instants, err := g.tx.CommittedAt(bases)
	if err != nil {
		return fmt.Errorf("group: commit times: %w", err)
	}
	for i, base := range bases {
		g.commits[base] = instants[i]
	}
	return nil
}

func (g *group) loadRecords(ids []syncproto.RecordID) error {
	missing := ids[:0:0]
	for _, id := range ids {
		if g.records[id] == nil {
			g.records[id] = &working{id: id}
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	records, err := g.tx.Records(missing)
	if err != nil {
		return fmt.Errorf("group: records: %w", err)
	}
	for i := range records {
		r := &records[i]
		g.records[r.ID].load(r)
	}
	return g.loadPurged(missing)
}

// push takes one push's changes in their order.
func (g *group) push(j *job) error {
	if !j.isPush() {
		return nil
	}
	state := g.devices[j.device]
	j.verdicts, j.areas, j.skips = make([]syncproto.Verdict, 0, len(j.changes)), nil, nil
	for i := range j.changes {
		v, err := g.take(state, j, &j.changes[i])
		if err != nil {
			return err
		}
		j.verdicts = append(j.verdicts, v)
	}
	if !j.foreign {
		state.met(j.contact, max(j.high, state.High), j.unsent-heldOf(j.verdicts), j.app)
	}
	return nil
}

// heldOf counts what the server holds from now on, which the device counted as unsent.
func heldOf(verdicts []syncproto.Verdict) int {
	held := 0
	for i := range verdicts {
		if verdicts[i].Verdict.Held() {
			held++
		}
	}
	return held
}

// take stores one change and says what became of it.
func (g *group) take(state *DeviceState, j *job, d *decoded) (syncproto.Verdict, error) {
	c := &d.change
	switch {
	case d.err != nil:
		return refused(c.N, d.err), nil //nolint:nilerr // a change that can't be read is an answer, and no failure of the group
	case state.holds(c.N):
		return g.repeated(c, d.hash), nil
	case c.N > state.High+1 && len(state.Missing) >= maxHoles:
		return refused(c.N, &syncproto.Error{Code: syncproto.CodeBadChange, Field: "n", Detail: "too many gaps"}), nil
	}
	g.next++
	logged := Logged{
		Seq: g.next, Change: *c, Received: g.now, hash: d.hash,
		Stamp: clock.Correct(c.At, j.contact, g.bounds(state, c)),
	}
	gap := c.N > state.High+1
	late := c.N < state.High
	state.take(c.N, d.hash, logged.Stamp)

	w := g.touch(c.Record)
	reason := g.route(&logged, d, w, state)
	if reason != nil {
		g.park(&logged, reason, state)
	} else {
		logged.Version = logged.Seq
		if err := g.apply(&logged, d, w, late); err != nil {
			return syncproto.Verdict{}, err
		}
		g.watch(&logged, d, state)
		reason = g.remark(&logged, d, gap)
	}
	g.prior[origin{c.Device, c.N}] = &logged
	w.rows = append(w.rows, &logged)
	g.log = append(g.log, &logged)
	if _, answers := c.Extra["answers"]; answers {
		g.answers = append(g.answers, &logged)
	}
	return syncproto.Verdict{N: c.N, Verdict: logged.Verdict, Version: logged.Version, Reason: reason}, nil
}

func refused(n uint64, why *syncproto.Error) syncproto.Verdict {
	return syncproto.Verdict{N: n, Verdict: syncproto.Refused, Reason: why}
}

// repeated answers for a number that is held already: the first verdict again when
// it is the same change, a refusal when it is another.
func (g *group) repeated(c *syncproto.Change, hash syncproto.Hash) syncproto.Verdict {
	prior := g.prior[origin{c.Device, c.N}]
	if prior == nil || prior.Hash() != hash {
		return refused(c.N, &syncproto.Error{Code: syncproto.CodeNReused, Field: "n"})
	}
	v := syncproto.Verdict{N: c.N, Verdict: syncproto.Duplicate, First: prior.Verdict, Version: prior.Version}
	if prior.Reason != "" {
		v.Reason = &syncproto.Error{Code: prior.Reason, Field: prior.Field}
	}
	return v
}

// bounds gathers what is known of when a change was made.
func (g *group) bounds(state *DeviceState, c *syncproto.Change) clock.Bounds {
	b := clock.Bounds{Received: g.now, Based: g.commits[c.Base]}
	if c.N > state.ContactHigh {
		b.Absent = state.ContactServer
	}
	if c.N > state.High {
		b.Previous = state.LastStamp
	}
	return b
}

func (g *group) park(l *Logged, reason *syncproto.Error, state *DeviceState) {
	l.Verdict, l.Reason, l.Field = syncproto.Parked, reason.Code, reason.Field
	state.park(l.Change.N, reason.Code)
	g.parked++
	g.nowWaiting[l.Change.Record] = struct{}{}
}

// conclude tells of changes that were parked and taken up by the same group as they
// ended, and counts the outcomes.
func (g *group) conclude(j *job) {
	for i := range j.verdicts {
		v := &j.verdicts[i]
		if l := g.prior[origin{j.device, v.N}]; v.Verdict == syncproto.Parked && l.Version != 0 {
			*v = syncproto.Verdict{N: v.N, Verdict: l.Verdict, Version: l.Version}
		}
		g.outcomes[v.Verdict]++
	}
}

// stamp gives the device what it needs to make the records itself that are its
// own changes and nothing else.
func (g *group) stamp(j *job) {
	for i := range j.verdicts {
		v := &j.verdicts[i]
		if v.Verdict != syncproto.Applied || j.changes[i].err != nil {
			continue
		}
		w := g.records[j.changes[i].change.Record]
		if w.sole == nil || w.sole.Version != v.Version {
			continue
		}
		stamp := w.sole.Stamp
		v.Stamp = &stamp
		w.maker = j
		if j.areas == nil {
			j.areas = make(map[syncproto.RecordID]syncproto.AreaID)
			j.skips = make(map[Feed]skip)
		}
		j.areas[w.id] = w.now.Area
	}
}

// skip finds the feeds in which the group wrote nothing but what one device makes
// itself.
func (g *group) skip() {
	type wrote struct {
		maker *job
		last  syncproto.Version
	}
	feeds := make(map[Feed]wrote)
	note := func(f Feed, w *working) {
		before, seen := feeds[f]
		if seen && before.maker != w.maker {
			feeds[f] = wrote{}
			return
		}
		feeds[f] = wrote{w.maker, max(before.last, w.now.Version)}
	}
	for _, w := range g.order {
		if w.applied == 0 {
			continue
		}
		f := feedOf(g.snap, w.now)
		note(f, w)
		if w.before == nil {
			continue
		}
		if left := feedOf(g.snap, w.before); left != f {
			feeds[left] = wrote{}
		}
	}
	for f, by := range feeds {
		if by.maker != nil {
			by.maker.skips[f] = skip{from: g.w.service.heads.of(f).Last, to: by.last}
		}
	}
}
