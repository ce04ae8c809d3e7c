//go:build ha

package hatest

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// follow waits until another node leads, and gives it.
func (g *ground) follow(t *testing.T, gone *node, since time.Time) (next *node) {
	t.Helper()
	g.await(t, "another node leads", sure, func() bool {
		for _, n := range g.others(gone) {
			if n.leads() {
				t.Logf("%s leads %.1f s after %s was lost, at %s", n.name, time.Since(since).Seconds(), gone.name, since.Format("15:04:05.000"))
				next = n
				return true
			}
		}
		return false
	})
	return next
}

// signal sends a signal to a program that was started on the node.
func (n *node) signal(t *testing.T, name string, s syscall.Signal) {
	t.Helper()
	if err := n.started[name].Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// writable asks the node's PostgreSQL itself whether it takes writes.
func (n *node) writable(t *testing.T) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := pgx.Connect(ctx, n.url("postgres"))
	if err != nil {
		t.Log(err)
		return false
	}
	defer shut(c)
	var readOnly bool
	if err := c.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&readOnly); err != nil {
		t.Log(err)
		return false
	}
	return !readOnly
}

// url is where the node's own PostgreSQL is, whether or not it leads.
func (n *node) url(database string) string {
	return "postgres://postgres@" + net.JoinHostPort(n.at(back), "5432") + "/" + database + "?connect_timeout=2"
}

// killPostgres kills the node's PostgreSQL, and nothing else.
func (n *node) killPostgres(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(n.dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
