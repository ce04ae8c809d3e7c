package identity

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"gridsync/syncproto"
)

// Issuer and Audience are what every token of this product says of itself. They
// don't name the database's epoch: a restored backup must not lock its phones out.
const (
	Issuer   = "gridsync"
	Audience = "gridsync"
)

// claims is what a token says: sub is the device, author the person who was
// given it.
type claims struct {
	jwt.RegisteredClaims
	Author syncproto.AuthorID `json:"author"`
}

// KeyID names a key in a token's header, so that an older key can go on being
// believed after a newer one took over.
func KeyID(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:8])
}

// Signer makes tokens.
type Signer struct{ key ed25519.PrivateKey }

// NewSigner makes a signer with a key.
func NewSigner(key ed25519.PrivateKey) *Signer { return &Signer{key: key} }

// Sign returns a token for a device that an author was given, good from one
// moment until another. Times are kept in whole seconds.
func (s *Signer) Sign(device syncproto.DeviceID, author syncproto.AuthorID, from, until time.Time) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: Issuer, Subject: device.String(), Audience: jwt.ClaimStrings{Audience},
			IssuedAt: jwt.NewNumericDate(from), ExpiresAt: jwt.NewNumericDate(until),
		},
		Author: author,
	})
	public, ok := s.key.Public().(ed25519.PublicKey)
	if !ok {
		return "", errors.New("sign a token: the key is not an Ed25519 key")
	}
	token.Header["kid"] = KeyID(public)
	text, err := token.SignedString(s.key)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return text, nil
}

// Bearer is whom a verified token speaks of.
type Bearer struct {
	Device syncproto.DeviceID
	Author syncproto.AuthorID
	Until  time.Time
}

// Verifier reads tokens. It remembers those that it has verified, as a signature
// costs some 50 µs and a phone shows the same token all day; what it remembers
// is bounded, and expiry is looked at every time. Whether the device still may
// is not its question: the directory is asked at every request.
type Verifier struct {
	keys   map[string]ed25519.PublicKey
	parser *jwt.Parser
	now    func() time.Time
	known  bearers
}

// rememberedTokens bounds a Verifier's memory: about 150 bytes each.
const rememberedTokens = 20_000

// NewVerifier makes a verifier that believes the given keys and asks now for the time.
func NewVerifier(keys []ed25519.PublicKey, now func() time.Time) *Verifier {
	byID := make(map[string]ed25519.PublicKey, len(keys))
	for _, k := range keys {
		byID[KeyID(k)] = k
	}
	return &Verifier{
		keys: byID, now: now, known: bearers{most: rememberedTokens / 2},
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
			jwt.WithExpirationRequired(), jwt.WithIssuer(Issuer), jwt.WithAudience(Audience),
			jwt.WithTimeFunc(now),
		),
	}
}

// Verify says whom a token speaks of. Its error is an *syncproto.Error with code
// token_expired for a token that was good once, and bad_token for any other.
func (v *Verifier) Verify(token []byte) (Bearer, error) {
	key := sha256.Sum256(token)
	b, known := v.known.get(key)
	if !known {
		var err error
		if b, err = v.read(string(token)); err != nil {
			return Bearer{}, err
		}
		v.known.put(key, b)
	}
	if !v.now().Before(b.Until) {
		return Bearer{}, &syncproto.Error{Code: syncproto.CodeTokenExpired}
	}
	return b, nil
}

func (v *Verifier) read(token string) (Bearer, error) {
	var c claims
	_, err := v.parser.ParseWithClaims(token, &c, v.key)
	if err != nil {
		return Bearer{}, refusal(err)
	}
	device, err := syncproto.ParseID[syncproto.DeviceID](c.Subject)
	if err != nil || device.IsZero() {
		return Bearer{}, &syncproto.Error{Code: syncproto.CodeBadToken, Field: "sub"}
	}
	return Bearer{Device: device, Author: c.Author, Until: c.ExpiresAt.Time}, nil
}

func (v *Verifier) key(token *jwt.Token) (any, error) {
	id, _ := token.Header["kid"].(string)
	key, ok := v.keys[id]
	if !ok {
		return nil, errors.New("a key that is not ours")
	}
	return key, nil
}

// refusal tells an expired token, whose owner can be helped, from a bad one. The
// library's own words aren't repeated to whoever is trying.
func refusal(err error) error {
	expired := errors.Is(err, jwt.ErrTokenExpired)
	foreign := errors.Is(err, jwt.ErrTokenInvalidAudience) || errors.Is(err, jwt.ErrTokenInvalidIssuer)
	if expired && !foreign {
		return &syncproto.Error{Code: syncproto.CodeTokenExpired}
	}
	return &syncproto.Error{Code: syncproto.CodeBadToken}
}

// bearers remembers at most twice most tokens. When the newer half is full it
// becomes the older one and what nobody showed in the meantime goes.
type bearers struct {
	mu           sync.RWMutex
	most         int
	newer, older map[[sha256.Size]byte]Bearer
}

func (m *bearers) get(key [sha256.Size]byte) (Bearer, bool) {
	m.mu.RLock()
	b, ok := m.newer[key]
	old := false
	if !ok {
		b, old = m.older[key]
	}
	m.mu.RUnlock()
	if old {
		m.put(key, b)
	}
	return b, ok || old
}

func (m *bearers) put(key [sha256.Size]byte, b Bearer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.newer == nil || len(m.newer) >= m.most {
		m.older, m.newer = m.newer, make(map[[sha256.Size]byte]Bearer)
	}
	m.newer[key] = b
}
