package main

import (
	"context"
	"fmt"

	"gridsync/server/internal/host"
)

type copyCommand struct {
	Data string `default:"gridsync-data" env:"GRIDSYNC_DATA" placeholder:"DIR" help:"copy_data"`
	Keys string `env:"GRIDSYNC_KEYS" placeholder:"DIR" help:"keys_folder"`
	From string `required:"" env:"GRIDSYNC_COPY_FROM" placeholder:"sqlite:DIR|postgres://…" help:"copy_from"`
	To   string `required:"" env:"GRIDSYNC_COPY_TO" placeholder:"sqlite:DIR|postgres://…" help:"copy_to"`

	Faulty bool `help:"copy_faulty"`
}

// Run copies a database into another one, where its history goes on.
func (c *copyCommand) Run(ctx context.Context, t *terminal) error {
	told := func(table string, rows int64) {
		if rows > 0 {
			_, _ = fmt.Fprintf(t.err, "  %-16s %12d\n", table, rows) // progress: whoever doesn't see it loses nothing
		}
	}
	moved, err := host.Move(ctx, c.Data, host.Options{Keys: c.Keys}, host.Moving{
		From: c.From, To: c.To, Faulty: c.Faulty, Told: told,
		Proving: func(place string) { say(t.err, textProving, place) },
	})
	if err != nil {
		return err
	}
	if moved.None() {
		say(t.out, textCopied, moved.Changes, moved.Records)
	} else {
		say(t.out, textCopiedFaulty, moved.Changes, moved.Records, moved.Total)
	}
	return nil
}
