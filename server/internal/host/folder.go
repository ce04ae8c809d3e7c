package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"gridsync/server/internal/seal"
	"gridsync/server/internal/store/sqlite"
	"gridsync/server/internal/store/sqlstore"
)

// folder is a database of SQLite's: one server at a time, kept apart by a lock on a file.
type folder struct{ *sqlite.Store }

func openFolder(ctx context.Context, dir string, keys *seal.Ring) (engine, *sqlstore.Store, error) {
	store, err := sqlite.Open(ctx, dir, sqlite.Options{Keys: keys})
	if err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", dir, err)
	}
	return folder{store}, store.Store, nil
}

func folderThere(dir string) (bool, error) {
	_, err := os.Stat(filepath.Join(dir, sqlite.FileName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func folderSealed(ctx context.Context, dir string) (bool, error) { return sqlite.Sealed(ctx, dir) }

// Enter implements engine: whoever enters is alone.
func (f folder) Enter(context.Context, string, func() Fingerprints, bool) (berth, error) {
	lock, err := f.LockServe()
	if errors.Is(err, sqlite.ErrLocked) {
		err = fmt.Errorf("%w: %w", ErrServing, err)
	}
	if err != nil {
		return nil, err
	}
	return alone{lock}, nil
}

// Hear implements engine: nobody else serves, and who adds areas or devices beside a server
// is heard of by looking.
func (f folder) Hear(ctx context.Context, _ func(), _ func(error)) { <-ctx.Done() }

// Serving implements engine: the lock on a folder doesn't say whose it is.
func (f folder) Serving(context.Context) ([]Serving, error) { return nil, nil }

// Away implements engine: a file is never away.
func (f folder) Away(error) bool { return false }

// alone is the berth of whoever has a folder for themselves: the lock lasts as long as the
// process.
type alone struct{ lock *sqlite.Lock }

func (a alone) Keep(ctx context.Context, _ func(error)) error {
	<-ctx.Done()
	return nil
}

func (a alone) Servers() int { return 1 }

func (a alone) Mine(context.Context, string, time.Duration) (bool, error) { return true, nil }

func (a alone) Leave(context.Context) error { return a.lock.Release() }

// shared is a folder that has several servers on this machine, all of which know it. It
// isn't locked.
type shared struct{ engine }

// Enter implements engine.
func (shared) Enter(context.Context, string, func() Fingerprints, bool) (berth, error) {
	return beside{}, nil
}

// beside is the berth of one of several servers of a folder.
type beside struct{ alone }

func (beside) Leave(context.Context) error { return nil }
