package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"gridsync/server/internal/seal"
)

// ErrUnknownOutcome says that nobody told how a commit ended: what it wrote is kept, or
// isn't. Whoever remembers something of the database must look again before the next
// commit.
var ErrUnknownOutcome = errors.New("the outcome of a commit is unknown")

// ErrContended says that a transaction was given up, as somebody else was in its way each time
// that it was tried. Nothing of it is kept.
var ErrContended = errors.New("others were in the way of a transaction, again and again")

// How often a transaction is tried, and how long is waited at most before the second time: twice
// as long before each one after it.
const (
	tries     = 5
	firstWait = 10 * time.Millisecond
)

// writer owns the one connection that writes. Whoever holds mu is in the only
// write transaction of this process; the engine's lock keeps other processes out.
type writer struct {
	mu      slot
	db      *sql.DB
	conn    *sql.Conn // nil until it is needed, and when it was lost
	keys    *seal.Ring
	dialect Dialect
	stmts   map[string]*sql.Stmt
	// timeline is the one that numbers are known to go on; unknown before the first transaction.
	timeline int64
	// undone hears, still under mu, that what was remembered may not be there; lost that the
	// connection was lost, and those beside it may lead to a machine that is gone, too.
	undone, lost func()
}

// transact runs fn in a write transaction and reports how it ended. When fn fails
// or panics, or the commit fails, nothing is kept, but for ErrUnknownOutcome. A caller
// that goes away before it has begun is told so at once; one that has begun is no longer
// stopped by that: others may be in the same group.
//
// Where the engine says that somebody else was in the way, fn is run again, and must begin
// anew; in the end it fails with ErrContended.
func (w *writer) transact(ctx context.Context, fn func(context.Context) error) error {
	wait := firstWait
	for n := 1; ; n++ {
		err := w.try(ctx, fn)
		if err == nil || !w.dialect.Again(err) {
			return err
		}
		if n == tries {
			return fmt.Errorf("%w: %w", ErrContended, err)
		}
		if gone := pause(ctx, rand.N(wait)); gone != nil { //nolint:gosec // two who were in each other's way are to come apart
			return errors.Join(gone, err)
		}
		wait *= 2
	}
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// try is transact, once. Whoever goes away while waiting writes nothing.
func (w *writer) try(ctx context.Context, fn func(context.Context) error) (err error) {
	if err := w.mu.take(ctx); err != nil {
		return fmt.Errorf("wait to write: %w", err)
	}
	defer w.mu.give()
	ctx = context.WithoutCancel(ctx)
	if err := w.begin(ctx); err != nil {
		return fmt.Errorf("begin to write: %w", err)
	}
	ended := false
	defer func() {
		if !ended {
			err = errors.Join(err, w.rollback(ctx))
		}
	}()
	if err := fn(ctx); err != nil {
		return err
	}
	err = w.commit(ctx)
	ended = err == nil || errors.Is(err, ErrUnknownOutcome)
	return err
}

// commit ends a transaction. Where nobody says how it ended, it is over nevertheless.
func (w *writer) commit(ctx context.Context) error {
	err := w.dialect.Commit(ctx, w.conn)
	if err == nil {
		return nil
	}
	if errors.Is(err, ErrUnknownOutcome) {
		w.lose()
	}
	return fmt.Errorf("commit: %w", err)
}

// begin starts a transaction. A connection that was lost while nothing was under way is
// replaced, once.
func (w *writer) begin(ctx context.Context) error {
	for again := w.conn != nil; ; {
		if err := w.connect(ctx); err != nil {
			return err
		}
		timeline, err := w.dialect.Begin(ctx, w.conn)
		if err == nil && timeline != w.timeline {
			w.undone()
			var committed bool
			if committed, err = w.onTimeline(ctx, timeline); committed && err == nil {
				continue
			}
		}
		switch {
		case err == nil:
			return nil
		case w.conn == nil: // a commit without an answer
			return err
		case !w.dialect.Lost(err):
			return errors.Join(err, w.rollback(ctx))
		}
		if w.lose(); !again {
			return err
		}
		again = false
	}
}

// connect makes sure that there is a connection.
func (w *writer) connect(ctx context.Context) error {
	if w.conn != nil {
		return nil
	}
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("take the write connection: %w", err)
	}
	w.conn = conn
	return nil
}

// lose gives up a connection, and everything remembered: whoever answers next may know
// less than the one before.
func (w *writer) lose() {
	clear(w.stmts)
	_ = w.conn.Close() // it has failed already, and was told of
	w.conn = nil
	w.undone()
	w.lost()
}

// rollback ends a transaction that leaves nothing.
func (w *writer) rollback(ctx context.Context) error {
	_, err := w.conn.ExecContext(ctx, "ROLLBACK")
	if err != nil && w.dialect.Lost(err) {
		w.lose()
		return nil // a transaction goes with its connection
	}
	w.undone()
	return err
}

func (w *writer) ring() *seal.Ring { return w.keys }

func (w *writer) engine() Dialect { return w.dialect }

func (w *writer) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	if stmt := w.stmts[text]; stmt != nil {
		return stmt, nil
	}
	stmt, err := w.conn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	w.stmts[text] = stmt
	return stmt, nil
}

func (w *writer) exec(ctx context.Context, text string, args ...any) error {
	if !w.dialect.Prepares() {
		_, err := w.conn.ExecContext(ctx, text, w.dialect.Held(args)...)
		return err
	}
	stmt, err := w.prepare(ctx, text)
	if err != nil {
		return err
	}
	_, err = stmt.ExecContext(ctx, args...)
	return err
}

func (w *writer) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if !w.dialect.Prepares() {
		return w.conn.QueryContext(ctx, text, w.dialect.Held(args)...)
	}
	stmt, err := w.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

func (w *writer) close() error {
	w.mu.wait()
	defer w.mu.give()
	var errs []error
	for _, stmt := range w.stmts {
		errs = append(errs, stmt.Close())
	}
	clear(w.stmts)
	if w.conn != nil {
		errs = append(errs, w.conn.Close())
	}
	return errors.Join(errs...)
}
