package postgres_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgtest"
	"gridsync/server/internal/store/sqlstore"
	"gridsync/server/internal/store/storetest"
	"gridsync/syncproto"
)

// cut ends all connections of stores to a database.
func cut(t *testing.T, url string) {
	t.Helper()
	_, err := observer(t, url).Exec(t.Context(), `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	if err != nil {
		t.Fatal(err)
	}
}

// rows is how many rows the log has.
func rows(t *testing.T, store *postgres.Store) int {
	t.Helper()
	n := 0
	if err := store.EachLogged(t.Context(), func(*exchange.Logged) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestConnectionsThatWereLostAreReplacedUnheard(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	store := opened(t, url)
	for group := range 3 {
		storetest.Push(t, store, storetest.Load(t, group, 2, 3))
		// Some connections that are idle when they are lost.
		var readers sync.WaitGroup
		for range 6 {
			readers.Go(func() {
				if _, _, err := store.AsOf(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		readers.Wait()
		cut(t, url)
		if _, _, err := store.AsOf(t.Context()); err != nil {
			t.Errorf("a reader, once its connection was lost: %v", err)
		}
		if n := rows(t, store); n != (group+1)*6 {
			t.Errorf("%d rows after %d groups", n, group+1)
		}
	}
}

// TestWhoLosesOneConnectionTrustsNoOther: the others may lead to the same machine, and each
// would be found out only by waiting for an answer of it.
func TestWhoLosesOneConnectionTrustsNoOther(t *testing.T) {
	t.Parallel()
	store := opened(t, pgtest.Database(t))
	readsAs := func() (pid int64) {
		t.Helper()
		must(t, store.Reading().QueryRowContext(t.Context(), "SELECT pg_backend_pid()").Scan(&pid))
		return pid
	}
	before := readsAs()
	if readsAs() != before {
		t.Fatal("each question has a connection of its own: the test doesn't reach what it is for")
	}
	err := store.Transact(t.Context(), func(own sqlstore.Own) error {
		return own.Each(func(*sql.Rows) error { return nil }, "SELECT pg_terminate_backend(pg_backend_pid())")
	})
	if err == nil {
		t.Fatal("a transaction went on without its connection")
	}
	if readsAs() == before {
		t.Error("whoever reads was led where the connection that was lost led")
	}
}

func TestAGroupWhoseConnectionIsLostLeavesNothing(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	store := opened(t, url)
	err := store.Commit(t.Context(), func(tx exchange.Tx) error {
		if err := tx.Save(storetest.Load(t, 0, 1, 1)); err != nil {
			return err
		}
		cut(t, url)
		return tx.Save(storetest.Load(t, 1, 1, 1))
	})
	if err == nil || errors.Is(err, sqlstore.ErrUnknownOutcome) {
		t.Errorf("a group that was cut off before its commit: %v", err)
	}
	if n := rows(t, store); n != 0 {
		t.Errorf("%d rows of it are there", n)
	}
	storetest.Push(t, store, storetest.Load(t, 0, 1, 1))
	if n := rows(t, store); n != 1 {
		t.Errorf("%d rows", n)
	}
}

// TestAFailedStatementIsNoCommit has somebody pass over an error: PostgreSQL then answers a
// commit by undoing all, and says so only in passing.
func TestAFailedStatementIsNoCommit(t *testing.T) {
	t.Parallel()
	store := opened(t, pgtest.Database(t))
	storetest.Push(t, store, storetest.Load(t, 0, 1, 1))
	err := store.Commit(t.Context(), func(tx exchange.Tx) error {
		if err := tx.Save(storetest.Load(t, 1, 1, 1)); err != nil {
			t.Error(err)
		}
		if err := tx.Save(storetest.Load(t, 0, 1, 1)); err == nil {
			t.Error("a number was used twice")
		}
		return nil
	})
	if err == nil || errors.Is(err, sqlstore.ErrUnknownOutcome) {
		t.Errorf("committed with a statement that failed: %v", err)
	}
	if n := rows(t, store); n != 1 {
		t.Errorf("%d rows", n)
	}
}

// TestACommitWithoutAnAnswerIsOfUnknownOutcome cuts the connection before a commit reaches the
// server, and after it did.
func TestACommitWithoutAnAnswerIsOfUnknownOutcome(t *testing.T) {
	t.Parallel()
	for name, passes := range map[string]bool{"BeforeTheServer": false, "BehindTheServer": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Database(t)
			between := newBetween(t, url, passes)
			store := opened(t, between.url)
			storetest.Push(t, store, storetest.Load(t, 0, 1, 1))
			between.armed.Store(true)
			second := storetest.Load(t, 1, 1, 1)
			err := store.Commit(t.Context(), func(tx exchange.Tx) error { return tx.Save(second) })
			if !errors.Is(err, sqlstore.ErrUnknownOutcome) {
				t.Fatalf("a commit that nobody answered: %v", err)
			}
			// Whether it is there, the next group finds out.
			device, n := second.Log[0].Change.Device, second.Log[0].Change.N
			err = store.Commit(t.Context(), func(tx exchange.Tx) error {
				prior, err := tx.Prior(device, []uint64{n})
				if err == nil && len(prior) == 0 {
					err = tx.Save(second)
				}
				if (len(prior) == 1) != passes {
					t.Errorf("the change is there %d times", len(prior))
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
			if n := rows(t, store); n != 2 {
				t.Errorf("%d rows", n)
			}
		})
	}
}

// TestWhatIsRememberedGoesWithAConnection has another machine take over that knows less than
// the one before: an author's key is another author's there.
func TestWhatIsRememberedGoesWithAConnection(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	store := opened(t, url)
	storetest.Push(t, store, storetest.Load(t, 0, 1, 1))
	renamed(t, url)
	cut(t, url)
	forgot(t, store.Store)
}

// TestWhatIsRememberedGoesWithATimeline is the same where a pgbouncer kept the connection.
func TestWhatIsRememberedGoesWithATimeline(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	if err := open(t, url).Close(); err != nil {
		t.Fatal(err)
	}
	db := handle(t, "pgx", url)
	at := &onTimeline{Dialect: postgres.Dialect, timeline: 1}
	store, err := sqlstore.New(t.Context(), db, db, at, storetest.Keys(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	storetest.Push(t, store, storetest.Load(t, 0, 1, 1))
	renamed(t, url)
	at.timeline = 2
	forgot(t, store)
}

// onTimeline is an engine that says on which timeline it is.
type onTimeline struct {
	sqlstore.Dialect
	timeline int64
}

func (o *onTimeline) Begin(ctx context.Context, conn *sql.Conn) (int64, error) {
	_, err := o.Dialect.Begin(ctx, conn)
	return o.timeline, err
}

// another is who has the first author's key once they were renamed.
var another = syncproto.AuthorID{9}

func renamed(t *testing.T, url string) {
	t.Helper()
	first := storetest.Load(t, 0, 1, 1).Log[0].Change.Author
	if _, err := observer(t, url).Exec(t.Context(), "UPDATE author SET id = $1 WHERE id = $2", another[:], first[:]); err != nil {
		t.Fatal(err)
	}
}

// forgot fails unless the next change of the first author gets a key of its own.
func forgot(t *testing.T, store *sqlstore.Store) {
	t.Helper()
	storetest.Push(t, store, storetest.Load(t, 1, 1, 1))
	first := storetest.Load(t, 0, 1, 1).Log[0].Change.Author
	for author, seq := range map[syncproto.AuthorID]syncproto.Version{first: 2, another: 1} {
		by, err := store.LogBy(t.Context(), author, 0, 10)
		if err != nil || len(by) != 1 || by[0].Seq != seq {
			t.Errorf("author %s wrote %v, %v", author, by, err)
		}
	}
}

func TestAReaderCannotWrite(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	direct := opened(t, url)
	if _, err := direct.Reading().ExecContext(t.Context(), "DELETE FROM meta"); err == nil {
		t.Error("a reader's connection wrote")
	}
}

// between stands between a store and its database, and cuts off who commits when it is armed:
// before the server hears of it, or before it can answer.
type between struct {
	url    string
	server string
	passes bool
	armed  atomic.Bool
}

func newBetween(t *testing.T, url string, passes bool) *between {
	t.Helper()
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		t.Fatal(err)
	}
	server := observer(t, url).Config().Host
	b := &between{url: strings.Replace(url, strings.ReplaceAll(server, "/", "%2F"), strings.ReplaceAll(dir, "/", "%2F"), 1), server: server, passes: passes}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // it was closed
			}
			open.Go(func() {
				if err := b.pass(t.Context(), client); err != nil {
					t.Error(err)
				}
			})
		}
	})
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		open.Wait()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return b
}

// pass carries one connection's bytes both ways.
func (b *between) pass(ctx context.Context, client net.Conn) error {
	server, err := new(net.Dialer).DialContext(context.WithoutCancel(ctx), "unix", filepath.Join(b.server, ".s.PGSQL.5432"))
	if err != nil {
		return errors.Join(err, client.Close())
	}
	var answers sync.WaitGroup
	var dumb atomic.Bool
	answers.Go(func() {
		page := make([]byte, 64<<10)
		for {
			n, err := server.Read(page)
			if err != nil {
				break
			}
			if dumb.Load() {
				break // the server has done what it was asked
			}
			if _, err := client.Write(page[:n]); err != nil {
				break
			}
		}
		_ = client.Close()
	})
	page := make([]byte, 64<<10)
	for {
		n, err := client.Read(page)
		if err != nil {
			break
		}
		if bytes.Contains(page[:n], []byte("COMMIT\x00")) && b.armed.CompareAndSwap(true, false) {
			if !b.passes {
				break
			}
			dumb.Store(true)
		}
		if _, err := server.Write(page[:n]); err != nil {
			break
		}
	}
	if dumb.Load() {
		answers.Wait()
	}
	err = server.Close()
	answers.Wait()
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return err
}
