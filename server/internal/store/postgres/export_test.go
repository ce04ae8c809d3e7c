package postgres

import (
	"database/sql"

	"gridsync/server/internal/store/sqlstore"
)

// Dialect is the engine's own, for tests that put something before it.
var Dialect sqlstore.Dialect = dialect{}

// MigratingLock is what one of those holds who start together.
const MigratingLock = migratingLock

// Reading is the handle that reads.
func (s *Store) Reading() *sql.DB { return s.read }
