package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gridsync/syncproto"
)

// Engines that a growth run knows.
const (
	SQLite     = "sqlite"
	PostgreSQL = "postgres"
)

// Installation is a server without its HTTP: decoding, checking, merging, counting and
// committing are all in it.
type Installation interface {
	Sync(ctx context.Context, device syncproto.DeviceID, request *syncproto.Request) (*syncproto.Answer, error)
	Close() error
}

// GrowthOptions says how far a database is to grow. Zero values take the defaults.
type GrowthOptions struct {
	// Start starts an installation on one of the engines over a new folder, with the database
	// that Databases have for it, which knows the areas and devices.
	Start func(ctx context.Context, engine, dir string, areas []syncproto.Area, devices []Device) (Installation, error)
	// Databases are PostgreSQL's.
	Databases Databases
	// Disk is where PostgreSQL keeps its data, to see whether there is room; empty if it is on
	// another machine.
	Disk string
	// Dir, Out, JSON, Progress, Seed are as in Options, Limit (3 h) is for each engine.
	Dir      string
	Out      io.Writer
	JSON     bool
	Progress io.Writer
	Limit    time.Duration
	Seed     uint64
	// Marks are the numbers of records at which the cost is taken (100,000; 300,000; … 10,000,000).
	Marks []int
	// Engines are those to measure: both by default.
	Engines []string
}

// How a database grows: so many phones, each in a community of its own, push their volunteers'
// readings, so many of them at the same time, a hundred a batch. The time of a step isn't
// taken while its changes are made.
const (
	growthPhones  = 1000
	growthAtOnce  = 64
	growthBatch   = 100
	growthStep    = 25_600
	growthPeople  = 200 // whom a phone measures again and again
	growthWindow  = 10  // the cost at a mark is that of the last tenth before it
	leastInWindow = growthStep
)

func (o GrowthOptions) withDefaults() (GrowthOptions, error) {
	if len(o.Marks) == 0 {
		o.Marks = []int{100_000, 300_000, 1_000_000, 3_000_000, 10_000_000}
	}
	if !slices.IsSorted(o.Marks) || o.Marks[0] < 1 {
		return o, errors.New("bench: marks must rise from above 0")
	}
	if len(o.Engines) == 0 {
		o.Engines = []string{SQLite, PostgreSQL}
	}
	for _, engine := range o.Engines {
		if engine != SQLite && engine != PostgreSQL || engine == PostgreSQL && o.Databases == nil {
			return o, fmt.Errorf("bench: no engine %q", engine)
		}
	}
	if o.Limit <= 0 {
		o.Limit = 3 * time.Hour
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	if o.Start == nil {
		return o, errors.New("bench: nobody said how to start an installation")
	}
	return o, nil
}

// RunGrowth lets a database of each engine grow, from nothing and once, and writes what a
// record costs on the way. It begins with saying how much disk that needs, and fails with
// *RoomError if there is less. It removes what it wrote.
func RunGrowth(ctx context.Context, o GrowthOptions) (GrowthReport, error) {
	o, err := o.withDefaults()
	if err != nil {
		return GrowthReport{}, err
	}
	began := time.Now()
	if err := o.makeRoom(); err != nil {
		return GrowthReport{}, err
	}
	report := GrowthReport{Machine: machine()}
	for _, engine := range o.Engines {
		curve, err := o.grow(ctx, engine, began)
		if err != nil {
			return GrowthReport{}, fmt.Errorf("bench: growth of %s: %w", engine, err)
		}
		report.Curves = append(report.Curves, curve)
	}
	report.Seconds = time.Since(began).Seconds()
	return report, report.write(&o)
}

// grow lets one engine's database grow.
func (o *GrowthOptions) grow(ctx context.Context, engine string, began time.Time) (curve Curve, err error) {
	ctx, cancel := context.WithTimeout(ctx, o.Limit)
	defer cancel()
	dir, err := os.MkdirTemp(o.Dir, "gridsync-bench-")
	if err != nil {
		return Curve{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	g := &growth{
		GrowthOptions: o, curve: Curve{Engine: engine},
		world: newWorld(Options{Clients: []int{growthPhones}, Roster: growthPeople, Seed: o.Seed}, began),
		size:  func(ctx context.Context) (int64, error) { return sqliteSize(ctx, dir) },
	}
	if engine == PostgreSQL {
		g.size = func(ctx context.Context) (int64, error) { return o.Databases.Size(ctx, dir) }
		defer func() { err = errors.Join(err, o.Databases.Remove(context.WithoutCancel(ctx), dir)) }()
	}
	if g.installation, err = o.Start(ctx, engine, dir, g.world.areas, g.world.devices); err != nil {
		return Curve{}, err
	}
	defer func() { err = errors.Join(err, g.installation.Close()) }()
	return g.curve, g.all(ctx)
}

// growth is one engine's run.
type growth struct {
	*GrowthOptions
	installation Installation
	world        world
	size         func(context.Context) (int64, error)
	phones       []*grower
	curve        Curve
	// steps are those that were taken, records how many records there are.
	steps   []step
	records int
}

// step is so many records, and how long they took together.
type step struct {
	records int
	took    time.Duration
}

// grower is one phone.
type grower struct {
	device  Device
	people  []syncproto.RecordID
	n       uint64
	request syncproto.Request
	cursor  string
	epoch   *syncproto.Epoch
}

// all grows from mark to mark.
func (g *growth) all(ctx context.Context) error {
	random := g.world.generator("growth")
	for _, d := range g.world.pushers[growthPhones] {
		phone := &grower{device: d}
		for range growthPeople {
			phone.people = append(phone.people, newID[syncproto.RecordID](random))
		}
		g.phones = append(g.phones, phone)
	}
	before, err := g.size(ctx) // of what is there without any record
	if err != nil {
		return err
	}
	last := 0
	for _, mark := range g.Marks {
		for g.records < mark {
			if err := g.step(ctx, random, min(growthStep, mark-g.records)); err != nil {
				return fmt.Errorf("at %d records: %w", g.records, err)
			}
		}
		size, err := g.size(ctx)
		if err != nil {
			return err
		}
		p := g.point(mark)
		p.Bytes, p.BytesEach = size, float64(size)/float64(mark)
		p.BytesSince = float64(size-before) / float64(mark-last)
		before, last = size, mark
		g.curve.Points = append(g.curve.Points, p)
		fmt.Fprintf(g.Progress, "%-8s  %8d records: %.1f µs and %.0f bytes each\n", g.curve.Engine, mark, p.Micros, p.BytesSince)
	}
	return nil
}

// point is the cost of the last records before a mark.
func (g *growth) point(mark int) Point {
	window, some := max(mark/growthWindow, leastInWindow), step{}
	for _, s := range slices.Backward(g.steps) {
		if some.records >= window {
			break
		}
		some.records += s.records
		some.took += s.took
	}
	all := time.Duration(0)
	for _, s := range g.steps {
		all += s.took
	}
	return Point{
		Records: mark, Window: some.records, Micros: float64(some.took.Microseconds()) / float64(some.records),
		PerSecond: float64(some.records) / some.took.Seconds(), Seconds: all.Seconds(),
	}
}

// step makes so many changes, and then times how they are synced.
func (g *growth) step(ctx context.Context, random *generator, total int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// Phones take turns, so that the next one's turn comes when all others have had theirs.
	var queue []*grower
	first := len(g.steps) * (growthStep / growthBatch)
	for made := 0; made < total; made += growthBatch {
		phone := g.phones[(first+made/growthBatch)%len(g.phones)]
		phone.make(random, min(growthBatch, total-made))
		queue = append(queue, phone)
	}
	waiting := make(chan *grower, len(queue))
	for _, phone := range queue {
		waiting <- phone
	}
	close(waiting)
	took, err := together(ctx, growthAtOnce, func(ctx context.Context, _ int) error {
		for phone := range waiting {
			if err := phone.sync(ctx, g.installation); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	g.records += total
	g.steps = append(g.steps, step{total, took})
	return nil
}

// make makes the phone's next request.
func (p *grower) make(g *generator, total int) {
	now := syncproto.Instant(time.Now().UnixMilli())
	p.request = syncproto.Request{
		Protocol: syncproto.Protocol, Device: p.device.ID, Clock: now,
		Epoch: p.epoch, Cursor: p.cursor, App: "bench/1",
	}
	for range total {
		p.n++
		p.request.Changes = append(p.request.Changes, encode(syncproto.Change{
			ID: newID[syncproto.ChangeID](g), Device: p.device.ID, N: p.n, Author: p.device.Author, Kind: "temperature",
			Record: newID[syncproto.RecordID](g), Area: p.device.Area, At: now, Form: 1,
			Fields: temperature(g, p.people[g.IntN(len(p.people))]).Encode(),
		}))
	}
	p.request.High = p.n
}

// sync sends it. Every change must be applied.
func (p *grower) sync(ctx context.Context, at Installation) error {
	answer, err := at.Sync(ctx, p.device.ID, &p.request)
	if err != nil {
		return err
	}
	applied := 0
	for _, v := range answer.Verdicts {
		if v.Verdict == syncproto.Applied {
			applied++
		}
	}
	if applied != len(p.request.Changes) {
		b, err := json.Marshal(answer.Verdicts)
		return errors.Join(err, fmt.Errorf("%d of %d changes were applied: %.600s", applied, len(p.request.Changes), b))
	}
	p.cursor, p.epoch, p.request.Changes = answer.Cursor, &answer.Epoch, nil
	return nil
}

// sqliteSize is the pages of the folder's database, whether they are in it yet or in its log.
func sqliteSize(ctx context.Context, dir string) (size int64, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.db"))
	if err != nil || len(files) != 1 {
		return 0, errors.Join(err, fmt.Errorf("%d databases in the folder", len(files)))
	}
	db, err := sql.Open("sqlite", "file:"+files[0]+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		return 0, err
	}
	err = db.QueryRowContext(ctx, "SELECT p.page_count * s.page_size FROM pragma_page_count p, pragma_page_size s").Scan(&size)
	return size, errors.Join(err, db.Close())
}
