package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/hook"
	"gridsync/server/internal/seal"

	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgtest"
	"gridsync/server/internal/store/sqlstore"
	"gridsync/server/internal/store/storetest"
	"gridsync/syncproto"
)

func open(t testing.TB, url string) *postgres.Store {
	t.Helper()
	store, err := postgres.Open(t.Context(), url, postgres.Options{Keys: storetest.Keys(t)})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// TestStore holds the engine against the contract.
func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Place {
		url := pgtest.Database(t)
		t.Cleanup(func() { sound(t, url) })
		return func(t *testing.T) storetest.Engine { return open(t, url) }
	})
}

func TestANewDatabaseTakesItsEpochAndKeepsIt(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	for i, given := range []syncproto.Epoch{{1}, {2}} {
		store, err := postgres.Open(t.Context(), url, postgres.Options{NewEpoch: given, Keys: storetest.Keys(t)})
		if err != nil {
			t.Fatal(err)
		}
		boot, err := store.Boot(t.Context())
		if err != nil || boot.Epoch != (syncproto.Epoch{1}) {
			t.Errorf("opened %d times: epoch %s, %v", i+1, boot.Epoch, err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestADatabaseIsReadWithTheKeysThatItWasSealedWith(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	if sealed, err := postgres.Sealed(t.Context(), url); err != nil || sealed {
		t.Errorf("without a table: %v, %v", sealed, err)
	}
	if err := open(t, url).Close(); err != nil {
		t.Fatal(err)
	}
	if sealed, err := postgres.Sealed(t.Context(), url); err != nil || !sealed {
		t.Errorf("once it was opened: %v, %v", sealed, err)
	}
	_, err := postgres.Open(t.Context(), url, postgres.Options{Keys: storetest.Keys(t, 2)})
	if !errors.Is(err, &seal.MissingKeyError{ID: 1}) {
		t.Errorf("with other keys: %v", err)
	}
}

func TestNoErrorTellsThePassword(t *testing.T) {
	t.Parallel()
	const secret = "tianqi-9931"
	for _, url := range []string{
		"postgres://server:" + secret + "@127.0.0.1:1/gridsync?connect_timeout=1",
		"postgres://server:" + secret + "@127.0.0.1:port/gridsync",
		"postgres://server:" + secret + "@127.0.0.1:1/gridsync?default_query_exec_mode=" + "none",
		"host=127.0.0.1 port=1 user=server dbname=gridsync password=" + secret,
	} {
		_, err := postgres.Open(t.Context(), url, postgres.Options{Keys: storetest.Keys(t)})
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%v", err)
		}
		if _, err := postgres.Sealed(t.Context(), url); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%v", err)
		}
	}
}

// TestADatabaseThatIsNewerIsRefused has a release to come bring it up to date.
func TestADatabaseThatIsNewerIsRefused(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	must(t, open(t, url).Close())
	conn := observer(t, url)
	_, err := conn.Exec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, TRUE)")
	must(t, err)
	before := number(t, conn, "SELECT COUNT(*) FROM goose_db_version")
	_, err = postgres.Open(t.Context(), url, postgres.Options{Keys: storetest.Keys(t, 1, 2)})
	if newer := (*sqlstore.NewerError)(nil); !errors.As(err, &newer) || newer.Database != 99 || newer.Program < 50 || newer.Program >= 99 {
		t.Errorf("%v", err)
	}
	if n, keys := number(t, conn, "SELECT COUNT(*) FROM goose_db_version"), number(t, conn, "SELECT COUNT(*) FROM seal_key"); n != before || keys != 1 {
		t.Errorf("%d steps became %d, with %d keys", before, n, keys)
	}
}

// TestNoTableChangesBelowAServer has a server live that works on tables which lack a step.
func TestNoTableChangesBelowAServer(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	store := opened(t, url)
	lease, err := store.Enter(t.Context(), postgres.Entrant{Name: "一号"}, func([]postgres.Server) error { return nil })
	must(t, err)
	_, err = observer(t, url).Exec(t.Context(), behindByOne)
	must(t, err)
	_, err = postgres.Open(t.Context(), url, postgres.Options{Keys: storetest.Keys(t)})
	if !errors.Is(err, sqlstore.ErrServed) || !strings.Contains(err.Error(), "一号") {
		t.Errorf("beside a server: %v", err)
	}
	must(t, lease.Leave(t.Context()))
	must(t, open(t, url).Close())
}

// TestNoTextOfADeviceKeepsAGroupOut has a device say of itself what PostgreSQL can't hold.
func TestNoTextOfADeviceKeepsAGroupOut(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"", "&default_query_exec_mode=exec", "&default_query_exec_mode=cache_describe"} {
		store := opened(t, pgtest.Database(t)+mode)
		batch := storetest.Load(t, 0, 1, 1)
		batch.Devices[0].App = "网格通\x00\xe7\xbd"
		storetest.Push(t, store, batch)
		state, err := store.Device(t.Context(), batch.Devices[0].Device)
		if err != nil || state.App != "网格通\uFFFD\uFFFD" {
			t.Errorf("%s: %q, %v", mode, state.App, err)
		}
		if err := store.AddHook(t.Context(), &hook.Hook{ID: uuid.UUID{1}, Area: "33\x00", Target: hook.Target{URL: "https://example.org"}}); err != nil {
			t.Errorf("%s: a text that stands alone: %v", mode, err)
		}
		if found, err := store.Hooks(t.Context(), []syncproto.AreaID{"33\x00"}); err != nil || len(found) != 1 {
			t.Errorf("%s: a text of a list: %v, %v", mode, found, err)
		}
	}
}

// TestADatabaseOfAnotherEncodingIsRefused: it couldn't hold every name.
func TestADatabaseOfAnotherEncodingIsRefused(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	conn := observer(t, url)
	if _, err := conn.Exec(t.Context(), "CREATE DATABASE narrow ENCODING 'SQL_ASCII' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := conn.Exec(context.WithoutCancel(t.Context()), "DROP DATABASE narrow WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	narrow := strings.Replace(url, conn.Config().Database, "narrow", 1)
	_, err := postgres.Open(t.Context(), narrow, postgres.Options{Keys: storetest.Keys(t)})
	if !errors.Is(err, postgres.ErrUnfit) || !strings.Contains(err.Error(), "SQL_ASCII") {
		t.Errorf("%v", err)
	}
}

func TestAVacuumKeepsEverything(t *testing.T) {
	t.Parallel()
	store := opened(t, pgtest.Database(t))
	storetest.Push(t, store, storetest.Load(t, 0, 4, 100))
	for _, vacuum := range []func(context.Context) error{store.Sweep, store.Vacuum} {
		if err := vacuum(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := rows(t, store); n != 400 {
			t.Errorf("%d rows", n)
		}
	}
	if size, err := store.Size(t.Context()); err != nil || size < 1<<20 {
		t.Errorf("%d bytes, %v", size, err)
	}
	err := store.Commit(t.Context(), func(tx exchange.Tx) error { return tx.Save(storetest.Load(t, 1, 4, 100)) })
	if err != nil {
		t.Error(err)
	}
}

func TestAnOlderPostgreSQLIsRefused(t *testing.T) {
	t.Parallel()
	if err := postgres.Judge(140012, "14.12", "UTF8"); !errors.Is(err, postgres.ErrUnfit) || !strings.Contains(err.Error(), "14.12") {
		t.Errorf("14.12: %v", err)
	}
	for _, version := range []int{150000, 150013, 180001} {
		if err := postgres.Judge(version, "", "UTF8"); err != nil {
			t.Errorf("%d: %v", version, err)
		}
	}
}
