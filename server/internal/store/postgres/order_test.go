package postgres_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"gridsync/server/internal/exchange"
	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgtest"
	"gridsync/server/internal/store/storetest"
	"gridsync/syncproto"
)

// observer is a connection beside those of the stores.
func observer(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return conn
}

// opened opens a store that is closed with the test.
func opened(t *testing.T, url string) *postgres.Store {
	t.Helper()
	store := open(t, url)
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// generous is a limit that only a failure reaches.
const generous = 30 * time.Second

// countsNone waits until a query counts nothing.
func countsNone(t *testing.T, conn *pgx.Conn, query string) bool {
	t.Helper()
	limit := time.After(generous)
	for number(t, conn, query) > 0 {
		select {
		case <-limit:
			return false
		default:
		}
	}
	return true
}

// ours is the sort of locks that only we take.
const ours = "advisory"

// waitForALock returns when so many wait for a lock of a sort, or, with false, when stop is
// closed.
func waitForALock(t *testing.T, conn *pgx.Conn, sort string, many int, stop <-chan struct{}) bool {
	t.Helper()
	for {
		var waiting int
		err := conn.QueryRow(t.Context(), `SELECT COUNT(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
			WHERE d.datname = current_database() AND l.locktype = $1 AND NOT l.granted`, sort).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
		if waiting >= many {
			return true
		}
		select {
		case <-stop:
			return false
		default:
		}
	}
}

func TestAWriterThatTookItsNumberKeepsAllOthersOut(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	first, second := opened(t, url), opened(t, url)
	watch := observer(t, url)
	took, entered := make(chan struct{}), make(chan struct{})
	goOn := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		err := first.Commit(t.Context(), func(tx exchange.Tx) error {
			err := tx.Save(storetest.Load(t, 0, 1, 1))
			close(took)
			<-goOn
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-took
	group.Go(func() {
		err := second.Commit(t.Context(), func(tx exchange.Tx) error {
			defer close(entered)
			if version, _, err := second.AsOf(t.Context()); err != nil || version != 1 {
				t.Errorf("the second writer was let in and finds version %d, %v", version, err)
			}
			return tx.Save(storetest.Load(t, 1, 1, 1))
		})
		if err != nil {
			t.Error(err)
		}
	})
	if !waitForALock(t, watch, ours, 1, entered) {
		t.Error("a second writer was let in while the first held a number that nobody saw")
	}
	if version, _, err := second.AsOf(t.Context()); err != nil || version != 0 {
		t.Errorf("what isn't committed is seen: version %d, %v", version, err)
	}
	close(goOn)
	group.Wait()
	if version, _, err := first.AsOf(t.Context()); err != nil || version != 2 {
		t.Errorf("version %d, %v", version, err)
	}
}

// How many servers write how many groups each while a reader follows them, and the variable
// that makes a process one of those servers.
const (
	servers, groups = 3, 25
	writesTo        = "GRIDSYNC_TEST_WRITES_TO"
)

// TestAReaderNeverStepsOverANumberThatCommitsLater has servers in processes of their own take
// numbers from a sequence, which gives them out whatever is committed, and hold them for a
// while before they commit; and a reader follow them.
func TestAReaderNeverStepsOverANumberThatCommitsLater(t *testing.T) {
	t.Parallel()
	if url := os.Getenv(writesTo); url != "" {
		takeNumbers(t, url)
		return
	}
	url := pgtest.Empty(t)
	reader := opened(t, url)
	if _, err := observer(t, url).Exec(t.Context(), "CREATE SEQUENCE taken MINVALUE 0"); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	done := make(chan struct{})
	for range servers {
		writers.Go(func() {
			writer := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$")
			writer.Env = append(os.Environ(), writesTo+"="+url)
			if said, err := writer.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, said)
			}
		})
	}
	go func() { writers.Wait(); close(done) }()
	seen := syncproto.Version(0)
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true // and one look more
		default:
		}
		last, _, err := reader.AsOf(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		at := syncproto.Version(0)
		err = reader.EachLogged(t.Context(), func(l *exchange.Logged) error {
			if at++; l.Seq != at {
				return errHole
			}
			return nil
		})
		if err != nil {
			t.Fatalf("a reader who saw version %d: row %d: %v", last, at, err)
		}
		if at < last || at < seen {
			t.Fatalf("the counter says %d, %d were seen before, and there are %d rows", last, seen, at)
		}
		seen = at
	}
	if seen != servers*groups {
		t.Errorf("%d of %d numbers", seen, servers*groups)
	}
}

var errHole = errors.New("a number is missing that commits later")

// takeNumbers writes a server's groups.
func takeNumbers(t *testing.T, url string) {
	t.Helper()
	store, beside := opened(t, url), observer(t, url)
	for range groups {
		err := store.Commit(t.Context(), func(tx exchange.Tx) error {
			taken := number(t, beside, "SELECT nextval('taken')")
			time.Sleep(rand.N(3 * time.Millisecond)) // others may overtake, if they can
			return tx.Save(storetest.Load(t, taken, 1, 1))
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestServersThatStartTogetherAgree(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	const servers = 4
	var epochs [servers]syncproto.Epoch
	var starting sync.WaitGroup
	watch := observer(t, url)
	gate, err := watch.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gate.Exec(t.Context(), "SELECT pg_advisory_xact_lock($1)", int64(postgres.MigratingLock)); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{}) // some start, before the gate was opened
	var end sync.Once
	for i := range servers {
		starting.Go(func() {
			defer end.Do(func() { close(ended) })
			store, err := postgres.Open(t.Context(), url, postgres.Options{NewEpoch: syncproto.Epoch{byte(i + 1)}, Keys: storetest.Keys(t)})
			if err != nil {
				t.Error(err)
				return
			}
			boot, err := store.Boot(t.Context())
			epochs[i] = boot.Epoch
			if err := errors.Join(err, store.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	if !waitForALock(t, watch, ours, servers, ended) {
		t.Error("a server didn't wait for the others")
	}
	if err := gate.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	starting.Wait()
	for _, epoch := range epochs {
		if epoch.IsZero() || epoch != epochs[0] {
			t.Errorf("epochs %v", epochs)
		}
	}
}
