package storetest

import (
	"bytes"
	"crypto/rand"
	"testing"

	"gridsync/server/internal/seal"
)

// Keys is a ring of data keys that every test has, numbered from 1: one unless it asks for
// more.
func Keys(t testing.TB, ids ...seal.KeyID) *seal.Ring {
	t.Helper()
	if len(ids) == 0 {
		ids = []seal.KeyID{1}
	}
	keys := make([]seal.Key, len(ids))
	for i, id := range ids {
		var err error
		if keys[i], err = seal.NewKey(id, bytes.Repeat([]byte{byte(id)}, seal.KeySize)); err != nil {
			t.Fatal(err)
		}
	}
	ring, err := seal.NewRing(rand.Reader, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}
