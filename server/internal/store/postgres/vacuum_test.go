package postgres_test

import (
	"context"
	"testing"
	"time"

	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgtest"
)

// A vacuum that lasts, here since somebody holds one of the tables, keeps nobody from writing
// through the same store, and its lease is kept.
func TestAVacuumKeepsNobodyFromWriting(t *testing.T) {
	t.Parallel()
	held := "LOCK TABLE change_log IN SHARE UPDATE EXCLUSIVE MODE"
	for name, c := range map[string]struct {
		vacuum func(*postgres.Store, context.Context) error
		lock   string
		pooled bool
	}{
		"a sweep":               {vacuum: (*postgres.Store).Sweep, lock: held},
		"a sweep behind a pool": {vacuum: (*postgres.Store).Sweep, lock: held, pooled: true},
		"everything anew":       {vacuum: (*postgres.Store).Vacuum, lock: "LOCK TABLE purge IN ACCESS SHARE MODE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Database(t)
			watch, through := observer(t, url), url
			if c.pooled {
				through = pgtest.Pgbouncer(t)(url)
			}
			store := opened(t, through)
			lease := entered(t, store, postgres.Entrant{Name: "one"})
			holder, err := observer(t, url).Begin(t.Context())
			must(t, err)
			_, err = holder.Exec(t.Context(), c.lock)
			must(t, err)
			done, ended := make(chan error, 1), make(chan struct{})
			go func() {
				defer close(ended)
				done <- c.vacuum(store, t.Context())
			}()
			if !waitForALock(t, watch, "relation", 1, ended) {
				t.Fatalf("it waits for nobody: %v", <-done)
			}
			written := make(chan error, 1)
			go func() {
				if err := commit(t.Context(), store); err != nil {
					written <- err
					return
				}
				written <- lease.Renew(t.Context())
			}()
			select {
			case err := <-written:
				is(t, "a group and a renewal", err, nil)
			case <-time.After(generous):
				t.Error("nothing is written meanwhile")
			}
			must(t, holder.Rollback(t.Context()))
			is(t, "a vacuum that was held up", <-done, nil)
		})
	}
}

// Who has no more time for a vacuum leaves none behind.
func TestAVacuumEndsWithWhoWantedIt(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	store, watch := opened(t, url), observer(t, url)
	holder, err := observer(t, url).Begin(t.Context())
	must(t, err)
	_, err = holder.Exec(t.Context(), "LOCK TABLE change_log IN SHARE UPDATE EXCLUSIVE MODE")
	must(t, err)
	ctx, leave := context.WithCancel(t.Context())
	done, ended := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(ended)
		done <- store.Sweep(ctx)
	}()
	if !waitForALock(t, watch, "relation", 1, ended) {
		t.Fatalf("it waits for nobody: %v", <-done)
	}
	leave()
	is(t, "a sweep whose caller left", <-done, context.Canceled)
	if !countsNone(t, watch, "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'VACUUM%' AND state = 'active'") {
		t.Error("it is still there")
	}
	must(t, holder.Rollback(t.Context()))
}
