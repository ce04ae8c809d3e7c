package postgres

import (
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"gridsync/server/internal/store/sqlstore"
)

// Away reports whether something failed because the database can't be reached or takes no
// writes at the moment, as while another machine takes over: whoever asked had better ask
// again. Nothing may be concluded from it about what was committed.
func (*Store) Away(err error) bool {
	var said *pgconn.PgError
	switch {
	case errors.Is(err, errFollows):
		return true
	case errors.As(err, &said):
		return awayState(said.Code)
	}
	var link net.Error
	var unconnected *pgconn.ConnectError // to none of the hosts that takes writes, say
	return errors.Is(err, sqlstore.ErrUnknownOutcome) || errors.Is(err, sqlstore.ErrContended) || errors.As(err, &link) || errors.As(err, &unconnected) ||
		pgconn.SafeToRetry(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// awayState says it of PostgreSQL's codes.
func awayState(code string) bool {
	switch code {
	case "25006", // read_only_sql_transaction: it led when the connection was made
		"57P01", "57P02", "57P03", // admin_shutdown, crash_shutdown, cannot_connect_now
		"25P03",          // idle_in_transaction_session_timeout: we were away ourselves
		"40001", "40P01", // somebody else was in the way, again and again
		"57014", "55P03": // query_canceled, lock_not_available: a limit of the database's, or somebody, broke it off
		return true
	}
	// Of a connection, and of what there is not enough of.
	return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "53")
}
