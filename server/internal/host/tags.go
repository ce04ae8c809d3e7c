package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"gridsync/server/internal/privacy"
)

// tagFile is the key of the tags on masked values. It is lost without harm: the next one
// gives other tags.
const tagFile = "tag.key"

// openTags reads the key of the tags from the folder of keys, making one if there is none.
func openTags(dir string) (*privacy.Tagger, error) {
	name := filepath.Join(dir, tagFile)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeSecret(name); err != nil {
			return nil, err
		}
		text, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of tags: %w", err)
	}
	key, err := secretBytes(string(text))
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", tagFile, err)
	}
	return privacy.NewTagger(key)
}
