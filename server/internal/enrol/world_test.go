package enrol_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"gridsync/server/internal/area"
	"gridsync/server/internal/audit"
	"gridsync/server/internal/enrol"
	"gridsync/server/internal/identity"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/store/sqlite"
	"gridsync/server/internal/store/storetest"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// The people of the tests: a secretary of the community c1 and another, an administrator
// and the county's head office over all, a volunteer of the grid g1, a secretary elsewhere.
var (
	secretary, mate, administrator, county, worker, stranger = author(1), author(2), author(3), author(4), author(5), author(6)

	start = syncproto.Instant(time.Date(2020, 1, 31, 4, 0, 0, 0, time.UTC).UnixMilli())
)

const (
	hour = syncproto.Instant(3600 * 1000)
	day  = 24 * hour
)

func author(n byte) syncproto.AuthorID { return syncproto.AuthorID{n} }

// world is a service over a real store, at a time that the test says.
type world struct {
	*enrol.Service
	t        *testing.T
	store    *sqlite.Store
	registry *registry.Registry
	verifier *identity.Verifier
	now      syncproto.Instant
}

// noted are the lines of an act, the newest first.
func (w *world) noted(act audit.Act) []audit.Line {
	w.t.Helper()
	lines, _, err := w.store.AuditLines(w.ctx(), audit.Want{Act: act}, 0, 1000)
	w.must(err)
	return lines
}

// acts counts the lines of an act.
func (w *world) acts(act audit.Act) int { return len(w.noted(act)) }

func newWorld(t *testing.T) *world {
	t.Helper()
	store, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{Keys: storetest.Keys(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	w := &world{t: t, store: store, now: start}
	w.must(store.PutAreas(t.Context(), []area.Node{
		{ID: "33", Name: "浙江"},
		{ID: "c1", Name: "一社区", Parent: "33"},
		{ID: "g1", Name: "一网格", Parent: "c1"},
		{ID: "g2", Name: "二网格", Parent: "c1"},
		{ID: "34", Name: "安徽"},
	}))
	w.must(store.AddIdentities(t.Context(), identity.Everyone{
		Authors: []identity.Author{
			{ID: secretary, Name: "书记"},
			{ID: mate, Name: "副书记"},
			{ID: administrator, Name: "管理员"},
			{ID: county, Name: "县"},
			{ID: worker, Name: "王芳"},
			{ID: stranger, Name: "外"},
		},
		Grants: []identity.Grant{
			{Author: secretary, Area: "c1", Role: identity.Secretary},
			{Author: mate, Area: "c1", Role: identity.Secretary},
			{Author: administrator, Area: "33", Role: identity.Administrator},
			{Author: county, Area: "33", Role: identity.County},
			{Author: worker, Area: "g1", Role: identity.Volunteer, To: start + 90*day},
			{Author: stranger, Area: "34", Role: identity.Secretary},
		},
	}))
	w.registry, err = registry.Open(t.Context(), store, form.Set{})
	w.must(err)
	seed := sha256.Sum256([]byte("tokens"))
	key := ed25519.NewKeyFromSeed(seed[:])
	w.verifier = identity.NewVerifier([]ed25519.PublicKey{key.Public().(ed25519.PublicKey)}, func() time.Time { return time.UnixMilli(int64(w.now)) })
	w.Service = enrol.NewService(enrol.Config{
		Store: store, Registry: w.registry, Signer: identity.NewSigner(key), Box: func() []byte { return []byte("box") },
		Digest: digest, Random: rand.Reader, NewID: uuid.NewV7,
	})
	return w
}

// digest is under a key that says nothing.
func digest(value []byte) uint64 {
	sum := sha256.Sum256(value)
	return binary.BigEndian.Uint64(sum[:])
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// wants fails unless err has a code; "" for none.
func (w *world) wants(what string, err error, want syncproto.Code) {
	w.t.Helper()
	var known *syncproto.Error
	errors.As(err, &known)
	switch {
	case err == nil && want == "":
	case known == nil || known.Code != want:
		w.t.Errorf("%s: %v, not %q", what, err, want)
	}
}

func (w *world) ctx() context.Context { return w.t.Context() }

func (w *world) by(a syncproto.AuthorID) enrol.By {
	return enrol.By{Authors: []syncproto.AuthorID{a}, Now: w.now}
}

// invited is the code of an invitation by the secretary into g1.
func (w *world) invited(in enrol.Inviting) (enrol.Invite, string) {
	w.t.Helper()
	if in.Area == "" {
		in.Area = "g1"
	}
	if in.Role == "" {
		in.Role = identity.Volunteer
	}
	v, code, err := w.Invite(w.ctx(), w.by(secretary), in)
	w.must(err)
	return v, code
}

// phone is a phone with its key.
type phone struct {
	id  syncproto.DeviceID
	key ed25519.PrivateKey
}

func newPhone(name string) phone {
	seed := sha256.Sum256([]byte(name))
	return phone{id: syncproto.DeviceID(uuid.NewSHA1(uuid.NameSpaceURL, []byte(name))), key: ed25519.NewKeyFromSeed(seed[:])}
}

func (p phone) enrolling(code, name string) *syncproto.Enrolling {
	e := &syncproto.Enrolling{
		Code: code, Device: p.id, Key: p.key.Public().(ed25519.PublicKey), Name: name, Phone: "小米 8", App: "t/1", Undertaking: enrol.InForce,
	}
	e.Signature = ed25519.Sign(p.key, e.SigningText())
	return e
}

func (p phone) renewing(refresh string) *syncproto.Renewing {
	r := &syncproto.Renewing{Device: p.id, Refresh: refresh, Clock: 7}
	r.Signature = ed25519.Sign(p.key, r.SigningText())
	return r
}

// comes redeems a code on a phone.
func (w *world) comes(p phone, code, name string) *syncproto.Enrolled {
	w.t.Helper()
	e, err := w.Enrol(w.ctx(), p.enrolling(code, name), w.now)
	w.must(err)
	return e
}

// scope is what a phone may see now.
func (w *world) scope(p phone) string {
	snap := w.registry.Current()
	var ids []string
	for _, id := range snap.People.Scope(snap.Areas, p.id, w.now) {
		ids = append(ids, string(id))
	}
	return strings.Join(ids, " ")
}

// entitled is the code with which an author is kept from writing somewhere.
func (w *world) entitled(a syncproto.AuthorID, id syncproto.AreaID, at syncproto.Instant) syncproto.Code {
	snap := w.registry.Current()
	if err := snap.People.Entitled(snap.Areas, a, id, at, false); err != nil {
		return err.Code
	}
	return ""
}

// resigned is the phone's signature over what a renewal has become.
func resigned(p phone, r *syncproto.Renewing) []byte { return ed25519.Sign(p.key, r.SigningText()) }
