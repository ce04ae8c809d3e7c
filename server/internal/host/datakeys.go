package host

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gridsync/server/internal/privacy"
	"gridsync/server/internal/seal"
)

// secrets are the keys without which the database can't be read: those that seal what
// people wrote, and the one of the digests by which equal values are found; and the one of
// the tags by which phones tell masked values apart.
type secrets struct {
	ring     *seal.Ring
	digester *seal.Digester
	tags     *privacy.Tagger
}

// The names of key files. A data key's number is part of its file's name; a file holds
// seal.KeySize bytes in base64.
const (
	dataKeyPattern = "data-*.key"
	digestKeyFile  = "digest.key"
)

// Environment variables that bring keys where there are to be no files.
const (
	// dataKeysEnv lists data keys as number:base64,number:base64.
	dataKeysEnv = "GRIDSYNC_DATA_KEYS"
	// digestKeyEnv is the digest key in base64.
	digestKeyEnv = "GRIDSYNC_DIGEST_KEY"
)

// ErrNoDataKey says that the database holds what was sealed, and that there is no data key
// at all. None is made then: what was sealed would stay unreadable, and the mistake unseen.
var ErrNoDataKey = errors.New("there is no data key, and the database was sealed with one")

// ErrKeysFromEnvironment says that a command can't make or drop keys that no file holds.
var ErrKeysFromEnvironment = errors.New("the data keys come from " + dataKeysEnv)

// dataKeyName is the file of a data key.
func dataKeyName(dir string, id seal.KeyID) string {
	return filepath.Join(dir, fmt.Sprintf("data-%04d.key", id))
}

// openRing reads the data keys. A database of which nothing is sealed gets one of its own if
// there are none.
func openRing(ctx context.Context, data place, dir string) (*seal.Ring, error) {
	keys, err := dataKeys(dir)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		sealed, err := data.sealed(ctx)
		if err != nil {
			return nil, fmt.Errorf("data keys: %w", err)
		}
		if sealed {
			return nil, fmt.Errorf("%w: %s", ErrNoDataKey, dir)
		}
		if err := makeSecret(dataKeyName(dir, 1)); err != nil {
			return nil, err
		}
		if keys, err = dataKeys(dir); err != nil {
			return nil, err
		}
	}
	ring, err := seal.NewRing(rand.Reader, keys...)
	if err != nil {
		return nil, fmt.Errorf("data keys: %w", err)
	}
	return ring, nil
}

// openSecrets reads the other secrets beside the data keys, making what isn't there. A digest
// key may be made at any time: what it made is derived from the log anew when it is another one.
func openSecrets(ring *seal.Ring, dir string) (s *secrets, err error) {
	s = &secrets{ring: ring}
	if s.digester, err = openDigester(dir); err != nil {
		return nil, err
	}
	s.tags, err = openTags(dir)
	return s, err
}

// dataKeys reads the data keys of the environment or, if it names none, of a folder.
func dataKeys(dir string) ([]seal.Key, error) {
	if listed := os.Getenv(dataKeysEnv); listed != "" {
		return listedKeys(listed)
	}
	names, err := filepath.Glob(filepath.Join(dir, dataKeyPattern))
	if err != nil {
		return nil, fmt.Errorf("data keys: %w", err)
	}
	keys := make([]seal.Key, 0, len(names))
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read a data key: %w", err)
		}
		number := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "data-"), ".key")
		key, err := parseKey(number, string(text))
		if err != nil {
			return nil, fmt.Errorf("data key %s: %w", filepath.Base(name), err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func listedKeys(listed string) ([]seal.Key, error) {
	var keys []seal.Key
	for one := range strings.SplitSeq(listed, ",") {
		number, text, _ := strings.Cut(one, ":")
		key, err := parseKey(strings.TrimSpace(number), text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", dataKeysEnv, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// parseKey never says in an error what the key is.
func parseKey(number, text string) (seal.Key, error) {
	id, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return seal.Key{}, errors.New("a data key has no number from 1 to 65535")
	}
	bytes, err := secretBytes(text)
	if err != nil {
		return seal.Key{}, err
	}
	return seal.NewKey(seal.KeyID(id), bytes)
}

func secretBytes(text string) ([]byte, error) {
	bytes, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(bytes) != seal.KeySize {
		return nil, fmt.Errorf("not %d bytes in base64", seal.KeySize)
	}
	return bytes, nil
}

func openDigester(dir string) (*seal.Digester, error) {
	key, err := secretOr(os.Getenv(digestKeyEnv), filepath.Join(dir, digestKeyFile))
	if err != nil {
		return nil, fmt.Errorf("digest key: %w", err)
	}
	return seal.NewDigester(key)
}

// secretOr reads a secret that was given or, if none was, from a file, which is made if it
// isn't there.
func secretOr(given, name string) ([]byte, error) {
	if given != "" {
		return secretBytes(given)
	}
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		if err := makeSecret(name); err != nil {
			return nil, err
		}
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return secretBytes(string(text))
}

// makeSecret writes seal.KeySize new random bytes under a name, as makeKey writes a key.
func makeSecret(name string) error {
	random := make([]byte, seal.KeySize)
	if _, err := rand.Read(random); err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	return writeKey(name, func(f *os.File) error {
		_, err := fmt.Fprintln(f, base64.StdEncoding.EncodeToString(random))
		return err
	})
}
