package main

import (
	"context"
	"errors"
	"slices"

	"gridsync/server/internal/bench"
	"gridsync/server/internal/host"
	"gridsync/server/internal/store/postgres/pgcluster"
	"gridsync/syncproto"
)

// scale measures servers of one PostgreSQL.
func (c *benchCommand) scale(ctx context.Context, t *terminal) error {
	return c.withPostgres(func(databases benchDatabases, _ string) error {
		_, err := bench.RunScale(ctx, bench.ScaleOptions{
			Options: bench.Options{
				Prepare: prepareBench(databases), Databases: databases, Env: []string{benchDBEnv + "=" + databases.address},
				Dir: c.Dir, Out: t.out, JSON: c.JSON, Progress: t.err,
				Changes: c.Changes, Clients: c.Clients, Rounds: c.Rounds,
			},
			Floors: databases, Servers: c.Servers,
		})
		return err
	})
}

// growth lets databases grow.
func (c *benchCommand) growth(ctx context.Context, t *terminal) error {
	run := func(databases benchDatabases, disk string) error {
		_, err := bench.RunGrowth(ctx, bench.GrowthOptions{
			Start: func(ctx context.Context, engine, dir string, areas []syncproto.Area, phones []bench.Device) (bench.Installation, error) {
				if engine == bench.SQLite {
					return startGrowth(ctx, benchDatabases{}, dir, areas, phones)
				}
				return startGrowth(ctx, databases, dir, areas, phones)
			},
			Databases: databases, Disk: disk, Dir: c.Dir, Out: t.out, JSON: c.JSON, Progress: t.err,
			Marks: c.Records, Engines: c.Engine,
		})
		return err
	}
	if !slices.Contains(c.Engine, bench.PostgreSQL) {
		return run(benchDatabases{}, "")
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
func (c *benchCommand) withPostgres(run func(databases benchDatabases, disk string) error) (err error) {
	if c.DB != "" {
		return run(benchDatabases{c.DB}, "")
	}
	cluster, err := pgcluster.Start(benchCluster)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	return run(benchDatabases{cluster.URL(pgcluster.Superuser)}, cluster.Dir)
}

// grown is a server of which only the exchange is used.
type grown struct{ *host.Server }

// Sync implements bench.Installation.
func (g grown) Sync(ctx context.Context, device syncproto.DeviceID, request *syncproto.Request) (*syncproto.Answer, error) {
	return g.Exchange().Sync(ctx, device, request)
}

// startGrowth starts a server with the bench's areas and phones.
func startGrowth(ctx context.Context, databases benchDatabases, dir string, areas []syncproto.Area, phones []bench.Device) (bench.Installation, error) {
	if _, err := prepareBench(databases)(ctx, dir, areas, phones); err != nil {
		return nil, err
	}
	db, err := databases.of(dir)
	if err != nil {
		return nil, err
	}
	server, err := host.Start(ctx, host.Config{Dir: dir, DB: db, Listen: "127.0.0.1:0"})
	if err != nil {
		return nil, err
	}
	return grown{server}, nil
}
