package clientsdk

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"gridsync/syncproto"
)

// secretSize is the length of the phone's secret and of the keys made of it.
const secretSize = 32

// vault seals what people wrote and what they were sent, row by row, with the row's
// name as additional data, so that no text can be put in another row's place. The zero
// vault is that of a file that isn't sealed: it leaves everything as it is.
type vault struct {
	// outer seals what a locked phone needs and nobody may see who has the file alone. It
	// is there from the moment that a sealed file is opened.
	outer cipher.AEAD
	// inner seals contents, under a key that only the PIN gives. Nil: it is locked.
	inner cipher.AEAD
}

// sealed reports whether contents are sealed, locked whether they can't be read.
func (v vault) sealed() bool { return v.outer != nil }
func (v vault) locked() bool { return v.sealed() && v.inner == nil }

// shut seals the contents of a row. What comes back is stored as it is: text for a file
// that isn't sealed.
func (v vault) shut(row string, contents []byte) (any, error) {
	switch {
	case !v.sealed():
		return string(contents), nil
	case v.locked():
		return nil, ErrLocked
	}
	return shut(v.inner, row, contents), nil
}

// open gives the contents of a row. They share memory with stored in a file that isn't
// sealed.
func (v vault) open(row string, stored []byte) ([]byte, error) {
	switch {
	case !v.sealed():
		return stored, nil
	case v.locked():
		return nil, ErrLocked
	}
	return open(v.inner, row, stored)
}

// shutHash seals a change's hash: few words have few hashes, and who has a hash could
// try them all. A locked phone needs it for its receipt.
func (v vault) shutHash(n uint64, hash syncproto.Hash) []byte {
	if !v.sealed() {
		return hash[:]
	}
	return shut(v.outer, hashRow(n), hash[:])
}

func (v vault) openHash(n uint64, stored []byte) (hash syncproto.Hash, err error) {
	if v.sealed() {
		if stored, err = open(v.outer, hashRow(n), stored); err != nil {
			return hash, err
		}
	}
	if copy(hash[:], stored) != len(hash) {
		return hash, errNotOurs
	}
	return hash, nil
}

// errNotOurs says that a row isn't what this file's key sealed for it.
var errNotOurs = errors.New("a sealed row can't be opened: it was altered")

// The names of rows, as additional data.
func outboxRow(n uint64) string              { return fmt.Sprint("outbox ", n) }
func hashRow(n uint64) string                { return fmt.Sprint("hash ", n) }
func recordRow(id syncproto.RecordID) string { return "record " + string(id[:]) }
func toldRow(t *syncproto.Told) string {
	return fmt.Sprintf("told %d %d %x %q %q", t.Version, t.N, t.Record[:], t.Item, t.Field)
}

// shut seals under a nonce of its own, which goes first. The nonces are random: 2^32
// rows of a file are as many as AES-GCM bears.
func shut(key cipher.AEAD, row string, contents []byte) []byte {
	nonce := make([]byte, key.NonceSize(), key.NonceSize()+len(contents)+key.Overhead())
	_, _ = rand.Read(nonce) // it never fails: the process ends if there is no randomness
	return key.Seal(nonce, nonce, contents, []byte(row))
}

func open(key cipher.AEAD, row string, stored []byte) ([]byte, error) {
	if len(stored) < key.NonceSize() {
		return nil, errNotOurs
	}
	contents, err := key.Open(nil, stored[:key.NonceSize()], stored[key.NonceSize():], []byte(row))
	if err != nil {
		return nil, errNotOurs
	}
	return contents, nil
}

// sealer is AES-256-GCM under a key.
func sealer(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// derive makes a key of a secret for one purpose.
func derive(secret []byte, purpose string) ([]byte, error) {
	return hkdf.Key(sha256.New, secret, nil, purpose, secretSize)
}

// outerOf is the sealer under the phone's secret alone.
func outerOf(secret []byte) (cipher.AEAD, error) {
	key, err := derive(secret, "gridsync client outer 1")
	if err != nil {
		return nil, err
	}
	return sealer(key)
}
