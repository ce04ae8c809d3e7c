package host

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"gridsync/server/internal/identity"
	"gridsync/syncproto"
)

// siege is a server with people of two grids, under attack.
type siege struct {
	*Server
	log *logbook
	// key is the one that signs tokens.
	key ed25519.PrivateKey
	// ours is a phone of grid g1, theirs one of g2 with one household, lost one that was
	// reported lost; secretary is of g1.
	ours, theirs, lost, secretary Enrolled
	household                     syncproto.RecordID
	// broken says that the store was taken away, and that closing must fail.
	broken bool
}

// logbook keeps what the server writes.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newSiege(t *testing.T) *siege {
	t.Helper()
	s, dir := &siege{log: new(logbook)}, t.TempDir()
	var err error
	s.Server, err = Start(t.Context(), Config{
		Dir: dir, Listen: "127.0.0.1:0", Poll: time.Hour,
		Page: fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}, "app.js": {Data: []byte("1")}, "keys.pem": {Data: []byte("2")}},
		Log:  slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !s.broken {
			t.Errorf("close: %v", err)
		}
	})
	if _, problems, err := s.ImportAreas(t.Context(), strings.NewReader(county+"g2,二网格,3307\n")); err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	s.ours, s.theirs, s.lost = add(t, s.Data, "g1"), add(t, s.Data, "g2"), add(t, s.Data, "g1")
	s.secretary, err = s.AddDevice(t.Context(), Device{Name: "书记", Areas: []syncproto.AreaID{"g1"}, Role: identity.Secretary})
	if err != nil {
		t.Fatal(err)
	}
	away := s.lost.Device
	away.Standing = identity.Standing{Status: identity.Lost}
	if err := s.store.AddIdentities(t.Context(), identity.Everyone{Devices: []identity.Device{away}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.household = syncproto.RecordID{200, 1}
	first := strings.NewReplacer(syncproto.RecordID{1, 1}.String(), s.household.String(), syncproto.ChangeID{1, 2}.String(), syncproto.ChangeID{200, 2}.String()).
		Replace(string(visit(&s.theirs, 1, "g2")))
	if status, answer := exchangeWith(t, s.Server, &s.theirs, json.RawMessage(first)); status != http.StatusOK || answer.Verdicts[0].Verdict != syncproto.Applied {
		t.Fatalf("%d %+v", status, answer.Verdicts)
	}
	ring, err := openKeys(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	s.key = ring.signing
	return s
}

// standing is everything that an attack must leave as it was.
func (s *siege) standing(t *testing.T) string {
	t.Helper()
	version, _, err := s.store.AsOf(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprint(version, s.registry.Current().Revision)
	for _, e := range []*Enrolled{&s.ours, &s.theirs, &s.lost, &s.secretary} {
		state, err := s.store.Device(t.Context(), e.ID)
		if err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprint(" ", state.High, state.Held, state.Digest)
	}
	records, err := s.store.RecordsByID(t.Context(), []syncproto.RecordID{s.household})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s %+v", text, records)
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// problem is an answer that turns a request away.
type problem struct {
	Code  syncproto.Code
	Field string
}

func (a answer) problem() (p problem) {
	if json.Unmarshal(a.body, &p) != nil {
		p.Code = syncproto.Code(a.body)
	}
	return p
}

// raw sends bytes as they are, over a connection of their own.
func (s *siege) raw(t *testing.T, request string) answer {
	t.Helper()
	conn, err := net.Dial("tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	// A server that has heard enough hangs up before all is sent: what it said is what counts.
	go func() { _, _ = io.WriteString(conn, request) }()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, body}
}

// get writes a GET, the path as it is given.
func get(path, token string, headers ...string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + lines(token, headers) + "\r\n"
}

// post writes a POST.
func post(path, token, body string, headers ...string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n%s\r\n%s", path, len(body), lines(token, headers), body)
}

func lines(token string, headers []string) (text string) {
	if token != "" {
		text = "Authorization: Bearer " + token + "\r\n"
	}
	for _, h := range headers {
		text += h + "\r\n"
	}
	return text
}

// push is the body of a sync of a device.
func push(device syncproto.DeviceID, members string) string {
	return fmt.Sprintf(`{"protocol":%d,"device":%q,"clock":%d,"high":0,"unsent":0%s}`,
		syncproto.Protocol, device, time.Now().UnixMilli(), members)
}

// forgery is a token as somebody makes it by hand.
type forgery struct {
	header, claims map[string]any
	sign           func(text string) []byte
}

// token is a good one of a device, for the test to spoil.
func (s *siege) token(e *Enrolled, spoil func(*forgery)) string {
	now := time.Now()
	f := forgery{
		header: map[string]any{"alg": "EdDSA", "typ": "JWT", "kid": identity.KeyID(s.public())},
		claims: map[string]any{
			"iss": identity.Issuer, "aud": identity.Audience, "sub": e.ID, "author": e.Authors[0].ID,
			"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		},
		sign: func(text string) []byte { return ed25519.Sign(s.key, []byte(text)) },
	}
	spoil(&f)
	text := part(f.header) + "." + part(f.claims)
	return text + "." + base64.RawURLEncoding.EncodeToString(f.sign(text))
}

func (s *siege) public() ed25519.PublicKey {
	public, _ := s.key.Public().(ed25519.PublicKey)
	return public
}

func part(members map[string]any) string {
	return base64.RawURLEncoding.EncodeToString([]byte(syncproto.ValueOf(members)))
}

// badToken is one that must not let anybody in, and how it is answered.
type badToken struct {
	token string
	code  syncproto.Code
	field string
}

func (s *siege) tokens(e *Enrolled) map[string]badToken {
	seed := sha256.Sum256([]byte("somebody else"))
	other := ed25519.NewKeyFromSeed(seed[:])
	claim := func(name string, v any) func(*forgery) { return func(f *forgery) { f.claims[name] = v } }
	hour := time.Now().Add(-time.Hour).Unix()
	return map[string]badToken{
		"with one character changed": {s.token(e, func(*forgery) {})[:20] + "A" + s.token(e, func(*forgery) {})[21:], syncproto.CodeBadToken, ""},
		"expired":                    {s.token(e, claim("exp", hour)), syncproto.CodeTokenExpired, ""},
		"without an end":             {s.token(e, func(f *forgery) { delete(f.claims, "exp") }), syncproto.CodeBadToken, ""},
		"of algorithm none": {s.token(e, func(f *forgery) {
			f.header["alg"] = "none"
			f.sign = func(string) []byte { return nil }
		}), syncproto.CodeBadToken, ""},
		"signed with the public key as a secret": {s.token(e, func(f *forgery) {
			f.header["alg"] = "HS256"
			f.sign = func(text string) []byte {
				mac := hmac.New(sha256.New, s.public())
				mac.Write([]byte(text))
				return mac.Sum(nil)
			}
		}), syncproto.CodeBadToken, ""},
		"of another key": {s.token(e, func(f *forgery) {
			f.sign = func(text string) []byte { return ed25519.Sign(other, []byte(text)) }
		}), syncproto.CodeBadToken, ""},
		"of a key that nobody knows": {s.token(e, func(f *forgery) { f.header["kid"] = "../../keys" }), syncproto.CodeBadToken, ""},
		"for another audience":       {s.token(e, claim("aud", "another")), syncproto.CodeBadToken, ""},
		"of another issuer":          {s.token(e, claim("iss", "another")), syncproto.CodeBadToken, ""},
		"from another issuer, expired": {s.token(e, func(f *forgery) {
			f.claims["iss"], f.claims["exp"] = "another", hour
		}), syncproto.CodeBadToken, ""},
		"of a device that nobody knows": {s.token(e, claim("sub", syncproto.DeviceID{9})), syncproto.CodeBadToken, ""},
		"of something that is no id":    {s.token(e, claim("sub", "admin")), syncproto.CodeBadToken, "sub"},
		"of nobody":                     {s.token(e, claim("sub", syncproto.DeviceID{})), syncproto.CodeBadToken, "sub"},
		"that is a word":                {"admin", syncproto.CodeBadToken, ""},
		"that is very long":             {strings.Repeat("A", 3000), syncproto.CodeBadToken, ""},
	}
}
