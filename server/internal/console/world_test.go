package console

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"gridsync/server/internal/area"
	"gridsync/server/internal/audit"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/seal"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// The people of the tests. boss runs everything, chief is a secretary of c1 and mate another
// one, both is secretary of c1 and township of all, walker a volunteer of g1, far one of c2.
var (
	boss, chief, mate, both, walker, far = author(1), author(2), author(3), author(4), author(5), author(6)

	start = syncproto.Instant(time.Date(2020, 1, 31, 4, 0, 0, 0, time.UTC).UnixMilli())
)

func author(n byte) syncproto.AuthorID { return syncproto.AuthorID{n} }

// world is a service over a store in memory, whose passwords cost nothing.
type world struct {
	*Service
	t        *testing.T
	store    *memory
	registry *registry.Registry
	now      syncproto.Instant
	// secrets are what the authenticators hold, used the last step of which a code was given.
	secrets map[string][]byte
	used    map[string]int64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	store := &memory{
		tried:    make(map[Try]Attempts),
		accounts: make(map[syncproto.AuthorID]Account), links: make(map[Digest]Link), sessions: make(map[identity.Session]Session),
	}
	store.everyone = identity.Everyone{
		Authors: []identity.Author{{ID: boss, Name: "管"}, {ID: chief, Name: "甲"}, {ID: mate, Name: "乙"}, {ID: both, Name: "丙"}, {ID: walker, Name: "丁"}, {ID: far, Name: "戊"}},
		Grants: []identity.Grant{
			{Author: boss, Area: "town", Role: identity.Administrator},
			{Author: far, Area: "c2", Role: identity.Volunteer},
			{Author: chief, Area: "c1", Role: identity.Secretary},
			{Author: mate, Area: "c1", Role: identity.Secretary},
			{Author: both, Area: "g1", Role: identity.Volunteer},
			{Author: both, Area: "town", Role: identity.Township},
			{Author: walker, Area: "g1", Role: identity.Volunteer, To: start + syncproto.Instant((30 * 24 * time.Hour).Milliseconds())},
		},
	}
	reg, err := registry.Open(t.Context(), store, form.Set{})
	if err != nil {
		t.Fatal(err)
	}
	key, err := seal.NewKey(1, make([]byte, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.NewRing(rand.Reader, key)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: store, registry: reg, now: start, secrets: make(map[string][]byte), used: make(map[string]int64)}
	w.Service = New(Config{Store: store, Registry: reg, Audit: store, Sealer: ring, Digest: digest, Random: rand.Reader, NewID: uuid.NewV7})
	w.hashing.make = func(password string) (string, error) { return "hash of " + password, nil }
	w.hashing.check = func(password, hash string) (bool, error) { return hash == "hash of "+password, nil }
	return w
}

// another is a service over the same store, as another server is.
func (w *world) another() *world {
	other := *w
	other.Service = New(w.Config)
	other.hashing.make, other.hashing.check = w.hashing.make, w.hashing.check
	return &other
}

var digestSeed = maphash.MakeSeed()

func digest(value []byte) uint64 { return maphash.Bytes(digestSeed, value) }

// refresh lets everybody hear of new grants.
func (w *world) refresh() {
	w.t.Helper()
	w.store.revision++
	_, err := w.registry.Refresh(w.ctx())
	w.must(err)
}

func (w *world) pass(d time.Duration) { w.now += syncproto.Instant(d.Milliseconds()) }

const password = "korrektes pferd 9"

// hired gives a person an account as everybody gets one, with the password above.
func (w *world) hired(who syncproto.AuthorID, login string) {
	w.t.Helper()
	token, id, err := w.token()
	w.must(err)
	w.must(w.store.Console(w.ctx(), func(tx Tx) error {
		return errors.Join(open(tx, who, login, w.now), tx.PutLink(Link{ID: id, Author: who, Expires: after(w.now, linkLasts)}))
	}))
	w.must(w.follow(token, password))
}

// follow uses a link with a password.
func (w *world) follow(token, password string) error {
	w.t.Helper()
	setup, err := w.Setup(w.ctx(), token, w.now)
	if err != nil {
		return err
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(setup.Secret)
	w.must(err)
	step := int64(w.now)/totpPeriod - 1
	err = w.Redeem(w.ctx(), Chosen{Token: token, Password: password, TOTP: code(secret, step), Sealed: setup.Sealed}, w.now)
	if err == nil {
		w.secrets[setup.Login], w.used[setup.Login] = secret, step
	}
	return err
}

// code is one that this person has not shown yet; time passes until there is one.
func (w *world) code(login string) string {
	for w.used[login] >= int64(w.now)/totpPeriod {
		w.pass(totpPeriod * time.Millisecond)
	}
	w.used[login] = int64(w.now) / totpPeriod
	return code(w.secrets[login], w.used[login])
}

func (w *world) signIn(login, password, code string) (string, identity.Caller, error) {
	e, err := w.SignIn(w.ctx(), Credentials{Login: login, Password: password, TOTP: code}, "browser", w.now)
	if err != nil {
		return "", identity.Caller{}, err
	}
	return e.Cookie, e.Who, nil
}

// in signs a person in who does everything right.
func (w *world) in(login string) (string, identity.Caller) {
	w.t.Helper()
	cookie, who, err := w.signIn(login, password, w.code(login))
	w.must(err)
	return cookie, who
}

// resumed says what a cookie is worth now: the code of the error, or nothing.
func (w *world) resumed(cookie string) syncproto.Code {
	w.t.Helper()
	_, err := w.Resume(w.ctx(), cookie, w.now)
	return codeOf(err)
}

func codeOf(err error) syncproto.Code {
	var known *syncproto.Error
	if errors.As(err, &known) {
		return known.Code
	}
	if err != nil {
		return syncproto.Code("other: " + err.Error())
	}
	return ""
}

func (w *world) is(what string, err error, want syncproto.Code) {
	w.t.Helper()
	if got := codeOf(err); got != want {
		w.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) ctx() context.Context { return w.t.Context() }

// memory is a store in memory whose transactions keep all or nothing, and an audit log.
type memory struct {
	mu       sync.Mutex
	everyone identity.Everyone
	revision int64
	accounts map[syncproto.AuthorID]Account
	links    map[Digest]Link
	sessions map[identity.Session]Session
	noted    []string
	tried    map[Try]Attempts
	failNote error
}

func (m *memory) Revision(context.Context) (int64, error) { return m.revision, nil }

func (*memory) Areas(context.Context) ([]area.Node, error) {
	return []area.Node{
		{Key: 1, ID: "town", Name: "城东"}, {Key: 2, ID: "c1", Parent: "town"}, {Key: 3, ID: "g1", Parent: "c1"}, {Key: 4, ID: "c2", Parent: "town"},
	}, nil
}
func (*memory) PutAreas(context.Context, []area.Node) error { return nil }

func (m *memory) Identities(context.Context) (identity.Everyone, error) { return m.everyone, nil }

func (m *memory) Published(context.Context) ([]registry.Published, error) { return nil, nil }

func (m *memory) Settings(context.Context) ([]registry.Setting, error) { return nil, nil }

func (m *memory) AddIdentities(_ context.Context, add identity.Everyone) error {
	m.everyone.Authors = append(m.everyone.Authors, add.Authors...)
	m.everyone.Grants = append(m.everyone.Grants, add.Grants...)
	m.revision++
	return nil
}

func (m *memory) Note(_ context.Context, entries ...audit.Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range entries {
		m.noted = append(m.noted, strings.TrimSpace(fmt.Sprintf("%s %d %s", e.Act, e.Who[0], e.Detail)))
	}
	return m.failNote
}

func (m *memory) Session(_ context.Context, id identity.Session) (Session, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.sessions[id]
	return s, ok, nil
}

func (m *memory) SessionsOf(_ context.Context, who syncproto.AuthorID) (list []Session, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.sessions {
		if s.Author == who {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b Session) int {
		if a.Made != b.Made {
			return int(b.Made - a.Made)
		}
		return bytes.Compare(a.ID[:], b.ID[:])
	})
	return list, nil
}

func (m *memory) Console(_ context.Context, fn func(Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := &memory{
		everyone: m.everyone, revision: m.revision, tried: clone(m.tried),
		accounts: clone(m.accounts), links: clone(m.links), sessions: clone(m.sessions),
	}
	if err := fn(memoryTx{next}); err != nil {
		return err
	}
	m.everyone, m.revision, m.tried = next.everyone, next.revision, next.tried
	m.accounts, m.links, m.sessions = next.accounts, next.links, next.sessions
	return nil
}

func clone[K comparable, V any](from map[K]V) map[K]V {
	to := make(map[K]V, len(from))
	for k, v := range from {
		to[k] = v
	}
	return to
}

type memoryTx struct{ m *memory }

func (x memoryTx) Account(login string) (Account, bool, error) {
	for _, a := range x.m.accounts {
		if a.Login == login {
			return a, true, nil
		}
	}
	return Account{}, false, nil
}

func (x memoryTx) AccountOf(who syncproto.AuthorID) (Account, bool, error) {
	a, ok := x.m.accounts[who]
	return a, ok, nil
}
func (x memoryTx) PutAccount(a *Account) error { x.m.accounts[a.Author] = *a; return nil }

func (x memoryTx) Tried(id Try) (Attempts, bool, error) {
	a, ok := x.m.tried[id]
	return a, ok, nil
}
func (x memoryTx) PutTried(id Try, a Attempts) error { x.m.tried[id] = a; return nil }
func (x memoryTx) ForgetTried(id Try) error          { delete(x.m.tried, id); return nil }
func (x memoryTx) CountTried() (int, error)          { return len(x.m.tried), nil }
func (x memoryTx) KeepTried(most int) error {
	ids := slices.SortedFunc(maps.Keys(x.m.tried), func(a, b Try) int { return cmp.Compare(x.m.tried[b].Locked, x.m.tried[a].Locked) })
	for _, id := range ids[most:] {
		delete(x.m.tried, id)
	}
	return nil
}

func (x memoryTx) Link(id Digest) (Link, bool, error) {
	l, ok := x.m.links[id]
	return l, ok, nil
}

func (x memoryTx) PutLink(l Link) error {
	for id, other := range x.m.links {
		if other.Author == l.Author {
			delete(x.m.links, id)
		}
	}
	x.m.links[l.ID] = l
	return nil
}

func (x memoryTx) UseLink(id Digest, at syncproto.Instant) error {
	l := x.m.links[id]
	l.Used = at
	x.m.links[id] = l
	return nil
}
func (x memoryTx) AddSession(s *Session) error { x.m.sessions[s.ID] = *s; return nil }

func (x memoryTx) SeenSession(id identity.Session, at syncproto.Instant) error {
	if s, ok := x.m.sessions[id]; ok {
		s.Seen = at
		x.m.sessions[id] = s
	}
	return nil
}
func (x memoryTx) EndSession(id identity.Session) error { delete(x.m.sessions, id); return nil }

func (x memoryTx) EndSessions(who syncproto.AuthorID, keep identity.Session) error {
	for id, s := range x.m.sessions {
		if s.Author == who && id != keep {
			delete(x.m.sessions, id)
		}
	}
	return nil
}

func (x memoryTx) AddIdentities(add identity.Everyone) error {
	return x.m.AddIdentities(context.Background(), add)
}
