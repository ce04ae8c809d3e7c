package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"gridsync/server/internal/store/sqlstore"
)

// DefaultLease is for how long a server that was not heard of is taken for alive. Nobody
// writes by clocks: a server whose lease was taken away finds that out at its next
// transaction, so this is only how long whoever would work alone waits for a dead one.
const DefaultLease = 20 * time.Second

// ErrLeaseLost says that a server's lease was taken away, as it wasn't heard of, by somebody
// who has worked alone since: whatever it has in memory may no longer be so.
var ErrLeaseLost = errors.New("the lease on the database was taken away")

// Server is one that works on the database.
type Server struct {
	// Name is for people, Keys fingerprints of its keys.
	Name, Keys string
	// Alone says that it suffers no other beside it.
	Alone bool
	// Since is when it began, Until when it is taken for dead, by the database's clock.
	Since, Until time.Time
	// Lapsed says that Until has passed.
	Lapsed bool

	id uuid.UUID
}

// Entrant is a server that would work on the database.
type Entrant struct {
	Name string
	// Keys are fingerprints of those that it has now: what it has may change while it works.
	// None if it is nil.
	Keys  func() string
	Alone bool
	// Lasts is how long it is taken for alive without being heard of; DefaultLease if 0.
	Lasts time.Duration
}

// Lease is the right to work on a database. A store that has none writes as it likes, beside
// servers: that is for commands which add something.
type Lease struct {
	store   *Store
	id      uuid.UUID
	keys    func() string
	lasts   time.Duration
	servers atomic.Int64
}

// Enter takes a lease, if admit has nothing against it, which is told who else works on the
// database. From then on nothing is written through this store without the lease. It fails
// with *sqlstore.NewerError where another release has altered the tables since they were opened.
func (s *Store) Enter(ctx context.Context, e Entrant, admit func(others []Server) error) (*Lease, error) {
	l := &Lease{store: s, id: uuid.New(), keys: e.Keys, lasts: e.Lasts}
	if l.lasts == 0 {
		l.lasts = DefaultLease
	}
	if l.keys == nil {
		l.keys = func() string { return "" }
	}
	err := s.Transact(ctx, func(own sqlstore.Own) error {
		if err := s.known(own); err != nil {
			return err
		}
		// Somebody who worked alone and died is in nobody's way; neither is any server that
		// died in that of somebody who would be alone. Who lives on is told by the next
		// transaction. Servers that died long ago are of no interest.
		err := own.Exec("DELETE FROM server_lease WHERE until <= "+now+" AND ($1 OR alone OR until <= "+now+" - 86400000)", e.Alone)
		if err != nil {
			return err
		}
		others, err := serversIn(own.Each)
		if err != nil {
			return err
		}
		if err := admit(others); err != nil {
			return err
		}
		l.servers.Store(1)
		for i := range others {
			if !others[i].Lapsed {
				l.servers.Add(1)
			}
		}
		return own.Exec("INSERT INTO server_lease (id, name, keys, alone, since, until) VALUES ($1, $2, $3, $4, "+now+", "+now+" + $5)",
			l.id[:], e.Name, l.keys(), e.Alone, l.lasts.Milliseconds())
	})
	if err != nil {
		return nil, fmt.Errorf("postgres: enter: %w", err)
	}
	s.TakeCare(sqlstore.Care{Begun: l.held, Stirred: s.notify})
	return l, nil
}

// now is the database's clock in milliseconds; a transaction's own would stand still.
const now = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"

// held fails with ErrLeaseLost when the lease isn't there any more, and with
// *sqlstore.NewerError when the tables are another release's. Nobody can take it away, or alter
// a table, before the transaction ends: whoever would needs the lock under which it runs.
func (l *Lease) held(own sqlstore.Own) error {
	there := false
	err := own.Each(func(rows *sql.Rows) error {
		there = true
		return l.store.knows(rows)
	}, "SELECT "+lastStep+" FROM server_lease WHERE id = $1", l.id[:])
	if err == nil && !there {
		err = ErrLeaseLost
	}
	return err
}

// Keep keeps the lease until ctx ends, and fails with ErrLeaseLost when it was taken away, with
// *sqlstore.NewerError when nothing can be written under it any more. A database that can't be
// reached takes nothing away: then it is tried again. told hears of each renewal that fails
// and, with nil, of the first that succeeds after it.
func (l *Lease) Keep(ctx context.Context, told func(error)) error {
	tick := time.NewTicker(max(l.lasts/4, time.Millisecond))
	defer tick.Stop()
	for failing := false; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := l.Renew(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrLeaseLost), errors.Is(err, &sqlstore.NewerError{}):
			return err
		case err != nil || failing:
			failing = err != nil
			told(err)
		}
	}
}

// Renew puts off when the server is taken for dead, says which keys it has now, and counts the
// others. It waits neither for whoever holds the lock on writing, be it this server itself, nor
// for another machine's disk: a server that waits is alive.
func (l *Lease) Renew(ctx context.Context) error {
	var servers int64
	err := l.apart(ctx, func(tx *sql.Tx) error {
		var step int64
		err := tx.QueryRowContext(ctx, "UPDATE server_lease SET until = "+now+" + $2, keys = $3 WHERE id = $1 RETURNING "+lastStep,
			l.id[:], l.lasts.Milliseconds(), l.keys()).Scan(&step)
		if errors.Is(err, sql.ErrNoRows) {
			err = ErrLeaseLost
		}
		if err := sqlstore.NotNewer(step, l.store.step, err); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM server_lease WHERE until > "+now).Scan(&servers)
	})
	if err != nil {
		return fmt.Errorf("postgres: renew a lease: %w", err)
	}
	l.servers.Store(max(servers, 1))
	return nil
}

// apart runs fn in a transaction on a connection that nothing else is done on, and without the
// lock on writing. What is lost of it with a machine is done again, or ends by itself.
func (l *Lease) apart(ctx context.Context, fn func(*sql.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, DefaultLease)
	defer cancel()
	tx, err := l.store.apart.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	if _, err = tx.ExecContext(ctx, "SET LOCAL synchronous_commit = local"); err == nil {
		err = fn(tx)
	}
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// Servers is how many servers work on the database, this one included, as last seen.
func (l *Lease) Servers() int { return int(l.servers.Load()) }

// Mine takes a piece of work on for some time, unless another server that lives has it.
func (l *Lease) Mine(ctx context.Context, work string, during time.Duration) (mine bool, err error) {
	err = l.store.Transact(ctx, func(own sqlstore.Own) error {
		if err := l.held(own); err != nil {
			return err
		}
		n, err := own.Changed(`INSERT INTO duty (name, server, until) VALUES ($1, $2, `+now+` + $3)
			ON CONFLICT (name) DO UPDATE SET server = excluded.server, until = excluded.until
			WHERE duty.server = excluded.server OR duty.until <= `+now+`
				OR NOT EXISTS (SELECT 1 FROM server_lease l WHERE l.id = duty.server AND l.until > `+now+`)
			RETURNING name`, work, l.id[:], during.Milliseconds())
		mine = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("postgres: take on %s: %w", work, err)
	}
	return mine, nil
}

// Leave gives the lease back, if it is there. The store begins nothing afterwards that writes,
// and whoever would work alone waits for what it has begun.
func (l *Lease) Leave(ctx context.Context) error {
	err := l.apart(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM server_lease WHERE id = $1", l.id[:])
		return err
	})
	if err != nil {
		return fmt.Errorf("postgres: leave: %w", err)
	}
	return nil
}

const serverSelect = "SELECT id, name, keys, alone, since, until, until <= " + now + " FROM server_lease ORDER BY since, id"

func scanServer(rows *sql.Rows, s *Server) error {
	var id []byte
	var since, until int64
	if err := rows.Scan(&id, &s.Name, &s.Keys, &s.Alone, &since, &until, &s.Lapsed); err != nil {
		return err
	}
	s.id, s.Since, s.Until = uuid.UUID(id), time.UnixMilli(since), time.UnixMilli(until)
	return nil
}

func serversIn(ask asking) (all []Server, err error) {
	err = ask(func(rows *sql.Rows) error {
		var s Server
		err := scanServer(rows, &s)
		all = append(all, s)
		return err
	}, serverSelect)
	return all, err
}

// Servers returns who works on the database, the eldest first.
func (s *Store) Servers(ctx context.Context) ([]Server, error) {
	all, err := serversIn(s.asked(ctx))
	if err != nil {
		return nil, fmt.Errorf("postgres: servers: %w", err)
	}
	return all, nil
}
