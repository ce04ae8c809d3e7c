//go:build ha

package hatest

import (
	"testing"
	"time"
)

const (
	phones = 12
	// between two misfortunes so many changes are acknowledged.
	between = 150
)

// Phones push to three servers over three nodes. A server is killed; the leader's machine
// dies and comes back; the leader is cut off from the other nodes while phones still reach
// the server beside it; a node is cut off from everybody. In the end every change is held
// once, every receipt covers what its phone recorded, and phones saw nothing but retries.
func TestAFleetSeesOnlyRetries(t *testing.T) {
	g := whole(t)
	database := g.database(t)
	f := g.enrol(t, database, phones)
	var servers []*service
	for _, n := range g.nodes {
		servers = append(servers, n.serve(t, database))
	}
	stop := f.works(t)
	f.book.await(t, between, sure)

	for _, misfortune := range []struct {
		name   string
		befall func(leader *node)
		mend   func(leader *node)
	}{
		{"a server was killed", func(n *node) { servers[n.n%size].kill9() }, nil},
		{"the leader's machine was killed", func(n *node) { n.kill9(t) }, func(n *node) { n.ensure(t) }},
		{"the leader was cut off from the other nodes", func(n *node) { n.pull(t, back) }, func(n *node) { n.put(t, back) }},
		{"another node was cut off from everybody", func(n *node) { g.others(n)[0].pull(t, back, front) }, func(n *node) { g.others(n)[0].put(t, back, front) }},
		{"the leader was cut off from everybody", func(n *node) { n.pull(t, back, front) }, func(n *node) { n.put(t, back, front) }},
	} {
		whole(t)
		leader, since := g.leader(t), time.Now()
		misfortune.befall(leader)
		f.book.await(t, between, sure)
		// Until phones work with another leader for a while, or go on with this one.
		t.Logf("%s: %.1f s without writes", misfortune.name, f.book.silence(since).Seconds())
		if misfortune.mend != nil {
			misfortune.mend(leader)
		}
		f.book.await(t, between, sure)
	}
	whole(t)
	stop()
	f.settle(t, g)
	f.account(t, g, database)
}

// database makes a database of its own, and gives its address.
func (g *ground) database(t *testing.T) string {
	t.Helper()
	c := g.connect(t, g.url("postgres"))
	if _, err := c.Exec(t.Context(), "CREATE DATABASE gridsync"); err != nil {
		t.Fatal(err)
	}
	return g.url("gridsync")
}
