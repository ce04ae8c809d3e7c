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
// key that it had made. No server may run over the folder meanwhile: ErrServing.
func RotateKeys(ctx context.Context, dir string, opts Options, drop bool) (r Rotation, err error) {
	d, err := Open(ctx, dir, opts)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	lock, err := d.store.LockServe()
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	needed, err := d.store.SealedWith(ctx)
	if err != nil {
		return r, err
	}
	folder := opts.keysFolder(dir)
	if len(needed) == 1 { // else somebody began
		again, err := addDataKey(ctx, d, dir, folder, opts)
		if err != nil {
			return r, err
		}
		old := d
		d = again
		if err := old.Close(); err != nil {
			return r, err
		}
	}
	r.Key = d.secrets.ring.Newest()
	if r.Resealed, err = d.store.Reseal(ctx); err != nil {
		return r, err
	}
	// Whoever has an old key finds nothing in pages that are free now either.
	if err := d.store.Vacuum(ctx); err != nil {
		return r, err
	}
	r.Old, err = oldKeys(folder, d.secrets.ring, drop)
	return r, err
}

// addDataKey makes the next data key, and opens the folder again with it. The keys of the
// environment are not ours to add to.
func addDataKey(ctx context.Context, d *Data, dir, folder string, opts Options) (*Data, error) {
	if os.Getenv(dataKeysEnv) != "" {
		return nil, ErrKeysFromEnvironment
	}
	if err := makeSecret(dataKeyName(folder, d.secrets.ring.Newest()+1)); err != nil {
		return nil, err
	}
	return Open(ctx, dir, opts)
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
