package main

import (
	"context"

	"gridsync/server/internal/host"
)

type epochNewCommand struct{ dataFlag }

// Run gives the database a new epoch.
func (c *epochNewCommand) Run(ctx context.Context, t *terminal) error {
	return withData(ctx, c.dataFlag, func(d *host.Data) error {
		epoch, err := d.NewEpoch(ctx)
		if err != nil {
			return err
		}
		say(t.err, textNewEpoch, epoch)
		return nil
	})
}
