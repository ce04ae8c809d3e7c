package privacy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// KeySize is how many random bytes a Tagger is made of.
const KeySize = 32

// tagSize is how many bytes of the digest a tag shows: enough to tell two people's values
// apart, and too few to be worth a hunt for the value that has it.
const tagSize = 4

// Tagger gives equal values equal tags. Whoever hasn't its key learns nothing else from
// them; a nil one gives none.
type Tagger struct{ key [KeySize]byte }

// NewTagger makes a tagger of KeySize random bytes, which are the installation's own and
// stay the same.
func NewTagger(key []byte) (*Tagger, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("a tag key of %d bytes, not %d", len(key), KeySize)
	}
	return &Tagger{key: [KeySize]byte(key)}, nil
}

// Fingerprint tells this tagger's key from others, and nothing else of it.
func (t *Tagger) Fingerprint() uint64 {
	mac := hmac.New(sha256.New, t.key[:])
	mac.Write([]byte("gridsync: which key of tags this is"))
	return binary.BigEndian.Uint64(mac.Sum(nil))
}

// tag is over the field's type and the value folded, so that a mobile has one tag in
// whichever form it stands.
func (t *Tagger) tag(field *form.Field, v syncproto.Value) string {
	if t == nil {
		return ""
	}
	mac := hmac.New(sha256.New, t.key[:])
	mac.Write([]byte("gridsync: tag\x00" + string(field.Type) + "\x00" + field.Fold(v)))
	return hex.EncodeToString(mac.Sum(nil)[:tagSize])
}
