package main

import (
	"context"
	"encoding/json"
	"fmt"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/host"
)

type verifyCommand struct {
	dataFlag
	JSON bool `name:"json" help:"print_json"`
}

// Run goes along the log from its first row, and works out from it everything that is
// stored. What doesn't hold is an error, and the first bad row is named.
func (c *verifyCommand) Run(ctx context.Context, t *terminal) error {
	return withData(ctx, c.dataFlag, func(d *host.Data) error {
		diff, err := d.RebuildAlone(ctx)
		if err != nil {
			return err
		}
		if err := c.tell(t, diff); err != nil {
			return fmt.Errorf("print: %w", err)
		}
		if !diff.None() {
			return errUnsound
		}
		return nil
	})
}

func (c *verifyCommand) tell(t *terminal, diff *exchange.Difference) error {
	if c.JSON {
		enc := json.NewEncoder(t.out)
		enc.SetIndent("", "  ")
		return enc.Encode(diff)
	}
	if diff.BadRow == "" {
		say(t.out, textChainHolds, diff.Changes)
	} else {
		say(t.out, textBadRow, diff.BadRow)
	}
	if diff.None() {
		say(t.out, textAllHolds, diff.Records)
		return nil
	}
	for _, found := range diff.Found {
		if _, err := fmt.Fprintf(t.out, "  %s\n", found); err != nil {
			return err
		}
	}
	if more := diff.Total - len(diff.Found); more > 0 {
		say(t.out, textMore, more)
	}
	return nil
}
