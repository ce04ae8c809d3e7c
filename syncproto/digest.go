package syncproto

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/bits"
)

// Digest is a sum of hashes modulo 2^256: the fingerprint of a set, whatever the
// order in which its members came. A phone and the server that hold the same
// changes have the same Digest; each adds a hash when it takes a change and
// never looks at the older ones again. It guards against loss and accident. It
// isn't a signature, and doesn't guard against malice.
type Digest [32]byte

// Add returns d with the hash h added.
func (d Digest) Add(h Hash) Digest { return d.combine(h, bits.Add64) }

// Sub returns d with the hash h taken away.
func (d Digest) Sub(h Hash) Digest { return d.combine(h, bits.Sub64) }

func (d Digest) combine(h Hash, op func(x, y, carry uint64) (uint64, uint64)) Digest {
	var carry uint64
	for i := 24; i >= 0; i -= 8 {
		var v uint64
		v, carry = op(binary.BigEndian.Uint64(d[i:]), binary.BigEndian.Uint64(h[i:]), carry)
		binary.BigEndian.PutUint64(d[i:], v)
	}
	return d
}

// Hash is a SHA-256 sum.
type Hash [32]byte

func (d Digest) String() string               { return hex.EncodeToString(d[:]) }
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads 64 hexadecimal digits.
func (d *Digest) UnmarshalText(b []byte) error {
	if len(b) != 64 {
		return errors.New("a digest is 64 hexadecimal digits")
	}
	_, err := hex.Decode(d[:], b)
	return err
}

// Sum is the fingerprint of an area's records as one replica holds them: the sum
// modulo 2^64 of RowSum over its records.
type Sum uint64

func (s Sum) String() string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(s))
	return hex.EncodeToString(b[:])
}

func (s Sum) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads 16 hexadecimal digits.
func (s *Sum) UnmarshalText(b []byte) error {
	var raw [8]byte
	if len(b) != 16 {
		return errors.New("a sum is 16 hexadecimal digits")
	}
	if _, err := hex.Decode(raw[:], b); err != nil {
		return err
	}
	*s = Sum(binary.BigEndian.Uint64(raw[:]))
	return nil
}
