package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/store/sqlstore"
)

// MovedError says that a database takes no writes, as it is being or was copied into another.
type MovedError = sqlstore.MovedError

// Errors of Move.
var (
	ErrNotEmpty = sqlstore.ErrNotEmpty
	ErrCopied   = sqlstore.ErrCopied
	ErrUnlike   = sqlstore.ErrUnlike
	// ErrCopyDiffers says that the copy isn't what it was made of. The history goes on where
	// it was.
	ErrCopyDiffers = sqlstore.ErrCopyDiffers
	// ErrSamePlace says that the two databases are one.
	ErrSamePlace = errors.New("a database can't be copied into itself")
	// ErrFaulty says that what is to be copied doesn't follow from its own log.
	ErrFaulty = errors.New("what is to be copied doesn't follow from its own log")
)

// Moving says what Move is to copy where, as addresses for Options.DB.
type Moving struct {
	From, To string
	// Faulty takes along what doesn't follow from its own log, too.
	Faulty bool
	// Told hears of each table that is there, and of how many rows.
	Told func(table string, rows int64)
	// Proving hears of each database that is about to be worked out from its log, which takes
	// as long as the copying.
	Proving func(place string)
}

// Move copies an installation's data from one database into another, empty one, and its
// history goes on there under the same epoch, so that phones notice nothing: see
// sqlstore.Store.Move. It needs both for itself, and the keys of the one that is copied:
// opts.Keys or those of its folder; the copy needs the same.
//
// The one is proved from its log before anything is altered (ErrFaulty), the other before the
// history goes on there (ErrCopyDiffers): it must come to the same, and what that is is
// returned.
func Move(ctx context.Context, dir string, opts Options, m Moving) (moved *exchange.Difference, err error) {
	at, err := m.places(ctx, dir)
	if err != nil {
		return nil, err
	}
	opts.Keys = opts.keysFolder(at.dir)
	opts.DB = m.From
	source, err := Open(ctx, dir, opts)
	if err != nil {
		return nil, fmt.Errorf("copy from: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	if empty, err := source.empty(ctx); err != nil || empty {
		return nil, errors.Join(err, fmt.Errorf("%w: %s", ErrNothingThere, source.Place()))
	}
	opts.DB = m.To
	target, err := Open(ctx, dir, opts)
	if err != nil {
		return nil, fmt.Errorf("copy to: %w", err)
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	err = source.alone(ctx, func(ctx context.Context) error {
		return target.alone(ctx, func(ctx context.Context) error {
			moved, err = m.move(ctx, source, target)
			return err
		})
	})
	return moved, err
}

// places returns the one to copy from, if there is something and it isn't the other one.
func (m *Moving) places(ctx context.Context, dir string) (from place, err error) {
	if from, err = placeOf(dir, m.From); err != nil {
		return from, fmt.Errorf("copy from: %w", err)
	}
	to, err := placeOf(dir, m.To)
	if err != nil {
		return from, fmt.Errorf("copy to: %w", err)
	}
	if err := from.mustExist(ctx); err != nil {
		return from, fmt.Errorf("copy from: %w", err)
	}
	if same, err := from.same(to); err != nil || same {
		return from, errors.Join(err, fmt.Errorf("%w: %s", ErrSamePlace, from.name))
	}
	return from, nil
}

// move copies one open database into another.
func (m *Moving) move(ctx context.Context, source, target *Data) (*exchange.Difference, error) {
	var was, is *exchange.Difference
	err := source.store.Move(ctx, target.store, &sqlstore.Journey{
		From: source.Place(), To: target.Place(), Told: m.Told,
		Sound: func(ctx context.Context) (err error) {
			m.Proving(source.Place())
			if was, err = source.Rebuild(ctx); err != nil || m.Faulty || was.None() {
				return err
			}
			return fmt.Errorf("%w: %d differences in %d changes of %d records, such as: %s",
				ErrFaulty, was.Total, was.Changes, was.Records, was.Found[0])
		},
		Proved: func(ctx context.Context) (err error) {
			m.Proving(target.Place())
			if is, err = target.Rebuild(ctx); err != nil || alike(was, is) {
				return err
			}
			return fmt.Errorf("%w: it has %d differences in %d changes of %d records, and what it was made of %d in %d of %d",
				ErrCopyDiffers, is.Total, is.Changes, is.Records, was.Total, was.Changes, was.Records)
		},
	})
	return is, err
}

// same reports whether two places are one. The same database under another name of its
// machine isn't known here; whoever is alone there finds somebody at work.
func (p place) same(other place) (bool, error) {
	if p.url != "" || other.url != "" {
		return p.name == other.name && p.url != "" && other.url != "", nil
	}
	mine, err := os.Stat(p.dir)
	if err != nil {
		return false, err
	}
	theirs, err := os.Stat(other.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // it will be made
	}
	return err == nil && os.SameFile(mine, theirs), err
}

// empty reports whether an installation knows no area and nobody has said anything.
func (d *Data) empty(ctx context.Context) (bool, error) {
	boot, err := d.store.Boot(ctx)
	if err != nil {
		return false, err
	}
	return boot.Last == 0 && d.registry.Current().Areas.Len() == 0, nil
}

// alike reports whether two databases of one log were found to be the same, faults and all.
func alike(was, is *exchange.Difference) bool {
	if is.Changes != was.Changes || is.Records != was.Records || is.Total != was.Total || is.BadRow != was.BadRow {
		return false
	}
	if len(was.Found) < was.Total { // which of them are described is chance
		return true
	}
	return slices.Equal(slices.Sorted(slices.Values(was.Found)), slices.Sorted(slices.Values(is.Found)))
}
