package postgres_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgtest"
	"gridsync/server/internal/store/sqlstore"
)

// ear hears what a store hears.
type ear struct {
	stirred chan struct{}
	trouble chan error
}

// listening lets a store listen until the test ends, and waits until it does.
func listening(t *testing.T, s *postgres.Store) *ear {
	t.Helper()
	e := &ear{make(chan struct{}, 100), make(chan error, 100)}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Hear(ctx, func() { e.stirred <- struct{}{} }, func(err error) { e.trouble <- err })
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	return e
}

// hears waits for a call.
func (e *ear) hears(t *testing.T) {
	t.Helper()
	select {
	case <-e.stirred:
	case err := <-e.trouble:
		t.Fatalf("trouble: %v", err)
	case <-t.Context().Done():
		t.Fatal("nothing was heard")
	}
}

func putArea(t *testing.T, s *postgres.Store, code string) {
	t.Helper()
	if err := s.PutAreas(t.Context(), []area.Node{{ID: "33", Name: code}}); err != nil {
		t.Fatal(err)
	}
}

// lastWord is said after all that a test counts, and ends as words do on the wire.
const lastWord = "no more"

// untilLast is a connection that is cut behind the last word.
type untilLast struct {
	net.Conn
	all []byte
}

func (c *untilLast) Read(page []byte) (int, error) {
	if bytes.Contains(c.all, []byte(lastWord+"\x00")) {
		return 0, io.EOF
	}
	n, err := c.Conn.Read(page)
	c.all = append(c.all, page[:n]...)
	return n, err
}

// heard counts what a store hears of what is done.
func heard(t *testing.T, s *postgres.Store, url string, work func()) (n int) {
	t.Helper()
	s.ListenThrough(func(c net.Conn) net.Conn { return &untilLast{Conn: c} })
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	begun := make(chan struct{}, 100)
	var listening sync.WaitGroup
	listening.Go(func() {
		s.Hear(ctx, func() { n++; begun <- struct{}{} }, func(error) { stop() })
	})
	select {
	case <-begun:
	case <-ctx.Done():
		t.Fatal("nobody listens")
	}
	work()
	_, err := observer(t, url).Exec(t.Context(), "SELECT pg_notify('gridsync', $1)", lastWord)
	must(t, err)
	listening.Wait()
	return n - 2 // that it listens, and the last word
}

func TestWhatOneCommitsOthersHear(t *testing.T) {
	url := pgtest.Database(t)
	one, two := opened(t, url), opened(t, url)
	n := heard(t, one, url, func() {
		putArea(t, one, "its own isn't heard")
		putArea(t, two, "areas are")
		is(t, "a group", commit(t.Context(), two), nil)
	})
	if n != 2 {
		t.Errorf("heard %d times", n)
	}
}

var errRefused = errors.New("refused")

func TestNothingIsHeardOfWhatWasRolledBack(t *testing.T) {
	url := pgtest.Database(t)
	one, two, three := opened(t, url), opened(t, url), opened(t, url)
	said := 0
	two.TakeCare(sqlstore.Care{Stirred: func(own sqlstore.Own) error {
		said++
		return errors.Join(two.Notify(own), errRefused) // all was written, and said
	}})
	n := heard(t, one, url, func() {
		is(t, "refused", commit(t.Context(), two), errRefused)
		putArea(t, three, "heard")
	})
	if said != 1 || n != 1 {
		t.Errorf("said %d times, and heard %d", said, n)
	}
}

func TestAnEarThatWasCutOffListensAgain(t *testing.T) {
	url := pgtest.Database(t)
	one, two := opened(t, url), opened(t, url)
	ears := listening(t, one)
	ears.hears(t)
	err := two.Transact(t.Context(), func(own sqlstore.Own) error {
		return own.Each(func(*sql.Rows) error { return nil },
			"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'")
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-ears.trouble; err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("the trouble is %v", err)
	}
	ears.hears(t) // that it listens again: it may have missed something
	putArea(t, two, "heard")
	ears.hears(t)
}

func TestNobodyListensThroughAPool(t *testing.T) {
	url := pgtest.Database(t)
	one, two := opened(t, pgtest.Pgbouncer(t)(url)), opened(t, url)
	ears := listening(t, one)
	if err := <-ears.trouble; !errors.Is(err, postgres.ErrPooled) {
		t.Errorf("the trouble is %v", err)
	}
	putArea(t, two, "not heard")
	left := 0
	err := two.Transact(t.Context(), func(own sqlstore.Own) error {
		return own.Each(func(rows *sql.Rows) error { return rows.Scan(&left) },
			"SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'")
	})
	if err != nil || left != 0 {
		t.Errorf("%d connections of the pool listen, %v", left, err)
	}
}

// TestAPoolNeedsNoWordInTheAddress works through a pool by two stores whose statements would
// be prepared on connections that the other one is lent.
func TestAPoolNeedsNoWordInTheAddress(t *testing.T) {
	through := pgtest.Pgbouncer(t)(pgtest.Empty(t))
	url := strings.ReplaceAll(through, "default_query_exec_mode=exec", "application_name=silent")
	if url == through {
		t.Fatal(through)
	}
	one, two := opened(t, url), opened(t, url)
	for i := range 5 {
		for _, s := range []*postgres.Store{one, two} {
			putArea(t, s, "district"+strconv.Itoa(i))
			is(t, "a group", commit(t.Context(), s), nil)
			if _, err := s.Boot(t.Context()); err != nil {
				t.Error(err)
			}
			if sealed, err := postgres.Sealed(t.Context(), url); err != nil || !sealed {
				t.Errorf("sealed %v, %v", sealed, err)
			}
		}
	}
	ears := listening(t, one)
	if err := <-ears.trouble; !errors.Is(err, postgres.ErrPooled) || !strings.Contains(err.Error(), "default_query_exec_mode") {
		t.Errorf("nobody is told how it is worked through: %v", err)
	}
}

func TestLeasesHoldBehindAPool(t *testing.T) {
	url := pgtest.Database(t)
	behind := pgtest.Pgbouncer(t)
	dead, other, beside := opened(t, behind(url)), opened(t, behind(url)), opened(t, url)
	lease := entered(t, dead, postgres.Entrant{Name: "dead", Lasts: lapsed})
	is(t, "renewed", lease.Renew(t.Context()), nil)
	ears := listening(t, beside)
	ears.hears(t)
	is(t, "a group", commit(t.Context(), dead), nil)
	ears.hears(t) // what is said passes through
	entered(t, other, postgres.Entrant{Name: "repair", Alone: true})
	is(t, "a group of the server that was taken for dead", commit(t.Context(), dead), postgres.ErrLeaseLost)
}
