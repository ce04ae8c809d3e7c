package host

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"gridsync/server/internal/store/sqlstore"
	"gridsync/syncproto"
)

func TestAServerThatStopsWaitsForNobodyForEver(t *testing.T) {
	p := newProvince(t)
	s, err := Start(t.Context(), p.config())
	if err != nil {
		t.Fatal(err)
	}
	e := p.peopled(s)
	other := p.data()
	answered := make(chan struct{})
	err = other.store.Transact(t.Context(), func(own sqlstore.Own) error {
		go func() {
			defer close(answered)
			_, err := s.exchange.Sync(context.WithoutCancel(t.Context()), e.ID, &syncproto.Request{
				Protocol: syncproto.Protocol, Device: e.ID, Clock: 1, High: 1, Changes: []json.RawMessage{visit(&e, 1, "g1")},
			})
			if !errors.Is(err, ErrOusted) {
				t.Errorf("the group: %v", err)
			}
		}()
		for waiting := 0; waiting == 0; {
			err := own.Each(func(rows *sql.Rows) error { return rows.Scan(&waiting) }, `SELECT COUNT(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
				WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted`)
			if err != nil {
				return err
			}
		}
		s.drain, s.settle = time.Millisecond, time.Millisecond
		if err := s.Close(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it stopped amid its group: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	<-answered
	if diff, err := other.Rebuild(t.Context()); err != nil || diff.Changes != 0 {
		t.Errorf("a server that has stopped wrote: %+v, %v", diff, err)
	}
}

func TestWhatTakesTooLongLeavesTheRestItsTime(t *testing.T) {
	p := newProvince(t)
	s, err := Start(t.Context(), p.config())
	if err != nil {
		t.Fatal(err)
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("POST /v1/sync HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")); err != nil { // whose end never comes
		t.Fatal(err)
	}
	res, err := http.Get(s.URL() + "/healthz") // after which that one is being read
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	s.drain = time.Millisecond
	if err := s.Close(); !errors.Is(err, context.DeadlineExceeded) || strings.Count(err.Error(), "deadline") != 1 {
		t.Errorf("one request didn't end: %v", err)
	}
	if all, err := p.data().Servers(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("it left %+v, %v", all, err)
	}
}
