package host

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gridsync/server/internal/api"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/formbook"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/store/postgres"
	"gridsync/server/internal/store/postgres/pgtest"
	"gridsync/server/internal/store/sqlstore"
	"gridsync/syncproto"
)

// province is a PostgreSQL database, and the keys that its servers share.
type province struct {
	*testing.T
	url, keys string
	retain    Retention
	guard     api.Guard
}

func newProvince(t *testing.T) *province {
	t.Helper()
	return &province{T: t, url: pgtest.Database(t), keys: filepath.Join(t.TempDir(), "keys")}
}

// config is of another server, which looks for nothing by itself.
func (p *province) config() Config {
	return Config{Dir: p.TempDir(), DB: p.url, Keys: p.keys, Listen: "127.0.0.1:0", Poll: time.Hour, Retain: p.retain, Guard: p.guard, Log: slog.New(slog.DiscardHandler)}
}

func (p *province) server() *Server {
	p.Helper()
	s, err := Start(p.Context(), p.config())
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, ErrOusted) {
			p.Errorf("close: %v", err)
		}
	})
	return s
}

// data is the database as commands open it.
func (p *province) data() *Data {
	p.Helper()
	d, err := Open(p.Context(), p.TempDir(), Options{DB: p.url, Keys: p.keys})
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() {
		if err := d.Close(); err != nil {
			p.Error(err)
		}
	})
	return d
}

// peopled makes areas, and a phone.
func (p *province) peopled(s *Server) Enrolled {
	p.Helper()
	if _, problems, err := s.ImportAreas(p.Context(), strings.NewReader(county)); err != nil || len(problems) > 0 {
		p.Fatal(err, problems)
	}
	return add(p.T, s.Data, "g1")
}

func TestWhatOneServerAcknowledgedEveryServerHas(t *testing.T) {
	p := newProvince(t)
	one, two := p.server(), p.server()
	e := p.peopled(one)
	// The phone goes from server to server, which never heard of it, its area or its token.
	change, next := visit(&e, 1, "g1"), visit(&e, 2, "g1")
	status, first := exchangeWith(t, two, &e, change)
	if status != http.StatusOK || first.Verdicts[0].Verdict != syncproto.Applied {
		t.Fatalf("%d %+v", status, first)
	}
	status, again := exchangeWith(t, one, &e, change, next)
	if status != http.StatusOK || again.Verdicts[0].Verdict != syncproto.Duplicate || again.Verdicts[0].Version != first.Verdicts[0].Version ||
		again.Verdicts[1].Verdict != syncproto.Applied || again.Verdicts[1].Version != first.Verdicts[0].Version+1 {
		t.Errorf("%d %+v", status, again.Verdicts)
	}
	if again.Receipt.Held != 2 || again.Epoch != first.Epoch {
		t.Errorf("receipt %+v, epochs %s and %s", again.Receipt, first.Epoch, again.Epoch)
	}
	status, last := exchangeWith(t, two, &e, change, next)
	if status != http.StatusOK || last.Receipt.Held != 2 || last.Receipt.Digest != again.Receipt.Digest {
		t.Errorf("%d %+v, want %+v", status, last.Receipt, again.Receipt)
	}
	if diff, err := two.Rebuild(t.Context()); err != nil || !diff.None() || diff.Changes != 2 {
		t.Errorf("rebuild: %+v %v", diff, err)
	}
}

func TestWhatOneServerCommitsAnotherHearsAtOnce(t *testing.T) {
	p := newProvince(t)
	one := p.server()
	e := p.peopled(one)
	two := p.server() // looks by itself once an hour
	news := two.exchange.Subscribe()
	defer news.End()
	// Its first look, whenever that comes, may find the first and the second; not the third.
	var changes []json.RawMessage
	for n := range uint64(3) {
		changes = append(changes, visit(&e, n+1, "g1"))
		status, answer := exchangeWith(t, one, &e, changes...)
		if status != http.StatusOK {
			t.Fatalf("%d %+v", status, answer)
		}
		for news.Take().Version < answer.Verdicts[n].Version {
			select {
			case <-news.Stirred:
			case <-time.After(30 * time.Second):
				t.Fatalf("the other server didn't hear of change %d", n+1)
			}
		}
	}
}

func TestNobodyWorksAloneBesideServers(t *testing.T) {
	p := newProvince(t)
	one, two := p.server(), p.server()
	p.peopled(one)
	d := p.data()
	refused := func(when string) {
		t.Helper()
		for what, err := range map[string]error{
			"an epoch": func() error { _, err := d.NewEpoch(t.Context()); return err }(),
			"a check":  func() error { _, err := d.RebuildAlone(t.Context()); return err }(),
			"keys": func() error {
				_, err := RotateKeys(t.Context(), t.TempDir(), Options{DB: p.url, Keys: p.keys}, false)
				return err
			}(),
			"a purge": func() error {
				_, err := d.PurgeAlone(t.Context(), exchange.PurgeOrder{Kind: "passage", Days: 90})
				return err
			}(),
		} {
			if !errors.Is(err, ErrServing) || !strings.Contains(err.Error(), "since") {
				t.Errorf("%s %s: %v", what, when, err)
			}
		}
	}
	refused("beside two servers")
	for _, s := range []*Server{one, two} {
		refused("beside a server")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.RebuildAlone(t.Context()); err != nil {
		t.Errorf("a check after the servers: %v", err)
	}
	err := d.alone(t.Context(), func(ctx context.Context) error {
		_, err := Start(ctx, p.config())
		return err
	})
	if !errors.Is(err, ErrServing) {
		t.Errorf("a server beside somebody who works alone: %v", err)
	}
	p.server()
}

func TestAServerWithOtherKeysSaysSoAndStops(t *testing.T) {
	p := newProvince(t)
	one := p.server()
	p.peopled(one)
	refused := func(change func(keys string), want error, says string) {
		t.Helper()
		cfg := p.config()
		cfg.Keys = filepath.Join(t.TempDir(), "keys")
		if err := os.CopyFS(cfg.Keys, os.DirFS(p.keys)); err != nil {
			t.Fatal(err)
		}
		change(cfg.Keys)
		s, err := Start(t.Context(), cfg)
		if err == nil {
			err = s.Close()
			t.Errorf("%s: it serves; %v", says, err)
			return
		}
		if !errors.Is(err, want) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %v", says, err, want)
		}
	}
	without := func(patterns ...string) func(string) {
		return func(keys string) {
			for _, pattern := range patterns {
				names, err := filepath.Glob(filepath.Join(keys, pattern))
				if err != nil || len(names) == 0 {
					t.Errorf("%s: %v", pattern, err)
				}
				for _, name := range names {
					if err := os.Remove(name); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	// A server makes the keys that it misses, and so has others.
	refused(without(digestKeyFile), ErrOtherKeys, digestKeyFile)
	refused(without(tagFile), ErrOtherKeys, tagFile)
	refused(without("token-*.pem", boxPattern), ErrOtherKeys, "token-*.pem, "+boxPattern)
	refused(without(dataKeyPattern), ErrNoDataKey, "data key")
	refused(func(keys string) {
		without(dataKeyPattern)(keys)
		if err := makeSecret(dataKeyName(keys, 1)); err != nil {
			t.Fatal(err)
		}
	}, &sqlstore.WrongKeyError{}, "key")
	cfg := p.config()
	cfg.Keys = filepath.Join(t.TempDir(), "mistyped")
	if _, err := Start(t.Context(), cfg); !errors.Is(err, ErrNoDataKey) {
		t.Errorf("with no folder of keys: %v", err)
	}
	if _, err := os.Stat(cfg.Keys); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("keys were made in a folder that isn't the database's: %v", err)
	}
	if all, err := one.store.Revision(t.Context()); err != nil || all == 0 {
		t.Errorf("the first server: %d, %v", all, err)
	}
	// While keys are changed servers have different ones, and one in common.
	if _, _, err := AddTokenKey(t.TempDir(), Options{DB: p.url, Keys: p.keys}); err != nil {
		t.Fatal(err)
	}
	p.server()
}

func TestASweepIsOneServersUntilItIsGone(t *testing.T) {
	p := newProvince(t)
	one, two := p.server(), p.server()
	mine := func(s *Server, want bool) {
		t.Helper()
		if got, err := s.berth.Mine(t.Context(), sweeping, sweepTerm); err != nil || got != want {
			t.Errorf("%v, want %v: %v", got, want, err)
		}
	}
	if err := one.sweepOnce(t.Context(), Retention{"passage": 90}); err != nil {
		t.Fatal(err)
	}
	mine(two, false)
	mine(one, true)
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	mine(two, true)
}

func TestAServerWhoseSweepIsAnothersPurgesNothing(t *testing.T) {
	p := newProvince(t)
	one, two := p.server(), p.server()
	if err := two.sweepOnce(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	// Had it been its own, a sweep of a kind that there isn't would fail.
	if err := one.sweepOnce(t.Context(), Retention{"nothing of that kind": 90}); err != nil {
		t.Errorf("it swept: %v", err)
	}
	if err := two.sweepOnce(t.Context(), Retention{"nothing of that kind": 90}); !errors.Is(err, ErrNotPurged) {
		t.Errorf("whose sweep it is: %v", err)
	}
}

func TestAServerThatWasTakenForDeadTakesNothingInAndStops(t *testing.T) {
	p := newProvince(t)
	s := p.server()
	e := p.peopled(s)
	other, err := postgres.Open(t.Context(), p.url, postgres.Options{Keys: s.secrets.ring})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	}()
	err = other.Transact(t.Context(), func(own sqlstore.Own) error { return own.Exec("DELETE FROM server_lease") })
	if err != nil {
		t.Fatal(err)
	}
	before, _, err := other.AsOf(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if status, answer := exchangeWith(t, s, &e, visit(&e, 1, "g1")); status < 500 || len(answer.Verdicts) > 0 {
		t.Errorf("it took a change in: %d %+v", status, answer)
	}
	if err := <-s.Failed(); !errors.Is(err, ErrOusted) {
		t.Errorf("it goes on: %v", err)
	}
	if after, _, err := other.AsOf(t.Context()); err != nil || after != before {
		t.Errorf("version %d, %d before, %v", after, before, err)
	}
}

func TestManyServersKnowHowManyTheyAre(t *testing.T) {
	p := newProvince(t)
	one, two := p.server(), p.server()
	if n := two.berth.Servers(); n != 2 {
		t.Errorf("the second finds %d", n)
	}
	if err := one.berth.(*postgres.Lease).Renew(t.Context()); err != nil || one.berth.Servers() != 2 {
		t.Errorf("the first finds %d, %v", one.berth.Servers(), err)
	}
	listed, err := p.data().Servers(t.Context())
	if err != nil || len(listed) != 2 || !strings.Contains(listed[0].Name, "127.0.0.1:0") {
		t.Errorf("%+v, %v", listed, err)
	}
}

func TestTwoServersThatPublishAtOncePublishEachDraftOnce(t *testing.T) {
	p := newProvince(t)
	servers := []*Server{p.server(), p.server()}
	if _, problems, err := servers[0].ImportAreas(t.Context(), strings.NewReader(county)); err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	const turns = 6
	published := make([][]*formbook.Definition, len(servers))
	var work sync.WaitGroup
	for i, s := range servers {
		work.Go(func() {
			book, who := s.Forms(), formbook.Editor{At: 1_580_443_200_000}
			for range turns {
				// Both work on one form, and on one of their own whose measure has one name.
				own := fmt.Sprintf("own%d", i)
				for kind, source := range map[string]string{"clinic": clinic, own: strings.NewReplacer(`"clinic"`, `"`+own+`"`, `"clinics"`, `"disputed"`).Replace(clinic)} {
					if _, err := book.PutDraft(t.Context(), registry.FormSort, kind, []byte(source), who); err != nil && kind == "clinic" {
						t.Errorf("draft %s: %v", kind, err)
					}
					done, err := book.Publish(t.Context(), registry.FormSort, kind, who)
					var code *syncproto.Error
					if err == nil {
						published[i] = append(published[i], done)
					} else if !errors.As(err, &code) {
						t.Errorf("publish %s: %v", kind, err)
					}
				}
			}
		})
	}
	work.Wait()
	all, err := servers[0].store.Published(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	said := make(map[string]int)
	for _, d := range slices.Concat(published...) {
		said[fmt.Sprintf("%s/%d", d.Name, d.Version)]++
	}
	if len(all) != len(said) || len(published[0])+len(published[1]) != len(all) {
		t.Errorf("%d are published; to one they said %d and to the other %d: %v", len(all), len(published[0]), len(published[1]), said)
	}
	owners := make(map[string]bool)
	for _, one := range all {
		if said[fmt.Sprintf("%s/%d", one.Name, one.Version)] != 1 {
			t.Errorf("%s/%d was said %v", one.Name, one.Version, said)
		}
		if one.Name != "clinic" {
			owners[one.Name] = true
		}
	}
	if len(owners) != 1 {
		t.Errorf("a measure's name belongs to %v", owners)
	}
}

func TestOfThoseWhoBeginADatabaseAtOnceOneHasItsDataKey(t *testing.T) {
	p := newProvince(t)
	first := p.data()
	const others = 4
	opened := make(chan *Data, others)
	ended := make(chan struct{}, others)
	var work sync.WaitGroup
	// Nobody has noted a data key yet, and nobody writes until all have seen that.
	err := first.store.Transact(t.Context(), func(own sqlstore.Own) error { return own.Exec("DELETE FROM seal_key") })
	if err != nil {
		t.Fatal(err)
	}
	err = first.store.Transact(t.Context(), func(own sqlstore.Own) error {
		for range others {
			work.Go(func() {
				defer func() { ended <- struct{}{} }()
				d, err := Open(t.Context(), t.TempDir(), Options{DB: p.url}) // with keys that it makes
				if err != nil && !errors.Is(err, &sqlstore.WrongKeyError{}) {
					t.Error(err)
				}
				if err == nil {
					opened <- d
				}
			})
		}
		for waiting := 0; waiting < others; {
			err := own.Each(func(rows *sql.Rows) error { return rows.Scan(&waiting) }, `SELECT COUNT(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
				WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted`)
			if err != nil {
				return err
			}
			if len(ended) > 0 {
				return errors.New("one of them didn't wait for the others")
			}
		}
		return nil
	})
	work.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if len(opened) != 1 {
		t.Errorf("%d have it", len(opened))
	}
	for range len(opened) {
		d := <-opened
		if _, err := d.store.SealedWith(t.Context()); err != nil {
			t.Errorf("who was let in: %v", err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}
