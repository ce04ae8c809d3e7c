package main

import (
	"context"
	"errors"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/bench"
	"gridsync/server/internal/host"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/store/postgres/pgcluster"
	"gridsync/syncproto"
)

type benchCommand struct {
	JSON    bool   `name:"json" help:"${bench_json}"`
	Dir     string `placeholder:"DIR" help:"${bench_dir}"`
	Changes int    `default:"100000" help:"${bench_changes}"`
	People  int    `default:"100000" help:"${bench_people}"`
	Idle    int    `default:"20000" help:"${bench_idle}"`
	Rounds  int    `default:"3" help:"${bench_rounds}"`
	Clients []int  `placeholder:"N,…" help:"${bench_clients}"`

	Scale   bool     `xor:"what" help:"${bench_scale}"`
	Servers []int    `default:"1,2,3" help:"${bench_servers}"`
	Growth  bool     `xor:"what" help:"${bench_growth}"`
	Records []int    `placeholder:"N,…" help:"${bench_records}"`
	Engine  []string `default:"sqlite,postgres" enum:"sqlite,postgres" help:"${bench_engine}"`
	DB      string   `name:"db" env:"GRIDSYNC_BENCH_SERVER" placeholder:"postgres://…" help:"${bench_db}"`
}

// Run measures, each side as a process of its own.
func (c *benchCommand) Run(ctx context.Context, t *terminal) error {
	switch {
	case c.Scale:
		return c.scale(ctx, t)
	case c.Growth:
		return c.growth(ctx, t)
	}
	_, err := bench.Run(ctx, bench.Options{
		Prepare: prepareBench, Dir: c.Dir, Out: t.out, JSON: c.JSON, Progress: t.err,
		Changes: c.Changes, People: c.People, Idle: c.Idle, Rounds: c.Rounds, Clients: c.Clients,
	})
	return err
}

// scale measures servers of one PostgreSQL.
func (c *benchCommand) scale(ctx context.Context, t *terminal) error {
	return c.withPostgres(func(url, _ string) error {
		_, err := bench.RunScale(ctx, bench.ScaleOptions{
			Prepare: prepareBenchDB, DB: url, Dir: c.Dir, Out: t.out, JSON: c.JSON, Progress: t.err,
			Changes: c.Changes, Servers: c.Servers, Clients: c.Clients, Rounds: c.Rounds,
		})
		return err
	})
}

// growth lets databases grow.
func (c *benchCommand) growth(ctx context.Context, t *terminal) error {
	run := func(url, disk string) error {
		_, err := bench.RunGrowth(ctx, bench.GrowthOptions{
			Start: startGrowth, DB: url, Disk: disk, Dir: c.Dir, Out: t.out, JSON: c.JSON, Progress: t.err,
			Marks: c.Records, Engines: c.Engine,
		})
		return err
	}
	if !slices.Contains(c.Engine, "postgres") {
		return run("", "")
	}
	return c.withPostgres(run)
}

// benchCluster is how the bench's own PostgreSQL differs from one as it comes: it has a
// small server's memory, a log that isn't written back all the time, and counts what it does.
var benchCluster = pgcluster.Options{Durable: true, Settings: []string{
	"shared_buffers='512MB'", "max_wal_size='4GB'", "checkpoint_timeout='15min'",
	"shared_preload_libraries='pg_stat_statements'", "pg_stat_statements.track=all", "track_wal_io_timing=on",
}}

// withPostgres lends the PostgreSQL that was named or, if none was, one of the bench's own,
// which keeps its data on disk.
func (c *benchCommand) withPostgres(run func(url, disk string) error) (err error) {
	if c.DB != "" {
		return run(c.DB, "")
	}
	cluster, err := pgcluster.Start(benchCluster)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	return run(cluster.URL("postgres"), cluster.Dir)
}

// benchChildCommand is one side of the bench, which starts it.
type benchChildCommand struct {
	DB   string   `name:"db" env:"GRIDSYNC_BENCH_DB"`
	Args []string `arg:"" optional:"" passthrough:""`
}

// Run serves until the bench is done with it.
func (c *benchChildCommand) Run(ctx context.Context) error {
	return bench.Child(ctx, c.Args, func(ctx context.Context, dir, listen string) error {
		limitMemory()
		s, err := host.Start(ctx, host.Config{Dir: dir, DB: c.DB, Listen: listen})
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case err = <-s.Failed():
		}
		return errors.Join(err, s.Close())
	})
}

// prepareBench makes a data folder with the bench's areas and phones.
func prepareBench(ctx context.Context, dir string, areas []syncproto.Area, phones []bench.Device) ([]string, error) {
	return prepareBenchDB(ctx, dir, "", areas, phones)
}

// prepareBenchDB does it in a database, if one is named.
func prepareBenchDB(ctx context.Context, dir, db string, areas []syncproto.Area, phones []bench.Device) ([]string, error) {
	var tokens []string
	err := withData(ctx, dataFlag{Data: dir, DB: db}, func(d *host.Data) error {
		nodes := make([]area.Node, 0, len(areas))
		for _, a := range areas {
			nodes = append(nodes, area.Node{ID: a.ID, Name: a.Name, Parent: a.Parent})
		}
		if err := d.PutAreas(ctx, nodes); err != nil {
			return err
		}
		devices := make([]host.Device, 0, len(phones))
		for _, p := range phones {
			devices = append(devices, host.Device{
				ID: p.ID, Name: p.Name, Areas: []syncproto.AreaID{p.Area},
				Authors: []identity.Author{{ID: p.Author, Name: p.Name}},
			})
		}
		enrolled, err := d.AddDevices(ctx, devices)
		for _, e := range enrolled {
			tokens = append(tokens, e.Token)
		}
		return err
	})
	return tokens, err
}

// grown is a server of which only the exchange is used.
type grown struct{ *host.Server }

// Sync implements bench.Installation.
func (g grown) Sync(ctx context.Context, device syncproto.DeviceID, request *syncproto.Request) (*syncproto.Answer, error) {
	return g.Exchange().Sync(ctx, device, request)
}

// startGrowth starts a server with the bench's areas and phones.
func startGrowth(ctx context.Context, dir, db string, areas []syncproto.Area, phones []bench.Device) (bench.Installation, error) {
	if _, err := prepareBenchDB(ctx, dir, db, areas, phones); err != nil {
		return nil, err
	}
	server, err := host.Start(ctx, host.Config{Dir: dir, DB: db, Listen: "127.0.0.1:0"})
	if err != nil {
		return nil, err
	}
	return grown{server}, nil
}
