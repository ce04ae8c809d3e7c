package clientsdk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// Options say what a client works with. The zero value of each member means the
// default that stands beside it; Open is the only place that fills them in.
type Options struct {
	// Server is the base URL, such as https://grid.example:8443. Without one the
	// client records and shows, and Sync says ErrNoServer.
	Server string
	// Token is sent as "Authorization: Bearer"; SetToken replaces it.
	Token string
	// Device is this device's id. A new file needs it; later it may be left out.
	Device syncproto.DeviceID
	// Keys is the phone's keystore. After Enrol it holds the three above, which may then
	// be left out, and tokens are renewed by themselves. A file can be sealed only with
	// a keystore.
	Keys Keystore
	// AppName names the program and its version to the server.
	AppName string
	// Transport carries requests: http.DefaultTransport.
	Transport http.RoundTripper
	// Now is the device's clock: time.Now.
	Now func() time.Time
	// NewID makes ids of records and changes: uuid.NewV7.
	NewID func() uuid.UUID
	// Rand gives the jitter of waiting, in [0, 1): math/rand/v2.
	Rand func() float64
	// Wait pauses between attempts and returns early with ctx's error: a timer.
	Wait func(ctx context.Context, d time.Duration) error
	// PageBytes is how much is asked for in one answer at most, before compression:
	// syncproto.PageBytes. It shrinks while answers are cut.
	PageBytes int
	// BatchChanges is how many changes are sent at most in one request: 200. It
	// shrinks while requests break.
	BatchChanges int
	// RequestTimeout bounds one request and its answer: 60 s.
	RequestTimeout time.Duration
	// Attempts is how often in a row one step of Sync may fail before Sync gives up
	// (until it is called again): 8.
	Attempts int
	// FirstWait and MaxWait bound the waits between attempts, which double: 300 ms
	// and 30 s. A Retry-After beyond MaxWait ends Sync with a BusyError.
	FirstWait, MaxWait time.Duration
	// Keep is how long sent and confirmed changes are kept: 30 days.
	Keep time.Duration
}

func (o Options) withDefaults() Options {
	o.Server = strings.TrimRight(o.Server, "/")
	if o.AppName == "" {
		o.AppName = "gridsync-go/1"
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewID == nil {
		o.NewID = func() uuid.UUID { return uuid.Must(uuid.NewV7()) }
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if o.Wait == nil {
		o.Wait = waitTimer
	}
	o.PageBytes = within(o.PageBytes, syncproto.PageBytes, syncproto.MinPageBytes, syncproto.MaxPageBytes)
	o.BatchChanges = within(o.BatchChanges, 200, 1, syncproto.MaxBatchChanges)
	o.Attempts = within(o.Attempts, 8, 1, 1000)
	o.RequestTimeout = positive(o.RequestTimeout, time.Minute)
	o.FirstWait = positive(o.FirstWait, 300*time.Millisecond)
	o.MaxWait = positive(o.MaxWait, 30*time.Second)
	o.Keep = positive(o.Keep, 30*24*time.Hour)
	return o
}

func within(x, unset, least, most int) int {
	if x == 0 {
		x = unset
	}
	return min(max(x, least), most)
}

func positive(d, unset time.Duration) time.Duration {
	if d <= 0 {
		return unset
	}
	return d
}

func waitTimer(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Client is one device's replica. Its methods may be called from several
// goroutines; writes come one after the other, and one Sync runs at a time.
type Client struct {
	opt    Options
	db     *sql.DB
	device syncproto.DeviceID
	http   *http.Client

	// writing is held by whoever writes to the file, syncing by the one Sync that
	// runs. Both are taken with lock, which gives up when its context ends.
	writing chan struct{}
	syncing chan struct{}
	watch   watchers
	// shape is held for reading by whoever reads the file, and for writing while the
	// file is rewritten for another vault.
	shape sync.RWMutex
	// amending is held while what the keystore holds is read and replaced.
	amending sync.Mutex

	mu    sync.Mutex // guards what follows
	token string
	creds credentials
	vault vault
	forms form.Set
	// settings and templates are as the file has them; see learned.
	settings  *settings
	templates []*form.Template
	link      pace
}

// builtIn parses the forms that come with the program once for all clients.
var builtIn = sync.OnceValues(form.BuiltIn)

// Open opens or creates the file at path. One that is sealed is locked until Unlock.
// The errors of its own are ErrOtherDevice, ErrNoDevice, and ErrOtherKeys for a sealed
// file whose secret isn't in the keystore.
func Open(ctx context.Context, path string, options Options) (*Client, error) {
	forms, err := builtIn()
	if err != nil {
		return nil, err
	}
	opt := options.withDefaults()
	creds, _, err := loadCredentials(opt.Keys)
	if err != nil {
		return nil, err
	}
	opt = opt.with(&creds)
	if _, err := os.Stat(path); opt.Device.IsZero() && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("opening %s: %w", path, ErrNoDevice) // a file made now would stand in the way of enrolling
	}
	if err := ownersOnly(path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	// One connection reads while another writes; hundreds of clients may live in
	// one process, so no more than one is kept when idle.
	db.SetMaxOpenConns(2)
	db.SetMaxIdleConns(1)
	c := &Client{
		opt: opt, db: db, token: opt.Token, creds: creds, forms: forms,
		writing: make(chan struct{}, 1), syncing: make(chan struct{}, 1),
		http: &http.Client{Transport: opt.Transport, CheckRedirect: noRedirect},
		link: newPace(opt),
	}
	if err := c.begin(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", path, err), db.Close())
	}
	return c, nil
}

// with takes from the keystore what the caller left out.
func (o Options) with(creds *credentials) Options {
	if o.Device.IsZero() {
		o.Device = creds.Device
	}
	if o.Server == "" {
		o.Server = creds.Server
	}
	if o.Token == "" {
		o.Token = creds.Tokens.Access
	}
	return o
}

// ownersOnly makes a file that doesn't exist yet readable by its owner only, as it
// will hold people's data. What SQLite lays beside it takes over its mode.
func ownersOnly(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // #nosec G304 -- the caller names the file
	if err != nil {
		return fmt.Errorf("opening the client's file: %w", err)
	}
	return f.Close()
}

// noRedirect keeps the token from travelling to another address.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func dsn(path string) string {
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	return "file:" + escaped + "?_txlock=immediate" +
		"&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=cache_size(-512)&_pragma=temp_store(MEMORY)"
}

// begin loads the file, and ends what a process that died had begun.
func (c *Client) begin(ctx context.Context) error {
	var closed, unclean bool
	err := c.write(ctx, func(tx *sql.Tx) (err error) {
		if closed, err = c.load(tx); err != nil || closed {
			return err
		}
		unclean, err = c.loadLock(tx)
		if err != nil || c.Locked() {
			return err
		}
		m, err := readMeta(tx)
		if err != nil {
			return err
		}
		return c.relinkAll(tx, &m)
	})
	switch {
	case err != nil:
		return err
	case closed:
		return c.bury(ctx)
	case unclean && c.clean(ctx) != nil: // a full disk keeps nobody from his work
		return ctx.Err()
	}
	return c.ownKeys()
}

// loadLock reads how the file is sealed, and whether it is still to be cleaned.
func (c *Client) loadLock(tx *sql.Tx) (unclean bool, err error) {
	l, sealed, err := readLock(tx)
	if err != nil || !sealed {
		return false, err
	}
	secret := c.secret()
	if !l.fits(secret) {
		return false, ErrOtherKeys
	}
	outer, err := outerOf(secret)
	c.setVault(vault{outer: outer})
	return l.Unclean, err
}

// ownKeys makes keys for a device that was given its token and has a keystore.
func (c *Client) ownKeys() error {
	if c.opt.Keys == nil || !c.creds.Device.IsZero() {
		return nil
	}
	creds, err := newCredentials(c.device)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.creds = creds
	return creds.save(c.opt.Keys)
}

// load brings the file to today's shape and reads what is kept in memory.
func (c *Client) load(tx *sql.Tx) (closed bool, err error) {
	if err := migrate(tx); err != nil {
		return false, err
	}
	m, err := readMeta(tx)
	if err != nil {
		return false, err
	}
	switch {
	case m.Device.IsZero() && c.opt.Device.IsZero():
		return false, ErrNoDevice
	case m.Device.IsZero():
		m.Device = c.opt.Device
	case !c.opt.Device.IsZero() && c.opt.Device != m.Device:
		return false, ErrOtherDevice
	}
	c.device = m.Device
	if c.forms, err = readForms(tx, c.forms); err != nil {
		return false, err
	}
	if c.settings, err = readSettings(tx); err != nil {
		return false, err
	}
	if c.templates, err = readTemplates(tx); err != nil {
		return false, err
	}
	return m.Closed, m.write(tx)
}

// relinkAll brings a file that an older program wrote in line: it didn't know that
// records can turn out to be one.
func (c *Client) relinkAll(tx *sql.Tx, m *meta) error {
	l, err := c.lens(tx, m)
	if err != nil {
		return err
	}
	_, err = c.relink(newStatements(tx), l)
	return err
}

// Close closes the file. What was recorded is in it.
func (c *Client) Close() error {
	if err := c.db.Close(); err != nil {
		return fmt.Errorf("closing the client's file: %w", err)
	}
	return nil
}

// Device is this device's id.
func (c *Client) Device() syncproto.DeviceID { return c.device }

// Me is the person who enrolled with this phone; zero for one that was given its token.
func (c *Client) Me() syncproto.AuthorID {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.creds.Author
}

// SetToken replaces the token of the requests that follow.
func (c *Client) SetToken(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = token
}

// Forms returns the forms that the device knows.
func (c *Client) Forms() form.Set {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.forms
}

func (c *Client) now() syncproto.Instant {
	return syncproto.Instant(c.opt.Now().UnixMilli())
}

// lock takes one of the client's two locks, unless ctx ends first.
func lock(ctx context.Context, l chan struct{}) error {
	select {
	case l <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// update runs fn in a write transaction, which is on disk when update returns nil. It
// gives ErrReopen if another process has sealed the file since: what this one would
// write would be in the clear.
func (c *Client) update(ctx context.Context, fn func(*sql.Tx) error) error {
	return c.write(ctx, func(tx *sql.Tx) error {
		var locks int
		if err := tx.QueryRow("SELECT count(*) FROM lock").Scan(&locks); err != nil {
			return fmt.Errorf("reading the lock: %w", err)
		}
		switch sealed := c.box().sealed(); {
		case sealed && locks == 0:
			return ErrClosed // nothing else takes a lock away
		case !sealed && locks > 0:
			return ErrReopen
		}
		return fn(tx)
	})
}

func (c *Client) write(ctx context.Context, fn func(*sql.Tx) error) error {
	if err := lock(ctx, c.writing); err != nil {
		return err
	}
	defer func() { <-c.writing }()
	return inTx(ctx, c.db, nil, fn)
}

// view runs fn on one moment of the file.
func (c *Client) view(ctx context.Context, fn func(*sql.Tx) error) error {
	c.shape.RLock()
	defer c.shape.RUnlock()
	return inTx(ctx, c.db, &sql.TxOptions{ReadOnly: true}, fn)
}

func inTx(ctx context.Context, db *sql.DB, opts *sql.TxOptions, fn func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, opts)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		if undo := tx.Rollback(); undo != nil && !errors.Is(undo, sql.ErrTxDone) {
			return errors.Join(err, undo)
		}
		return err
	}
	return tx.Commit()
}
