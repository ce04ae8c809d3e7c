package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
)

// Care is what an engine does of its own in the write transactions of a store.
type Care struct {
	// Begun comes first in each of them, under the lock, and may forbid it.
	Begun func(Own) error
	// Stirred comes last in those that other processes may want to hear of at once.
	Stirred func(Own) error
}

// TakeCare has an engine's own work done from now on.
func (s *Store) TakeCare(c Care) {
	s.write.mu.wait()
	defer s.write.mu.give()
	s.care = c
}

// Own is a write transaction as an engine has it, for tables of its own.
type Own struct{ t *tx }

// Transact runs fn in a write transaction, without what Care has done in others. fn may be
// run again, where nothing was kept of the first time.
func (s *Store) Transact(ctx context.Context, fn func(Own) error) error {
	err := s.write.transact(ctx, func(ctx context.Context) error { return fn(Own{s.begun(ctx)}) })
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

// Ask calls scan for each row that a query finds, outside of any transaction.
func (s *Store) Ask(ctx context.Context, scan func(*sql.Rows) error, text string, args ...any) error {
	rows, err := s.read.query(ctx, text, args...)
	if err := each(rows, err, scan); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

// Here fails with *MovedError where a database's history doesn't go on.
func (o Own) Here() error { return o.t.here() }

// Exec runs a statement.
func (o Own) Exec(text string, args ...any) error { return o.t.w.exec(o.t.ctx, text, args...) }

// Changed runs a statement that returns the rows that it changed, and counts them.
func (o Own) Changed(text string, args ...any) (int, error) { return o.t.changes(text, args...) }

// Each calls scan for each row that a query finds.
func (o Own) Each(scan func(*sql.Rows) error, text string, args ...any) error {
	rows, err := o.t.w.query(o.t.ctx, text, args...)
	return each(rows, err, scan)
}
