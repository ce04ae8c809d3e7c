package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"gridsync/server/internal/seal"
)

// DataKey is what may be told of a data key.
type DataKey struct {
	ID          seal.KeyID
	Fingerprint uint64
	// Seals says that it seals what is written now, Needed that something in the database
	// is, or may be, sealed with it.
	Seals, Needed bool
}

// Keys returns the data keys in order of their numbers, and the fingerprint of the digest
// key.
func (d *Data) Keys(ctx context.Context) (keys []DataKey, digest uint64, err error) {
	needed, err := d.store.SealedWith(ctx)
	if err != nil {
		return nil, 0, err
	}
	ring := d.secrets.ring
	for _, id := range ring.IDs() {
		print, _ := ring.Fingerprint(id)
		keys = append(keys, DataKey{ID: id, Fingerprint: print, Seals: id == ring.Newest(), Needed: slices.Contains(needed, id)})
	}
	return keys, d.secrets.digester.Fingerprint(), nil
}

// Rotation is what came of changing the data key.
type Rotation struct {
	// Key seals now, and Resealed texts were sealed anew with it.
	Key      seal.KeyID
	Resealed int
	// Old are the files of keys that the database needs no more.
	Old []string
}

// RotateKeys lets a new data key seal, seals everything anew with it, and, with drop,
// removes the files of the older ones. One that was broken off is gone on with, under the
// key that it had made. No server may run over the data meanwhile: ErrServing.
func RotateKeys(ctx context.Context, dir string, opts Options, drop bool) (r Rotation, err error) {
	if err := openAlone(ctx, dir, opts, addDataKey(opts)); err != nil {
		return r, err
	}
	// Opened again, with the new key among the others.
	return r, openAlone(ctx, dir, opts, func(ctx context.Context, d *Data) error {
		r.Key = d.secrets.ring.Newest()
		if r.Resealed, err = d.store.Reseal(ctx); err != nil {
			return err
		}
		// Whoever has an old key finds nothing in pages that are free now either.
		if err := d.engine.Vacuum(ctx); err != nil {
			return err
		}
		r.Old, err = oldKeys(opts.keysFolder(d.place.dir), d.secrets.ring, drop)
		return err
	})
}

// openAlone opens an installation for work that suffers no server beside it.
func openAlone(ctx context.Context, dir string, opts Options, work func(context.Context, *Data) error) error {
	opts.Existing = true
	d, err := Open(ctx, dir, opts)
	if err != nil {
		return err
	}
	return errors.Join(d.alone(ctx, func(ctx context.Context) error { return work(ctx, d) }), d.Close())
}

// addDataKey makes the next data key, unless somebody has begun. The keys of the
// environment are not ours to add to.
func addDataKey(opts Options) func(context.Context, *Data) error {
	return func(ctx context.Context, d *Data) error {
		needed, err := d.store.SealedWith(ctx)
		if err != nil || len(needed) != 1 {
			return err
		}
		if os.Getenv(dataKeysEnv) != "" {
			return ErrKeysFromEnvironment
		}
		return makeSecret(dataKeyName(opts.keysFolder(d.place.dir), d.secrets.ring.Newest()+1))
	}
}

// oldKeys names the files of all keys but the newest, and removes them if it is to.
func oldKeys(folder string, ring *seal.Ring, drop bool) (names []string, err error) {
	for _, id := range ring.IDs() {
		name := dataKeyName(folder, id)
		if _, err := os.Stat(name); id == ring.Newest() || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		names = append(names, name)
		if !drop {
			continue
		}
		if err := os.Remove(name); err != nil {
			return names, fmt.Errorf("remove a data key: %w", err)
		}
	}
	return names, nil
}
