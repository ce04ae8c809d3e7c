// Package pgtest gives tests a PostgreSQL of their own: a cluster for each test binary, in a
// temporary folder, and a database for each test.
//
// It needs Debian's package postgresql (make postgres installs it), and refuses to use a
// cluster that is there already: no test can harm anybody's data, and none is skipped.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgcluster"
)

// Options say what kind of cluster is needed.
type Options = pgcluster.Options

// Cluster is a running PostgreSQL.
type Cluster struct {
	*pgcluster.Cluster

	mu     sync.Mutex
	filled bool     // whether there is a template
	free   []string // migrated databases that tests have left, emptied
}

func start(opts Options) (*Cluster, error) {
	c, err := pgcluster.Start(opts)
	return &Cluster{Cluster: c}, err
}

// Database makes a migrated, empty database for one test in the binary's own cluster, and
// returns its URL.
func Database(t testing.TB) string {
	t.Helper()
	c, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return c.Database(t)
}

// Empty makes a database without any table, as Database does.
func Empty(t testing.TB) string {
	t.Helper()
	c, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return c.Empty(t)
}

// shared is the binary's own cluster. It ends with the process, however that ends.
var shared = sync.OnceValues(func() (*Cluster, error) { return start(Options{}) })

// New starts a cluster for one test.
func New(t testing.TB, opts Options) *Cluster {
	t.Helper()
	c, err := start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// Database makes a migrated, empty database for one test, and returns its URL. It is emptied
// and used again afterwards, as making one takes a third of a second: a test that alters the
// schema takes Empty.
func (c *Cluster) Database(t testing.TB) string {
	t.Helper()
	name, err := c.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.giveBack(context.WithoutCancel(t.Context()), name); err != nil {
			t.Error(err)
		}
	})
	return c.URL(name)
}

func (c *Cluster) take(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.free); n > 0 {
		name := c.free[n-1]
		c.free = c.free[:n-1]
		return name, nil
	}
	if err := c.fill(ctx); err != nil {
		return "", err
	}
	name := newName()
	return name, c.exec(ctx, "postgres", "CREATE DATABASE "+name+" TEMPLATE "+template)
}

// empties takes every row away, whatever stands guard over it, after whoever is still busy
// there was cut off.
const empties = `DO $$ DECLARE name text; BEGIN
	PERFORM pg_terminate_backend(pid, 10000) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle';
	PERFORM set_config('session_replication_role', 'replica', true);
	FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'goose_db_version' LOOP
		EXECUTE 'DELETE FROM ' || quote_ident(name);
	END LOOP;
END $$`

func (c *Cluster) giveBack(ctx context.Context, name string) error {
	if err := c.exec(ctx, name, empties); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.free = append(c.free, name)
	return nil
}

// Empty makes a database without any table.
func (c *Cluster) Empty(t testing.TB) string {
	t.Helper()
	name := newName()
	if err := c.exec(t.Context(), "postgres", "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.exec(context.WithoutCancel(t.Context()), "postgres", "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return c.URL(name)
}

func newName() string { return "t_" + strings.ToLower(rand.Text()) }

const template = "migrated"

// fill makes the template that databases are copied from.
func (c *Cluster) fill(ctx context.Context) error {
	if c.filled {
		return nil
	}
	if err := c.exec(ctx, "postgres", "CREATE DATABASE "+template); err != nil {
		return err
	}
	if err := postgres.Migrate(ctx, c.URL(template)); err != nil {
		return err
	}
	c.filled = true
	return nil
}

// exec runs one statement in a database.
func (c *Cluster) exec(ctx context.Context, database, text string) error {
	conn, err := pgx.Connect(ctx, c.URL(database))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, text)
	return errors.Join(err, conn.Close(ctx))
}
