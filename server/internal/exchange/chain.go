package exchange

import (
	"crypto/sha256"
	"encoding/binary"

	"gridsync/syncproto"
)

// ChainOf is the link of a row in the chain of the log: SHA-256 over the link of the
// row before, the row's place, the change's hash, when it was received, and the three
// instants of its stamp, each number in 8 bytes big endian. Whoever alters, removes or
// inserts a row has to alter every row after it. What may change of a row (whether it is
// visible, and why not) is no part of it.
func ChainOf(before syncproto.Hash, l *Logged, hash syncproto.Hash) syncproto.Hash {
	var b [2*sha256.Size + 5*8]byte
	copy(b[:], before[:])
	copy(b[sha256.Size:], hash[:])
	for i, n := range []int64{int64(l.Seq), int64(l.Received), int64(l.Time), int64(l.Earliest), int64(l.Latest)} {
		binary.BigEndian.PutUint64(b[2*sha256.Size+8*i:], uint64(n))
	}
	return sha256.Sum256(b[:])
}
