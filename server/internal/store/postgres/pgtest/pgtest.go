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
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"gridsync/server/internal/store/postgres"
)

// Options say what kind of cluster is needed.
type Options struct {
	// Durable waits for the disk at every commit, for tests in which the cluster is killed.
	Durable bool
	// Settings are further settings of the server, as "name=value".
	Settings []string
}

// Cluster is a running PostgreSQL.
type Cluster struct {
	// Dir is its folder, which holds its socket, too.
	Dir string

	shell  *exec.Cmd
	end    *os.File // closing it ends the cluster
	mu     sync.Mutex
	filled bool // whether there is a template
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
		if err := c.stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// Database makes a migrated, empty database for one test, and returns its URL.
func (c *Cluster) Database(t testing.TB) string {
	t.Helper()
	if err := c.fill(t); err != nil {
		t.Fatal(err)
	}
	return c.create(t, "TEMPLATE "+template)
}

// Empty makes a database without any table.
func (c *Cluster) Empty(t testing.TB) string {
	t.Helper()
	return c.create(t, "")
}

// URL names a database of the cluster.
func (c *Cluster) URL(name string) string {
	query := url.Values{"host": {c.Dir}, "user": {superuser}}
	return (&url.URL{Scheme: "postgres", Path: "/" + name, RawQuery: query.Encode()}).String()
}

const (
	superuser = "postgres"
	template  = "migrated"
)

// create makes a database, which goes with the test.
func (c *Cluster) create(t testing.TB, how string) string {
	t.Helper()
	name := "t_" + strings.ToLower(rand.Text())
	if err := c.exec(t.Context(), "CREATE DATABASE "+name+" "+how); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.exec(context.WithoutCancel(t.Context()), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return c.URL(name)
}

// fill makes the template that databases are copied from.
func (c *Cluster) fill(t testing.TB) error {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.filled {
		return nil
	}
	if err := c.exec(t.Context(), "CREATE DATABASE "+template); err != nil {
		return err
	}
	if err := postgres.Migrate(t.Context(), c.URL(template)); err != nil {
		return err
	}
	c.filled = true
	return nil
}

// exec runs one statement.
func (c *Cluster) exec(ctx context.Context, text string) error {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, text)
	return errors.Join(err, conn.Close(ctx))
}
