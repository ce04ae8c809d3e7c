package main

import (
	"context"

	"gridsync/server/internal/host"
)

type keysListCommand struct{ dataFlag }

// Run tells the keys by their numbers and fingerprints.
func (c *keysListCommand) Run(ctx context.Context, t *terminal) error {
	return withData(ctx, c.dataFlag, func(d *host.Data) error {
		keys, digest, err := d.Keys(ctx)
		if err != nil {
			return err
		}
		for _, key := range keys {
			text := textDataKey
			switch {
			case key.Seals:
				text = textSealingKey
			case !key.Needed:
				text = textUnusedKey
			}
			say(t.out, text, key.ID, key.Fingerprint)
		}
		say(t.out, textDigestKey, digest)
		return nil
	})
}

type keysRotateCommand struct {
	dataFlag
	Drop bool `help:"keys_drop"`
}

// Run changes the data key, and says what has become of the older ones.
func (c *keysRotateCommand) Run(ctx context.Context, t *terminal) error {
	r, err := host.RotateKeys(ctx, c.Data, c.options(), c.Drop)
	if err != nil {
		return err
	}
	say(t.err, textRotated, r.Key, r.Resealed)
	text := textKeepsOldKey
	if c.Drop {
		text = textDroppedKey
	}
	for _, name := range r.Old {
		say(t.err, text, name)
	}
	return nil
}
