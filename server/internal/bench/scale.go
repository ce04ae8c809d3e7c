package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"gridsync/syncproto"
)

// ScaleOptions says how to measure servers of one PostgreSQL. Zero values take the defaults.
type ScaleOptions struct {
	// Options are those of the other bench, with Databases, but for People, Roster, Idle and
	// FirstSyncs. Clients are 8 and 64 by default, Limit 30 min.
	Options
	// Floors are where PostgreSQL's own floors are measured.
	Floors Floors
	// Servers are the numbers of servers that are pushed to (1, 2, 3).
	Servers []int
}

// Floors are the databases of the same PostgreSQL as Databases', one for each folder.
type Floors interface {
	// Make makes an empty database for a folder, which Remove takes away.
	Make(ctx context.Context, dir string) error
	// Address is where a folder's database is, as PostgreSQL's clients have it.
	Address(dir string) (string, error)
	Remove(ctx context.Context, dir string) error
}

func (o ScaleOptions) withDefaults() (_ ScaleOptions, err error) {
	if len(o.Servers) == 0 {
		o.Servers = []int{1, 2, 3}
	}
	if len(o.Clients) == 0 {
		o.Clients = []int{8, 64}
	}
	if o.Limit <= 0 {
		o.Limit = 30 * time.Minute
	}
	if slices.Min(o.Servers) < 1 || slices.Min(o.Clients) < slices.Max(o.Servers) {
		return o, errors.New("bench: fewer servers than one, or fewer clients than servers")
	}
	if o.Databases == nil || o.Floors == nil {
		return o, errors.New("bench: nobody said in which PostgreSQL")
	}
	if o.Options, err = o.Options.withDefaults(); err != nil {
		return o, err
	}
	o.People, o.Roster = 0, 1 // nobody lives there
	return o, nil
}

// cell is one thing that is measured: so many clients pushing to so many servers.
type cell struct{ servers, clients int }

// scale is one run of it.
type scale struct {
	*run
	counts []int
	floors Floors
	// looks says that pg_stat_statements can be asked, work counts the folders of measurements.
	looks bool
	work  int
	took  map[string]map[cell][]pushed
	spent map[cell][]spent
}

// RunScale measures servers of one PostgreSQL beside PostgreSQL itself, each measurement in a
// database of its own, and writes the report. It ends only processes that it has started, and
// removes every database that it made. A PostgreSQL that doesn't wait for its disk is
// refused: ErrNotDurable.
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
		run: &run{Options: o.Options, dir: dir, began: time.Now()}, counts: o.Servers, floors: o.Floors,
		took: map[string]map[cell][]pushed{serverSide: {}, copySide: {}, upsertSide: {}}, spent: map[cell][]spent{},
	}
	err = s.all(ctx)
	if err := errors.Join(err, s.remove(ctx, s.template(serverSide)), os.RemoveAll(dir)); err != nil {
		return ScaleReport{}, fmt.Errorf("bench: %w", err)
	}
	report = s.report()
	return report, report.write(&o)
}

func (s *scale) all(ctx context.Context) (err error) {
	s.world = newWorld(s.Options, s.began)
	if err := s.prepare(ctx); err != nil {
		return err
	}
	for round := range s.Rounds {
		for _, clients := range s.Clients {
			loads := s.world.temperatures(clients, s.Changes, s.Batch)
			s.changeBytes = meanSize(loads)
			for i := range s.counts {
				// Who goes first changes from round to round.
				c := cell{s.counts[(i+round)%len(s.counts)], clients}
				if err := s.measure(ctx, c, round, loads); err != nil {
					return fmt.Errorf("round %d, %d clients, %d servers: %w", round+1, c.clients, c.servers, err)
				}
			}
		}
	}
	return nil
}

// prepare makes the folder and database that all measurements of servers begin with.
func (s *scale) prepare(ctx context.Context) (err error) {
	template := s.template(serverSide)
	if err := os.MkdirAll(template, 0o700); err != nil {
		return err
	}
	tokens, err := s.Prepare(ctx, template, s.world.areas, s.world.devices)
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
	url, err := s.floors.Address(template)
	if err != nil {
		return err
	}
	if err := durable(ctx, url); err != nil {
		return err
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

// workplace is the next measurement's folder, which isn't there yet.
func (s *scale) workplace() string {
	s.work++
	return filepath.Join(s.dir, fmt.Sprintf("work%d", s.work))
}

// servers times how clients push to servers of a new database.
func (s *scale) servers(ctx context.Context, c cell, loads [][]batch) (result pushed, err error) {
	dir := s.workplace()
	if err := s.copy(ctx, serverSide, dir); err != nil {
		return pushed{}, err
	}
	defer func() { err = errors.Join(err, s.remove(ctx, dir)) }()
	url, err := s.floors.Address(dir)
	if err != nil {
		return pushed{}, err
	}
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
		p, err := s.start(ctx, serverSide, dir)
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
	err = within(ctx, url, func(conn *pgx.Conn) error {
		if err := settle(ctx, conn); err != nil {
			return err
		}
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
