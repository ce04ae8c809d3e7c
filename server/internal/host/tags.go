package host

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gridsync/server/internal/privacy"
)

// tagFile is the key of the tags on masked values, in hexadecimal. It is lost without
// harm: the next one gives other tags.
const tagFile = "tag.key"

// openTags reads the key of the tags from the folder of keys, making one if there is none.
func openTags(dir string) (*privacy.Tagger, error) {
	name := filepath.Join(dir, tagFile)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeTagKey(name); err != nil {
			return nil, err
		}
		text, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of tags: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("key %s: not hexadecimal", tagFile)
	}
	tags, err := privacy.NewTagger(key)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", tagFile, err)
	}
	return tags, nil
}

// makeTagKey writes a new key, complete or not at all. When another process was faster its
// key stays.
func makeTagKey(name string) error {
	key := make([]byte, privacy.KeySize)
	if _, err := rand.Read(key); err != nil {
		return fmt.Errorf("make a key of tags: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(name), "new-*")
	if err != nil {
		return fmt.Errorf("make a key of tags: %w", err)
	}
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		if err = os.Link(f.Name(), name); errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	if err = errors.Join(err, os.Remove(f.Name())); err != nil {
		return fmt.Errorf("make a key of tags: %w", err)
	}
	return nil
}
