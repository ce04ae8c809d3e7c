package postgres_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/seal"
	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgtest"
	"gridsync/server/internal/store/sqlstore"
	"gridsync/server/internal/store/storetest"
	"gridsync/syncproto/form"
)

// talkative is an engine that says more often than it must that somebody is there.
type talkative struct{ sqlstore.Dialect }

func (talkative) Patience() time.Duration { return 60 * time.Millisecond }

// hearsWords returns when a database has heard some times from somebody who is amid a group that
// they are there.
func hearsWords(t *testing.T, conn *pgx.Conn) error {
	ctx, stop := context.WithTimeout(t.Context(), generous)
	defer stop()
	for heard := make(map[time.Time]bool); len(heard) < 3; {
		var last *time.Time
		err := conn.QueryRow(ctx, `SELECT MAX(state_change) FROM pg_stat_activity
			WHERE datname = current_database() AND state = 'idle in transaction' AND query = 'SELECT 1'`).Scan(&last)
		if err != nil {
			return fmt.Errorf("nobody says that they are there: %w", err)
		}
		if last != nil {
			heard[*last] = true
		}
	}
	return nil
}

// slow is a store that takes its time to boot, and to read what is derived.
type slow struct {
	*sqlstore.Store
	t     *testing.T
	clock *pgx.Conn
	reads int
}

func (s *slow) Boot(ctx context.Context) (exchange.Boot, error) {
	s.reads++
	if err := hearsWords(s.t, s.clock); err != nil {
		return exchange.Boot{}, err
	}
	return s.Store.Boot(ctx)
}

func (s *slow) Derived(ctx context.Context) (exchange.Derived, error) {
	s.reads++
	if err := hearsWords(s.t, s.clock); err != nil {
		return exchange.Derived{}, err
	}
	return s.Store.Derived(ctx)
}

// What the database is told of our patience is what we go by.
func TestTheDatabaseIsAsPatientAsWeThink(t *testing.T) {
	t.Parallel()
	store := opened(t, pgtest.Database(t))
	var patience int64
	must(t, store.Transact(t.Context(), func(own sqlstore.Own) error {
		return own.Each(func(rows *sql.Rows) error { return rows.Scan(&patience) },
			"SELECT CAST(setting AS BIGINT) FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'")
	}))
	if patience == 0 || patience != postgres.Dialect.Patience().Milliseconds() {
		t.Errorf("%d ms, not %v", patience, postgres.Dialect.Patience())
	}
}

// Deriving anew may read for longer than the database waits for a word, with the lock in hand: it
// has a word from time to time.
func TestDerivingAnewMayTakeItsTime(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	store := &slow{Store: over(t, url, talkative{postgres.Dialect}), t: t, clock: observer(t, url)}
	storetest.Push(t, store, storetest.Load(t, 0, 2, 3))
	forms, err := form.BuiltIn()
	must(t, err)
	now, err := registry.Open(t.Context(), store, forms)
	must(t, err)
	digester, err := seal.NewDigester(bytes.Repeat([]byte{7}, seal.KeySize))
	must(t, err)
	must(t, exchange.Rederive(t.Context(), store, now, digester))
	if store.reads != 2 {
		t.Errorf("it was read %d times", store.reads)
	}
	boot, err := store.Store.Boot(t.Context())
	if err != nil || boot.Digest != digester.Fingerprint() {
		t.Errorf("it wasn't derived anew: %v", err)
	}
}

// What the patience is for: whoever holds the lock and says nothing keeps nobody waiting.
func TestWhoSaysNothingLosesTheLock(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	store, watch := over(t, url, postgres.Impatient(60*time.Millisecond)), observer(t, url)
	err := store.Commit(t.Context(), func(tx exchange.Tx) error {
		if !countsNone(t, watch, "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'") {
			t.Error("the database goes on waiting")
		}
		return tx.Save(storetest.Load(t, 0, 1, 1))
	})
	if err == nil {
		t.Fatal("it was committed")
	}
	storetest.Push(t, opened(t, url), storetest.Load(t, 0, 1, 1))
}

// Who works meanwhile hears that it is for nothing.
func TestWorkEndsWithItsTransaction(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	store, clock := over(t, url, talkative{postgres.Dialect}), observer(t, url)
	err := store.Commit(t.Context(), func(tx exchange.Tx) error {
		return tx.Meanwhile(func(ctx context.Context) error {
			_, err := clock.Exec(ctx, `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
				WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()`)
			if err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		})
	})
	if err == nil {
		t.Error("a group was kept whose transaction was lost")
	}
	storetest.Push(t, store, storetest.Load(t, 0, 1, 1))
}
