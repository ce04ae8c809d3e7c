package sqlite

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"sync"
	"time"
)

// dialect is SQLite's way to say what differs between engines.
type dialect struct{}

// Begin takes the write lock at once: a transaction that reads first and writes
// later could find that somebody else has written in between. A file has one timeline.
func (dialect) Begin(ctx context.Context, conn *sql.Conn) (int64, error) {
	_, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE")
	return 0, err
}

// Commit knows how it ended: SQLite runs in this process.
func (dialect) Commit(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "COMMIT")
	return err
}

// Patience is 0: a process that has gone holds no lock.
func (dialect) Patience() time.Duration { return 0 }

// Lost is false: there is nobody to lose.
func (dialect) Lost(error) bool { return false }

// Again is false: whoever writes has the file for themselves, and waits for it before.
func (dialect) Again(error) bool { return false }

func (dialect) Moment() *sql.TxOptions { return &sql.TxOptions{ReadOnly: true} }

// Prepares is true: parsing a text costs more than running it.
func (dialect) Prepares() bool { return true }

// Held are the arguments themselves: SQLite holds any text.
func (dialect) Held(args []any) []any { return args }

// As each number of rows is a text of its own, which must be parsed and kept, only a
// few numbers are used: a batch is cut into pieces of them.
var pieces = []int{256, 64, 16, 4, 1}

func (dialect) Piece(rows int) int {
	for _, n := range pieces {
		if n <= rows {
			return n
		}
	}
	return 1
}

// rowLists are the lists that were written, by the numbers of columns and rows.
var rowLists sync.Map

func (dialect) Rows(types string, rows int) string {
	size := [2]int{len(types), rows}
	if known, ok := rowLists.Load(size); ok {
		if text, ok := known.(string); ok {
			return text
		}
	}
	row := "(" + strings.Repeat("?, ", len(types)-1) + "?)"
	text := "VALUES " + strings.Repeat(row+", ", rows-1) + row
	rowLists.Store(size, text)
	return text
}

func (dialect) Arguments(_ string, args []any) ([]any, error) { return args, nil }

// Placeholder has no number: SQLite looks a numbered place up by its name, one by
// one, which takes a second for a list of ten thousand.
func (dialect) Placeholder(int) string { return "?" }

func (dialect) AmongNumbers(column string, i int) string { return among(column, i) }
func (dialect) AmongTexts(column string, i int) string   { return among(column, i) }

func among(column string, i int) string {
	return column + " IN (SELECT value FROM json_each($" + strconv.Itoa(i) + "))"
}

func (dialect) Beside(table, as, condition string) string {
	return "LEFT JOIN " + table + " " + as + " ON " + condition
}

func (dialect) Schema() string {
	return `SELECT t.name, c.name, CASE c.type WHEN 'INTEGER' THEN 'n' WHEN 'TEXT' THEN 't' ELSE 'b' END, c.pk
		FROM sqlite_schema t JOIN pragma_table_info(t.name) c
		WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE 'goose%'`
}
