package postgres_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgcluster"
	"gridsync/server/internal/store/postgres/pgtest"
	"gridsync/server/internal/store/sqlstore"
)

// Whoever is to try again is told so, and nobody else is.
func TestOnlyADatabaseThatIsAwayIsAway(t *testing.T) {
	for _, c := range []struct {
		err  error
		away bool
	}{
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, true},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, true},
		{io.ErrUnexpectedEOF, true},
		{sqlstore.ErrUnknownOutcome, true},
		{&pgconn.PgError{Code: "57P01"}, true},
		{&pgconn.PgError{Code: "57P03"}, true},
		{&pgconn.PgError{Code: "25006"}, true},
		{&pgconn.PgError{Code: "53300"}, true},
		{&pgconn.PgError{Code: "40001"}, true},
		{&pgconn.PgError{Code: "40P01"}, true},
		{sqlstore.ErrContended, true},
		{&pgconn.PgError{Code: "23505"}, false},
		{&pgconn.PgError{Code: "42601"}, false},
		{&pgconn.PgError{Code: "57014"}, true},
		{errors.New("a bug"), false},
	} {
		if got := (*postgres.Store)(nil).Away(fmt.Errorf("store: group: %w", c.err)); got != c.away {
			t.Errorf("%v is away: %t", c.err, got)
		}
	}
	// And so is one where nobody listens, and one whose only host follows another.
	url := pgtest.Empty(t)
	for _, url := range []string{"postgres://nobody@127.0.0.1:1/nothing?connect_timeout=2", url + "&target_session_attrs=standby"} {
		if _, err := pgconn.Connect(t.Context(), url); err == nil || !(*postgres.Store)(nil).Away(err) {
			t.Errorf("%v isn't away", err)
		}
	}
}

// A machine that led when a pool connected to it, and follows another one now, refuses a
// transaction that would write: another machine is looked for, and whoever asked had better
// ask again.
func TestWhoFollowsAnotherIsAwayForWhoeverWrites(t *testing.T) {
	t.Parallel()
	db := handle(t, "pgx", pgtest.New(t, pgtest.Options{Standby: true}).URL(pgcluster.Superuser))
	conn, err := db.Conn(t.Context())
	must(t, err)
	defer func() { must(t, conn.Close()) }()
	_, err = postgres.Dialect.Begin(t.Context(), conn)
	if err == nil || !(*postgres.Store)(nil).Away(fmt.Errorf("store: group: %w", err)) || !postgres.Dialect.Lost(err) {
		t.Errorf("%v isn't away", err)
	}
	// The same word about anything else is no such thing.
	other := &pgconn.PgError{Code: "0A000", SeverityUnlocalized: "ERROR"}
	if (*postgres.Store)(nil).Away(other) || postgres.Dialect.Lost(other) {
		t.Errorf("%v is away", other)
	}
}

// A pgbouncer that ends a connection says so with less words than PostgreSQL.
func TestAPoolsLastWordIsOne(t *testing.T) {
	t.Parallel()
	url := pgtest.Pgbouncer(t)(pgtest.Empty(t))
	_, err := pgconn.Connect(t.Context(), url+"&no_such_parameter=1")
	said := (*pgconn.PgError)(nil)
	if !errors.As(err, &said) || said.Severity != "FATAL" || !postgres.Dialect.Lost(said) {
		t.Errorf("%v is not a lost connection: %+v", err, said)
	}
}
