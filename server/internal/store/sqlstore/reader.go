package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"gridsync/server/internal/seal"
)

// querier asks questions, in or out of a transaction, and has the keys that open the
// answers.
type querier interface {
	query(ctx context.Context, text string, args ...any) (*sql.Rows, error)
	ring() *seal.Ring
	engine() Dialect
}

// reader asks on connections of its own and keeps statements prepared, where the engine's
// driver doesn't. The texts are few: lists come as one JSON argument or in a handful of
// lengths.
type reader struct {
	db      *sql.DB
	keys    *seal.Ring
	dialect Dialect
	mu      sync.RWMutex
	stmts   map[string]*sql.Stmt
}

func newReader(db *sql.DB, dialect Dialect, keys *seal.Ring) *reader {
	return &reader{db: db, dialect: dialect, keys: keys, stmts: make(map[string]*sql.Stmt)}
}

func (r *reader) ring() *seal.Ring { return r.keys }

func (r *reader) engine() Dialect { return r.dialect }

func (r *reader) prepared(text string) *sql.Stmt {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.stmts[text]
}

func (r *reader) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	if stmt := r.prepared(text); stmt != nil {
		return stmt, nil
	}
	stmt, err := r.db.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if first := r.stmts[text]; first != nil {
		return first, stmt.Close()
	}
	r.stmts[text] = stmt
	return stmt, nil
}

func (r *reader) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if !r.dialect.Prepares() {
		return retried(r, func() (*sql.Rows, error) { return r.db.QueryContext(ctx, text, r.dialect.Held(args)...) })
	}
	stmt, err := r.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// retried asks again on another connection when one was lost: all that are idle may be.
func retried[T any](r *reader, ask func() (T, error)) (answer T, err error) {
	for range r.db.Stats().MaxOpenConnections + 1 {
		if answer, err = ask(); err == nil || !r.dialect.Lost(err) {
			break
		}
	}
	return answer, err
}

// dropIdle closes the connections that nobody uses. One that leads to a machine that is gone
// without a word is found out only by asking, for as long as a network is waited for.
func (r *reader) dropIdle() {
	r.db.SetMaxIdleConns(0)
	r.db.SetMaxIdleConns(r.db.Stats().MaxOpenConnections)
}

func (r *reader) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, stmt := range r.stmts {
		errs = append(errs, stmt.Close())
	}
	clear(r.stmts)
	return errors.Join(errs...)
}

// moment runs fn on one moment of the database: nothing that is committed
// meanwhile is seen.
func (r *reader) moment(ctx context.Context, fn func(querier) error) error {
	tx, err := retried(r, func() (*sql.Tx, error) { return r.db.BeginTx(ctx, r.dialect.Moment()) })
	if err != nil {
		return fmt.Errorf("begin to read: %w", err)
	}
	q := &momentQuerier{reader: r, tx: tx}
	err = errors.Join(fn(q), tx.Rollback())
	if err != nil {
		return err
	}
	// Statements that were met for the first time are prepared only now: within the
	// transaction it would take a second connection, and all might be waiting so.
	for _, text := range q.unprepared {
		if _, err := r.prepare(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

type momentQuerier struct {
	reader     *reader
	tx         *sql.Tx
	unprepared []string
}

func (q *momentQuerier) ring() *seal.Ring { return q.reader.keys }

func (q *momentQuerier) engine() Dialect { return q.reader.dialect }

func (q *momentQuerier) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if stmt := q.reader.prepared(text); stmt != nil {
		return q.tx.StmtContext(ctx, stmt).QueryContext(ctx, args...)
	}
	if q.reader.dialect.Prepares() {
		q.unprepared = append(q.unprepared, text)
	}
	return q.tx.QueryContext(ctx, text, q.reader.dialect.Held(args)...)
}

// each reads all rows of a query, calls scan for each, and ends the statement.
// scan may stop early with errStop.
func each(rows *sql.Rows, err error, scan func(*sql.Rows) error) error {
	if err != nil {
		return err
	}
	for rows.Next() {
		if err := scan(rows); err != nil {
			if errors.Is(err, errStop) {
				err = nil
			}
			return errors.Join(err, rows.Close())
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

var errStop = errors.New("enough rows")

// collect reads all rows of a query.
func collect[T any](rows *sql.Rows, err error, scan func(*sql.Rows, *T) error) ([]T, error) {
	var all []T
	err = each(rows, err, func(rows *sql.Rows) error {
		var one T
		if err := scan(rows, &one); err != nil {
			return err
		}
		all = append(all, one)
		return nil
	})
	return all, err
}

// one reads the only row of a query; sql.ErrNoRows if there is none.
func one(rows *sql.Rows, err error, into ...any) error {
	found := false
	err = each(rows, err, func(rows *sql.Rows) error {
		found = true
		return rows.Scan(into...)
	})
	if err == nil && !found {
		return sql.ErrNoRows
	}
	return err
}
