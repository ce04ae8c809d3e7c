package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gridsync/server/internal/area"
	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/sqlstore"
	"gridsync/syncproto/form"
)

func TestAKeyIsChangedWhileServersRunAndAnotherStarts(t *testing.T) {
	p := newProvince(t)
	one := p.server()
	opts := Options{DB: p.url, Keys: p.keys}
	if _, _, err := AddTokenKey(t.TempDir(), opts); err != nil {
		t.Fatal(err)
	}
	if err := makeSecret(filepath.Join(p.keys, "box-0002.key")); err != nil {
		t.Fatal(err)
	}
	if err := one.keys.refresh(); err != nil { // as it does each second
		t.Fatal(err)
	}
	for _, old := range []string{firstKey, firstBox} {
		if err := os.Remove(filepath.Join(p.keys, old)); err != nil {
			t.Fatal(err)
		}
	}
	if err := one.keys.refresh(); err != nil {
		t.Fatal(err)
	}
	if err := one.berth.(*postgres.Lease).Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.server() // which knows nothing of the old ones
}

// TestWhoeverOnlyLooksWaitsForNobody has somebody hold the lock on writing for as long as it takes.
func TestWhoeverOnlyLooksWaitsForNobody(t *testing.T) {
	p := newProvince(t)
	p.peopled(p.server())
	busy := p.data()
	err := busy.store.Transact(t.Context(), func(sqlstore.Own) error {
		d := p.data()
		if all, err := d.Servers(t.Context()); err != nil || len(all) != 1 {
			t.Errorf("servers: %+v, %v", all, err)
		}
		if all, err := d.Partitions(t.Context()); err != nil || len(all) != 1 {
			t.Errorf("partitions: %+v, %v", all, err)
		}
		if shape, err := d.FarShape(t.Context(), "g1"); err != nil || !strings.Contains(shape, "CREATE TABLE") {
			t.Errorf("a shape: %s, %v", shape, err)
		}
		if _, err := d.FarShape(t.Context(), "g9"); !errors.Is(err, ErrUnknownArea) {
			t.Errorf("the shape of nothing: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestWhoeverWritesFirstFindsOutThatItWasOusted has a command's own write meet what its keeping
// would have met seconds later.
func TestWhoeverWritesFirstFindsOutThatItWasOusted(t *testing.T) {
	p := newProvince(t)
	d, other := p.data(), p.data()
	err := d.alone(t.Context(), func(ctx context.Context) error {
		err := other.store.Transact(ctx, func(own sqlstore.Own) error { return own.Exec("DELETE FROM server_lease") })
		if err != nil {
			return err
		}
		return d.store.PutAreas(ctx, []area.Node{{ID: "33", Name: "浙江省"}})
	})
	if !errors.Is(err, ErrOusted) {
		t.Errorf("%v", err)
	}
}

func TestWhoIsInTheWayIsNamedByTheClockOnTheWall(t *testing.T) {
	p := newProvince(t)
	p.server()
	d := p.data()
	all, err := d.Servers(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	want := fmt.Sprintf("%s since %s", all[0].Name, all[0].Since.In(form.Zone).Format(time.DateTime))
	if _, err := d.RebuildAlone(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestTheLogTellsOnceThatAServerCantSayThatItIsAliveAndWhenItCan(t *testing.T) {
	var out bytes.Buffer
	s := &Server{Data: &Data{engine: cluster{}}}
	s.outage = newOutage(slog.New(slog.NewTextHandler(&out, nil)), s.engine.Away)
	s.log = s.outage.log()
	tell := s.tellRenewals()
	says := func(when string, want ...string) {
		t.Helper()
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if out.Len() == 0 {
			lines = nil
		}
		if len(lines) != len(want) {
			t.Errorf("%s it says %q", when, lines)
			return
		}
		for i := range want {
			if !strings.Contains(lines[i], want[i]) {
				t.Errorf("%s it says %s, want %s", when, lines[i], want[i])
			}
		}
		out.Reset()
	}
	away := fmt.Errorf("renew: %w", &net.OpError{Op: "dial", Err: errGone})
	for range 3 {
		tell(errGone)
		tell(away)
	}
	says("of what fails and fails", "can't say that it is alive", "the database is away")
	tell(nil)
	says("of what works again", "can say again")
	tell(away)
	tell(nil)
	says("of what the outage tells")
	tell(errGone)
	says("of the next time", "can't say that it is alive")
}

// TestAServerThatIsStoppedWhileItStartsLeavesNothing starts one so slowly that it has to say
// meanwhile that it is alive, and then has it stopped before it can listen.
func TestAServerThatIsStoppedWhileItStartsLeavesNothing(t *testing.T) {
	t.Parallel()
	p := newProvince(t)
	d := p.data()
	until := func() (until time.Time) {
		all, err := d.Servers(t.Context())
		if err != nil || len(all) > 1 {
			t.Error(all, err)
		}
		if len(all) == 1 {
			until = all[0].Until
		}
		return until
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	cfg := p.config()
	cfg.Listen = "127.0.0.1:65536"
	cfg.Now = func() time.Time { // which it asks for on its way
		if first := until(); ctx.Err() == nil && !first.IsZero() {
			for until().Equal(first) {
			}
			stop()
		}
		return time.Now()
	}
	s, err := Start(ctx, cfg)
	if err == nil {
		t.Fatal("it serves", s.Close())
	}
	if ctx.Err() == nil {
		t.Fatal("it wasn't stopped where it was to be", err)
	}
	if left := until(); !left.IsZero() {
		t.Errorf("it is alive until %s: %v", left, err)
	}
}
