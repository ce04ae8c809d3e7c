package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"sync"
)

// Digester makes digests that tell equal values from different ones to whoever has
// its key, and nothing to anybody else: there are so few ID numbers and mobiles that
// from a digest without a key all of them could be found by trying. Its methods may
// be called from any number of goroutines.
type Digester struct {
	states sync.Pool
	print  uint64
}

// state is HMAC-SHA-256 at its beginning, and room for its end.
type state struct {
	mac hash.Hash
	sum [sha256.Size]byte
}

// NewDigester makes a digester of KeySize random bytes.
func NewDigester(random []byte) (*Digester, error) {
	if len(random) != KeySize {
		return nil, fmt.Errorf("a digest key of %d bytes, not %d", len(random), KeySize)
	}
	key := [KeySize]byte(random)
	d := &Digester{print: fingerprint(key)}
	d.states.New = func() any { return &state{mac: hmac.New(sha256.New, key[:])} }
	return d, nil
}

// Digest is the first 64 bits of HMAC-SHA-256 over the bytes.
func (d *Digester) Digest(value []byte) uint64 {
	s := d.states.Get().(*state) //nolint:errcheck,forcetypeassert // the pool holds nothing else
	s.mac.Reset()
	s.mac.Write(value)
	digest := binary.BigEndian.Uint64(s.mac.Sum(s.sum[:0]))
	d.states.Put(s)
	return digest
}

// Fingerprint tells this digester's key from others, and nothing else of it.
func (d *Digester) Fingerprint() uint64 { return d.print }

// fingerprint is of a key by which it can be recognised: a key is 256 random bits, so
// that it can't be found from it.
func fingerprint(key [KeySize]byte) uint64 {
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte("gridsync: which key this is"))
	return binary.BigEndian.Uint64(mac.Sum(nil))
}
