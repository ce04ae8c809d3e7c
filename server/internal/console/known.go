package console

import (
	"encoding/base64"
	"encoding/binary"
	"time"

	"gridsync/server/internal/seal"
	"gridsync/syncproto"
)

// A browser in which a person has signed in before carries a mark of it. Attempts from there
// are counted by themselves: a stranger who fails on purpose, from wherever and however
// often, locks out other strangers, and not the person at their own desk. A mark that was
// stolen gives its thief five guesses and then a lock of its own.

// knownLasts is how long a browser is known after somebody last signed in there.
const knownLasts = 90 * 24 * time.Hour

var markPlace = seal.In("browser.known")

// mark is what a browser carries: whose it is, and since when, sealed.
func (s *Service) mark(author syncproto.AuthorID, now syncproto.Instant) (string, error) {
	sealed, err := s.Sealer.Seal(nil, markPlace, author[:], binary.BigEndian.AppendUint64(nil, uint64(now)))
	return base64.RawURLEncoding.EncodeToString(sealed), wrap("mark a browser", err)
}

// marked says whether a mark is a person's, and still holds. It is so in one writing alone, as
// attempts are counted by it.
func (s *Service) marked(mark string, author syncproto.AuthorID, now syncproto.Instant) bool {
	sealed, err := base64.RawURLEncoding.DecodeString(mark)
	if err != nil || mark == "" || base64.RawURLEncoding.EncodeToString(sealed) != mark {
		return false
	}
	text, err := s.Sealer.Open(markPlace, sealed)
	if err != nil || len(text) != len(author)+8 || syncproto.AuthorID(text[:len(author)]) != author {
		return false
	}
	return now < after(syncproto.Instant(binary.BigEndian.Uint64(text[len(author):])), knownLasts)
}
