package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"gridsync/server/internal/seal"
	"gridsync/server/internal/store/sqlstore"
)

// Each file is one statement to goose, however many it is to SQLite: to look for their ends
// goose takes four megabytes, line by line where the race detector lets no memory be kept.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema up to date, one process at a time. It fails with
// *sqlstore.NewerError, and with sqlstore.ErrServed while a server works on older tables.
func migrate(ctx context.Context, dir string, db *sql.DB, keys *seal.Ring) (err error) {
	lock, err := lockFile(dir, "migrate.lock", true)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	steps, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, steps, goose.WithGoMigrations(
		goose.NewGoMigration(11, step(func(ctx context.Context, db *sql.DB) error {
			return sqlstore.SealRows(ctx, db, keys)
		}), nil),
		goose.NewGoMigration(13, step(vacuum), nil),
	))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	// A step in Go has its own transactions, beside the connection that goose holds.
	db.SetMaxOpenConns(2)
	defer db.SetMaxOpenConns(1)
	is, known, err := provider.GetVersions(ctx)
	if err := sqlstore.NotNewer(is, known, err); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if is < known {
		served, err := lockFile(dir, serving, false)
		if errors.Is(err, ErrLocked) {
			err = fmt.Errorf("%w: %w", sqlstore.ErrServed, err)
		}
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		defer func() { err = errors.Join(err, served.Release()) }()
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// step is a migration in Go. It is run again from its start if it was broken off.
func step(run func(context.Context, *sql.DB) error) *goose.GoFunc {
	return &goose.GoFunc{RunDB: run}
}

// vacuum writes the database file anew, without what was once in its pages, and empties
// the log, which holds those pages too. A new database has no such pages.
func vacuum(ctx context.Context, db *sql.DB) error {
	var old bool
	if err := db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM meta)").Scan(&old); err != nil || !old {
		return err
	}
	if _, err := db.ExecContext(ctx, "VACUUM"); err != nil {
		return err
	}
	_, err := db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}
