package syncproto

import (
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// Sealed is a change in a batch that only the server can read (R94): a phone that several
// people use delivers what one of them wrote while another holds it. It stands among the
// changes in a request in place of the change.
type Sealed struct {
	N uint64 `json:"n"`
	// Sealed is HPKE's (RFC 9180, mode base, X25519, HKDF-SHA256, AES-256-GCM): the
	// encapsulated key, then the ciphertext of the change's text.
	Sealed []byte `json:"sealed"`
}

// sealInfo binds what is sealed to its device and number.
func sealInfo(device DeviceID, n uint64) []byte {
	return binary.BigEndian.AppendUint64(append([]byte("gridsync change\x00"), device[:]...), n)
}

var (
	sealKEM  = hpke.DHKEM(ecdh.X25519())
	sealKDF  = hpke.HKDFSHA256()
	sealAEAD = hpke.AES256GCM()
)

// Seal seals a change's text under the server's public key, as it stands in a request.
func Seal(box []byte, device DeviceID, n uint64, raw []byte) (json.RawMessage, error) {
	key, err := sealKEM.NewPublicKey(box)
	if err != nil {
		return nil, fmt.Errorf("seal a change: the server's key: %w", err)
	}
	sealed, err := hpke.Seal(key, sealKDF, sealAEAD, sealInfo(device, n), raw)
	if err != nil {
		return nil, fmt.Errorf("seal a change: %w", err)
	}
	return json.Marshal(Sealed{N: n, Sealed: sealed})
}

// BoxKey is a private key with which the server opens what phones have sealed.
type BoxKey struct{ key hpke.PrivateKey }

// NewBoxKey reads a private key (X25519, 32 bytes).
func NewBoxKey(private []byte) (BoxKey, error) {
	key, err := sealKEM.NewPrivateKey(private)
	if err != nil {
		return BoxKey{}, fmt.Errorf("box key: %w", err)
	}
	return BoxKey{key}, nil
}

// Public is the key under which phones seal.
func (b BoxKey) Public() []byte { return b.key.PublicKey().Bytes() }

// SealedIn returns what raw holds if it is a sealed change, and whether it is one.
func SealedIn(raw []byte) (Sealed, bool) {
	var s Sealed
	if err := json.Unmarshal(raw, &s); err != nil || len(s.Sealed) == 0 {
		return Sealed{}, false
	}
	return s, true
}

// errNotSealed says no more: whoever is trying learns nothing of which key it was.
var errNotSealed = &Error{Code: CodeNotSealed}

// OpenSealed opens a sealed change of a device with whichever key fits. Its error is an
// *Error with code not_sealed.
func OpenSealed(keys []BoxKey, device DeviceID, s Sealed) ([]byte, error) {
	for _, k := range keys {
		raw, err := hpke.Open(k.key, sealKDF, sealAEAD, sealInfo(device, s.N), s.Sealed)
		if err != nil {
			continue
		}
		if !holds(raw, s.N) {
			break
		}
		return raw, nil
	}
	return nil, errNotSealed
}

// holds reports whether a text is a JSON object whose number is n. Who reads a request
// finds out whether its changes are JSON; what was sealed comes by unread.
func holds(raw []byte, n uint64) bool {
	var r memberReader
	if !Valid(raw) || !eachMember(string(raw), r.take) {
		return false
	}
	var inside uint64
	r.read(memberN, &inside, true)
	return r.err == nil && inside == n && n > 0
}
