package pgtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"gridsync/server/internal/store/postgres/pgcluster"
)

// Pgbouncer starts a pgbouncer in transaction mode before the binary's own cluster, for one
// test, and returns what turns a database's URL into the one behind it. Nothing of it is
// configured in our favour: parameters that it doesn't know are refused.
func Pgbouncer(t testing.TB) func(database string) string {
	t.Helper()
	c, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	dir, end, err := c.pool()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	})
	return func(database string) string {
		parsed, err := url.Parse(database)
		if err != nil {
			t.Fatal(err)
		}
		query := parsed.Query()
		query.Set("host", dir)
		query.Set("default_query_exec_mode", "exec")
		parsed.RawQuery = query.Encode()
		return parsed.String()
	}
}

// poolScript runs a pgbouncer until the end of its input, as script does a cluster.
const poolScript = `
"$1" "$2/ini" 2>&1 </dev/null &
cat >/dev/null
kill -INT $! && wait $!
rm -rf "$2"
`

// pool starts a pgbouncer, and returns the folder of its socket and how to end it.
func (c *Cluster) pool() (dir string, end func() error, err error) {
	program, err := exec.LookPath("/usr/sbin/pgbouncer")
	if err != nil {
		return "", nil, fmt.Errorf("pgtest: these tests need pgbouncer: make postgres (Debian: apt-get install pgbouncer): %w", err)
	}
	owner := c.Owner()
	dir, err = pgcluster.Folder("ini", owner, func(dir string) []string {
		return []string{
			"[databases]", "* = host=" + c.Dir + " port=5432 user=" + pgcluster.Superuser,
			"[pgbouncer]", "pool_mode = transaction", "listen_addr =", "listen_port = 5432",
			"unix_socket_dir = " + dir, "auth_type = any", "max_client_conn = 500", "default_pool_size = 20", "server_idle_timeout = 5",
		}
	})
	if err != nil {
		return "", nil, err
	}
	shell := pgcluster.Shell(poolScript, owner, program, dir)
	input, said, err := pgcluster.Pipes(shell)
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	heard := make(chan struct{})
	end = func() error {
		err := input.Close()
		<-heard
		if waited := shell.Wait(); waited != nil && !errors.As(waited, new(*exec.ExitError)) {
			err = errors.Join(err, waited)
		}
		return errors.Join(err, os.RemoveAll(dir))
	}
	lines := bufio.NewReader(said)
	for all := ""; ; {
		line, err := lines.ReadString('\n')
		if all += line; err != nil {
			close(heard)
			return "", nil, errors.Join(fmt.Errorf("pgtest: pgbouncer didn't start: %s", all), end())
		}
		if strings.Contains(line, "process up") {
			break
		}
	}
	go func() {
		_, _ = io.Copy(io.Discard, lines) // what it says from here on is of no use
		close(heard)
	}()
	return dir, end, nil
}
