//go:build ha

package hatest

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"gridsync/server/internal/store/sqlstore"
)

const (
	phones = 12
	// between two misfortunes so many changes are acknowledged.
	between = 150
)

// Phones push to three servers over three nodes. A server is killed; the leader's machine
// dies and comes back; the leader is cut off from the other nodes while phones still reach
// the server beside it; each node in turn is cut off from everybody. In the end every change is held
// once, every receipt covers what its phone recorded, and phones saw nothing but retries.
func TestAFleetSeesOnlyRetries(t *testing.T) {
	g := whole(t)
	database := g.database(t, "fleet")
	f := g.enrol(t, database, phones)
	var servers []*service
	for _, n := range g.nodes {
		servers = append(servers, n.serve(t, database))
	}
	stop := f.works(t)
	f.book.await(t, between, sure)
	first, _ := g.counts(t, database)

	for _, misfortune := range []struct {
		name   string
		whom   func(*testing.T) *node
		befall func(*node)
		mend   func(*node)
	}{
		{"a server was killed", g.leader, func(n *node) { servers[n.n%size].kill9() }, func(*node) {}},
		{"the leader's machine was killed", g.leader, func(n *node) { n.kill9(t) }, func(n *node) { n.ensure(t) }},
		{"the leader was cut off from the other nodes", g.leader, func(n *node) { n.pull(t, back) }, func(n *node) { n.put(t, back) }},
		{"the second node was cut off from everybody", g.second, func(n *node) { n.pull(t, back, front) }, func(n *node) { n.put(t, back, front) }},
		{"the third node was cut off from everybody", g.third, func(n *node) { n.pull(t, back, front) }, func(n *node) { n.put(t, back, front) }},
		{"the leader was cut off from everybody", g.leader, func(n *node) { n.pull(t, back, front) }, func(n *node) { n.put(t, back, front) }},
	} {
		whole(t)
		n, since := misfortune.whom(t), time.Now()
		misfortune.befall(n)
		f.book.await(t, between, sure)
		t.Logf("%s: %.1f s without writes", misfortune.name, f.book.silence(since).Seconds())
		misfortune.mend(n)
		f.book.await(t, between, sure)
	}
	whole(t)
	stop()
	f.settle(t, g)
	f.account(t, g, database)
	if last, number := g.counts(t, database); last < first+3 || number < (last-first)*sqlstore.TimelineStep {
		t.Errorf("from timeline %d on the numbers came to %d on timeline %d: some may have been given out twice", first, number, last)
	}
}

// counts is on which timeline numbers are given out there, and how far they have come.
func (g *ground) counts(t *testing.T, database string) (timeline, number int64) {
	t.Helper()
	if err := g.connect(t, database).QueryRow(t.Context(), "SELECT timeline, last_number FROM meta").Scan(&timeline, &number); err != nil {
		t.Fatal(err)
	}
	return timeline, number
}

// The leader is cut off from the other nodes, phones reach none but the server beside it,
// and somebody who sees commits hang there cancels them. Of a commit that is broken off
// while it waits for the second node PostgreSQL says that it succeeded, with a warning, and
// what was committed so is rewound when the other nodes are there again. No phone may have
// heard that it is held.
func TestACommitThatWasBrokenOffIsNoAcknowledgement(t *testing.T) {
	g := whole(t)
	database := g.database(t, "hasty")
	f := g.enrol(t, database, phones)
	f.rewinds = true
	leader := g.leader(t)
	leader.serve(t, database)
	stop := f.works(t)
	f.book.await(t, between, sure)
	since := time.Now()
	leader.pull(t, back)
	cancelled := 0
	g.await(t, "another node leads", sure, func() bool {
		cancelled += leader.cancelCommits(t, "hasty")
		return slices.ContainsFunc(g.others(leader), (*node).leads)
	})
	t.Logf("another node leads after %.1f s; %d commits were cancelled", time.Since(since).Seconds(), cancelled)
	if cancelled == 0 {
		t.Error("no commit hung: the test doesn't reach what it is for")
	}
	leader.put(t, back)
	for _, n := range g.others(leader) {
		n.serve(t, database)
	}
	f.book.await(t, between, sure)
	whole(t)
	stop()
	f.settle(t, g)
	f.account(t, g, database)
}

// cancelCommits cancels the commits that hang on the node, and says how many there were.
func (n *node) cancelCommits(t *testing.T, database string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := n.run("postgres", filepath.Join(n.g.bin, "psql"), "-h", "127.0.0.1", "-d", database, "-Atc",
		"SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = '"+database+"'")
	var out strings.Builder
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	answered := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer answered()
	_ = cmd.Wait() // PostgreSQL may be going down there
	return strings.Count(out.String(), "t")
}

// database makes a database of its own, and gives its address.
func (g *ground) database(t *testing.T, name string) string {
	t.Helper()
	c := g.connect(t, g.url("postgres"))
	if _, err := c.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	// A node that doesn't have it yet says that there is none, and pgx asks no other then.
	g.await(t, "all nodes have the database", wholeness, func() bool {
		for _, n := range g.nodes {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			there, err := pgx.Connect(ctx, n.url(name))
			cancel()
			if err != nil {
				return false
			}
			shut(there)
		}
		return true
	})
	return g.url(name)
}
