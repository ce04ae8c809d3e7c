package syncproto

import (
	"crypto/sha256"
	"encoding/binary"
)

// Hash is the change's identity by content, which receipts add up. It covers
// every member: numbers and ids as bytes, texts with their length before them,
// and the fields as the very bytes that the device wrote, so that no replica
// needs a canonical form of JSON.
func (c *Change) Hash() Hash {
	b := make(hashed, 0, 1024)
	b.text("gridsync change 1")
	b = append(b, c.ID[:]...)
	b = append(b, c.Device[:]...)
	b.number(int64(c.N))
	b = append(b, c.Author[:]...)
	b.text(string(c.Kind))
	b = append(b, c.Record[:]...)
	b.text(string(c.Area))
	b.number(int64(c.Base))
	b.number(int64(len(c.Fields)))
	b = append(b, c.Fields...)
	b.number(int64(len(c.Amid)))
	for _, name := range c.Amid {
		b.text(name)
	}
	decides := int64(0)
	if c.Decides {
		decides = 1
	}
	b.number(decides)
	b.number(int64(c.At))
	b.number(int64(c.Form))
	for _, name := range c.extraNames() {
		b.text(name)
		b.text(string(c.Extra[name]))
	}
	return sha256.Sum256(b)
}

// hashed is what a hash is taken of.
type hashed []byte

func (b *hashed) number(x int64) { *b = binary.BigEndian.AppendUint64(*b, uint64(x)) }

func (b *hashed) text(s string) {
	b.number(int64(len(s)))
	*b = append(*b, s...)
}
