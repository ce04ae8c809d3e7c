//go:build ha

package hatest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// writer writes the rows 1, 2, 3 … one after the other, each until it is acknowledged.
// It is what a server does with PostgreSQL and nothing else: it shows what the database
// promises, and how soon it is there again.
type writer struct {
	Name, URL string
	// Attempt is how long it waits for one answer.
	Attempt time.Duration
	// Careless takes a row that it finds for one that is kept. What it should do is
	// commit something: a commit is answered after all before it are on two disks, while
	// a row can be read on the leader that isn't yet on any other, and may never be.
	Careless bool
}

const (
	schema = `
CREATE TABLE IF NOT EXISTS kept (writer TEXT, n BIGINT, PRIMARY KEY (writer, n));
CREATE TABLE IF NOT EXISTS attempted (writer TEXT PRIMARY KEY, times BIGINT NOT NULL)`
	careless = `INSERT INTO kept VALUES ($1, $2) ON CONFLICT DO NOTHING`
	careful  = `
WITH attempt AS (INSERT INTO attempted VALUES ($1, 1) ON CONFLICT (writer) DO UPDATE SET times = attempted.times + 1)
INSERT INTO kept VALUES ($1, $2) ON CONFLICT DO NOTHING`
)

// write writes until ctx ends, and says each row that was acknowledged.
func (w writer) write(ctx context.Context, said func(n int64)) {
	var c *pgx.Conn
	defer func() { shut(c) }()
	again := time.NewTicker(50 * time.Millisecond) // a refused connection costs nothing: not too often
	defer again.Stop()
	for n := int64(1); ctx.Err() == nil; {
		var err error
		if c, err = w.try(ctx, c, n); err == nil {
			said(n)
			n++
			continue
		}
		shut(c)
		c = nil
		select {
		case <-again.C:
		case <-ctx.Done():
		}
	}
}

func (w writer) try(ctx context.Context, c *pgx.Conn, n int64) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, w.Attempt)
	defer cancel()
	if c == nil {
		var err error
		if c, err = pgx.Connect(ctx, w.URL); err != nil {
			return nil, err
		}
	}
	statement := careful
	if w.Careless {
		statement = careless
	}
	_, err := c.Exec(ctx, statement, w.Name, n)
	return c, err
}

func shut(c *pgx.Conn) {
	if c == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	_ = c.Close(ctx) // nobody may be at the other end
}

// book is what a writer was told, and when.
type book struct {
	sync.Mutex
	acks  []int64
	times []time.Time
	more  chan struct{} // filled with each
}

func newBook() *book { return &book{more: make(chan struct{}, 1)} }

func (b *book) note(n int64) {
	b.Lock()
	b.acks, b.times = append(b.acks, n), append(b.times, time.Now())
	b.Unlock()
	select {
	case b.more <- struct{}{}:
	default:
	}
}

func (b *book) count() int {
	b.Lock()
	defer b.Unlock()
	return len(b.acks)
}

// await waits for so many more acknowledgements.
func (b *book) await(t *testing.T, more int, limit time.Duration) {
	t.Helper()
	end := time.NewTimer(limit)
	defer end.Stop()
	for want := b.count() + more; b.count() < want; {
		select {
		case <-b.more:
		case <-end.C:
			t.Fatalf("%d acknowledgements are missing after %v", want-b.count(), limit)
		}
	}
}

// silence is the time without acknowledgement around an instant: from the last one that
// came before it, or soon after, to the next.
func (b *book) silence(since time.Time) (longest time.Duration) {
	b.Lock()
	defer b.Unlock()
	for i := 1; i < len(b.times); i++ {
		if b.times[i].After(since) {
			longest = max(longest, b.times[i].Sub(b.times[i-1]))
		}
	}
	return longest
}

// writeHere is a copy of this program on a node: a writer whose words are rows.
func writeHere() error {
	w, err := given(os.Getenv(writing))
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	w.write(ctx, func(n int64) { fmt.Println(n) })
	return nil
}

// writing tells a writer on a node what to do.
const writing = "GRIDSYNC_HA_WRITER"

func (w writer) String() string {
	return strings.Join([]string{w.Name, w.URL, w.Attempt.String(), strconv.FormatBool(w.Careless)}, "|")
}

func given(s string) (writer, error) {
	f := strings.Split(s, "|")
	if len(f) != 4 {
		return writer{}, fmt.Errorf("%s=%q", writing, s)
	}
	attempt, err := time.ParseDuration(f[2])
	return writer{f[0], f[1], attempt, f[3] == "true"}, err
}

// writes starts a writer on a node and gives what it is told, and what stops it.
func (n *node) writes(t *testing.T, w writer) (b *book, stop func()) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := n.run("", self)
	cmd.Env = append(os.Environ(), stage+"="+stageWriter, writing+"="+w.String())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b = newBook()
	done := make(chan struct{})
	go func() {
		defer close(done)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if row, err := strconv.ParseInt(lines.Text(), 10, 64); err == nil {
				b.note(row)
			}
		}
	}()
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Kill() // it may have gone with its node
		<-done
		_ = cmd.Wait()
	})
	t.Cleanup(stop)
	return b, stop
}

// here starts a writer in the test itself.
func (w writer) here(t *testing.T) (b *book, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	b = newBook()
	var done sync.WaitGroup
	done.Go(func() { w.write(ctx, b.note) })
	stop = sync.OnceFunc(func() {
		cancel()
		done.Wait()
	})
	t.Cleanup(stop)
	return b, stop
}

// rows are the rows that are kept of a writer, by number.
func (g *ground) rows(t *testing.T, name string) map[int64]int {
	t.Helper()
	c := g.connect(t, g.url("postgres"))
	rows, err := c.Query(t.Context(), `SELECT n FROM kept WHERE writer = $1`, name)
	if err != nil {
		t.Fatal(err)
	}
	numbers, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		t.Fatal(err)
	}
	kept := map[int64]int{}
	for _, n := range numbers {
		kept[n]++
	}
	return kept
}

// lost are the rows that were acknowledged and aren't there once.
func (b *book) lost(kept map[int64]int) (lost []int64) {
	b.Lock()
	defer b.Unlock()
	for _, n := range b.acks {
		if kept[n] != 1 {
			lost = append(lost, n)
		}
	}
	return lost
}

// connect connects to where PostgreSQL leads, within the time of a failover.
func (g *ground) connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	var c *pgx.Conn
	var err error
	g.await(t, "a connection to the leader", wholeness, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 10*soon)
		defer cancel()
		c, err = pgx.Connect(ctx, url)
		return err == nil
	})
	t.Cleanup(func() { shut(c) })
	return c
}

// tables makes what writers write to.
func (g *ground) tables(t *testing.T) {
	t.Helper()
	c := g.connect(t, g.url("postgres"))
	if _, err := c.Exec(t.Context(), schema); err != nil {
		var refused *pgconn.PgError
		t.Fatal(err, errors.As(err, &refused))
	}
}
