//go:build ha

package hatest

import (
	"syscall"
	"testing"
	"time"
)

const (
	// sure is within which a failover must have ended; a lease, elections and a start.
	sure = 2*lease*time.Second + 20*time.Second
	// patience of a writer for one answer: longer than a commit ever takes here.
	patience = 3 * time.Second
)

// The leader's machine dies. What was acknowledged is there afterwards, once, and writes
// go on by themselves.
func TestAcknowledgedRowsOutliveTheLeadersMachine(t *testing.T) {
	g := whole(t)
	g.tables(t)
	w := writer{Name: t.Name(), URL: g.url("postgres"), Attempt: patience}
	b, stop := w.here(t)
	b.await(t, 200, sure)
	leader, killed := g.leader(t), time.Now()
	leader.kill9(t)
	g.follow(t, leader, killed)
	b.await(t, 200, sure)
	stop()
	t.Logf("%.1f s without writes after %s was killed", b.silence(killed).Seconds(), leader.name)
	if lost := b.lost(g.rows(t, w.Name)); len(lost) > 0 {
		t.Errorf("of %d acknowledged rows, %d aren't there once: %v", b.count(), len(lost), lost)
	}
}

// PostgreSQL alone dies on the leader. Patroni starts it again where it was.
func TestAcknowledgedRowsOutliveTheLeadersPostgreSQL(t *testing.T) {
	g := whole(t)
	g.tables(t)
	w := writer{Name: t.Name(), URL: g.url("postgres"), Attempt: patience}
	b, stop := w.here(t)
	b.await(t, 200, sure)
	leader, killed := g.leader(t), time.Now()
	leader.killPostgres(t)
	b.await(t, 200, sure)
	stop()
	t.Logf("%.1f s without writes after PostgreSQL on %s was killed", b.silence(killed).Seconds(), leader.name)
	if lost := b.lost(g.rows(t, w.Name)); len(lost) > 0 {
		t.Errorf("of %d acknowledged rows, %d aren't there once: %v", b.count(), len(lost), lost)
	}
}

// The leader is cut off from the other nodes and doesn't know. Whoever speaks with it
// is told of nothing that goes when it comes back, and everybody else goes on.
func TestACutOffLeaderAcknowledgesNothingThatIsLost(t *testing.T) {
	g := whole(t)
	g.tables(t)
	leader := g.leader(t)
	local := "postgres://postgres@127.0.0.1/postgres"
	outside, stopOutside := writer{Name: t.Name() + " outside", URL: g.url("postgres"), Attempt: patience}.here(t)
	inside, stopInside := leader.writes(t, writer{Name: t.Name() + " inside", URL: local, Attempt: patience / 3})
	careless, stopCareless := leader.writes(t, writer{Name: t.Name() + " careless", URL: local, Attempt: patience / 3, Careless: true})
	for _, b := range []*book{outside, inside, careless} {
		b.await(t, 100, sure)
	}
	cut := time.Now()
	leader.pull(t, back, front)
	g.follow(t, leader, cut)
	outside.await(t, 200, sure)
	leader.put(t, back, front)
	stopInside()
	stopCareless()
	outside.await(t, 100, sure)
	stopOutside()
	t.Logf("%.1f s without writes after %s was cut off", outside.silence(cut).Seconds(), leader.name)
	g = whole(t)

	for name, b := range map[string]*book{" outside": outside, " inside": inside} {
		if lost := b.lost(g.rows(t, t.Name()+name)); len(lost) > 0 {
			t.Errorf("%s: of %d acknowledged rows, %d aren't there once: %v", name, b.count(), len(lost), lost)
		}
	}
	// And the danger was there: the cut-off leader had rows to show that are gone.
	if lost := careless.lost(g.rows(t, t.Name()+" careless")); len(lost) == 0 {
		t.Error("whoever takes what the cut-off leader shows for kept lost nothing: the test doesn't reach what it is for")
	} else {
		t.Logf("a careless writer would have lost %d of %d rows", len(lost), careless.count())
	}
}

// The leader's Patroni hangs while its PostgreSQL works on: it isn't cut off from anybody
// and nobody stops it, and yet another node leads. It takes writes and acknowledges none,
// since the one node that may answer for the second disk follows somebody else by then.
func TestALeaderWhosePatroniHangsAcknowledgesNothingThatIsLost(t *testing.T) {
	g := whole(t)
	g.tables(t)
	leader := g.leader(t)
	// Each goes to one node, so that one of them is with the old leader and one with the new.
	books := map[string]*book{}
	var stops []func()
	for _, n := range g.nodes {
		name := t.Name() + " " + n.name
		b, stop := writer{Name: name, URL: n.url("postgres"), Attempt: patience / 3}.here(t)
		books[name], stops = b, append(stops, stop)
	}
	stale := books[t.Name()+" "+leader.name]
	stale.await(t, 100, sure)
	hung := time.Now()
	leader.signal(t, "patroni", syscall.SIGSTOP)
	next := g.follow(t, leader, hung)
	books[t.Name()+" "+next.name].await(t, 100, sure)
	t.Logf("%.1f s from when Patroni on %s hung until %s took writes", time.Since(hung).Seconds(), leader.name, next.name)
	if !leader.writable(t) {
		t.Errorf("%s takes no writes any more: the test doesn't reach what it is for", leader.name)
	}
	before := stale.count()
	leader.signal(t, "patroni", syscall.SIGCONT)
	g = whole(t)
	for _, stop := range stops {
		stop()
	}
	for name, b := range books {
		if lost := b.lost(g.rows(t, name)); len(lost) > 0 {
			t.Errorf("%s: of %d acknowledged rows, %d aren't there once: %v", name, b.count(), len(lost), lost)
		}
	}
	t.Logf("the old leader acknowledged %d rows, all of which are kept", before)
}
