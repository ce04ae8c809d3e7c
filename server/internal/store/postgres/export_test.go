package postgres

import (
	"database/sql"
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
