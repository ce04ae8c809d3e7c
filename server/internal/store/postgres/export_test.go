package postgres

import (
	"context"
	"database/sql"
	"net"
	"time"

	"gridsync/server/internal/store/sqlstore"
)

// Dialect is the engine's own, for tests that put something before it.
var Dialect sqlstore.Dialect = newDialect(patience)

// Impatient is one that ends a transaction sooner in which nothing happens.
func Impatient(patience time.Duration) sqlstore.Dialect { return newDialect(patience) }

// MigratingLock is what one of those holds who start together.
const MigratingLock = migratingLock

// Reading is the handle that reads.
func (s *Store) Reading() *sql.DB { return s.read }

// Judge says what is against a PostgreSQL of some version and encoding.
var Judge = judge

// ListenThrough has a store listen, from now on, on connections that are wrapped.
func (s *Store) ListenThrough(wrap func(net.Conn) net.Conn) {
	dial := s.config.DialFunc
	s.config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return wrap(conn), nil
	}
}

// Notify is what a store does last in a transaction of which others are to hear.
func (s *Store) Notify(own sqlstore.Own) error { return s.notify(own) }
