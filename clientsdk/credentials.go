package clientsdk

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"gridsync/syncproto"
)

// credentials are what a phone is known by, as kept in its keystore. They don't lie
// under the PIN: a locked phone delivers, too.
type credentials struct {
	Device syncproto.DeviceID `json:"device"`
	// Key is the seed of the device's own key (Ed25519), which never leaves it.
	Key []byte `json:"key"`
	// Secret is what the file is sealed with besides the PIN.
	Secret []byte `json:"secret"`
	Server string `json:"server,omitempty"`
	// Attempt is the enrolment that was tried last, Redeemed the code of the last that was
	// answered; Author is zero until then.
	Attempt  Enrolment          `json:"attempt,omitzero"`
	Redeemed string             `json:"redeemed,omitempty"`
	Author   syncproto.AuthorID `json:"author,omitzero"`
	// Accepted is the version of the undertaking that the person has accepted.
	Accepted int              `json:"accepted,omitempty"`
	Tokens   syncproto.Tokens `json:"tokens,omitzero"`
	// Offset is what to add to this device's clock to get the server's, as it was when
	// the tokens came.
	Offset syncproto.Instant `json:"offset"`
	// Suspended says that the server has seen the refresh token used twice.
	Suspended bool `json:"suspended,omitempty"`
}

// Holder is whom a keystore is for.
type Holder struct {
	Device syncproto.DeviceID
	Server string
	// Author is zero until an enrolment was answered.
	Author syncproto.AuthorID
	// Enrolment is the one that was tried last.
	Enrolment Enrolment
}

// HolderOf tells whom a keystore is for; known is false for an empty one.
func HolderOf(keys Keystore) (h Holder, known bool, err error) {
	creds, known, err := loadCredentials(keys)
	return Holder{creds.Device, creds.Server, creds.Author, creds.Attempt}, known, err
}

// newCredentials makes what a new phone is known by.
func newCredentials(device syncproto.DeviceID) (credentials, error) {
	fresh := make([]byte, ed25519.SeedSize+secretSize)
	if _, err := rand.Read(fresh); err != nil {
		return credentials{}, fmt.Errorf("making the device's keys: %w", err)
	}
	return credentials{Device: device, Key: fresh[:ed25519.SeedSize], Secret: fresh[ed25519.SeedSize:]}, nil
}

// loadCredentials reads a keystore; known is false for an empty one.
func loadCredentials(keys Keystore) (creds credentials, known bool, err error) {
	if keys == nil {
		return creds, false, nil
	}
	body, err := keys.Load()
	if err != nil || body == nil {
		return creds, false, err
	}
	if err := json.Unmarshal(body, &creds); err != nil {
		return creds, false, fmt.Errorf("reading the phone's keys: %w", err)
	}
	if len(creds.Key) != ed25519.SeedSize || len(creds.Secret) != secretSize {
		return creds, false, fmt.Errorf("reading the phone's keys: %w", ErrOtherKeys)
	}
	return creds, true, nil
}

func (k *credentials) save(keys Keystore) error {
	body, err := json.Marshal(k) // #nosec G117 -- it is what a keystore is for
	if err != nil {
		return err
	}
	return keys.Save(body)
}

// has reports whether a code was redeemed last.
func (k *credentials) has(code string) bool { return code != "" && k.Redeemed == code }

// sign is the device's signature over a text.
func (k *credentials) sign(text []byte) []byte {
	return ed25519.Sign(ed25519.NewKeyFromSeed(k.Key), text)
}

// public is the device's public key.
func (k *credentials) public() []byte {
	return ed25519.NewKeyFromSeed(k.Key)[ed25519.SeedSize:]
}

// take takes new tokens, which came when this device's clock was received.
func (k *credentials) take(t *syncproto.Tokens, received syncproto.Instant) {
	before := k.Tokens
	k.Tokens, k.Offset = *t, t.Now-received
	if t.Refresh == "" { // a device that may only deliver gets no other
		k.Tokens.Refresh, k.Tokens.RefreshUntil = before.Refresh, before.RefreshUntil
	} else {
		k.Suspended = false
	}
	if len(t.Box) == 0 {
		k.Tokens.Box = before.Box
	}
}

// spare is how long before its end an access token is no longer used: a request over a
// slow link takes its time.
const spare = syncproto.Instant(2 * 60 * 1000)

// stale reports whether the access token is to be renewed at an instant of this
// device's clock. A clock that was set back since would make it look young; the server
// then says that it isn't.
func (k *credentials) stale(now syncproto.Instant) bool {
	return k.Tokens.Access == "" || now+k.Offset > k.Tokens.AccessUntil-spare
}
