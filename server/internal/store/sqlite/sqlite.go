// Package sqlite keeps a server's data in one SQLite file: WAL, synchronous=FULL,
// one connection that writes and a few that read.
//
// It holds only what is SQLite's own: opening, locking, migrating, the log file's
// size and the bits of dialect. It refuses to say what is kept; sqlstore does.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/google/uuid"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"gridsync/server/internal/seal"
	"gridsync/server/internal/store/sqlstore"
	"gridsync/syncproto"
)

// FileName is the database's name in its folder; SQLite puts FileName-wal and
// FileName-shm beside it.
const FileName = "gridsync.db"

// Options say how to open a database.
type Options struct {
	// NewEpoch is the identity of the history that a new database starts; a random
	// one if it is zero. A database that is there keeps its own.
	NewEpoch syncproto.Epoch
	// Keys seal what people wrote; they must be given. Open fails with
	// *seal.MissingKeyError when something is sealed with a key that isn't among them.
	Keys *seal.Ring
	// Readers is how many connections read at the same time; 4 if it is zero.
	Readers int
}

// Store is an open database.
type Store struct {
	*sqlstore.Store
	dir   string
	write *sql.DB
	read  *sql.DB
}

// Open opens the database in a folder, making both if they aren't there, and
// brings its schema up to date. Several processes may have it open: a server,
// which also takes LockServe, and commands beside it.
func Open(ctx context.Context, dir string, opts Options) (*Store, error) {
	if opts.Keys == nil {
		return nil, errors.New("sqlite: no keys to seal with")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("sqlite: folder: %w", err)
	}
	s := &Store{dir: dir}
	if err := s.open(ctx, opts); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: %s: %w", filepath.Join(dir, FileName), err), s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, opts Options) (err error) {
	path := filepath.Join(s.dir, FileName)
	if s.write, err = sql.Open("sqlite", dsn(path, writing)); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if err := migrate(ctx, s.dir, s.write, opts.Keys); err != nil {
		return err
	}
	if s.read, err = sql.Open("sqlite", dsn(path, reading)); err != nil {
		return err
	}
	readers := opts.Readers
	if readers == 0 {
		readers = 4
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	if s.Store, err = sqlstore.New(ctx, s.write, s.read, dialect{}, opts.Keys); err != nil {
		return err
	}
	epoch := opts.NewEpoch
	if epoch.IsZero() {
		epoch = syncproto.Epoch(uuid.New())
	}
	if err := s.Begin(ctx, epoch); err != nil {
		return err
	}
	return s.KnowKeys(ctx)
}

// Sealed reports whether the database of a folder holds anything that was sealed, so that
// it can't be read without the keys that it was sealed with. It alters nothing.
func Sealed(ctx context.Context, dir string) (sealed bool, err error) {
	path := filepath.Join(dir, FileName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	db, err := sql.Open("sqlite", dsn(path, reading))
	if err != nil {
		return false, fmt.Errorf("sqlite: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var tables, keys int
	err = db.QueryRowContext(ctx, "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'seal_key'").Scan(&tables)
	if err == nil && tables > 0 {
		err = db.QueryRowContext(ctx, "SELECT COUNT(*) FROM seal_key").Scan(&keys)
	}
	if err != nil {
		return false, fmt.Errorf("sqlite: %s: %w", path, err)
	}
	return keys > 0, nil
}

// Close waits for a running group and closes the database. The last process that
// closes it leaves everything in the one file.
func (s *Store) Close() error {
	var errs []error
	if s.Store != nil {
		errs = append(errs, s.Store.Close())
	}
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// The pragmas of the connections. The caches are small: measured with 100,000 people,
// four times as much made nothing faster. A commit is durable when it returns: the log file
// is synced each time. The log is copied back into the database when it has grown
// past 16 MB and no longer at every group, so that pages that many groups touch are
// copied once. What is deleted is overwritten, so that what was purged is in no page.
var (
	writing = []string{
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "secure_delete(1)",
		"wal_autocheckpoint(4096)", "journal_size_limit(67108864)", "cache_size(-12288)", "temp_store(MEMORY)",
	}
	reading = []string{"busy_timeout(10000)", "query_only(1)", "cache_size(-3072)", "temp_store(MEMORY)"}
)

// dsn writes a data source name; the path may hold any character.
func dsn(path string, pragmas []string) string {
	query := url.Values{"_pragma": pragmas}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query.Encode()}).String()
}
