package host

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Fingerprints tell the keys of one server from those of another, and nothing else of them.
type Fingerprints struct {
	// Digest and Tags must be the same on all servers of a database: by the one equal values
	// are found, by the other phones know masked values again.
	Digest, Tags string
	// Tokens and Boxes are of those that sign tokens and open what phones sealed. While a key
	// is being changed the servers take up the new one at different moments, so that it is
	// enough to have one in common.
	Tokens, Boxes []string
}

// fingerprints are those of the keys that a server works with.
func (d *Data) fingerprints() Fingerprints {
	f := Fingerprints{
		Digest: fmt.Sprintf("%016x", d.secrets.digester.Fingerprint()),
		Tags:   fmt.Sprintf("%016x", d.secrets.tags.Fingerprint()),
	}
	for _, key := range d.keys.current.Load().tokens {
		f.Tokens = append(f.Tokens, fingerprint(key))
	}
	for _, box := range d.keys.Boxes() {
		f.Boxes = append(f.Boxes, fingerprint(box.Public()))
	}
	return f
}

// fingerprint is of what may be known.
func fingerprint(public []byte) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:8])
}

// String writes fingerprints for others to read again.
func (f Fingerprints) String() string {
	return strings.Join([]string{f.Digest, f.Tags, strings.Join(f.Tokens, ","), strings.Join(f.Boxes, ",")}, " ")
}

// disagree names the keys in which this server differs from one that wrote its own down.
func (f Fingerprints) disagree(written string) (keys []string) {
	parts := append(strings.Split(written, " "), "", "", "", "")
	one := func(mine, theirs string) bool { return mine == theirs }
	any := func(mine []string, theirs string) bool {
		return slices.ContainsFunc(strings.Split(theirs, ","), func(k string) bool { return slices.Contains(mine, k) })
	}
	for _, key := range []struct {
		name string
		same bool
	}{
		{digestKeyFile, one(f.Digest, parts[0])},
		{tagFile, one(f.Tags, parts[1])},
		{"token-*.pem", any(f.Tokens, parts[2])},
		{boxPattern, any(f.Boxes, parts[3])},
	} {
		if !key.same {
			keys = append(keys, key.name)
		}
	}
	return keys
}
