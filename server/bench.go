package main

import (
	"context"
	"errors"

	"gridsync/server/internal/area"
	"gridsync/server/internal/bench"
	"gridsync/server/internal/host"
	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

type benchCommand struct {
	JSON    bool   `name:"json" help:"${bench_json}"`
	Dir     string `placeholder:"DIR" help:"${bench_dir}"`
	Changes int    `default:"100000" help:"${bench_changes}"`
	People  int    `default:"100000" help:"${bench_people}"`
	Idle    int    `default:"20000" help:"${bench_idle}"`
	Rounds  int    `default:"3" help:"${bench_rounds}"`
	Clients []int  `default:"1,8,64" help:"${bench_clients}"`
}

// Run measures, each side as a process of its own.
func (c *benchCommand) Run(ctx context.Context, t *terminal) error {
	_, err := bench.Run(ctx, bench.Options{
		Prepare: prepareBench, Dir: c.Dir, Out: t.out, JSON: c.JSON, Progress: t.err,
		Changes: c.Changes, People: c.People, Idle: c.Idle, Rounds: c.Rounds, Clients: c.Clients,
	})
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
		s, err := host.Start(ctx, host.Config{Dir: dir, Listen: listen})
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
	var tokens []string
	err := withData(ctx, dataFlag{Data: dir}, func(d *host.Data) error {
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
