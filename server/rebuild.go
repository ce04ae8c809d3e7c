package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"gridsync/server/internal/host"
)

// errDiffers is a store that isn't what its log says.
var errDiffers = errors.New("the change log and what is stored differ")

// errUnsound is a store in which something doesn't hold.
var errUnsound = errors.New("something does not hold")

// errNoRecord is a command line without a record's id.
var errNoRecord = errors.New("not a record's id")

// errOnlyCheck is a rebuild that would have to alter something.
var errOnlyCheck = errors.New("-check is missing")

type rebuildCommand struct {
	dataFlag
	Check bool `help:"check"`
}

// Run compares, and prints what it found as JSON. A difference is an error.
func (c *rebuildCommand) Run(ctx context.Context, t *terminal) error {
	if !c.Check {
		return usageError{errOnlyCheck}
	}
	return withData(ctx, c.dataFlag, func(d *host.Data) error {
		diff, err := d.RebuildAlone(ctx)
		if err != nil {
			return err
		}
		enc := json.NewEncoder(t.out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(diff); err != nil {
			return fmt.Errorf("print: %w", err)
		}
		if !diff.None() {
			return errDiffers
		}
		say(t.err, textRebuildSame)
		return nil
	})
}
