package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"gridsync/server/internal/area"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgtest"
)

// lapsed is a lease that ends as soon as it is taken, as if its server had died.
const lapsed = -time.Second

func anybody([]postgres.Server) error { return nil }

// quietly is told of nothing.
func quietly(error) {}

// entered takes a lease.
func entered(t *testing.T, s *postgres.Store, e postgres.Entrant) *postgres.Lease {
	t.Helper()
	l, err := s.Enter(t.Context(), e, anybody)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// commit commits something that is nothing.
func commit(ctx context.Context, s *postgres.Store) error {
	return s.Commit(ctx, func(tx exchange.Tx) error { return nil })
}

func is(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func TestAServerThatWasTakenForDeadWritesNoMore(t *testing.T) {
	url := pgtest.Database(t)
	dead, other := opened(t, url), opened(t, url)
	lease := entered(t, dead, postgres.Entrant{Name: "dead", Lasts: lapsed})
	is(t, "a lapsed lease that nobody took away", commit(t.Context(), dead), nil)
	entered(t, other, postgres.Entrant{Name: "repair", Alone: true})
	is(t, "a group of the server that was taken for dead", commit(t.Context(), dead), postgres.ErrLeaseLost)
	is(t, "what commands write, by that server", dead.PutAreas(t.Context(), []area.Node{{ID: "33", Name: "浙江省"}}), postgres.ErrLeaseLost)
	is(t, "its renewal", lease.Renew(t.Context()), postgres.ErrLeaseLost)
	_, err := lease.Mine(t.Context(), "sweep", time.Hour)
	is(t, "taking work on", err, postgres.ErrLeaseLost)
	is(t, "whoever works alone", commit(t.Context(), other), nil)
	if tree, err := other.Areas(t.Context()); err != nil || len(tree) != 0 {
		t.Errorf("%d areas were written, %v", len(tree), err)
	}
}

func TestALeaseThatLapsedIsGoodUntilSomebodyNeedsTheDatabaseAlone(t *testing.T) {
	url := pgtest.Database(t)
	slow, other := opened(t, url), opened(t, url)
	lease := entered(t, slow, postgres.Entrant{Name: "slow", Lasts: lapsed})
	entered(t, other, postgres.Entrant{Name: "other"})
	is(t, "renewed after another server came", lease.Renew(t.Context()), nil)
}

func TestWhoEntersIsToldWhoIsThere(t *testing.T) {
	url := pgtest.Database(t)
	first, second, third := opened(t, url), opened(t, url), opened(t, url)
	entered(t, first, postgres.Entrant{Name: "一号", Keys: func() string { return "keys of one" }})
	entered(t, second, postgres.Entrant{Name: "dead", Lasts: lapsed})
	var told []postgres.Server
	no := errors.New("no")
	_, err := third.Enter(t.Context(), postgres.Entrant{Name: "third"}, func(others []postgres.Server) error {
		told = others
		return no
	})
	is(t, "one that isn't admitted", err, no)
	if len(told) != 2 || told[0].Name != "一号" || told[0].Keys != "keys of one" || told[0].Lapsed || !told[1].Lapsed || told[0].Since.IsZero() {
		t.Errorf("told of %+v", told)
	}
	all, err := third.Servers(t.Context())
	if err != nil || len(all) != 2 {
		t.Errorf("whoever wasn't admitted is there: %+v, %v", all, err)
	}
	is(t, "and writes as before", commit(t.Context(), third), nil)
}

func TestWhoWorkedAloneAndDiedIsInNobodysWay(t *testing.T) {
	url := pgtest.Database(t)
	dead, server := opened(t, url), opened(t, url)
	entered(t, dead, postgres.Entrant{Name: "died amid a repair", Alone: true, Lasts: lapsed})
	_, err := server.Enter(t.Context(), postgres.Entrant{Name: "server"}, func(others []postgres.Server) error {
		if len(others) != 0 {
			t.Errorf("in the way: %+v", others)
		}
		return nil
	})
	is(t, "a server", err, nil)
	is(t, "the dead one", commit(t.Context(), dead), postgres.ErrLeaseLost)
}

func TestServersAreCountedWhileTheyLive(t *testing.T) {
	url := pgtest.Database(t)
	one, two, three := opened(t, url), opened(t, url), opened(t, url)
	first := entered(t, one, postgres.Entrant{Name: "one"})
	second := entered(t, two, postgres.Entrant{Name: "two"})
	entered(t, three, postgres.Entrant{Name: "dead", Lasts: lapsed})
	count := func(want int) {
		t.Helper()
		if err := first.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := first.Servers(); got != want {
			t.Errorf("%d servers, want %d", got, want)
		}
	}
	if got := second.Servers(); got != 2 {
		t.Errorf("the second finds %d servers", got)
	}
	count(2)
	if err := second.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	count(1)
	is(t, "after leaving", commit(t.Context(), two), postgres.ErrLeaseLost)
}

func TestWorkIsOneServersUntilItIsGone(t *testing.T) {
	url := pgtest.Database(t)
	one, two, three := opened(t, url), opened(t, url), opened(t, url)
	first := entered(t, one, postgres.Entrant{Name: "one"})
	second := entered(t, two, postgres.Entrant{Name: "two"})
	dies := entered(t, three, postgres.Entrant{Name: "three", Lasts: lapsed})
	mine := func(l *postgres.Lease, work string, during time.Duration, want bool) {
		t.Helper()
		if got, err := l.Mine(t.Context(), work, during); err != nil || got != want {
			t.Errorf("%s is mine: %v, want %v (%v)", work, got, want, err)
		}
	}
	mine(first, "sweep", time.Hour, true)
	mine(second, "sweep", time.Hour, false)
	mine(first, "sweep", time.Hour, true)
	mine(second, "something else", time.Hour, true)
	if err := first.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	mine(second, "sweep", time.Hour, true)
	mine(dies, "left behind", time.Hour, true)
	mine(second, "left behind", time.Hour, true)
	mine(second, "over", -time.Hour, true)
	mine(entered(t, opened(t, url), postgres.Entrant{Name: "four"}), "over", time.Hour, true)
}

func TestWhoeverKeepsALeaseIsToldWhenItIsLost(t *testing.T) {
	url := pgtest.Database(t)
	server, other := opened(t, url), opened(t, url)
	lease := entered(t, server, postgres.Entrant{Name: "server", Lasts: lapsed})
	entered(t, other, postgres.Entrant{Name: "repair", Alone: true})
	is(t, "kept", lease.Keep(t.Context(), quietly), postgres.ErrLeaseLost)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	is(t, "kept until the end", lease.Keep(ctx, quietly), nil)
}

func TestALeaseSaysWhichKeysItsServerHasNow(t *testing.T) {
	url := pgtest.Database(t)
	keys := "the first"
	lease := entered(t, opened(t, url), postgres.Entrant{Name: "server", Keys: func() string { return keys }})
	keys = "the second"
	is(t, "renewed", lease.Renew(t.Context()), nil)
	if all, err := opened(t, url).Servers(t.Context()); err != nil || len(all) != 1 || all[0].Keys != keys {
		t.Errorf("%+v, %v", all, err)
	}
}

// TestAServerThatWaitsIsAlive renews and gives back leases while others, or their own servers,
// are amid a group that takes long.
func TestAServerThatWaitsIsAlive(t *testing.T) {
	url := pgtest.Database(t)
	derives, waits, leaves := opened(t, url), opened(t, url), opened(t, url)
	first := entered(t, derives, postgres.Entrant{Name: "derives anew"})
	second := entered(t, waits, postgres.Entrant{Name: "waits for it"})
	third := entered(t, leaves, postgres.Entrant{Name: "stops"})
	err := derives.Commit(t.Context(), func(tx exchange.Tx) error {
		is(t, "whoever has the lock renews", first.Renew(t.Context()), nil)
		is(t, "another one renews", second.Renew(t.Context()), nil)
		is(t, "another one leaves", third.Leave(t.Context()), nil)
		return nil
	})
	is(t, "the group", err, nil)
	if first.Servers() != 3 {
		t.Errorf("it counted %d", first.Servers())
	}
	is(t, "who has left", commit(t.Context(), leaves), postgres.ErrLeaseLost)
}

func TestWhoeverKeepsALeaseHearsThatItCantAndThatItCanAgain(t *testing.T) {
	url := pgtest.Empty(t)
	lease := entered(t, opened(t, url), postgres.Entrant{Name: "server", Lasts: lapsed})
	conn := observer(t, url)
	alter := func(text string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	alter("ALTER TABLE server_lease RENAME TO away")
	told, kept := make(chan error), make(chan error)
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		kept <- lease.Keep(ctx, func(err error) { told <- err })
	}()
	for range 2 {
		if err := <-told; err == nil {
			t.Error("it can renew what isn't there")
		}
	}
	alter("ALTER TABLE away RENAME TO server_lease")
	for (<-told) != nil { // those that had failed by then
	}
	stop()
	is(t, "the end", <-kept, nil)
}
