package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// WALSize returns the size in bytes of what was committed and not yet copied into
// the database file, or of the file that held it. A reader that stays in one moment
// makes it grow.
func (s *Store) WALSize() (int64, error) { return s.fileSize(FileName + "-wal") }

// Size returns the bytes on disk of the database and its log together.
func (s *Store) Size() (int64, error) {
	wal, err := s.WALSize()
	if err != nil {
		return 0, err
	}
	main, err := s.fileSize(FileName)
	return main + wal, err
}

func (s *Store) fileSize(name string) (int64, error) {
	info, err := os.Stat(filepath.Join(s.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("sqlite: %w", err)
	}
	return info.Size(), nil
}

// Vacuum writes the database file anew, without what was once in its pages, and empties
// the log. Nobody else may have the database open.
func (s *Store) Vacuum(ctx context.Context) error {
	err := s.BetweenGroups(func(conn *sql.Conn) error {
		_, err := conn.ExecContext(ctx, "VACUUM")
		return err
	})
	if err != nil {
		return fmt.Errorf("sqlite: vacuum: %w", err)
	}
	return s.Checkpoint(ctx)
}

// Checkpoint copies the log into the database file and empties it. It says no if
// readers or a writer kept it from finishing.
func (s *Store) Checkpoint(ctx context.Context) error {
	var busy bool
	var frames, copied int
	err := s.BetweenGroups(func(conn *sql.Conn) error {
		return conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &copied)
	})
	if err == nil && busy {
		err = fmt.Errorf("still in use: %d of %d pages copied", copied, frames)
	}
	if err != nil {
		return fmt.Errorf("sqlite: checkpoint: %w", err)
	}
	return nil
}
