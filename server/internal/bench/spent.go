package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// spent is where the time of one measurement went, as PostgreSQL counts it, and how much of
// the servers' processors it took.
type spent struct {
	// groups is how often the lock on writing was taken; 0 when pg_stat_statements isn't there.
	groups int64
	// lock is how long servers waited for it, all together; statements how long all other
	// statements took; sync how long the log was waited for on its way to the disk, where
	// that is timed.
	lock, statements, sync time.Duration
	walBytes               int64
	cpu                    time.Duration
	top                    []Statement
}

// lockText is in the statement that takes the lock on writing, and in no other.
const lockText = "%pg_advisory_xact_lock%"

// ErrNotDurable says that a database doesn't wait for its disk.
var ErrNotDurable = errors.New("fsync, full_page_writes or synchronous_commit is off, and what would be measured is no durable commit")

// durable fails with ErrNotDurable where a commit may be lost.
func durable(ctx context.Context, url string) error {
	return within(ctx, url, func(conn *pgx.Conn) error {
		var waits bool
		err := conn.QueryRow(ctx, `SELECT current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'
			AND current_setting('synchronous_commit') <> 'off'`).Scan(&waits)
		if err == nil && !waits {
			err = ErrNotDurable
		}
		return err
	})
}

// settle writes to disk what was written before, so that it isn't written while the next is
// measured.
func settle(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, "CHECKPOINT"); err != nil {
		return fmt.Errorf("a checkpoint before measuring: %w", err)
	}
	return nil
}

// lookable makes pg_stat_statements answer in a database, if whoever it belongs to lets us.
func lookable(ctx context.Context, url string) (err error) {
	return within(ctx, url, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements"); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, "SELECT 1 FROM pg_stat_statements LIMIT 1")
		return err
	})
}

// within lends a connection.
func within(ctx context.Context, url string, do func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return errors.Join(do(conn), conn.Close(context.WithoutCancel(ctx)))
}

// look adds what PostgreSQL has counted of the statements in a database since forget.
func (x *spent) look(ctx context.Context, conn *pgx.Conn) error {
	var lock, others float64
	err := conn.QueryRow(ctx, `SELECT
			coalesce(sum(calls) FILTER (WHERE query LIKE $1), 0), coalesce(sum(total_exec_time) FILTER (WHERE query LIKE $1), 0),
			coalesce(sum(total_exec_time) FILTER (WHERE query NOT LIKE $1), 0)
		FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`, lockText).
		Scan(&x.groups, &lock, &others)
	if err != nil {
		return fmt.Errorf("what statements took: %w", err)
	}
	x.lock, x.statements = ofMilliseconds(lock), ofMilliseconds(others)
	rows, err := conn.Query(ctx, `SELECT left(regexp_replace(query, '\s+', ' ', 'g'), 70) AS text, calls, total_exec_time AS ms
		FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND query NOT LIKE $1
		ORDER BY total_exec_time DESC LIMIT 6`, lockText)
	if err != nil {
		return fmt.Errorf("what statements took: %w", err)
	}
	x.top, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Statement])
	return err
}

// forget makes PostgreSQL count from here on.
func forget(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0)")
	return err
}

// syncedOf is how long syncing PostgreSQL's log took since that is counted: of the whole
// cluster, so that whatever else is done there is in it, too. 0 where it isn't timed
// (track_wal_io_timing) or is counted elsewhere (from PostgreSQL 18 on).
func syncedOf(ctx context.Context, conn *pgx.Conn) (time.Duration, error) {
	var ms float64
	err := conn.QueryRow(ctx, "SELECT coalesce((to_jsonb(w) ->> 'wal_sync_time')::float8, 0) FROM pg_stat_wal w").Scan(&ms)
	if err != nil {
		return 0, fmt.Errorf("what syncing the log took: %w", err)
	}
	return ofMilliseconds(ms), nil
}

func ofMilliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// tick is a unit of /proc's times on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// cpu is how much of the processors a process has had. It is known on Linux only.
func (p *process) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("time of the %s (told by Linux only): %w", p.side, err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the program's name may have blanks
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("time of the %s: %q", p.side, stat)
	}
	user, errUser := strconv.ParseInt(fields[11], 10, 64)
	system, errSystem := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * tick, errors.Join(errUser, errSystem)
}
