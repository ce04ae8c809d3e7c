package sqlstore

import (
	"context"
	"database/sql"
	"time"
)

// Dialect is what differs between engines in the statements of this package, and in how
// they are run.
type Dialect interface {
	transactions
	texts
	// Prepares reports whether statements are prepared here and kept for a connection's
	// life; else texts are handed to the driver, which may keep what it likes, with
	// arguments as Held returns them.
	Prepares() bool
	// Held returns arguments as the engine can hold them; it may alter the list.
	Held(args []any) []any
}

// transactions are how an engine begins and ends them.
type transactions interface {
	// Begin starts a write transaction that no other one overlaps, in any process. What
	// it returns numbers the engine's timeline, from 1: where it is another than before,
	// something that was there may be gone. An engine that has one for ever returns 0. When
	// it fails, a transaction may have begun.
	Begin(ctx context.Context, conn *sql.Conn) (timeline int64, err error)
	// Commit ends it, so that what was written is durable and seen by whoever asks from
	// then on. It fails with ErrUnknownOutcome when nobody told whether that is so.
	Commit(ctx context.Context, conn *sql.Conn) error
	// Patience is how long a transaction may do nothing before the engine ends it, so that a
	// machine that vanished keeps nobody waiting for ever; 0 where it doesn't.
	Patience() time.Duration
	// Lost reports whether an error says that the connection is of no more use, and so
	// never one of SQLite's.
	Lost(err error) bool
	// Again reports whether an error says that nothing was kept because somebody else was in
	// the way, so that the same transaction had better be tried again.
	Again(err error) bool
	// Moment is how a transaction begins that reads one moment.
	Moment() *sql.TxOptions
}

// texts are what engines spell differently.
type texts interface {
	// Piece is how many of so many rows go into one statement, at least one.
	Piece(rows int) int
	// Rows is a list of rows, as VALUES makes it, and Arguments are the arguments for it,
	// out of what the rows hold one after the other. types has a letter for each column: n
	// for a number, t for a text, b for bytes.
	Rows(types string, rows int) string
	Arguments(types string, args []any) ([]any, error)
	// Placeholder is the place of a statement's i-th argument, from 1, in a list that
	// is as long as the batch.
	Placeholder(i int) string
	// AmongNumbers and AmongTexts are the condition that a column's value is in the
	// JSON list which is the statement's i-th argument.
	AmongNumbers(column string, i int) string
	AmongTexts(column string, i int) string
	// Beside joins to each row the one row of a table, if there is one, for which a condition
	// holds that names it wholly.
	Beside(table, as, condition string) string
	// Schema asks for the columns of all tables that hold what the services keep: table,
	// column, type (a letter as for Rows), and its place in the primary key, 0 for none. What
	// an engine keeps for itself isn't among them.
	Schema() string
}
