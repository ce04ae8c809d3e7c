package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"gridsync/server/internal/store/sqlstore"
)

// channel is where it is said that something was committed. What is said on it is who did.
const channel = "gridsync"

// notify says it, when the transaction is committed and not before.
func (s *Store) notify(own sqlstore.Own) error {
	return own.Exec("SELECT pg_notify('"+channel+"', $1)", s.voice)
}

// ErrPooled says that connections go through a pool that gives each transaction another one:
// nobody can listen there.
var ErrPooled = errors.New("a pool of connections stands before the database, through which nobody can listen")

// How long after a failure it is tried again, and after how long of silence it is asked
// whether anybody is there.
const (
	firstRetry  = 100 * time.Millisecond
	longestWait = 10 * time.Second
	silence     = 30 * time.Second
)

// Hear calls stirred whenever somebody else has committed something, on a connection of its
// own, until ctx ends; and whenever it has begun to listen, as something may have been missed
// before. trouble hears once of each time that it can't. Behind a pool it listens to nothing.
func (s *Store) Hear(ctx context.Context, stirred func(), trouble func(error)) {
	wait := firstRetry
	for ctx.Err() == nil {
		heard, err := s.hear(ctx, stirred)
		if ctx.Err() != nil {
			return
		}
		if heard || wait == firstRetry {
			trouble(err)
		}
		if errors.Is(err, ErrPooled) {
			<-ctx.Done()
			return
		}
		if heard {
			wait = firstRetry
		}
		again := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-again.C:
		}
		again.Stop()
		wait = min(2*wait, longestWait)
	}
}

// hear listens until something fails, and says whether it has listened at all.
func (s *Store) hear(ctx context.Context, stirred func()) (heard bool, err error) {
	conn, err := pgx.ConnectConfig(ctx, s.config.Copy())
	if err != nil {
		return false, fmt.Errorf("postgres: listen: %w", err)
	}
	defer func() {
		// What the connection held is of no use to anybody, and its server finds that out too.
		_ = conn.Close(context.WithoutCancel(ctx))
	}()
	if err := listen(ctx, conn); err != nil {
		if errors.Is(err, ErrPooled) && s.unprepared {
			err = fmt.Errorf("%w; nor is anything prepared there, as if the address said default_query_exec_mode=exec", err)
		}
		return false, fmt.Errorf("postgres: listen: %w", err)
	}
	stirred()
	for {
		said, err := next(ctx, conn)
		if err != nil {
			return true, fmt.Errorf("postgres: listen: %w", err)
		}
		if said != s.voice {
			stirred()
		}
	}
}

// listen begins to listen. What is lent must not be left listening.
func listen(ctx context.Context, conn *pgx.Conn) error {
	switch lent, err := isLent(ctx, conn); {
	case err != nil:
		return err
	case lent:
		return ErrPooled
	}
	_, err := conn.Exec(ctx, "LISTEN "+channel)
	return err
}

// next waits for what is said. In a long silence it asks whether the line is dead.
func next(ctx context.Context, conn *pgx.Conn) (string, error) {
	for {
		some, stop := context.WithTimeout(ctx, silence)
		n, err := conn.WaitForNotification(some)
		quiet := some.Err() != nil && ctx.Err() == nil
		stop()
		switch {
		case err == nil:
			return n.Payload, nil
		case !quiet:
			return "", err
		}
		if err := conn.Ping(ctx); err != nil {
			return "", err
		}
	}
}
