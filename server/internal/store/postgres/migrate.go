package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"gridsync/server/internal/store/sqlstore"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema of a database up to date, as Open does.
func Migrate(ctx context.Context, url string) error {
	config, err := configOf(url)
	if err == nil {
		_, err = migrate(ctx, config)
	}
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

// migrate brings the schema up to date, one process at a time, and returns the last step that
// the program knows. The lock is one of a transaction, which a second connection holds: one of
// a session would stay with whatever connection a pgbouncer took for it. It fails with
// ErrUnfit, with *sqlstore.NewerError, and with sqlstore.ErrServed while servers work on older
// tables.
//
// A server that isn't heard of, and lives all the same, is in nobody's way: it looks for the
// last step at the beginning of all that it writes, under the lock on writing, which is held
// here while there is a step to take.
func migrate(ctx context.Context, config *pgx.ConnConfig) (known int64, err error) {
	db := connector(unprepared(config))
	defer func() {
		if err = errors.Join(err, db.Close()); err != nil {
			err = fmt.Errorf("migrate: %w", err)
		}
	}()
	lock, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, lock.Rollback()) }()
	if _, err := lock.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(migratingLock)); err != nil {
		return 0, err
	}
	steps, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return 0, err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, steps)
	if err != nil {
		return 0, err
	}
	if err := fit(ctx, lock); err != nil {
		return 0, err
	}
	is, known, err := provider.GetVersions(ctx)
	if err := sqlstore.NotNewer(is, known, err); err != nil {
		return 0, err
	}
	if is < known {
		if err := nobodyWrites(ctx, lock); err != nil {
			return 0, err
		}
	}
	_, err = provider.Up(ctx)
	return known, err
}

// nobodyWrites waits for whoever is amid something, and lets nobody else begin before the
// transaction ends. It fails with sqlstore.ErrServed: at once, where it can.
func nobodyWrites(ctx context.Context, tx *sql.Tx) error {
	if err := unserved(ctx, tx); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(writingLock)); err != nil {
		return err
	}
	return unserved(ctx, tx) // who has come meanwhile
}

// lastStep is the last step that the tables took.
const lastStep = "(SELECT MAX(version_id) FROM " + goose.DefaultTablename + ")"

// knows reads a lastStep, and fails with *sqlstore.NewerError where the program doesn't know it.
func (s *Store) knows(rows *sql.Rows) error {
	var step int64
	err := rows.Scan(&step)
	return sqlstore.NotNewer(step, s.step, err)
}

// known fails so where the tables have taken another step since they were opened.
func (s *Store) known(own sqlstore.Own) error { return own.Each(s.knows, "SELECT "+lastStep) }

// unserved fails with sqlstore.ErrServed while servers live that work on the database.
func unserved(ctx context.Context, tx *sql.Tx) error {
	var there bool
	if err := tx.QueryRowContext(ctx, "SELECT to_regclass('server_lease') IS NOT NULL").Scan(&there); err != nil || !there {
		return err
	}
	var names string
	err := tx.QueryRowContext(ctx, "SELECT COALESCE(string_agg(name, ', ' ORDER BY since), '') FROM server_lease WHERE until > "+now).Scan(&names)
	if err == nil && names != "" {
		err = fmt.Errorf("%w: %s", sqlstore.ErrServed, names)
	}
	return err
}

// ErrUnfit says that a database can't hold what is kept: its PostgreSQL is older than 15, or
// it has another encoding than UTF8 and so no room for every name.
var ErrUnfit = errors.New("PostgreSQL 15 or newer and a database WITH ENCODING 'UTF8' are needed")

// oldest is what current_setting('server_version_num') says of PostgreSQL 15.
const oldest = 150000

func fit(ctx context.Context, tx *sql.Tx) error {
	var encoding, name string
	var version int
	err := tx.QueryRowContext(ctx, `SELECT current_setting('server_encoding'), current_setting('server_version'),
		current_setting('server_version_num')::int`).Scan(&encoding, &name, &version)
	if err != nil {
		return err
	}
	return judge(version, name, encoding)
}

func judge(version int, name, encoding string) error {
	if version < oldest || encoding != "UTF8" {
		return fmt.Errorf("%w: it is PostgreSQL %s, in %s", ErrUnfit, name, encoding)
	}
	return nil
}
