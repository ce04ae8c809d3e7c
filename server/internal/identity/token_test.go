package identity

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"gridsync/syncproto"
)

var (
	noon   = time.Date(2020, 1, 31, 12, 0, 0, 0, time.UTC)
	device = syncproto.DeviceID{1, 2, 3}
	author = syncproto.AuthorID{4, 5, 6}
)

// testKey returns the same key for the same name.
func testKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(key ed25519.PrivateKey) ed25519.PublicKey {
	return ed25519.PublicKey(key[ed25519.PublicKeySize:])
}

// at returns a clock that can be moved, and a verifier that reads it.
func at(start time.Time, keys ...ed25519.PublicKey) (*time.Time, *Verifier) {
	now := start
	return &now, NewVerifier(keys, func() time.Time { return now })
}

func sign(t *testing.T, key ed25519.PrivateKey, until time.Time) string {
	t.Helper()
	token, err := NewSigner(key).Sign(device, author, noon, until)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func wantCode(t *testing.T, err error, code syncproto.Code) {
	t.Helper()
	if !errors.Is(err, &syncproto.Error{Code: code}) {
		t.Fatalf("got %v, want code %s", err, code)
	}
}

func TestATokenSpeaksOfItsDevice(t *testing.T) {
	key := testKey("ours")
	_, v := at(noon, public(key))
	token := []byte(sign(t, key, noon.Add(time.Hour)))
	for _, turn := range []string{"the first", "a remembered"} {
		b, err := v.Verify(token)
		if err != nil {
			t.Fatalf("%s time: %v", turn, err)
		}
		if b.Device != device || b.Author != author || !b.Until.Equal(noon.Add(time.Hour)) {
			t.Errorf("%s time: %+v", turn, b)
		}
	}
}

func TestARememberedTokenStillExpires(t *testing.T) {
	key := testKey("ours")
	now, v := at(noon, public(key))
	token := []byte(sign(t, key, noon.Add(time.Hour)))
	if _, err := v.Verify(token); err != nil {
		t.Fatal(err)
	}
	*now = noon.Add(time.Hour - time.Second)
	if _, err := v.Verify(token); err != nil {
		t.Errorf("a second before: %v", err)
	}
	*now = noon.Add(time.Hour)
	_, err := v.Verify(token)
	wantCode(t, err, syncproto.CodeTokenExpired)
}

func TestAnOlderKeyIsBelievedWhileItIsKept(t *testing.T) {
	older, newer := testKey("older"), testKey("newer")
	token := []byte(sign(t, older, noon.Add(time.Hour)))
	_, both := at(noon, public(older), public(newer))
	if _, err := both.Verify(token); err != nil {
		t.Errorf("both keys: %v", err)
	}
	_, one := at(noon, public(newer))
	_, err := one.Verify(token)
	wantCode(t, err, syncproto.CodeBadToken)
}

// forge makes a token with any header and claims, signed by anything.
func forge(t *testing.T, method jwt.SigningMethod, kid string, c jwt.MapClaims, key any) string {
	t.Helper()
	token := jwt.NewWithClaims(method, c)
	token.Header["kid"] = kid
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// good returns the claims of a token that is believed, altered.
func good(alter func(jwt.MapClaims)) jwt.MapClaims {
	c := jwt.MapClaims{
		"iss": Issuer, "aud": Audience, "sub": device.String(), "author": author.String(),
		"exp": noon.Add(time.Hour).Unix(), "iat": noon.Unix(),
	}
	if alter != nil {
		alter(c)
	}
	return c
}

func TestOnlyOurTokensAreBelieved(t *testing.T) {
	ours, other := testKey("ours"), testKey("other")
	kid := KeyID(public(ours))
	ed := jwt.SigningMethodEdDSA
	without := func(name string) jwt.MapClaims { return good(func(c jwt.MapClaims) { delete(c, name) }) }
	with := func(name string, value any) jwt.MapClaims { return good(func(c jwt.MapClaims) { c[name] = value }) }
	whole := forge(t, ed, kid, good(nil), ours)
	parts := strings.Split(whole, ".")
	claims, err := json.Marshal(with("sub", syncproto.DeviceID{9}.String()))
	if err != nil {
		t.Fatal(err)
	}
	altered := parts[0] + "." + base64.RawURLEncoding.EncodeToString(claims) + "." + parts[2]

	for name, c := range map[string]struct {
		token string
		code  syncproto.Code // "" means believed
	}{
		"ours":                               {whole, ""},
		"expired":                            {forge(t, ed, kid, with("exp", noon.Add(-time.Second).Unix()), ours), syncproto.CodeTokenExpired},
		"expires now":                        {forge(t, ed, kid, with("exp", noon.Unix()), ours), syncproto.CodeTokenExpired},
		"expired and for others":             {forge(t, ed, kid, good(func(c jwt.MapClaims) { c["exp"], c["aud"] = 1, "x" }), ours), syncproto.CodeBadToken},
		"expired and forged":                 {forge(t, ed, kid, with("exp", 1), other), syncproto.CodeBadToken},
		"claims altered":                     {altered, syncproto.CodeBadToken},
		"signature of another token":         {parts[0] + "." + parts[1] + "." + strings.Split(forge(t, ed, kid, with("iat", 1), ours), ".")[2], syncproto.CodeBadToken},
		"no signature":                       {parts[0] + "." + parts[1] + ".", syncproto.CodeBadToken},
		"alg none":                           {forge(t, jwt.SigningMethodNone, kid, good(nil), jwt.UnsafeAllowNoneSignatureType), syncproto.CodeBadToken},
		"HS256 with the public key":          {forge(t, jwt.SigningMethodHS256, kid, good(nil), []byte(public(ours))), syncproto.CodeBadToken},
		"another key under our key's name":   {forge(t, ed, kid, good(nil), other), syncproto.CodeBadToken},
		"another key under its own name":     {forge(t, ed, KeyID(public(other)), good(nil), other), syncproto.CodeBadToken},
		"no key's name":                      {forge(t, ed, "", good(nil), ours), syncproto.CodeBadToken},
		"another audience":                   {forge(t, ed, kid, with("aud", "bank"), ours), syncproto.CodeBadToken},
		"no audience":                        {forge(t, ed, kid, without("aud"), ours), syncproto.CodeBadToken},
		"another issuer":                     {forge(t, ed, kid, with("iss", "bank"), ours), syncproto.CodeBadToken},
		"no issuer":                          {forge(t, ed, kid, without("iss"), ours), syncproto.CodeBadToken},
		"no expiry":                          {forge(t, ed, kid, without("exp"), ours), syncproto.CodeBadToken},
		"expiry is a word":                   {forge(t, ed, kid, with("exp", "never"), ours), syncproto.CodeBadToken},
		"no subject":                         {forge(t, ed, kid, without("sub"), ours), syncproto.CodeBadToken},
		"subject is no id":                   {forge(t, ed, kid, with("sub", "root"), ours), syncproto.CodeBadToken},
		"subject is the zero id":             {forge(t, ed, kid, with("sub", syncproto.DeviceID{}.String()), ours), syncproto.CodeBadToken},
		"author is no id":                    {forge(t, ed, kid, with("author", "root"), ours), syncproto.CodeBadToken},
		"two parts":                          {parts[0] + "." + parts[1], syncproto.CodeBadToken},
		"four parts":                         {whole + ".x", syncproto.CodeBadToken},
		"not base64":                         {"é.é.é", syncproto.CodeBadToken},
		"not JSON":                           {"eHg.eHg.eHg", syncproto.CodeBadToken},
		"empty":                              {"", syncproto.CodeBadToken},
		"a megabyte of dots":                 {strings.Repeat(".", 1<<20), syncproto.CodeBadToken},
		"a key's name that is a number":      {numberedKid(t, ours), syncproto.CodeBadToken},
		"not yet valid, by its own nbf":      {forge(t, ed, kid, with("nbf", noon.Add(time.Hour).Unix()), ours), syncproto.CodeBadToken},
		"issued in the future is no offence": {forge(t, ed, kid, with("iat", noon.Add(time.Hour).Unix()), ours), ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, v := at(noon, public(ours))
			b, err := v.Verify([]byte(c.token))
			if c.code == "" {
				if err != nil || b.Device != device {
					t.Fatalf("%v, %v", b, err)
				}
				return
			}
			wantCode(t, err, c.code)
			var refused *syncproto.Error
			if errors.As(err, &refused) && refused.Detail != "" {
				t.Errorf("tells whoever is trying: %q", refused.Detail)
			}
			if b != (Bearer{}) {
				t.Errorf("speaks of %v all the same", b)
			}
			if len(v.known.newer) > 0 {
				t.Error("a token that was not believed is remembered")
			}
		})
	}
}

func numberedKid(t *testing.T, key ed25519.PrivateKey) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, good(nil))
	token.Header["kid"] = 7
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestMemoryOfTokensIsBounded(t *testing.T) {
	m := bearers{most: 10}
	kept := sha256.Sum256([]byte("kept"))
	m.put(kept, Bearer{Device: device})
	for i := range 1000 {
		m.put(sha256.Sum256([]byte(strconv.Itoa(i))), Bearer{})
		if b, ok := m.get(kept); !ok || b.Device != device {
			t.Fatalf("after %d others, a token in use is forgotten", i)
		}
		if n := len(m.newer) + len(m.older); n > 2*m.most {
			t.Fatalf("%d tokens are remembered", n)
		}
	}
	if _, ok := m.get(sha256.Sum256([]byte("0"))); ok {
		t.Error("a token that nobody showed again is still remembered")
	}
}
