// Package sqlstore keeps everything that the services need kept, in SQL that more
// than one engine understands.
//
// It decides nothing: what a change does to a record, a counter or a desk is
// worked out by the services and handed over. It refuses to know a particular
// engine: opening, locking and the few differences of dialect come from the
// package of the engine.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"gridsync/server/internal/area"
	"gridsync/server/internal/desk"
	"gridsync/server/internal/enrol"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/proof"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/roster"
	"gridsync/server/internal/seal"
)

// Store answers the services out of a database. Its methods may be called from
// any number of goroutines.
type Store struct {
	dialect Dialect
	read    *reader
	write   *writer
	keys    keyring
	// care is the engine's own; the writer's lock guards it.
	care Care
}

// The contracts that a Store fulfils, each said where it is needed.
var (
	_ exchange.Store = (*Store)(nil)
	_ area.Store     = (*Store)(nil)
	_ identity.Store = (*Store)(nil)
	_ registry.Store = (*Store)(nil)
	_ desk.Store     = (*Store)(nil)
	_ rollup.Store   = (*Store)(nil)
	_ proof.Store    = (*Store)(nil)
	_ roster.Store   = (*Store)(nil)
	_ enrol.Store    = (*Store)(nil)
)

// New makes a store over two handles of one migrated database: write, of which it takes
// one connection, and another one when that is lost, and read, whose transactions see
// one moment. What people wrote is sealed with keys. Whoever opened the handles closes them after Close.
func New(ctx context.Context, write, read *sql.DB, dialect Dialect, keys *seal.Ring) (*Store, error) {
	s := &Store{dialect: dialect, read: newReader(read, dialect, keys), keys: newKeyring()}
	s.write = &writer{
		mu: newSlot(), db: write, keys: keys, dialect: dialect, stmts: make(map[string]*sql.Stmt), timeline: unknown,
		undone: s.keys.forget, lost: s.read.dropIdle,
	}
	if err := s.write.connect(ctx); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return s, nil
}

// Close gives back what New and the store's work took. It waits for a running
// group.
func (s *Store) Close() error { return errors.Join(s.write.close(), s.read.close()) }

// Ping reports whether the database answers a question.
func (s *Store) Ping(ctx context.Context) error {
	_, err := s.Revision(ctx)
	return err
}

// BetweenGroups lends the write connection to the engine's own care of its files
// while no group is running.
func (s *Store) BetweenGroups(fn func(*sql.Conn) error) error {
	s.write.mu.wait()
	defer s.write.mu.give()
	if err := s.write.connect(context.Background()); err != nil {
		return err
	}
	return fn(s.write.conn)
}

// Statements returns the texts of the statements prepared so far, in order, for a
// look at their plans.
func (s *Store) Statements() []string {
	s.write.mu.wait()
	defer s.write.mu.give()
	s.read.mu.RLock()
	defer s.read.mu.RUnlock()
	texts := slices.AppendSeq(slices.Collect(maps.Keys(s.write.stmts)), maps.Keys(s.read.stmts))
	slices.Sort(texts)
	return slices.Compact(texts)
}
