package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// isLent reports whether a connection goes through a pool. That answers a new connection
// under a number of its own, and what is asked there under that of the connection that it lent.
func isLent(ctx context.Context, conn *pgx.Conn) (bool, error) {
	var mine uint32
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(&mine); err != nil {
		return false, err
	}
	return mine != conn.PgConn().PID(), nil
}

// modeWord is how an address says what pgx may prepare.
const modeWord = "default_query_exec_mode"

// mindPool has nothing prepared where connections go through a pool: what one is lent, another
// is lent next, with what was left on it. Whoever says in the address how it is to be done
// knows more of the pool than we do, and is taken at their word.
func mindPool(ctx context.Context, config *pgx.ConnConfig) (pooled bool, err error) {
	switch said, err := pgconn.ParseConfig(config.ConnString()); {
	case err != nil:
		return false, ErrAddress
	case said.RuntimeParams[modeWord] != "":
		return false, nil
	}
	conn, err := pgx.ConnectConfig(ctx, config.Copy())
	if err != nil {
		return false, err
	}
	pooled, err = isLent(ctx, conn)
	if err = errors.Join(err, conn.Close(ctx)); err == nil && pooled {
		config.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	return pooled, err
}

// unprepared is how whoever asks little connects: it is as quick, and right behind a pool too.
func unprepared(config *pgx.ConnConfig) *pgx.ConnConfig {
	config = config.Copy()
	if config.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement {
		config.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	return config
}
