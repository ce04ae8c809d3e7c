package main

import (
	"context"
	"errors"
	"os"

	"gridsync/server/internal/area"
	"gridsync/server/internal/bench"
	"gridsync/server/internal/host"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

type benchCommand struct {
	JSON    bool   `name:"json" help:"bench_json"`
	Dir     string `placeholder:"DIR" help:"bench_dir"`
	Changes int    `default:"100000" help:"bench_changes"`
	People  int    `default:"100000" help:"bench_people"`
	Idle    int    `default:"20000" help:"bench_idle"`
	Rounds  int    `default:"3" help:"bench_rounds"`
	Clients []int  `placeholder:"N" help:"bench_clients"`
	DB      string `name:"db" env:"GRIDSYNC_BENCH_DB" placeholder:"postgres://…" help:"bench_db"`

	Scale   bool     `xor:"what" help:"bench_scale"`
	Servers []int    `default:"1,2,3" help:"bench_servers"`
	Growth  bool     `xor:"what" help:"bench_growth"`
	Records []int    `placeholder:"N" help:"bench_records"`
	Engine  []string `default:"sqlite,postgres" enum:"sqlite,postgres" help:"bench_engine"`
}

// Run measures, each side as a process of its own.
func (c *benchCommand) Run(ctx context.Context, t *terminal) error {
	switch {
	case c.Scale:
		return c.scale(ctx, t)
	case c.Growth:
		return c.growth(ctx, t)
	}
	databases := benchDatabases{c.DB}
	options := bench.Options{
		Prepare: prepareBench(databases), Dir: c.Dir, Out: t.out, JSON: c.JSON, Progress: t.err,
		Changes: c.Changes, People: c.People, Idle: c.Idle, Rounds: c.Rounds, Clients: c.Clients,
	}
	if c.DB != "" {
		options.Databases, options.Env = databases, []string{benchDBEnv + "=" + c.DB}
	}
	_, err := bench.Run(ctx, options)
	return err
}

// benchChildCommand is one side of the bench, which starts it.
type benchChildCommand struct {
	Args []string `arg:"" optional:"" passthrough:""`
}

// Run serves until the bench is done with it.
func (c *benchChildCommand) Run(ctx context.Context) error {
	return bench.Child(ctx, c.Args, func(ctx context.Context, dir, listen string) error {
		limitMemory()
		db, err := benchDatabases{os.Getenv(benchDBEnv)}.of(dir)
		if err != nil {
			return err
		}
		s, err := host.Start(ctx, host.Config{Dir: dir, DB: db, Listen: listen})
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

// prepareBench makes a data folder with the bench's areas and phones, and its database.
func prepareBench(databases benchDatabases) bench.Prepare {
	return func(ctx context.Context, dir string, areas []syncproto.Area, phones []bench.Device) (tokens []string, err error) {
		at := dataFlag{Data: dir}
		if at.DB, err = databases.of(dir); err != nil {
			return nil, err
		}
		if err := databases.make(ctx, dir); err != nil {
			return nil, err
		}
		err = withNewData(ctx, at, func(d *host.Data) error {
			tokens, err = furnish(ctx, d, areas, phones)
			return err
		})
		return tokens, err
	}
}

// furnish adds the bench's areas and phones.
func furnish(ctx context.Context, d *host.Data, areas []syncproto.Area, phones []bench.Device) ([]string, error) {
	nodes := make([]area.Node, 0, len(areas))
	for _, a := range areas {
		nodes = append(nodes, area.Node{ID: a.ID, Name: a.Name, Parent: a.Parent})
	}
	if err := d.PutAreas(ctx, nodes); err != nil {
		return nil, err
	}
	devices := make([]host.Device, 0, len(phones))
	for _, p := range phones {
		devices = append(devices, host.Device{
			ID: p.ID, Name: p.Name, Areas: []syncproto.AreaID{p.Area},
			Authors: []identity.Author{{ID: p.Author, Name: p.Name}},
		})
	}
	enrolled, err := d.AddDevices(ctx, devices)
	tokens := make([]string, 0, len(enrolled))
	for _, e := range enrolled {
		tokens = append(tokens, e.Token)
	}
	return tokens, err
}
