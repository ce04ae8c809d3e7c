//go:build ha

package hatest

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// follow waits until another node leads and says what the time went into.
func (g *ground) follow(t *testing.T, gone *node, since time.Time) {
	t.Helper()
	g.await(t, "another node leads", sure, func() bool {
		for _, n := range g.others(gone) {
			if n.leads() {
				t.Logf("%s leads %.1f s after %s was lost, at %s", n.name, time.Since(since).Seconds(), gone.name, since.Format("15:04:05.000"))
				return true
			}
		}
		return false
	})
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
