package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"gridsync/syncproto"
)

// ScaleOptions says how to measure servers of one PostgreSQL. Zero values take the defaults.
type ScaleOptions struct {
	// Prepare makes an empty database know the areas and devices, as Prepare does a folder;
	// the keys are kept in the folder.
	Prepare func(ctx context.Context, dir, db string, areas []syncproto.Area, devices []Device) ([]string, error)
	// DB is a PostgreSQL in which databases may be made and dropped; what is there already
	// isn't touched.
	DB string
	// Child is as in Options. The process finds its database's address in ChildDB.
	Child []string
	// Dir, Out, JSON, Progress, Batch, Limit (30 min) and Seed are as in Options.
	Dir      string
	Out      io.Writer
	JSON     bool
	Progress io.Writer
	Batch    int
	Limit    time.Duration
	Seed     uint64
	// Changes is how many temperatures are pushed in each measurement (100,000), Servers to
	// how many servers (1, 2, 3), Clients from how many clients in all (8, 64).
	Changes          int
	Servers, Clients []int
	// Rounds is how often everything is measured (3).
	Rounds int
}

// ChildDB is the variable of its environment that tells a server's process its database.
const ChildDB = "GRIDSYNC_BENCH_DB"

func (o ScaleOptions) withDefaults() (ScaleOptions, error) {
	if len(o.Servers) == 0 {
		o.Servers = []int{1, 2, 3}
	}
	if len(o.Clients) == 0 {
		o.Clients = []int{8, 64}
	}
	if o.Limit <= 0 {
		o.Limit = 30 * time.Minute
	}
	for _, n := range append(append([]int{}, o.Servers...), o.Clients...) {
		if n < 1 {
			return o, errors.New("bench: a number of servers or clients below 1")
		}
	}
	for _, servers := range o.Servers {
		for _, clients := range o.Clients {
			if clients < servers {
				return o, fmt.Errorf("bench: %d clients can't push to %d servers at once", clients, servers)
			}
		}
	}
	if o.Prepare == nil || o.DB == "" {
		return o, errors.New("bench: nobody said in which PostgreSQL, or how to prepare a database")
	}
	common, err := o.common().withDefaults()
	o.Child, o.Out, o.Progress = common.Child, common.Out, common.Progress
	o.Changes, o.Batch, o.Rounds = common.Changes, common.Batch, common.Rounds
	return o, err
}

// common are the options that both benches have. Nobody lives in this one's communities.
func (o *ScaleOptions) common() Options {
	return Options{
		Prepare: func(context.Context, string, []syncproto.Area, []Device) ([]string, error) { return nil, nil },
		Roster:  1, Child: o.Child, Dir: o.Dir, Out: o.Out, JSON: o.JSON, Progress: o.Progress,
		Changes: o.Changes, Batch: o.Batch, Clients: o.Clients, Rounds: o.Rounds, Limit: o.Limit, Seed: o.Seed,
	}
}

// cell is one thing that is measured: so many clients pushing to so many servers.
type cell struct{ servers, clients int }

// scale is one run of it.
type scale struct {
	*run
	options   ScaleOptions
	databases *databases
	// keys is the servers' folder, template the database that they begin with.
	keys, template string
	// looks says that pg_stat_statements can be asked.
	looks bool
	took  map[string]map[cell][]pushed
	spent map[cell][]spent
}

// RunScale measures servers of one PostgreSQL beside PostgreSQL itself, each measurement in a
// database of its own, and writes the report. It ends only processes that it has started, and
// drops every database that it made.
func RunScale(ctx context.Context, o ScaleOptions) (report ScaleReport, err error) {
	o, err = o.withDefaults()
	if err != nil {
		return ScaleReport{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.Limit)
	defer cancel()
	dir, err := os.MkdirTemp(o.Dir, "gridsync-bench-")
	if err != nil {
		return ScaleReport{}, fmt.Errorf("bench: %w", err)
	}
	s := &scale{
		run: &run{Options: o.common(), dir: dir, began: time.Now()}, options: o, keys: filepath.Join(dir, "keys"),
		took: map[string]map[cell][]pushed{serverSide: {}, copySide: {}, upsertSide: {}}, spent: map[cell][]spent{},
	}
	err = s.all(ctx)
	if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
		return ScaleReport{}, fmt.Errorf("bench: %w", err)
	}
	report = s.report()
	return report, report.write(&o)
}

func (s *scale) all(ctx context.Context) (err error) {
	if s.databases, err = connectDatabases(ctx, s.options.DB); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.databases.close(ctx)) }()
	s.world = newWorld(s.Options, s.began)
	if err := s.prepare(ctx); err != nil {
		return err
	}
	for round := range s.Rounds {
		for _, clients := range s.Clients {
			loads := s.world.temperatures(clients, s.Changes, s.Batch)
			s.changeBytes = meanSize(loads)
			for i := range s.options.Servers {
				// Who goes first changes from round to round.
				c := cell{s.options.Servers[(i+round)%len(s.options.Servers)], clients}
				if err := s.measure(ctx, c, round, loads); err != nil {
					return fmt.Errorf("round %d, %d clients, %d servers: %w", round+1, c.clients, c.servers, err)
				}
			}
		}
	}
	return nil
}

// prepare makes the database that all measurements of servers begin with.
func (s *scale) prepare(ctx context.Context) (err error) {
	if err := os.MkdirAll(s.keys, 0o700); err != nil {
		return err
	}
	if s.template, err = s.databases.create(ctx, ""); err != nil {
		return err
	}
	url := s.databases.of(s.template)
	tokens, err := s.options.Prepare(ctx, s.keys, url, s.world.areas, s.world.devices)
	if err != nil {
		return fmt.Errorf("preparing the servers' database: %w", err)
	}
	if len(tokens) != len(s.world.devices) {
		return fmt.Errorf("%d tokens for %d devices", len(tokens), len(s.world.devices))
	}
	s.tokens = make(map[syncproto.DeviceID]string, len(tokens))
	for i, d := range s.world.devices {
		s.tokens[d.ID] = tokens[i]
	}
	if unheard := lookable(ctx, url); unheard != nil {
		s.say("where the time goes isn't known without pg_stat_statements: %v", unheard)
		return nil
	}
	s.looks = true
	return nil
}

// measure measures a cell's three sides in turns.
func (s *scale) measure(ctx context.Context, c cell, round int, loads [][]batch) error {
	order := []string{serverSide, copySide, upsertSide}
	for i := range order {
		side := order[(i+round)%len(order)]
		var result pushed
		var err error
		if side == serverSide {
			result, err = s.servers(ctx, c, loads)
		} else {
			result, err = s.pgFloor(ctx, side, c, loads)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", side, err)
		}
		s.took[side][c] = append(s.took[side][c], result)
		s.say("%-6s  %2d clients, %d servers: %.0f/s", side, c.clients, c.servers, result.rate())
	}
	return nil
}

// servers times how clients push to servers of a new database.
func (s *scale) servers(ctx context.Context, c cell, loads [][]batch) (result pushed, err error) {
	name, err := s.databases.create(ctx, s.template)
	if err != nil {
		return pushed{}, err
	}
	defer func() { err = errors.Join(err, s.databases.drop(context.WithoutCancel(ctx), name)) }()
	url := s.databases.of(name)
	var processes []*process
	stop := func() error {
		var errs []error
		for _, p := range processes {
			errs = append(errs, p.stop())
		}
		processes = nil
		return errors.Join(errs...)
	}
	defer func() { err = errors.Join(err, stop()) }()
	for range c.servers {
		p, err := s.start(ctx, serverSide, s.keys, ChildDB+"="+url)
		if err != nil {
			return pushed{}, err
		}
		processes = append(processes, p)
	}
	clients, err := s.connect(ctx, processes, s.world.pushers[c.clients])
	defer closeAll(clients)
	if err != nil {
		return pushed{}, err
	}
	if err := s.databases.settle(ctx); err != nil {
		return pushed{}, err
	}
	err = within(ctx, url, func(conn *pgx.Conn) error {
		var seen spent
		if result, seen, err = s.watched(ctx, conn, processes, func() (pushed, error) { return pushLoads(ctx, clients, loads) }); err != nil {
			return err
		}
		// What it took to sync is told by connections that have ended.
		was := seen.sync
		if err := stop(); err != nil {
			return err
		}
		seen.sync, err = syncedOf(ctx, conn)
		seen.sync -= was
		s.spent[c] = append(s.spent[c], seen)
		return err
	})
	return result, err
}

// watched does something and finds out what it took of PostgreSQL and of the servers. What it
// returns as the time to sync is what it was before.
func (s *scale) watched(ctx context.Context, conn *pgx.Conn, processes []*process, do func() (pushed, error)) (result pushed, seen spent, err error) {
	if s.looks {
		if err := forget(ctx, conn); err != nil {
			return result, seen, err
		}
	}
	synced, err := syncedOf(ctx, conn)
	if err != nil {
		return result, seen, err
	}
	before, err := counted(ctx, conn, processes)
	if err != nil {
		return result, seen, err
	}
	if result, err = do(); err != nil {
		return result, seen, err
	}
	after, err := counted(ctx, conn, processes)
	if err != nil {
		return result, seen, err
	}
	seen = spent{walBytes: after.walBytes - before.walBytes, cpu: after.cpu - before.cpu, sync: synced}
	if s.looks {
		err = seen.look(ctx, conn)
	}
	return result, seen, err
}

// counted is what only grows, and is known at once.
func counted(ctx context.Context, conn *pgx.Conn, processes []*process) (now spent, err error) {
	if err := conn.QueryRow(ctx, "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint").Scan(&now.walBytes); err != nil {
		return now, fmt.Errorf("what went to the log: %w", err)
	}
	for _, p := range processes {
		used, err := p.cpu()
		if err != nil {
			return now, err
		}
		now.cpu += used
	}
	return now, nil
}
