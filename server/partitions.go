package main

import (
	"context"
	"fmt"

	"gridsync/server/internal/host"
	"gridsync/syncproto"
)

// partitionsCommands are about the tables in which the log of a PostgreSQL database lies.
type partitionsCommands struct {
	List  partitionsListCommand  `cmd:"" default:"withargs" help:"partitions_list"`
	Add   partitionsAddCommand   `cmd:"" help:"partitions_add"`
	Shape partitionsShapeCommand `cmd:"" help:"partitions_shape"`
}

type partitionsListCommand struct{ dataFlag }

// Run prints a line for each partition: the county's code, its table, where that is and how
// many megabytes it takes.
func (c *partitionsListCommand) Run(ctx context.Context, t *terminal) error {
	return withData(ctx, c.dataFlag, func(d *host.Data) error {
		all, err := d.Partitions(ctx)
		if err != nil {
			return err
		}
		for _, p := range all {
			county, table, at := string(p.County)+"  "+p.Name, p.Table, p.Tablespace
			if p.County == "" {
				county = textOtherPlaces.ZH + " / " + textOtherPlaces.EN
			}
			if table == "" {
				table = textNoTable.ZH + " / " + textNoTable.EN
			}
			if p.Server != "" {
				at = p.Server
			}
			if _, err := fmt.Fprintf(t.out, "%s\t%s\t%s\t%d MB\n", county, table, at, p.Bytes>>20); err != nil {
				return err
			}
		}
		return nil
	})
}

type partitionsAddCommand struct {
	Code syncproto.AreaID `arg:"" help:"partitions_code"`
	dataFlag
	Tablespace string `placeholder:"NAME" xor:"spot" help:"partitions_tablespace"`
	Server     string `placeholder:"NAME" xor:"spot" help:"partitions_server"`
}

// Run gives a county a partition of its own; servers may be running.
func (c *partitionsAddCommand) Run(ctx context.Context, t *terminal) error {
	return withData(ctx, c.dataFlag, func(d *host.Data) error {
		if err := d.AddPartition(ctx, c.Code, host.Spot{Tablespace: c.Tablespace, Server: c.Server}); err != nil {
			return err
		}
		say(t.err, textPartitioned, c.Code)
		return nil
	})
}

type partitionsShapeCommand struct {
	Code syncproto.AreaID `arg:"" help:"partitions_code"`
	dataFlag
}

// Run prints what another server must have run before it can hold a county's partition.
func (c *partitionsShapeCommand) Run(ctx context.Context, t *terminal) error {
	return withData(ctx, c.dataFlag, func(d *host.Data) error {
		shape, err := d.FarShape(ctx, c.Code)
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(t.out, shape)
		return err
	})
}
