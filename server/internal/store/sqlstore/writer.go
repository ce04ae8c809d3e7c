package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"gridsync/server/internal/seal"
)

// writer owns the one connection that writes. Whoever holds mu is in the only
// write transaction of this process; the engine's lock keeps other processes out.
type writer struct {
	mu    sync.Mutex
	conn  *sql.Conn
	keys  *seal.Ring
	begin string
	stmts map[string]*sql.Stmt
	// undone hears, still under mu, that a transaction left nothing.
	undone func()
}

// transact runs fn in a write transaction and reports how it ended. When fn fails
// or panics, or the commit fails, nothing is kept. A caller that goes away no
// longer stops a transaction that has begun: others may be in the same group.
func (w *writer) transact(ctx context.Context, fn func(context.Context) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.exec(ctx, w.begin); err != nil {
		return fmt.Errorf("begin to write: %w", err)
	}
	committed := false
	defer func() {
		if !committed {
			err = errors.Join(err, w.exec(ctx, "ROLLBACK"))
			w.undone()
		}
	}()
	if err := fn(ctx); err != nil {
		return err
	}
	if err := w.exec(ctx, "COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	committed = true
	return nil
}

func (w *writer) ring() *seal.Ring { return w.keys }

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
	stmt, err := w.prepare(ctx, text)
	if err != nil {
		return err
	}
	_, err = stmt.ExecContext(ctx, args...)
	return err
}

func (w *writer) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	stmt, err := w.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

func (w *writer) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var errs []error
	for _, stmt := range w.stmts {
		errs = append(errs, stmt.Close())
	}
	clear(w.stmts)
	return errors.Join(append(errs, w.conn.Close())...)
}
