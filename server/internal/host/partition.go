package host

import (
	"context"
	"errors"
	"fmt"

	"gridsync/server/internal/store/postgres"
	"gridsync/syncproto"
)

// Partition is where a county's rows of the log lie.
type Partition = postgres.Partition

// Spot is where they are to lie.
type Spot = postgres.Spot

// Errors of partitions.
var (
	// ErrNoPartitions says that a database is one file, and not spread.
	ErrNoPartitions = errors.New("only a PostgreSQL database has partitions")
	// ErrHasPartition says that a county has one already.
	ErrHasPartition = postgres.ErrHasPartition
)

// spread is an engine whose log lies in several tables.
type spread interface {
	Partitions(ctx context.Context) ([]Partition, error)
	// AddPartition fails with postgres.ErrNoSuchArea or ErrHasPartition.
	AddPartition(ctx context.Context, code syncproto.AreaID, at Spot) error
	// FarShape fails with postgres.ErrNoSuchArea.
	FarShape(ctx context.Context, code syncproto.AreaID) (string, error)
}

// Partitions lists the tables in which the log lies. It fails with ErrNoPartitions.
func (d *Data) Partitions(ctx context.Context) ([]Partition, error) {
	s, ok := d.engine.(spread)
	if !ok {
		return nil, ErrNoPartitions
	}
	return s.Partitions(ctx)
}

// AddPartition gives a county a table of its own for what is written from now on; servers
// may be running. It fails with ErrNoPartitions, ErrUnknownArea or ErrHasPartition.
func (d *Data) AddPartition(ctx context.Context, code syncproto.AreaID, at Spot) error {
	s, ok := d.engine.(spread)
	if !ok {
		return ErrNoPartitions
	}
	return ofArea(s.AddPartition(ctx, code, at), code)
}

// FarShape returns the statements by which another server is made ready for a county's
// partition. It fails with ErrNoPartitions or ErrUnknownArea.
func (d *Data) FarShape(ctx context.Context, code syncproto.AreaID) (string, error) {
	s, ok := d.engine.(spread)
	if !ok {
		return "", ErrNoPartitions
	}
	shape, err := s.FarShape(ctx, code)
	return shape, ofArea(err, code)
}

func ofArea(err error, code syncproto.AreaID) error {
	if errors.Is(err, postgres.ErrNoSuchArea) {
		return fmt.Errorf("%w: %s", ErrUnknownArea, code)
	}
	return err
}
