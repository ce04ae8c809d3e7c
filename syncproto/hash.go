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
	b := make([]byte, 0, 1024) // enough for most; it stays on the stack
	b = appendText(b, "gridsync change 1")
	b = append(b, c.ID[:]...)
	b = append(b, c.Device[:]...)
	b = appendNumber(b, int64(c.N))
	b = append(b, c.Author[:]...)
	b = appendText(b, string(c.Kind))
	b = append(b, c.Record[:]...)
	b = appendText(b, string(c.Area))
	b = appendNumber(b, int64(c.Base))
	b = appendNumber(b, int64(len(c.Fields)))
	b = append(b, c.Fields...)
	b = appendNumber(b, int64(len(c.Amid)))
	for _, name := range c.Amid {
		b = appendText(b, name)
	}
	decides := int64(0)
	if c.Decides {
		decides = 1
	}
	b = appendNumber(b, decides)
	b = appendNumber(b, int64(c.At))
	b = appendNumber(b, int64(c.Form))
	for _, name := range c.extraNames() {
		b = appendText(b, name)
		b = appendText(b, string(c.Extra[name]))
	}
	return sha256.Sum256(b)
}

func appendNumber(b []byte, x int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(x)) }

func appendText(b []byte, s string) []byte {
	return append(appendNumber(b, int64(len(s))), s...)
}
