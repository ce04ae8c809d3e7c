package postgres_test

import (
	"bytes"
	"context"
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

// The database's patience with a transaction in which nothing happens, here, and a time that is
// longer, by the database's clock.
const (
	shortPatience = 2 * time.Second
	tooLong       = "SELECT pg_sleep(5)"
)

// slow is a store that takes its time to boot, and to read what is derived.
type slow struct {
	*sqlstore.Store
	clock *pgx.Conn
	reads int
}

func (s *slow) Boot(ctx context.Context) (exchange.Boot, error) {
	s.reads++
	if _, err := s.clock.Exec(ctx, tooLong); err != nil {
		return exchange.Boot{}, err
	}
	return s.Store.Boot(ctx)
}

func (s *slow) Derived(ctx context.Context) (exchange.Derived, error) {
	s.reads++
	if _, err := s.clock.Exec(ctx, tooLong); err != nil {
		return exchange.Derived{}, err
	}
	return s.Store.Derived(ctx)
}

// Deriving anew reads for longer than the database waits for a word, with the lock in hand. It
// is done all the same.
func TestDerivingAnewMayTakeItsTime(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	store := &slow{Store: over(t, url, postgres.Impatient(shortPatience)), clock: observer(t, url)}
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
	store, clock := over(t, url, postgres.Impatient(shortPatience)), observer(t, url)
	err := store.Commit(t.Context(), func(tx exchange.Tx) error {
		if _, err := clock.Exec(t.Context(), tooLong); err != nil {
			return err
		}
		return tx.Save(storetest.Load(t, 0, 1, 1))
	})
	if err == nil {
		t.Fatal("it was committed")
	}
	storetest.Push(t, store, storetest.Load(t, 0, 1, 1))
}

// Who works meanwhile hears that it is for nothing.
func TestWorkEndsWithItsTransaction(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	store, clock := over(t, url, postgres.Impatient(shortPatience)), observer(t, url)
	err := store.Commit(t.Context(), func(tx exchange.Tx) error {
		return tx.Meanwhile(func(ctx context.Context) error {
			_, err := clock.Exec(ctx, `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
				WHERE datname = current_database() AND state = 'idle in transaction'`)
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
