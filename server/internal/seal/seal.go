// Package seal keeps what people wrote unreadable to whoever has a copy of the
// database and not its keys.
//
// It seals short texts one by one, each to the row that it stands in, and makes the
// keyed digests by which equal values are found without being readable. It refuses
// to know what is sealed, to keep keys, and to draw randomness: all come in.
package seal

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

// A sealed text is: the format (1 byte), the number of its key (2 bytes, big endian),
// the nonce, the text in AES-256-GCM with its tag. The format, the key's number, and
// the place are covered by the tag.
const (
	format    = 1
	header    = 1 + 2
	nonceSize = 12
	tagSize   = 16

	// Overhead is by how many bytes a sealed text is longer than the text.
	Overhead = header + nonceSize + tagSize
)

// KeySize is how many bytes a key has.
const KeySize = 32

// KeyID numbers the keys of one installation, from 1. The greatest seals.
type KeyID uint16

// Key is a data key. It is never printed: it has no exported field with its bytes.
type Key struct {
	ID    KeyID
	bytes [KeySize]byte
}

// NewKey makes a key of KeySize random bytes.
func NewKey(id KeyID, random []byte) (Key, error) {
	if id == 0 || len(random) != KeySize {
		return Key{}, fmt.Errorf("data key %d of %d bytes: keys are numbered from 1 and have %d bytes", id, len(random), KeySize)
	}
	return Key{ID: id, bytes: [KeySize]byte(random)}, nil
}

// String names the key.
func (k Key) String() string { return fmt.Sprintf("data key %d", k.ID) }

// GoString keeps %#v from printing the key itself.
func (k Key) GoString() string { return k.String() }

// Ring is the data keys of one installation: the newest seals, each opens what it
// sealed. Its methods may be called from any number of goroutines.
type Ring struct {
	newest KeyID
	keys   map[KeyID]ringKey

	mu     sync.Mutex
	random io.Reader
}

type ringKey struct {
	aead  cipher.AEAD
	print uint64
}

// NewRing makes a ring of at least one key. random gives the nonces; a nonce drawn
// twice under one key would betray two texts, so it must be as good as crypto/rand.
func NewRing(random io.Reader, keys ...Key) (*Ring, error) {
	r := &Ring{keys: make(map[KeyID]ringKey, len(keys)), random: bufio.NewReaderSize(random, 128*nonceSize)}
	for i := range keys {
		k := &keys[i]
		if _, twice := r.keys[k.ID]; twice || k.ID == 0 {
			return nil, fmt.Errorf("%s: there are two of them, or it was never made", k)
		}
		block, err := aes.NewCipher(k.bytes[:])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
		r.keys[k.ID] = ringKey{aead, fingerprint(k.bytes)}
		r.newest = max(r.newest, k.ID)
	}
	if len(keys) == 0 {
		return nil, errors.New("a ring without a data key")
	}
	return r, nil
}

// Newest is the number of the key that seals.
func (r *Ring) Newest() KeyID { return r.newest }

// IDs are the numbers of all keys, in order.
func (r *Ring) IDs() []KeyID {
	ids := make([]KeyID, 0, len(r.keys))
	for id := range r.keys {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// Fingerprint tells a key from another one of the same number, and nothing else of
// it; false if the ring hasn't got it.
func (r *Ring) Fingerprint(id KeyID) (uint64, bool) {
	k, ok := r.keys[id]
	return k.print, ok
}

// MissingKeyError says that a text was sealed with a key that the ring hasn't got.
type MissingKeyError struct{ ID KeyID }

func (e *MissingKeyError) Error() string {
	return fmt.Sprintf("data key %d is missing: what was sealed with it can't be read", e.ID)
}

// Is lets errors.Is find any missing key by one without a number.
func (e *MissingKeyError) Is(target error) bool {
	t, ok := target.(*MissingKeyError)
	return ok && (t.ID == 0 || t.ID == e.ID)
}

// ErrAltered says that a sealed text isn't what was sealed there: it was altered, it
// comes from another row, or its key is another one of the same number.
var ErrAltered = errors.New("a sealed text was altered, moved, or sealed with another key of that number")

// Seal appends the text, which may come in parts, to dst, sealed to its place by the
// newest key.
func (r *Ring) Seal(dst []byte, at Place, text ...[]byte) ([]byte, error) {
	size := Overhead
	for _, part := range text {
		size += len(part)
	}
	dst = slices.Grow(dst, size)
	from := len(dst)
	dst = append(dst, format)
	dst = binary.BigEndian.AppendUint16(dst, uint16(r.newest))
	dst = dst[:from+header+nonceSize]
	nonce := dst[from+header:]
	if err := r.draw(nonce); err != nil {
		return nil, err
	}
	for _, part := range text {
		dst = append(dst, part...)
	}
	plain := dst[from+header+nonceSize:]
	s := scratches.Get().(*scratch) //nolint:errcheck,forcetypeassert // the pool holds nothing else
	sealed := r.keys[r.newest].aead.Seal(plain[:0], nonce, plain, s.bound(dst[from:from+header], &at))
	scratches.Put(s)
	return dst[:from+header+nonceSize+len(sealed)], nil
}

// draw fills a nonce. Nonces are read ahead: asking the machine for each costs as much
// as sealing.
func (r *Ring) draw(nonce []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := io.ReadFull(r.random, nonce); err != nil {
		return fmt.Errorf("draw a nonce: %w", err)
	}
	return nil
}

// Open returns the text that was sealed at a place, in memory of its own.
// *MissingKeyError names the key that it takes; ErrAltered for anything that was not
// sealed there.
func (r *Ring) Open(at Place, sealed []byte) ([]byte, error) {
	id, err := SealedWith(sealed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	key, ok := r.keys[id]
	if !ok {
		return nil, fmt.Errorf("%s: %w", at, &MissingKeyError{id})
	}
	s := scratches.Get().(*scratch) //nolint:errcheck,forcetypeassert // the pool holds nothing else
	body := sealed[header:]
	text, err := key.aead.Open(make([]byte, 0, len(sealed)-Overhead), body[:nonceSize], body[nonceSize:], s.bound(sealed[:header], &at))
	scratches.Put(s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w (data key %d)", at, ErrAltered, id)
	}
	return text, nil
}

// SealedWith returns the number of the key that opens a sealed text; ErrAltered for
// bytes that are no such text.
func SealedWith(sealed []byte) (KeyID, error) {
	if len(sealed) < Overhead || sealed[0] != format {
		return 0, fmt.Errorf("%w: %d bytes that were never sealed", ErrAltered, len(sealed))
	}
	return KeyID(binary.BigEndian.Uint16(sealed[1:header])), nil
}

// scratch is memory for what a seal is bound to.
type scratch struct{ bytes []byte }

var scratches = sync.Pool{New: func() any { return &scratch{make([]byte, 0, 96)} }}

// bound is what a tag covers besides the text: the head of the sealed text and its
// place.
func (s *scratch) bound(head []byte, at *Place) []byte {
	s.bytes = append(s.bytes[:0], head...)
	s.bytes = append(s.bytes, at.column...)
	s.bytes = append(s.bytes, 0)
	s.bytes = append(s.bytes, at.row[:at.n]...)
	return s.bytes
}
