package enrol

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// alphabet is Crockford's: no I, L, O or U, so that a code can be read out over a bad
// line and typed with a glove.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// codeLength gives a code 50 bits: with invitations that end within days and a limit on
// how fast one may try, nobody guesses one.
const codeLength = 10

// newCode draws a code, written in two groups: K7M2Q-9XT4A.
func newCode(random io.Reader) (string, error) {
	var b [codeLength]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("draw a code: %w", err)
	}
	for i := range b {
		b[i] = alphabet[b[i]%byte(len(alphabet))] // 32 divides 256: every letter is as likely
	}
	return string(b[:codeLength/2]) + "-" + string(b[codeLength/2:]), nil
}

// digest is what is kept of a code as it was typed; false for what can't be one. Whoever has
// the database alone could try all there are against a plain SHA-256 within a day: they
// lack the key of what stands before it.
func (s *Service) digest(typed string) (Digest, bool) {
	code, ok := plainCode(typed)
	if !ok {
		return Digest{}, false
	}
	keyed := s.Digest([]byte("gridsync: an invitation's code\x00" + code))
	return sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, keyed), code...)), true
}

// plainCode reads a code however it was typed: in either case, with spaces and hyphens of
// any width anywhere, O for 0, I or L for 1.
func plainCode(typed string) (string, bool) {
	if len(typed) > 8*codeLength {
		return "", false
	}
	var b strings.Builder
	for _, r := range strings.ToUpper(norm.NFKC.String(typed)) {
		switch r {
		case ' ', '-', '‐', '‑', '–', '—', '−', '_', '\t', '\n', '\r':
			continue
		case 'O':
			r = '0'
		case 'I', 'L':
			r = '1'
		}
		if !strings.ContainsRune(alphabet, r) {
			return "", false
		}
		b.WriteRune(r)
	}
	return b.String(), b.Len() == codeLength
}
