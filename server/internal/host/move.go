package host

import (
	"context"
	"errors"
	"fmt"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/store/sqlstore"
)

// MovedError says that a database takes no writes, as it is being or was copied into another.
type MovedError = sqlstore.MovedError

// Errors of Move.
var (
	ErrNotEmpty = sqlstore.ErrNotEmpty
	ErrCopied   = sqlstore.ErrCopied
	// ErrNothingThere says that there is nothing to copy where it was said to be.
	ErrNothingThere = errors.New("there is no data to copy")
	// ErrCopyUnsound says that what a copy holds doesn't follow from its log.
	ErrCopyUnsound = errors.New("the copy isn't sound")
)

// Move copies an installation's data from one database into another, empty one (addresses
// as for Options.DB), and its history goes on there under the same epoch, so that phones
// notice nothing: see sqlstore.Store.Move. It needs both for itself, and the keys of the
// one that is copied: opts.Keys or those of its folder; the copy needs the same.
//
// Both are then proved from their logs. told hears of each table that is there.
func Move(ctx context.Context, dir, from, to string, opts Options, told func(table string, rows int64)) (moved *exchange.Difference, err error) {
	at, err := placeOf(dir, from)
	if err != nil {
		return nil, err
	}
	if there, err := at.there(); err != nil || !there {
		return nil, errors.Join(err, fmt.Errorf("%w: %s", ErrNothingThere, at.name))
	}
	opts.Keys = opts.keysFolder(at.dir)
	opts.DB = from
	source, err := Open(ctx, dir, opts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	if empty, err := source.empty(ctx); err != nil || empty {
		return nil, errors.Join(err, fmt.Errorf("%w: %s", ErrNothingThere, source.Place()))
	}
	opts.DB = to
	target, err := Open(ctx, dir, opts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	names := sqlstore.Names{From: source.Place(), To: target.Place()}
	err = source.alone(ctx, func(ctx context.Context) error {
		return target.alone(ctx, func(ctx context.Context) error {
			if err := source.store.Move(ctx, target.store, names, told); err != nil {
				return err
			}
			moved, err = proved(ctx, source, target)
			return err
		})
	})
	return moved, err
}

// there reports whether a folder has a database. One of PostgreSQL's is there, or opening it
// fails.
func (p place) there() (bool, error) {
	if p.url != "" {
		return true, nil
	}
	return folderThere(p.dir)
}

// empty reports whether an installation knows no area and nobody has said anything.
func (d *Data) empty(ctx context.Context) (bool, error) {
	boot, err := d.store.Boot(ctx)
	if err != nil {
		return false, err
	}
	return boot.Last == 0 && d.registry.Current().Areas.Len() == 0, nil
}

// proved works both databases out from their logs. They must come to the same.
func proved(ctx context.Context, source, target *Data) (*exchange.Difference, error) {
	was, err := source.Rebuild(ctx)
	if err != nil {
		return nil, err
	}
	is, err := target.Rebuild(ctx)
	if err != nil {
		return nil, err
	}
	if is.Changes != was.Changes || is.Records != was.Records || is.Total != was.Total || is.BadRow != was.BadRow {
		return is, fmt.Errorf("%w: it has %d differences in %d changes of %d records, and what it was made of %d in %d of %d",
			ErrCopyUnsound, is.Total, is.Changes, is.Records, was.Total, was.Changes, was.Records)
	}
	return is, nil
}
