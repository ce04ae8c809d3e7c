// Package postgres keeps the data of any number of servers in one PostgreSQL database:
// one connection of each server writes, under a lock that all of them take, and a few read.
//
// It holds only what is PostgreSQL's own: connecting, locking, migrating and the bits of
// dialect. It refuses to say what is kept; sqlstore does.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"gridsync/server/internal/seal"
	"gridsync/server/internal/store/sqlstore"
	"gridsync/syncproto"
)

// Options say how to open a database.
type Options struct {
	// NewEpoch is the identity of the history that a new database starts; a random
	// one if it is zero. A database that is there keeps its own.
	NewEpoch syncproto.Epoch
	// Keys seal what people wrote; they must be given. Open fails with
	// *seal.MissingKeyError when something is sealed with a key that isn't among them.
	Keys *seal.Ring
	// Readers is how many connections read at the same time; 8 if it is zero.
	Readers int
}

// Store is an open database.
type Store struct {
	*sqlstore.Store
	write *sql.DB
	read  *sql.DB
	// apart is for leases, which wait for nobody who writes.
	apart *sql.DB
	// step is the last one of the schema that the program knows.
	step int64
	// config is for the connection that listens, voice what this store is known by there.
	config *pgx.ConnConfig
	voice  string
	// unprepared says that nothing is prepared, as a pool was found.
	unprepared bool
}

// Open connects to a database that is there (postgres://user@host/name?…, several hosts with
// commas between: the one that takes writes is found), and brings its schema up to date. Any
// number of processes may have it open. No error names a password.
func Open(ctx context.Context, url string, opts Options) (*Store, error) {
	if opts.Keys == nil {
		return nil, errors.New("postgres: no keys to seal with")
	}
	config, err := configOf(url)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	s := &Store{config: config, voice: uuid.NewString()}
	if err := s.open(ctx, config, opts); err != nil {
		return nil, errors.Join(fmt.Errorf("postgres: database %s: %w", config.Database, err), s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, config *pgx.ConnConfig, opts Options) (err error) {
	if s.step, err = migrate(ctx, config); err != nil {
		return err
	}
	if s.unprepared, err = mindPool(ctx, config); err != nil {
		return err
	}
	s.write, s.apart = connector(config), connector(unprepared(config))
	s.write.SetMaxOpenConns(1)
	s.apart.SetMaxOpenConns(1)
	if s.read, err = readers(ctx, config); err != nil {
		return err
	}
	n := opts.Readers
	if n == 0 {
		n = 8
	}
	s.read.SetMaxOpenConns(n)
	s.read.SetMaxIdleConns(n)
	if s.Store, err = sqlstore.New(ctx, s.write, s.read, newDialect(patience), opts.Keys); err != nil {
		return err
	}
	s.TakeCare(sqlstore.Care{Begun: s.known, Stirred: s.notify})
	epoch := opts.NewEpoch
	if epoch.IsZero() {
		epoch = syncproto.Epoch(uuid.New())
	}
	if err := s.Begin(ctx, epoch); err != nil {
		return err
	}
	return s.KnowKeys(ctx)
}

// readers opens connections on which a statement that writes fails. A pgbouncer that
// wasn't told to pass that on refuses to connect: then nothing but our own reader, which
// has no statement that writes, keeps them from it.
func readers(ctx context.Context, config *pgx.ConnConfig) (*sql.DB, error) {
	guarded := config.Copy()
	guarded.RuntimeParams["default_transaction_read_only"] = "on"
	db := connector(guarded)
	err := db.PingContext(ctx)
	if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) && refused.Code == protocolViolation {
		return connector(config), db.Close()
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// protocolViolation is what pgbouncer says of a parameter that it doesn't know.
const protocolViolation = "08P01"

// Sealed reports whether a database holds anything that was sealed, so that it can't be read
// without the keys that it was sealed with. It alters nothing.
func Sealed(ctx context.Context, url string) (sealed bool, err error) {
	config, err := configOf(url)
	if err != nil {
		return false, fmt.Errorf("postgres: %w", err)
	}
	db := connector(unprepared(config))
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.QueryRowContext(ctx, "SELECT to_regclass('seal_key') IS NOT NULL").Scan(&sealed)
	if err == nil && sealed {
		err = db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM seal_key)").Scan(&sealed)
	}
	if err != nil {
		return false, fmt.Errorf("postgres: database %s: %w", config.Database, err)
	}
	return sealed, nil
}

// Size returns the bytes on disk of the database, without its log.
func (s *Store) Size(ctx context.Context) (size int64, err error) {
	if err := s.read.QueryRowContext(ctx, "SELECT pg_database_size(current_database())").Scan(&size); err != nil {
		return 0, fmt.Errorf("postgres: size: %w", err)
	}
	return size, nil
}

// Close waits for a running group and ends the connections.
func (s *Store) Close() error {
	var errs []error
	if s.Store != nil {
		errs = append(errs, s.Store.Close())
	}
	for _, db := range []*sql.DB{s.read, s.write, s.apart} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}
