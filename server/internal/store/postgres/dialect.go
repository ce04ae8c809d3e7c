package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"gridsync/server/internal/store/sqlstore"
)

// The locks on the database, for one transaction each; the numbers say "gridsync" and what
// for. Whoever writes holds writingLock, until its commit is seen by all: that is what
// keeps a number from being seen before a smaller one.
const (
	writingLock   = 0x6772696473796e01
	migratingLock = 0x6772696473796e02
)

// dialect is PostgreSQL's way to say what differs between engines.
type dialect struct {
	// begin begins a transaction, which is ended after patience in which nothing happens.
	begin    string
	patience time.Duration
}

func newDialect(patience time.Duration) dialect {
	return dialect{begin: fmt.Sprintf(beginText, patience.Milliseconds(), writingLock), patience: patience}
}

// patience is what a database has with a server that holds the lock and says nothing.
const patience = time.Minute

// beginText takes the lock on writing. Each statement after it sees all that was committed before,
// as the level of isolation is READ COMMITTED and nobody else writes.
//
// A server that vanished amid its group holds the lock until the database ends its
// transaction, after a minute in which it said nothing: whoever works for longer says that it
// is still there. What is acknowledged must outlive
// the machine, so that a database that was told not to wait for its disk waits here.
//
// Every question of a writer has its index. The planner would read a table of some ten
// thousand rows from end to end for five hundred of them, behind the lock.
//
// The timeline is a number that rises when another machine takes over: with it may go what
// this one has seen.
const beginText = `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
	SET LOCAL idle_in_transaction_session_timeout = '%dms';
	SET LOCAL enable_seqscan = off;
	SET LOCAL jit = off;
	SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off';
	SELECT pg_advisory_xact_lock(%d);
	SELECT take_back_far_rows() WHERE EXISTS (SELECT FROM pg_foreign_table);
	SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)`

func (d dialect) Begin(ctx context.Context, conn *sql.Conn) (timeline int64, err error) {
	err = onWire(conn, func(c *pgx.Conn) error {
		results, err := c.PgConn().Exec(ctx, d.begin).ReadAll()
		said := (*pgconn.PgError)(nil)
		switch {
		case errors.As(err, &said) && said.Code == notSupported && len(results) == 0:
			return fmt.Errorf("%w: %w", errFollows, err)
		case err != nil:
			return err
		}
		last := results[len(results)-1]
		if len(last.Rows) != 1 {
			return errors.New("the database doesn't say on which timeline it is")
		}
		timeline, err = strconv.ParseInt(string(last.Rows[0][0]), 16, 64)
		return err
	})
	return timeline, err
}

// notSupported is feature_not_supported. A machine that follows another one answers a BEGIN so
// that says READ WRITE; what comes after that may be answered so for other reasons.
const notSupported = "0A000"

// errFollows says that the machine takes no writes, though it did when the connection was made,
// as a pool hides from us that it began anew. Another one may take them.
var errFollows = errors.New("the database follows another one")

// errWarned says that a commit succeeded with a warning. There is one that PostgreSQL gives:
// somebody broke it off while it waited for another machine's disk, and it may be on this
// one's alone.
var errWarned = errors.New("the commit was not waited for")

// commitText commits, and writes to the log before it where nothing was written. What a
// transaction that only read is about to answer ("I have this change") may be seen on this
// machine and on no other one's disk: a commit whose wait was broken off. A commit waits for
// the disk and the standby only if it has a record of its own in the log, which comes after
// all that was seen; a transaction id alone, without a record, waits for nothing.
const commitText = `SELECT pg_logical_emit_message(true, 'gridsync', '') WHERE pg_current_xact_id_if_assigned() IS NULL;
	COMMIT`

// Commit knows how it ended when the server said so, or can't have heard of it. Where the
// server ends the connection instead, or warns, the commit may be on its disk and only wait
// for another machine's. (pgconn.SafeToRetry isn't asked: it says yes for a connection that
// was closed while the answer was waited for.)
func (dialect) Commit(ctx context.Context, conn *sql.Conn) error {
	return onWire(conn, func(c *pgx.Conn) error {
		if c.IsClosed() {
			return errLost
		}
		delete(c.PgConn().CustomData(), warning)
		results, err := c.PgConn().Exec(ctx, commitText).ReadAll()
		tag := ""
		if len(results) > 0 {
			tag = results[len(results)-1].CommandTag.String()
		}
		if said := c.PgConn().CustomData()[warning]; err == nil && tag == "COMMIT" && said != nil {
			return fmt.Errorf("%w: %w: %v", sqlstore.ErrUnknownOutcome, errWarned, said)
		}
		said := (*pgconn.PgError)(nil)
		switch {
		case err == nil && tag != "COMMIT", errors.As(err, &said) && said.Code == failedTransaction:
			return errAborted
		case err == nil, said != nil && said.SeverityUnlocalized == "ERROR":
			return err
		}
		return fmt.Errorf("%w: %w", sqlstore.ErrUnknownOutcome, err)
	})
}

// failedTransaction is in_failed_sql_transaction.
const failedTransaction = "25P02"

// errAborted says that a statement had failed before, and whoever ran it went on; errLost that
// the connection was gone before the end.
var (
	errAborted = errors.New("a statement of the transaction had failed")
	errLost    = errors.New("the connection was lost")
)

func (d dialect) Patience() time.Duration { return d.patience }

// Lost is also what a pgbouncer says that has lost its own connection, and a connection through
// one to a machine that takes no writes any more. Who couldn't connect has lost nothing, and who
// had no more time can't ask again.
func (dialect) Lost(err error) bool {
	said, network := (*pgconn.PgError)(nil), net.Error(nil)
	switch {
	case err == nil, errors.As(err, new(*pgconn.ConnectError)), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	case errors.Is(err, errFollows):
		return true
	case errors.As(err, &said):
		return severity(said) == "FATAL" || severity(said) == "PANIC"
	}
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || pgconn.SafeToRetry(err)
}

// severity is PostgreSQL's own word. A pgbouncer says it in one language alone.
func severity(said *pgconn.PgError) string {
	if said.SeverityUnlocalized == "" {
		return said.Severity
	}
	return said.SeverityUnlocalized
}

// Again is so for a transaction that PostgreSQL broke off for the sake of another one. Of one's
// own there is none beside, but another server that holds partitions has its own order.
func (dialect) Again(err error) bool {
	said := (*pgconn.PgError)(nil)
	return errors.As(err, &said) && said.SeverityUnlocalized == "ERROR" && inTheWay(said.Code) && !errors.Is(err, sqlstore.ErrUnknownOutcome)
}

// inTheWay is serialization_failure and deadlock_detected.
func inTheWay(code string) bool { return code == "40001" || code == "40P01" }

// onWire lends the connection below database/sql.
func onWire(conn *sql.Conn, fn func(*pgx.Conn) error) error {
	return conn.Raw(func(below any) error {
		c, ok := below.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("a connection of another driver: %T", below)
		}
		return fn(c.Conn())
	})
}

func (dialect) Moment() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

// Prepares is false: pgx prepares what it meets, in so far as the URL lets it
// (default_query_exec_mode), as behind a pgbouncer nothing may be kept on a connection.
func (dialect) Prepares() bool { return false }

// largestPiece bounds the bytes of one statement, together with the size of a change.
const largestPiece = 4096

func (dialect) Piece(rows int) int { return min(rows, largestPiece) }

// Rows has one list for each column, and so one text for any number of rows.
func (dialect) Rows(types string, _ int) string {
	lists := make([]string, len(types))
	for i := range types {
		lists[i] = "$" + strconv.Itoa(i+1) + "::" + typeNames[types[i]] + "[]"
	}
	return "SELECT * FROM unnest(" + strings.Join(lists, ", ") + ")"
}

var typeNames = map[byte]string{'n': "bigint", 't': "text", 'b': "bytea"}

func (dialect) Arguments(types string, args []any) ([]any, error) {
	columns := make([]any, len(types))
	var err error
	for i := range types {
		switch types[i] {
		case 'n':
			columns[i], err = numbersOf(args, i, len(types))
		case 't':
			columns[i], err = textsOf(args, i, len(types))
		default:
			columns[i], err = bytesOf(args, i, len(types))
		}
		if err != nil {
			return nil, err
		}
	}
	return columns, nil
}

// numbersOf is one column of rows that stand one after the other; nil for NULL.
func numbersOf(args []any, column, width int) ([]*int64, error) {
	values := make([]int64, len(args)/width)
	all := make([]*int64, len(values))
	for i := range values {
		switch v := args[i*width+column].(type) {
		case nil:
			continue
		case int64:
			values[i] = v
		case int:
			values[i] = int64(v)
		default:
			return nil, fmt.Errorf("a %T in a column of numbers", v)
		}
		all[i] = &values[i]
	}
	return all, nil
}

func textsOf(args []any, column, width int) ([]*string, error) {
	values := make([]string, len(args)/width)
	all := make([]*string, len(values))
	for i := range values {
		switch v := args[i*width+column].(type) {
		case nil:
			continue
		case string:
			values[i] = heldText(v)
		default:
			return nil, fmt.Errorf("a %T in a column of texts", v)
		}
		all[i] = &values[i]
	}
	return all, nil
}

func bytesOf(args []any, column, width int) ([][]byte, error) {
	all := make([][]byte, len(args)/width)
	for i := range all {
		switch v := args[i*width+column].(type) {
		case nil:
		case []byte:
			all[i] = v
		default:
			return nil, fmt.Errorf("a %T in a column of bytes", v)
		}
	}
	return all, nil
}

func (dialect) Held(args []any) []any {
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = heldText(text)
		}
	}
	return args
}

// heldText is a text as PostgreSQL can hold it. It holds no U+0000 and nothing that is not
// UTF-8; SQLite holds both, and a device may send them where it says what program it is:
// nothing of the group would be kept for it. A U+FFFD stands in their place.
func heldText(text string) string {
	if utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 {
		return text
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

func (dialect) Placeholder(i int) string { return "$" + strconv.Itoa(i) }

func (dialect) AmongNumbers(column string, i int) string { return among(column, i, "bigint") }
func (dialect) AmongTexts(column string, i int) string   { return among(column, i, "text") }

// among looks for a text with a U+0000 in it as Held would have written it.
func among(column string, i int, kind string) string {
	return column + " = ANY (ARRAY(SELECT e::" + kind + " FROM jsonb_array_elements_text(replace($" + strconv.Itoa(i) +
		"::text, '\\u0000', '\\ufffd')::jsonb) l (e)))"
}

// Beside looks for each row by itself. Of a table in many parts PostgreSQL believes that it would
// have to look into all of them each time, and would rather read the whole, in the order of
// its rows.
func (dialect) Beside(table, as, condition string) string {
	return "LEFT JOIN LATERAL (SELECT * FROM " + table + " " + as + " WHERE " + condition + " LIMIT 1) " + as + " ON TRUE"
}

// Schema takes the key of a table that is spread from the part that holds the rest, and leaves
// out who works on the database, and on what: that stays where it is.
func (dialect) Schema() string {
	return `SELECT t.relname, c.attname, CASE c.atttypid WHEN 'bigint'::regtype THEN 'n' WHEN 'text'::regtype THEN 't' ELSE 'b' END,
			COALESCE(array_position(i.indkey::int2[], k.attnum), -1) + 1
		FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped
		LEFT JOIN pg_index i ON i.indrelid = CASE t.relkind WHEN 'p' THEN to_regclass(quote_ident(t.relname || '_rest')) ELSE t.oid END
			AND i.indisprimary
		LEFT JOIN pg_attribute k ON k.attrelid = i.indrelid AND k.attname = c.attname
		WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind IN ('r', 'p') AND NOT t.relispartition
			AND t.relname NOT LIKE 'goose%' AND t.relname NOT IN ('server_lease', 'duty')`
}
