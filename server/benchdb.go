package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"gridsync/server/internal/host"
	"gridsync/server/internal/store/postgres"
)

// benchDBEnv tells the bench's children where PostgreSQL is: no password stands on a command
// line. It is another variable than the server's, as what is measured is no one's data.
const benchDBEnv = "GRIDSYNC_BENCH_DB"

// benchDatabases are those of a bench on PostgreSQL: one for each folder, made beside the one
// that address names, which stays as it is.
type benchDatabases struct{ address string }

// name is the database of a folder, which has a random name itself.
func (b benchDatabases) name(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return "gridsync_bench_" + hex.EncodeToString(sum[:8])
}

// of is the address of a folder's database; none where the folder holds it.
func (b benchDatabases) of(dir string) (string, error) {
	if b.address == "" {
		return "", nil
	}
	return postgres.Beside(b.address, b.name(dir))
}

// Address implements bench.Floors.
func (b benchDatabases) Address(dir string) (string, error) { return b.of(dir) }

// Make implements bench.Floors.
func (b benchDatabases) Make(ctx context.Context, dir string) error { return b.make(ctx, dir) }

// make makes a folder's database.
func (b benchDatabases) make(ctx context.Context, dir string) error {
	if b.address == "" {
		return nil
	}
	return host.Addressed(postgres.Create(ctx, b.address, b.name(dir), ""))
}

// Copy implements bench.Databases.
func (b benchDatabases) Copy(ctx context.Context, from, to string) error {
	return host.Addressed(postgres.Create(ctx, b.address, b.name(to), b.name(from)))
}

// Size implements bench.Databases.
func (b benchDatabases) Size(ctx context.Context, dir string) (int64, error) {
	size, err := postgres.SizeOf(ctx, b.address, b.name(dir))
	return size, host.Addressed(err)
}

// Remove implements bench.Databases.
func (b benchDatabases) Remove(ctx context.Context, dir string) error {
	return host.Addressed(postgres.Drop(ctx, b.address, b.name(dir)))
}
